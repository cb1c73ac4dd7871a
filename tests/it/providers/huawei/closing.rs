//! Closing accounts, and the listing of closures.

use headcount::{
    ErrorKind,
    huawei::{AccountStatus, Client, CloseAccountState, CloseAccountStatus},
};
use headcount_sim::{Conformance, Huawei};

use super::support::{assert_api_error, start};
use crate::providers::support::{assert_list_unsent, list_all};

/// Returns the ids of the accounts that can be closed.
fn closable_ids(server: &Huawei) -> Vec<String> {
    let lower = |value: &serde_json::Value| value.as_str().map(str::to_lowercase);
    let records = server.records().into_iter().filter(|record| {
        lower(&record["join_method"]).as_deref() == Some("created")
            && lower(&record["status"]).as_deref() == Some("active")
    });
    records.map(|record| record["id"].as_str().unwrap().to_owned()).collect()
}

async fn close_statuses(client: &Client) -> Vec<CloseAccountStatus> {
    list_all(client.list_close_account_statuses()).await
}

#[tokio::test]
async fn closing_account_is_pending() {
    let (server, client) = start(Huawei::builder().accounts(60)).await;
    let id = closable_ids(&server)[0].clone();
    let before = close_statuses(&client).await.len();
    server.clear_requests();
    client.close_account(&id).send().await.unwrap();
    let request = &server.requests()[0];
    assert!(request.path().ends_with(&format!("/v1/organizations/accounts/{id}/close")));
    assert_eq!((request.method(), request.body()), ("POST", ""));
    assert_eq!(request.header("content-type"), Some("application/json"), "as sent by the vendor's SDKs");

    let closures = close_statuses(&client).await;
    assert_eq!(closures.len(), before + 1);
    let closure = closures.iter().find(|closure| closure.account_id == id).unwrap();
    assert_eq!(closure.state, Some(CloseAccountState::PendingClosure));
    assert_eq!(closure.organization_id.as_deref(), Some(server.organization_id()));
    assert!(closure.created_at.as_ref().unwrap().utc().is_some());
    assert_eq!((&closure.updated_at, &closure.failure_reason), (&closure.created_at, &None));
    let accounts = list_all(client.list_accounts()).await;
    let account = accounts.into_iter().find(|account| account.id == id).unwrap();
    assert_eq!(account.status, Some(AccountStatus::PendingClosure));
    assert_eq!(headcount::Account::from(account).status, headcount::AccountStatus::Closing);

    let repeated = client.close_account(&id).send().await;
    let error = assert_api_error(repeated, ErrorKind::Api, 400, "Organizations.1325");
    assert_eq!(error.message(), "the account is being closed");
    server.update(&id, |record| record["status"] = "suspended".into());
    let closed = list_all(client.list_close_account_statuses().state(CloseAccountState::Suspended)).await;
    assert!(closed.iter().any(|closure| closure.account_id == id));
}

#[tokio::test]
async fn invited_and_fourth_account_are_rejected() {
    let (server, client) = start(Huawei::builder().accounts(100)).await;
    let records = server.records();
    let invited = records.iter().find(|it| it["join_method"] == "invited" && it["status"] == "active");
    let invited = client.close_account(invited.unwrap()["id"].as_str().unwrap()).send().await;
    assert_api_error(invited, ErrorKind::Api, 400, "Organizations.1303");
    let ids = closable_ids(&server);
    for id in &ids[..3] {
        client.close_account(id).send().await.unwrap();
    }
    let fourth = client.close_account(&ids[3]).send().await;
    let error = assert_api_error(fourth, ErrorKind::Api, 400, "Organizations.1302");
    assert_eq!(error.message(), "quota exceeded: concurrent closures");
}

#[tokio::test]
async fn single_page_and_state_filter() {
    let (server, client) = start(Huawei::builder().accounts(300)).await;
    let all = close_statuses(&client).await;
    assert_eq!(server.requests().len(), 1, "there is no second page");
    assert_eq!(server.requests()[0].raw_query(), None, "the endpoint has no limit parameter");
    let mut split = Vec::new();
    for state in [CloseAccountState::PendingClosure, CloseAccountState::Suspended] {
        let filtered = list_all(client.list_close_account_statuses().state(state.clone())).await;
        assert!(
            !filtered.is_empty() && filtered.iter().all(|closure| closure.state.as_ref() == Some(&state))
        );
        split.extend(filtered);
    }
    assert_eq!(split.len(), all.len());
    let both = client.list_close_account_statuses().state(CloseAccountState::PendingClosure);
    let both = both.state(CloseAccountState::Suspended);
    assert_eq!(list_all(both.clone()).await.len(), all.len());
    let last = server.requests().pop().unwrap();
    assert_eq!(last.raw_query(), Some("states=pending_closure&states=suspended"));
    server.clear_requests();
    let third: CloseAccountState = serde_json::from_str(r#""reopened""#).unwrap();
    assert_list_unsent(&server, both.state(third), &["3 states", "at most 2"]).await;
}

#[tokio::test]
async fn conformance() {
    let (server, client) = start(Huawei::builder().accounts(150)).await;
    let ids: Vec<_> = close_statuses(&client).await.into_iter().map(|closure| closure.account_id).collect();
    let mut expected = server.records();
    expected.retain(|record| {
        let status = record["status"].as_str().unwrap_or_default().to_lowercase();
        ["pending_closure", "suspended"].contains(&status.as_str())
    });
    assert_eq!(ids, expected.iter().map(|record| record["id"].as_str().unwrap()).collect::<Vec<_>>());
    Conformance::new(|| client.list_close_account_statuses()).run().await.unwrap();
}
