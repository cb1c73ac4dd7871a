//! `SailPoint` Identity Security Cloud: bearer tokens, account listings with `offset` paging, and changes that are
//! made by tasks.

mod accounts;
mod api;
mod body;
mod builder;
mod changes;
mod entitlements;
mod field;
mod filter;
mod identities;
mod listing;
mod operation;
mod paging;
mod patch;
mod refusal;
mod routes;
mod sorters;
mod sources;
mod tasks;
mod tokens;

use std::sync::Arc;

pub use builder::{SailPointBuilder, SailPointPastEnd};

use serde_json::Value;

use super::gate::lock;
use super::server::Server;
use super::simulators::simulator;
use routes::Tenant;

/// A simulated `SailPoint` Identity Security Cloud tenant.
///
/// Routes: `POST /oauth/token`, `GET /oauth/info`, and all that the references of `/beta`, `/v3`, `/v2024`,
/// `/v2025`, `/v2026` and `/accounts/v1` have for accounts, each with the filters and sorters, the scopes, user
/// levels and experimental calls that its version documents.
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
/// - The order of an account's entitlements is not documented: here they are shuffled at each request, with the
///   same exception. Each shows the account's source as its own.
/// - A source of the type `DelimitedFile` is one whose accounts have the `connectionType` `file`.
/// - Tasks succeed, and nothing of them shows before they are done. What can be refused is refused at once, with
///   400 where no status is documented, and with 415 for a wrong media type. Members that no schema has are passed
///   over.
/// - The attribute `id` of an account to be made names one that is there, if that is its id or its native identity
///   on the source. Otherwise it becomes the native identity, as does `userName` or `sAMAccountName`.
/// - Of JSON Patch, what the reference shows is taken: `add`, `replace` and `remove` of the identity, the flag of
///   manual correlation and single attributes. `manuallyCorrelated` counts wherever it stands.
/// - `PUT` writes all attributes: those that are not given go.
/// - Whatever changes an account, its state included, sets its `modified` to the time at which it is made. Reading it
///   anew from its source does not, for nothing has changed there.
/// - There is an identity as long as an account is correlated to it. Its account with the provider itself is each
///   of its accounts that has `systemAccount`.
/// - Removing an unknown account is 404, which is documented for all others.
/// - An experimental call without its header is 400; that it is an error, and what it says, is documented.
/// - Refused requests do not count towards the rate limit, nor do requests without a good token.
/// - A token that was revoked, or never issued, is answered like an expired one.
/// - At the token endpoint, a body that is not said to be a form, URL-encoded or multipart, is not read.
/// - Wrong credentials at the token endpoint are 401 with `{"error": "invalid_client", …}`, a wrong request
///   is 400, both as `OAuth` has them.
pub struct SailPoint {
    server: Server,
    tenant: Arc<Tenant>,
}

impl SailPoint {
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

    /// What an account is entitled to, as full as the server would tell; nothing if there is no such account.
    pub fn entitlements_of(&self, account_id: &str) -> Vec<Value> {
        let account = self.world(|world| world.record(account_id));
        account.map_or_else(Vec::new, |account| self.tenant.entitlements_of(&account))
    }

    /// Puts other entitlements in the place of an account's, served exactly as they are. Filters do not see them.
    pub fn set_entitlements(&self, account_id: &str, entitlements: Vec<Value>) {
        lock(&self.tenant.entitlements).insert(account_id.to_owned(), entitlements);
    }

    /// The ids of the identities that accounts are correlated to, in order.
    pub fn identities(&self) -> Vec<String> {
        self.tenant.identities()
    }

    /// The ids of the tasks begun so far, in that order.
    pub fn tasks(&self) -> Vec<String> {
        lock(&self.tenant.tasks).ids()
    }
}

simulator! {
    SailPoint, SailPointBuilder,
    name: "sailpoint", id_field: "id", page: listing::page,
    secrets: |this| vec![this.client_secret().to_owned()]
}
