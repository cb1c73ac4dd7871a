//! Huawei Cloud Organizations: signed requests to its account endpoints, with `marker` paging.

mod accounts;
mod api;
mod body;
mod builder;
mod changes;
mod creations;
mod entities;
mod invitations;
mod keys;
mod listing;
mod marker;
mod paging;
mod refusal;
mod routes;
mod services;
mod signature;
#[cfg(test)]
mod signature_vectors;

use std::sync::Arc;

pub use builder::{HuaweiBuilder, HuaweiLastMarker, HuaweiSite};

use super::key::Id;
use super::server::Server;
use super::simulators::simulator;
use routes::Organization;

/// A simulated Huawei Cloud Organizations service behind its API gateway.
///
/// It has every account endpoint of the reference: those of `/v1/organizations/accounts` with what is below
/// it, `POST /v2/organizations/accounts`, `…/create-account-status`, `…/close-account-status` and
/// `…/entities`. Every request is checked as the gateway does it: the signature `SDK-HMAC-SHA256` is computed
/// anew from the bytes that arrived.
///
/// A creation is under way for [some looks](HuaweiBuilder::creation_looks) at its status; then the account is
/// in the world, under the root. A closed account is `pending_closure`, and stays so until a test says
/// otherwise: the list of closures tells of all accounts that are `pending_closure` or `suspended`.
///
/// # Assumptions
///
/// - The listing is in the order of the ids. A marker stands for a place in it, so it outlives the account
///   it was made from, and another `limit` or `parent_id` may be used with it.
/// - A parent that does not exist is 404 with `Organizations.1201`; any other bad parameter, an unknown
///   marker included, is 400 with `Organizations.1014`. Neither code is documented.
/// - Unknown routes and wrong methods are both 404 with `APIGW.0101`, whose text is "API or method does not
///   exist".
/// - Every failed authentication of a known key counts towards its lock, and any good one starts the count
///   again. The request that makes it six is still answered with its own error.
/// - A security token that comes with a permanent key is not looked at.
/// - Closing and moving are for the management account only, as all other changes are.
/// - A body that is no JSON object, or whose `Content-Type` is not `application/json`, is a bad parameter, as is
///   a known member of another type or length; members that no reference names are passed over. Names of new
///   accounts have 1 to 64 characters, names of agencies at most 64, descriptions 4096, e-mail addresses 1 to 255,
///   phone numbers 1 to 32. What has no body needs no `Content-Type`.
/// - An account that does not exist is 404 with `Organizations.1301`, a creation 404 with `.1304`; a quota that
///   is used up is 400 with `.1302`, and what can not be done to this account 400 with `.1303`. None of these
///   codes is documented. The quotas are: 5 creations and 3 closures under way, closures of a tenth of all
///   accounts (rounded up, at most 200), 20 invitations in 24 hours.
/// - A creation fails with `account_name_already_exists` if an account of the organization has the name.
/// - Closing a closed account is told as closing one that is being closed (`.1325`).
/// - An account that is in the organization can not be invited; an invitation is open for 14 days, and nobody
///   answers it.
/// - The services of an account that is no delegated administrator are an empty list.
/// - `child_id` may be an account; the parent of the root is an empty list.
/// - A missing `X-Domain-Id`, where one is required, is 404 with `Organizations.1010` ("required HTTP header
///   not found"); a wrong one is 401 with `APIGW.0301`.
pub struct Huawei {
    server: Server,
    organization: Arc<Organization>,
}

impl Huawei {
    /// The access key id.
    pub fn ak(&self) -> &str {
        &self.organization.keys.ak
    }

    /// The secret access key.
    pub fn sk(&self) -> &str {
        &self.organization.keys.sk
    }

    /// The security token that goes with the keys, if they are temporary.
    pub fn security_token(&self) -> Option<&str> {
        self.organization.keys.security_token.as_deref()
    }

    /// The id of the management account.
    pub fn domain_id(&self) -> &str {
        &self.organization.keys.domain_id
    }

    /// The ids that `parent_id` may take: the root first, then the organizational units.
    pub fn parents(&self) -> Vec<String> {
        self.organization.tree.parents().to_vec()
    }

    /// The services of which an account, there or not, is a delegated administrator: they follow from the id.
    pub fn delegated_services(&self, account: &str) -> Vec<&'static str> {
        services::of(&Id::from_hex(account))
    }

    /// The organization's id.
    pub fn organization_id(&self) -> &str {
        self.organization.accounts.organization()
    }

    /// The direct parent of an account, there or not: unless it was created or moved here, it follows from
    /// the id, for inserted records too.
    pub fn parent_of(&self, account: &str) -> String {
        self.organization.tree.parent_of(&Id::from_hex(account)).to_owned()
    }
}

simulator! {
    Huawei, HuaweiBuilder,
    name: "huawei", id_field: "id", page: listing::page,
    secrets: |this| {
        let keys = [Some(this.ak()), Some(this.sk()), this.security_token()];
        keys.into_iter().flatten().map(str::to_owned).collect()
    }
}
