//! Every request that changes an account, for the tests of what holds of all.

use futures::future::BoxFuture;
use headcount::{
    Result,
    sailpoint::{AccountPath, Client},
    sim::{SailPoint, SailPointBuilder},
};
use serde_json::{Map, Value, json};

/// A request by name, and what came of it.
pub(super) type Outcome = (&'static str, BoxFuture<'static, Result<()>>);

pub(super) fn attributes(value: &str) -> Map<String, Value> {
    json!({"password": value, "nested": [{"deep": value}]}).as_object().cloned().unwrap()
}

/// Every request that changes something, about this account and this identity.
pub(super) fn changes(
    client: &Client,
    source: &str,
    account: &str,
    identity: &str,
    value: &str,
) -> Vec<Outcome> {
    macro_rules! outcome {
        ($name:literal, $request:expr) => {{
            let request = $request;
            ($name, Box::pin(async move { request.send().await.map(drop) }) as BoxFuture<'static, _>)
        }};
    }
    let path = AccountPath::attribute("password");
    vec![
        outcome!("create", client.create_account(source).attribute("password", value)),
        outcome!("update", client.update_account(account).add(path, value)),
        outcome!("put", client.put_account(account, attributes(value))),
        outcome!("reload", client.reload_account(account)),
        outcome!("enable", client.enable_account(account)),
        outcome!("disable", client.disable_account(account)),
        outcome!("unlock", client.unlock_account(account)),
        outcome!("enable one", client.enable_account_for_identity(identity)),
        outcome!("disable one", client.disable_account_for_identity(identity)),
        outcome!("enable many", client.enable_accounts_for_identities([identity])),
        outcome!("disable many", client.disable_accounts_for_identities([identity])),
        // The last two, for they leave nothing to change.
        outcome!("delete", client.delete_account(account)),
        outcome!("remove", client.remove_account(account)),
    ]
}

/// A tenant, and an account on a source of delimited files in it that has an identity.
pub(super) async fn start(builder: SailPointBuilder) -> (SailPoint, String, String, String) {
    let server = builder.accounts(60).rate_limit(None).start().await.unwrap();
    let records = server.records();
    let suits = |record: &&Value| record["connectionType"] == "file" && record["identityId"].is_string();
    let account = records.iter().find(suits).unwrap();
    let text = |name: &str| account[name].as_str().unwrap().to_owned();
    let found = (text("sourceId"), text("id"), text("identityId"));
    (server, found.0, found.1, found.2)
}
