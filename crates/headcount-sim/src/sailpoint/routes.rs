//! Who may ask what of `SailPoint`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Rules;
use super::accounts::Sources;
use super::changes::{Change, Tasks};
use super::operation::{Api, Operation, Service};
use super::refusal::Refusal;
use crate::exchange::{Incoming, Reply};
use crate::gate::{Vendor, lock};
use crate::page::Views;
use crate::rate::Limiter;
use crate::request::Secrets;
use crate::seed::Answers;
use crate::world::World;
use crate::{clock, exchange, seed};

const TOKEN: &str = "/oauth/token";
const INFO: &str = "/oauth/info";

pub(crate) struct Tenant {
    pub(crate) world: Arc<Mutex<World>>,
    pub(crate) sources: Sources,
    pub(crate) rules: Rules,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) tokens: Mutex<Tokens>,
    pub(crate) limiter: Mutex<Limiter<(String, Api)>>,
    pub(crate) views: Mutex<Views>,
    pub(crate) tasks: Mutex<Tasks>,
    /// Those that were put in, by the account's id.
    pub(crate) entitlements: Mutex<HashMap<String, Vec<Value>>>,
    pub(crate) answers: Answers,
    pub(crate) seed: u64,
}

impl Vendor for Tenant {
    fn is_list(&self, incoming: &Incoming) -> bool {
        let below = Api::split(incoming.route()).filter(|(_, service, _)| *service == Service::Accounts);
        incoming.method == Method::GET && below.is_some_and(|(_, _, below)| below.is_empty())
    }

    fn is_login(&self, incoming: &Incoming) -> bool {
        incoming.route() == TOKEN
    }

    fn world(&self, _: &Incoming) -> &Mutex<World> {
        &self.world
    }

    fn answer(&self, incoming: &Incoming) -> Reply {
        let (number, mut rng) = self.answers.next();
        self.settle();
        let request_id = seed::hex_id(&mut rng);
        let reply = self.route(incoming, number).unwrap_or_else(|refusal| refusal.reply(&request_id));
        let reply = reply
            .with("slpt-request-id", &request_id)
            .with("server", "nginx")
            .with("cache-control", "no-cache, no-store, must-revalidate");
        match Api::split(incoming.route()) {
            Some((Api::Beta, ..)) => reply.with("x-deprecated", "true"),
            _ => reply,
        }
    }

    fn cursor(&self, _: &Incoming) -> Option<&'static str> {
        Some("offset")
    }

    fn place(&self, incoming: &Incoming, _: &World) -> usize {
        let offset = incoming.value("offset");
        offset.and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    fn enums(&self) -> &'static [&'static str] {
        &[
            "origin",
            "type",
            "identityState",
            "features",
            "ownerIdentity/type",
            "recommendation/type",
            "recommendation/method",
        ]
    }

    fn rows_member(&self) -> Option<&'static str> {
        None
    }

    fn secrets(&self) -> Secrets {
        Secrets { headers: &[], members: &["password"] }
    }

    fn expire(&self, incoming: &Incoming) -> bool {
        token(incoming).is_ok_and(|token| lock(&self.tokens).revoke(token))
    }
}

impl Tenant {
    fn route(&self, incoming: &Incoming, number: u64) -> Result<Reply, Refusal> {
        if let Some(status) = incoming.tweak.refusal() {
            return Err(Refusal::Trouble(status));
        }
        let route = incoming.route();
        if route == TOKEN {
            if incoming.method != Method::POST {
                return Err(Refusal::WrongMethod("POST"));
            }
            return self.issue(incoming);
        }
        if route == INFO {
            return match incoming.method {
                Method::GET => Ok(self.info(incoming)),
                _ => Err(Refusal::WrongMethod("GET")),
            };
        }
        let (api, operation) = Operation::find(&incoming.method, route)?;
        let client = self.client(incoming)?;
        lock(&self.limiter).pass((client, api)).map_err(Refusal::TooMany)?;
        if !operation.is_allowed(&self.rules.scopes, &self.rules.level) {
            return Err(Refusal::Forbidden);
        }
        let asked = incoming.header("x-sailpoint-experimental").is_some_and(|value| value.trim() == "true");
        if operation.is_experimental(api) && !asked {
            return Err(Refusal::Experimental);
        }
        match &operation {
            Operation::List => self.list(incoming, api, number),
            Operation::Create => self.create(incoming),
            Operation::Get(id) => self.get(id, api),
            Operation::Update(id) => self.update(incoming, id),
            Operation::Put(id) => self.put(incoming, id),
            Operation::Delete(id) => self.delete(id),
            Operation::Remove(id) => self.remove(id),
            Operation::Entitlements(id) => self.list_entitlements(incoming, id, number),
            Operation::Reload(id) => self.reload(id),
            Operation::Enable(id) => self.set_state(incoming, id, ("disabled", false)),
            Operation::Disable(id) => self.set_state(incoming, id, ("disabled", true)),
            Operation::Unlock(id) => self.set_state(incoming, id, ("locked", false)),
            Operation::OfIdentity(id, on) => self.set_identity(id, *on),
            Operation::OfIdentities(on) => self.set_identities(incoming, *on),
        }
    }

    /// Begins a task that makes a change; gives its id.
    pub(crate) fn begin(&self, change: Change) -> String {
        let id = lock(&self.tasks).begin(change);
        self.settle();
        id
    }

    /// Makes the changes whose tasks are done by now.
    fn settle(&self) {
        let due = lock(&self.tasks).due();
        if !due.is_empty() {
            let world = &mut lock(&self.world);
            for change in due {
                change(world);
            }
        }
    }

    /// The client that a request's token was issued to.
    fn client(&self, incoming: &Incoming) -> Result<String, Refusal> {
        let token = token(incoming)?;
        let tokens = lock(&self.tokens);
        tokens.client(token).map(str::to_owned).ok_or(Refusal::BadToken)
    }

    /// Client credentials, from a form or from the query, or some from each.
    fn issue(&self, incoming: &Incoming) -> Result<Reply, Refusal> {
        let form = incoming.form();
        let given = |name: &str| exchange::value(&form, name).or_else(|| incoming.value(name));
        match given("grant_type") {
            Some("client_credentials") => {}
            Some(_) => return Err(Refusal::BadGrant("unsupported_grant_type")),
            None => return Err(Refusal::BadGrant("invalid_request")),
        }
        let known = given("client_id") == Some(self.client_id.as_str())
            && given("client_secret") == Some(self.client_secret.as_str());
        if !known {
            return Err(Refusal::BadClient);
        }
        let (_, answer) = lock(&self.tokens).issue(&self.client_id);
        Ok(Reply::json(StatusCode::OK, &answer))
    }

    /// Where things are, for clients that only know the tenant.
    fn info(&self, incoming: &Incoming) -> Reply {
        let base = incoming.base_url();
        let body = json!({
            "tenantId": seed::uuid(&mut seed::rng(self.seed, 0x7E)),
            "tenantName": "sim",
            "authorizeEndpoint": format!("{base}/oauth/authorize"),
            "tokenEndpoint": format!("{base}{TOKEN}"),
            "cloudDomainUrl": base,
            "logoutUrl": format!("{base}/logout"),
            "pod": "sim01-useast1",
        });
        Reply::json(StatusCode::OK, &body)
    }
}

/// The token of a request, good or not.
fn token(incoming: &Incoming) -> Result<&str, Refusal> {
    let (scheme, token) =
        incoming.header("authorization").and_then(|value| value.split_once(' ')).ok_or(Refusal::NoToken)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Refusal::NoToken);
    }
    Ok(token.trim())
}

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
