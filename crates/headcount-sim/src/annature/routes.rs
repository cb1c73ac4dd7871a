//! The routes and the authentication of Annature.

use std::sync::{Arc, Mutex};

use http::{Method, StatusCode};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::api_error::ApiError;
use super::changes::Registry;
use super::{Rules, cursor};
use crate::message::{SimRequest, SimResponse};
use crate::pipeline::{ProviderSim, lock};
use crate::request_log::SecretFields;
use crate::rng;
use crate::rng::RequestCounter;
use crate::world::World;

const V1: &str = "/v1/accounts";
const V2: &str = "/v2/accounts";

pub(crate) struct AnnatureState {
    pub(crate) world: Arc<Mutex<World>>,
    /// The accounts of the organisations that the partner provisioned.
    pub(crate) partner_world: Mutex<World>,
    pub(crate) registry: Mutex<Registry>,
    pub(crate) rules: Rules,
    /// The caller's own organisation and its keys.
    pub(crate) organisation: String,
    pub(crate) id: String,
    pub(crate) key: String,
    pub(crate) partner_key: String,
    pub(crate) request_counter: RequestCounter,
    pub(crate) seed: u64,
}

/// The authenticated caller of a request.
#[derive(Debug)]
pub(crate) struct Caller {
    /// The id of a registered organisation. `None` for the server's own organisation.
    pub(crate) organisation: Option<String>,
    /// Whether the request has a partner key.
    pub(crate) partner: bool,
}

impl ProviderSim for AnnatureState {
    fn is_list(&self, request: &SimRequest) -> bool {
        request.method == Method::GET && matches!(request.route(), V1 | V2)
    }

    fn world(&self, request: &SimRequest) -> &Mutex<World> {
        let partner = request.headers.contains_key("x-annature-partner");
        let registered = || self.registered(request).is_some();
        if partner || registered() { &self.partner_world } else { &self.world }
    }

    fn respond(&self, request: &SimRequest) -> SimResponse {
        let (_, mut rng) = self.request_counter.next();
        let request_id = rng::uuid(&mut rng);
        let response = self.route(request).unwrap_or_else(|error| error.response(self.rules.errors));
        let digest = hex::encode(Sha256::digest(self.version(request)));
        let tag = format!("W/\"{}\"", digest.get(..32).unwrap_or_default());
        response
            .with("x-request-id", &request_id)
            .with("etag", &tag)
            .with("cache-control", "max-age=0, private, must-revalidate")
            .with("vary", "Origin")
    }

    fn cursor_parameter(&self, request: &SimRequest) -> Option<&'static str> {
        (request.route() == V2).then_some("cursor")
    }

    fn has_empty_pages(&self, request: &SimRequest) -> bool {
        request.route() == V2
    }

    fn start_position(&self, request: &SimRequest, world: &World) -> usize {
        let key = request.value("cursor").and_then(cursor::decode);
        key.map_or(0, |key| world.upper_bound(&key))
    }

    fn enum_fields(&self) -> &'static [&'static str] {
        &["role"]
    }

    fn rows_member(&self) -> Option<&'static str> {
        Some("accounts")
    }

    fn secret_fields(&self) -> SecretFields {
        SecretFields { headers: &["x-annature-key", "x-annature-partner"], members: &["password"] }
    }
}

impl AnnatureState {
    /// Returns a key that determines the response, to compute its `ETag` without hashing the body.
    fn version(&self, request: &SimRequest) -> String {
        let query = request.raw_query.as_deref().unwrap_or("");
        let revision = lock(self.world(request)).revision();
        let partner = request.headers.contains_key("x-annature-partner");
        format!("{} {} {query} {partner} {revision}", self.seed, request.path)
    }

    fn route(&self, request: &SimRequest) -> Result<SimResponse, ApiError> {
        if let Some(status) = request.overrides.forced_status() {
            return Err(ApiError::Injected(status));
        }
        let route = Route::parse(request.route()).ok_or(ApiError::NotFound)?;
        if !route.methods().contains(&request.method) {
            return Err(ApiError::WrongMethod(route.methods()));
        }
        let caller = self.authenticate(request)?;
        let get = request.method == Method::GET;
        match route {
            Route::All if get => Ok(self.all(&caller, request)),
            Route::All => self.create(&caller, request),
            Route::Pages => self.page(&caller, request),
            Route::Register => self.register(&caller, request),
            Route::One(id) if get => Ok(SimResponse::json(StatusCode::OK, &self.find(&caller, id)?)),
            Route::One(id) => self.change(&caller, id, request),
            Route::Verification(id) => self.verification(&caller, id),
            Route::Deactivate(id) => self.set_active(&caller, id, false),
            Route::Restore(id) => self.set_active(&caller, id, true),
        }
    }

    fn authenticate(&self, request: &SimRequest) -> Result<Caller, ApiError> {
        let is = |name: &str, value: &str| request.header(name) == Some(value);
        let own = is("x-annature-id", &self.id) && is("x-annature-key", &self.key);
        let organisation = self.registered(request);
        if !own && organisation.is_none() {
            return Err(ApiError::BadKeys);
        }
        let partner = request.headers.contains_key("x-annature-partner");
        if partner && !is("x-annature-partner", &self.partner_key) {
            return Err(ApiError::BadPartnerKey);
        }
        Ok(Caller { organisation, partner })
    }

    /// Returns the id of the registered organisation that a request's keys belong to.
    fn registered(&self, request: &SimRequest) -> Option<String> {
        let registry = lock(&self.registry);
        let registered = registry.by_key_id(request.header("x-annature-id")?)?;
        let valid = request.header("x-annature-key") == Some(&registered.key);
        valid.then(|| registered.organisation.clone())
    }

    /// Returns the accounts that a caller lists.
    pub(crate) fn listed_world(&self, caller: &Caller) -> &Mutex<World> {
        if caller.partner || caller.organisation.is_some() { &self.partner_world } else { &self.world }
    }

    /// Returns the account with this id, if it is visible to the caller.
    pub(crate) fn find(&self, caller: &Caller, id: &str) -> Result<Value, ApiError> {
        self.worlds(caller).find_map(|world| visible(&lock(world), caller, id)).ok_or(ApiError::NotFound)
    }

    /// Updates the account with this id, if it is visible to the caller.
    pub(crate) fn update(
        &self,
        caller: &Caller,
        id: &str,
        change: impl FnOnce(&mut Value),
    ) -> Result<(), ApiError> {
        for world in self.worlds(caller) {
            let world = &mut *lock(world);
            if visible(world, caller, id).is_some() {
                world.update_from_request(id, change);
                return Ok(());
            }
        }
        Err(ApiError::NotFound)
    }

    /// Returns the accounts in which a caller's ids are looked up, in order.
    fn worlds(&self, caller: &Caller) -> impl Iterator<Item = &Mutex<World>> {
        let provisioned = caller.partner || caller.organisation.is_some();
        let own = caller.organisation.is_none();
        let provisioned = provisioned.then_some(&self.partner_world);
        provisioned.into_iter().chain(own.then_some(&*self.world))
    }
}

/// Returns the account with this id, unless it belongs to an organisation other than the caller's.
fn visible(world: &World, caller: &Caller, id: &str) -> Option<Value> {
    let account = world.record(id)?;
    let organisation = caller.organisation.as_deref().filter(|_| !caller.partner);
    let owner = account.get("organisation_id").and_then(Value::as_str);
    organisation.is_none_or(|own| owner == Some(own)).then_some(account)
}

/// A parsed path.
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
    fn parse(path: &'a str) -> Option<Self> {
        if path == V2 {
            return Some(Self::Pages);
        }
        let mut parts = path.strip_prefix(V1)?.split('/');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(""), None, ..) => Some(Self::All),
            (Some(""), Some("register"), None, _) => Some(Self::Register),
            (Some(""), Some(id), None, _) if !id.is_empty() => Some(Self::One(id)),
            (Some(""), Some(id), Some(action), None) if !id.is_empty() => match action {
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
