//! Accounts closed, and the states of their closures.

use headcount::{
    ErrorKind,
    huawei::{AccountStatus, Client, CloseAccountState, CloseAccountStatus},
};
use headcount_sim::{Conformance, Huawei};

use super::support::{assert_refused, start};
use crate::providers::support::{refused_unsent, whole};

/// The accounts that can be closed, and were not.
fn open(server: &Huawei) -> Vec<String> {
    let lower = |value: &serde_json::Value| value.as_str().map(str::to_lowercase);
    let records = server.records().into_iter().filter(|record| {
        lower(&record["join_method"]).as_deref() == Some("created")
            && lower(&record["status"]).as_deref() == Some("active")
    });
    records.map(|record| record["id"].as_str().unwrap().to_owned()).collect()
}

async fn closures(client: &Client) -> Vec<CloseAccountStatus> {
    whole(client.list_close_account_statuses()).await
}

#[tokio::test]
async fn a_closed_account_is_pending_in_its_status_and_in_the_list() {
    let (server, client) = start(Huawei::builder().accounts(60)).await;
    let id = open(&server)[0].clone();
    let before = closures(&client).await.len();
    server.clear_requests();
    client.close_account(&id).send().await.unwrap();
    let request = &server.requests()[0];
    assert!(request.path().ends_with(&format!("/v1/organizations/accounts/{id}/close")));
    assert_eq!((request.method(), request.body()), ("POST", ""));
    assert_eq!(request.header("content-type"), Some("application/json"), "as the vendor's clients send it");

    let closures = closures(&client).await;
    assert_eq!(closures.len(), before + 1);
    let closure = closures.iter().find(|closure| closure.account_id == id).unwrap();
    assert_eq!(closure.state, Some(CloseAccountState::PendingClosure));
    assert_eq!(closure.organization_id.as_deref(), Some(server.organization_id()));
    assert!(closure.created_at.as_ref().unwrap().utc().is_some());
    assert_eq!((&closure.updated_at, &closure.failure_reason), (&closure.created_at, &None));
    let accounts = whole(client.list_accounts()).await;
    let account = accounts.into_iter().find(|account| account.id == id).unwrap();
    assert_eq!(account.status, Some(AccountStatus::PendingClosure));
    assert_eq!(headcount::Account::from(account).status, headcount::AccountStatus::Closing);

    let again = client.close_account(&id).send().await;
    let error = assert_refused(again, ErrorKind::Api, 400, "Organizations.1325");
    assert_eq!(error.message(), "the account is being closed");
    server.update(&id, |record| record["status"] = "suspended".into());
    let closed = whole(client.list_close_account_statuses().state(CloseAccountState::Suspended)).await;
    assert!(closed.iter().any(|closure| closure.account_id == id));
}

#[tokio::test]
async fn an_account_that_was_invited_is_not_closed_nor_a_fourth_at_a_time() {
    let (server, client) = start(Huawei::builder().accounts(100)).await;
    let records = server.records();
    let invited = records.iter().find(|it| it["join_method"] == "invited" && it["status"] == "active");
    let invited = client.close_account(invited.unwrap()["id"].as_str().unwrap()).send().await;
    assert_refused(invited, ErrorKind::Api, 400, "Organizations.1303");
    let open = open(&server);
    for id in &open[..3] {
        client.close_account(id).send().await.unwrap();
    }
    let fourth = client.close_account(&open[3]).send().await;
    let error = assert_refused(fourth, ErrorKind::Api, 400, "Organizations.1302");
    assert_eq!(error.message(), "quota exceeded: concurrent closures");
}

#[tokio::test]
async fn closures_come_in_one_page_and_by_state() {
    let (server, client) = start(Huawei::builder().accounts(300)).await;
    let all = closures(&client).await;
    assert_eq!(server.requests().len(), 1, "there is no second page to ask for");
    assert_eq!(server.requests()[0].raw_query(), None, "the endpoint knows no limit");
    let mut split = Vec::new();
    for state in [CloseAccountState::PendingClosure, CloseAccountState::Suspended] {
        let some = whole(client.list_close_account_statuses().state(state.clone())).await;
        assert!(!some.is_empty() && some.iter().all(|closure| closure.state.as_ref() == Some(&state)));
        split.extend(some);
    }
    assert_eq!(split.len(), all.len());
    let both = client.list_close_account_statuses().state(CloseAccountState::PendingClosure);
    let both = both.state(CloseAccountState::Suspended);
    assert_eq!(whole(both.clone()).await.len(), all.len());
    let last = server.requests().pop().unwrap();
    assert_eq!(last.raw_query(), Some("states=pending_closure&states=suspended"));
    server.clear_requests();
    let third: CloseAccountState = serde_json::from_str(r#""reopened""#).unwrap();
    refused_unsent(&server, both.state(third), &["3 states", "at most 2"]).await;
}

#[tokio::test]
async fn the_list_of_closures_keeps_every_promise_of_a_list() {
    let (server, client) = start(Huawei::builder().accounts(150)).await;
    let ids: Vec<_> = closures(&client).await.into_iter().map(|closure| closure.account_id).collect();
    let mut expected = server.records();
    expected.retain(|record| {
        let status = record["status"].as_str().unwrap_or_default().to_lowercase();
        ["pending_closure", "suspended"].contains(&status.as_str())
    });
    assert_eq!(ids, expected.iter().map(|record| record["id"].as_str().unwrap()).collect::<Vec<_>>());
    Conformance::new(|| client.list_close_account_statuses()).run().await.unwrap();
}
