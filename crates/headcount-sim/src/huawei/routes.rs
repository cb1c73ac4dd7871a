//! The API gateway: routing, authentication and authorization.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use http::Method;
use tokio::time::Instant;

use super::accounts::{Accounts, Tree};
use super::api_error::ApiError;
use super::changes::Creation;
use super::credentials::{Credentials, Lockout};
use super::listing::MarkerCodec;
use super::signature::Authorization;
use super::{Rules, signature};
use crate::message::{SimRequest, SimResponse};
use crate::pipeline::{ProviderSim, lock};
use crate::request_log::SecretFields;
use crate::rng::RequestCounter;
use crate::world::World;
use crate::{clock, rng};

/// The maximum difference between the clocks of the caller and of the gateway.
const MAX_SKEW: TimeDelta = TimeDelta::minutes(15);

pub(crate) struct HuaweiState {
    pub(crate) world: Arc<Mutex<World>>,
    pub(crate) credentials: Credentials,
    pub(crate) rules: Rules,
    pub(crate) accounts: Accounts,
    pub(crate) tree: Tree,
    /// In the order of their requests.
    pub(crate) creations: Mutex<Vec<Creation>>,
    /// When the closure of each account was requested, by account id.
    pub(crate) closures: Mutex<BTreeMap<String, DateTime<Utc>>>,
    /// When invitations were sent.
    pub(crate) invitations: Mutex<Vec<Instant>>,
    /// The number of authorized changes.
    pub(crate) changes: Mutex<u64>,
    pub(crate) markers: MarkerCodec,
    pub(crate) lockout: Mutex<Lockout>,
    pub(crate) request_counter: RequestCounter,
    pub(crate) seed: u64,
}

impl ProviderSim for HuaweiState {
    fn is_list(&self, request: &SimRequest) -> bool {
        Api::from_request(&request.method, request.route()) == Some(Api::ListAccounts)
    }

    fn world(&self, _: &SimRequest) -> &Mutex<World> {
        &self.world
    }

    fn respond(&self, request: &SimRequest) -> SimResponse {
        let (_, mut rng) = self.request_counter.next();
        let request_id = rng::hex_id(&mut rng);
        let response = self.route(request).unwrap_or_else(|error| error.response(&request_id));
        let date = clock::http_date(self.now(request));
        response.with("x-request-id", &request_id).with("date", &date)
    }

    fn cursor_parameter(&self, _: &SimRequest) -> Option<&'static str> {
        Some("marker")
    }

    fn has_empty_pages(&self, _: &SimRequest) -> bool {
        true
    }

    fn start_position(&self, request: &SimRequest, world: &World) -> usize {
        let position = request.value("marker").and_then(|text| self.markers.decode(text));
        position.and_then(|position| position.after).map_or(0, |key| world.upper_bound(&key))
    }

    fn enum_fields(&self) -> &'static [&'static str] {
        &["status", "join_method"]
    }

    fn rows_member(&self) -> Option<&'static str> {
        Some("accounts")
    }

    fn secret_fields(&self) -> SecretFields {
        SecretFields { headers: &["x-auth-token", "x-security-token"], members: &[] }
    }
}

impl HuaweiState {
    fn route(&self, request: &SimRequest) -> Result<SimResponse, ApiError> {
        if let Some(status) = request.overrides.forced_status() {
            return Err(ApiError::Injected(status));
        }
        let api = Api::from_request(&request.method, request.route()).ok_or(ApiError::NoSuchApi)?;
        self.authenticate(request)?;
        self.check_domain(request)?;
        self.authorize(api)?;
        match api {
            Api::ListAccounts => self.list(request),
            Api::GetAccount(id) => self.get(request, id),
            Api::UpdateAccount(id) => self.update(request, id),
            Api::CreateAccount => self.create(request, true),
            Api::CreateResourceAccount => self.create(request, false),
            Api::CloseAccount(id) => self.close(id),
            Api::RemoveAccount(id) => self.remove(id),
            Api::MoveAccount(id) => self.move_account(request, id),
            Api::InviteAccount => self.invite(request),
            Api::ListCreations => self.list_creations(request),
            Api::GetCreation(id) => self.get_creation(id),
            Api::ListClosures => self.list_closures(request),
            Api::ListEntities => self.list_entities(request),
            Api::ListDelegatedServices(id) => self.list_services(request, id),
        }
    }

    /// Checks that the caller is authorized, and rejects simulated concurrent changes.
    fn authorize(&self, api: Api<'_>) -> Result<(), ApiError> {
        let rules = &self.rules;
        if api.is_change() && (rules.not_management_account || rules.delegated_administrator) {
            return Err(ApiError::NotManagementAccount);
        }
        if rules.not_management_account {
            return Err(ApiError::NeitherManagementAccountNorDelegate);
        }
        if let Some(action) =
            api.action().filter(|action| rules.denied_actions.iter().any(|denied| denied == action))
        {
            return Err(ApiError::PolicyDenies(action));
        }
        if api.is_change() {
            let mut changes = lock(&self.changes);
            *changes += 1;
            if *changes <= rules.conflicts {
                return Err(ApiError::ConcurrentModification);
            }
        }
        Ok(())
    }

    fn authenticate(&self, request: &SimRequest) -> Result<(), ApiError> {
        let reject = |detail: &str| Err(ApiError::Authentication(detail.to_owned()));
        let header = request.header("authorization");
        let Some(authorization) = header.and_then(Authorization::parse) else {
            return reject("the Authorization header is missing or not of the form SDK-HMAC-SHA256");
        };
        if authorization.access != self.credentials.ak {
            return reject("Get secretKey failed,ak:******,err:ak not exist");
        }
        let mut lockout = lock(&self.lockout);
        if lockout.is_locked() {
            return reject("AK access failed to reach the limit,forbidden.");
        }
        let verified = self.verify(request, &authorization);
        match verified {
            Ok(()) => lockout.record_success(),
            Err(_) => lockout.record_failure(),
        }
        verified
    }

    fn verify(&self, request: &SimRequest, authorization: &Authorization<'_>) -> Result<(), ApiError> {
        let reject = |detail: String| Err(ApiError::Authentication(detail));
        if let Some(token) = &self.credentials.security_token
            && request.header("x-security-token").map(str::trim) != Some(token)
        {
            return reject("decrypt token fail".to_owned());
        }
        let text = request.header("x-sdk-date").unwrap_or("").trim();
        let Some(date) = signature::parse_date(text) else {
            return reject("calc ak sk signature fail:X-Sdk-Date is missing or malformed".to_owned());
        };
        let skew = self.now(request) - date;
        if skew.abs() > MAX_SKEW {
            return reject("calc ak sk signature fail:signature expired".to_owned());
        }
        let signed = &authorization.signed_headers;
        let canonical = signature::canonical_request(request, signed);
        let Some(canonical) = canonical.filter(|_| signed.contains(&"x-sdk-date")) else {
            let names = signed.join(";");
            return reject(format!("verify aksk signature fail,signedHeaders:{names}"));
        };
        if signature::sign(&self.credentials.sk, text, &canonical).as_deref() != Some(authorization.signature)
        {
            // The gateway includes the canonical request, with `|` for line breaks.
            let shown = String::from_utf8_lossy(&canonical).replace('\n', "|");
            return reject(format!("verify aksk signature fail,canonicalRequest:{shown}"));
        }
        Ok(())
    }

    /// Returns the time of the clock that validates a request.
    fn now(&self, request: &SimRequest) -> DateTime<Utc> {
        let offset = self.rules.clock_offset.checked_add(&request.overrides.clock_skew());
        clock::now_plus(offset.unwrap_or_default())
    }

    fn check_domain(&self, request: &SimRequest) -> Result<(), ApiError> {
        if !self.rules.require_domain_id {
            return Ok(());
        }
        match request.header("x-domain-id") {
            None => Err(ApiError::NoDomainId),
            Some(id) if id.trim() == self.credentials.domain_id => Ok(()),
            Some(_) => Err(ApiError::Authentication("the domain id does not match the ak".to_owned())),
        }
    }
}

const ACCOUNTS: &str = "/v1/organizations/accounts";
const RESOURCE_ACCOUNTS: &str = "/v2/organizations/accounts";
const CREATIONS: &str = "/v1/organizations/create-account-status";
const CLOSURES: &str = "/v1/organizations/close-account-status";
const ENTITIES: &str = "/v1/organizations/entities";

/// An API and the id in its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Api<'a> {
    ListAccounts,
    GetAccount(&'a str),
    UpdateAccount(&'a str),
    CreateAccount,
    CreateResourceAccount,
    CloseAccount(&'a str),
    RemoveAccount(&'a str),
    MoveAccount(&'a str),
    InviteAccount,
    ListCreations,
    GetCreation(&'a str),
    ListClosures,
    ListEntities,
    ListDelegatedServices(&'a str),
}

impl<'a> Api<'a> {
    /// Returns the API of a request, if there is one.
    pub(crate) fn from_request(method: &Method, route: &'a str) -> Option<Self> {
        let (get, post) = (*method == Method::GET, *method == Method::POST);
        match route {
            ACCOUNTS if get => return Some(Self::ListAccounts),
            ACCOUNTS if post => return Some(Self::CreateAccount),
            RESOURCE_ACCOUNTS if post => return Some(Self::CreateResourceAccount),
            CREATIONS if get => return Some(Self::ListCreations),
            CLOSURES if get => return Some(Self::ListClosures),
            ENTITIES if get => return Some(Self::ListEntities),
            _ => {}
        }
        if let Some(id) = below(route, CREATIONS) {
            return (get && !id.contains('/')).then_some(Self::GetCreation(id));
        }
        match below(route, ACCOUNTS)?.split_once('/') {
            None if get => Some(Self::GetAccount(below(route, ACCOUNTS)?)),
            None if post => (below(route, ACCOUNTS)? == "invite").then_some(Self::InviteAccount),
            None => (*method == Method::PATCH).then_some(Self::UpdateAccount(below(route, ACCOUNTS)?)),
            Some((id, "close")) if post => Some(Self::CloseAccount(id)),
            Some((id, "remove")) if post => Some(Self::RemoveAccount(id)),
            Some((id, "move")) if post => Some(Self::MoveAccount(id)),
            Some((id, "delegated-services")) if get => Some(Self::ListDelegatedServices(id)),
            Some(_) => None,
        }
    }

    /// Returns the IAM action that a policy can deny. Two APIs have none.
    pub(crate) fn action(self) -> Option<&'static str> {
        Some(match self {
            Self::ListAccounts => "organizations:accounts:list",
            Self::GetAccount(_) => "organizations:accounts:get",
            Self::UpdateAccount(_) => "organizations:accounts:update",
            Self::CreateAccount => "organizations:accounts:create",
            Self::CreateResourceAccount | Self::CloseAccount(_) => return None,
            Self::RemoveAccount(_) => "organizations:accounts:remove",
            Self::MoveAccount(_) => "organizations:accounts:move",
            Self::InviteAccount => "organizations:accounts:invite",
            Self::ListCreations => "organizations:createAccountStatuses:list",
            Self::GetCreation(_) => "organizations:createAccountStatuses:get",
            Self::ListClosures => "organizations:closeAccountStatuses:list",
            Self::ListEntities => "organizations:entities:list",
            Self::ListDelegatedServices(_) => "organizations:delegatedServices:list",
        })
    }

    /// Returns whether the API changes something, and so requires the management account.
    pub(crate) fn is_change(self) -> bool {
        match self {
            Self::UpdateAccount(_)
            | Self::CreateAccount
            | Self::CreateResourceAccount
            | Self::CloseAccount(_)
            | Self::RemoveAccount(_)
            | Self::MoveAccount(_)
            | Self::InviteAccount => true,
            Self::ListAccounts
            | Self::GetAccount(_)
            | Self::ListCreations
            | Self::GetCreation(_)
            | Self::ListClosures
            | Self::ListEntities
            | Self::ListDelegatedServices(_) => false,
        }
    }
}

/// Returns the part of a route below a path.
fn below<'a>(route: &'a str, path: &str) -> Option<&'a str> {
    route.strip_prefix(path)?.strip_prefix('/').filter(|rest| !rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_and_methods_map_to_apis() {
        for (method, route, api) in [
            (Method::GET, "/v1/organizations/accounts", Some(Api::ListAccounts)),
            (Method::POST, "/v1/organizations/accounts", Some(Api::CreateAccount)),
            (Method::DELETE, "/v1/organizations/accounts", None),
            (Method::POST, "/v2/organizations/accounts", Some(Api::CreateResourceAccount)),
            (Method::GET, "/v2/organizations/accounts", None),
            (Method::GET, "/v1/organizations/accounts/a", Some(Api::GetAccount("a"))),
            (Method::GET, "/v1/organizations/accounts/", None),
            (Method::PATCH, "/v1/organizations/accounts/a", Some(Api::UpdateAccount("a"))),
            (Method::POST, "/v1/organizations/accounts/a", None),
            (Method::POST, "/v1/organizations/accounts/invite", Some(Api::InviteAccount)),
            (Method::POST, "/v1/organizations/accounts/a/close", Some(Api::CloseAccount("a"))),
            (Method::GET, "/v1/organizations/accounts/a/close", None),
            (Method::POST, "/v1/organizations/accounts/a/close/b", None),
            (Method::GET, "/v1/organizations/create-account-status/a", Some(Api::GetCreation("a"))),
            (Method::GET, "/v1/organizations/create-account-status/a/b", None),
            (Method::GET, "/v1/organizations/close-account-status/a", None),
        ] {
            assert_eq!(Api::from_request(&method, route), api, "{method} {route}");
        }
    }
}
