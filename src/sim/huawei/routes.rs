//! The gateway in front of the service: which API is meant, and who is calling.

use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use http::{Method, StatusCode};
use serde_json::json;

use super::accounts::Tree;
use super::builder::Rules;
use super::keys::{Keys, Lockout};
use super::marker::Markers;
use super::refusal::Refusal;
use super::signature::{self, Authorization};
use crate::sim::exchange::{Incoming, Reply};
use crate::sim::gate::{Vendor, lock};
use crate::sim::world::World;
use crate::sim::{clock, seed};

const ACCOUNTS: &str = "/v1/organizations/accounts";
/// How far the caller's clock may be from the gateway's.
const MAX_SKEW: TimeDelta = TimeDelta::minutes(15);

pub(crate) struct Organization {
    pub(crate) world: Arc<Mutex<World>>,
    pub(crate) keys: Keys,
    pub(crate) rules: Rules,
    pub(crate) tree: Tree,
    pub(crate) markers: Markers,
    pub(crate) lockout: Mutex<Lockout>,
    pub(crate) answered: Mutex<u64>,
    pub(crate) seed: u64,
}

impl Vendor for Organization {
    fn is_list(&self, incoming: &Incoming) -> bool {
        incoming.method == Method::GET && incoming.route() == ACCOUNTS
    }

    fn world(&self, _: &Incoming) -> &Mutex<World> {
        &self.world
    }

    fn answer(&self, incoming: &Incoming) -> Reply {
        let number = {
            let mut answered = lock(&self.answered);
            *answered += 1;
            *answered
        };
        let request_id = seed::hex_id(&mut seed::rng(self.seed ^ 0x1D, number));
        let reply = self.route(incoming).unwrap_or_else(|refusal| refusal.reply(&request_id));
        let date = clock::http_date(self.now(incoming));
        reply.with("x-request-id", &request_id).with("date", &date)
    }

    fn cursor(&self, _: &Incoming) -> Option<&'static str> {
        Some("marker")
    }

    fn place(&self, incoming: &Incoming, world: &World) -> usize {
        let place = incoming.value("marker").and_then(|text| self.markers.read(text));
        place.and_then(|place| place.after).map_or(0, |key| world.after(&key))
    }

    fn enums(&self) -> &'static [&'static str] {
        &["status", "join_method"]
    }
}

impl Organization {
    fn route(&self, incoming: &Incoming) -> Result<Reply, Refusal> {
        if let Some(status) = incoming.tweak.refusal() {
            return Err(Refusal::Trouble(status));
        }
        let one = incoming.route().strip_prefix(ACCOUNTS).and_then(|rest| rest.strip_prefix('/'));
        let known = incoming.route() == ACCOUNTS || one.is_some_and(|id| !id.contains('/'));
        if !known || incoming.method != Method::GET {
            return Err(Refusal::NoSuchApi);
        }
        self.authenticate(incoming)?;
        self.check_domain(incoming)?;
        if self.rules.not_management_account {
            return Err(Refusal::NotManagementAccount);
        }
        match one {
            None => self.list(incoming),
            Some(id) => self.show(incoming, id),
        }
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

    fn show(&self, incoming: &Incoming, id: &str) -> Result<Reply, Refusal> {
        let contact = super::listing::flag(incoming, "with_register_contact_info")?;
        let record = lock(&self.world).record(id).ok_or(Refusal::NoSuchAccount)?;
        let record = super::listing::shape(record, contact);
        Ok(Reply::json(StatusCode::OK, &json!({"account": record})))
    }
}
