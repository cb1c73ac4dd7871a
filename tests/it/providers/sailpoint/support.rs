//! A tenant for the tests of what holds of all requests for single accounts.

use headcount_sim::{SailPoint, SailPointBuilder};
use serde_json::Value;

use crate::requests::sailpoint::About;

/// A tenant, and an account on a source of delimited files in it that has an identity.
pub(in crate::providers) async fn start(builder: SailPointBuilder) -> (SailPoint, About) {
    let server = builder.accounts(60).rate_limit(None).start().await.unwrap();
    let records = server.records();
    let suits = |record: &&Value| record["connectionType"] == "file" && record["identityId"].is_string();
    let account = records.iter().find(suits).unwrap();
    let other = records.iter().find(|record| *record != account).unwrap();
    let text = |record: &Value, name: &str| record[name].as_str().unwrap().to_owned();
    let about = About {
        source: text(account, "sourceId"),
        account: text(account, "id"),
        other: text(other, "id"),
        identity: text(account, "identityId"),
    };
    (server, about)
}
