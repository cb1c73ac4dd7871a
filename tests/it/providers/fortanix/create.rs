use headcount::{
    ErrorKind, Retryability,
    fortanix::{
        Account, AccountStatus, AuthConfigPassword, Component, CreateAccount, Logo, NodeEnrollment, Role,
    },
};
use headcount_sim::{self as sim, FortanixErrors};
use serde_json::Value;

use crate::providers::support::{Canned, assert_unsent, canned, fortanix, list_all, respond, steps};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n-and-more";

fn create(server: &sim::Fortanix, name: &str) -> CreateAccount {
    fortanix(server).build().unwrap().create_account(name)
}

#[tokio::test]
async fn created_account_is_listed() {
    for created_is_201 in [false, true] {
        let builder = sim::Fortanix::builder().accounts(3).created_is_201(created_is_201);
        let server = builder.start().await.unwrap();
        let client = fortanix(&server).build().unwrap();
        let created = client
            .create_account("Büro \"Süd\" 🚀")
            .custom_logo(Logo::new(PNG).unwrap())
            .auth_config(AuthConfigPassword::new(true, false))
            .auth_config(AuthConfigPassword::new(false, true))
            .node_enrollment(NodeEnrollment::new(true))
            .component(Component::ConfidentialAi)
            .send()
            .await
            .unwrap();
        assert_eq!(created.name.as_deref(), Some("Büro \"Süd\" 🚀"));
        assert_eq!(created.logo().as_deref(), Some(PNG));
        let configs = created.auth_configs.as_ref().unwrap().values().map(|config| config.password.as_ref());
        let mut require_2fa: Vec<_> = configs.map(|password| password.unwrap().require_2fa).collect();
        require_2fa.sort();
        assert_eq!(require_2fa, [Some(false), Some(true)], "the array became a map");
        assert_eq!(created.node_enrollment, Some(NodeEnrollment::new(true)));
        assert_eq!(created.component, Some(Component::ConfidentialAi));
        assert_eq!(created.account_status, Some(AccountStatus::Active));
        assert_eq!(created.roles.as_deref(), Some(&[Role::Manager][..]));
        assert!(created.created_at_utc().is_some() && created.default_group_id.is_some());
        let listed = list_all(client.list_accounts()).await;
        let found: Vec<&Account> =
            listed.iter().filter(|account| account.acct_id == created.acct_id).collect();
        assert_eq!((listed.len(), found.len()), (4, 1));
        assert_eq!(found[0].raw(), created.raw());
    }
}

#[tokio::test]
async fn name_alone_is_enough() {
    let server = sim::Fortanix::builder().accounts(0).start().await.unwrap();
    let created = create(&server, "Acme").send().await.unwrap();
    assert_eq!(server.ids(), [created.acct_id.to_string()]);
    let request = &server.requests()[1];
    assert_eq!((request.method(), request.path()), ("POST", "/v1/accounts"));
    assert_eq!(request.body(), r#"{"name":"Acme"}"#);
    assert_eq!(request.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn empty_name_is_not_sent() {
    let server = sim::Fortanix::builder().start().await.unwrap();
    for name in ["", " \n"] {
        let sent = create(&server, name).send().await;
        assert_unsent(&server, sent, &["name is empty", "expected a name"]);
    }
}

#[tokio::test]
async fn duplicate_name_is_an_error() {
    for (errors, code) in [(FortanixErrors::Text, None), (FortanixErrors::Object, Some("UNIQUE_VIOLATION"))] {
        let server = sim::Fortanix::builder().accounts(1).errors(errors).start().await.unwrap();
        create(&server, "Acme").send().await.unwrap();
        let error = create(&server, "Acme").send().await.unwrap_err();
        assert_eq!((error.kind(), error.status(), error.code()), (ErrorKind::Api, Some(400), code));
        assert_eq!(error.message(), "An account with this name already exists");
        assert_eq!((error.retryability(), server.ids().len()), (Retryability::Never, 2));
    }
}

#[tokio::test]
async fn expired_session_creates_once() {
    let server = sim::Fortanix::builder().accounts(0).start().await.unwrap();
    let client = fortanix(&server).build().unwrap();
    client.log_in().send().await.unwrap();
    server.expire_sessions();
    client.create_account("Acme").send().await.unwrap();
    assert_eq!(steps(&server), ["auth 200", "accounts 401", "auth 200", "accounts 200"]);
    assert_eq!(server.ids().len(), 1);
}

#[tokio::test]
async fn conflict_is_not_retried() {
    let transport = Canned::new(|_, _| respond(409, "locked"));
    let error = canned::fortanix(&transport).create_account("Acme").send().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.retryability(), error.attempts()),
        (ErrorKind::Api, Retryability::Never, 1),
        "{error}"
    );
}

#[tokio::test]
async fn secrets_of_an_invalid_response_are_hidden() {
    let bad = r#"{"acct_id":"hunter2","auth_configs":{"x":{"oauth":{"client_secret":["hunter2"]}}}}"#;
    let transport = Canned::new(move |_, _| respond(200, bad));
    let client = canned::fortanix(&transport);
    let error = client.get_account(uuid::Uuid::nil()).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    assert!(serde_json::from_str::<Value>(bad).is_ok());
}
