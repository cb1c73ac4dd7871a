use headcount::{Completeness, ErrorKind, IncompleteReason};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::providers::support::{Canned, canned, respond, walk};

/// A server with these rows, some of which have no valid `acct_id`. `inclusive` pages start at `previous_id`.
fn serve(rows: Vec<Value>, inclusive: bool) -> Canned {
    Canned::new(move |number, request| {
        assert!(number < 100, "the listing does not end");
        let query = request.uri().query().unwrap_or_default();
        let value = |name: &str| {
            url::form_urlencoded::parse(query.as_bytes())
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        let limit = value("limit").unwrap().parse().unwrap();
        let start = value("previous_id").map_or(0, |id| {
            let has_id =
                |row: &Value| row["acct_id"].as_str().is_some_and(|own| own.eq_ignore_ascii_case(&id));
            let index = rows.iter().position(has_id).unwrap();
            if inclusive { index } else { index + 1 }
        });
        let page: Vec<_> = rows.iter().skip(start).take(limit).collect();
        respond(200, json!({ "items": page }).to_string())
    })
}

#[tokio::test]
async fn rows_without_id_never_hide_later_rows() {
    // Each bit is a row: 1 with an id, 0 without.
    for pattern in 0..64_u128 {
        for (limit, inclusive) in [(3, false), (3, true), (4, false), (4, true), (5, true)] {
            let rows: Vec<Value> = (0..6)
                .map(|bit| match pattern >> bit & 1 {
                    1 => json!({"acct_id": Uuid::from_u128(bit + 1).to_string()}),
                    _ => json!({"name": "no id"}),
                })
                .collect();
            let valid = rows.iter().filter(|row| row["acct_id"].is_string()).count();
            let walk = walk(canned::fortanix(&serve(rows, inclusive)).list_accounts().limit(limit)).await;
            let case = format!("{pattern:06b} limit {limit} inclusive {inclusive}");
            let mut listed: Vec<_> = walk.items.iter().map(|account| account.acct_id).collect();
            listed.dedup();
            assert_eq!(listed.len(), walk.items.len(), "{case}: an account was listed twice");
            // If a page has no id for the next request, the list may end with an error, but not silently.
            let ended = walk.errors.last().is_some_and(|error| error.kind() != ErrorKind::InvalidRecord);
            assert!(
                ended || listed.len() == valid,
                "{case}: {} of {valid} listed, without an error",
                listed.len()
            );
            if !ended && valid < 6 {
                let rejected = IncompleteReason::Rejected { rows: 6 - valid as u64 };
                let Completeness::Uncertain(reasons) = walk.summary.completeness else { panic!("{case}") };
                let (expected, rest): (Vec<_>, Vec<_>) =
                    reasons.into_iter().partition(|reason| *reason == rejected);
                assert_eq!(expected.len(), 1, "{case}");
                // Rows without an id at the end may hide others, if the server limits its pages.
                let truncated = matches!(rest[..], [IncompleteReason::Truncated { .. }]);
                assert!(rest.is_empty() || truncated && pattern >> 5 == 0, "{case}: {rest:?}");
            }
        }
    }
}

#[tokio::test]
async fn invalid_row_with_uppercase_id_yielded_once() {
    let id = "5E2B9F3A-4B1E-4C7E-9D55-0C1F7F4F0A01";
    let rows = vec![json!({"acct_id": Uuid::nil()}), json!({"acct_id": id, "name": 7})];
    for inclusive in [false, true] {
        let walk = walk(canned::fortanix(&serve(rows.clone(), inclusive)).list_accounts().limit(5)).await;
        assert_eq!((walk.items.len(), walk.errors.len()), (1, 1), "{:?}", walk.errors);
        assert!(walk.errors[0].message().contains(id));
    }
}

#[tokio::test]
async fn invalid_row_with_non_uuid_id_yielded_once() {
    for count in 1..4 {
        for (limit, inclusive) in [(3, false), (5, false), (5, true)] {
            let mut rows = vec![json!({"acct_id": Uuid::nil()})];
            rows.resize(1 + count, json!({"acct_id": "no uuid"}));
            let transport = serve(rows, inclusive);
            let walk = walk(canned::fortanix(&transport).list_accounts().limit(limit)).await;
            let rejected =
                walk.errors.iter().filter(|error| error.kind() == ErrorKind::InvalidRecord).count();
            let ended = rejected < walk.errors.len();
            assert_eq!(walk.items.len(), 1, "{limit} {inclusive}");
            assert!(rejected == count || ended && rejected < count, "{limit} {inclusive}: {:?}", walk.errors);
        }
    }
}
