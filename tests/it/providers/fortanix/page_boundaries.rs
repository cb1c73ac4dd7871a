//! Page boundaries while accounts move in the list.

use std::sync::{Arc, Mutex};

use headcount::{Completeness, IncompleteReason, SortOrder, fortanix::Account};
use headcount_sim::{self as sim, FortanixPaging};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::providers::support::{Canned, Walk, canned, fortanix, respond, walk};

/// Asserts that each account was listed once, and that the order was reported as unstable.
fn check(walk: &Walk<Account>, mut expected: Vec<String>, moved: u64, case: &str) {
    assert!(walk.errors.is_empty(), "{case}: {:?}", walk.errors);
    let mut listed: Vec<_> = walk.items.iter().map(|account| account.acct_id.to_string()).collect();
    listed.sort();
    expected.sort();
    assert_eq!(listed, expected, "{case}");
    assert_eq!(walk.summary.duplicates, moved, "{case}");
    let reasons = vec![IncompleteReason::UnstableOrder];
    assert_eq!(walk.summary.completeness, Completeness::Uncertain(reasons), "{case}");
}

#[tokio::test]
async fn accounts_renamed_in_a_list_by_name() {
    for paging in [FortanixPaging::After, FortanixPaging::At] {
        for count in 1..=3_usize {
            let builder = sim::Fortanix::builder().accounts(40).paging(paging);
            let builder = builder.before_list(move |number, world| {
                if number != 2 {
                    return;
                }
                let text = |record: &Value, name: &str| record[name].as_str().unwrap().to_owned();
                let key = |record: &Value| (text(record, "name"), text(record, "acct_id"));
                let mut names: Vec<_> = world.records().iter().map(key).collect();
                names.sort();
                // From before the last row of the first page into the second page, in the same order.
                for (index, (_, id)) in names[9 - count..9].iter().enumerate() {
                    let name = format!("{} {index}", names[15].0);
                    world.update(id, |record| record["name"] = name.into());
                }
            });
            let server = builder.start().await.unwrap();
            let list = fortanix(&server).build().unwrap().list_accounts().limit(10);
            let walk = walk(list.sort_by("name", SortOrder::Ascending)).await;
            check(&walk, server.ids(), count as u64, &format!("{paging:?} {count}"));
        }
    }
}

/// A server in whose default order accounts move: `change` moves them before the second page.
fn moving(rows: usize, change: fn(&mut Vec<Value>)) -> Canned {
    let rows: Vec<_> = (1..=rows as u128).map(|id| json!({ "acct_id": Uuid::from_u128(id) })).collect();
    let rows = Arc::new(Mutex::new(rows));
    Canned::new(move |number, request| {
        assert!(number < 100, "the listing does not end");
        let query = request.uri().query().unwrap_or_default();
        let value = |name: &str| {
            let mut pairs = url::form_urlencoded::parse(query.as_bytes());
            pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        let mut rows = rows.lock().unwrap();
        if number == 1 {
            change(&mut rows);
        }
        let after = |id: String| rows.iter().position(|row| row["acct_id"] == *id).unwrap() + 1;
        let start = value("previous_id").map_or(0, after);
        let limit = value("limit").unwrap().parse().unwrap();
        let page: Vec<_> = rows.iter().skip(start).take(limit).collect();
        respond(200, json!({ "items": page }).to_string())
    })
}

#[tokio::test]
async fn account_moved_in_the_servers_order() {
    type Change = fn(&mut Vec<Value>);
    let moves: [(&str, Change); 4] = [
        ("into the page", |rows| {
            let moved = rows.remove(7);
            rows.insert(14, moved);
        }),
        ("to its beginning", |rows| {
            let moved = rows.remove(7);
            rows.insert(9, moved);
        }),
        ("to its end", |rows| {
            let moved = rows.remove(7);
            rows.insert(17, moved);
        }),
        ("into the page, most before it deleted", |rows| {
            let moved = rows.remove(7);
            rows.insert(14, moved);
            rows.drain(..7);
        }),
    ];
    for (case, change) in moves {
        let expected = (1..=25).map(|id| Uuid::from_u128(id).to_string()).collect();
        let walk = walk(canned::fortanix(&moving(25, change)).list_accounts().limit(10)).await;
        // At the beginning it precedes all new rows, like a row that a page repeats.
        check(&walk, expected, u64::from(case != "to its beginning"), case);
    }
}
