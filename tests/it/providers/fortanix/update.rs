use headcount::{
    ErrorKind, Retryability,
    fortanix::{AccountStatus, AuthConfigPassword, Logo, ObjectCounts, PcrPriority},
};
use headcount_sim::{self as sim, FortanixErrors};
use serde_json::json;
use uuid::Uuid;

use crate::providers::support::{assert_unsent, fortanix, list_all, steps};

/// Inserts an account that the user manages.
fn managed(server: &sim::Fortanix) -> Uuid {
    let id = Uuid::from_u128(7);
    server.insert(json!({"acct_id": id, "name": "Managed", "roles": ["MANAGER"], "sim_extra": [1]}));
    id
}

#[tokio::test]
async fn totals_are_returned_on_request() {
    let server = sim::Fortanix::builder().accounts(3).start().await.unwrap();
    let client = fortanix(&server).build().unwrap();
    let id = Uuid::parse_str(&server.ids()[1]).unwrap();
    let account = client.get_account(id).send().await.unwrap();
    assert_eq!((account.acct_id, account.totals), (id, None));
    assert_eq!(client.get_account(id).with_totals(false).send().await.unwrap().totals, None);
    let account = client.get_account(id).with_totals(true).send().await.unwrap();
    let ObjectCounts { datasets, final_workflows, nodes, .. } = account.totals.unwrap();
    assert_eq!((datasets, final_workflows, nodes), (Some(2), Some(0), Some(7)));
    let requests = server.requests();
    let queries: Vec<_> = requests[1..].iter().map(headcount_sim::Request::raw_query).collect();
    assert_eq!(queries, [None, Some("with_totals=false"), Some("with_totals=true")]);
    assert_eq!(requests[1].path(), format!("/v1/accounts/{id}"));
}

#[tokio::test]
async fn missing_account_is_not_found() {
    let server = sim::Fortanix::builder().errors(FortanixErrors::Object).start().await.unwrap();
    let client = fortanix(&server).build().unwrap();
    let id = Uuid::nil();
    for error in [
        client.get_account(id).send().await.unwrap_err(),
        client.update_account(id).enabled(true).send().await.unwrap_err(),
        client.delete_account(id).send().await.unwrap_err(),
        client.select_account(id).send().await.unwrap_err(),
        client.discover_auth_methods().acct_id(id).send().await.unwrap_err(),
    ] {
        assert_eq!((error.kind(), error.status()), (ErrorKind::NotFound, Some(404)));
        assert_eq!((error.code(), error.retryability()), (Some("NOT_FOUND"), Retryability::Never));
    }
}

#[tokio::test]
async fn changes_are_applied_and_listed() {
    let server = sim::Fortanix::builder().accounts(2).start().await.unwrap();
    let id = managed(&server);
    let client = fortanix(&server).build().unwrap();
    let order: Vec<i64> = (0..23).map(|register| (register + 5) % 23).collect();
    let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let changed = client
        .update_account(id)
        .name("Renamed")
        .custom_logo(Logo::new("<svg/>").unwrap())
        .default_group_id(one)
        .marketplace_group_id(two)
        .account_status(AccountStatus::Deactivated)
        .azure_cvm_pcr_priority(PcrPriority::new(&order).unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(changed.name.as_deref(), Some("Renamed"));
    assert_eq!(changed.logo().as_deref(), Some(&b"<svg/>"[..]));
    assert_eq!((changed.default_group_id, changed.marketplace_group_id), (Some(one), Some(two)));
    assert_eq!(changed.account_status, Some(AccountStatus::Deactivated));
    assert_eq!(changed.azure_cvm_pcr_priority, Some(order));
    assert!(changed.raw().contains("sim_extra"));
    let listed = list_all(client.list_accounts()).await;
    let listed = listed.into_iter().find(|account| account.acct_id == id).unwrap();
    assert_eq!(listed.raw(), changed.raw());

    let enabled = client.update_account(id).enabled(true).send().await.unwrap();
    assert_eq!(enabled.account_status, Some(AccountStatus::Active));
    assert_eq!(enabled.name.as_deref(), Some("Renamed"));
    let last = server.requests().pop().unwrap();
    assert_eq!((last.method(), last.body()), ("PATCH", r#"{"enabled":true}"#));
}

#[tokio::test]
async fn invalid_changes_are_not_sent() {
    let server = sim::Fortanix::builder().start().await.unwrap();
    let client = fortanix(&server).build().unwrap();
    let id = "9f0c0000-0000-4000-8000-000000000001";
    let (uppercase, both) = (id.to_uppercase(), "both modified and deleted");
    let update = || client.update_account(Uuid::nil());
    let password = AuthConfigPassword::new(true, true);
    for (request, words) in [
        (update(), ["no changes in the update", "expected at least one"]),
        (update().name("\t"), ["name is empty", "expected a name"]),
        (update().del_auth_config("x"), ["\"x\" in del_auth_configs", "expected a UUID"]),
        (update().mod_auth_config("", password.clone()), ["empty id in mod_auth_configs", "expected the id"]),
        (update().mod_auth_config(id, password.clone()).del_auth_config(id), [id, both]),
        (update().mod_auth_config(id, password).del_auth_config(&uppercase), [&uppercase, both]),
    ] {
        assert_unsent(&server, request.send().await, &words);
    }
}

#[tokio::test]
async fn non_manager_is_denied() {
    let server = sim::Fortanix::builder().accounts(0).errors(FortanixErrors::Object).start().await.unwrap();
    let id = Uuid::from_u128(9);
    server.insert(json!({"acct_id": id, "name": "Read only", "roles": ["READER", "WRITER"]}));
    let client = fortanix(&server).build().unwrap();
    for error in [
        client.update_account(id).name("Mine").send().await.unwrap_err(),
        client.delete_account(id).send().await.unwrap_err(),
    ] {
        assert_eq!((error.kind(), error.status()), (ErrorKind::PermissionDenied, Some(403)));
        assert_eq!(error.code(), Some("FORBIDDEN"));
        assert_eq!(error.message(), "The user is not a manager of this account");
    }
    assert_eq!(server.records()[0]["name"], "Read only");
}

#[tokio::test]
async fn server_rejections_keep_their_message() {
    let server = sim::Fortanix::builder().accounts(0).start().await.unwrap();
    let id = managed(&server);
    server.insert(json!({"acct_id": Uuid::from_u128(8), "name": "Taken"}));
    let client = fortanix(&server).build().unwrap();
    client.update_account(id).name("Managed").send().await.expect("an account may keep its name");
    let missing = "9f0c0000-0000-4000-8000-000000000001";
    let update = || client.update_account(id);
    for (request, words) in [
        (update().name("Taken"), "An account with this name already exists".to_owned()),
        (update().del_auth_config(missing), format!("No authentication configuration {missing}")),
    ] {
        let error = request.send().await.unwrap_err();
        assert_eq!((error.kind(), error.status(), error.message()), (ErrorKind::Api, Some(400), &*words));
    }
}

#[tokio::test]
async fn deleted_account_is_not_found() {
    let server = sim::Fortanix::builder().accounts(2).start().await.unwrap();
    let id = managed(&server);
    let client = fortanix(&server).build().unwrap();
    client.delete_account(id).send().await.unwrap();
    assert!(list_all(client.list_accounts()).await.iter().all(|account| account.acct_id != id));
    let error = client.get_account(id).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(steps(&server)[1], format!("{id} 204"));
}
