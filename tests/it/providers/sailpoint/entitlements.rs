//! Listing the entitlements of accounts.

use headcount::{
    Completeness, ErrorKind, IncompleteReason,
    sailpoint::{ApiVersion, Entitlement, ListEntitlements},
};
use headcount_sim::{BeyondEnd, Conformance, SailPoint, SailPointBuilder};
use serde_json::{Value, json};

use crate::providers::support::{
    assert_list_unsent, assert_unsent, list_all, list_error, sailpoint, values, walk,
};

/// Returns a tenant with accounts that have many entitlements, in a stable order.
fn builder() -> SailPointBuilder {
    SailPoint::builder().accounts(30).entitlements(300).stable_order(true).rate_limit(None)
}

/// Returns an account with more than three entitlements.
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

/// Returns `count` entitlements.
fn rows(count: usize) -> Vec<Value> {
    (0..count).map(|number| json!({"id": format!("e{}", (number * 37) % 101), "name": null})).collect()
}

#[tokio::test]
async fn every_member_in_every_version() {
    for version in ApiVersion::ALL {
        let server = SailPoint::builder().accounts(30).rate_limit(None).start().await.unwrap();
        let client = sailpoint(&server).api_version(version).build().unwrap();
        for id in server.ids() {
            let listed = list_all(client.list_entitlements(&id)).await;
            let mut raw: Vec<Value> =
                listed.iter().map(|one| serde_json::from_str(one.raw()).unwrap()).collect();
            let mut records = server.entitlements_of(&id);
            // A single page contains all entitlements, in any order.
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
async fn paginator_conformance() {
    for past_end in [BeyondEnd::Empty, BeyondEnd::BadRequest] {
        let server = builder().beyond_end(past_end).start().await.unwrap();
        let id = account(&server);
        let all = expected(&server, &id);
        assert!(all.len() > 30, "several pages");
        for limit in [7, 11, 250] {
            let check = Conformance::new(|| list(&server, &id).limit(limit)).expected_ids(all.clone());
            check.run().await.unwrap();
        }
    }
}

#[tokio::test]
async fn pages_overlap_by_one_row() {
    for count in [None, Some(true), Some(false)] {
        for every in [100, 2] {
            let server = builder().short_page_every(every).start().await.unwrap();
            let id = account(&server);
            let list = list(&server, &id).limit(9);
            let listed = list_all(count.iter().fold(list, |list, count| list.count(*count))).await;
            assert_eq!(ids(&listed), expected(&server, &id), "{count:?} {every}");
            assert_eq!(server.requests()[2].query_value("offset"), Some("8"));
        }
    }
}

#[tokio::test]
async fn offset_and_total() {
    let server = builder().start().await.unwrap();
    let id = account(&server);
    let all = expected(&server, &id);
    let walk = walk(list(&server, &id).limit(10).offset(5)).await;
    assert_eq!(ids(&walk.items), all[5..]);
    assert_eq!(walk.summary.total, Some(all.len() as u64 - 5));
    server.clear_requests();
    assert_eq!(list(&server, &id).total().await.unwrap(), all.len() as u64);
    let limits = values(&server.requests(), "limit");
    assert_eq!(limits.last(), Some(&Some("0".to_owned())));
}

#[tokio::test]
async fn changes_between_pages_are_reported() {
    let without = |removed: std::ops::Range<usize>| {
        let mut rows = self::rows(40);
        rows.drain(removed);
        rows
    };
    let with_new = |mut rows: Vec<Value>, place: usize| {
        rows.insert(place, json!({"id": "new"}));
        rows
    };
    for (case, changed) in [
        ("the first row is removed", without(0..1)),
        ("rows before the last one listed are removed", without(3..6)),
        ("the last row listed is removed", without(9..10)),
        ("all listed rows are removed", without(0..10)),
        (
            "the last row is removed, and a new first row moves the previous one to its offset",
            with_new(without(9..10), 0),
        ),
        ("a new row before the last one moves it", with_new(rows(40), 9)),
    ] {
        for count in [true, false] {
            let server = builder().start().await.unwrap();
            let id = account(&server);
            server.set_entitlements(&id, rows(40));
            let mut pages = list(&server, &id).limit(10).count(count).pages();
            pages.next().await.unwrap().unwrap();
            server.set_entitlements(&id, changed.clone());
            while let Some(page) = pages.next().await {
                page.unwrap();
            }
            let Completeness::Uncertain(reasons) = pages.summary().completeness else {
                panic!("the gap between pages is not reported: {case}");
            };
            assert!(reasons.contains(&IncompleteReason::BoundariesUnverified), "{case}: {reasons:?}");
        }
    }
}

#[tokio::test]
async fn unstable_order_is_not_complete() {
    let mut incomplete = 0;
    for seed in 0..20 {
        let server = builder().seed(seed).stable_order(false).start().await.unwrap();
        let id = account(&server);
        server.set_entitlements(&id, rows(60));
        let walk = walk(list(&server, &id).limit(20)).await;
        let mut listed = ids(&walk.items);
        listed.sort();
        listed.dedup();
        let is_complete = listed.len() == 60 && walk.items.len() == 60;
        incomplete += u32::from(!is_complete);
        let reported = walk.summary.completeness != Completeness::Complete;
        assert!(reported || is_complete, "seed {seed}: {:?}", walk.summary);
        assert!(walk.errors.is_empty(), "{:?}", walk.errors);
    }
    assert!(incomplete > 10, "the server order should lose rows: {incomplete}");
}

#[tokio::test]
async fn invalid_rows_are_isolated() {
    let server = builder().start().await.unwrap();
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
async fn invalid_parameters_are_not_sent() {
    let server = builder().start().await.unwrap();
    assert_list_unsent(&server, list(&server, "a").limit(1), &["limit is 1", "expected 2 to 250"]).await;
    assert_list_unsent(&server, list(&server, "a").limit(251), &["limit is 251"]).await;
    assert_list_unsent(&server, list(&server, "a").offset(1 << 31), &["offset is 2147483648"]).await;
    for id in ["", "..", "a/b", "a b"] {
        assert_list_unsent(&server, list(&server, id), &["account id"]).await;
    }
    assert_unsent(&server, list(&server, "a/b").total().await, &["account id"]);
}

#[tokio::test]
async fn unknown_account_and_foreign_checkpoint() {
    let server = builder().start().await.unwrap();
    let error = list_error(list(&server, "nobody")).await;
    assert_eq!((error.kind(), error.status()), (ErrorKind::NotFound, Some(404)));
    let id = account(&server);
    let checkpoint = list(&server, &id).items().checkpoint();
    assert!(list(&server, &id).resume(&checkpoint).is_ok());
    let error = list(&server, "another").resume(&checkpoint).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Checkpoint);
}
