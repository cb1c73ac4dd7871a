use futures::TryStreamExt;
use headcount::{
    SortOrder,
    fortanix::{
        self, AccountStatus, AuthConfigOauth, AuthConfigPassword, AuthConfigRef, CaConfig, Component,
        IdentityProvider, Logo, NodeEnrollment, PcrPriority, TlsConfigRequired,
    },
};
use headcount_sim::{self as sim, Request};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{check, load_spec, spec::Spec};

/// The operations of the vendor's file that [`requests`] does not cover.
const UNSENT: &[&str] = &[
    // Not about accounts.
    "GET /v1/sys/version",
    "GET /v1/workflow_runs",
    "POST /v1/workflow_runs",
];

/// The parameters that the file references without defining them, as the reference describes them.
fn parameters() -> [(&'static str, Value); 5] {
    let id =
        json!({"name": "account-id", "in": "path", "required": true, "type": "string", "format": "uuid"});
    let totals = json!({"name": "with_totals", "in": "query", "required": false, "type": "boolean"});
    let body = |name: &str, required: bool| {
        let schema = json!({"$ref": format!("#/definitions/{name}")});
        json!({"name": name, "in": "body", "required": required, "schema": schema})
    };
    [
        ("AccountId", id),
        ("WithTotals", totals),
        ("AccountRequest", body("AccountRequest", true)),
        ("AccountUpdateRequest", body("AccountUpdateRequest", true)),
        // Absent from a login with a password.
        ("AuthRequest", body("AuthRequest", false)),
    ]
}

/// Returns the client's requests: each with all parameters set, and with none set.
async fn requests() -> Vec<Request> {
    let server = sim::Fortanix::builder().accounts(5).record_secrets(true).start().await.unwrap();
    let builder = fortanix::Client::builder().password(server.email(), server.password());
    let client = builder.base_url(server.base_url()).build().unwrap();
    let plain: Vec<_> = client.list_accounts().items().try_collect().await.unwrap();
    let list = client.list_accounts().limit(3).account_scope(fortanix::AccountScope::User);
    let list = list.previous_id(plain[0].acct_id).sort_by("acct_id", SortOrder::Ascending);
    assert_eq!(list.items().try_collect::<Vec<_>>().await.unwrap().len(), 4);
    client.list_accounts().account_scope(fortanix::AccountScope::System).pages().try_next().await.unwrap();
    account_lifecycle(&client).await.unwrap();
    server.requests()
}

fn oauth() -> AuthConfigOauth {
    let idp = IdentityProvider {
        name: "idp".into(),
        icon_url: "https://idp.example/icon.png".into(),
        authorization_endpoint: "https://idp.example/authorize".into(),
        token_endpoint: "https://idp.example/token".into(),
        requires_basic_auth: true,
    };
    let tls = TlsConfigRequired::new(true, CaConfig::pinned([b"certificate"])).client(b"certificate", b"key");
    let oauth = AuthConfigOauth::new(idp, tls.into(), "client", "secret");
    oauth.userinfo_endpoint("https://idp.example/user")
}

/// Sends all requests about one account, from creation to deletion, with all parameters set.
async fn account_lifecycle(client: &fortanix::Client) -> headcount::Result<()> {
    let bare = client.create_account("bare").send().await?;
    let account = client
        .create_account("full")
        .custom_logo(Logo::new(b"\x89PNG\r\n\x1a\n")?)
        .auth_config(AuthConfigPassword::new(true, false))
        .auth_config(oauth())
        .auth_config(AuthConfigRef::new("target"))
        .node_enrollment(NodeEnrollment::new(false))
        .component(Component::ConfidentialAi)
        .send()
        .await?;
    let id = account.acct_id;
    client.get_account(id).with_totals(true).send().await?;
    client.get_account(id).send().await?;
    client.discover_auth_methods().user_email("ada@example.com").acct_id(id).send().await?;
    client.select_account(id).send().await?;
    client.update_account(id).name("fuller").send().await?;
    let configs: Vec<_> = account.auth_configs.into_iter().flatten().map(|(id, _)| id).collect();
    client
        .update_account(id)
        .custom_logo(Logo::new(b"<svg/>")?)
        .add_auth_config(AuthConfigPassword::new(false, false))
        .mod_auth_config(&configs[0], oauth())
        .del_auth_config(&configs[1])
        .enabled(true)
        .default_group_id(Uuid::from_u128(1))
        .marketplace_group_id(Uuid::from_u128(2))
        .account_status(AccountStatus::Active)
        .azure_cvm_pcr_priority(PcrPriority::new(&(0..=22).rev().collect::<Vec<_>>())?)
        .send()
        .await?;
    client.delete_account(bare.acct_id).send().await?;
    client.refresh_session().send().await?;
    client.terminate_session().send().await
}

#[tokio::test]
async fn requests_match_spec() {
    let Some(spec) = load_spec("fortanix_ccm_accounts.swagger.json") else {
        return;
    };
    let define = |spec: Spec, (name, parameter)| spec.with_parameter(name, parameter);
    check(&parameters().into_iter().fold(spec, define), &requests().await, UNSENT);
}
