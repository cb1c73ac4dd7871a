//! Whatever is in a saved checkpoint: reading it gives one or an error, saving it again gives the same, and resuming
//! from it gives a stream that ends, or an error that says why not.

#![no_main]

use arbitrary::Arbitrary;
use futures::StreamExt;
use headcount::{Checkpoint, ErrorKind, Pages, Paginator, SortOrder, Summary, sailpoint::Field};
use headcount_fuzz::{
    clean::Clean,
    clients,
    json::Json,
    place::{Saved, Who},
    runtime::run,
    server::{Server, answer, parameter},
    shown,
    walk::through_json,
};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

#[derive(Arbitrary, Debug)]
enum Input {
    Text(String),
    Json(Json),
    Place(Box<Saved>),
}

fuzz_target!(|input: Clean<Input>| {
    match input.0 {
        Input::Text(text) => drop(read(&text)),
        Input::Json(json) => drop(read(&json.0)),
        Input::Place(saved) => place(&saved),
    }
});

/// A checkpoint of another version does not deserialise, and the error names both.
fn read(text: &str) -> Option<Checkpoint> {
    let read: Result<Checkpoint, _> = serde_json::from_str(text);
    let version = serde_json::from_str::<Value>(text).ok().and_then(|json| json.get("v")?.as_u64());
    if let Some(version) = version.filter(|version| *version != 1) {
        let error = read.expect_err("it is of another version").to_string();
        // With a member twice it is none at all, and the first may be no number.
        let named = error.contains(&version.to_string()) && error.contains("version 1");
        assert!(named || error.contains("duplicate") || error.contains("expected u64"), "{error}");
        return None;
    }
    let checkpoint = read.ok()?;
    assert_eq!(version, Some(1), "a checkpoint without a version: {text}");
    // Whether a number with a fraction reads as it was written is not this crate's to say.
    if !text.contains(['.', 'e', 'E']) {
        through_json(&checkpoint);
    }
    assert_eq!(checkpoint.is_done(), *checkpoint.position() == headcount::page::Position::Done);
    let _ = (checkpoint.items(), format!("{checkpoint:?}"));
    Some(checkpoint)
}

/// The three accounts of each provider, without an end where it is asked for what none of its cursors says.
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
        let place = |name: &str| {
            let text = parameter(request, name)?;
            IDS.iter().position(|id| *id == text).map(|row| row + 1)
        };
        let host = request.uri().host().unwrap_or_default();
        if host.contains("fortanix") {
            return answer(
                200,
                format!(r#"{{"items":{}}}"#, rows("acct_id", place("previous_id").unwrap_or(3), 3)),
            );
        }
        if host.contains("huawei") {
            let from = place("marker").unwrap_or(0);
            let next = if from < 2 { format!("\"{}\"", IDS[from]) } else { "null".into() };
            let rows = rows("id", from, 1);
            return answer(200, format!(r#"{{"accounts":{rows},"page_info":{{"next_marker":{next}}}}}"#));
        }
        if request.uri().path() == "/v1/accounts" {
            return answer(200, rows("id", 0, 3));
        }
        if host.contains("annature") {
            let from = place("cursor").unwrap_or(0);
            let next = if from < 2 { format!("\"{}\"", IDS[from]) } else { "null".into() };
            return answer(
                200,
                format!(r#"{{"accounts":{},"cursor":{next},"has_more":{}}}"#, rows("id", from, 1), from < 2),
            );
        }
        let number =
            |name: &str| parameter(request, name).and_then(|text| text.parse().ok()).unwrap_or(usize::MAX);
        answer(200, rows("id", number("offset"), number("limit")))
    })
}

fn place(saved: &Saved) {
    let server = server();
    match saved.who() {
        Who::Fortanix => resume(saved, clients::fortanix(&server).list_accounts().limit(3), Paginator::pages),
        Who::Huawei => resume(saved, clients::huawei(&server).list_accounts(), Paginator::pages),
        Who::Annature => resume(saved, clients::annature(&server).list_accounts(), Paginator::pages),
        Who::AnnatureV1 => {
            resume(
                saved,
                clients::annature(&server).list_accounts_v1().follow_by_date(true),
                Paginator::pages,
            );
        }
        Who::SailPoint => {
            let list = clients::sailpoint(&server).list_accounts().limit(2);
            resume(saved, list, |list| list.pages().concurrent(3));
        }
        Who::SailPointErased => {
            let list = clients::sailpoint(&server).list_accounts().limit(2).into_accounts();
            resume(saved, list, |list| list.pages().concurrent(2));
        }
        Who::SailPointModified => {
            let list = clients::sailpoint(&server).list_accounts().limit(2);
            resume(saved, list.sort_by(Field::Modified, SortOrder::Ascending), |list| list.pages().ahead(1));
        }
        Who::SailPointEntitlements => {
            resume(saved, clients::sailpoint(&server).list_entitlements("a").limit(2), Paginator::pages);
        }
    }
}

fn resume<P: Paginator + Clone>(saved: &Saved, list: P, open: fn(P) -> Pages<P>) {
    let own = serde_json::to_string(&list.clone().items().checkpoint()).unwrap();
    let Some(checkpoint) = read(&saved.text(&own)) else { return };
    run(async {
        let mut items = match open(list).resume(&checkpoint) {
            Ok(items) => items,
            Err(error) => {
                shown::check(&error);
                return assert_eq!(error.kind(), ErrorKind::Checkpoint, "{error}");
            }
        };
        let mut ended = false;
        let before = items.summary();
        while let Some(item) = items.next().await {
            assert!(!ended, "a stream went on behind its error");
            if let Err(error) = item {
                shown::check(&error);
                ended = error.kind() != ErrorKind::InvalidRecord;
            }
            through_json(&items.checkpoint());
            check(&before, &items.summary());
        }
        assert!(ended || items.checkpoint().is_done());
    });
}

/// No figure falls, and the rows that may come again are at most those of the page that was resumed.
fn check(before: &Summary, now: &Summary) {
    assert!(now.pages >= before.pages && now.duplicates >= before.duplicates, "{before:?} {now:?}");
    assert!(now.items >= before.items && now.rejected >= before.rejected, "{before:?} {now:?}");
    assert!(now.repeats_at_most >= before.repeats_at_most, "{before:?} {now:?}");
}
