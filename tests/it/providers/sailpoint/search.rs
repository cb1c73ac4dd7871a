//! The place in the list is not where it was: it is looked for, wherever it has gone.

use headcount::{
    Completeness, Doubt, ErrorKind, Paginator, SortOrder,
    sailpoint::{Field, ListAccounts},
};
use headcount_sim::{SailPoint, World};
use http::HeaderValue;
use serde_json::{Value, json};

use crate::providers::support::{Canned, Walk, answer, canned, sailpoint, walk};

/// The ids in the order of creation.
fn by_created(world: &World) -> Vec<String> {
    let created = |record: &Value| record["created"].as_str().unwrap().to_owned();
    let id = |record: &Value| record["id"].as_str().unwrap().to_owned();
    let mut keys: Vec<_> = world.records().iter().map(|record| (created(record), id(record))).collect();
    keys.sort();
    keys.into_iter().map(|(_, id)| id).collect()
}

/// Makes so many, all later than those that are there.
fn make(world: &mut World, count: usize) {
    for (nth, id) in world.generate(count).iter().enumerate() {
        let created = format!("2035-01-01T00:00:{nth:02}.000Z");
        world.update(id, |record| record["created"] = json!(created));
    }
}

/// Lists with `change` before the list request of this number, and checks that all that stay come once.
async fn stay(
    accounts: usize,
    list: impl Fn(ListAccounts) -> ListAccounts,
    request: usize,
    change: impl Fn(&mut World) + Send + 'static,
) {
    let server = SailPoint::builder().accounts(accounts).rate_limit(None);
    let server = server.before_list(move |number, world| {
        if number == request {
            change(world);
        }
    });
    let server = server.start().await.unwrap();
    let before = server.ids();
    let Walk { items, errors, summary } =
        walk(list(sailpoint(&server).build().unwrap().list_accounts())).await;
    assert!(errors.is_empty(), "{errors:?}");
    if let Completeness::Doubtful(doubts) = &summary.completeness {
        // The count of the first page is not that of the last: only that may be in doubt.
        let other =
            |doubt: &&Doubt| !matches!(doubt, Doubt::TotalChanged { .. } | Doubt::FewerThanTotal { .. });
        assert_eq!(doubts.iter().find(other), None);
    }
    let after = server.ids();
    assert_ne!(before, after, "nothing has changed");
    let mut listed: Vec<_> = items.into_iter().map(|account| account.id).collect();
    listed.sort();
    let once = listed.len();
    listed.dedup();
    assert_eq!(listed.len(), once, "some came twice");
    let missing: Vec<_> =
        before.iter().filter(|id| after.contains(id) && listed.binary_search(id).is_err()).collect();
    assert!(missing.is_empty(), "{} were not listed: {missing:?}", missing.len());
}

#[tokio::test]
async fn however_many_are_removed_before_it_the_place_is_found_further_up() {
    for removed in [19, 20, 25, 31, 39, 45] {
        let list = |list: ListAccounts| list.limit(20).sort_by(Field::Created, SortOrder::Ascending);
        stay(100, list, 4, move |world| {
            for id in by_created(world).iter().take(removed) {
                world.remove(id);
            }
        })
        .await;
    }
}

#[tokio::test]
async fn however_many_are_made_before_it_the_place_is_found_further_down() {
    for made in [1, 9, 17, 20, 45] {
        let list = |list: ListAccounts| list.limit(10).sort_by(Field::Created, SortOrder::Descending);
        stay(40, list, 2, move |world| make(world, made)).await;
    }
}

#[tokio::test]
async fn pages_that_are_short_hide_no_place() {
    for made in [12, 15, 30] {
        let server = SailPoint::builder().accounts(60).rate_limit(None).short_page_every(2);
        let server = server.before_list(move |number, world| {
            if number == 2 {
                make(world, made);
            }
        });
        let server = server.start().await.unwrap();
        let there = server.ids();
        let list = sailpoint(&server).build().unwrap().list_accounts().limit(20);
        let Walk { items, errors, .. } = walk(list.sort_by(Field::Created, SortOrder::Descending)).await;
        assert!(errors.is_empty(), "{made}: {errors:?}");
        let listed: Vec<_> = items.into_iter().map(|account| account.id).collect();
        let missing: Vec<_> = there.iter().filter(|id| !listed.contains(id)).collect();
        assert!(missing.is_empty(), "{made}: {missing:?}");
    }
}

#[tokio::test]
async fn a_list_that_has_shrunk_below_the_place_is_gone_on_with_soon() {
    let server = SailPoint::builder().accounts(400).rate_limit(None).before_list(|number, world| {
        if number == 31 {
            // 271 are listed. Of them go all but the first and the last five.
            for id in &by_created(world)[1..266] {
                world.remove(id);
            }
        }
    });
    let server = server.start().await.unwrap();
    let list = sailpoint(&server).build().unwrap().list_accounts().limit(10);
    let walk = walk(list.sort_by(Field::Created, SortOrder::Ascending)).await;
    assert!(walk.errors.is_empty(), "{:?}", walk.errors);
    assert_eq!(walk.items.len(), 400);
    let requests = server.requests().len();
    assert!(requests < 31 + 15 + 20, "{requests} requests");
}

#[tokio::test]
async fn the_last_eight_are_remembered_however_few_are_on_a_page() {
    for limit in [2, 3, 5] {
        let list = move |list: ListAccounts| list.limit(limit).sort_by(Field::Created, SortOrder::Ascending);
        // Nine rows or more are listed by then; the last seven of them go.
        let request = 9;
        stay(40, list, request, move |world| {
            let ids = by_created(world);
            let listed = (request - 1) * (limit as usize - 1) + 1;
            for id in &ids[listed - 7..listed] {
                world.remove(id);
            }
        })
        .await;
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
        let offset = request.uri().query().unwrap_or_default().contains("offset=0");
        let rows: &[&str] = if number < empty || !offset { &[] } else { &["a", "b", "c"] };
        let rows: Vec<_> = rows.iter().map(|id| json!({"id": id})).collect();
        let mut answer = answer(200, json!(rows).to_string());
        answer.headers_mut().insert("x-total-count", HeaderValue::from(3));
        answer
    })
}

#[tokio::test]
async fn an_empty_first_page_is_asked_for_again_if_the_count_promises_rows() {
    for overlap in [true, false] {
        let list = |transport: &Canned| canned::sailpoint(transport).list_accounts().overlap(overlap);
        let once = walk(list(&late(1))).await;
        assert_eq!((once.items.len(), once.errors.len()), (3, 0));
        let twice = walk(list(&late(2))).await;
        assert_eq!((twice.items.len(), twice.errors.len()), (0, 0));
        assert!(matches!(twice.summary.completeness, Completeness::Doubtful(_)), "{:?}", twice.summary);
    }
}

#[tokio::test]
async fn pages_fetched_at_once_and_unchecked_do_not_repeat_the_last_that_the_server_has() {
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
    let list = canned::sailpoint(&transport).list_accounts().limit(10).overlap(false);
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
