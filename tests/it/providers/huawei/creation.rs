//! Creating accounts with and without contact information, and the listing of creations.

use std::time::Duration;

use headcount::{
    ErrorKind, Retryability,
    huawei::{
        AccountStatus, Client, CreateAccountState, CreateAccountStatus, JoinMethod, ListCreateAccountStatuses,
    },
};
use headcount_sim::{Fault, Faults, Huawei, HuaweiSite};

use super::support::{assert_api_error, start};
use crate::providers::support::{assert_list_unsent, assert_unsent, list_all, values};
use CreateAccountState::{Failed, InProgress, Succeeded};

const SHORT_INTERVAL: Duration = Duration::from_millis(1);

#[tokio::test]
async fn account_is_listed_after_creation() {
    let (server, client) = start(Huawei::builder().accounts(7).creation_polls(2)).await;
    let request = client.create_account("账号 1").email("new@example.com").phone("13800000000");
    let request = request.agency_name("agency").description("for tests").tag("team", "a").tag("cost", "");
    let creation = request.send().await.unwrap();
    assert_eq!(creation.state, Some(InProgress));
    assert_eq!((creation.account_name.as_deref(), &creation.account_id), (Some("账号 1"), &None));
    assert!(creation.created_at.as_ref().unwrap().utc().is_some());
    assert_eq!(list_all(client.list_accounts()).await.len(), 7, "not created yet");

    let status = client.wait_for_account(&creation.id).first_interval(SHORT_INTERVAL).send().await.unwrap();
    assert_eq!((status.id.as_str(), &status.state), (creation.id.as_str(), &Some(Succeeded)));
    assert!(status.completed_at.as_ref().unwrap().utc().is_some());
    assert_eq!(server.requests().len(), 2 + 3, "two polls returned in_progress");

    let accounts = list_all(client.list_accounts().with_register_contact_info(true)).await;
    let account = accounts.iter().find(|account| Some(&account.id) == status.account_id.as_ref()).unwrap();
    assert_eq!((account.name.as_deref(), accounts.len()), (Some("账号 1"), 8));
    assert_eq!(account.join_method, Some(JoinMethod::Created));
    assert_eq!(account.status, Some(AccountStatus::Active));
    assert_eq!(account.email.as_deref(), Some("new@example.com"));
    assert_eq!(account.mobile_phone.as_deref(), Some("13800000000"));
    assert_eq!(account.description.as_deref(), Some("for tests"));
    assert_eq!(account.organization_id(), Some(server.organization_id()));
    let root = &server.parents()[0];
    let children = list_all(client.list_accounts().parent_id(root)).await;
    assert!(children.iter().any(|other| other.id == account.id), "new accounts are children of the root");

    let request = &server.requests()[0];
    assert_eq!((request.method(), request.path()), ("POST", "/v1/organizations/accounts"));
    assert_eq!((request.status(), request.header("content-type")), (Some(202), Some("application/json")));
}

#[tokio::test]
async fn resource_account_has_no_contact_info() {
    let (server, client) = start(Huawei::builder().accounts(3).creation_polls(0)).await;
    let status = client.create_resource_account("robots").tag("k", "v").send().await.unwrap();
    assert_eq!(status.state, Some(Succeeded), "the first response may be final");
    let account = client.get_account(status.account_id.unwrap()).with_register_contact_info(true);
    let account = account.send().await.unwrap();
    assert_eq!((account.name.as_deref(), &account.email), (Some("robots"), &None));
    let request = &server.requests()[0];
    assert_eq!(request.path(), "/v2/organizations/accounts");
    assert_eq!(request.body(), r#"{"name":"robots","tags":[{"key":"k","value":"v"}]}"#);
}

#[tokio::test]
async fn site_requirements_are_not_checked_locally() {
    for (site, missing) in [(HuaweiSite::International, "email"), (HuaweiSite::China, "phone")] {
        let (server, client) = start(Huawei::builder().accounts(1).site(site)).await;
        let error = client.create_account("bare").send().await;
        let error = assert_api_error(error, ErrorKind::Api, 400, "Organizations.1014");
        assert_eq!(error.message(), format!("invalid parameter: {missing}"));
        let full = client.create_account("full").email("a@example.com").phone("138").send().await;
        assert!(full.is_ok(), "{full:?}");
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test]
async fn invalid_names_and_tags_are_not_sent() {
    let (server, client) = start(Huawei::builder().accounts(1)).await;
    let words = ["name is empty", "expected the name"];
    assert_unsent(&server, client.create_account("").send().await, &words);
    assert_unsent(&server, client.create_resource_account("").send().await, &words);
    let tagged = client.create_account("a").tag("", "v").send().await;
    assert_unsent(&server, tagged, &["a tag's key has 0", "expected 1 to 128"]);
    let duplicate = client.create_resource_account("a").tag("k", "1").tag("k", "2").send().await;
    assert_unsent(&server, duplicate, &["duplicate tag key", "expected distinct keys"]);
    let many = (0..21).fold(client.create_account("a"), |request, n| request.tag(n.to_string(), ""));
    assert_unsent(&server, many.send().await, &["21 tags", "at most 20"]);
}

#[tokio::test]
async fn name_length_is_not_checked_locally() {
    let (server, client) = start(Huawei::builder().accounts(1)).await;
    let long = "é".repeat(65);
    for result in [
        client.create_account(&long).email("a@example.com").send().await,
        client.create_resource_account(&long).send().await,
    ] {
        let error = assert_api_error(result, ErrorKind::Api, 400, "Organizations.1014");
        assert_eq!(error.message(), "invalid parameter: name");
    }
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn quota_and_policy_error_codes() {
    let (_server, client) = start(Huawei::builder().accounts(3).account_quota(3)).await;
    let full = client.create_resource_account("one more").send().await;
    let error = assert_api_error(full, ErrorKind::Api, 400, "Organizations.1302");
    assert_eq!(error.message(), "quota exceeded: member accounts");

    let (_server, client) = start(Huawei::builder().accounts(3).creation_polls(9)).await;
    for number in 0..5 {
        client.create_resource_account(format!("new {number}")).send().await.unwrap();
    }
    let sixth = client.create_resource_account("new 5").send().await;
    let error = assert_api_error(sixth, ErrorKind::Api, 400, "Organizations.1302");
    assert_eq!(error.message(), "quota exceeded: concurrent creations");

    let denying = Huawei::builder().accounts(3).deny_action("organizations:accounts:create");
    let (_server, client) = start(denying).await;
    let denied = client.create_account("a").email("a@example.com").send().await;
    let error = assert_api_error(denied, ErrorKind::PermissionDenied, 403, "Organizations.1007");
    assert!(error.message().contains("'organizations:accounts:create'"), "{error}");
    let allowed = client.create_resource_account("a").send().await;
    assert!(allowed.is_ok(), "the reference names no action for it: {allowed:?}");
}

#[tokio::test]
async fn duplicate_name_fails_asynchronously() {
    let (server, client) = start(Huawei::builder().accounts(3)).await;
    let taken = server.records()[1]["name"].as_str().unwrap().to_owned();
    let creation = client.create_resource_account(&taken).send().await.unwrap();
    let error =
        client.wait_for_account(&creation.id).first_interval(SHORT_INTERVAL).send().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Api, Some("account_name_already_exists")));
    for words in [format!("not created: {taken} is taken"), format!("status(\"{}\")", creation.id)] {
        assert!(error.message().contains(&words), "{words:?} is not in: {error}");
    }
    let status = client.get_create_account_status(&creation.id).send().await.unwrap();
    assert_eq!(status.state, Some(Failed), "fetching the status is not an error");
    assert_eq!(status.failure_reason.as_deref(), Some("account_name_already_exists"));
    let detail = status.failure_detail_msg.as_ref().unwrap();
    assert_eq!(detail.error_msg, Some(format!("{taken} is taken")));
    assert_eq!(status.account_id, None);
    assert_eq!(server.ids().len(), 3);
}

#[tokio::test]
async fn unknown_creation_is_not_found() {
    let (_server, client) = start(Huawei::builder().accounts(1)).await;
    let unknown = client.get_create_account_status("car-00000000").send().await;
    assert_api_error(unknown, ErrorKind::NotFound, 404, "Organizations.1304");
}

/// Starts a server with 23 creations: the first three in progress, later ones with an even number failed.
async fn start_with_creations() -> (Huawei, Client, Vec<CreateAccountStatus>) {
    let (server, client) = start(Huawei::builder().accounts(2).creation_polls(1)).await;
    let mut all = Vec::new();
    for number in 0..23 {
        let name = if number % 2 == 0 { "same".to_owned() } else { format!("new {number}") };
        let creation = client.create_resource_account(name).send().await.unwrap();
        if number >= 3 {
            let result = client.wait_for_account(&creation.id).first_interval(SHORT_INTERVAL).send().await;
            assert_eq!(result.is_ok(), number % 2 == 1 || number == 4, "{number}: {result:?}");
        }
        all.push(creation);
    }
    server.clear_requests();
    (server, client, all)
}

#[tokio::test]
async fn list_by_marker_and_state() {
    let (server, client, all) = start_with_creations().await;
    let listed = list_all(client.list_create_account_statuses().limit(5)).await;
    let ids = |list: &[CreateAccountStatus]| list.iter().map(|status| status.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&listed), ids(&all));
    let requests = server.requests();
    assert_eq!(requests.len(), 5);
    assert_eq!(values(&requests, "limit"), vec![Some("5".to_owned()); 5]);
    assert_eq!(values(&requests, "marker")[0], None);
    assert!(requests.iter().all(|request| request.query_value("states").is_none()));

    server.clear_requests();
    let filtered = |states: &[CreateAccountState]| {
        let list = client.list_create_account_statuses();
        states.iter().cloned().fold(list, ListCreateAccountStatuses::state)
    };
    for states in [&[InProgress][..], &[Succeeded], &[Failed], &[Failed, InProgress]] {
        let actual = list_all(filtered(states)).await;
        let expected: Vec<_> =
            listed.iter().filter(|status| states.contains(status.state.as_ref().unwrap())).cloned().collect();
        assert!(!expected.is_empty());
        assert_eq!(ids(&actual), ids(&expected), "{states:?}");
    }
    let last = server.requests().pop().unwrap();
    let repeated = [("states", "failed"), ("states", "in_progress"), ("limit", "1000")];
    assert_eq!(last.query(), repeated.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[tokio::test]
async fn invalid_list_arguments_are_not_sent() {
    let (server, client) = start(Huawei::builder().accounts(1)).await;
    let list = || client.list_create_account_statuses();
    assert_list_unsent(&server, list().limit(0), &["limit is 0", "expected 1 to 2000"]).await;
    assert_list_unsent(&server, list().limit(2001), &["limit is 2001"]).await;
    assert_list_unsent(&server, list().marker("abc"), &["marker has 3 characters", "expected 4 to 400"])
        .await;
}

#[tokio::test]
async fn lost_response_is_found_by_name() {
    let (server, client) = start(Huawei::builder().accounts(3)).await;
    server.set_faults(Faults::none().on_request(1, Fault::ResetMidBody));
    let error = client.create_resource_account("lost").send().await.unwrap_err();
    assert_eq!((error.retryability(), error.attempts()), (Retryability::MaybeApplied, 1), "{error}");
    assert!(error.to_string().contains("the request may have been processed"), "{error}");
    let creations = list_all(client.list_create_account_statuses()).await;
    let names: Vec<_> = creations.iter().map(|status| status.account_name.as_deref()).collect();
    assert_eq!(names, [Some("lost")], "the account was created once");
}
