//! Access tokens.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{clock, seed};

/// The tokens issued, each with the client it was issued to.
pub(crate) struct Tokens {
    seed: u64,
    issued: u64,
    lifetime: Duration,
    /// What tokens may do, with blanks between.
    scope: String,
    /// The level of the user whose tokens they are.
    level: String,
    live: HashMap<String, (String, Instant)>,
}

impl Tokens {
    pub(crate) fn new(seed: u64, lifetime: Duration, scope: String, level: String) -> Self {
        Self { seed, issued: 0, lifetime, scope, level, live: HashMap::new() }
    }

    /// Issues a token; gives it, and the answer that tells it.
    pub(crate) fn issue(&mut self, client_id: &str) -> (String, Value) {
        self.issued += 1;
        let tenant = &mut seed::rng(self.seed, 0x7E);
        let jti = seed::hex_id(&mut seed::rng(self.seed ^ 0x117, self.issued));
        let mut answer = json!({
            "token_type": "bearer",
            "expires_in": self.lifetime.as_secs(),
            "scope": self.scope,
            "tenant_id": seed::uuid(tenant),
            "pod": "sim01-useast1",
            "org": "sim",
            "identity_id": seed::hex_id(tenant),
            "user_name": "sim.admin",
            "strong_auth_supported": true,
            "strong_auth": true,
            "internal": false,
            "enabled": true,
            "user_id": seed::hex_id(tenant),
            "accessType": "OFFLINE",
            "jti": jti,
        });
        let token = seed::token(&json!({
            "tenant_id": answer["tenant_id"],
            "org": answer["org"],
            "user_name": answer["user_name"],
            "authorities": [self.level],
            "client_id": client_id,
            "scope": self.scope.split(' ').collect::<Vec<_>>(),
            "exp": clock::now().timestamp().saturating_add_unsigned(self.lifetime.as_secs()),
            "jti": jti,
        }));
        if let Some(fields) = answer.as_object_mut() {
            fields.insert("access_token".to_owned(), json!(token));
        }
        self.live.retain(|_, (_, ends)| Instant::now() < *ends);
        self.live.insert(token.clone(), (client_id.to_owned(), clock::after(self.lifetime)));
        (token, answer)
    }

    /// The client whose token this is, if it is good now.
    pub(crate) fn client(&self, token: &str) -> Option<&str> {
        let (client, ends) = self.live.get(token)?;
        (Instant::now() < *ends).then_some(client)
    }

    /// Refuses a token from now on; false when it was not good.
    pub(crate) fn revoke(&mut self, token: &str) -> bool {
        let good = self.client(token).is_some();
        self.live.remove(token);
        good
    }

    pub(crate) fn revoke_all(&mut self) {
        self.live.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_token_lives_as_long_as_it_says() {
        let mut tokens = Tokens::new(1, Duration::from_secs(749), "sp:scopes:all".into(), "ORG_ADMIN".into());
        let (token, answer) = tokens.issue("me");
        assert_eq!(answer["expires_in"], 749);
        assert_eq!(answer["access_token"], token);
        tokio::time::advance(Duration::from_millis(748_999)).await;
        assert_eq!(tokens.client(&token), Some("me"));
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(tokens.client(&token), None);
        let (next, _) = tokens.issue("me");
        assert_ne!(next, token);
        tokens.revoke_all();
        assert_eq!(tokens.client(&next), None);
    }
}
