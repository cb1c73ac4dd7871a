//! Pages that do not join as they should: accounts that move in the caller's order, counts that are too high,
//! offsets that the server refuses.

use std::collections::BTreeSet;

use headcount::{
    Completeness, Doubt, ErrorKind, SortOrder,
    sailpoint::{Field, ListAccounts},
};
use headcount_sim::{SailPoint, World};
use http::HeaderValue;
use serde_json::json;

use super::modified::by_modified;
use crate::providers::support::{Answer, Canned, answer, canned, sailpoint, walk};

const ACCOUNTS: usize = 300;

/// Sets `modified` of those at these places to the given minute of a year to come.
fn touch(world: &mut World, places: &[usize], minute: usize) {
    let ids = by_modified(world);
    for (nth, place) in places.iter().enumerate() {
        let modified = format!("2035-01-01T00:{minute:02}:{nth:02}.000Z");
        world.update(&ids[*place], |record| record["modified"] = json!(modified));
    }
}

/// Lists by `modified` with `change` before the second request; the untouched accounts that did not come, and
/// whether the list called itself whole.
async fn missing(
    list: impl Fn(ListAccounts) -> ListAccounts,
    change: impl Fn(&mut World) + Send + 'static,
) -> (Vec<String>, bool) {
    let server =
        SailPoint::builder().accounts(ACCOUNTS).rate_limit(None).before_list(move |number, world| {
            if number == 2 {
                change(world);
            }
        });
    let server = server.start().await.unwrap();
    let before = server.records();
    let all =
        sailpoint(&server).build().unwrap().list_accounts().sort_by(Field::Modified, SortOrder::Ascending);
    let walk = walk(list(all)).await;
    assert!(walk.errors.is_empty(), "{:?}", walk.errors);
    let listed: BTreeSet<_> = walk.items.iter().map(|account| account.id.as_str()).collect();
    let after = server.records();
    let untouched = before.iter().filter(|record| after.contains(record));
    let ids = untouched.map(|record| record["id"].as_str().unwrap());
    let missing = ids.filter(|id| !listed.contains(id)).map(str::to_owned).collect();
    (missing, walk.summary.completeness == Completeness::Whole)
}

#[tokio::test]
async fn accounts_that_stay_come_though_the_last_ones_seen_have_moved() {
    for touched in [&[248, 249][..], &[249], &[245, 246, 247, 248, 249], &[249, 248], &[243, 249, 251, 299]] {
        for count in [true, false] {
            let (missing, whole) =
                missing(|list| list.count(count), move |world| touch(world, touched, 0)).await;
            assert!(missing.is_empty(), "{touched:?} {count}: {} are missing", missing.len());
            assert!(!whole, "{touched:?} {count}: nobody knows where they were while it was listed");
        }
    }
}

#[tokio::test]
async fn an_account_that_moved_to_where_the_next_page_begins_is_no_seam() {
    // Fifty of those seen move behind it: it stands where it stood, and fifty that stay are before it.
    let places: Vec<_> = std::iter::once(249).chain(0..50).collect();
    for count in [true, false] {
        let places = places.clone();
        let (missing, whole) = missing(|list| list.count(count), move |world| touch(world, &places, 0)).await;
        assert!(missing.is_empty(), "{count}: {} are missing", missing.len());
        assert!(!whole);
    }
}

#[tokio::test]
async fn without_overlap_no_row_is_left_out_for_standing_before_the_last_one_seen() {
    let change = |world: &mut World| touch(world, &[249], 0);
    let (missing, whole) = missing(|list| list.overlap(false), change).await;
    // The one that took its place, which nothing but an overlap would tell.
    assert!(missing.len() <= 1, "{} are missing", missing.len());
    assert!(!whole);
}

/// A tenant of so many accounts that answers with this count, or with a 400 beyond the highest offset it takes.
fn tenant(accounts: usize, count: usize, highest: usize) -> Canned {
    Canned::new(move |_, request| -> Answer {
        let query = request.uri().query().unwrap_or_default().to_owned();
        let number = |name: &str| -> usize {
            query.split('&').find_map(|pair| pair.strip_prefix(name)?.parse().ok()).unwrap_or_default()
        };
        let offset = number("offset=");
        if offset > highest {
            let messages = json!([{"locale": "en-US", "text": "offsets end at the search window"}]);
            return answer(400, json!({"detailCode": "400.1", "messages": messages}).to_string());
        }
        let rows: Vec<_> = (offset..accounts.min(offset + number("limit=")))
            .map(|index| json!({"id": format!("{index:05}"), "name": format!("{index:05}")}))
            .collect();
        let mut answer = answer(200, json!(rows).to_string());
        if query.contains("count=true") {
            answer.headers_mut().insert("x-total-count", HeaderValue::from(count));
        }
        answer
    })
}

#[tokio::test]
async fn a_count_that_is_too_high_ends_the_list_soon_and_with_a_doubt() {
    for (accounts, limit) in [(10, 250), (10, 10), (10, 4), (9, 5), (1, 2), (700, 250)] {
        for (extra, count) in [(1, None), (1, Some(true)), (100, None), (100, Some(true))] {
            for order in [None, Some(Field::Name)] {
                let transport = tenant(accounts, accounts + extra, usize::MAX);
                let list = canned::sailpoint(&transport).list_accounts().limit(limit);
                let list = count.iter().fold(list, |list, count| list.count(*count));
                let list = order.iter().fold(list, |list, field| list.sort_by(*field, SortOrder::Ascending));
                let walk = walk(list).await;
                let case = format!("{accounts} {limit} {extra} {count:?} {order:?}");
                assert!(walk.errors.is_empty(), "{case}: {:?}", walk.errors);
                assert_eq!(walk.items.len(), accounts, "{case}");
                let doubt =
                    Doubt::FewerThanTotal { total: (accounts + extra) as u64, listed: accounts as u64 };
                let Completeness::Doubtful(doubts) = walk.summary.completeness else {
                    panic!("{case}: the count is not met, and that is not told");
                };
                assert!(doubts.contains(&doubt), "{case}: {doubts:?}");
                let pages = accounts / (limit as usize - 1) + 1;
                let requests = transport.seen().len();
                assert!(requests <= pages + 8, "{case}: {requests} requests for {pages} pages");
            }
        }
    }
}

#[tokio::test]
async fn an_offset_that_is_refused_though_there_are_rows_is_the_providers_error() {
    for order in [None, Some(Field::Name), Some(Field::Created)] {
        for (limit, highest) in [(10, 20), (10, 27), (10, 35), (250, 700)] {
            for count in [None, Some(true), Some(false)] {
                let transport = tenant(2_000, 2_000, highest);
                let list = canned::sailpoint(&transport).list_accounts().limit(limit);
                let list = count.iter().fold(list, |list, count| list.count(*count));
                let list = order.iter().fold(list, |list, field| list.sort_by(*field, SortOrder::Ascending));
                let walk = walk(list).await;
                let case = format!("{limit} {highest} {order:?} {count:?}");
                assert_eq!(walk.errors.len(), 1, "{case}");
                let error = &walk.errors[0];
                assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(400)), "{case}: {error}");
                assert!(error.to_string().contains("offsets end at the search window"), "{case}: {error}");
                assert!(
                    walk.items.len() >= highest,
                    "{case}: all that can be had came: {}",
                    walk.items.len()
                );
                let requests = transport.seen().len();
                let pages = highest / (limit as usize - 1) + 2;
                assert!(requests <= pages + 8, "{case}: {requests} requests");
            }
        }
    }
}
