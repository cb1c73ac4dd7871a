//! The routes, the authentication and the tokens of `SailPoint`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Rules;
use super::accounts::Sources;
use super::api_error::ApiError;
use super::changes::{Change, Tasks};
use super::operation::{Api, Operation, Service};
use crate::message::{SimRequest, SimResponse};
use crate::page::ViewCache;
use crate::pipeline::{ProviderSim, lock};
use crate::rate_limit::RateLimiter;
use crate::request_log::SecretFields;
use crate::rng::RequestCounter;
use crate::world::World;
use crate::{clock, message, rng};

const TOKEN: &str = "/oauth/token";
const INFO: &str = "/oauth/info";

pub(crate) struct SailPointState {
    pub(crate) world: Arc<Mutex<World>>,
    pub(crate) sources: Sources,
    pub(crate) rules: Rules,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) tokens: Mutex<TokenStore>,
    pub(crate) limiter: Mutex<RateLimiter<(String, Api)>>,
    pub(crate) views: Mutex<ViewCache>,
    pub(crate) tasks: Mutex<Tasks>,
    /// The entitlements that a test set, by account id.
    pub(crate) entitlements: Mutex<HashMap<String, Vec<Value>>>,
    pub(crate) request_counter: RequestCounter,
    pub(crate) seed: u64,
}

impl ProviderSim for SailPointState {
    fn is_list(&self, request: &SimRequest) -> bool {
        let below = Api::split(request.route()).filter(|(_, service, _)| *service == Service::Accounts);
        request.method == Method::GET && below.is_some_and(|(_, _, below)| below.is_empty())
    }

    fn is_login(&self, request: &SimRequest) -> bool {
        request.route() == TOKEN
    }

    fn world(&self, _: &SimRequest) -> &Mutex<World> {
        &self.world
    }

    fn respond(&self, request: &SimRequest) -> SimResponse {
        let (number, mut rng) = self.request_counter.next();
        self.apply_due_tasks();
        let request_id = rng::hex_id(&mut rng);
        let response = self.route(request, number).unwrap_or_else(|error| error.response(&request_id));
        let response = response
            .with("slpt-request-id", &request_id)
            .with("server", "nginx")
            .with("cache-control", "no-cache, no-store, must-revalidate");
        match Api::split(request.route()) {
            Some((Api::Beta, ..)) => response.with("x-deprecated", "true"),
            _ => response,
        }
    }

    fn cursor_parameter(&self, _: &SimRequest) -> Option<&'static str> {
        Some("offset")
    }

    fn start_position(&self, request: &SimRequest, _: &World) -> usize {
        let offset = request.value("offset");
        offset.and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    fn enum_fields(&self) -> &'static [&'static str] {
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

    fn secret_fields(&self) -> SecretFields {
        SecretFields { headers: &[], members: &["password"] }
    }

    fn expire_token(&self, request: &SimRequest) -> bool {
        token(request).is_ok_and(|token| lock(&self.tokens).revoke(token))
    }
}

impl SailPointState {
    fn route(&self, request: &SimRequest, number: u64) -> Result<SimResponse, ApiError> {
        if let Some(status) = request.overrides.forced_status() {
            return Err(ApiError::Injected(status));
        }
        let route = request.route();
        if route == TOKEN {
            if request.method != Method::POST {
                return Err(ApiError::WrongMethod("POST"));
            }
            return self.issue(request);
        }
        if route == INFO {
            return match request.method {
                Method::GET => Ok(self.info(request)),
                _ => Err(ApiError::WrongMethod("GET")),
            };
        }
        let (api, operation) = Operation::find(&request.method, route)?;
        let client = self.client(request)?;
        lock(&self.limiter).acquire((client, api)).map_err(ApiError::TooMany)?;
        if !operation.is_allowed(&self.rules.scopes, &self.rules.level) {
            return Err(ApiError::Forbidden);
        }
        let has_header =
            request.header("x-sailpoint-experimental").is_some_and(|value| value.trim() == "true");
        if operation.is_experimental(api) && !has_header {
            return Err(ApiError::Experimental);
        }
        match &operation {
            Operation::List => self.list(request, api, number),
            Operation::Create => self.create(request),
            Operation::Get(id) => self.get(id, api),
            Operation::Update(id) => self.update(request, id),
            Operation::Put(id) => self.put(request, id),
            Operation::Delete(id) => self.delete(id),
            Operation::Remove(id) => self.remove(id),
            Operation::Entitlements(id) => self.list_entitlements(request, id, number),
            Operation::Reload(id) => self.reload(id),
            Operation::Enable(id) => self.set_state(request, id, ("disabled", false)),
            Operation::Disable(id) => self.set_state(request, id, ("disabled", true)),
            Operation::Unlock(id) => self.set_state(request, id, ("locked", false)),
            Operation::SetIdentityState(id, enabled) => self.set_identity_state(id, *enabled),
            Operation::SetIdentityStates(enabled) => self.set_identity_states(request, *enabled),
        }
    }

    /// Starts a task that makes a change. Returns its id.
    pub(crate) fn start_task(&self, change: Change) -> String {
        let id = lock(&self.tasks).start(change);
        self.apply_due_tasks();
        id
    }

    /// Makes the changes of the tasks that are due.
    fn apply_due_tasks(&self) {
        let due = lock(&self.tasks).take_due();
        if !due.is_empty() {
            let world = &mut lock(&self.world);
            for change in due {
                change(world);
            }
        }
    }

    /// Returns the client of a request's token, if the token is valid.
    fn client(&self, request: &SimRequest) -> Result<String, ApiError> {
        let token = token(request)?;
        let tokens = lock(&self.tokens);
        tokens.client(token).map(str::to_owned).ok_or(ApiError::BadToken)
    }

    /// Issues a token for client credentials. Each parameter may be in the form or in the query.
    fn issue(&self, request: &SimRequest) -> Result<SimResponse, ApiError> {
        let form = request.form();
        let parameter = |name: &str| message::value(&form, name).or_else(|| request.value(name));
        match parameter("grant_type") {
            Some("client_credentials") => {}
            Some(_) => return Err(ApiError::BadGrant("unsupported_grant_type")),
            None => return Err(ApiError::BadGrant("invalid_request")),
        }
        let valid = parameter("client_id") == Some(self.client_id.as_str())
            && parameter("client_secret") == Some(self.client_secret.as_str());
        if !valid {
            return Err(ApiError::BadClient);
        }
        let (_, body) = lock(&self.tokens).issue(&self.client_id);
        Ok(SimResponse::json(StatusCode::OK, &body))
    }

    /// Returns the tenant's endpoints.
    fn info(&self, request: &SimRequest) -> SimResponse {
        let base = request.base_url();
        let body = json!({
            "tenantId": rng::uuid(&mut rng::seeded(self.seed, 0x7E)),
            "tenantName": "sim",
            "authorizeEndpoint": format!("{base}/oauth/authorize"),
            "tokenEndpoint": format!("{base}{TOKEN}"),
            "cloudDomainUrl": base,
            "logoutUrl": format!("{base}/logout"),
            "pod": "sim01-useast1",
        });
        SimResponse::json(StatusCode::OK, &body)
    }
}

/// Returns the token of a request without validating it.
fn token(request: &SimRequest) -> Result<&str, ApiError> {
    let (scheme, token) =
        request.header("authorization").and_then(|value| value.split_once(' ')).ok_or(ApiError::NoToken)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(ApiError::NoToken);
    }
    Ok(token.trim())
}

/// The issued tokens.
pub(crate) struct TokenStore {
    seed: u64,
    issued: u64,
    lifetime: Duration,
    /// The scopes of tokens, separated by spaces.
    scope: String,
    /// The level of the user.
    level: String,
    /// The client and the expiry of each token.
    live: HashMap<String, (String, Instant)>,
}

impl TokenStore {
    pub(crate) fn new(seed: u64, lifetime: Duration, scope: String, level: String) -> Self {
        Self { seed, issued: 0, lifetime, scope, level, live: HashMap::new() }
    }

    /// Issues a token. Returns it, and the body of the response.
    pub(crate) fn issue(&mut self, client_id: &str) -> (String, Value) {
        self.issued += 1;
        let tenant = &mut rng::seeded(self.seed, 0x7E);
        let jti = rng::hex_id(&mut rng::seeded(self.seed ^ 0x117, self.issued));
        let mut body = json!({
            "token_type": "bearer",
            "expires_in": self.lifetime.as_secs(),
            "scope": self.scope,
            "tenant_id": rng::uuid(tenant),
            "pod": "sim01-useast1",
            "org": "sim",
            "identity_id": rng::hex_id(tenant),
            "user_name": "sim.admin",
            "strong_auth_supported": true,
            "strong_auth": true,
            "internal": false,
            "enabled": true,
            "user_id": rng::hex_id(tenant),
            "accessType": "OFFLINE",
            "jti": jti,
        });
        let token = rng::token(&json!({
            "tenant_id": body["tenant_id"],
            "org": body["org"],
            "user_name": body["user_name"],
            "authorities": [self.level],
            "client_id": client_id,
            "scope": self.scope.split(' ').collect::<Vec<_>>(),
            "exp": clock::now().timestamp().saturating_add_unsigned(self.lifetime.as_secs()),
            "jti": jti,
        }));
        if let Some(fields) = body.as_object_mut() {
            fields.insert("access_token".to_owned(), json!(token));
        }
        self.live.retain(|_, (_, ends)| Instant::now() < *ends);
        self.live.insert(token.clone(), (client_id.to_owned(), clock::after(self.lifetime)));
        (token, body)
    }

    /// Returns the client of a token, if it is valid.
    pub(crate) fn client(&self, token: &str) -> Option<&str> {
        let (client, ends) = self.live.get(token)?;
        (Instant::now() < *ends).then_some(client)
    }

    /// Revokes a token. Returns whether it was valid.
    pub(crate) fn revoke(&mut self, token: &str) -> bool {
        let valid = self.client(token).is_some();
        self.live.remove(token);
        valid
    }

    /// Revokes all tokens.
    pub(crate) fn revoke_all(&mut self) {
        self.live.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn token_expires_after_expires_in() {
        let mut tokens =
            TokenStore::new(1, Duration::from_secs(749), "sp:scopes:all".into(), "ORG_ADMIN".into());
        let (token, body) = tokens.issue("me");
        assert_eq!(body["expires_in"], 749);
        assert_eq!(body["access_token"], token);
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
