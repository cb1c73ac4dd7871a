//! Who may ask what of Annature.

use std::sync::{Arc, Mutex};

use http::{Method, StatusCode};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::changes::Ledger;
use super::refusal::Refusal;
use super::{Rules, cursor};
use crate::exchange::{Incoming, Reply};
use crate::gate::{Vendor, lock};
use crate::request::Secrets;
use crate::seed;
use crate::seed::Answers;
use crate::world::World;

const V1: &str = "/v1/accounts";
const V2: &str = "/v2/accounts";

pub(crate) struct Workspace {
    pub(crate) world: Arc<Mutex<World>>,
    /// The accounts of the organisations that the partner has provisioned.
    pub(crate) partner_world: Mutex<World>,
    pub(crate) ledger: Mutex<Ledger>,
    pub(crate) rules: Rules,
    /// The caller's own organisation, and its keys.
    pub(crate) organisation: String,
    pub(crate) id: String,
    pub(crate) key: String,
    pub(crate) partner_key: String,
    pub(crate) answers: Answers,
    pub(crate) seed: u64,
}

/// Whose keys a request has.
#[derive(Debug)]
pub(crate) struct Caller {
    /// The id of a registered organisation; `None` is the workspace's own.
    pub(crate) organisation: Option<String>,
    /// Whether there is a partner key too.
    pub(crate) partner: bool,
}

impl Vendor for Workspace {
    fn is_list(&self, incoming: &Incoming) -> bool {
        incoming.method == Method::GET && matches!(incoming.route(), V1 | V2)
    }

    fn world(&self, incoming: &Incoming) -> &Mutex<World> {
        let partner = incoming.headers.contains_key("x-annature-partner");
        let registered = || self.registered(incoming).is_some();
        if partner || registered() { &self.partner_world } else { &self.world }
    }

    fn answer(&self, incoming: &Incoming) -> Reply {
        let (_, mut rng) = self.answers.next();
        let request_id = seed::uuid(&mut rng);
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

    fn has_empty_pages(&self, incoming: &Incoming) -> bool {
        incoming.route() == V2
    }

    fn place(&self, incoming: &Incoming, world: &World) -> usize {
        let key = incoming.value("cursor").and_then(cursor::read);
        key.map_or(0, |key| world.after(&key))
    }

    fn enums(&self) -> &'static [&'static str] {
        &["role"]
    }

    fn rows_member(&self) -> Option<&'static str> {
        Some("accounts")
    }

    fn secrets(&self) -> Secrets {
        Secrets { headers: &["x-annature-key", "x-annature-partner"], members: &["password"] }
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
        let route = Route::new(incoming.route()).ok_or(Refusal::NotFound)?;
        if !route.methods().contains(&incoming.method) {
            return Err(Refusal::WrongMethod(route.methods()));
        }
        let caller = self.authenticate(incoming)?;
        let get = incoming.method == Method::GET;
        match route {
            Route::All if get => Ok(self.all(&caller, incoming)),
            Route::All => self.create(&caller, incoming),
            Route::Pages => self.page(&caller, incoming),
            Route::Register => self.register(&caller, incoming),
            Route::One(id) if get => Ok(Reply::json(StatusCode::OK, &self.find(&caller, id)?)),
            Route::One(id) => self.change(&caller, id, incoming),
            Route::Verification(id) => self.verification(&caller, id),
            Route::Deactivate(id) => self.activate(&caller, id, false),
            Route::Restore(id) => self.activate(&caller, id, true),
        }
    }

    fn authenticate(&self, incoming: &Incoming) -> Result<Caller, Refusal> {
        let is = |name: &str, value: &str| incoming.header(name) == Some(value);
        let own = is("x-annature-id", &self.id) && is("x-annature-key", &self.key);
        let organisation = self.registered(incoming);
        if !own && organisation.is_none() {
            return Err(Refusal::BadKeys);
        }
        let partner = incoming.headers.contains_key("x-annature-partner");
        if partner && !is("x-annature-partner", &self.partner_key) {
            return Err(Refusal::BadPartnerKey);
        }
        Ok(Caller { organisation, partner })
    }

    /// The registered organisation that a request's keys belong to.
    fn registered(&self, incoming: &Incoming) -> Option<String> {
        let ledger = lock(&self.ledger);
        let registered = ledger.keys(incoming.header("x-annature-id")?)?;
        let good = incoming.header("x-annature-key") == Some(&registered.key);
        good.then(|| registered.organisation.clone())
    }

    /// The world that a list shows a caller.
    pub(crate) fn world_of(&self, caller: &Caller) -> &Mutex<World> {
        if caller.partner || caller.organisation.is_some() { &self.partner_world } else { &self.world }
    }

    /// The account with this id, if the caller may see it.
    pub(crate) fn find(&self, caller: &Caller, id: &str) -> Result<Value, Refusal> {
        self.worlds(caller).find_map(|world| visible(&lock(world), caller, id)).ok_or(Refusal::NotFound)
    }

    /// Changes the account with this id, if the caller may see it.
    pub(crate) fn set(
        &self,
        caller: &Caller,
        id: &str,
        change: impl FnOnce(&mut Value),
    ) -> Result<(), Refusal> {
        for world in self.worlds(caller) {
            let world = &mut *lock(world);
            if visible(world, caller, id).is_some() {
                world.change(id, change);
                return Ok(());
            }
        }
        Err(Refusal::NotFound)
    }

    /// Where a caller's accounts are looked for, by id.
    fn worlds(&self, caller: &Caller) -> impl Iterator<Item = &Mutex<World>> {
        let provisioned = caller.partner || caller.organisation.is_some();
        let own = caller.organisation.is_none();
        let provisioned = provisioned.then_some(&self.partner_world);
        provisioned.into_iter().chain(own.then_some(&*self.world))
    }
}

/// The account with this id, unless it is another organisation's than that of the caller.
fn visible(world: &World, caller: &Caller, id: &str) -> Option<Value> {
    let account = world.record(id)?;
    let organisation = caller.organisation.as_deref().filter(|_| !caller.partner);
    let theirs = account.get("organisation_id").and_then(Value::as_str);
    organisation.is_none_or(|own| theirs == Some(own)).then_some(account)
}

/// What a path means.
enum Route<'a> {
    All,
    Pages,
    Register,
    One(&'a str),
    Verification(&'a str),
    Deactivate(&'a str),
    Restore(&'a str),
}

impl<'a> Route<'a> {
    fn new(path: &'a str) -> Option<Self> {
        if path == V2 {
            return Some(Self::Pages);
        }
        let mut parts = path.strip_prefix(V1)?.split('/');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(""), None, ..) => Some(Self::All),
            (Some(""), Some("register"), None, _) => Some(Self::Register),
            (Some(""), Some(id), None, _) if !id.is_empty() => Some(Self::One(id)),
            (Some(""), Some(id), Some(what), None) if !id.is_empty() => match what {
                "verification" => Some(Self::Verification(id)),
                "deactivate" => Some(Self::Deactivate(id)),
                "restore" => Some(Self::Restore(id)),
                _ => None,
            },
            _ => None,
        }
    }

    fn methods(&self) -> &'static [Method] {
        match self {
            Self::All => &[Method::GET, Method::POST],
            Self::One(_) => &[Method::GET, Method::PUT],
            Self::Pages => &[Method::GET],
            Self::Register | Self::Verification(_) | Self::Deactivate(_) | Self::Restore(_) => {
                &[Method::POST]
            }
        }
    }
}
