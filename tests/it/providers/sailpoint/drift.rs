//! Accounts that come and go while they are listed: those that stay come exactly once.

use headcount::{
    Completeness, ErrorKind, IncompleteReason, SortOrder,
    sailpoint::{Account, Field, ListAccounts},
};
use headcount_sim::{SailPoint, SailPointPastEnd, World};
use serde_json::json;

use crate::providers::support::{Walk, canned, sailpoint, walk};

/// What each case starts with.
const ACCOUNTS: usize = 60;
const LIMIT: u32 = 10;

/// Lists a world that `change` changes before each list request, and checks what must hold of any:
/// the accounts that were there all the time came exactly once, and none came twice. The first `skip`
/// accounts of the world are left out.
async fn list_changing(
    list: impl Fn(ListAccounts) -> ListAccounts,
    skip: usize,
    past_end: SailPointPastEnd,
    change: impl Fn(usize, &[String], &mut World) + Send + 'static,
) -> (SailPoint, Walk<Account>) {
    let mut first: Option<Vec<String>> = None;
    let builder = SailPoint::builder().accounts(ACCOUNTS).rate_limit(None).past_end(past_end);
    let server = builder
        .before_list(move |number, world| {
            let first = first.get_or_insert_with(|| world.ids());
            change(number, first, world);
        })
        .start()
        .await
        .unwrap();
    let there = server.ids();
    let client = sailpoint(&server).build().unwrap();
    let walk = walk(list(client.list_accounts().limit(LIMIT))).await;
    let mut listed: Vec<_> = walk.items.iter().map(|account| account.id.clone()).collect();
    listed.sort();
    let twice: Vec<_> = listed.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert!(twice.is_empty(), "listed twice: {twice:?}");
    if walk.errors.is_empty() {
        let left = server.ids();
        let stayed = there[skip..].iter().filter(|id| left.contains(id));
        let missing: Vec<_> = stayed.filter(|id| listed.binary_search(id).is_err()).collect();
        assert!(missing.is_empty(), "{} were not listed: {missing:?}", missing.len());
    }
    (server, walk)
}

async fn list_whole_changing(change: impl Fn(usize, &[String], &mut World) + Clone + Send + 'static) {
    for (past_end, count) in [
        (SailPointPastEnd::Empty, None),
        (SailPointPastEnd::Empty, Some(true)),
        (SailPointPastEnd::BadRequest, Some(false)),
    ] {
        let list = |list: ListAccounts| count.iter().fold(list, |list, count| list.count(*count));
        let (_, walk) = list_changing(list, 0, past_end, change.clone()).await;
        assert!(walk.errors.is_empty(), "{past_end:?} {count:?}: {:?}", walk.errors);
    }
}

fn remove(world: &mut World, ids: &[String]) {
    for id in ids {
        world.remove(id);
    }
}

#[tokio::test]
async fn accounts_removed_before_the_place_hide_none_behind_it() {
    for removed in [1, 5, 9] {
        list_whole_changing(move |number, first, world| {
            if number == 3 {
                remove(world, &first[..removed]);
            }
        })
        .await;
    }
}

#[tokio::test]
async fn the_last_account_seen_may_be_removed() {
    // The second page ends with the account at 18, as it begins at 9.
    for gone in [18..19, 17..19, 12..19, 18..22] {
        list_whole_changing(move |number, first, world| {
            if number == 3 {
                remove(world, &first[gone.clone()]);
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_whole_page_or_all_that_was_seen_may_be_removed() {
    for gone in [9..19, 0..19, 0..30, 5..45, 0..59, 0..60, 19..60] {
        list_whole_changing(move |number, first, world| {
            if number == 3 {
                remove(world, &first[gone.clone()]);
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_few_removed_before_every_page_hide_none() {
    list_whole_changing(|number, first, world| {
        let from = (number - 1) * 3;
        remove(world, first.get(from..from + 3).unwrap_or_default());
    })
    .await;
}

#[tokio::test]
async fn accounts_made_in_bursts_make_none_come_twice() {
    for burst in [1, 9, 10, 35] {
        list_whole_changing(move |number, _, world| {
            if number == 2 || number == 4 {
                world.generate(burst);
            }
        })
        .await;
    }
}

#[tokio::test]
async fn accounts_made_all_before_the_place_make_none_come_twice() {
    list_whole_changing(|number, _, world| {
        if number == 3 {
            for index in 0..27 {
                world.insert(json!({"id": format!("{index:032x}"), "name": "early"}));
            }
        }
    })
    .await;
}

#[tokio::test]
async fn comings_and_goings_at_once_hide_none() {
    list_whole_changing(|number, first, world| match number {
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
async fn accounts_removed_before_a_list_that_starts_at_an_offset_hide_none() {
    for removed in [3, 10, 15, 25] {
        let (_, walk) = list_changing(
            |list| list.offset(10),
            10,
            SailPointPastEnd::Empty,
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
async fn a_change_of_the_count_is_told() {
    let (_, walk) = list_changing(
        |list| list,
        0,
        SailPointPastEnd::Empty,
        |number, first, world| {
            if number == 2 {
                remove(world, &first[..4]);
            }
        },
    )
    .await;
    let doubt = IncompleteReason::TotalChanged { from: 60, to: 56 };
    assert_eq!(walk.summary.completeness, Completeness::Uncertain(vec![doubt]));
}

#[tokio::test]
async fn in_an_order_of_ones_own_a_seam_that_does_not_hold_is_told() {
    for gone in [0..3, 18..19, 8..19, 0..30] {
        let server = SailPoint::builder().accounts(ACCOUNTS).rate_limit(None);
        let server = server.before_list(move |number, world| {
            if number == 3 {
                let newest = newest_first(world);
                remove(world, &newest[gone.clone()]);
            }
        });
        let server = server.start().await.unwrap();
        let list = sailpoint(&server).build().unwrap().list_accounts().limit(LIMIT);
        let walk = walk(list.sort_by(Field::Created, SortOrder::Descending)).await;
        assert!(walk.errors.is_empty(), "{:?}", walk.errors);
        let Completeness::Uncertain(doubts) = walk.summary.completeness else {
            panic!("accounts may have moved past the list, and that is not told");
        };
        assert!(doubts.contains(&IncompleteReason::BoundariesUnverified), "{doubts:?}");
    }
}

/// The ids as `sorters=-created,id` has them.
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
async fn rows_without_an_id_never_hide_those_behind_them() {
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
async fn a_server_that_answers_with_more_than_was_asked_is_listed_once() {
    // Nothing in the reference promises that `limit` is a maximum that is kept.
    let rows: Vec<_> = (0..6).map(|id| json!({"id": format!("{id}")})).collect();
    let transport = crate::providers::support::Canned::new(move |_, request| {
        let query = request.uri().query().unwrap().to_owned();
        let offset = query.split('&').find_map(|pair| pair.strip_prefix("offset="));
        let offset = offset.unwrap().parse().unwrap();
        let rows: Vec<_> = rows.iter().skip(offset).collect();
        crate::providers::support::answer(200, json!(rows).to_string())
    });
    let walk = walk(canned::sailpoint(&transport).list_accounts().limit(2)).await;
    let listed: Vec<_> = walk.items.iter().map(|account| account.id.as_str()).collect();
    assert_eq!(listed, ["0", "1", "2", "3", "4", "5"]);
    assert!(walk.errors.is_empty(), "{:?}", walk.errors);
}
