//! A tenant for the tests of what holds of all requests for single accounts.

use headcount_sim::{SailPoint, SailPointBuilder};

use crate::kit::sailpoint::{About, about};

/// A tenant, and an account on a source of delimited files in it that has an identity.
pub(in crate::providers) async fn start(builder: SailPointBuilder) -> (SailPoint, About) {
    let server = builder.accounts(60).rate_limit(None).start().await.unwrap();
    let about = about(&server);
    (server, about)
}
