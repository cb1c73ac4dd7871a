//! Fortanix Confidential Computing Manager: sessions, accounts with `previous_id` paging, and their user.

mod accounts;
mod changes;
mod listing;
mod refusal;
mod routes;
mod schema;
mod sessions;

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;

use crate::gate::lock;
use crate::seed;
use crate::server::Server;
use crate::settings::{Settings, shared_settings};
use crate::simulators::simulator;
use accounts::Accounts;
use routes::Manager;
use sessions::Sessions;

/// A simulated Fortanix Confidential Computing Manager.
///
/// Routes: `POST /v1/sys/auth` and `…/auth/discover`, `POST /v1/sys/session/refresh`, `…/terminate` and
/// `…/select_account/{id}`, `POST /v1/accounts/select_account/{id}`, `GET /v1/sys/version`, `GET` and `POST
/// /v1/accounts`, `GET`, `PATCH` and `DELETE /v1/accounts/{id}`, `GET` and `DELETE /v1/users/{id}/accounts`.
///
/// # Assumptions
///
/// - `scope=SYSTEM` and `scope=USER` (and none) list the same accounts: the user belongs to all of them.
/// - The default order is by `acct_id`, ascending; `sort_by` knows `acct_id`, `name` and `created_at`.
/// - A `previous_id` that is not there continues where it would stand; see [`FortanixUnknownId`] for what else
///   a server may do.
/// - There is one user, who may do everything in the accounts where the user's roles have `MANAGER`: changes
///   to other accounts are refused with 403.
/// - A body is checked by the reference's schemas; members that they do not name are passed over. An object of
///   which one member is meant must have exactly one. A logo must be a picture of a documented type, and may
///   be empty. What is malformed, a name that is taken and a configuration that is not there are refused
///   with 400, as is a body that is not `application/json`.
/// - `enabled` sets `account_status`.
/// - A user is removed from the selected account, and with none selected the request is refused with 403. The
///   account is then gone for the user, and so from the list.
/// - Discovery tells a password and one identity provider, or the ways of the account that is named; an
///   authorization code is good once. Both refuse an unknown one, with 404 and 401.
/// - Timestamps are Unix seconds. A refused token, of any kind, is 401.
/// - Refreshing extends the token up to the end of its session; an expired token cannot be refreshed.
pub struct Fortanix {
    server: Server,
    manager: Arc<Manager>,
}

impl Fortanix {
    /// The user's e-mail address.
    pub fn email(&self) -> &str {
        &self.manager.email
    }

    /// The user's password. It holds a colon, as passwords may.
    pub fn password(&self) -> &str {
        &self.manager.password
    }

    /// The user's id, the `subject_id` of every session.
    pub fn user_id(&self) -> String {
        lock(&self.manager.sessions).subject()
    }

    /// The identity provider's id, as discovery tells it.
    pub fn idp_id(&self) -> &str {
        &self.manager.idp_id
    }

    /// A new authorization code, as the identity provider gives one when the user has logged in there.
    pub fn oauth_code(&self) -> String {
        lock(&self.manager.sessions).issue_code()
    }

    /// A new session token, as if the user had logged in elsewhere.
    pub fn token(&self) -> String {
        lock(&self.manager.sessions).open().0
    }

    /// Ends every session: each token so far is refused with 401. New logins work.
    pub fn expire_sessions(&self) {
        lock(&self.manager.sessions).expire_all();
    }
}

simulator! {
    Fortanix, FortanixBuilder,
    name: "fortanix", id_field: "acct_id", page: listing::page,
    secrets: |this| {
        let login = STANDARD.encode(format!("{}:{}", this.email(), this.password()));
        vec![login, this.password().to_owned()]
    }
}

/// What a Fortanix server makes of `previous_id` and `limit`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FortanixPaging {
    /// A page starts after `previous_id`, as the same API documents it for its workflow runs.
    #[default]
    After,
    /// A page starts with `previous_id`, if it is still there.
    At,
    /// `limit` is honoured, `previous_id` is not: every page is the first one.
    IgnoresPreviousId,
    /// An old server: no query parameter is looked at, every answer holds everything.
    IgnoresAll,
}

/// What a Fortanix server answers to a `previous_id` that is not an account, such as one that was deleted. None of it
/// is documented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FortanixUnknownId {
    /// The page continues where the account would stand. Under an order other than by `acct_id` that place is
    /// unknown, and the request is refused with 400.
    #[default]
    Keyset,
    /// The request is refused with 400.
    BadRequest,
    /// The request is refused with 404.
    NotFound,
    /// The page is empty.
    Empty,
    /// The page is the first one.
    StartOver,
}

/// The header that a Fortanix server looks for a session token in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FortanixHeader {
    /// `Authorization: Bearer <token>`, as the vendor's own clients send it.
    Authorization,
    /// `Authentication: Bearer <token>` or `Authentication: <token>`, as the reference names the header; it
    /// does not say how the value is written.
    Authentication,
    /// Either of the two.
    #[default]
    Either,
}

/// How a Fortanix server writes the body of an error. None of it is documented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FortanixErrors {
    /// Plain text.
    #[default]
    Text,
    /// A JSON string.
    JsonString,
    /// A JSON object with `message` and `code`, as the audit log's events have them.
    Object,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) paging: FortanixPaging,
    pub(crate) unknown_id: FortanixUnknownId,
    pub(crate) header: FortanixHeader,
    pub(crate) errors: FortanixErrors,
    pub(crate) default_limit: usize,
    pub(crate) max_limit: usize,
    pub(crate) omit_empty_items: bool,
    pub(crate) created: StatusCode,
}

/// Builds a [`Fortanix`] server.
#[derive(Debug)]
#[must_use = "a server is not there until it is started"]
pub struct FortanixBuilder {
    settings: Settings,
    rules: Rules,
    session_lifetime: Duration,
    token_lifetime: Duration,
}

impl FortanixBuilder {
    shared_settings!(settings);

    /// How long a session lives after its login, refreshed or not. Default 24 hours (assumption).
    pub fn session_lifetime(mut self, lifetime: Duration) -> Self {
        self.session_lifetime = lifetime;
        self
    }

    /// How long a session token lives after its login or its last refresh. Default 10 minutes (assumption).
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.token_lifetime = lifetime;
        self
    }

    /// Which header the token is looked for in. Default either.
    pub fn token_header(mut self, header: FortanixHeader) -> Self {
        self.rules.header = header;
        self
    }

    /// What is made of `previous_id` and `limit`.
    pub fn paging(mut self, paging: FortanixPaging) -> Self {
        self.rules.paging = paging;
        self
    }

    /// What is answered to a `previous_id` that is not an account.
    pub fn unknown_id(mut self, unknown_id: FortanixUnknownId) -> Self {
        self.rules.unknown_id = unknown_id;
        self
    }

    /// How errors are written.
    pub fn errors(mut self, errors: FortanixErrors) -> Self {
        self.rules.errors = errors;
        self
    }

    /// The rows of a page when no `limit` is asked for. Default 1000, which the same API documents for its
    /// workflow runs.
    pub fn default_limit(mut self, rows: usize) -> Self {
        self.rules.default_limit = rows.max(1);
        self
    }

    /// The most rows a page ever holds; a greater `limit` is cut down without a word. Default none.
    pub fn max_limit(mut self, rows: usize) -> Self {
        self.rules.max_limit = rows.max(1);
        self
    }

    /// Whether an empty page leaves `items` out, which the schema allows. Default false: `{"items":[]}`.
    pub fn omit_empty_items(mut self, omit: bool) -> Self {
        self.rules.omit_empty_items = omit;
        self
    }

    /// Whether a new account is answered 201. Default false: 200, as documented.
    pub fn created_is_201(mut self, yes: bool) -> Self {
        self.rules.created = if yes { StatusCode::CREATED } else { StatusCode::OK };
        self
    }

    #[cfg(test)]
    pub(crate) fn rules(&self) -> Rules {
        self.rules
    }

    /// Starts the server.
    ///
    /// # Errors
    ///
    /// When the loopback interface gives no port to listen on.
    pub async fn start(self) -> io::Result<Fortanix> {
        let world = self.settings.world(Arc::new(Accounts::new(self.settings.seed)));
        let rng = &mut seed::rng(self.settings.seed, 0xF0);
        let manager = Arc::new(Manager {
            world: Arc::clone(&world),
            sessions: Mutex::new(Sessions::new(
                self.settings.seed,
                self.session_lifetime,
                self.token_lifetime,
            )),
            rules: self.rules,
            views: Mutex::default(),
            seed: self.settings.seed,
            email: format!("sim-{}@headcount.example", seed::word(rng, b"abcdefghjkmnpqrstuvwxyz", 6)),
            password: format!("p:{}", seed::hex_id(rng)),
            idp_id: STANDARD.encode(seed::bytes(rng)),
        });
        let server = Server::start(self.settings, world, manager.clone(), |base_url| {
            vec![
                ("FORTANIX_CCM_BASE_URL", base_url.to_owned()),
                ("FORTANIX_CCM_EMAIL", manager.email.clone()),
                ("FORTANIX_CCM_PASSWORD", manager.password.clone()),
            ]
        })
        .await?;
        Ok(Fortanix { server, manager })
    }
}

impl Default for FortanixBuilder {
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            rules: Rules {
                paging: FortanixPaging::default(),
                unknown_id: FortanixUnknownId::default(),
                header: FortanixHeader::default(),
                errors: FortanixErrors::default(),
                default_limit: 1000,
                max_limit: usize::MAX,
                omit_empty_items: false,
                created: StatusCode::OK,
            },
            session_lifetime: Duration::from_secs(24 * 60 * 60),
            token_lifetime: Duration::from_secs(10 * 60),
        }
    }
}
