//! Annature's lists with arbitrary responses, and with arbitrary pages that are linked by cursors.

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
    RawV1(Vec<RawResponse>, bool, Plan),
}

fuzz_target!(|input: CanaryFree<Input>| {
    match input.0 {
        Input::Pages(listing, faults, plan) => pages(&listing, &faults, &plan),
        Input::Raw(replies, plan) => raw(&replies, &plan),
        Input::RawV1(replies, follow_by_date, plan) => raw_v1(&replies, follow_by_date, &plan),
    }
});

fn pages(listing: &CursorListing, faults: &[Fault], plan: &Plan) {
    let state = listing.server_state();
    let (model, current) = (listing.clone(), state.clone());
    let (server, counter) =
        with_faults(faults, move |request| page(&model, &current, parameter(request, "cursor")));
    let list = clients::annature(&server).list_accounts();
    listing.check(&state, &run(walk(&list, plan, &counter, |list, mode: Mode| mode.pages(list))));
}

fn page(listing: &CursorListing, state: &ServerState, cursor: Option<String>) -> Reply {
    let Some(page) = listing.page(state, cursor.as_deref()) else {
        return response(400, r#"{"message":"unknown cursor"}"#);
    };
    let end = match page.next {
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
    response(200, format!(r#"{{"accounts":{},{end}}}"#, page.rows))
}

/// Checks that the list ends only if `has_more` is false.
fn raw(replies: &[RawResponse], plan: &Plan) {
    let (server, last) = replay(replies);
    let list = clients::annature(&server).list_accounts();
    let outcome = run(walk(&list, plan, &FaultCounter::default(), |list, mode: Mode| mode.pages(list)));
    if outcome.error.is_some() {
        return;
    }
    let last = last.get().expect("only a response can end a list");
    assert!(last.is_success());
    let body = oracle::members(&last.body()).expect("an object with accounts");
    let rows = oracle::count(&body, "accounts").expect("an array");
    assert!(oracle::is(&body, "has_more", "false"), "the list ended without `has_more` being false");
    if server.requests().len() == 1 {
        assert_eq!(outcome.rows.len(), rows);
    }
}

/// Checks that one array is the complete list. The bodies are too short to reach the maximum of the endpoint.
fn raw_v1(replies: &[RawResponse], follow_by_date: bool, plan: &Plan) {
    let (server, last) = replay(replies);
    let list = clients::annature(&server).list_accounts_v1().follow_by_date(follow_by_date);
    let outcome = run(walk(&list, plan, &FaultCounter::default(), |list, mode: Mode| mode.pages(list)));
    if outcome.error.is_some() {
        return;
    }
    let last = last.get().expect("only a response can end a list");
    assert!(last.is_success());
    let rows = oracle::values(&last.body()).expect("an array");
    if server.requests().len() == 1 {
        assert_eq!(outcome.rows.len(), rows.len());
    }
}
