//! Fortanix Confidential Computing Manager: sessions, accounts with `previous_id` paging, and users.

mod accounts;
mod api_error;
mod changes;
mod listing;
mod routes;
mod schema;
mod sessions;

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;

use crate::config::{SimConfig, config_methods};
use crate::pipeline::lock;
use crate::rng;
use crate::server::Server;
use crate::simulators::simulator;
use accounts::Accounts;
use routes::FortanixState;
use sessions::Sessions;

/// A simulated Fortanix Confidential Computing Manager.
///
/// Routes: `POST /v1/sys/auth` and `…/auth/discover`, `POST /v1/sys/session/refresh`, `…/terminate` and
/// `…/select_account/{id}`, `POST /v1/accounts/select_account/{id}`, `GET /v1/sys/version`, `GET` and `POST
/// /v1/accounts`, `GET`, `PATCH` and `DELETE /v1/accounts/{id}`, `GET` and `DELETE /v1/users/{id}/accounts`.
///
/// # Assumptions
///
/// - `scope=SYSTEM`, `scope=USER` and no scope list the same accounts, because the user belongs to all of
///   them.
/// - The default order is by `acct_id`, ascending. `sort_by` supports `acct_id`, `name` and `created_at`.
/// - An unknown `previous_id` continues at the position that it would have. [`FortanixUnknownId`] has other
///   plausible behaviours.
/// - There is one user, with all permissions in the accounts where the user's roles include `MANAGER`.
///   Changes to other accounts get 403.
/// - A body is validated against the schemas of the reference. Unknown members are ignored. An object with
///   alternative members must have exactly one. A logo must be an image of a documented type, and may be
///   empty. A malformed body, a duplicate name, an unknown configuration and a `Content-Type` other than
///   `application/json` get 400.
/// - `enabled` sets `account_status`.
/// - A user is removed from the selected account. If none is selected, the request gets 403. The account is
///   then no longer accessible to the user, and no longer listed.
/// - Discovery returns a password and one identity provider, or the methods of the given account. An unknown
///   account gets 404. An authorization code is valid once. An unknown code gets 401.
/// - Timestamps are Unix seconds. An invalid token of any kind gets 401.
/// - A refresh extends the token up to the end of its session. An expired token cannot be refreshed.
pub struct Fortanix {
    server: Server,
    state: Arc<FortanixState>,
}

impl Fortanix {
    /// Returns the user's email address.
    pub fn email(&self) -> &str {
        &self.state.email
    }

    /// Returns the user's password. It contains a colon.
    pub fn password(&self) -> &str {
        &self.state.password
    }

    /// Returns the user's id, the `subject_id` of every session.
    pub fn user_id(&self) -> String {
        lock(&self.state.sessions).subject()
    }

    /// Returns the identity provider's id, as in the discovery response.
    pub fn idp_id(&self) -> &str {
        &self.state.idp_id
    }

    /// Issues an authorization code, as the identity provider does after a login.
    ///
    /// It is accepted with [`idp_id`](Self::idp_id), and with the `idp_id` that discovery returns for an account with an
    /// OAuth configuration.
    pub fn oauth_code(&self) -> String {
        lock(&self.state.sessions).issue_code()
    }

    /// Issues a session token, as for a login by another client.
    pub fn token(&self) -> String {
        lock(&self.state.sessions).open().0
    }

    /// Expires every session. Their tokens get 401. New logins succeed.
    pub fn expire_sessions(&self) {
        lock(&self.state.sessions).expire_all();
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

/// How a Fortanix server interprets `previous_id` and `limit`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FortanixPaging {
    /// A page starts after `previous_id`, as the same API documents for its workflow runs.
    #[default]
    After,
    /// A page starts with `previous_id`, if it still exists.
    At,
    /// `limit` is honoured, but `previous_id` is ignored: every page is the first one.
    IgnoresPreviousId,
    /// An old server: all query parameters are ignored, and every response contains all accounts.
    IgnoresAll,
}

/// How a Fortanix server responds to an unknown `previous_id`, such as that of a deleted account. None of
/// these is documented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FortanixUnknownId {
    /// The page continues at the position that the account would have. In an order other than by `acct_id`,
    /// that position is unknown, and the request gets 400.
    #[default]
    Keyset,
    /// The request gets 400.
    BadRequest,
    /// The request gets 404.
    NotFound,
    /// The page is empty.
    Empty,
    /// The page is the first one.
    StartOver,
}

/// The header from which a Fortanix server reads the session token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FortanixHeader {
    /// `Authorization: Bearer <token>`, as the vendor's own clients send it.
    Authorization,
    /// `Authentication: Bearer <token>` or `Authentication: <token>`. The reference names this header, but
    /// does not document the format of its value.
    Authentication,
    /// Either of the two.
    #[default]
    Either,
}

/// The format of a Fortanix error body. None of these is documented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FortanixErrors {
    /// Plain text.
    #[default]
    Text,
    /// A JSON string.
    JsonString,
    /// A JSON object with `message` and `code`, as in audit log events.
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
#[must_use = "a builder does nothing until it is started"]
pub struct FortanixBuilder {
    config: SimConfig,
    rules: Rules,
    session_lifetime: Duration,
    token_lifetime: Duration,
}

impl FortanixBuilder {
    config_methods!(config);

    /// Sets the lifetime of a session, which a refresh does not extend. Default: 24 hours (assumption).
    pub fn session_lifetime(mut self, lifetime: Duration) -> Self {
        self.session_lifetime = lifetime;
        self
    }

    /// Sets the lifetime of a session token after its login or last refresh. Default: 10 minutes
    /// (assumption).
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.token_lifetime = lifetime;
        self
    }

    /// Sets the header from which the token is read. Default: either.
    pub fn token_header(mut self, header: FortanixHeader) -> Self {
        self.rules.header = header;
        self
    }

    /// Sets how `previous_id` and `limit` are interpreted.
    pub fn paging(mut self, paging: FortanixPaging) -> Self {
        self.rules.paging = paging;
        self
    }

    /// Sets the response to an unknown `previous_id`.
    pub fn unknown_id(mut self, unknown_id: FortanixUnknownId) -> Self {
        self.rules.unknown_id = unknown_id;
        self
    }

    /// Sets the format of error bodies.
    pub fn errors(mut self, errors: FortanixErrors) -> Self {
        self.rules.errors = errors;
        self
    }

    /// Sets the page size if the request has no `limit`. Default: 1000, which the same API documents for its
    /// workflow runs.
    pub fn default_limit(mut self, rows: usize) -> Self {
        self.rules.default_limit = rows.max(1);
        self
    }

    /// Sets the maximum page size. A greater `limit` is silently reduced. Default: none.
    pub fn max_limit(mut self, rows: usize) -> Self {
        self.rules.max_limit = rows.max(1);
        self
    }

    /// Sets whether an empty page omits `items`, which the schema allows. Default: false (`{"items":[]}`).
    pub fn omit_empty_items(mut self, omit: bool) -> Self {
        self.rules.omit_empty_items = omit;
        self
    }

    /// Sets whether creating an account responds 201. Default: false (200, as documented).
    pub fn created_is_201(mut self, enable: bool) -> Self {
        self.rules.created = if enable { StatusCode::CREATED } else { StatusCode::OK };
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
    /// Fails if no port can be bound on the loopback interface.
    pub async fn start(self) -> io::Result<Fortanix> {
        let world = self.config.world(Arc::new(Accounts::new(self.config.seed)));
        let rng = &mut rng::seeded(self.config.seed, 0xF0);
        let state = Arc::new(FortanixState {
            world: Arc::clone(&world),
            sessions: Mutex::new(Sessions::new(self.config.seed, self.session_lifetime, self.token_lifetime)),
            rules: self.rules,
            views: Mutex::default(),
            seed: self.config.seed,
            email: format!("sim-{}@headcount.example", rng::string(rng, b"abcdefghjkmnpqrstuvwxyz", 6)),
            password: format!("p:{}", rng::hex_id(rng)),
            idp_id: STANDARD.encode(rng::bytes(rng)),
        });
        let server = Server::start(self.config, world, state.clone(), |base_url| {
            vec![
                ("FORTANIX_CCM_BASE_URL", base_url.to_owned()),
                ("FORTANIX_CCM_EMAIL", state.email.clone()),
                ("FORTANIX_CCM_PASSWORD", state.password.clone()),
            ]
        })
        .await?;
        Ok(Fortanix { server, state })
    }
}

impl Default for FortanixBuilder {
    fn default() -> Self {
        Self {
            config: SimConfig::default(),
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
