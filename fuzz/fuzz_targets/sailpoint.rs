//! SailPoint's lists with arbitrary responses, and with pages by offset of a list that changes at any time.

#![no_main]

use arbitrary::Arbitrary;
use headcount::sailpoint::ListAccounts;
use headcount_fuzz::{
    canary_free::CanaryFree,
    clients,
    fault::{Fault, FaultCounter, with_faults},
    oracle,
    raw_response::{RawResponse, replay},
    runtime::run,
    sailpoint_model::{Kind, SailPointModel},
    walk::{Mode, Plan, walk},
};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Input {
    Pages(SailPointModel, Vec<Fault>, Plan),
    Raw(Vec<RawResponse>, Plan),
    Entitlements(SailPointModel, Vec<Fault>, Plan),
}

fuzz_target!(|input: CanaryFree<Input>| {
    match input.0 {
        Input::Pages(model, faults, plan) => pages(&model, &faults, &plan),
        Input::Raw(replies, plan) => raw(&replies, &plan),
        Input::Entitlements(model, faults, plan) => entitlements(&model, &faults, &plan),
    }
});

fn open(list: ListAccounts, mode: Mode) -> headcount::Pages<ListAccounts> {
    match mode {
        Mode::Concurrent(width) => list.pages().concurrent(usize::from(width % 5)),
        mode => mode.pages(list),
    }
}

fn pages(model: &SailPointModel, faults: &[Fault], plan: &Plan) {
    let state = model.server_state();
    let (served, current) = (model.clone(), state.clone());
    let (server, counter) = with_faults(faults, move |request| served.respond(&current, request));
    let list = model.list(&server);
    model.check(Kind::Accounts, &state, &run(walk(&list, plan, &counter, open)));
}

fn entitlements(model: &SailPointModel, faults: &[Fault], plan: &Plan) {
    let state = model.server_state();
    let (served, current) = (model.clone(), state.clone());
    let (server, counter) = with_faults(faults, move |request| served.respond(&current, request));
    let list = model.entitlements(&server);
    let outcome = run(walk(&list, plan, &counter, |list, mode: Mode| mode.pages(list)));
    model.check(Kind::Entitlements, &state, &outcome);
}

/// Checks that the list ends only at an empty page, or where a listed row is the last.
fn raw(replies: &[RawResponse], plan: &Plan) {
    let (server, last) = replay(replies);
    let list = clients::sailpoint(&server).list_accounts();
    let outcome = run(walk(&list, plan, &FaultCounter::default(), open));
    if outcome.error.is_some() {
        return;
    }
    let last = last.get().expect("only a response can end a list");
    let requests = server.requests().len();
    // An offset beyond the end may get a 400, but the first offset is not beyond the end.
    assert!(last.is_success() || requests > 1);
    let Some(rows) = oracle::values(&last.body()).filter(|_| last.is_success()) else {
        return assert!(requests > 1, "a body that is not an array ended the list");
    };
    if requests == 1 {
        assert!(rows.is_empty() && last.has_total_count(0), "the list ended without a total of 0");
    }
}
