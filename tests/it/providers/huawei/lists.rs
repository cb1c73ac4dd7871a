//! Listing accounts.

use futures::TryStreamExt;
use headcount::{
    ErrorKind,
    huawei::{Account, ListAccounts},
};
use headcount_sim::{Huawei, HuaweiBuilder, LastMarker};

use crate::providers::support::{STRANGE, assert_list_unsent, huawei, list_all, list_error, values};

async fn server(accounts: usize) -> Huawei {
    start(Huawei::builder().accounts(accounts)).await
}

async fn start(builder: HuaweiBuilder) -> Huawei {
    builder.start().await.unwrap()
}

fn list(server: &Huawei) -> ListAccounts {
    huawei(server).build().unwrap().list_accounts()
}

fn ids(accounts: &[Account]) -> Vec<String> {
    accounts.iter().map(|account| account.id.clone()).collect()
}

/// Asserts that there is one request per page, the first without a marker and the others with distinct
/// markers.
fn assert_chain(server: &Huawei, pages: usize) {
    let markers = values(&server.list_requests(), "marker");
    assert_eq!(markers.len(), pages, "{markers:?}");
    assert_eq!(markers[0], None, "the first page has no marker, not an empty one");
    let mut distinct: Vec<_> = markers[1..].iter().flatten().collect();
    assert_eq!(distinct.len(), pages - 1, "{markers:?}");
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), pages - 1, "{markers:?}");
}

#[tokio::test]
async fn each_account_once_for_all_last_markers() {
    for last in [LastMarker::Null, LastMarker::Absent, LastMarker::Empty] {
        for (accounts, pages) in [(0, 1), (1, 1), (4, 1), (5, 1), (6, 2), (10, 2), (23, 5)] {
            let server = start(Huawei::builder().accounts(accounts).last_marker(last)).await;
            let listed = list_all(list(&server).limit(5)).await;
            assert_eq!(ids(&listed), server.ids(), "{last:?} {accounts}");
            assert_chain(&server, pages);
            let limits = values(&server.list_requests(), "limit");
            assert!(limits.iter().all(|limit| limit.as_deref() == Some("5")), "{limits:?}");
        }
    }
}

#[tokio::test]
async fn empty_and_short_pages_do_not_end_the_list() {
    for builder in [
        Huawei::builder().empty_page_every(2),
        Huawei::builder().short_page_every(1),
        Huawei::builder().empty_page_every(2).short_page_every(3),
    ] {
        let server = start(builder.accounts(20)).await;
        let listed = list_all(list(&server).limit(5)).await;
        assert_eq!(ids(&listed), server.ids());
        let pages = server.list_requests().len();
        assert!(pages > 4, "{pages} pages: no page was short");
        assert_chain(&server, pages);
    }
}

#[tokio::test]
async fn pages_have_reported_rows() {
    let server = server(12).await;
    let pages: Vec<_> = list(&server).limit(5).pages().try_collect().await.unwrap();
    let counts: Vec<_> = pages.iter().map(|page| page.reported_rows).collect();
    assert_eq!(counts, [Some(5), Some(5), Some(2)]);
    assert!(pages.iter().all(|page| page.total.is_none()), "the count of a page is not the total");
}

#[tokio::test]
async fn query_parameters() {
    let server = server(40).await;
    let parent = server.parents()[1].clone();
    let listed = list_all(list(&server).parent_id(&parent).with_register_contact_info(true).limit(3)).await;
    let children: Vec<_> = server.ids().into_iter().filter(|id| server.parent_of(id) == parent).collect();
    assert!(children.len() > 3, "more than one page");
    assert_eq!(ids(&listed), children);
    assert!(listed.iter().any(|account| account.email.is_some()));
    for request in server.list_requests() {
        assert_eq!(request.query_value("parent_id"), Some(parent.as_str()));
        assert_eq!(request.query_value("with_register_contact_info"), Some("true"));
        assert_eq!(request.query_value("limit"), Some("3"));
    }
}

#[tokio::test]
async fn default_limits() {
    let server = server(1).await;
    list_all(list(&server)).await;
    list_all(list(&server).with_register_contact_info(false)).await;
    list_all(list(&server).with_register_contact_info(true)).await;
    list_all(list(&server).limit(2000)).await;
    list_all(list(&server).limit(200).with_register_contact_info(true)).await;
    let requests = server.list_requests();
    let limits = ["1000", "1000", "200", "2000", "200"];
    assert_eq!(values(&requests, "limit"), limits.map(|limit| Some(limit.to_owned())));
    let contact = [None, Some("false"), Some("true"), None, Some("true")];
    assert_eq!(values(&requests, "with_register_contact_info"), contact.map(|text| text.map(str::to_owned)));
}

#[tokio::test]
async fn special_characters_are_signed() {
    let server = server(3).await;
    // The 404 and 400 are from the service, so the gateway accepted the signatures.
    let error = list_error(list(&server).parent_id(format!("ou-{STRANGE}"))).await;
    assert_eq!((error.kind(), error.code()), (ErrorKind::NotFound, Some("Organizations.1201")), "{error}");
    let error = list_error(list(&server).marker(STRANGE)).await;
    assert_eq!((error.kind(), error.code()), (ErrorKind::Api, Some("Organizations.1014")), "{error}");
    assert_eq!(error.message(), "invalid parameter: marker");
    let requests = server.list_requests();
    let parent = format!("ou-{STRANGE}");
    assert_eq!(requests[0].query_value("parent_id"), Some(parent.as_str()));
    assert_eq!(requests[1].query_value("marker"), Some(STRANGE));
}

#[tokio::test]
async fn starts_at_marker() {
    let server = server(12).await;
    list_all(list(&server).limit(5)).await;
    let marker = values(&server.list_requests(), "marker")[1].clone().unwrap();
    server.clear_requests();
    let listed = list_all(list(&server).limit(5).marker(&marker)).await;
    assert_eq!(ids(&listed), server.ids()[5..]);
    assert_eq!(server.list_requests()[0].query_value("marker"), Some(marker.as_str()));
}

#[tokio::test]
async fn invalid_parameters_are_not_sent() {
    let server = server(3).await;
    let list_accounts = || list(&server);
    assert_list_unsent(&server, list_accounts().limit(0), &["limit is 0", "expected 1 to 2000"]).await;
    assert_list_unsent(&server, list_accounts().limit(2001), &["limit is 2001", "expected 1 to 2000"]).await;
    let contact = list_accounts().with_register_contact_info(true).limit(201);
    assert_list_unsent(&server, contact, &["limit is 201", "expected 1 to 200", "contact information"]).await;
    for id in [String::new(), "x".repeat(101)] {
        assert_list_unsent(&server, list_accounts().parent_id(id), &["parent_id", "expected 1 to 100"]).await;
    }
    for marker in ["abc".to_owned(), "x".repeat(401)] {
        assert_list_unsent(&server, list_accounts().marker(marker), &["marker", "expected 4 to 400"]).await;
    }
}

#[tokio::test]
async fn other_accounts_are_denied_without_retry() {
    let server = start(Huawei::builder().not_management_account(true)).await;
    let error = list_error(list(&server)).await;
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "a 401, but the key is valid");
    assert_eq!((error.status(), error.code()), (Some(401), Some("Organizations.1002")));
    assert!(error.message().contains("management account"), "{error}");
    assert_eq!(error.request_id().map(str::len), Some(32));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn concurrent_changes_lose_no_account() {
    let all = server(20).await.ids();
    let removed = [all[2].clone(), all[4].clone(), all[11].clone()];
    let removed_by_hook = removed.clone();
    let server = start(Huawei::builder().accounts(20).before_list(move |number, world| {
        if number == 2 {
            for id in &removed_by_hook {
                assert!(world.remove(id));
            }
            world.generate(8);
        }
    }))
    .await;
    let listed = ids(&list_all(list(&server).limit(5)).await);
    for id in all.iter().filter(|id| !removed.contains(id)) {
        assert_eq!(listed.iter().filter(|other| *other == id).count(), 1);
    }
    let mut distinct = listed.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), listed.len());
}
