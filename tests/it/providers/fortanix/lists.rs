use headcount::{
    Completeness, Doubt, ErrorKind, SortOrder,
    fortanix::{Account, AccountScope, ListAccounts},
};
use headcount_sim::{self as sim, FortanixPaging};
use uuid::Uuid;

use crate::providers::support::{STRANGE, fortanix, refusal, refused_unsent, values, walk, whole};

async fn server(accounts: usize, paging: FortanixPaging) -> sim::Fortanix {
    let builder = sim::Fortanix::builder().accounts(accounts).paging(paging);
    builder.start().await.unwrap()
}

fn list(server: &sim::Fortanix) -> ListAccounts {
    fortanix(server).build().unwrap().list_accounts()
}

fn ids(accounts: &[Account]) -> Vec<String> {
    accounts.iter().map(|account| account.acct_id.to_string()).collect()
}

/// The `previous_id` of each page, when every page but the first brings `fresh` new accounts at most.
fn seams(ids: &[String], limit: usize, fresh: usize) -> Vec<Option<String>> {
    let mut seams = vec![None];
    let mut seen = limit.min(ids.len());
    while seen > 0 {
        seams.push(Some(ids[seen - 1].clone()));
        if seen == ids.len() {
            break;
        }
        seen = (seen + fresh).min(ids.len());
    }
    seams
}

#[tokio::test]
async fn every_account_comes_once_whether_pages_start_after_or_at_the_previous_id() {
    for (paging, fresh) in [(FortanixPaging::After, 5), (FortanixPaging::At, 4)] {
        for accounts in [0, 1, 4, 5, 6, 9, 10, 23] {
            let server = server(accounts, paging).await;
            let listed = whole(list(&server).limit(5)).await;
            assert_eq!(ids(&listed), server.ids(), "{paging:?} {accounts}");
            let requests = server.list_requests();
            assert_eq!(
                values(&requests, "previous_id"),
                seams(&server.ids(), 5, fresh),
                "{paging:?} {accounts}"
            );
            assert!(values(&requests, "limit").iter().all(|limit| limit.as_deref() == Some("5")));
        }
    }
}

#[tokio::test]
async fn a_server_that_sends_everything_each_time_is_listed_whole() {
    // Fewer accounts than limit, exactly as many, and more.
    for accounts in [0, 1, 2, 3, 4, 9] {
        let server = server(accounts, FortanixPaging::IgnoresAll).await;
        let listed = whole(list(&server).limit(3)).await;
        assert_eq!(ids(&listed), server.ids(), "{accounts}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_look_at_previous_id_is_an_error_behind_its_one_page() {
    let server = server(7, FortanixPaging::IgnoresPreviousId).await;
    let walk = walk(list(&server).limit(3)).await;
    assert_eq!(ids(&walk.items), server.ids()[..3]);
    assert_eq!(walk.errors.len(), 1);
    assert_eq!(walk.errors[0].kind(), ErrorKind::PaginationLoop);
    assert!(walk.errors[0].message().contains("limit"), "{}", walk.errors[0]);
    assert_eq!(walk.summary.completeness, Completeness::Unfinished);
    assert!(server.list_requests().len() <= 5, "{:?}", server.list_requests());
}

#[tokio::test]
async fn one_page_of_a_server_that_does_not_look_at_previous_id_is_never_called_whole() {
    // It may have a maximum of its own, which can not be told from the end of the list.
    for accounts in [2, 3] {
        let server = server(accounts, FortanixPaging::IgnoresPreviousId).await;
        let walk = walk(list(&server).limit(3)).await;
        assert_eq!(ids(&walk.items), server.ids());
        assert!(walk.errors.is_empty(), "{:?}", walk.errors);
        let capped = Doubt::Capped { cap: accounts as u64 };
        assert_eq!(walk.summary.completeness, Completeness::Doubtful(vec![capped]));
    }
}

#[tokio::test]
async fn a_server_with_a_maximum_below_limit_is_listed_whole() {
    for paging in [FortanixPaging::After, FortanixPaging::At] {
        let builder = sim::Fortanix::builder().accounts(11).paging(paging).max_limit(3);
        let server = builder.start().await.unwrap();
        assert_eq!(ids(&whole(list(&server).limit(50)).await), server.ids());
    }
}

#[tokio::test]
async fn an_empty_page_without_items_is_the_end() {
    let builder = sim::Fortanix::builder().accounts(4).omit_empty_items(true);
    let server = builder.start().await.unwrap();
    assert_eq!(ids(&whole(list(&server).limit(2)).await), server.ids());
}

#[tokio::test]
async fn a_list_starts_after_the_previous_id_that_it_is_given() {
    for paging in [FortanixPaging::After, FortanixPaging::At] {
        let server = server(9, paging).await;
        let ids_there = server.ids();
        for start in [0, 4, 8] {
            let from = Uuid::parse_str(&ids_there[start]).unwrap();
            let listed = whole(list(&server).limit(3).previous_id(from)).await;
            assert_eq!(ids(&listed), ids_there[start + 1..], "{paging:?} {start}");
        }
        let first = &server.list_requests()[0];
        assert_eq!(first.query_value("previous_id"), Some(ids_there[0].as_str()));
    }
}

#[tokio::test]
async fn a_page_whose_previous_account_is_gone_goes_on_where_it_stood() {
    for paging in [FortanixPaging::After, FortanixPaging::At] {
        let there = server(10, FortanixPaging::After).await.ids();
        let gone = there[3].clone();
        let builder = sim::Fortanix::builder().accounts(10).paging(paging);
        let server = builder
            .before_list(move |number, world| {
                if number == 2 {
                    world.remove(&gone);
                }
            })
            .start()
            .await
            .unwrap();
        assert_eq!(ids(&whole(list(&server).limit(4)).await), there, "it was there when its page was");
    }
}

#[tokio::test]
async fn every_parameter_reaches_the_wire_as_documented() {
    let server = server(3, FortanixPaging::After).await;
    let sorted = list(&server)
        .account_scope(AccountScope::System)
        .limit(250)
        .sort_by("acct_id", SortOrder::Descending)
        .sort_by("name", SortOrder::Ascending);
    let listed = whole(sorted).await;
    let mut backwards = server.ids();
    backwards.reverse();
    assert_eq!(ids(&listed), backwards);
    let request = &server.list_requests()[0];
    let expected = [("scope", "SYSTEM"), ("limit", "250"), ("sort_by", "acct_id:DESC,name:ASC")];
    let sent: Vec<_> = request.query().iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(sent, expected);

    server.clear_requests();
    whole(list(&server).account_scope(AccountScope::User)).await;
    let request = &server.list_requests()[0];
    assert_eq!(request.query_value("scope"), Some("USER"));
    assert_eq!(request.query_value("limit"), Some("100"), "the documented default is always sent");
    assert_eq!(request.query_value("sort_by"), None);
}

#[tokio::test]
async fn a_sort_key_of_any_characters_reaches_the_wire_unchanged() {
    let server = server(3, FortanixPaging::After).await;
    let error = refusal(list(&server).sort_by(STRANGE, SortOrder::Ascending)).await;
    assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(400)));
    assert!(error.message().starts_with("Invalid sort_by"), "{error}");
    let expected = format!("{STRANGE}:ASC");
    assert_eq!(server.list_requests()[0].query_value("sort_by"), Some(expected.as_str()));
}

#[tokio::test]
async fn an_order_by_anything_but_the_id_is_listed_with_a_doubt() {
    let server = server(12, FortanixPaging::After).await;
    let walk = walk(list(&server).limit(5).sort_by("name", SortOrder::Ascending)).await;
    let mut listed = ids(&walk.items);
    listed.sort();
    assert_eq!(listed, server.ids());
    assert_eq!(walk.summary.completeness, Completeness::Doubtful(vec![Doubt::UnstableOrder]));
}

#[tokio::test]
async fn parameters_that_can_not_be_are_refused_before_anything_is_sent() {
    let server = server(3, FortanixPaging::After).await;
    let fresh = || list(&server);
    refused_unsent(&server, fresh().limit(0), &["limit is 0", "expected 2 or more"]).await;
    refused_unsent(&server, fresh().limit(1), &["limit is 1", "expected 2 or more"]).await;
    for key in ["", "name:ASC", "name,acct_id"] {
        let list = fresh().sort_by(key, SortOrder::Ascending);
        refused_unsent(&server, list, &["sort key", "expected"]).await;
    }
}
