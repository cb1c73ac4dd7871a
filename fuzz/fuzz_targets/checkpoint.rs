//! Arbitrary saved checkpoints. Reading succeeds or fails with an error, a round trip changes nothing, and
//! resuming returns a stream that ends or an error.

#![no_main]

use arbitrary::Arbitrary;
use headcount::{Checkpoint, ErrorKind, Pages, Paginator, SortOrder, Summary, sailpoint::Field};
use headcount_fuzz::{
    canary_free::CanaryFree,
    checkpoint_mutation::{CheckpointMutation, ListingKind},
    clients,
    json::Json,
    redaction,
    runtime::run,
    server::{Server, parameter, response},
    walk::through_json,
};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

#[derive(Arbitrary, Debug)]
enum Input {
    Text(String),
    Json(Json),
    Mutation(Box<CheckpointMutation>),
}

fuzz_target!(|input: CanaryFree<Input>| {
    match input.0 {
        Input::Text(text) => drop(read(&text)),
        Input::Json(json) => drop(read(&json.0)),
        Input::Mutation(mutation) => resume_listing(&mutation),
    }
});

/// Reads a checkpoint. Checks that another version is an error that names both versions.
fn read(text: &str) -> Option<Checkpoint> {
    let read: Result<Checkpoint, _> = serde_json::from_str(text);
    let version = serde_json::from_str::<Value>(text).ok().and_then(|json| json.get("v")?.as_u64());
    if let Some(version) = version.filter(|version| *version != 1) {
        let error = read.expect_err("the version is not supported").to_string();
        // A duplicate member, or a version that is not a number, is reported instead.
        let named = error.contains(&version.to_string()) && error.contains("expected 1");
        assert!(named || error.contains("duplicate") || error.contains("expected u64"), "{error}");
        return None;
    }
    let checkpoint = read.ok()?;
    assert_eq!(version, Some(1), "a checkpoint without a version: {text}");
    // serde_json does not guarantee a round trip of floating-point numbers.
    if !text.contains(['.', 'e', 'E']) {
        through_json(&checkpoint);
    }
    assert_eq!(checkpoint.is_done(), *checkpoint.position() == headcount::Position::Done);
    let _ = (checkpoint.items(), format!("{checkpoint:?}"));
    Some(checkpoint)
}

/// Creates a server with three accounts of each provider. It selects the provider by host.
fn server() -> Server {
    const IDS: [&str; 3] = [
        "00000000-0000-0000-0000-000000000001",
        "00000000-0000-0000-0000-000000000002",
        "00000000-0000-0000-0000-000000000003",
    ];
    Server::new(|request| {
        let rows = |member: &str, from: usize, count: usize| {
            let rows: Vec<_> = IDS.iter().skip(from).take(count).collect();
            format!(
                "[{}]",
                rows.iter().map(|id| format!(r#"{{"{member}":"{id}"}}"#)).collect::<Vec<_>>().join(",")
            )
        };
        let after = |name: &str| {
            let text = parameter(request, name)?;
            IDS.iter().position(|id| *id == text).map(|index| index + 1)
        };
        let host = request.uri().host().unwrap_or_default();
        if host.contains("fortanix") {
            return response(
                200,
                format!(r#"{{"items":{}}}"#, rows("acct_id", after("previous_id").unwrap_or(3), 3)),
            );
        }
        if host.contains("huawei") {
            let from = after("marker").unwrap_or(0);
            let next = if from < 2 { format!("\"{}\"", IDS[from]) } else { "null".into() };
            let rows = rows("id", from, 1);
            return response(200, format!(r#"{{"accounts":{rows},"page_info":{{"next_marker":{next}}}}}"#));
        }
        if request.uri().path() == "/v1/accounts" {
            return response(200, rows("id", 0, 3));
        }
        if host.contains("annature") {
            let from = after("cursor").unwrap_or(0);
            let next = if from < 2 { format!("\"{}\"", IDS[from]) } else { "null".into() };
            return response(
                200,
                format!(r#"{{"accounts":{},"cursor":{next},"has_more":{}}}"#, rows("id", from, 1), from < 2),
            );
        }
        let number =
            |name: &str| parameter(request, name).and_then(|text| text.parse().ok()).unwrap_or(usize::MAX);
        response(200, rows("id", number("offset"), number("limit")))
    })
}

fn resume_listing(mutation: &CheckpointMutation) {
    let server = server();
    match mutation.listing() {
        ListingKind::Fortanix => {
            resume(mutation, clients::fortanix(&server).list_accounts().limit(3), Paginator::pages)
        }
        ListingKind::Huawei => resume(mutation, clients::huawei(&server).list_accounts(), Paginator::pages),
        ListingKind::Annature => {
            resume(mutation, clients::annature(&server).list_accounts(), Paginator::pages)
        }
        ListingKind::AnnatureV1 => {
            resume(
                mutation,
                clients::annature(&server).list_accounts_v1().follow_by_date(true),
                Paginator::pages,
            );
        }
        ListingKind::SailPoint => {
            let list = clients::sailpoint(&server).list_accounts().limit(2);
            resume(mutation, list, |list| list.pages().concurrent(3));
        }
        ListingKind::SailPointErased => {
            let list = clients::sailpoint(&server).list_accounts().limit(2).into_accounts();
            resume(mutation, list, |list| list.pages().concurrent(2));
        }
        ListingKind::SailPointModified => {
            let list = clients::sailpoint(&server).list_accounts().limit(2);
            resume(mutation, list.sort_by(Field::Modified, SortOrder::Ascending), |list| {
                list.pages().ahead(1)
            });
        }
        ListingKind::SailPointEntitlements => {
            resume(mutation, clients::sailpoint(&server).list_entitlements("a").limit(2), Paginator::pages);
        }
    }
}

fn resume<P: Paginator + Clone>(mutation: &CheckpointMutation, list: P, open: fn(P) -> Pages<P>) {
    let original = serde_json::to_string(&list.clone().items().checkpoint()).unwrap();
    let Some(checkpoint) = read(&mutation.apply(&original)) else { return };
    run(async {
        let mut items = match open(list).resume(&checkpoint) {
            Ok(items) => items,
            Err(error) => {
                redaction::check(&error);
                return assert_eq!(error.kind(), ErrorKind::Checkpoint, "{error}");
            }
        };
        let mut ended = false;
        let before = items.summary();
        while let Some(item) = items.next().await {
            assert!(!ended, "the stream continued after its error");
            if let Err(error) = item {
                redaction::check(&error);
                ended = error.kind() != ErrorKind::InvalidRecord;
            }
            through_json(&items.checkpoint());
            check(&before, &items.summary());
        }
        assert!(ended || items.checkpoint().is_done());
    });
}

/// Checks that no counter decreases.
fn check(before: &Summary, now: &Summary) {
    assert!(now.pages >= before.pages && now.duplicates >= before.duplicates, "{before:?} {now:?}");
    assert!(now.items >= before.items && now.rejected >= before.rejected, "{before:?} {now:?}");
    assert!(now.repeats_at_most >= before.repeats_at_most, "{before:?} {now:?}");
}
