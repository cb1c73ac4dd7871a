//! Annature: `GET /v1/accounts`, all at once, and `GET /v2/accounts` with `cursor` paging.

mod accounts;
mod builder;
mod cursor;
mod filters;
mod listing;
mod refusal;
mod routes;

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

pub use builder::{AnnatureBuilder, AnnatureErrors, AnnatureLastCursor};

use super::gate::lock;
use super::server::Server;
use super::world::World;
use routes::Workspace;

/// A simulated Annature.
///
/// Routes: `GET /v1/accounts` (a bare array, newest first, at most 1,000), `GET /v2/accounts` (pages) and
/// `GET /v1/accounts/{id}`.
///
/// There are two populations. The server's own ([`Server::ids`] and so on) is the caller's organisation. With
/// a good `X-Annature-Partner` the accounts of the organisations that the partner has provisioned are listed
/// instead, without the caller's own users; `before_list` is then given that world.
///
/// # Assumptions
///
/// - Wrong keys, a wrong partner key included, are 401. A bad cursor is 400, an unknown route 404.
/// - Ties of `created` are broken by `id`, ascending. Accounts without a readable `created` come last, and
///   no date filter finds them.
/// - A cursor stands for a place, so it outlives the account it was made from; it goes with any filters.
/// - Filters are case-sensitive. A filter without a value is ignored; `active` other than `true` or `false`,
///   or an unknown role, finds nothing.
pub struct Annature {
    server: Server,
    workspace: Arc<Workspace>,
}

impl Annature {
    /// A server yet to be started.
    pub fn builder() -> AnnatureBuilder {
        AnnatureBuilder::default()
    }

    /// The public key, for `X-Annature-Id`.
    pub fn id(&self) -> &str {
        &self.workspace.id
    }

    /// The private key, for `X-Annature-Key`.
    pub fn key(&self) -> &str {
        &self.workspace.key
    }

    /// The partner key, for `X-Annature-Partner`.
    pub fn partner_key(&self) -> &str {
        &self.workspace.partner_key
    }

    /// The ids of the accounts that the partner key lists now, newest first.
    pub fn partner_ids(&self) -> Vec<String> {
        self.partner_world(|world| world.ids())
    }

    /// Looks at the accounts that the partner key lists, or changes them.
    pub fn partner_world<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut lock(&self.workspace.partner_world))
    }
}

impl Deref for Annature {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl fmt::Debug for Annature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Annature").field("base_url", &self.base_url()).finish_non_exhaustive()
    }
}
