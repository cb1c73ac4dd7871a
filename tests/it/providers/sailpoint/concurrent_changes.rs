//! Accounts are added and removed during a listing: accounts that exist throughout are listed exactly once.

use headcount::{
    Completeness, ErrorKind, IncompleteReason, SortOrder,
    sailpoint::{Account, Field, ListAccounts},
};
use headcount_sim::{BeyondEnd, SailPoint, World};
use serde_json::json;

use crate::providers::support::{Walk, canned, sailpoint, walk};

/// The initial number of accounts.
const ACCOUNTS: usize = 60;
const LIMIT: u32 = 10;

/// Lists accounts while `change` modifies them before each list request. Checks that accounts that exist
/// throughout are listed exactly once and that no account is listed twice. The first `skip` accounts are not
/// expected.
async fn list_during(
    list: impl Fn(ListAccounts) -> ListAccounts,
    skip: usize,
    past_end: BeyondEnd,
    change: impl Fn(usize, &[String], &mut World) + Send + 'static,
) -> (SailPoint, Walk<Account>) {
    let mut first: Option<Vec<String>> = None;
    let builder = SailPoint::builder().accounts(ACCOUNTS).rate_limit(None).beyond_end(past_end);
    let server = builder
        .before_list(move |number, world| {
            let first = first.get_or_insert_with(|| world.ids());
            change(number, first, world);
        })
        .start()
        .await
        .unwrap();
    let initial = server.ids();
    let client = sailpoint(&server).build().unwrap();
    let walk = walk(list(client.list_accounts().limit(LIMIT))).await;
    let mut listed: Vec<_> = walk.items.iter().map(|account| account.id.clone()).collect();
    listed.sort();
    let duplicates: Vec<_> = listed.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert!(duplicates.is_empty(), "listed twice: {duplicates:?}");
    if walk.errors.is_empty() {
        let remaining = server.ids();
        let expected = initial[skip..].iter().filter(|id| remaining.contains(id));
        let missing: Vec<_> = expected.filter(|id| listed.binary_search(id).is_err()).collect();
        assert!(missing.is_empty(), "{} were not listed: {missing:?}", missing.len());
    }
    (server, walk)
}

async fn list_all_during(change: impl Fn(usize, &[String], &mut World) + Clone + Send + 'static) {
    for (past_end, count) in
        [(BeyondEnd::Empty, None), (BeyondEnd::Empty, Some(true)), (BeyondEnd::BadRequest, Some(false))]
    {
        let list = |list: ListAccounts| count.iter().fold(list, |list, count| list.count(*count));
        let (_, walk) = list_during(list, 0, past_end, change.clone()).await;
        assert!(walk.errors.is_empty(), "{past_end:?} {count:?}: {:?}", walk.errors);
    }
}

fn remove(world: &mut World, ids: &[String]) {
    for id in ids {
        world.remove(id);
    }
}

#[tokio::test]
async fn removals_before_the_position() {
    for removed in [1, 5, 9] {
        list_all_during(move |number, first, world| {
            if number == 3 {
                remove(world, &first[..removed]);
            }
        })
        .await;
    }
}

#[tokio::test]
async fn last_listed_account_removed() {
    // The second page ends with the account at 18, as it begins at 9.
    for removed in [18..19, 17..19, 12..19, 18..22] {
        list_all_during(move |number, first, world| {
            if number == 3 {
                remove(world, &first[removed.clone()]);
            }
        })
        .await;
    }
}

#[tokio::test]
async fn whole_pages_removed() {
    for removed in [9..19, 0..19, 0..30, 5..45, 0..59, 0..60, 19..60] {
        list_all_during(move |number, first, world| {
            if number == 3 {
                remove(world, &first[removed.clone()]);
            }
        })
        .await;
    }
}

#[tokio::test]
async fn removals_before_every_page() {
    list_all_during(|number, first, world| {
        let from = (number - 1) * 3;
        remove(world, first.get(from..from + 3).unwrap_or_default());
    })
    .await;
}

#[tokio::test]
async fn bursts_of_insertions() {
    for burst in [1, 9, 10, 35] {
        list_all_during(move |number, _, world| {
            if number == 2 || number == 4 {
                world.generate(burst);
            }
        })
        .await;
    }
}

#[tokio::test]
async fn insertions_before_the_position() {
    list_all_during(|number, _, world| {
        if number == 3 {
            for index in 0..27 {
                world.insert(json!({"id": format!("{index:032x}"), "name": "early"}));
            }
        }
    })
    .await;
}

#[tokio::test]
async fn simultaneous_insertions_and_removals() {
    list_all_during(|number, first, world| match number {
        2 => {
            world.generate(12);
            remove(world, &first[3..12]);
        }
        4 => {
            remove(world, &first[20..41]);
            world.generate(3);
        }
        _ => {}
    })
    .await;
}

#[tokio::test]
async fn removals_before_the_start_offset() {
    for removed in [3, 10, 15, 25] {
        let (_, walk) = list_during(
            |list| list.offset(10),
            10,
            BeyondEnd::Empty,
            move |number, first, world| {
                if number == 2 {
                    remove(world, &first[..removed]);
                }
            },
        )
        .await;
        assert!(walk.errors.is_empty(), "{removed}: {:?}", walk.errors);
    }
}

#[tokio::test]
async fn count_change_is_reported() {
    let (_, walk) = list_during(
        |list| list,
        0,
        BeyondEnd::Empty,
        |number, first, world| {
            if number == 2 {
                remove(world, &first[..4]);
            }
        },
    )
    .await;
    let reason = IncompleteReason::TotalChanged { from: 60, to: 56 };
    assert_eq!(walk.summary.completeness, Completeness::Uncertain(vec![reason]));
}

#[tokio::test]
async fn custom_order_reports_unverified_boundary() {
    for removed in [0..3, 18..19, 8..19, 0..30] {
        let server = SailPoint::builder().accounts(ACCOUNTS).rate_limit(None);
        let server = server.before_list(move |number, world| {
            if number == 3 {
                let newest = newest_first(world);
                remove(world, &newest[removed.clone()]);
            }
        });
        let server = server.start().await.unwrap();
        let list = sailpoint(&server).build().unwrap().list_accounts().limit(LIMIT);
        let walk = walk(list.sort_by(Field::Created, SortOrder::Descending)).await;
        assert!(walk.errors.is_empty(), "{:?}", walk.errors);
        let Completeness::Uncertain(reasons) = walk.summary.completeness else {
            panic!("accounts may have been missed, and this is not reported");
        };
        assert!(reasons.contains(&IncompleteReason::BoundariesUnverified), "{reasons:?}");
    }
}

/// Returns the ids in the order of `sorters=-created,id`.
fn newest_first(world: &World) -> Vec<String> {
    let mut keys: Vec<_> = world
        .records()
        .iter()
        .map(|record| {
            let created: chrono::DateTime<chrono::Utc> = record["created"].as_str().unwrap().parse().unwrap();
            (std::cmp::Reverse(created), record["id"].as_str().unwrap().to_owned())
        })
        .collect();
    keys.sort();
    keys.into_iter().map(|(_, id)| id).collect()
}

#[tokio::test]
async fn rows_without_id_hide_no_accounts() {
    for seed in 0..8 {
        for (limit, order) in [(2, None), (3, None), (3, Some(Field::Name)), (5, None)] {
            let builder = SailPoint::builder().accounts(9).seed(seed).rate_limit(None);
            let server = builder.start().await.unwrap();
            for _ in 0..4 {
                server.insert(json!({"name": "nameless"}));
            }
            let list = sailpoint(&server).build().unwrap().list_accounts().limit(limit);
            let list = order.into_iter().fold(list, |list, field| list.sort_by(field, SortOrder::Ascending));
            let walk = walk(list).await;
            let case = format!("seed {seed} limit {limit} {order:?}");
            let mut listed: Vec<_> = walk.items.iter().map(|account| account.id.clone()).collect();
            listed.sort();
            assert_eq!(listed, server.ids(), "{case}");
            assert!(
                walk.errors.iter().all(|error| error.kind() == ErrorKind::InvalidRecord),
                "{case}: {:?}",
                walk.errors
            );
            assert_eq!(walk.errors.len(), 4, "{case}");
        }
    }
}

#[tokio::test]
async fn pages_larger_than_the_limit() {
    // The reference does not guarantee that a page has at most `limit` rows.
    let rows: Vec<_> = (0..6).map(|id| json!({"id": format!("{id}")})).collect();
    let transport = crate::providers::support::Canned::new(move |_, request| {
        let query = request.uri().query().unwrap().to_owned();
        let offset = query.split('&').find_map(|pair| pair.strip_prefix("offset="));
        let offset = offset.unwrap().parse().unwrap();
        let rows: Vec<_> = rows.iter().skip(offset).collect();
        crate::providers::support::respond(200, json!(rows).to_string())
    });
    let walk = walk(canned::sailpoint(&transport).list_accounts().limit(2)).await;
    let listed: Vec<_> = walk.items.iter().map(|account| account.id.as_str()).collect();
    assert_eq!(listed, ["0", "1", "2", "3", "4", "5"]);
    assert!(walk.errors.is_empty(), "{:?}", walk.errors);
}
