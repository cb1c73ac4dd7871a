//! Huawei's list with arbitrary responses, and with arbitrary pages that are linked by markers.

#![no_main]

use arbitrary::Arbitrary;
use headcount_fuzz::{
    canary_free::CanaryFree,
    clients,
    cursor_model::{CursorListing, ServerState},
    fault::{Fault, FaultCounter, with_faults},
    oracle,
    raw_response::{RawResponse, replay},
    runtime::run,
    server::{Reply, parameter, response},
    walk::{Mode, Plan, walk},
};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Input {
    Pages(CursorListing, Vec<Fault>, Plan),
    Raw(Vec<RawResponse>, Plan),
}

fuzz_target!(|input: CanaryFree<Input>| {
    match input.0 {
        Input::Pages(listing, faults, plan) => pages(&listing, &faults, &plan),
        Input::Raw(replies, plan) => raw(&replies, &plan),
    }
});

fn pages(listing: &CursorListing, faults: &[Fault], plan: &Plan) {
    let state = listing.server_state();
    let (model, current) = (listing.clone(), state.clone());
    let (server, counter) =
        with_faults(faults, move |request| page(&model, &current, parameter(request, "marker")));
    let list = clients::huawei(&server).list_accounts();
    listing.check(&state, &run(walk(&list, plan, &counter, |list, mode: Mode| mode.pages(list))));
}

fn page(listing: &CursorListing, state: &ServerState, marker: Option<String>) -> Reply {
    let Some(page) = listing.page(state, marker.as_deref()) else {
        return response(400, r#"{"error_code":"Organizations.1008","error_msg":"unknown marker"}"#);
    };
    let info = match page.next {
        Ok(marker) => format!(r#"{{"next_marker":{}}}"#, serde_json::Value::from(marker)),
        Err(way) => ["{}", r#"{"next_marker":null}"#, r#"{"next_marker":"","current_count":0}"#]
            [usize::from(way) % 3]
            .into(),
    };
    response(200, format!(r#"{{"accounts":{},"page_info":{info}}}"#, page.rows))
}

/// Checks that the list ends only if `next_marker` is null, absent or empty.
fn raw(replies: &[RawResponse], plan: &Plan) {
    let (server, last) = replay(replies);
    let list = clients::huawei(&server).list_accounts();
    let outcome = run(walk(&list, plan, &FaultCounter::default(), |list, mode: Mode| mode.pages(list)));
    if outcome.error.is_some() {
        return;
    }
    let last = last.get().expect("only a response can end a list");
    assert!(last.is_success());
    let body = oracle::members(&last.body()).expect("an object with accounts");
    let rows = oracle::count(&body, "accounts").expect("an array");
    let info = oracle::object(&body, "page_info").expect("an object");
    assert!(oracle::is_blank(&info, "next_marker"), "a marker was not followed");
    if server.requests().len() == 1 {
        assert_eq!(outcome.rows.len(), rows);
    }
}
