//! How a Fortanix server behaves.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;

use super::Fortanix;
use super::accounts::Accounts;
use super::routes::Manager;
use super::sessions::Sessions;
use crate::seed;
use crate::server::Server;
use crate::settings::{Settings, shared_settings};

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
