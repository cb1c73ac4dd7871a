//! Fortanix Confidential Computing Manager: sessions and `GET /v1/accounts` with `previous_id` paging.

mod accounts;
mod builder;
mod create;
mod listing;
mod refusal;
mod routes;
mod sessions;

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

pub use builder::{FortanixBuilder, FortanixErrors, FortanixHeader, FortanixPaging};

use super::gate::lock;
use super::server::Server;
use routes::Manager;

/// A simulated Fortanix Confidential Computing Manager.
///
/// Routes: `POST /v1/sys/auth`, `POST /v1/sys/session/refresh`, `POST /v1/sys/session/terminate`,
/// `POST /v1/sys/session/select_account/{id}`, `GET /v1/sys/version`, `GET /v1/accounts`,
/// `POST /v1/accounts` and `GET /v1/accounts/{id}`.
///
/// # Assumptions
///
/// - `scope=SYSTEM` and `scope=USER` (and none) list the same accounts: the user belongs to all of them.
/// - The default order is by `acct_id`, ascending; `sort_by` knows `acct_id`, `name` and `created_at`.
/// - A `previous_id` that is not there continues where it would stand. Under an order other than by
///   `acct_id` that place is unknown, and the request is refused with 400.
/// - A new account whose name is taken, or whose request is malformed, is refused with 400.
/// - Timestamps are Unix seconds. A refused token, of any kind, is 401.
/// - Refreshing extends the token up to the end of its session; an expired token cannot be refreshed.
pub struct Fortanix {
    server: Server,
    manager: Arc<Manager>,
}

impl Fortanix {
    /// A server yet to be started.
    pub fn builder() -> FortanixBuilder {
        FortanixBuilder::default()
    }

    /// The user's e-mail address.
    pub fn email(&self) -> &str {
        &self.manager.email
    }

    /// The user's password. It holds a colon, as passwords may.
    pub fn password(&self) -> &str {
        &self.manager.password
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

impl Deref for Fortanix {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl fmt::Debug for Fortanix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fortanix").field("base_url", &self.base_url()).finish_non_exhaustive()
    }
}
