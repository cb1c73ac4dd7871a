//! A tenant for the tests of requests for single accounts.

use headcount_sim::{SailPoint, SailPointBuilder};

use crate::kit::sailpoint::{RequestIds, request_ids};

/// Starts a tenant and returns the ids of an account on a source of delimited files that has an identity.
pub(in crate::providers) async fn start(builder: SailPointBuilder) -> (SailPoint, RequestIds) {
    let server = builder.accounts(60).rate_limit(None).start().await.unwrap();
    let ids = request_ids(&server);
    (server, ids)
}
