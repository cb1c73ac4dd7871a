//! What Annature's lists make of any answer, and of any pages with cursors.

#![no_main]

use arbitrary::Arbitrary;
use headcount_fuzz::{
    book::{Book, Shelf},
    clean::Clean,
    clients,
    fault::{Fault, Happened, failing},
    oracle,
    raw::{RawReply, giving},
    runtime::run,
    server::{Reply, answer, parameter},
    walk::{Mode, Route, walk},
};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Input {
    Pages(Book, Vec<Fault>, Route),
    Raw(Vec<RawReply>, Route),
    RawV1(Vec<RawReply>, bool, Route),
}

fuzz_target!(|input: Clean<Input>| {
    match input.0 {
        Input::Pages(book, faults, route) => pages(&book, &faults, &route),
        Input::Raw(replies, route) => raw(&replies, &route),
        Input::RawV1(replies, follow_by_date, route) => raw_v1(&replies, follow_by_date, &route),
    }
});

fn pages(book: &Book, faults: &[Fault], route: &Route) {
    let shelf = book.shelf();
    let (served, current) = (book.clone(), shelf.clone());
    let (server, happened) =
        failing(faults, move |request| page(&served, &current, parameter(request, "cursor")));
    let list = clients::annature(&server).list_accounts();
    book.check(&shelf, &run(walk(&list, route, &happened, |list, mode: Mode| mode.pages(list))));
}

fn page(book: &Book, shelf: &Shelf, cursor: Option<String>) -> Reply {
    let Some(sheet) = book.sheet(shelf, cursor.as_deref()) else {
        return answer(400, r#"{"message":"unknown cursor"}"#);
    };
    let end = match sheet.next {
        Ok(cursor) => {
            let more = if cursor.len() % 2 == 0 { r#","has_more":true"# } else { "" };
            format!(r#""cursor":{}{more}"#, serde_json::Value::from(cursor))
        }
        Err(way) => [
            r#""has_more":false"#,
            r#""has_more":false,"cursor":null"#,
            r#""has_more":false,"cursor":"""#,
            r#""has_more":false,"cursor":"c""#,
        ][usize::from(way) % 4]
            .into(),
    };
    answer(200, format!(r#"{{"accounts":{},{end}}}"#, sheet.rows))
}

/// The list ends where `has_more` is false, and only there.
fn raw(replies: &[RawReply], route: &Route) {
    let (server, last) = giving(replies);
    let list = clients::annature(&server).list_accounts();
    let walked = run(walk(&list, route, &Happened::default(), |list, mode: Mode| mode.pages(list)));
    if walked.error.is_some() {
        return;
    }
    let last = last.get().expect("nothing but an answer ends a list");
    assert!(last.is_success());
    let body = oracle::members(&last.body()).expect("an object with accounts");
    let rows = oracle::count(&body, "accounts").expect("an array");
    assert!(oracle::is(&body, "has_more", "false"), "it was not said to be the end");
    if server.seen().len() == 1 {
        assert_eq!(walked.told.len(), rows);
    }
}

/// One array is the whole list, unless it is full: the bodies here are too short for that.
fn raw_v1(replies: &[RawReply], follow_by_date: bool, route: &Route) {
    let (server, last) = giving(replies);
    let list = clients::annature(&server).list_accounts_v1().follow_by_date(follow_by_date);
    let walked = run(walk(&list, route, &Happened::default(), |list, mode: Mode| mode.pages(list)));
    if walked.error.is_some() {
        return;
    }
    let last = last.get().expect("nothing but an answer ends a list");
    assert!(last.is_success());
    let rows = oracle::values(&last.body()).expect("an array");
    if server.seen().len() == 1 {
        assert_eq!(walked.told.len(), rows.len());
    }
}
