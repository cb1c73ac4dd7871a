//! `POST /v1/sys/auth` and `POST /v1/sys/auth/discover`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::{Value, json};

use super::refusal::Refusal;
use super::routes::{Manager, scheme};
use super::schema::{self, AUTH_DISCOVER_REQUEST, AUTH_REQUEST};
use crate::exchange::{Incoming, Reply};
use crate::gate::lock;

impl Manager {
    /// A login: HTTP Basic with e-mail and password, as the vendor's clients do it, or an authorization code
    /// in the body, as the reference has it.
    pub(crate) fn login(&self, incoming: &Incoming) -> Result<Reply, Refusal> {
        if incoming.header("authorization").is_none() && !incoming.body.is_empty() {
            self.check_code(incoming)?;
        } else {
            let basic = incoming.header("authorization").and_then(|value| scheme(value, "basic"));
            let decoded = basic.and_then(|value| STANDARD.decode(value).ok()).ok_or(Refusal::BadLogin)?;
            if decoded != format!("{}:{}", self.email, self.password).into_bytes() {
                return Err(Refusal::BadLogin);
            }
        }
        let (token, info) = lock(&self.sessions).open();
        Ok(Reply::json(StatusCode::OK, &json!({"access_token": token, "session_info": info})))
    }

    /// A code is good once, at its identity provider and, where an address is given, for its user.
    fn check_code(&self, incoming: &Incoming) -> Result<(), Refusal> {
        let body = schema::body(incoming, &AUTH_REQUEST)?;
        let data = |name: &str| body.get("oauth_auth_code")?.get(name)?.as_str();
        let code = data("code").ok_or(Refusal::BadLogin)?;
        let good = lock(&self.sessions).use_code(code);
        let user = data("email").is_none_or(|email| email == self.email);
        if good && user && data("idp_id") == Some(self.idp_id.as_str()) {
            Ok(())
        } else {
            Err(Refusal::BadLogin)
        }
    }

    /// The ways to log in: those of an account if one is named, or else a password and the one identity
    /// provider, whatever the e-mail address. Nobody learns who has an account here.
    pub(crate) fn discover(&self, incoming: &Incoming) -> Result<Reply, Refusal> {
        schema::body(incoming, &AUTH_DISCOVER_REQUEST)?;
        let methods = match incoming.value("acct_id") {
            None => vec![json!({"password": {}}), self.grant("Sim IdP", &self.idp_id, None)],
            Some(id) => {
                let record = lock(&self.world).record(id).ok_or(Refusal::NotFound)?;
                let configs = record.get("auth_configs").and_then(Value::as_object);
                let configs = configs.into_iter().flatten();
                configs.filter_map(|(id, config)| self.method(id, config)).collect()
            }
        };
        Ok(Reply::json(StatusCode::OK, &json!({"auth_methods": methods})))
    }

    fn method(&self, id: &str, config: &Value) -> Option<Value> {
        if config.get("password").is_some() {
            return Some(json!({"password": {}}));
        }
        if let Some(oauth) = config.get("oauth") {
            let name = oauth.get("idp_name").and_then(Value::as_str).unwrap_or("IdP");
            return Some(self.grant(name, &STANDARD.encode(id), None));
        }
        let target = config.get("cluster_auth_ref")?.get("target_id")?.as_str()?;
        Some(self.grant("Cluster IdP", &self.idp_id, Some(target)))
    }

    fn grant(&self, name: &str, idp_id: &str, cluster_idp_id: Option<&str>) -> Value {
        let mut grant = json!({
            "name": name,
            "icon_url": "https://idp.example/icon.svg",
            "authorization_url": "https://idp.example/authorize",
            "client_id": "sim-client",
            "redirect_uri": "https://ccm.example/oauth",
            "state": format!("sim-state-{:x}", self.seed),
            "idp_id": idp_id,
        });
        if let (Some(id), Some(grant)) = (cluster_idp_id, grant.as_object_mut()) {
            grant.insert("cluster_idp_id".to_owned(), json!(id));
        }
        json!({"oauth_code_grant": grant})
    }
}
