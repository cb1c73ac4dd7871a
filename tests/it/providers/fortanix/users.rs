use headcount::{
    ErrorKind,
    fortanix::{MemberStatus, Role},
};
use headcount_sim::{self as sim, FortanixErrors};
use serde_json::json;
use uuid::Uuid;

use crate::providers::support::{Canned, canned, fortanix, list_all, respond};

#[tokio::test]
async fn accounts_of_a_user_match_the_list() {
    let server = sim::Fortanix::builder().accounts(40).start().await.unwrap();
    let id = Uuid::from_u128(5);
    server.insert(json!({"acct_id": id, "roles": ["READER", "OWNER"], "status": "PENDING"}));
    let client = fortanix(&server).build().unwrap();
    let user = client.log_in().send().await.unwrap().subject_id.unwrap();
    let accounts = client.get_user_accounts(user).send().await.unwrap();
    let listed = list_all(client.list_accounts()).await;
    assert_eq!(accounts.len(), 41);
    for account in listed {
        let membership = &accounts[&account.acct_id];
        assert_eq!((&membership.roles, &membership.status), (&account.roles, &account.status));
    }
    let roles = accounts[&id].roles.as_ref().unwrap();
    assert_eq!((&roles[0], roles[1].as_str()), (&Role::Reader, "OWNER"));
    assert_eq!(accounts[&id].status, Some(MemberStatus::Pending));
    assert_eq!(server.requests()[1].path(), format!("/v1/users/{}/accounts", server.user_id()));
}

#[tokio::test]
async fn invalid_id_is_an_error() {
    let transport = Canned::new(|_, _| respond(200, r#"{"no-uuid":{"roles":[],"status":"ACTIVE"}}"#));
    let error = canned::fortanix(&transport).get_user_accounts(Uuid::nil()).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    let transport = Canned::new(|_, _| respond(200, "{}"));
    let none = canned::fortanix(&transport).get_user_accounts(Uuid::nil()).send().await.unwrap();
    assert!(none.is_empty());
}

#[tokio::test]
async fn user_is_removed_from_the_selected_account() {
    let server = sim::Fortanix::builder().accounts(3).errors(FortanixErrors::Object).start().await.unwrap();
    let client = fortanix(&server).build().unwrap();
    let user = Uuid::parse_str(&server.user_id()).unwrap();
    let error = client.remove_user_from_account(user).send().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::PermissionDenied, Some("NO_ACCOUNT_SELECTED")));

    let ids = server.ids();
    client.select_account(Uuid::parse_str(&ids[1]).unwrap()).send().await.unwrap();
    let error = client.remove_user_from_account(Uuid::nil()).send().await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::NotFound, Some(404)));
    assert_eq!(server.ids(), ids);

    client.remove_user_from_account(user).send().await.unwrap();
    assert_eq!(server.ids(), [ids[0].clone(), ids[2].clone()]);
    let last = server.requests().pop().unwrap();
    assert_eq!((last.method(), last.path()), ("DELETE", &*format!("/v1/users/{user}/accounts")));
}

#[tokio::test]
async fn removal_in_a_new_session_keeps_the_account() {
    let server = sim::Fortanix::builder().accounts(3).start().await.unwrap();
    let client = fortanix(&server).build().unwrap();
    let ids = server.ids();
    let client = client.with_account(Uuid::parse_str(&ids[2]).unwrap());
    client.log_in().send().await.unwrap();
    server.expire_sessions();
    let user = Uuid::parse_str(&server.user_id()).unwrap();
    client.remove_user_from_account(user).send().await.unwrap();
    assert_eq!(server.ids(), ids[..2], "the new session had the same account selected");
}
