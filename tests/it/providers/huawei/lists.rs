use futures::TryStreamExt;
use headcount::{
    ErrorKind, Paginator,
    huawei::{Account, ListAccounts},
};
use headcount_sim::{Huawei, HuaweiBuilder, HuaweiLastMarker};

use crate::providers::support::{STRANGE, huawei, refusal, refused_unsent, values, whole};

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

/// Asserts that each request but the first has the marker that the page before gave: all are different,
/// and there are as many as pages.
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
async fn every_account_comes_once_whatever_the_last_marker_is() {
    for last in [HuaweiLastMarker::Null, HuaweiLastMarker::Absent, HuaweiLastMarker::Empty] {
        for (accounts, pages) in [(0, 1), (1, 1), (4, 1), (5, 1), (6, 2), (10, 2), (23, 5)] {
            let server = start(Huawei::builder().accounts(accounts).last_marker(last)).await;
            let listed = whole(list(&server).limit(5)).await;
            assert_eq!(ids(&listed), server.ids(), "{last:?} {accounts}");
            assert_chain(&server, pages);
            let limits = values(&server.list_requests(), "limit");
            assert!(limits.iter().all(|limit| limit.as_deref() == Some("5")), "{limits:?}");
        }
    }
}

#[tokio::test]
async fn empty_and_short_pages_in_the_middle_do_not_end_the_list() {
    for builder in [
        Huawei::builder().empty_page_every(2),
        Huawei::builder().short_page_every(1),
        Huawei::builder().empty_page_every(2).short_page_every(3),
    ] {
        let server = start(builder.accounts(20)).await;
        let listed = whole(list(&server).limit(5)).await;
        assert_eq!(ids(&listed), server.ids());
        let pages = server.list_requests().len();
        assert!(pages > 4, "{pages} pages: there was nothing short");
        assert_chain(&server, pages);
    }
}

#[tokio::test]
async fn pages_keep_the_providers_count() {
    let server = server(12).await;
    let pages: Vec<_> = list(&server).limit(5).pages().try_collect().await.unwrap();
    let counts: Vec<_> = pages.iter().map(|page| page.reported_rows).collect();
    assert_eq!(counts, [Some(5), Some(5), Some(2)]);
    assert!(pages.iter().all(|page| page.total.is_none()), "a page's count is no list's");
}

#[tokio::test]
async fn every_parameter_reaches_the_wire_as_documented() {
    let server = server(40).await;
    let parent = server.parents()[1].clone();
    let listed = whole(list(&server).parent_id(&parent).with_register_contact_info(true).limit(3)).await;
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
async fn the_limit_is_always_sent_and_smaller_with_contact_information() {
    let server = server(1).await;
    whole(list(&server)).await;
    whole(list(&server).with_register_contact_info(false)).await;
    whole(list(&server).with_register_contact_info(true)).await;
    whole(list(&server).limit(2000)).await;
    whole(list(&server).limit(200).with_register_contact_info(true)).await;
    let requests = server.list_requests();
    let limits = ["1000", "1000", "200", "2000", "200"];
    assert_eq!(values(&requests, "limit"), limits.map(|limit| Some(limit.to_owned())));
    let contact = [None, Some("false"), Some("true"), None, Some("true")];
    assert_eq!(values(&requests, "with_register_contact_info"), contact.map(|text| text.map(str::to_owned)));
}

#[tokio::test]
async fn strange_characters_reach_the_wire_unchanged_under_a_good_signature() {
    let server = server(3).await;
    // A 404 and a 400 of the service: the gateway in front of it took the signature.
    let error = refusal(list(&server).parent_id(format!("ou-{STRANGE}"))).await;
    assert_eq!((error.kind(), error.code()), (ErrorKind::NotFound, Some("Organizations.1201")), "{error}");
    let error = refusal(list(&server).marker(STRANGE)).await;
    assert_eq!((error.kind(), error.code()), (ErrorKind::Api, Some("Organizations.1014")), "{error}");
    assert_eq!(error.message(), "invalid parameter: marker");
    let requests = server.list_requests();
    let parent = format!("ou-{STRANGE}");
    assert_eq!(requests[0].query_value("parent_id"), Some(parent.as_str()));
    assert_eq!(requests[1].query_value("marker"), Some(STRANGE));
}

#[tokio::test]
async fn a_list_starts_at_the_marker_that_it_is_given() {
    let server = server(12).await;
    whole(list(&server).limit(5)).await;
    let marker = values(&server.list_requests(), "marker")[1].clone().unwrap();
    server.clear_requests();
    let listed = whole(list(&server).limit(5).marker(&marker)).await;
    assert_eq!(ids(&listed), server.ids()[5..]);
    assert_eq!(server.list_requests()[0].query_value("marker"), Some(marker.as_str()));
}

#[tokio::test]
async fn parameters_that_can_not_be_are_refused_before_anything_is_sent() {
    let server = server(3).await;
    let fresh = || list(&server);
    refused_unsent(&server, fresh().limit(0), &["limit is 0", "expected 1 to 2000"]).await;
    refused_unsent(&server, fresh().limit(2001), &["limit is 2001", "expected 1 to 2000"]).await;
    let contact = fresh().with_register_contact_info(true).limit(201);
    refused_unsent(&server, contact, &["limit is 201", "expected 1 to 200", "contact information"]).await;
    for id in [String::new(), "x".repeat(101)] {
        refused_unsent(&server, fresh().parent_id(id), &["parent_id", "expected 1 to 100"]).await;
    }
    for marker in ["abc".to_owned(), "x".repeat(401)] {
        refused_unsent(&server, fresh().marker(marker), &["marker", "expected 4 to 400"]).await;
    }
}

#[tokio::test]
async fn who_is_neither_management_account_nor_delegate_is_denied_and_asked_once() {
    let server = start(Huawei::builder().not_management_account(true)).await;
    let error = refusal(list(&server)).await;
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "a 401, but the key is good");
    assert_eq!((error.status(), error.code()), (Some(401), Some("Organizations.1002")));
    assert!(error.message().contains("management account"), "{error}");
    assert_eq!(error.request_id().map(str::len), Some(32));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn accounts_that_come_and_go_within_a_list_cost_no_other() {
    let there = server(20).await.ids();
    let gone = [there[2].clone(), there[4].clone(), there[11].clone()];
    let (hook_gone, gone_again) = (gone.clone(), gone.clone());
    let server = start(Huawei::builder().accounts(20).before_list(move |number, world| {
        if number == 2 {
            for id in &hook_gone {
                assert!(world.remove(id));
            }

            world.generate(8);
        }
    }))
    .await;
    let listed = ids(&whole(list(&server).limit(5)).await);
    for id in there.iter().filter(|id| !gone_again.contains(id)) {
        assert_eq!(listed.iter().filter(|found| *found == id).count(), 1);
    }
    let mut distinct = listed.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), listed.len());
}
