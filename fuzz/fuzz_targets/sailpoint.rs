//! What SailPoint's lists make of any answer, and of pages by offset of a list that may change at any moment.

#![no_main]

use arbitrary::Arbitrary;
use headcount::Paginator;
use headcount::sailpoint::ListAccounts;
use headcount_fuzz::{
    clean::Clean,
    clients,
    fault::{Fault, Happened, failing},
    oracle,
    raw::{RawReply, giving},
    runtime::run,
    sources::{Kind, Sources},
    walk::{Mode, Route, walk},
};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Input {
    Pages(Sources, Vec<Fault>, Route),
    Raw(Vec<RawReply>, Route),
    Entitlements(Sources, Vec<Fault>, Route),
}

fuzz_target!(|input: Clean<Input>| {
    match input.0 {
        Input::Pages(sources, faults, route) => pages(&sources, &faults, &route),
        Input::Raw(replies, route) => raw(&replies, &route),
        Input::Entitlements(sources, faults, route) => entitlements(&sources, &faults, &route),
    }
});

fn open(list: ListAccounts, mode: Mode) -> headcount::Pages<ListAccounts> {
    match mode {
        Mode::Concurrent(width) => list.pages().concurrent(usize::from(width % 5)),
        mode => mode.pages(list),
    }
}

fn pages(sources: &Sources, faults: &[Fault], route: &Route) {
    let world = sources.world();
    let (served, current) = (sources.clone(), world.clone());
    let (server, happened) = failing(faults, move |request| served.answer(&current, request));
    let list = sources.list(&server);
    sources.check(Kind::Accounts, &world, &run(walk(&list, route, &happened, open)));
}

fn entitlements(sources: &Sources, faults: &[Fault], route: &Route) {
    let world = sources.world();
    let (served, current) = (sources.clone(), world.clone());
    let (server, happened) = failing(faults, move |request| served.answer(&current, request));
    let list = sources.entitlements(&server);
    let walked = run(walk(&list, route, &happened, |list, mode: Mode| mode.pages(list)));
    sources.check(Kind::Entitlements, &world, &walked);
}

/// The list ends at an empty page, or where a row that was listed is the last.
fn raw(replies: &[RawReply], route: &Route) {
    let (server, last) = giving(replies);
    let list = clients::sailpoint(&server).list_accounts();
    let walked = run(walk(&list, route, &Happened::default(), open));
    if walked.error.is_some() {
        return;
    }
    let last = last.get().expect("nothing but an answer ends a list");
    let seen = server.seen().len();
    // An offset that may lie behind the end can be answered with a 400, but the first one does not.
    assert!(last.is_success() || seen > 1);
    let Some(rows) = oracle::values(&last.body()).filter(|_| last.is_success()) else {
        return assert!(seen > 1, "no array ended the list");
    };
    if seen == 1 {
        assert!(rows.is_empty() && last.counts(0), "an end that nobody told of");
    }
}
