//! Requests for one account: get, update, move, remove.

use headcount::{ErrorKind, huawei::AccountStatus};
use headcount_sim::Huawei;

use super::support::{assert_api_error, start};
use crate::providers::support::{assert_unsent, list_all};

/// Ids that are not valid path segments.
const INVALID_IDS: [&str; 4] = ["", "a/b", "..", "a b"];

#[tokio::test]
async fn get_with_and_without_contact_info() {
    let (server, client) = start(Huawei::builder().accounts(30)).await;
    for record in server.records() {
        let id = record["id"].as_str().unwrap();
        let account = client.get_account(id).with_register_contact_info(true).send().await.unwrap();
        assert_eq!(serde_json::to_value(&account).unwrap(), record);
        assert_eq!((account.id.as_str(), account.name.as_deref()), (id, record["name"].as_str()));
        let account = client.get_account(id).send().await.unwrap();
        assert_eq!((account.email, account.mobile_phone, account.intl_number_prefix), (None, None, None));
    }
    let requests = server.requests();
    assert_eq!(requests[0].query_value("with_register_contact_info"), Some("true"));
    assert_eq!(requests[1].raw_query(), None);
    assert!(requests.iter().all(|request| request.method() == "GET" && request.body().is_empty()));
}

#[tokio::test]
async fn missing_account_is_not_found() {
    let (server, client) = start(Huawei::builder().accounts(1)).await;
    let assert_not_found = |result| assert_api_error(result, ErrorKind::NotFound, 404, "Organizations.1301");
    let [root, unit] = [server.parents()[0].clone(), server.parents()[1].clone()];
    assert_not_found(client.get_account("nobody").send().await.map(drop));
    assert_not_found(client.update_account("nobody").description("x").send().await.map(drop));
    assert_not_found(client.move_account("nobody", root, unit).send().await);
    assert_not_found(client.remove_account("nobody").send().await);
    assert_not_found(client.close_account("nobody").send().await);
}

#[tokio::test]
async fn update_sets_and_clears_description() {
    let (server, client) = start(Huawei::builder().accounts(5)).await;
    let id = server.ids()[2].clone();
    let before = server.records();
    for text in ["for the auditors – 审计", ""] {
        let account = client.update_account(&id).description(text).send().await.unwrap();
        assert_eq!((account.id.as_str(), account.description.as_deref()), (id.as_str(), Some(text)));
        let fetched = client.get_account(&id).send().await.unwrap();
        assert_eq!(fetched.description.as_deref(), Some(text));
        let mut expected = before.clone();
        expected[2]["description"] = text.into();
        assert_eq!(server.records(), expected);
    }
    let request = &server.requests()[0];
    assert_eq!((request.method(), request.header("content-type")), ("PATCH", Some("application/json")));
    assert_eq!(request.body(), r#"{"description":"for the auditors – 审计"}"#);
}

#[tokio::test]
async fn move_changes_the_parent() {
    let (server, client) = start(Huawei::builder().accounts(40)).await;
    let id = server.ids()[0].clone();
    let source = server.parent_of(&id);
    let destination = server.parents().into_iter().find(|parent| *parent != source).unwrap();
    client.move_account(&id, &source, &destination).send().await.unwrap();
    assert_eq!(server.parent_of(&id), destination);
    for (parent, expected) in [(&source, false), (&destination, true)] {
        let accounts = list_all(client.list_accounts().parent_id(parent)).await;
        assert_eq!(accounts.iter().any(|account| account.id == id), expected);
    }
    let parents = list_all(client.list_entities().child_id(&id)).await;
    assert_eq!(parents.iter().map(|entity| entity.id.as_str()).collect::<Vec<_>>(), [&destination]);
    let request = &server.requests()[0];
    let expected = format!(r#"{{"source_parent_id":"{source}","destination_parent_id":"{destination}"}}"#);
    assert_eq!((request.method(), request.body()), ("POST", expected.as_str()));
    assert!(request.path().ends_with(&format!("/{id}/move")));

    // The account has left the source parent.
    let repeated = client.move_account(&id, &source, &destination).send().await;
    assert_api_error(repeated, ErrorKind::Api, 400, "Organizations.1303");
    let missing_parent = client.move_account(&id, &destination, "ou-nowhere").send().await;
    assert_api_error(missing_parent, ErrorKind::NotFound, 404, "Organizations.1201");
}

#[tokio::test]
async fn remove_account_but_not_a_delegate() {
    let (server, client) = start(Huawei::builder().accounts(40)).await;
    let (delegates, others): (Vec<_>, Vec<_>) =
        server.ids().into_iter().partition(|id| !server.delegated_services(id).is_empty());
    client.remove_account(&others[0]).send().await.unwrap();
    let listed = list_all(client.list_accounts()).await;
    assert_eq!(listed.len(), 39);
    assert!(listed.iter().all(|account| account.id != others[0]));
    let result = client.remove_account(&delegates[0]).send().await;
    let error = assert_api_error(result, ErrorKind::Api, 400, "Organizations.1303");
    assert_eq!(error.message(), "the account is a delegated administrator");
    assert_eq!(server.ids().len(), 39);
}

#[tokio::test]
async fn invalid_arguments_are_not_sent() {
    let (server, client) = start(Huawei::builder().accounts(1)).await;
    for id in INVALID_IDS {
        assert_unsent(&server, client.get_account(id).send().await, &["account id", "expected an id"]);
        let update = client.update_account(id).description("x").send().await;
        assert_unsent(&server, update, &["account id", "expected an id"]);
        assert_unsent(&server, client.remove_account(id).send().await, &["account id"]);
        assert_unsent(&server, client.close_account(id).send().await, &["account id"]);
        assert_unsent(&server, client.move_account(id, "r-a", "ou-b").send().await, &["account id"]);
        let status = client.get_create_account_status(id).send().await;
        assert_unsent(&server, status, &["create account status id", "expected an id"]);
    }
    let empty = client.update_account("a").send().await;
    assert_unsent(&server, empty, &["nothing to change", "expected a description"]);
    let long = "x".repeat(101);
    for (source, destination, name) in
        [("", "ou-b", "source_parent_id has 0"), ("r-a", long.as_str(), "destination_parent_id has 101")]
    {
        let result = client.move_account("a", source, destination).send().await;
        assert_unsent(&server, result, &[name, "expected 1 to 100"]);
    }
}

#[tokio::test]
async fn status_is_case_insensitive() {
    let (server, client) = start(Huawei::builder().accounts(1)).await;
    let id = server.ids()[0].clone();
    for (text, status) in
        [("SUSPENDED", AccountStatus::Suspended), ("pending_closure", AccountStatus::PendingClosure)]
    {
        server.update(&id, |record| record["status"] = text.into());
        assert_eq!(client.get_account(&id).send().await.unwrap().status, Some(status));
    }
}
