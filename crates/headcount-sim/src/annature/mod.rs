//! Annature: `GET /v1/accounts`, all at once, `GET /v2/accounts` with `cursor` paging, and what makes and
//! changes accounts.

mod accounts;
mod builder;
mod changes;
mod cursor;
mod filters;
mod form;
mod ledger;
mod listing;
mod refusal;
mod routes;

use std::sync::Arc;

pub use builder::{AnnatureBuilder, AnnatureErrors, AnnatureLastCursor};

use super::gate::lock;
use super::server::Server;
use super::simulators::simulator;
use super::world::World;
use routes::Workspace;

/// A simulated Annature.
///
/// | route | |
/// |---|---|
/// | `GET /v1/accounts` | a bare array, newest first, at most 1,000 |
/// | `GET /v2/accounts` | pages |
/// | `POST /v1/accounts` | makes an account in the organisation of the keys |
/// | `POST /v1/accounts/register` | makes an organisation with an account; needs a partner key |
/// | `GET /v1/accounts/{id}` | one account |
/// | `PUT /v1/accounts/{id}` | changes what is in the body; a new address waits for [`confirm_email`](Self::confirm_email) |
/// | `POST /v1/accounts/{id}/verification` | only while `verified` is null |
/// | `POST /v1/accounts/{id}/deactivate`, `…/restore` | sets `active` |
///
/// There are two populations. The server's own ([`Server::ids`] and so on) is the caller's organisation. With
/// a good `X-Annature-Partner` the accounts of the organisations that the partner has provisioned are listed
/// instead, without the caller's own users; `before_list` is then given that world. The keys of a registered
/// organisation are good from then on, and find that organisation's accounts.
///
/// # Assumptions
///
/// - Wrong keys, a wrong partner key included, are 401. A bad cursor is 400, an unknown route 404.
/// - Ties of `created` are broken by `id`, ascending. Accounts without a readable `created` come last, and
///   no date filter finds them.
/// - A cursor stands for a place, so it outlives the account it was made from; it goes with any filters.
/// - Filters are case-sensitive. A filter without a value is ignored; `active` other than `true` or `false`,
///   or an unknown role, finds nothing.
/// - What makes an account answers with 201; the account is active, its role `administrator` if it is an
///   organisation's first, and what was not asked for null. `verification` and `deactivate` answer with 204,
///   as `restore` does.
/// - A body that is not said to be JSON is 415, one that is no JSON object 400, and a member of a wrong type,
///   null, empty, of another form or missing 422. Unknown members are passed over. Any password, and any
///   group's id, is taken.
/// - An address that an account of any organisation has, in any case, is 422, and so is verifying a verified
///   account. Registering without a partner key, and `skip_verification` of either value without one, are
///   403.
/// - With a partner key, an id is looked for in the provisioned organisations first, and then in one's own.
///   New accounts are made in one's own organisation all the same.
/// - Deactivating what is deactivated and restoring what is active does nothing, successfully. A deactivated
///   account can be changed.
pub struct Annature {
    server: Server,
    workspace: Arc<Workspace>,
}

impl Annature {
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

    /// The addresses that mails went to, in the order they were sent: to verify an account, or to confirm a
    /// changed address.
    pub fn mails(&self) -> Vec<String> {
        lock(&self.workspace.ledger).mails.clone()
    }

    /// Takes the changed address of an account into use, as the link in its mail does. False when there is
    /// none to confirm, or when another account has it by now.
    pub fn confirm_email(&self, id: &str) -> bool {
        self.workspace.confirm(id)
    }

    /// Looks at the accounts that the partner key lists, or changes them.
    pub fn partner_world<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut lock(&self.workspace.partner_world))
    }
}

simulator! {
    Annature, AnnatureBuilder,
    name: "annature", id_field: "id", page: listing::page,
    secrets: |this| vec![this.key().to_owned(), this.partner_key().to_owned()]
}
