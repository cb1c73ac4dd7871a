use headcount::{Completeness, ErrorKind, IncompleteReason};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::providers::support::{Canned, answer, canned, walk};

/// A server with these rows, of which some have no `acct_id` to page from.
fn serve(rows: Vec<Value>, at: bool) -> Canned {
    Canned::new(move |number, request| {
        assert!(number < 100, "an endless walk");
        let query = request.uri().query().unwrap_or_default();
        let value = |name: &str| {
            url::form_urlencoded::parse(query.as_bytes())
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        let limit = value("limit").unwrap().parse().unwrap();
        let start = value("previous_id").map_or(0, |id| {
            let is_it =
                |row: &Value| row["acct_id"].as_str().is_some_and(|own| own.eq_ignore_ascii_case(&id));
            let place = rows.iter().position(is_it).unwrap();
            if at { place } else { place + 1 }
        });
        let page: Vec<_> = rows.iter().skip(start).take(limit).collect();
        answer(200, json!({ "items": page }).to_string())
    })
}

#[tokio::test]
async fn rows_without_an_id_never_hide_those_behind_them() {
    // Each bit is a row: 1 with an id, 0 without.
    for pattern in 0..64_u128 {
        for (limit, at) in [(3, false), (3, true), (4, false), (4, true), (5, true)] {
            let rows: Vec<Value> = (0..6)
                .map(|bit| match pattern >> bit & 1 {
                    1 => json!({"acct_id": Uuid::from_u128(bit + 1).to_string()}),
                    _ => json!({"name": "nameless"}),
                })
                .collect();
            let there = rows.iter().filter(|row| row["acct_id"].is_string()).count();
            let walk = walk(canned::fortanix(&serve(rows, at)).list_accounts().limit(limit)).await;
            let case = format!("{pattern:06b} limit {limit} at {at}");
            let mut listed: Vec<_> = walk.items.iter().map(|account| account.acct_id).collect();
            listed.dedup();
            assert_eq!(listed.len(), walk.items.len(), "{case}: an account came twice");
            // Where a page has no id to go on from, the list may end with an error, but not silently.
            let ended = walk.errors.last().is_some_and(|error| error.kind() != ErrorKind::InvalidRecord);
            assert!(ended || listed.len() == there, "{case}: {} of {there} came, and no word", listed.len());
            if !ended && there < 6 {
                let rejected = IncompleteReason::Rejected { rows: 6 - there as u64 };
                let Completeness::Uncertain(doubts) = walk.summary.completeness else { panic!("{case}") };
                let (known, rest): (Vec<_>, Vec<_>) =
                    doubts.into_iter().partition(|doubt| *doubt == rejected);
                assert_eq!(known.len(), 1, "{case}");
                // Rows without an id at the end may hide others, from a server that gives no more at once.
                let capped = matches!(rest[..], [IncompleteReason::Truncated { .. }]);
                assert!(rest.is_empty() || capped && pattern >> 5 == 0, "{case}: {rest:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_bad_row_whose_id_is_in_capitals_comes_once() {
    let id = "5E2B9F3A-4B1E-4C7E-9D55-0C1F7F4F0A01";
    let rows = vec![json!({"acct_id": Uuid::nil()}), json!({"acct_id": id, "name": 7})];
    for at in [false, true] {
        let walk = walk(canned::fortanix(&serve(rows.clone(), at)).list_accounts().limit(5)).await;
        assert_eq!((walk.items.len(), walk.errors.len()), (1, 1), "{:?}", walk.errors);
        assert!(walk.errors[0].message().contains(id));
    }
}

#[tokio::test]
async fn a_bad_row_whose_id_is_no_uuid_comes_once() {
    for count in 1..4 {
        for (limit, at) in [(3, false), (5, false), (5, true)] {
            let mut rows = vec![json!({"acct_id": Uuid::nil()})];
            rows.resize(1 + count, json!({"acct_id": "no uuid"}));
            let transport = serve(rows, at);
            let walk = walk(canned::fortanix(&transport).list_accounts().limit(limit)).await;
            let told = walk.errors.iter().filter(|error| error.kind() == ErrorKind::InvalidRecord).count();
            let ended = told < walk.errors.len();
            assert_eq!(walk.items.len(), 1, "{limit} {at}");
            assert!(told == count || ended && told < count, "{limit} {at}: {:?}", walk.errors);
        }
    }
}
