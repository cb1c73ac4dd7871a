//! Fortanix Confidential Computing Manager: sessions, accounts with `previous_id` paging, and their user.

mod accounts;
mod builder;
mod changes;
mod listing;
mod refusal;
mod routes;
mod schema;
mod sessions;

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::gate::lock;
use crate::server::Server;
use crate::simulators::simulator;
use routes::Manager;

pub use builder::{FortanixBuilder, FortanixErrors, FortanixHeader, FortanixPaging, FortanixUnknownId};

/// A simulated Fortanix Confidential Computing Manager.
///
/// Routes: `POST /v1/sys/auth` and `…/auth/discover`, `POST /v1/sys/session/refresh`, `…/terminate` and
/// `…/select_account/{id}`, `POST /v1/accounts/select_account/{id}`, `GET /v1/sys/version`, `GET` and `POST /v1/accounts`, `GET`, `PATCH` and `DELETE
/// /v1/accounts/{id}`, `GET` and `DELETE /v1/users/{id}/accounts`.
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
