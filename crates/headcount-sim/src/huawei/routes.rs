//! The gateway in front of the service: which API is meant, and who is calling.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use http::Method;
use tokio::time::Instant;

use super::accounts::{Accounts, Tree};
use super::changes::Creation;
use super::keys::{Keys, Lockout};
use super::listing::Markers;
use super::refusal::Refusal;
use super::signature::Authorization;
use super::{Rules, signature};
use crate::exchange::{Incoming, Reply};
use crate::gate::{Vendor, lock};
use crate::request::Secrets;
use crate::seed::Answers;
use crate::world::World;
use crate::{clock, seed};

/// How far the caller's clock may be from the gateway's.
const MAX_SKEW: TimeDelta = TimeDelta::minutes(15);

pub(crate) struct Organization {
    pub(crate) world: Arc<Mutex<World>>,
    pub(crate) keys: Keys,
    pub(crate) rules: Rules,
    pub(crate) accounts: Accounts,
    pub(crate) tree: Tree,
    /// In the order they were asked for.
    pub(crate) creations: Mutex<Vec<Creation>>,
    /// When the closure of an account was asked for, by its id.
    pub(crate) closures: Mutex<BTreeMap<String, DateTime<Utc>>>,
    /// When accounts were invited.
    pub(crate) invitations: Mutex<Vec<Instant>>,
    /// The changes so far that got past the gateway.
    pub(crate) changes: Mutex<u64>,
    pub(crate) markers: Markers,
    pub(crate) lockout: Mutex<Lockout>,
    pub(crate) answers: Answers,
    pub(crate) seed: u64,
}

impl Vendor for Organization {
    fn is_list(&self, incoming: &Incoming) -> bool {
        Api::of(&incoming.method, incoming.route()) == Some(Api::ListAccounts)
    }

    fn world(&self, _: &Incoming) -> &Mutex<World> {
        &self.world
    }

    fn answer(&self, incoming: &Incoming) -> Reply {
        let (_, mut rng) = self.answers.next();
        let request_id = seed::hex_id(&mut rng);
        let reply = self.route(incoming).unwrap_or_else(|refusal| refusal.reply(&request_id));
        let date = clock::http_date(self.now(incoming));
        reply.with("x-request-id", &request_id).with("date", &date)
    }

    fn cursor(&self, _: &Incoming) -> Option<&'static str> {
        Some("marker")
    }

    fn has_empty_pages(&self, _: &Incoming) -> bool {
        true
    }

    fn place(&self, incoming: &Incoming, world: &World) -> usize {
        let place = incoming.value("marker").and_then(|text| self.markers.read(text));
        place.and_then(|place| place.after).map_or(0, |key| world.after(&key))
    }

    fn enums(&self) -> &'static [&'static str] {
        &["status", "join_method"]
    }

    fn rows_member(&self) -> Option<&'static str> {
        Some("accounts")
    }

    fn secrets(&self) -> Secrets {
        Secrets { headers: &["x-auth-token", "x-security-token"], members: &[] }
    }
}

impl Organization {
    fn route(&self, incoming: &Incoming) -> Result<Reply, Refusal> {
        if let Some(status) = incoming.tweak.refusal() {
            return Err(Refusal::Trouble(status));
        }
        let api = Api::of(&incoming.method, incoming.route()).ok_or(Refusal::NoSuchApi)?;
        self.authenticate(incoming)?;
        self.check_domain(incoming)?;
        self.authorise(api)?;
        match api {
            Api::ListAccounts => self.list(incoming),
            Api::ShowAccount(id) => self.show(incoming, id),
            Api::UpdateAccount(id) => self.update(incoming, id),
            Api::CreateAccount => self.create(incoming, true),
            Api::CreateResourceAccount => self.create(incoming, false),
            Api::CloseAccount(id) => self.close(id),
            Api::RemoveAccount(id) => self.remove(id),
            Api::MoveAccount(id) => self.move_account(incoming, id),
            Api::InviteAccount => self.invite(incoming),
            Api::ListCreations => self.list_creations(incoming),
            Api::ShowCreation(id) => self.show_creation(id),
            Api::ListClosures => self.list_closures(incoming),
            Api::ListEntities => self.list_entities(incoming),
            Api::ListDelegatedServices(id) => self.list_services(incoming, id),
        }
    }

    /// Whether the caller may do it, and whether it meets another change.
    fn authorise(&self, api: Api<'_>) -> Result<(), Refusal> {
        let rules = &self.rules;
        if api.changes() && (rules.not_management_account || rules.delegated_administrator) {
            return Err(Refusal::NotManagementAccount);
        }
        if rules.not_management_account {
            return Err(Refusal::NeitherManagementAccountNorDelegate);
        }
        if let Some(action) = api.action().filter(|action| rules.denied_actions.iter().any(|it| it == action))
        {
            return Err(Refusal::PolicyDenies(action));
        }
        if api.changes() {
            let mut changes = lock(&self.changes);
            *changes += 1;
            if *changes <= rules.conflicts {
                return Err(Refusal::ConcurrentModification);
            }
        }
        Ok(())
    }

    fn authenticate(&self, incoming: &Incoming) -> Result<(), Refusal> {
        let refuse = |detail: &str| Err(Refusal::Authentication(detail.to_owned()));
        let header = incoming.header("authorization");
        let Some(authorization) = header.and_then(Authorization::parse) else {
            return refuse("the Authorization header is missing or not of the form SDK-HMAC-SHA256");
        };
        if authorization.access != self.keys.ak {
            return refuse("Get secretKey failed,ak:******,err:ak not exist");
        }
        let mut lockout = lock(&self.lockout);
        if lockout.locked() {
            return refuse("AK access failed to reach the limit,forbidden.");
        }
        let verified = self.verify(incoming, &authorization);
        match verified {
            Ok(()) => lockout.succeeded(),
            Err(_) => lockout.failed(),
        }
        verified
    }

    fn verify(&self, incoming: &Incoming, authorization: &Authorization<'_>) -> Result<(), Refusal> {
        let refuse = |detail: String| Err(Refusal::Authentication(detail));
        if let Some(token) = &self.keys.security_token
            && incoming.header("x-security-token").map(str::trim) != Some(token)
        {
            return refuse("decrypt token fail".to_owned());
        }
        let text = incoming.header("x-sdk-date").unwrap_or("").trim();
        let Some(date) = signature::date(text) else {
            return refuse("calc ak sk signature fail:X-Sdk-Date is missing or malformed".to_owned());
        };
        let skew = self.now(incoming) - date;
        if skew.abs() > MAX_SKEW {
            return refuse("calc ak sk signature fail:signature expired".to_owned());
        }
        let signed = &authorization.signed_headers;
        let canonical = signature::canonical_request(incoming, signed);
        let Some(canonical) = canonical.filter(|_| signed.contains(&"x-sdk-date")) else {
            let names = signed.join(";");
            return refuse(format!("verify aksk signature fail,signedHeaders:{names}"));
        };
        if signature::sign(&self.keys.sk, text, &canonical).as_deref() != Some(authorization.signature) {
            // The gateway shows what it has hashed, with bars for the line ends.
            let shown = String::from_utf8_lossy(&canonical).replace('\n', "|");
            return refuse(format!("verify aksk signature fail,canonicalRequest:{shown}"));
        }
        Ok(())
    }

    /// What the clock says by which a request is judged.
    fn now(&self, incoming: &Incoming) -> DateTime<Utc> {
        let ahead = self.rules.clock_offset.checked_add(&incoming.tweak.clock_ahead());
        clock::now_ahead(ahead.unwrap_or_default())
    }

    fn check_domain(&self, incoming: &Incoming) -> Result<(), Refusal> {
        if !self.rules.require_domain_id {
            return Ok(());
        }
        match incoming.header("x-domain-id") {
            None => Err(Refusal::NoDomainId),
            Some(id) if id.trim() == self.keys.domain_id => Ok(()),
            Some(_) => Err(Refusal::Authentication("the domain id does not match the ak".to_owned())),
        }
    }
}

const ACCOUNTS: &str = "/v1/organizations/accounts";
const RESOURCE_ACCOUNTS: &str = "/v2/organizations/accounts";
const CREATIONS: &str = "/v1/organizations/create-account-status";
const CLOSURES: &str = "/v1/organizations/close-account-status";
const ENTITIES: &str = "/v1/organizations/entities";

/// An API, with the id in its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Api<'a> {
    ListAccounts,
    ShowAccount(&'a str),
    UpdateAccount(&'a str),
    CreateAccount,
    CreateResourceAccount,
    CloseAccount(&'a str),
    RemoveAccount(&'a str),
    MoveAccount(&'a str),
    InviteAccount,
    ListCreations,
    ShowCreation(&'a str),
    ListClosures,
    ListEntities,
    ListDelegatedServices(&'a str),
}

impl<'a> Api<'a> {
    /// The API that a request means, if there is one.
    pub(crate) fn of(method: &Method, route: &'a str) -> Option<Self> {
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
            return (get && !id.contains('/')).then_some(Self::ShowCreation(id));
        }
        match below(route, ACCOUNTS)?.split_once('/') {
            None if get => Some(Self::ShowAccount(below(route, ACCOUNTS)?)),
            None if post => (below(route, ACCOUNTS)? == "invite").then_some(Self::InviteAccount),
            None => (*method == Method::PATCH).then_some(Self::UpdateAccount(below(route, ACCOUNTS)?)),
            Some((id, "close")) if post => Some(Self::CloseAccount(id)),
            Some((id, "remove")) if post => Some(Self::RemoveAccount(id)),
            Some((id, "move")) if post => Some(Self::MoveAccount(id)),
            Some((id, "delegated-services")) if get => Some(Self::ListDelegatedServices(id)),
            Some(_) => None,
        }
    }

    /// The IAM action that a policy may deny; two APIs have none.
    pub(crate) fn action(self) -> Option<&'static str> {
        Some(match self {
            Self::ListAccounts => "organizations:accounts:list",
            Self::ShowAccount(_) => "organizations:accounts:get",
            Self::UpdateAccount(_) => "organizations:accounts:update",
            Self::CreateAccount => "organizations:accounts:create",
            Self::CreateResourceAccount | Self::CloseAccount(_) => return None,
            Self::RemoveAccount(_) => "organizations:accounts:remove",
            Self::MoveAccount(_) => "organizations:accounts:move",
            Self::InviteAccount => "organizations:accounts:invite",
            Self::ListCreations => "organizations:createAccountStatuses:list",
            Self::ShowCreation(_) => "organizations:createAccountStatuses:get",
            Self::ListClosures => "organizations:closeAccountStatuses:list",
            Self::ListEntities => "organizations:entities:list",
            Self::ListDelegatedServices(_) => "organizations:delegatedServices:list",
        })
    }

    /// Whether it changes something, and so is for the management account only.
    pub(crate) fn changes(self) -> bool {
        match self {
            Self::UpdateAccount(_)
            | Self::CreateAccount
            | Self::CreateResourceAccount
            | Self::CloseAccount(_)
            | Self::RemoveAccount(_)
            | Self::MoveAccount(_)
            | Self::InviteAccount => true,
            Self::ListAccounts
            | Self::ShowAccount(_)
            | Self::ListCreations
            | Self::ShowCreation(_)
            | Self::ListClosures
            | Self::ListEntities
            | Self::ListDelegatedServices(_) => false,
        }
    }
}

/// What stands in a route below a path.
fn below<'a>(route: &'a str, path: &str) -> Option<&'a str> {
    route.strip_prefix(path)?.strip_prefix('/').filter(|rest| !rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_route_and_method_means_one_api_or_none() {
        for (method, route, api) in [
            (Method::GET, "/v1/organizations/accounts", Some(Api::ListAccounts)),
            (Method::POST, "/v1/organizations/accounts", Some(Api::CreateAccount)),
            (Method::DELETE, "/v1/organizations/accounts", None),
            (Method::POST, "/v2/organizations/accounts", Some(Api::CreateResourceAccount)),
            (Method::GET, "/v2/organizations/accounts", None),
            (Method::GET, "/v1/organizations/accounts/a", Some(Api::ShowAccount("a"))),
            (Method::GET, "/v1/organizations/accounts/", None),
            (Method::PATCH, "/v1/organizations/accounts/a", Some(Api::UpdateAccount("a"))),
            (Method::POST, "/v1/organizations/accounts/a", None),
            (Method::POST, "/v1/organizations/accounts/invite", Some(Api::InviteAccount)),
            (Method::POST, "/v1/organizations/accounts/a/close", Some(Api::CloseAccount("a"))),
            (Method::GET, "/v1/organizations/accounts/a/close", None),
            (Method::POST, "/v1/organizations/accounts/a/close/b", None),
            (Method::GET, "/v1/organizations/create-account-status/a", Some(Api::ShowCreation("a"))),
            (Method::GET, "/v1/organizations/create-account-status/a/b", None),
            (Method::GET, "/v1/organizations/close-account-status/a", None),
        ] {
            assert_eq!(Api::of(&method, route), api, "{method} {route}");
        }
    }
}
