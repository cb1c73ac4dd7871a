//! Unreliable page boundaries: accounts that move in a custom order, wrong counts, empty responses, and
//! offsets that the server rejects or ignores.

use std::collections::BTreeSet;

use headcount::{Completeness, ErrorKind, IncompleteReason, SortOrder, sailpoint::Field};
use headcount_sim::{SailPoint, World};
use http::HeaderValue;
use serde_json::{Value, json};

use super::sort_by_modified::by_modified;
use crate::providers::support::{Canned, HttpResponse, canned, respond, sailpoint, walk};

const ACCOUNTS: usize = 300;

/// Sets `modified` of the accounts at these positions to a minute of a future year.
fn touch(world: &mut World, positions: &[usize], minute: usize) {
    let ids = by_modified(world);
    for (index, position) in positions.iter().enumerate() {
        let modified = format!("2035-01-01T00:{minute:02}:{index:02}.000Z");
        world.update(&ids[*position], |record| record["modified"] = json!(modified));
    }
}

/// Lists by `modified`, with `change` before the second request. Returns how many of the unchanged accounts
/// are missing, and whether the list is reported as complete.
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
    let unchanged = before.iter().filter(|record| after.contains(record));
    let ids = unchanged.map(|record| record["id"].as_str().unwrap());
    let missing = ids.filter(|id| !listed.contains(id)).count();
    (missing, walk.summary.completeness == Completeness::Complete)
}

#[tokio::test]
async fn moved_accounts_are_reported() {
    for touched in [&[248, 249][..], &[249], &[245, 246, 247, 248, 249], &[249, 248], &[243, 249, 251, 299]] {
        for count in [true, false] {
            let (missing, complete) = missing(count, move |world| touch(world, touched, 0)).await;
            assert!(missing < touched.len(), "{touched:?} {count}: {missing} are missing");
            assert!(!complete, "{touched:?} {count}: accounts may have moved during the listing");
        }
    }
}

#[tokio::test]
async fn moved_account_at_the_next_offset() {
    // Fifty listed accounts move after it, so it keeps its offset, and fifty unchanged accounts precede it.
    let positions: Vec<_> = std::iter::once(249).chain(0..50).collect();
    for count in [true, false] {
        let positions = positions.clone();
        let (_, complete) = missing(count, move |world| touch(world, &positions, 0)).await;
        assert!(!complete);
    }
}

/// Returns a tenant with `accounts` accounts that reports `count` and responds with 400 to an offset above
/// `highest`.
fn tenant(accounts: usize, count: usize, highest: usize) -> Canned {
    Canned::new(move |_, request| -> HttpResponse {
        let query = request.uri().query().unwrap_or_default().to_owned();
        let number = |name: &str| -> usize {
            query.split('&').find_map(|pair| pair.strip_prefix(name)?.parse().ok()).unwrap_or_default()
        };
        let offset = number("offset=");
        if offset > highest {
            let messages = json!([{"locale": "en-US", "text": "offsets end at the search window"}]);
            return respond(400, json!({"detailCode": "400.1", "messages": messages}).to_string());
        }
        let rows: Vec<_> = (offset..accounts.min(offset + number("limit=")))
            .map(|index| json!({"id": format!("{index:05}"), "name": format!("{index:05}")}))
            .collect();
        let mut response = respond(200, json!(rows).to_string());
        if query.contains("count=true") {
            response.headers_mut().insert("x-total-count", HeaderValue::from(count));
        }
        response
    })
}

#[tokio::test]
async fn too_high_count_ends_with_a_mismatch() {
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
                let reason = IncompleteReason::CountMismatch {
                    total: (accounts + extra) as u64,
                    listed: accounts as u64,
                };
                let Completeness::Uncertain(reasons) = walk.summary.completeness else {
                    panic!("{case}: the count mismatch is not reported");
                };
                assert!(reasons.contains(&reason), "{case}: {reasons:?}");
                let pages = accounts / (limit as usize - 1) + 1;
                let requests = transport.urls().len();
                assert!(requests <= pages + 8, "{case}: {requests} requests for {pages} pages");
            }
        }
    }
}

#[tokio::test]
async fn rejected_offset_with_rows_is_an_error() {
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
                    "{case}: only {} accounts were listed",
                    walk.items.len()
                );
                let requests = transport.urls().len();
                let pages = highest / (limit as usize - 1) + 2;
                assert!(requests <= pages + 16, "{case}: {requests} requests");
            }
        }
    }
}

#[tokio::test]
async fn ignored_offset_with_rows_without_ids() {
    // Pages alternate between 17 and 2 rows, always from the first row on.
    let mut rows = vec![json!({"id": "a"})];
    rows.extend(vec![Value::Null; 6]);
    rows.push(json!({"id": "b"}));
    rows.extend(vec![Value::Null; 9]);
    let transport = Canned::new(move |number, _| {
        let len = if number % 2 == 0 { 17 } else { 2 };
        respond(200, json!(rows[..len]).to_string())
    });
    let walk = walk(canned::sailpoint(&transport).list_accounts().limit(17)).await;
    let error = walk.errors.last().unwrap();
    assert_eq!(error.kind(), ErrorKind::PaginationLoop, "{error}");
    assert!(transport.urls().len() < 20, "{} requests", transport.urls().len());
}

#[tokio::test]
async fn rows_beyond_the_end_are_a_loop() {
    let transport = Canned::new(|_, request| {
        let query = request.uri().query().unwrap_or_default().to_owned();
        let number = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.parse().ok());
        let (offset, limit): (usize, usize) = (number("offset=").unwrap_or(0), number("limit=").unwrap_or(0));
        let rows: Vec<_> =
            (offset..offset + limit).map(|row| json!({"id": format!("{:03}", row % 100)})).collect();
        let mut response = respond(200, json!(rows).to_string());
        response.headers_mut().insert("x-total-count", HeaderValue::from(100));
        response
    });
    let walk = walk(canned::sailpoint(&transport).list_accounts().limit(30)).await;
    assert_eq!(walk.errors.len(), 1);
    assert_eq!(walk.errors[0].kind(), ErrorKind::PaginationLoop, "{}", walk.errors[0]);
    assert!(walk.items.len() < 130, "{}", walk.items.len());
}

/// Returns a tenant with three accounts whose first `empty` responses have a count but no rows.
fn delayed_rows(empty: usize) -> Canned {
    Canned::new(move |number, request| {
        let query = request.uri().query().unwrap_or_default();
        let offset = query.split('&').find_map(|pair| pair.strip_prefix("offset=")?.parse().ok());
        let rows = ["a", "b", "c"].into_iter().skip(if number < empty { 3 } else { offset.unwrap() });
        let rows: Vec<_> = rows.map(|id| json!({"id": id})).collect();
        let mut response = respond(200, json!(rows).to_string());
        response.headers_mut().insert("x-total-count", HeaderValue::from(3));
        response
    })
}

#[tokio::test]
async fn empty_first_page_is_retried() {
    for empty in 1..4 {
        let delayed = walk(canned::sailpoint(&delayed_rows(empty)).list_accounts()).await;
        assert_eq!((delayed.items.len(), delayed.errors.len()), (3, 0), "{empty}");
        assert_eq!(delayed.summary.completeness, Completeness::Complete, "{empty}");
    }
    let never = walk(canned::sailpoint(&delayed_rows(4)).list_accounts()).await;
    assert_eq!((never.items.len(), never.errors.len()), (0, 0));
    let reason = IncompleteReason::CountMismatch { total: 3, listed: 0 };
    assert_eq!(never.summary.completeness, Completeness::Uncertain(vec![reason]));
}

#[tokio::test]
async fn concurrent_pages_beyond_capped_offset() {
    // The server caps the offset at 20, so higher offsets return the same page.
    let transport = Canned::new(|_, request| {
        let query = request.uri().query().unwrap_or_default().to_owned();
        let number = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.parse().ok());
        let from = number("offset=").unwrap_or(0_usize).min(20);
        let rows: Vec<_> = (from..from + 10).map(|row| json!({"id": format!("{row:03}")})).collect();
        let mut response = respond(200, json!(rows).to_string());
        response.headers_mut().insert("x-total-count", HeaderValue::from(60));
        response
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

/// Returns the ids of a page and the count, for the number of the request and its offset.
type Pages = fn(usize, usize) -> (std::ops::Range<usize>, Option<usize>);

/// Lists from a server with numeric ids, in pages of ten rows. Returns the listed ids and the completeness.
async fn list_of(pages: Pages, count: Option<bool>) -> (Vec<usize>, Completeness) {
    let transport = Canned::new(move |number, request| {
        let query = request.uri().query().unwrap_or_default().to_owned();
        let offset = query.split('&').find_map(|pair| pair.strip_prefix("offset=")?.parse().ok());
        let (ids, count) = pages(number, offset.unwrap());
        let rows: Vec<_> = ids.map(|id| json!({"id": format!("{id:05}")})).collect();
        let mut response = respond(200, json!(rows).to_string());
        if let Some(count) = count.filter(|_| query.contains("count=true")) {
            response.headers_mut().insert("x-total-count", HeaderValue::from(count));
        }
        response
    });
    let list = canned::sailpoint(&transport).list_accounts().limit(10);
    let walk = walk(count.iter().fold(list, |list, count| list.count(*count))).await;
    assert!(walk.errors.is_empty(), "{:?}", walk.errors);
    let ids = walk.items.iter().map(|account| account.id.parse().unwrap()).collect();
    (ids, walk.summary.completeness)
}

/// Returns the page of ten rows at `offset` in a list of `rows` rows.
fn page(offset: usize, rows: usize) -> std::ops::Range<usize> {
    offset.min(rows)..(offset + 10).min(rows)
}

#[tokio::test]
async fn full_page_ends_at_the_count() {
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
async fn capped_count_is_not_the_end() {
    for count in [None, Some(true)] {
        let (ids, _) = list_of(|_, offset| (page(offset, 35), Some(20)), count).await;
        assert_eq!(ids, (0..35).collect::<Vec<_>>(), "{count:?}");
    }
}

#[tokio::test]
async fn page_length_as_count_is_not_the_end() {
    for count in [None, Some(true)] {
        let pages: Pages = |_, offset| (page(offset, 35), Some(page(offset, 35).len()));
        let (ids, _) = list_of(pages, count).await;
        assert_eq!(ids, (0..35).collect::<Vec<_>>(), "{count:?}");
    }
}

#[tokio::test]
async fn empty_response_during_relocation() {
    // All listed accounts are removed, so the position is searched down to offset 0, where one response is
    // empty.
    let pages: Pages = |number, offset| match number {
        0 => (page(0, 30), None),
        // At offset 9 and, once, at offset 0.
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
async fn case_insensitive_id_order() {
    const IDS: [&str; 9] = ["a", "b", "c", "D", "E", "F", "g", "H", "i"];
    for removed in [None, Some(2), Some(0)] {
        for count in [None, Some(false)] {
            let transport = Canned::new(move |number, request| {
                let query = request.uri().query().unwrap_or_default().to_owned();
                let offset = query.split('&').find_map(|pair| pair.strip_prefix("offset=")?.parse().ok());
                let remaining = (0..9).filter(|row| number == 0 || Some(*row) != removed);
                let rows: Vec<_> = remaining
                    .clone()
                    .skip(offset.unwrap())
                    .take(3)
                    .map(|row| json!({"id": IDS[row]}))
                    .collect();
                let mut response = respond(200, json!(rows).to_string());
                if query.contains("count=true") {
                    response.headers_mut().insert("x-total-count", HeaderValue::from(remaining.count()));
                }
                response
            });
            let list = canned::sailpoint(&transport).list_accounts().limit(3);
            let walk = walk(count.iter().fold(list, |list, count| list.count(*count))).await;
            assert!(walk.errors.is_empty(), "{:?}", walk.errors);
            let listed: Vec<_> = walk.items.iter().map(|account| account.id.as_str()).collect();
            let reported = matches!(&walk.summary.completeness, Completeness::Uncertain(reasons)
                if reasons.contains(&IncompleteReason::BoundariesUnverified));
            assert!(listed == IDS || reported, "{removed:?} {count:?}: {listed:?}");
            assert!(removed.is_some() || !reported, "nothing has changed");
        }
    }
}
