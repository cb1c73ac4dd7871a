//! Who may ask what of a Fortanix server.

use std::sync::{Arc, Mutex};

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::refusal::Refusal;
use super::sessions::Sessions;
use super::{FortanixHeader, FortanixPaging, Rules};
use crate::exchange::{Incoming, Reply};
use crate::gate::{Vendor, lock};
use crate::page::Views;
use crate::request::Secrets;
use crate::world::World;

pub(crate) const LOGIN: &str = "/v1/sys/auth";
pub(crate) const ACCOUNTS: &str = "/v1/accounts";
const DISCOVER: &str = "/v1/sys/auth/discover";
const REFRESH: &str = "/v1/sys/session/refresh";
const TERMINATE: &str = "/v1/sys/session/terminate";
const SELECT: &str = "/v1/sys/session/select_account/";
/// The path by which the vendor's own client selects an account. The reference has lost it.
const SELECT_LEGACY: &str = "/v1/accounts/select_account/";
const VERSION: &str = "/v1/sys/version";

pub(crate) struct Manager {
    pub(crate) world: Arc<Mutex<World>>,
    pub(crate) sessions: Mutex<Sessions>,
    pub(crate) rules: Rules,
    pub(crate) views: Mutex<Views>,
    pub(crate) email: String,
    pub(crate) password: String,
    /// The one identity provider's id, in base64.
    pub(crate) idp_id: String,
    pub(crate) seed: u64,
}

impl Vendor for Manager {
    fn is_list(&self, incoming: &Incoming) -> bool {
        incoming.method == Method::GET && incoming.route() == ACCOUNTS
    }

    fn is_login(&self, incoming: &Incoming) -> bool {
        incoming.route() == LOGIN
    }

    fn world(&self, _: &Incoming) -> &Mutex<World> {
        &self.world
    }

    fn answer(&self, incoming: &Incoming) -> Reply {
        self.route(incoming).unwrap_or_else(|refusal| refusal.reply(self.rules.errors))
    }

    fn cursor(&self, _: &Incoming) -> Option<&'static str> {
        let ignored = [FortanixPaging::IgnoresPreviousId, FortanixPaging::IgnoresAll];
        (!ignored.contains(&self.rules.paging)).then_some("previous_id")
    }

    fn place(&self, incoming: &Incoming, world: &World) -> usize {
        let inclusive = self.rules.paging == FortanixPaging::At;
        incoming.value("previous_id").map_or(0, |id| super::listing::start(world, id, inclusive))
    }

    fn enums(&self) -> &'static [&'static str] {
        &["roles", "status", "component", "account_status", "approval_state"]
    }

    fn rows_member(&self) -> Option<&'static str> {
        Some("items")
    }

    fn secrets(&self) -> Secrets {
        Secrets {
            headers: &["authentication"],
            members: &["client_key", "client_secret", "code", "password"],
        }
    }

    fn expire(&self, incoming: &Incoming) -> bool {
        let token = self.token(incoming);
        token.is_ok_and(|token| lock(&self.sessions).expire(token))
    }
}

impl Manager {
    fn route(&self, incoming: &Incoming) -> Result<Reply, Refusal> {
        if let Some(status) = incoming.tweak.refusal() {
            return Err(Refusal::Trouble(status));
        }
        let route = incoming.route();
        let needs = |method: &Method, name: &'static str| {
            if incoming.method == *method { Ok(()) } else { Err(Refusal::WrongMethod(name)) }
        };
        if route == VERSION {
            needs(&Method::GET, "GET")?;
            return Ok(Reply::json(StatusCode::OK, &json!({"version": "sim-4.37.2089"})));
        }
        if route == LOGIN {
            needs(&Method::POST, "POST")?;
            return self.login(incoming);
        }
        if route == DISCOVER {
            needs(&Method::POST, "POST")?;
            return self.discover(incoming);
        }
        if route == ACCOUNTS {
            if incoming.method != Method::POST {
                needs(&Method::GET, "GET, POST")?;
            }
            self.token(incoming)?;
            return if incoming.method == Method::GET { self.list(incoming) } else { self.create(incoming) };
        }
        if let Some(id) = route.strip_prefix(SELECT_LEGACY) {
            needs(&Method::POST, "POST")?;
            self.select(incoming, id)?;
            return Ok(Reply::empty(StatusCode::NO_CONTENT));
        }
        if let Some(id) = route.strip_prefix("/v1/accounts/") {
            return self.account(incoming, id);
        }
        if let Some(user) = route.strip_prefix("/v1/users/").and_then(|rest| rest.strip_suffix("/accounts")) {
            let token = self.token(incoming)?;
            return match incoming.method {
                Method::GET => self.user_accounts(user),
                Method::DELETE => self.leave(token, user),
                _ => Err(Refusal::WrongMethod("GET, DELETE")),
            };
        }
        self.session(incoming, &needs)
    }

    fn session(
        &self,
        incoming: &Incoming,
        needs: &dyn Fn(&Method, &'static str) -> Result<(), Refusal>,
    ) -> Result<Reply, Refusal> {
        let route = incoming.route();
        if route == REFRESH {
            needs(&Method::POST, "POST")?;
            let token = self.token(incoming)?;
            let info = lock(&self.sessions).refresh(token)?;
            return Ok(Reply::json(StatusCode::OK, &json!({"session_info": info})));
        }
        if route == TERMINATE {
            needs(&Method::POST, "POST")?;
            let token = self.token(incoming)?;
            lock(&self.sessions).close(token);
            return Ok(Reply::empty(StatusCode::NO_CONTENT));
        }
        let id = route.strip_prefix(SELECT).ok_or(Refusal::NotFound)?;
        needs(&Method::POST, "POST")?;
        let info = self.select(incoming, id)?;
        Ok(Reply::json(StatusCode::OK, &json!({"session_info": info})))
    }

    /// Has the request's session work on an account; gives what is told of the session.
    fn select(&self, incoming: &Incoming, id: &str) -> Result<Value, Refusal> {
        let token = self.token(incoming)?;
        if !lock(&self.world).contains(id) {
            return Err(Refusal::NotFound);
        }
        lock(&self.sessions).select(token, id)
    }

    /// The token of a request, if it is good.
    fn token<'a>(&self, incoming: &'a Incoming) -> Result<&'a str, Refusal> {
        let authorization = || incoming.header("authorization").and_then(|value| scheme(value, "bearer"));
        let authentication =
            || incoming.header("authentication").map(|value| scheme(value, "bearer").unwrap_or(value));
        let token = match self.rules.header {
            FortanixHeader::Authorization => authorization(),
            FortanixHeader::Authentication => authentication(),
            FortanixHeader::Either => authorization().or_else(authentication),
        };
        let token = token.ok_or(Refusal::NoToken)?;
        lock(&self.sessions).check(token)?;
        Ok(token)
    }

    fn account(&self, incoming: &Incoming, id: &str) -> Result<Reply, Refusal> {
        self.token(incoming)?;
        match incoming.method {
            Method::GET => self.show(incoming, id),
            Method::PATCH => self.update(incoming, id),
            Method::DELETE => self.delete(id),
            _ => Err(Refusal::WrongMethod("GET, PATCH, DELETE")),
        }
    }

    fn show(&self, incoming: &Incoming, id: &str) -> Result<Reply, Refusal> {
        let totals = match incoming.value("with_totals") {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => return Err(Refusal::BadQuery(format!("Invalid with_totals: {other}"))),
        };
        let mut record = lock(&self.world).record(id).ok_or(Refusal::NotFound)?;
        if totals && let Some(fields) = record.as_object_mut() {
            fields.insert("totals".to_owned(), json!({"datasets": 2, "final_workflows": 0, "nodes": 7}));
        }
        Ok(Reply::json(StatusCode::OK, &record))
    }
}

/// What follows an authentication scheme, whose name is in any case.
pub(crate) fn scheme<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let (scheme, rest) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case(name).then(|| rest.trim_start())
}
