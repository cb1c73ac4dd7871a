//! `SailPoint` Identity Security Cloud: bearer tokens, and account listings with `offset` paging.

mod accounts;
mod api;
mod builder;
mod field;
mod filter;
mod listing;
mod rate;
mod refusal;
mod routes;
mod sorters;
mod sources;
mod tokens;

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

pub use builder::{SailPointBuilder, SailPointPastEnd};

use super::gate::lock;
use super::server::Server;
use routes::Tenant;

/// A simulated `SailPoint` Identity Security Cloud tenant.
///
/// Routes: `POST /oauth/token`, `GET /oauth/info`, and the account listing at `/beta/accounts`,
/// `/v3/accounts`, `/v2024/accounts`, `/v2025/accounts`, `/v2026/accounts` and `/accounts/v1`, each with the
/// filters and sorters that its version documents.
///
/// # Assumptions
///
/// - Without `sorters` the order is not documented: here it is another one at each request (the order by id,
///   begun at a random place), unless [`SailPointBuilder::stable_order`] says otherwise.
/// - With `sorters` that leave ties, the ties' order is not documented: here it alternates between ascending
///   and descending ids, with the same exception.
/// - Null sorts first. No comparison finds a null, `not` of it does; `isnull` finds nulls and absent fields.
/// - Text compares without regard to case, in filters and in sorters.
/// - In filters, text must be in double quotes; booleans and dates must not be.
/// - `source.*`, `identity.*` and `recommendation.*` mean the fields of the record that show them
///   (`sourceName`, `connectionType`, …); `identity.correlated` is the opposite of `uncorrelated`;
///   `entitlements` compares with the ids that [`SailPoint::entitlements`] gives.
/// - Refused requests do not count towards the rate limit, nor do requests without a good token.
/// - A token that was revoked, or never issued, is answered like an expired one.
/// - Wrong credentials at the token endpoint are 401 with `{"error": "invalid_client", …}`, a wrong request
///   is 400, both as `OAuth` has them.
pub struct SailPoint {
    server: Server,
    tenant: Arc<Tenant>,
}

impl SailPoint {
    /// A server yet to be started.
    pub fn builder() -> SailPointBuilder {
        SailPointBuilder::default()
    }

    /// The id of the personal access token or API client.
    pub fn client_id(&self) -> &str {
        &self.tenant.client_id
    }

    /// The secret of the personal access token or API client.
    pub fn client_secret(&self) -> &str {
        &self.tenant.client_secret
    }

    /// A new access token, as if it had been asked for.
    pub fn token(&self) -> String {
        lock(&self.tenant.tokens).issue(&self.tenant.client_id).0
    }

    /// Refuses every token issued so far. New ones can be had.
    pub fn revoke_tokens(&self) {
        lock(&self.tenant.tokens).revoke_all();
    }

    /// The sources that generated accounts belong to: their ids.
    pub fn sources(&self) -> Vec<String> {
        self.tenant.sources.ids()
    }

    /// The ids of the entitlements that accounts can have, for the filter `entitlements eq "…"`.
    pub fn entitlements(&self) -> Vec<String> {
        self.tenant.sources.entitlements().to_vec()
    }
}

impl Deref for SailPoint {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl fmt::Debug for SailPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SailPoint").field("base_url", &self.base_url()).finish_non_exhaustive()
    }
}
