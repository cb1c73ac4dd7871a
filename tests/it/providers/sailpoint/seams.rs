//! Pages that do not join as they should: accounts that move in the caller's order, counts that are wrong, answers
//! without rows, offsets that the server refuses or ignores.

use std::collections::BTreeSet;

use headcount::{Completeness, ErrorKind, IncompleteReason, Paginator, SortOrder, sailpoint::Field};
use headcount_sim::{SailPoint, World};
use http::HeaderValue;
use serde_json::{Value, json};

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

/// Lists by `modified` with `change` before the second request; how many of the untouched accounts did not come, and
/// whether the list called itself whole.
async fn missing(count: bool, change: impl Fn(&mut World) + Send + 'static) -> (usize, bool) {
    let server =
        SailPoint::builder().accounts(ACCOUNTS).rate_limit(None).before_list(move |number, world| {
            if number == 2 {
                change(world);
            }
        });
    let server = server.start().await.unwrap();
    let before = server.records();
    let list = sailpoint(&server).build().unwrap().list_accounts();
    let walk = walk(list.sort_by(Field::Modified, SortOrder::Ascending).count(count)).await;
    assert!(walk.errors.is_empty(), "{:?}", walk.errors);
    let listed: BTreeSet<_> = walk.items.iter().map(|account| account.id.as_str()).collect();
    let after = server.records();
    let untouched = before.iter().filter(|record| after.contains(record));
    let ids = untouched.map(|record| record["id"].as_str().unwrap());
    let missing = ids.filter(|id| !listed.contains(id)).count();
    (missing, walk.summary.completeness == Completeness::Complete)
}

#[tokio::test]
async fn a_list_in_which_accounts_have_moved_is_not_called_whole() {
    for touched in [&[248, 249][..], &[249], &[245, 246, 247, 248, 249], &[249, 248], &[243, 249, 251, 299]] {
        for count in [true, false] {
            let (missing, whole) = missing(count, move |world| touch(world, touched, 0)).await;
            assert!(missing < touched.len(), "{touched:?} {count}: {missing} are missing");
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
        let (_, whole) = missing(count, move |world| touch(world, &places, 0)).await;
        assert!(!whole);
    }
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
                let doubt = IncompleteReason::CountMismatch {
                    total: (accounts + extra) as u64,
                    listed: accounts as u64,
                };
                let Completeness::Uncertain(doubts) = walk.summary.completeness else {
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
                assert!(requests <= pages + 16, "{case}: {requests} requests");
            }
        }
    }
}

#[tokio::test]
async fn rows_without_ids_do_not_hide_that_the_offset_is_ignored() {
    // Pages of 17 rows and of 2 in turns, always from the first on.
    let mut rows = vec![json!({"id": "a"})];
    rows.extend(vec![Value::Null; 6]);
    rows.push(json!({"id": "b"}));
    rows.extend(vec![Value::Null; 9]);
    let transport = Canned::new(move |number, _| {
        let len = if number % 2 == 0 { 17 } else { 2 };
        answer(200, json!(rows[..len]).to_string())
    });
    let walk = walk(canned::sailpoint(&transport).list_accounts().limit(17)).await;
    let ended = walk.errors.last().unwrap();
    assert_eq!(ended.kind(), ErrorKind::PaginationLoop, "{ended}");
    assert!(transport.seen().len() < 20, "{} requests", transport.seen().len());
}

#[tokio::test]
async fn a_server_that_begins_anew_behind_its_end_is_not_walked_for_ever() {
    let transport = Canned::new(|_, request| {
        let query = request.uri().query().unwrap_or_default().to_owned();
        let number = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.parse().ok());
        let (offset, limit): (usize, usize) = (number("offset=").unwrap_or(0), number("limit=").unwrap_or(0));
        let rows: Vec<_> =
            (offset..offset + limit).map(|row| json!({"id": format!("{:03}", row % 100)})).collect();
        let mut answer = answer(200, json!(rows).to_string());
        answer.headers_mut().insert("x-total-count", HeaderValue::from(100));
        answer
    });
    let walk = walk(canned::sailpoint(&transport).list_accounts().limit(30)).await;
    assert_eq!(walk.errors.len(), 1);
    assert_eq!(walk.errors[0].kind(), ErrorKind::PaginationLoop, "{}", walk.errors[0]);
    assert!(walk.items.len() < 130, "{}", walk.items.len());
}

/// Three accounts and their count, but the first answers are without the accounts.
fn late(empty: usize) -> Canned {
    Canned::new(move |number, request| {
        let query = request.uri().query().unwrap_or_default();
        let offset = query.split('&').find_map(|pair| pair.strip_prefix("offset=")?.parse().ok());
        let rows = ["a", "b", "c"].into_iter().skip(if number < empty { 3 } else { offset.unwrap() });
        let rows: Vec<_> = rows.map(|id| json!({"id": id})).collect();
        let mut answer = answer(200, json!(rows).to_string());
        answer.headers_mut().insert("x-total-count", HeaderValue::from(3));
        answer
    })
}

#[tokio::test]
async fn an_empty_first_page_is_asked_for_again_if_the_count_promises_rows() {
    for empty in 1..4 {
        let late = walk(canned::sailpoint(&late(empty)).list_accounts()).await;
        assert_eq!((late.items.len(), late.errors.len()), (3, 0), "{empty}");
        assert_eq!(late.summary.completeness, Completeness::Complete, "{empty}");
    }
    let never = walk(canned::sailpoint(&late(4)).list_accounts()).await;
    assert_eq!((never.items.len(), never.errors.len()), (0, 0));
    let doubt = IncompleteReason::CountMismatch { total: 3, listed: 0 };
    assert_eq!(never.summary.completeness, Completeness::Uncertain(vec![doubt]));
}

#[tokio::test]
async fn pages_fetched_at_once_do_not_repeat_the_last_that_the_server_has() {
    // It takes no offset beyond 20: the same page comes for each.
    let transport = Canned::new(|_, request| {
        let query = request.uri().query().unwrap_or_default().to_owned();
        let number = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.parse().ok());
        let from = number("offset=").unwrap_or(0_usize).min(20);
        let rows: Vec<_> = (from..from + 10).map(|row| json!({"id": format!("{row:03}")})).collect();
        let mut answer = answer(200, json!(rows).to_string());
        answer.headers_mut().insert("x-total-count", HeaderValue::from(60));
        answer
    });
    let list = canned::sailpoint(&transport).list_accounts().limit(10);
    let mut items = list.pages().concurrent(4).items();
    let mut listed = Vec::new();
    let error = loop {
        match futures::StreamExt::next(&mut items).await.unwrap() {
            Ok(account) => listed.push(account.id),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::PaginationLoop, "{error}");
    assert_eq!(listed.len(), 30, "{listed:?}");
}

/// What a server returns to the request of this number, for an offset: the ids of a page, and its count.
type Pages = fn(usize, usize) -> (std::ops::Range<usize>, Option<usize>);

/// Lists from a server whose ids are numbers, on pages of ten rows; the ids that come, and whether that was whole.
async fn list_of(pages: Pages, count: Option<bool>) -> (Vec<usize>, Completeness) {
    let transport = Canned::new(move |number, request| {
        let query = request.uri().query().unwrap_or_default().to_owned();
        let offset = query.split('&').find_map(|pair| pair.strip_prefix("offset=")?.parse().ok());
        let (ids, count) = pages(number, offset.unwrap());
        let rows: Vec<_> = ids.map(|id| json!({"id": format!("{id:05}")})).collect();
        let mut answer = answer(200, json!(rows).to_string());
        if let Some(count) = count.filter(|_| query.contains("count=true")) {
            answer.headers_mut().insert("x-total-count", HeaderValue::from(count));
        }
        answer
    });
    let list = canned::sailpoint(&transport).list_accounts().limit(10);
    let walk = walk(count.iter().fold(list, |list, count| list.count(*count))).await;
    assert!(walk.errors.is_empty(), "{:?}", walk.errors);
    let ids = walk.items.iter().map(|account| account.id.parse().unwrap()).collect();
    (ids, walk.summary.completeness)
}

/// The page of ten at `offset` in a list of so many.
fn page(offset: usize, rows: usize) -> std::ops::Range<usize> {
    offset.min(rows)..(offset + 10).min(rows)
}

#[tokio::test]
async fn full_page_that_ends_at_the_count() {
    // Eleven accounts. The first one is deleted after the first page is read and before the rows are counted.
    let pages: Pages = |number, offset| match number {
        0 => (page(0, 11), Some(10)),
        _ => ((offset + 1).min(11)..(offset + 11).min(11), Some(10)),
    };
    for count in [None, Some(true), Some(false)] {
        let (ids, completeness) = list_of(pages, count).await;
        assert_eq!(ids, (0..11).collect::<Vec<_>>(), "{count:?}");
        assert_eq!(completeness, Completeness::Complete, "{count:?}");
    }
}

#[tokio::test]
async fn capped_count_ends_no_list() {
    for count in [None, Some(true)] {
        let (ids, _) = list_of(|_, offset| (page(offset, 35), Some(20)), count).await;
        assert_eq!(ids, (0..35).collect::<Vec<_>>(), "{count:?}");
    }
}

#[tokio::test]
async fn count_of_the_page_ends_no_list() {
    for count in [None, Some(true)] {
        let pages: Pages = |_, offset| (page(offset, 35), Some(page(offset, 35).len()));
        let (ids, _) = list_of(pages, count).await;
        assert_eq!(ids, (0..35).collect::<Vec<_>>(), "{count:?}");
    }
}

#[tokio::test]
async fn empty_answer_during_a_search() {
    // All accounts listed are deleted, so the place is looked for up to offset 0, where no rows come once.
    let pages: Pages = |number, offset| match number {
        0 => (page(0, 30), None),
        // At 9 and, once, at 0.
        1 | 2 => (0..0, None),
        _ => ((offset + 10).min(30)..(offset + 20).min(30), None),
    };
    for count in [None, Some(false)] {
        let (ids, completeness) = list_of(pages, count).await;
        assert_eq!(ids, (0..30).collect::<Vec<_>>(), "{count:?}");
        assert_eq!(completeness, Completeness::Complete, "{count:?}");
    }
}

#[tokio::test]
async fn ids_that_the_server_compares_without_case() {
    const IDS: [&str; 9] = ["a", "b", "c", "D", "E", "F", "g", "H", "i"];
    for gone in [None, Some(2), Some(0)] {
        for count in [None, Some(false)] {
            let transport = Canned::new(move |number, request| {
                let query = request.uri().query().unwrap_or_default().to_owned();
                let offset = query.split('&').find_map(|pair| pair.strip_prefix("offset=")?.parse().ok());
                let there = (0..9).filter(|row| number == 0 || Some(*row) != gone);
                let rows: Vec<_> =
                    there.clone().skip(offset.unwrap()).take(3).map(|row| json!({"id": IDS[row]})).collect();
                let mut answer = answer(200, json!(rows).to_string());
                if query.contains("count=true") {
                    answer.headers_mut().insert("x-total-count", HeaderValue::from(there.count()));
                }
                answer
            });
            let list = canned::sailpoint(&transport).list_accounts().limit(3);
            let walk = walk(count.iter().fold(list, |list, count| list.count(*count))).await;
            assert!(walk.errors.is_empty(), "{:?}", walk.errors);
            let listed: Vec<_> = walk.items.iter().map(|account| account.id.as_str()).collect();
            let told = matches!(&walk.summary.completeness, Completeness::Uncertain(doubts)
                if doubts.contains(&IncompleteReason::BoundariesUnverified));
            assert!(listed == IDS || told, "{gone:?} {count:?}: {listed:?}");
            assert!(gone.is_some() || !told, "nothing has changed");
        }
    }
}
