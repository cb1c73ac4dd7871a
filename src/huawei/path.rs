//! Where the endpoints stand below the base URL.

use http::{HeaderValue, Method, header};

use crate::{
    Result,
    http::{Call, segment},
};

pub(super) const ACCOUNTS: &str = "/v1/organizations/accounts";
/// Accounts without contact information of their own.
pub(super) const RESOURCE_ACCOUNTS: &str = "/v2/organizations/accounts";
pub(super) const INVITE: &str = "/v1/organizations/accounts/invite";
pub(super) const CREATIONS: &str = "/v1/organizations/create-account-status";
pub(super) const CLOSURES: &str = "/v1/organizations/close-account-status";
pub(super) const ENTITIES: &str = "/v1/organizations/entities";

/// The path of an account, or of what is `below` it, such as `/close`.
pub(super) fn account(id: &str, below: &str) -> Result<String> {
    Ok(format!("{ACCOUNTS}/{}{below}", segment("account id", id)?))
}

/// The path of the status of a creation.
pub(super) fn creation(id: &str) -> Result<String> {
    Ok(format!("{CREATIONS}/{}", segment("create account status id", id)?))
}

/// A change without a body. The reference wants a `Content-Type` of every request, and the vendor's clients
/// send it with empty bodies too.
pub(super) fn post(path: String) -> Call {
    let json = HeaderValue::from_static("application/json");
    Call::change(Method::POST, path).header(header::CONTENT_TYPE, json)
}
