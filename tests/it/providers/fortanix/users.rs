use headcount::{
    ErrorKind,
    fortanix::{MemberStatus, Role},
};
use headcount_sim::{self as sim, FortanixErrors};
use serde_json::json;
use uuid::Uuid;

use crate::providers::support::{Canned, answer, canned, fortanix, whole};

#[tokio::test]
async fn a_users_accounts_are_those_that_the_list_has() {
    let server = sim::Fortanix::builder().accounts(40).start().await.unwrap();
    let id = Uuid::from_u128(5);
    server.insert(json!({"acct_id": id, "roles": ["READER", "OWNER"], "status": "PENDING"}));
    let client = fortanix(&server).build().unwrap();
    let user = client.log_in().send().await.unwrap().subject_id.unwrap();
    let accounts = client.get_user_accounts(user).send().await.unwrap();
    let listed = whole(client.list_accounts()).await;
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
async fn an_id_that_can_not_be_read_is_an_error_and_goes_not_missing() {
    let transport = Canned::new(|_, _| answer(200, r#"{"no-uuid":{"roles":[],"status":"ACTIVE"}}"#));
    let error = canned::fortanix(&transport).get_user_accounts(Uuid::nil()).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    let transport = Canned::new(|_, _| answer(200, "{}"));
    let none = canned::fortanix(&transport).get_user_accounts(Uuid::nil()).send().await.unwrap();
    assert!(none.is_empty());
}

#[tokio::test]
async fn a_user_is_removed_from_the_selected_account_and_from_no_other() {
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
async fn a_session_that_ended_in_between_does_not_remove_from_another_account() {
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
