use headcount::sailpoint::{AccountPath, Client};
use serde_json::{Map, Value, json};

use super::{Named, requests};

/// What requests are about.
#[derive(Clone, Debug)]
pub(crate) struct About {
    pub(crate) source: String,
    pub(crate) account: String,
    /// Another account, to be removed.
    pub(crate) other: String,
    /// Whose account it is.
    pub(crate) identity: String,
}

impl About {
    /// Of things that all have this id.
    pub(crate) fn all(id: &str) -> Self {
        Self { source: id.into(), account: id.into(), other: id.into(), identity: id.into() }
    }
}

pub(crate) fn attributes(value: &str) -> Map<String, Value> {
    json!({"password": value, "nested": [{"deep": value}]}).as_object().cloned().unwrap()
}

/// Every request that changes something, with this value for an attribute where one takes any.
pub(crate) fn changes(client: &Client, about: &About, value: &str) -> Named {
    let About { source, account, other, identity } = about;
    let password = || AccountPath::attribute("password");
    requests![
        "create": client.create_account(source).attribute("password", value),
        "update": client.update_account(account).add(password(), value).replace(password(), value),
        "put": client.put_account(account, attributes(value)),
        "reload": client.reload_account(account),
        "enable": client.enable_account(account),
        "disable": client.disable_account(account),
        "unlock": client.unlock_account(account),
        "enable one": client.enable_account_for_identity(identity),
        "disable one": client.disable_account_for_identity(identity),
        "enable many": client.enable_accounts_for_identities([identity]),
        "disable many": client.disable_accounts_for_identities([identity]),
        // Behind all others of the account, for it leaves nothing to change.
        "delete": client.delete_account(account),
        "remove": client.remove_account(other),
    ]
}
