//! Fortanix's list with arbitrary responses, and with servers that interpret the paging parameters in any
//! way.

#![no_main]

use arbitrary::Arbitrary;
use headcount_fuzz::{
    canary_free::CanaryFree,
    clients,
    fault::{Fault, FaultCounter, with_faults},
    fortanix_model::FortanixModel,
    oracle,
    raw_response::{RawResponse, replay},
    runtime::run,
    walk::{Mode, Plan, walk},
};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Input {
    Pages(FortanixModel, Vec<Fault>, Plan),
    Raw(Vec<RawResponse>, Plan),
}

fuzz_target!(|input: CanaryFree<Input>| {
    match input.0 {
        Input::Pages(model, faults, plan) => pages(&model, &faults, &plan),
        Input::Raw(replies, plan) => raw(&replies, &plan),
    }
});

fn pages(model: &FortanixModel, faults: &[Fault], plan: &Plan) {
    let state = model.server_state();
    let (served, current) = (model.clone(), state.clone());
    let (server, counter) = with_faults(faults, move |request| served.respond(&current, request));
    let list = model.list(&state, &server);
    model.check(&state, &run(walk(&list, plan, &counter, |list, mode: Mode| mode.pages(list))));
}

/// Checks that the list ends only at a page without items or without new items.
fn raw(replies: &[RawResponse], plan: &Plan) {
    let (server, last) = replay(replies);
    let list = clients::fortanix(&server).list_accounts();
    let outcome = run(walk(&list, plan, &FaultCounter::default(), |list, mode: Mode| mode.pages(list)));
    if outcome.error.is_some() {
        return;
    }
    let last = last.get().expect("only a response can end a list");
    assert!(last.is_success());
    let body = oracle::members(&last.body()).expect("an object with items");
    if oracle::is_blank(&body, "items") {
        assert!(body.keys().all(|name| name == "items"), "an object with other members ended the list");
        return;
    }
    let rows = oracle::count(&body, "items").expect("an array");
    if server.requests().len() == 1 {
        assert_eq!((outcome.rows.len(), rows), (0, 0), "the first page ended the list");
    }
}
