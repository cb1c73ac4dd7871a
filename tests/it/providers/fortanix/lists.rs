use futures::{StreamExt, TryStreamExt};
use headcount::{
    Completeness, ErrorKind, IncompleteReason, Paginator, SortOrder,
    fortanix::{Account, AccountScope, ListAccounts},
};
use headcount_sim::{self as sim, FortanixPaging, FortanixUnknownId};
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

/// The `previous_id` of each request, when every page shows one of the rows before it and `fresh` new ones at most.
fn seams(ids: &[String], limit: usize, fresh: usize) -> Vec<Option<String>> {
    if ids.is_empty() {
        // An empty page may be a mistake.
        return vec![None; 3];
    }
    let mut seams = vec![None];
    let mut seen = limit.min(ids.len());
    loop {
        seams.push(seen.checked_sub(2).map(|place| ids[place].clone()));
        if seen == ids.len() {
            return seams;
        }
        seen = (seen + fresh).min(ids.len());
    }
}

#[tokio::test]
async fn every_account_comes_once_whether_pages_start_after_or_at_the_previous_id() {
    for (paging, fresh) in [(FortanixPaging::After, 4), (FortanixPaging::At, 3)] {
        for accounts in [0, 3, 4, 5, 6, 9, 10, 23] {
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
    for accounts in [3, 7] {
        let server = server(accounts, FortanixPaging::IgnoresPreviousId).await;
        let walk = walk(list(&server).limit(3)).await;
        assert_eq!(ids(&walk.items), server.ids()[..3]);
        assert_eq!(walk.errors.len(), 1);
        assert_eq!(walk.errors[0].kind(), ErrorKind::PaginationLoop);
        assert!(walk.errors[0].message().contains("limit"), "{}", walk.errors[0]);
        assert_eq!(walk.summary.completeness, Completeness::InProgress);
        assert!(server.list_requests().len() <= 5, "{:?}", server.list_requests());
    }
}

#[tokio::test]
async fn one_page_of_a_server_that_does_not_look_at_previous_id_is_never_called_whole() {
    // It may have a maximum of its own, which can not be told from the end of the list.
    for accounts in [2, 3] {
        let server = server(accounts, FortanixPaging::IgnoresPreviousId).await;
        let walk = walk(list(&server).limit(4)).await;
        assert_eq!(ids(&walk.items), server.ids());
        assert!(walk.errors.is_empty(), "{:?}", walk.errors);
        let capped = IncompleteReason::Truncated { cap: accounts as u64 };
        assert_eq!(walk.summary.completeness, Completeness::Uncertain(vec![capped]));
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
    assert_eq!(ids(&whole(list(&server).limit(3)).await), server.ids());
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

const UNKNOWN: [FortanixUnknownId; 5] = [
    FortanixUnknownId::Keyset,
    FortanixUnknownId::BadRequest,
    FortanixUnknownId::NotFound,
    FortanixUnknownId::Empty,
    FortanixUnknownId::StartOver,
];

/// A server whose accounts with these places are deleted before the second request for a page.
async fn losing(
    accounts: usize,
    paging: FortanixPaging,
    unknown: FortanixUnknownId,
    places: &[usize],
) -> (sim::Fortanix, Vec<String>) {
    let there = server(accounts, paging).await.ids();
    let gone: Vec<_> = places.iter().map(|place| there[*place].clone()).collect();
    let builder = sim::Fortanix::builder().accounts(accounts).paging(paging).unknown_id(unknown);
    let builder = builder.before_list(move |number, world| {
        if number == 2 {
            for id in &gone {
                world.remove(id);
            }
        }
    });
    (builder.start().await.unwrap(), there)
}

#[tokio::test]
async fn accounts_that_end_a_page_and_are_deleted_take_no_other_with_them() {
    for paging in [FortanixPaging::After, FortanixPaging::At] {
        for unknown in UNKNOWN {
            for places in [&[3][..], &[2], &[2, 3], &[1, 3], &[0, 1, 2]] {
                let (server, there) = losing(11, paging, unknown, places).await;
                let listed = ids(&whole(list(&server).limit(4)).await);
                assert_eq!(
                    listed, there,
                    "{paging:?} {unknown:?} {places:?}: all were there when their page was"
                );
            }
        }
    }
}

#[tokio::test]
async fn an_empty_answer_to_a_deleted_account_is_not_the_end() {
    let (server, there) = losing(11, FortanixPaging::After, FortanixUnknownId::Empty, &[2]).await;
    assert_eq!(ids(&whole(list(&server).limit(3)).await), there);
}

#[tokio::test]
async fn an_empty_answer_to_a_deleted_account_is_not_the_end_of_a_resumed_list() {
    for unknown in UNKNOWN {
        for taken in 1..9 {
            let server = sim::Fortanix::builder().accounts(11).unknown_id(unknown).start().await.unwrap();
            let there = server.ids();
            let mut items = list(&server).limit(4).items();
            let mut listed: Vec<Account> = items.by_ref().take(taken).try_collect().await.unwrap();
            let saved = serde_json::to_string(&items.checkpoint()).unwrap();
            server.remove(&there[taken - 1]);
            let mut items = list(&server).limit(4).resume(&serde_json::from_str(&saved).unwrap()).unwrap();
            listed.extend(items.by_ref().try_collect::<Vec<_>>().await.unwrap());
            assert_eq!(ids(&listed), there, "{unknown:?} {taken}");
            assert_eq!(items.summary().completeness, Completeness::Complete, "{unknown:?} {taken}");
        }
    }
}

#[tokio::test]
async fn a_server_that_starts_over_at_a_deleted_account_repeats_nothing() {
    let (server, there) = losing(1_000, FortanixPaging::After, FortanixUnknownId::StartOver, &[99, 98]).await;
    assert_eq!(ids(&whole(list(&server).limit(100)).await), there);
}

#[tokio::test]
async fn a_list_whose_last_accounts_are_all_deleted_is_an_error() {
    let places: Vec<_> = (12..20).collect();
    for unknown in [FortanixUnknownId::BadRequest, FortanixUnknownId::Empty, FortanixUnknownId::StartOver] {
        let (server, there) = losing(60, FortanixPaging::After, unknown, &places).await;
        let walk = walk(list(&server).limit(20)).await;
        assert_eq!(ids(&walk.items), there[..20]);
        assert_eq!(walk.errors[0].kind(), ErrorKind::ListingChanged, "{unknown:?}: {}", walk.errors[0]);
        assert_eq!(walk.summary.completeness, Completeness::InProgress);
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
    assert_eq!(walk.summary.completeness, Completeness::Uncertain(vec![IncompleteReason::UnstableOrder]));
}

#[tokio::test]
async fn parameters_that_can_not_be_are_refused_before_anything_is_sent() {
    let server = server(3, FortanixPaging::After).await;
    let fresh = || list(&server);
    for limit in [0, 1, 2] {
        let said = format!("limit is {limit}");
        refused_unsent(&server, fresh().limit(limit), &[&said, "expected 3 or more"]).await;
    }
    for key in ["", "name:ASC", "name,acct_id"] {
        let list = fresh().sort_by(key, SortOrder::Ascending);
        refused_unsent(&server, list, &["sort key", "expected"]).await;
    }
}
