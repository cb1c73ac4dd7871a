//! What accounts are entitled to.

use futures::StreamExt;
use headcount::{
    Completeness, ErrorKind, IncompleteReason, Paginator,
    sailpoint::{ApiVersion, Entitlement, ListEntitlements},
};
use headcount_sim::{Conformance, SailPoint, SailPointBuilder, SailPointPastEnd};
use serde_json::{Value, json};

use crate::providers::support::{assert_unsent, refusal, refused_unsent, sailpoint, values, walk, whole};

/// A tenant of which some accounts have many entitlements, always in the same order.
fn many() -> SailPointBuilder {
    SailPoint::builder().accounts(30).entitlements(300).stable_order(true).rate_limit(None)
}

/// An account that has some entitlements.
fn account(server: &SailPoint) -> String {
    let ids = server.ids();
    ids.into_iter().find(|id| server.entitlements_of(id).len() > 3).unwrap()
}

fn list(server: &SailPoint, id: &str) -> ListEntitlements {
    sailpoint(server).build().unwrap().list_entitlements(id)
}

fn ids(entitlements: &[Entitlement]) -> Vec<String> {
    entitlements.iter().map(|entitlement| entitlement.id.clone()).collect()
}

fn expected(server: &SailPoint, id: &str) -> Vec<String> {
    let records = server.entitlements_of(id).into_iter();
    records.map(|record| record["id"].as_str().unwrap().to_owned()).collect()
}

/// So many entitlements.
fn some(count: usize) -> Vec<Value> {
    (0..count).map(|number| json!({"id": format!("e{}", (number * 37) % 101), "name": null})).collect()
}

#[tokio::test]
async fn all_of_every_account_come_with_every_member_in_every_version() {
    for version in ApiVersion::ALL {
        let server = SailPoint::builder().accounts(30).rate_limit(None).start().await.unwrap();
        let client = sailpoint(&server).api_version(version).build().unwrap();
        for id in server.ids() {
            let listed = whole(client.list_entitlements(&id)).await;
            let mut raw: Vec<Value> =
                listed.iter().map(|one| serde_json::from_str(one.raw()).unwrap()).collect();
            let mut records = server.entitlements_of(&id);
            // One page has all of them, in whatever order.
            for list in [&mut raw, &mut records] {
                list.sort_by_key(|one| one["id"].as_str().unwrap().to_owned());
            }
            assert_eq!(raw, records, "{version:?} {id}");
        }
        let request = server.requests().pop().unwrap();
        let path = format!("{}/{}/entitlements", version.path(), server.ids().pop().unwrap());
        assert_eq!((request.method(), request.path()), ("GET", path.as_str()));
        let query = ["limit", "offset", "count", "sorters"].map(|name| request.query_value(name));
        assert_eq!(query, [Some("250"), Some("0"), Some("true"), None]);
    }
}

#[tokio::test]
async fn the_list_keeps_every_promise_of_a_paginator() {
    for past_end in [SailPointPastEnd::Empty, SailPointPastEnd::BadRequest] {
        let server = many().past_end(past_end).start().await.unwrap();
        let id = account(&server);
        let there = expected(&server, &id);
        assert!(there.len() > 30, "several pages");
        for limit in [7, 11, 250] {
            let check = Conformance::new(|| list(&server, &id).limit(limit)).expecting(there.clone());
            check.run().await.unwrap();
        }
    }
}

#[tokio::test]
async fn pages_in_an_order_that_holds_are_whole_and_begin_at_the_last_row_before_them() {
    for count in [None, Some(true), Some(false)] {
        for every in [100, 2] {
            let server = many().short_page_every(every).start().await.unwrap();
            let id = account(&server);
            let list = list(&server, &id).limit(9);
            let listed = whole(count.iter().fold(list, |list, count| list.count(*count))).await;
            assert_eq!(ids(&listed), expected(&server, &id), "{count:?} {every}");
            assert_eq!(server.requests()[2].query_value("offset"), Some("8"));
        }
    }
}

#[tokio::test]
async fn an_offset_and_a_total_are_counted_from_the_first() {
    let server = many().start().await.unwrap();
    let id = account(&server);
    let there = expected(&server, &id);
    let walk = walk(list(&server, &id).limit(10).offset(5)).await;
    assert_eq!(ids(&walk.items), there[5..]);
    assert_eq!(walk.summary.total, Some(there.len() as u64 - 5));
    server.clear_requests();
    assert_eq!(list(&server, &id).total().await.unwrap(), there.len() as u64);
    let limits = values(&server.requests(), "limit");
    assert_eq!(limits.last(), Some(&Some("0".to_owned())));
}

#[tokio::test]
async fn entitlements_that_come_or_go_between_pages_leave_a_doubt() {
    let without = |gone: std::ops::Range<usize>| {
        let mut rows = some(40);
        rows.drain(gone);
        rows
    };
    let with_new = |mut rows: Vec<Value>, place: usize| {
        rows.insert(place, json!({"id": "new"}));
        rows
    };
    for (case, now) in [
        ("the first one is gone", without(0..1)),
        ("some before the last one listed are gone", without(3..6)),
        ("the last one listed is gone", without(9..10)),
        ("so is all that was listed", without(0..10)),
        ("the last one is gone, and the one before it stands in its place", with_new(without(9..10), 0)),
        ("the last one has moved by a new one before it", with_new(some(40), 9)),
    ] {
        for count in [true, false] {
            let server = many().start().await.unwrap();
            let id = account(&server);
            server.set_entitlements(&id, some(40));
            let mut pages = list(&server, &id).limit(10).count(count).pages();
            pages.next().await.unwrap().unwrap();
            server.set_entitlements(&id, now.clone());
            while let Some(page) = pages.next().await {
                page.unwrap();
            }
            let Completeness::Uncertain(doubts) = pages.summary().completeness else {
                panic!("that the pages may not join is not told: {case}");
            };
            assert!(doubts.contains(&IncompleteReason::BoundariesUnverified), "{case}: {doubts:?}");
        }
    }
}

#[tokio::test]
async fn pages_that_are_shuffled_each_time_are_not_taken_for_a_whole_list() {
    let mut incomplete = 0;
    for seed in 0..20 {
        let server = many().seed(seed).stable_order(false).start().await.unwrap();
        let id = account(&server);
        server.set_entitlements(&id, some(60));
        let walk = walk(list(&server, &id).limit(20)).await;
        let mut listed = ids(&walk.items);
        listed.sort();
        listed.dedup();
        let is_all = listed.len() == 60 && walk.items.len() == 60;
        incomplete += u32::from(!is_all);
        let told = walk.summary.completeness != Completeness::Complete;
        assert!(told || is_all, "seed {seed}: {:?}", walk.summary);
        assert!(walk.errors.is_empty(), "{:?}", walk.errors);
    }
    assert!(incomplete > 10, "such a server does lose some: {incomplete}");
}

#[tokio::test]
async fn a_bad_row_costs_only_itself() {
    let server = many().start().await.unwrap();
    let id = account(&server);
    let rows =
        vec![json!({"id": "a"}), json!({"name": "hunter2"}), json!({"id": "c", "privileged": "hunter2"})];
    server.set_entitlements(&id, rows);
    let walk = walk(list(&server, &id)).await;
    assert_eq!(ids(&walk.items), ["a"]);
    assert_eq!(walk.errors.len(), 2);
    assert!(walk.errors.iter().all(|error| error.kind() == ErrorKind::InvalidRecord));
    assert!(!format!("{:?}", walk.errors).contains("hunter2"));
}

#[tokio::test]
async fn parameters_that_can_not_be_are_refused_before_anything_is_sent() {
    let server = many().start().await.unwrap();
    refused_unsent(&server, list(&server, "a").limit(1), &["limit is 1", "expected 2 to 250"]).await;
    refused_unsent(&server, list(&server, "a").limit(251), &["limit is 251"]).await;
    refused_unsent(&server, list(&server, "a").offset(1 << 31), &["offset is 2147483648"]).await;
    for id in ["", "..", "a/b", "a b"] {
        refused_unsent(&server, list(&server, id), &["account id"]).await;
    }
    assert_unsent(&server, list(&server, "a/b").total().await, &["account id"]);
}

#[tokio::test]
async fn unknown_accounts_are_not_found_and_checkpoints_are_of_one_account_only() {
    let server = many().start().await.unwrap();
    let error = refusal(list(&server, "nobody")).await;
    assert_eq!((error.kind(), error.status()), (ErrorKind::NotFound, Some(404)));
    let id = account(&server);
    let checkpoint = list(&server, &id).items().checkpoint();
    assert!(list(&server, &id).resume(&checkpoint).is_ok());
    let error = list(&server, "another").resume(&checkpoint).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Checkpoint);
}
