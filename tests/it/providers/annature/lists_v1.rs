use chrono::{DateTime, TimeDelta, Utc};
use headcount::{
    Completeness, ErrorKind, IncompleteReason,
    annature::{Account, ListAccountsV1},
};
use headcount_sim::{Annature, AnnatureBuilder};
use serde_json::json;

use crate::providers::support::{Canned, UNREACHABLE_URL, annature, list_all, respond, values, walk};

async fn start(builder: AnnatureBuilder) -> Annature {
    builder.start().await.unwrap()
}

fn list(server: &Annature) -> ListAccountsV1 {
    annature(server).build().unwrap().list_accounts_v1()
}

fn ids(accounts: &[Account]) -> Vec<String> {
    accounts.iter().map(|account| account.id.clone()).collect()
}

fn parse_date(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[tokio::test]
async fn full_response_may_be_truncated() {
    for (accounts, truncated) in [(0, false), (999, false), (1000, true), (1001, true)] {
        let server = start(Annature::builder().accounts(accounts)).await;
        let walk = walk(list(&server)).await;
        assert!(walk.errors.is_empty(), "{:?}", walk.errors);
        assert_eq!(ids(&walk.items), server.ids()[..accounts.min(1000)]);
        let expected = if truncated {
            Completeness::Uncertain(vec![IncompleteReason::Truncated { cap: 1000 }])
        } else {
            Completeness::Complete
        };
        assert_eq!(walk.summary.completeness, expected, "{accounts}");
        assert_eq!(server.list_requests().len(), 1);
        assert_eq!(server.list_requests()[0].raw_query(), None);
    }
}

#[tokio::test]
async fn follow_by_date_yields_each_account_once() {
    for inclusive in [false, true] {
        let builder = Annature::builder().accounts(2500).created_before_inclusive(inclusive);
        let server = start(builder).await;
        // Many accounts share a second across the boundary of the first two pages, unordered by fraction.
        let server_ids = server.ids();
        let boundary = server.world(|world| world.record(&server_ids[1000])).unwrap();
        let created = parse_date(boundary["created"].as_str().unwrap());
        for (millis, id) in [0, 300, 600].into_iter().cycle().zip(&server_ids[700..1400]) {
            let fraction = TimeDelta::milliseconds(millis);
            let second = DateTime::from_timestamp(created.timestamp(), 0).unwrap();
            let text = json!((second + fraction).to_rfc3339());
            assert!(server.update(id, |record| record["created"] = text));
        }
        let list = list(&server).follow_by_date(true);
        assert_eq!(ids(&list_all(list).await), server.ids(), "inclusive: {inclusive}");
        let cutoffs = values(&server.list_requests(), "created_before");
        assert!((3..=5).contains(&cutoffs.len()), "{cutoffs:?}");
        assert!(cutoffs[0].is_none() && cutoffs[1..].is_sorted_by(|newer, older| newer > older));
    }
}

#[tokio::test]
async fn too_many_accounts_in_one_second() {
    let server = start(Annature::builder().accounts(1500)).await;
    for id in server.ids() {
        server.update(&id, |record| {
            record["created"] = json!("2024-03-15T22:21:30.000Z");
        });
    }
    let list = list(&server).follow_by_date(true);
    let walk = walk(list).await;
    assert_eq!(ids(&walk.items), server.ids()[..1000]);
    assert_eq!(walk.errors.len(), 1);
    assert_eq!(walk.errors[0].kind(), ErrorKind::Api);
    assert!(walk.errors[0].message().contains("list_accounts"), "{:?}", walk.errors);
    assert_eq!(walk.summary.completeness, Completeness::InProgress);
}

#[tokio::test]
async fn follow_by_date_respects_date_filters() {
    let server = start(Annature::builder().accounts(1700)).await;
    let records = server.records();
    let created = |index: usize| parse_date(records[index]["created"].as_str().unwrap());
    let (before, after) = (created(200), created(1500));
    let list = list(&server).follow_by_date(true);
    let listed = list_all(list.created_before(before).created_after(after)).await;
    let between = (0..1700).filter(|index| (after < created(*index)) && (created(*index) < before));
    let between: Vec<_> = between.map(|index| records[index]["id"].as_str().unwrap()).collect();
    assert!(between.len() > 1200, "more than one page");
    assert_eq!(ids(&listed), between);
    let sent = values(&server.list_requests(), "created_after");
    assert!(sent.iter().all(Option::is_some), "{sent:?}");
}

/// Comparing the rows of these pages pairwise would take minutes.
#[tokio::test]
async fn follow_by_date_takes_linear_time() {
    const ROWS: usize = 40_000;
    let row = |id: usize, created: &str| format!(r#"{{"id":"{id:032}","created":"{created}"}}"#);
    let same: Vec<_> = (0..ROWS).map(|id| row(id, "2024-03-15T22:21:30Z")).collect();
    let older = row(ROWS, "2024-03-14T22:21:30Z");
    let transport = Canned::new(move |number, _| match number {
        0 => respond(200, format!("[{}]", same.join(","))),
        1 => respond(200, format!("[{},{older}]", same.join(","))),
        _ => respond(200, format!("[{older}]")),
    });
    let client = headcount::annature::Client::builder()
        .id("id")
        .key("key")
        .base_url(UNREACHABLE_URL)
        .transport(transport.clone());
    let started = std::time::Instant::now();
    let listed = list_all(client.build().unwrap().list_accounts_v1().follow_by_date(true)).await;
    assert_eq!(ids(&listed), (0..=ROWS).map(|id| format!("{id:032}")).collect::<Vec<_>>());
    assert_eq!(transport.urls().len(), 3);
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}
