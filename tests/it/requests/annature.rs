use headcount::annature::Client;

use super::{Named, requests};

/// Every request that changes something, about this account, with this password where one takes any.
pub(crate) fn changes(client: &Client, id: &str, password: &str) -> Named {
    requests![
        "create": client.create_account("Ted", "ted@example.com").password(password),
        "register": client.register_account("Bill", "bill@example.com", "Acme").password(password),
        "update": client.update_account(id).name("Ted"),
        "resend verification": client.resend_verification(id),
        "deactivate": client.deactivate_account(id),
        "restore": client.restore_account(id),
    ]
}
