use headcount::huawei::{Client, InviteTarget};

use super::{Named, requests};

/// Every request that changes something, about this account.
pub(crate) fn changes(client: &Client, id: &str) -> Named {
    let target = InviteTarget::Name("somebody".into());
    requests![
        "create": client.create_account("new").email("new@example.com"),
        "create resource account": client.create_resource_account("newer"),
        "update": client.update_account(id).description("text"),
        "close": client.close_account(id),
        "move": client.move_account(id, "r-source", "ou-destination"),
        "remove": client.remove_account(id),
        "invite": client.invite_account(target, "notes"),
    ]
}

/// Every request that reads one thing.
pub(crate) fn reads(client: &Client, id: &str) -> Named {
    requests![
        "show": client.show_account(id),
        "show creation": client.show_create_account_status(id),
    ]
}
