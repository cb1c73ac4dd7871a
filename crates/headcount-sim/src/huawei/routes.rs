//! The gateway in front of the service: which API is meant, and who is calling.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use super::accounts::{Accounts, Tree};
use super::api::Api;
use super::builder::Rules;
use super::creations::Creation;
use super::keys::{Keys, Lockout};
use super::marker::Markers;
use super::refusal::Refusal;
use super::signature::{self, Authorization};
use crate::clock;
use crate::exchange::{Incoming, Reply};
use crate::gate::{Vendor, lock};
use crate::request::Secrets;
use crate::seed::{self, Answers};
use crate::world::World;

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
