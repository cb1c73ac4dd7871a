use futures::{StreamExt, TryStreamExt};
use headcount::{
    Completeness, ErrorKind, IncompleteReason, SortOrder,
    fortanix::{Account, AccountScope, ListAccounts},
};
use headcount_sim::{self as sim, FortanixPaging, FortanixUnknownId};
use uuid::Uuid;

use crate::providers::support::{STRANGE, assert_list_unsent, fortanix, list_all, list_error, values, walk};

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

/// Returns the expected `previous_id` of each request, if each page repeats listed rows and has at most `new`
/// new ones.
fn previous_ids(ids: &[String], limit: usize, new: usize) -> Vec<Option<String>> {
    if ids.is_empty() {
        // An empty list is requested three times.
        return vec![None; 3];
    }
    let mut previous_ids = vec![None];
    let mut listed = limit.min(ids.len());
    loop {
        previous_ids.push(listed.checked_sub(2).map(|index| ids[index].clone()));
        if listed == ids.len() {
            return previous_ids;
        }
        listed = (listed + new).min(ids.len());
    }
}

#[tokio::test]
async fn pages_after_or_at_previous_id() {
    for (paging, new) in [(FortanixPaging::After, 4), (FortanixPaging::At, 3)] {
        for accounts in [0, 3, 4, 5, 6, 9, 10, 23] {
            let server = server(accounts, paging).await;
            let listed = list_all(list(&server).limit(5)).await;
            assert_eq!(ids(&listed), server.ids(), "{paging:?} {accounts}");
            let requests = server.list_requests();
            assert_eq!(
                values(&requests, "previous_id"),
                previous_ids(&server.ids(), 5, new),
                "{paging:?} {accounts}"
            );
            assert!(values(&requests, "limit").iter().all(|limit| limit.as_deref() == Some("5")));
        }
    }
}

#[tokio::test]
async fn server_that_ignores_all_parameters() {
    // Fewer accounts than limit, exactly as many, and more.
    for accounts in [0, 1, 2, 3, 4, 9] {
        let server = server(accounts, FortanixPaging::IgnoresAll).await;
        let listed = list_all(list(&server).limit(3)).await;
        assert_eq!(ids(&listed), server.ids(), "{accounts}");
    }
}

#[tokio::test]
async fn ignored_previous_id_is_an_error() {
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
async fn ignored_previous_id_may_be_truncated() {
    // The server may have a maximum of its own, which looks the same as the end of the list.
    for accounts in [2, 3] {
        let server = server(accounts, FortanixPaging::IgnoresPreviousId).await;
        let walk = walk(list(&server).limit(4)).await;
        assert_eq!(ids(&walk.items), server.ids());
        assert!(walk.errors.is_empty(), "{:?}", walk.errors);
        let truncated = IncompleteReason::Truncated { cap: accounts as u64 };
        assert_eq!(walk.summary.completeness, Completeness::Uncertain(vec![truncated]));
    }
}

#[tokio::test]
async fn server_maximum_below_limit() {
    for paging in [FortanixPaging::After, FortanixPaging::At] {
        let builder = sim::Fortanix::builder().accounts(11).paging(paging).max_limit(3);
        let server = builder.start().await.unwrap();
        assert_eq!(ids(&list_all(list(&server).limit(50)).await), server.ids());
    }
}

#[tokio::test]
async fn empty_page_without_items_is_the_end() {
    let builder = sim::Fortanix::builder().accounts(4).omit_empty_items(true);
    let server = builder.start().await.unwrap();
    assert_eq!(ids(&list_all(list(&server).limit(3)).await), server.ids());
}

#[tokio::test]
async fn list_starts_after_previous_id() {
    for paging in [FortanixPaging::After, FortanixPaging::At] {
        let server = server(9, paging).await;
        let all_ids = server.ids();
        for start in [0, 4, 8] {
            let from = Uuid::parse_str(&all_ids[start]).unwrap();
            let listed = list_all(list(&server).limit(3).previous_id(from)).await;
            assert_eq!(ids(&listed), all_ids[start + 1..], "{paging:?} {start}");
        }
        let first = &server.list_requests()[0];
        assert_eq!(first.query_value("previous_id"), Some(all_ids[0].as_str()));
    }
}

const UNKNOWN_IDS: [FortanixUnknownId; 5] = [
    FortanixUnknownId::Keyset,
    FortanixUnknownId::BadRequest,
    FortanixUnknownId::NotFound,
    FortanixUnknownId::Empty,
    FortanixUnknownId::StartOver,
];

/// Starts a server that deletes the accounts with these indices before the second page, and returns all ids.
async fn server_with_deletions(
    accounts: usize,
    paging: FortanixPaging,
    unknown: FortanixUnknownId,
    indices: &[usize],
) -> (sim::Fortanix, Vec<String>) {
    let all_ids = server(accounts, paging).await.ids();
    let deleted: Vec<_> = indices.iter().map(|index| all_ids[*index].clone()).collect();
    let builder = sim::Fortanix::builder().accounts(accounts).paging(paging).unknown_id(unknown);
    let builder = builder.before_list(move |number, world| {
        if number == 2 {
            for id in &deleted {
                world.remove(id);
            }
        }
    });
    (builder.start().await.unwrap(), all_ids)
}

#[tokio::test]
async fn deleted_accounts_at_a_page_end() {
    for paging in [FortanixPaging::After, FortanixPaging::At] {
        for unknown in UNKNOWN_IDS {
            for indices in [&[3][..], &[2], &[2, 3], &[1, 3], &[0, 1, 2]] {
                let (server, all_ids) = server_with_deletions(11, paging, unknown, indices).await;
                let listed = ids(&list_all(list(&server).limit(4)).await);
                assert_eq!(
                    listed, all_ids,
                    "{paging:?} {unknown:?} {indices:?}: all existed when their page was fetched"
                );
            }
        }
    }
}

#[tokio::test]
async fn empty_page_after_deletion_is_not_the_end() {
    let (server, all_ids) =
        server_with_deletions(11, FortanixPaging::After, FortanixUnknownId::Empty, &[2]).await;
    assert_eq!(ids(&list_all(list(&server).limit(3)).await), all_ids);
}

#[tokio::test]
async fn resumed_list_after_a_deletion_is_complete() {
    for unknown in UNKNOWN_IDS {
        for taken in 1..9 {
            let server = sim::Fortanix::builder().accounts(11).unknown_id(unknown).start().await.unwrap();
            let all_ids = server.ids();
            let mut items = list(&server).limit(4).items();
            let mut listed: Vec<Account> = items.by_ref().take(taken).try_collect().await.unwrap();
            let saved = serde_json::to_string(&items.checkpoint()).unwrap();
            server.remove(&all_ids[taken - 1]);
            let mut items = list(&server).limit(4).resume(&serde_json::from_str(&saved).unwrap()).unwrap();
            listed.extend(items.by_ref().try_collect::<Vec<_>>().await.unwrap());
            assert_eq!(ids(&listed), all_ids, "{unknown:?} {taken}");
            assert_eq!(items.summary().completeness, Completeness::Complete, "{unknown:?} {taken}");
        }
    }
}

#[tokio::test]
async fn server_that_starts_over_repeats_nothing() {
    let (server, all_ids) =
        server_with_deletions(1_000, FortanixPaging::After, FortanixUnknownId::StartOver, &[99, 98]).await;
    assert_eq!(ids(&list_all(list(&server).limit(100)).await), all_ids);
}

#[tokio::test]
async fn all_last_accounts_deleted_is_an_error() {
    let indices: Vec<_> = (12..20).collect();
    for unknown in [FortanixUnknownId::BadRequest, FortanixUnknownId::Empty, FortanixUnknownId::StartOver] {
        let (server, all_ids) = server_with_deletions(60, FortanixPaging::After, unknown, &indices).await;
        let walk = walk(list(&server).limit(20)).await;
        assert_eq!(ids(&walk.items), all_ids[..20]);
        assert_eq!(walk.errors[0].kind(), ErrorKind::ListingChanged, "{unknown:?}: {}", walk.errors[0]);
        assert_eq!(walk.summary.completeness, Completeness::InProgress);
    }
}

#[tokio::test]
async fn each_parameter_is_sent_as_documented() {
    let server = server(3, FortanixPaging::After).await;
    let sorted = list(&server)
        .account_scope(AccountScope::System)
        .limit(250)
        .sort_by("acct_id", SortOrder::Descending)
        .sort_by("name", SortOrder::Ascending);
    let listed = list_all(sorted).await;
    let mut reversed = server.ids();
    reversed.reverse();
    assert_eq!(ids(&listed), reversed);
    let request = &server.list_requests()[0];
    let expected = [("scope", "SYSTEM"), ("limit", "250"), ("sort_by", "acct_id:DESC,name:ASC")];
    let sent: Vec<_> = request.query().iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(sent, expected);

    server.clear_requests();
    list_all(list(&server).account_scope(AccountScope::User)).await;
    let request = &server.list_requests()[0];
    assert_eq!(request.query_value("scope"), Some("USER"));
    assert_eq!(request.query_value("limit"), Some("100"), "the documented default is always sent");
    assert_eq!(request.query_value("sort_by"), None);
}

#[tokio::test]
async fn sort_key_is_sent_unchanged() {
    let server = server(3, FortanixPaging::After).await;
    let error = list_error(list(&server).sort_by(STRANGE, SortOrder::Ascending)).await;
    assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(400)));
    assert!(error.message().starts_with("Invalid sort_by"), "{error}");
    let expected = format!("{STRANGE}:ASC");
    assert_eq!(server.list_requests()[0].query_value("sort_by"), Some(expected.as_str()));
}

#[tokio::test]
async fn order_by_name_is_reported_as_unstable() {
    let server = server(12, FortanixPaging::After).await;
    let walk = walk(list(&server).limit(5).sort_by("name", SortOrder::Ascending)).await;
    let mut listed = ids(&walk.items);
    listed.sort();
    assert_eq!(listed, server.ids());
    assert_eq!(walk.summary.completeness, Completeness::Uncertain(vec![IncompleteReason::UnstableOrder]));
}

#[tokio::test]
async fn invalid_parameters_are_not_sent() {
    let server = server(3, FortanixPaging::After).await;
    let new_list = || list(&server);
    for limit in [0, 1, 2] {
        let message = format!("limit is {limit}");
        assert_list_unsent(&server, new_list().limit(limit), &[&message, "expected 3 or more"]).await;
    }
    for key in ["", "name:ASC", "name,acct_id"] {
        let list = new_list().sort_by(key, SortOrder::Ascending);
        assert_list_unsent(&server, list, &["sort key", "expected"]).await;
    }
}
