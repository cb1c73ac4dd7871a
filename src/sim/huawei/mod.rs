//! Huawei Cloud Organizations: signed requests and `GET /v1/organizations/accounts` with `marker` paging.

mod accounts;
mod builder;
mod keys;
mod listing;
mod marker;
mod refusal;
mod routes;
mod signature;

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

pub use builder::{HuaweiBuilder, HuaweiLastMarker};

use super::key::Id;
use super::server::Server;
use routes::Organization;

/// A simulated Huawei Cloud Organizations service behind its API gateway.
///
/// Routes: `GET /v1/organizations/accounts` and `GET /v1/organizations/accounts/{id}`. Every request is
/// checked as the gateway does it: the signature `SDK-HMAC-SHA256` is computed anew from the bytes that
/// arrived.
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
/// - A missing `X-Domain-Id`, where one is required, is 404 with `Organizations.1010` ("required HTTP header
///   not found"); a wrong one is 401 with `APIGW.0301`.
pub struct Huawei {
    server: Server,
    organization: Arc<Organization>,
}

impl Huawei {
    /// A server yet to be started.
    pub fn builder() -> HuaweiBuilder {
        HuaweiBuilder::default()
    }

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

    /// The direct parent of an account, there or not: it follows from the id, for inserted records too.
    pub fn parent_of(&self, account: &str) -> String {
        self.organization.tree.parent_of(&Id::from_hex(account)).to_owned()
    }
}

impl Deref for Huawei {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl fmt::Debug for Huawei {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Huawei").field("base_url", &self.base_url()).finish_non_exhaustive()
    }
}
