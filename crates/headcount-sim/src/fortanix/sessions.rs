//! Sessions and their tokens, each with a clock of its own.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use http::StatusCode;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::refusal::Refusal;
use super::routes::{Manager, scheme};
use super::schema::{self, AUTH_DISCOVER_REQUEST, AUTH_REQUEST};
use crate::exchange::{Incoming, Reply};
use crate::gate::lock;
use crate::{clock, seed};

pub(crate) struct Sessions {
    seed: u64,
    issued: u64,
    session_lifetime: Duration,
    token_lifetime: Duration,
    open: HashMap<String, Session>,
    /// Authorization codes that were not used yet.
    codes: HashSet<String>,
}

struct Session {
    subject: String,
    ends: Moment,
    token_ends: Moment,
    selected: Option<String>,
}

/// A moment by tokio's clock, and what the wall clock will show then. That is told, and stays the same however
/// far the two clocks drift apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Moment {
    at: Instant,
    unix: i64,
}

impl Moment {
    fn after(wait: Duration) -> Self {
        let at = clock::after(wait);
        let left = TimeDelta::from_std(at.saturating_duration_since(Instant::now())).unwrap_or_default();
        Self { at, unix: (clock::now() + left).timestamp() }
    }
}

impl Session {
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
            open: HashMap::new(),
            codes: HashSet::new(),
        }
    }

    /// The id of the user whose sessions these are.
    pub(crate) fn subject(&self) -> String {
        seed::uuid(&mut seed::rng(self.seed, 0x5B))
    }

    /// A new authorization code.
    pub(crate) fn issue_code(&mut self) -> String {
        self.issued += 1;
        let code = format!("code-{}", seed::hex_id(&mut seed::rng(self.seed ^ 0xC0DE, self.issued)));
        self.codes.insert(code.clone());
        code
    }

    /// Whether a code is good, which it is not afterwards.
    pub(crate) fn use_code(&mut self, code: &str) -> bool {
        self.codes.remove(code)
    }

    /// Opens a session; gives its token and what is told of it.
    pub(crate) fn open(&mut self) -> (String, Value) {
        self.issued += 1;
        let subject = self.subject();
        let session_id = seed::uuid(&mut seed::rng(self.seed ^ 0x5E55, self.issued));
        let ends = Moment::after(self.session_lifetime);
        let token_ends = Moment::after(self.token_lifetime).min(ends);
        let session = Session { subject, ends, token_ends, selected: None };
        let token = seed::token(&json!({"sub": session.subject, "sid": session_id, "iss": "sim"}));
        let info = session.info();
        self.open.insert(token.clone(), session);
        (token, info)
    }

    /// Whether a token is good now.
    pub(crate) fn check(&self, token: &str) -> Result<(), Refusal> {
        let session = self.open.get(token).ok_or(Refusal::UnknownSession)?;
        let now = Instant::now();
        if now < session.ends.at && now < session.token_ends.at {
            Ok(())
        } else {
            Err(Refusal::ExpiredSession)
        }
    }

    /// Starts the token's clock again, never past the end of its session.
    pub(crate) fn refresh(&mut self, token: &str) -> Result<Value, Refusal> {
        self.check(token)?;
        let lifetime = self.token_lifetime;
        let session = self.open.get_mut(token).ok_or(Refusal::UnknownSession)?;
        session.token_ends = Moment::after(lifetime).min(session.ends);
        Ok(session.info())
    }

    pub(crate) fn select(&mut self, token: &str, account: &str) -> Result<Value, Refusal> {
        let session = self.open.get_mut(token).ok_or(Refusal::UnknownSession)?;
        session.selected = Some(account.to_owned());
        Ok(session.info())
    }

    pub(crate) fn selected(&self, token: &str) -> Option<String> {
        self.open.get(token)?.selected.clone()
    }

    /// No session works on this account any more.
    pub(crate) fn deselect(&mut self, account: &str) {
        for session in self.open.values_mut() {
            session.selected.take_if(|selected| selected.eq_ignore_ascii_case(account));
        }
    }

    pub(crate) fn close(&mut self, token: &str) {
        self.open.remove(token);
    }

    /// Ends the session of a token; false when there is none.
    pub(crate) fn expire(&mut self, token: &str) -> bool {
        let session = self.open.get_mut(token);
        session.is_some_and(|session| {
            session.ends = Moment::after(Duration::ZERO);
            true
        })
    }

    pub(crate) fn expire_all(&mut self) {
        let now = Moment::after(Duration::ZERO);
        for session in self.open.values_mut() {
            session.ends = now;
        }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn refreshing_extends_the_token_but_not_the_session() {
        let mut sessions = Sessions::new(1, MINUTE * 15, MINUTE * 10);
        let (token, info) = sessions.open();
        assert!(info["session_token_expires_at"].as_i64() < info["session_expires_at"].as_i64());
        tokio::time::advance(MINUTE * 9).await;
        let info = sessions.refresh(&token).expect("still good");
        assert_eq!(info["session_token_expires_at"], info["session_expires_at"]);
        tokio::time::advance(MINUTE * 5).await;
        assert_eq!(sessions.check(&token), Ok(()));
        tokio::time::advance(MINUTE).await;
        assert_eq!(sessions.refresh(&token), Err(Refusal::ExpiredSession));
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_that_is_not_refreshed_expires_before_its_session() {
        let mut sessions = Sessions::new(1, MINUTE * 15, MINUTE * 10);
        let (token, _) = sessions.open();
        tokio::time::advance(MINUTE * 10).await;
        assert_eq!(sessions.check(&token), Err(Refusal::ExpiredSession));
        let (next, _) = sessions.open();
        assert_ne!(token, next);
        assert_eq!(sessions.check(&next), Ok(()));
        sessions.expire_all();
        assert_eq!(sessions.check(&next), Err(Refusal::ExpiredSession));
    }
}
