//! Who may ask what of Annature.

use std::sync::{Arc, Mutex};

use http::{Method, StatusCode};
use sha2::{Digest, Sha256};

use super::builder::Rules;
use super::cursor;
use super::refusal::Refusal;
use crate::sim::exchange::{Incoming, Reply};
use crate::sim::gate::{Vendor, lock};
use crate::sim::seed;
use crate::sim::world::World;

const V1: &str = "/v1/accounts";
const V2: &str = "/v2/accounts";

pub(crate) struct Workspace {
    pub(crate) world: Arc<Mutex<World>>,
    pub(crate) partner_world: Mutex<World>,
    pub(crate) rules: Rules,
    pub(crate) id: String,
    pub(crate) key: String,
    pub(crate) partner_key: String,
    pub(crate) answered: Mutex<u64>,
    pub(crate) seed: u64,
}

impl Vendor for Workspace {
    fn is_list(&self, incoming: &Incoming) -> bool {
        incoming.method == Method::GET && matches!(incoming.route(), V1 | V2)
    }

    fn world(&self, incoming: &Incoming) -> &Mutex<World> {
        if incoming.headers.contains_key("x-annature-partner") { &self.partner_world } else { &self.world }
    }

    fn answer(&self, incoming: &Incoming) -> Reply {
        let number = {
            let mut answered = lock(&self.answered);
            *answered += 1;
            *answered
        };
        let request_id = seed::uuid(&mut seed::rng(self.seed ^ 0x1D, number));
        let reply = self.route(incoming).unwrap_or_else(|refusal| refusal.reply(self.rules.errors));
        let digest = hex::encode(Sha256::digest(self.version(incoming)));
        let tag = format!("W/\"{}\"", digest.get(..32).unwrap_or_default());
        reply
            .with("x-request-id", &request_id)
            .with("etag", &tag)
            .with("cache-control", "max-age=0, private, must-revalidate")
            .with("vary", "Origin")
    }

    fn cursor(&self, incoming: &Incoming) -> Option<&'static str> {
        (incoming.route() == V2).then_some("cursor")
    }

    fn place(&self, incoming: &Incoming, world: &World) -> usize {
        let key = incoming.value("cursor").and_then(cursor::read);
        key.map_or(0, |key| world.after(&key))
    }

    fn enums(&self) -> &'static [&'static str] {
        &["role"]
    }
}

impl Workspace {
    /// What an answer follows from, so that it need not be digested itself.
    fn version(&self, incoming: &Incoming) -> String {
        let query = incoming.raw_query.as_deref().unwrap_or("");
        let revision = lock(self.world(incoming)).revision();
        let partner = incoming.headers.contains_key("x-annature-partner");
        format!("{} {} {query} {partner} {revision}", self.seed, incoming.path)
    }

    fn route(&self, incoming: &Incoming) -> Result<Reply, Refusal> {
        if let Some(status) = incoming.tweak.refusal() {
            return Err(Refusal::Trouble(status));
        }
        let route = incoming.route();
        let one = route.strip_prefix(V1).and_then(|rest| rest.strip_prefix('/'));
        let one = one.filter(|id| !id.is_empty() && !id.contains('/'));
        if !matches!(route, V1 | V2) && one.is_none() {
            return Err(Refusal::NotFound);
        }
        if incoming.method != Method::GET {
            return Err(Refusal::WrongMethod);
        }
        self.authenticate(incoming)?;
        let world = lock(self.world(incoming));
        match one {
            Some(id) => {
                let record = world.record(id).ok_or(Refusal::NotFound)?;
                Ok(Reply::json(StatusCode::OK, &record))
            }
            None if route == V1 => Ok(self.all(&world, incoming)),
            None => self.page(&world, incoming),
        }
    }

    fn authenticate(&self, incoming: &Incoming) -> Result<(), Refusal> {
        let is = |name: &str, value: &str| incoming.header(name) == Some(value);
        if !is("x-annature-id", &self.id) || !is("x-annature-key", &self.key) {
            return Err(Refusal::BadKeys);
        }
        let partner = incoming.headers.contains_key("x-annature-partner");
        if partner && !is("x-annature-partner", &self.partner_key) {
            return Err(Refusal::BadPartnerKey);
        }
        Ok(())
    }
}
