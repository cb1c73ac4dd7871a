//! The routes and the authentication of Fortanix.

use std::sync::{Arc, Mutex};

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::api_error::ApiError;
use super::sessions::Sessions;
use super::{FortanixHeader, FortanixPaging, Rules};
use crate::message::{SimRequest, SimResponse};
use crate::page::ViewCache;
use crate::pipeline::{ProviderSim, lock};
use crate::request_log::SecretFields;
use crate::world::World;

pub(crate) const LOGIN: &str = "/v1/sys/auth";
pub(crate) const ACCOUNTS: &str = "/v1/accounts";
const DISCOVER: &str = "/v1/sys/auth/discover";
const REFRESH: &str = "/v1/sys/session/refresh";
const TERMINATE: &str = "/v1/sys/session/terminate";
const SELECT: &str = "/v1/sys/session/select_account/";
/// The path that the vendor's own client uses to select an account. The reference no longer documents it.
const SELECT_LEGACY: &str = "/v1/accounts/select_account/";
const VERSION: &str = "/v1/sys/version";

pub(crate) struct FortanixState {
    pub(crate) world: Arc<Mutex<World>>,
    pub(crate) sessions: Mutex<Sessions>,
    pub(crate) rules: Rules,
    pub(crate) views: Mutex<ViewCache>,
    pub(crate) email: String,
    pub(crate) password: String,
    /// The id of the only identity provider, in base64.
    pub(crate) idp_id: String,
    pub(crate) seed: u64,
}

impl ProviderSim for FortanixState {
    fn is_list(&self, request: &SimRequest) -> bool {
        request.method == Method::GET && request.route() == ACCOUNTS
    }

    fn is_login(&self, request: &SimRequest) -> bool {
        request.route() == LOGIN
    }

    fn world(&self, _: &SimRequest) -> &Mutex<World> {
        &self.world
    }

    fn respond(&self, request: &SimRequest) -> SimResponse {
        self.route(request).unwrap_or_else(|error| error.response(self.rules.errors))
    }

    fn cursor_parameter(&self, _: &SimRequest) -> Option<&'static str> {
        let ignored = [FortanixPaging::IgnoresPreviousId, FortanixPaging::IgnoresAll];
        (!ignored.contains(&self.rules.paging)).then_some("previous_id")
    }

    fn start_position(&self, request: &SimRequest, world: &World) -> usize {
        let inclusive = self.rules.paging == FortanixPaging::At;
        request.value("previous_id").map_or(0, |id| super::listing::start(world, id, inclusive))
    }

    fn enum_fields(&self) -> &'static [&'static str] {
        &["roles", "status", "component", "account_status", "approval_state"]
    }

    fn rows_member(&self) -> Option<&'static str> {
        Some("items")
    }

    fn secret_fields(&self) -> SecretFields {
        SecretFields {
            headers: &["authentication"],
            members: &["client_key", "client_secret", "code", "password"],
        }
    }

    fn expire_token(&self, request: &SimRequest) -> bool {
        let token = self.token(request);
        token.is_ok_and(|token| lock(&self.sessions).expire(token))
    }
}

impl FortanixState {
    fn route(&self, request: &SimRequest) -> Result<SimResponse, ApiError> {
        if let Some(status) = request.overrides.forced_status() {
            return Err(ApiError::Injected(status));
        }
        let route = request.route();
        let require = |method: &Method, allowed: &'static str| {
            if request.method == *method { Ok(()) } else { Err(ApiError::WrongMethod(allowed)) }
        };
        if route == VERSION {
            require(&Method::GET, "GET")?;
            return Ok(SimResponse::json(StatusCode::OK, &json!({"version": "sim-4.37.2089"})));
        }
        if route == LOGIN {
            require(&Method::POST, "POST")?;
            return self.login(request);
        }
        if route == DISCOVER {
            require(&Method::POST, "POST")?;
            return self.discover(request);
        }
        if route == ACCOUNTS {
            if request.method != Method::POST {
                require(&Method::GET, "GET, POST")?;
            }
            self.token(request)?;
            return if request.method == Method::GET { self.list(request) } else { self.create(request) };
        }
        if let Some(id) = route.strip_prefix(SELECT_LEGACY) {
            require(&Method::POST, "POST")?;
            self.select(request, id)?;
            return Ok(SimResponse::empty(StatusCode::NO_CONTENT));
        }
        if let Some(id) = route.strip_prefix("/v1/accounts/") {
            return self.account_route(request, id);
        }
        if let Some(user) = route.strip_prefix("/v1/users/").and_then(|rest| rest.strip_suffix("/accounts")) {
            let token = self.token(request)?;
            return match request.method {
                Method::GET => self.user_accounts(user),
                Method::DELETE => self.leave_account(token, user),
                _ => Err(ApiError::WrongMethod("GET, DELETE")),
            };
        }
        self.session_route(request, &require)
    }

    fn session_route(
        &self,
        request: &SimRequest,
        require: &dyn Fn(&Method, &'static str) -> Result<(), ApiError>,
    ) -> Result<SimResponse, ApiError> {
        let route = request.route();
        if route == REFRESH {
            require(&Method::POST, "POST")?;
            let token = self.token(request)?;
            let info = lock(&self.sessions).refresh(token)?;
            return Ok(SimResponse::json(StatusCode::OK, &json!({"session_info": info})));
        }
        if route == TERMINATE {
            require(&Method::POST, "POST")?;
            let token = self.token(request)?;
            lock(&self.sessions).close(token);
            return Ok(SimResponse::empty(StatusCode::NO_CONTENT));
        }
        let id = route.strip_prefix(SELECT).ok_or(ApiError::NotFound)?;
        require(&Method::POST, "POST")?;
        let info = self.select(request, id)?;
        Ok(SimResponse::json(StatusCode::OK, &json!({"session_info": info})))
    }

    /// Selects an account for the session of a request. Returns the session's info.
    fn select(&self, request: &SimRequest, id: &str) -> Result<Value, ApiError> {
        let token = self.token(request)?;
        if !lock(&self.world).contains(id) {
            return Err(ApiError::NotFound);
        }
        lock(&self.sessions).select(token, id)
    }

    /// Returns the token of a request, if it is valid.
    fn token<'a>(&self, request: &'a SimRequest) -> Result<&'a str, ApiError> {
        let authorization = || request.header("authorization").and_then(|value| scheme(value, "bearer"));
        let authentication =
            || request.header("authentication").map(|value| scheme(value, "bearer").unwrap_or(value));
        let token = match self.rules.header {
            FortanixHeader::Authorization => authorization(),
            FortanixHeader::Authentication => authentication(),
            FortanixHeader::Either => authorization().or_else(authentication),
        };
        let token = token.ok_or(ApiError::NoToken)?;
        lock(&self.sessions).check(token)?;
        Ok(token)
    }

    fn account_route(&self, request: &SimRequest, id: &str) -> Result<SimResponse, ApiError> {
        self.token(request)?;
        match request.method {
            Method::GET => self.get(request, id),
            Method::PATCH => self.update(request, id),
            Method::DELETE => self.delete(id),
            _ => Err(ApiError::WrongMethod("GET, PATCH, DELETE")),
        }
    }

    fn get(&self, request: &SimRequest, id: &str) -> Result<SimResponse, ApiError> {
        let totals = match request.value("with_totals") {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => return Err(ApiError::BadQuery(format!("Invalid with_totals: {other}"))),
        };
        let mut record = lock(&self.world).record(id).ok_or(ApiError::NotFound)?;
        if totals && let Some(fields) = record.as_object_mut() {
            fields.insert("totals".to_owned(), json!({"datasets": 2, "final_workflows": 0, "nodes": 7}));
        }
        Ok(SimResponse::json(StatusCode::OK, &record))
    }
}

/// Returns the value after an authentication scheme, whose name is case-insensitive.
pub(crate) fn scheme<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let (scheme, rest) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case(name).then(|| rest.trim_start())
}
