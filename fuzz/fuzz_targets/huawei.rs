//! What a list of Huawei's makes of any answer, and of any pages with markers.

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
}

fuzz_target!(|input: Clean<Input>| {
    match input.0 {
        Input::Pages(book, faults, route) => pages(&book, &faults, &route),
        Input::Raw(replies, route) => raw(&replies, &route),
    }
});

fn pages(book: &Book, faults: &[Fault], route: &Route) {
    let shelf = book.shelf();
    let (served, current) = (book.clone(), shelf.clone());
    let (server, happened) =
        failing(faults, move |request| page(&served, &current, parameter(request, "marker")));
    let list = clients::huawei(&server).list_accounts();
    book.check(&shelf, &run(walk(&list, route, &happened, |list, mode: Mode| mode.pages(list))));
}

fn page(book: &Book, shelf: &Shelf, marker: Option<String>) -> Reply {
    let Some(sheet) = book.sheet(shelf, marker.as_deref()) else {
        return answer(400, r#"{"error_code":"Organizations.1008","error_msg":"unknown marker"}"#);
    };
    let info = match sheet.next {
        Ok(marker) => format!(r#"{{"next_marker":{}}}"#, serde_json::Value::from(marker)),
        Err(way) => ["{}", r#"{"next_marker":null}"#, r#"{"next_marker":"","current_count":0}"#]
            [usize::from(way) % 3]
            .into(),
    };
    answer(200, format!(r#"{{"accounts":{},"page_info":{info}}}"#, sheet.rows))
}

/// The list ends where `next_marker` is null, absent or empty, and only there.
fn raw(replies: &[RawReply], route: &Route) {
    let (server, last) = giving(replies);
    let list = clients::huawei(&server).list_accounts();
    let walked = run(walk(&list, route, &Happened::default(), |list, mode: Mode| mode.pages(list)));
    if walked.error.is_some() {
        return;
    }
    let last = last.get().expect("nothing but an answer ends a list");
    assert!(last.is_success());
    let body = oracle::members(&last.body()).expect("an object with accounts");
    let rows = oracle::count(&body, "accounts").expect("an array");
    let info = oracle::object(&body, "page_info").expect("an object");
    assert!(oracle::is_blank(&info, "next_marker"), "a marker was not followed");
    if server.seen().len() == 1 {
        assert_eq!(walked.told.len(), rows);
    }
}
