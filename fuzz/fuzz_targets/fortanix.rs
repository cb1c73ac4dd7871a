//! What a list of Fortanix's makes of any answer, and of servers that page in any of the ways that are thinkable.

#![no_main]

use arbitrary::Arbitrary;
use headcount_fuzz::{
    clean::Clean,
    clients,
    fault::{Fault, Happened, failing},
    oracle,
    raw::{RawReply, giving},
    runtime::run,
    tenants::Tenants,
    walk::{Mode, Route, walk},
};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Input {
    Pages(Tenants, Vec<Fault>, Route),
    Raw(Vec<RawReply>, Route),
}

fuzz_target!(|input: Clean<Input>| {
    match input.0 {
        Input::Pages(tenants, faults, route) => pages(&tenants, &faults, &route),
        Input::Raw(replies, route) => raw(&replies, &route),
    }
});

fn pages(tenants: &Tenants, faults: &[Fault], route: &Route) {
    let world = tenants.world();
    let (served, current) = (tenants.clone(), world.clone());
    let (server, happened) = failing(faults, move |request| served.answer(&current, request));
    let list = tenants.list(&world, &server);
    tenants.check(&world, &run(walk(&list, route, &happened, |list, mode: Mode| mode.pages(list))));
}

/// The list ends at a page without items, or with none but those that were there before.
fn raw(replies: &[RawReply], route: &Route) {
    let (server, last) = giving(replies);
    let list = clients::fortanix(&server).list_accounts();
    let walked = run(walk(&list, route, &Happened::default(), |list, mode: Mode| mode.pages(list)));
    if walked.error.is_some() {
        return;
    }
    let last = last.get().expect("nothing but an answer ends a list");
    assert!(last.is_success());
    let body = oracle::members(&last.body()).expect("an object with items");
    if oracle::is_blank(&body, "items") {
        assert!(body.keys().all(|name| name == "items"), "an object of something else ended the list");
        return;
    }
    let rows = oracle::count(&body, "items").expect("an array");
    if server.seen().len() == 1 {
        assert_eq!((walked.told.len(), rows), (0, 0), "the first page ended the list");
    }
}
