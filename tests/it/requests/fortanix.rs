use headcount::fortanix::{AuthConfigOauth, CaSet, Client, IdentityProvider, TlsConfigRequired};
use uuid::Uuid;

use super::{Named, requests};

/// A way to log in that has these secrets.
pub(crate) fn oauth(client_secret: &str, private_key: &str) -> AuthConfigOauth {
    let idp = IdentityProvider {
        name: "idp".into(),
        icon_url: "https://idp.example/i".into(),
        authorization_endpoint: "https://idp.example/a".into(),
        token_endpoint: "https://idp.example/t".into(),
        requires_basic_auth: true,
    };
    let tls = TlsConfigRequired::new(true, CaSet::GlobalRoots).client("certificate", private_key);
    AuthConfigOauth::new(idp, tls.into(), "client", client_secret)
}

/// Every request that changes something, about the account or the user with this id.
pub(crate) fn changes(client: &Client, id: Uuid, login: &AuthConfigOauth) -> Named {
    let update = client.update_account(id).name("Acme");
    requests![
        "create": client.create_account("new").auth_config(login.clone()),
        "update": update.add_auth_config(login.clone()).mod_auth_config("x", login.clone()),
        "delete": client.delete_account(id),
        "leave": client.remove_user_from_account(id),
    ]
}
