//! Sessions and their tokens, which expire separately.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use http::StatusCode;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::api_error::ApiError;
use super::routes::{FortanixState, scheme};
use super::schema::{self, AUTH_DISCOVER_REQUEST, AUTH_REQUEST};
use crate::message::{SimRequest, SimResponse};
use crate::pipeline::lock;
use crate::{clock, rng};

pub(crate) struct Sessions {
    seed: u64,
    issued: u64,
    session_lifetime: Duration,
    token_lifetime: Duration,
    by_token: HashMap<String, Session>,
    /// The unused authorization codes.
    codes: HashSet<String>,
}

struct Session {
    subject: String,
    ends: Expiry,
    token_ends: Expiry,
    selected: Option<String>,
}

/// An expiry time by tokio's clock, and the corresponding Unix timestamp for responses.
///
/// The timestamp is computed once, so that it does not change if the two clocks diverge.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Expiry {
    at: Instant,
    unix: i64,
}

impl Expiry {
    fn after(wait: Duration) -> Self {
        let at = clock::after(wait);
        let left = TimeDelta::from_std(at.saturating_duration_since(Instant::now())).unwrap_or_default();
        Self { at, unix: (clock::now() + left).timestamp() }
    }
}

impl Session {
    /// Returns the `session_info` of a response.
    fn info(&self) -> Value {
        let mut info = json!({
            "subject_id": self.subject,
            "session_expires_at": self.ends.unix,
            "session_token_expires_at": self.token_ends.unix,
        });
        if let (Some(selected), Some(info)) = (&self.selected, info.as_object_mut()) {
            info.insert("selected_account_id".to_owned(), json!(selected));
        }
        info
    }
}

impl Sessions {
    pub(crate) fn new(seed: u64, session_lifetime: Duration, token_lifetime: Duration) -> Self {
        Self {
            seed,
            issued: 0,
            session_lifetime,
            token_lifetime,
            by_token: HashMap::new(),
            codes: HashSet::new(),
        }
    }

    /// Returns the id of the user.
    pub(crate) fn subject(&self) -> String {
        rng::uuid(&mut rng::seeded(self.seed, 0x5B))
    }

    /// Issues an authorization code.
    pub(crate) fn issue_code(&mut self) -> String {
        self.issued += 1;
        let code = format!("code-{}", rng::hex_id(&mut rng::seeded(self.seed ^ 0xC0DE, self.issued)));
        self.codes.insert(code.clone());
        code
    }

    /// Consumes an authorization code. Returns whether it was valid.
    pub(crate) fn use_code(&mut self, code: &str) -> bool {
        self.codes.remove(code)
    }

    /// Opens a session. Returns its token and its info.
    pub(crate) fn open(&mut self) -> (String, Value) {
        self.issued += 1;
        let subject = self.subject();
        let session_id = rng::uuid(&mut rng::seeded(self.seed ^ 0x5E55, self.issued));
        let ends = Expiry::after(self.session_lifetime);
        let token_ends = Expiry::after(self.token_lifetime).min(ends);
        let session = Session { subject, ends, token_ends, selected: None };
        let token = rng::token(&json!({"sub": session.subject, "sid": session_id, "iss": "sim"}));
        let info = session.info();
        self.by_token.insert(token.clone(), session);
        (token, info)
    }

    /// Checks that a token is valid.
    pub(crate) fn check(&self, token: &str) -> Result<(), ApiError> {
        let session = self.by_token.get(token).ok_or(ApiError::UnknownSession)?;
        let now = Instant::now();
        if now < session.ends.at && now < session.token_ends.at {
            Ok(())
        } else {
            Err(ApiError::ExpiredSession)
        }
    }

    /// Extends a token, at most to the end of its session.
    pub(crate) fn refresh(&mut self, token: &str) -> Result<Value, ApiError> {
        self.check(token)?;
        let lifetime = self.token_lifetime;
        let session = self.by_token.get_mut(token).ok_or(ApiError::UnknownSession)?;
        session.token_ends = Expiry::after(lifetime).min(session.ends);
        Ok(session.info())
    }

    /// Selects an account for a session.
    pub(crate) fn select(&mut self, token: &str, account: &str) -> Result<Value, ApiError> {
        let session = self.by_token.get_mut(token).ok_or(ApiError::UnknownSession)?;
        session.selected = Some(account.to_owned());
        Ok(session.info())
    }

    /// Returns the selected account of a session.
    pub(crate) fn selected(&self, token: &str) -> Option<String> {
        self.by_token.get(token)?.selected.clone()
    }

    /// Deselects an account in every session.
    pub(crate) fn deselect(&mut self, account: &str) {
        for session in self.by_token.values_mut() {
            session.selected.take_if(|selected| selected.eq_ignore_ascii_case(account));
        }
    }

    pub(crate) fn close(&mut self, token: &str) {
        self.by_token.remove(token);
    }

    /// Expires the session of a token. Returns whether there was one.
    pub(crate) fn expire(&mut self, token: &str) -> bool {
        let session = self.by_token.get_mut(token);
        session.is_some_and(|session| {
            session.ends = Expiry::after(Duration::ZERO);
            true
        })
    }

    pub(crate) fn expire_all(&mut self) {
        let now = Expiry::after(Duration::ZERO);
        for session in self.by_token.values_mut() {
            session.ends = now;
        }
    }
}

impl FortanixState {
    /// Logs in. Accepts HTTP Basic with the email address and password, as the vendor's clients send them,
    /// and an authorization code in the body, as documented in the reference.
    pub(crate) fn login(&self, request: &SimRequest) -> Result<SimResponse, ApiError> {
        if request.header("authorization").is_none() && !request.body.is_empty() {
            self.check_code(request)?;
        } else {
            let basic = request.header("authorization").and_then(|value| scheme(value, "basic"));
            let decoded = basic.and_then(|value| STANDARD.decode(value).ok()).ok_or(ApiError::BadLogin)?;
            if decoded != format!("{}:{}", self.email, self.password).into_bytes() {
                return Err(ApiError::BadLogin);
            }
        }
        let (token, info) = lock(&self.sessions).open();
        Ok(SimResponse::json(StatusCode::OK, &json!({"access_token": token, "session_info": info})))
    }

    /// Checks an authorization code, its identity provider and, if given, the email address. Consumes the
    /// code.
    fn check_code(&self, request: &SimRequest) -> Result<(), ApiError> {
        let body = schema::body(request, &AUTH_REQUEST)?;
        let data = |name: &str| body.get("oauth_auth_code")?.get(name)?.as_str();
        let code = data("code").ok_or(ApiError::BadLogin)?;
        let valid = lock(&self.sessions).use_code(code);
        let same_user = data("email").is_none_or(|email| email == self.email);
        let idp_id = data("idp_id").ok_or(ApiError::BadLogin)?;
        if valid && same_user && (idp_id == self.idp_id || self.is_configured(idp_id)) {
            Ok(())
        } else {
            Err(ApiError::BadLogin)
        }
    }

    /// Returns whether an account has an OAuth configuration that discovery returns with this id.
    fn is_configured(&self, idp_id: &str) -> bool {
        let has = |record: &Value| {
            let configs = record.get("auth_configs").and_then(Value::as_object);
            configs
                .into_iter()
                .flatten()
                .any(|(id, config)| config.get("oauth").is_some() && STANDARD.encode(id) == idp_id)
        };
        lock(&self.world).records().iter().any(has)
    }

    /// Returns the login methods of the given account, or else a password and the identity provider. The
    /// response does not depend on the email address, so that it does not disclose which users exist.
    pub(crate) fn discover(&self, request: &SimRequest) -> Result<SimResponse, ApiError> {
        schema::body(request, &AUTH_DISCOVER_REQUEST)?;
        let methods = match request.value("acct_id") {
            None => vec![json!({"password": {}}), self.oauth_grant("Sim IdP", &self.idp_id)],
            Some(id) => {
                let record = lock(&self.world).record(id).ok_or(ApiError::NotFound)?;
                let configs = record.get("auth_configs").and_then(Value::as_object);
                let configs = configs.into_iter().flatten();
                configs.filter_map(|(id, config)| self.auth_method(id, config)).collect()
            }
        };
        Ok(SimResponse::json(StatusCode::OK, &json!({"auth_methods": methods})))
    }

    fn auth_method(&self, id: &str, config: &Value) -> Option<Value> {
        if config.get("password").is_some() {
            return Some(json!({"password": {}}));
        }
        if let Some(oauth) = config.get("oauth") {
            let mut method = self.oauth_grant("IdP", &STANDARD.encode(id));
            for (member, configured) in [
                ("name", "idp_name"),
                ("icon_url", "idp_icon_url"),
                ("authorization_url", "idp_authorization_endpoint"),
                ("client_id", "client_id"),
            ] {
                if let Some(value) = oauth.get(configured) {
                    method["oauth_code_grant"][member] = value.clone();
                }
            }
            return Some(method);
        }
        let target = config.get("cluster_auth_ref")?.get("target_id")?.as_str()?;
        let mut method = self.oauth_grant("Cluster IdP", &self.idp_id);
        method["oauth_code_grant"]["cluster_idp_id"] = json!(target);
        Some(method)
    }

    fn oauth_grant(&self, name: &str, idp_id: &str) -> Value {
        let grant = json!({
            "name": name,
            "icon_url": "https://idp.example/icon.svg",
            "authorization_url": "https://idp.example/authorize",
            "client_id": "sim-client",
            "redirect_uri": "https://ccm.example/oauth",
            "state": format!("sim-state-{:x}", self.seed),
            "idp_id": idp_id,
        });
        json!({"oauth_code_grant": grant})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn refresh_extends_only_the_token() {
        let mut sessions = Sessions::new(1, MINUTE * 15, MINUTE * 10);
        let (token, info) = sessions.open();
        assert!(info["session_token_expires_at"].as_i64() < info["session_expires_at"].as_i64());
        tokio::time::advance(MINUTE * 9).await;
        let info = sessions.refresh(&token).expect("the token is valid");
        assert_eq!(info["session_token_expires_at"], info["session_expires_at"]);
        tokio::time::advance(MINUTE * 5).await;
        assert_eq!(sessions.check(&token), Ok(()));
        tokio::time::advance(MINUTE).await;
        assert_eq!(sessions.refresh(&token), Err(ApiError::ExpiredSession));
    }

    #[tokio::test(start_paused = true)]
    async fn token_expires_before_its_session() {
        let mut sessions = Sessions::new(1, MINUTE * 15, MINUTE * 10);
        let (token, _) = sessions.open();
        tokio::time::advance(MINUTE * 10).await;
        assert_eq!(sessions.check(&token), Err(ApiError::ExpiredSession));
        let (next, _) = sessions.open();
        assert_ne!(token, next);
        assert_eq!(sessions.check(&next), Ok(()));
        sessions.expire_all();
        assert_eq!(sessions.check(&next), Err(ApiError::ExpiredSession));
    }
}
