//! Whole listings of all providers over HTTP, while their worlds change.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use futures::StreamExt;
use headcount::{Completeness, ErrorKind, IncompleteReason, Paginator};
use headcount_sim as sim;
use proptest::prelude::*;

use crate::{
    changes::changes,
    kit::{self, Habits, PROVIDERS, Trait},
    lists::{block_on, cases, mode, sailpoint_list, setup, walk},
    streams::pages::Mode,
};

fn assert_whole(ids: &[String], summary: &headcount::Summary, expected: Vec<String>) {
    let distinct: BTreeSet<_> = ids.iter().cloned().collect();
    assert_eq!(distinct.len(), ids.len(), "nothing comes twice");
    assert_eq!(distinct, expected.into_iter().collect(), "everything comes");
    assert_eq!(summary.completeness, Completeness::Complete, "{summary:?}");
    assert_eq!(summary.items, ids.len() as u64);
}

proptest! {
    #![proptest_config(cases(20))]

    /// Any size, any page size, empty and short pages in the middle, in every mode.
    #[test]
    fn a_quiet_world_is_listed_whole(
        accounts in prop_oneof![4 => 0..8_usize, 4 => 0..700_usize, 1 => 700..3_000_usize],
        limit in prop_oneof![2..6_u32, 2..250_u32],
        gaps in 2..9_usize,
        way in any::<usize>(),
        mode in mode(),
    ) {
        // Large worlds on large pages, or the test would take long.
        let limit = limit.max(u32::try_from(accounts / 40).unwrap_or(250)).min(250);
        block_on(async {
            for &provider in PROVIDERS {
                // Or short pages are too short to show the row before them.
                let limit = if provider.has(Trait::ByOffset) { limit.max(8) } else { limit };
                let habits = Habits { rows: limit as usize, gaps: Some(gaps), way };
                let server = provider.start(sim::Settings::new().accounts(accounts), habits).await;
                let list = provider.client(&*server, &setup()).list(limit);
                let (ids, summary) = walk(list, mode).await.unwrap();
                assert_whole(&ids, &summary, server.ids());
            }
        });
    }
}

proptest! {
    #![proptest_config(cases(60))]

    /// Accounts are made and removed anywhere before each request: whatever was there throughout comes
    /// exactly once, by offset (SailPoint) as by cursor.
    #[test]
    fn accounts_that_are_there_throughout_are_listed_exactly_once(
        accounts in prop_oneof![0..12_usize, 0..300_usize],
        limit in prop_oneof![2..5_u32, 2..60_u32],
        changes in changes(),
        mode in mode(),
        way in any::<usize>(),
        gaps in prop::option::of(2..5_usize),
    ) {
        block_on(async {
            for &provider in PROVIDERS {
                let gone = Arc::new(Mutex::new(BTreeSet::new()));
                let settings = sim::Settings::new().accounts(accounts).before_list({
                    let (gone, changes) = (Arc::clone(&gone), changes.clone());
                    move |nth, world| {
                        let change = changes.get(nth - 1);
                        gone.lock().unwrap().extend(change.into_iter().flat_map(|change| change.apply(world)));
                    }
                });
                let server = provider.start(settings, Habits { rows: limit as usize, gaps, way }).await;
                let before = server.ids();
                let list = provider.client(&*server, &setup()).list(limit);
                let (ids, summary) = match walk(list, mode).await {
                    Ok(walked) => walked,
                    // All accounts that the place was known by are gone.
                    Err(error) if error.kind() == ErrorKind::ListingChanged && provider.has(Trait::LosesPlaces) => continue,
                    Err(error) => panic!("{provider}: {error}"),
                };
                let distinct: BTreeSet<_> = ids.iter().cloned().collect();
                assert_eq!(distinct.len(), ids.len(), "{provider}: nothing comes twice");
                let gone = gone.lock().unwrap().clone();
                let throughout: BTreeSet<_> = before.into_iter().filter(|id| !gone.contains(id)).collect();
                let missing: Vec<_> = throughout.difference(&distinct).collect();
                // Pages that never reach beyond the row before leave no way to check a seam; that is told.
                let told = matches!(&summary.completeness, Completeness::Uncertain(doubts)
                    if doubts.contains(&IncompleteReason::BoundariesUnverified));
                let blind = told && gaps.is_some() && provider.has(Trait::ByOffset);
                assert!(missing.is_empty() || blind, "{provider}: {} are missing of {}", missing.len(), throughout.len());
                assert_ne!(summary.completeness, Completeness::InProgress);
            }
        });
    }
}

#[test]
fn several_pages_at_a_time_ask_sailpoint_for_nothing_beyond_the_total() {
    block_on(check_total());
}

async fn check_total() {
    let server = sim::SailPoint::builder().accounts(1_000).rate_limit(None);
    let server = server.past_end(sim::SailPointPastEnd::BadRequest).start().await.unwrap();
    let list = sailpoint_list(&server, 100).into_accounts();
    let count =
        list.pages().concurrent(8).items().filter(|item| std::future::ready(item.is_ok())).count().await;
    assert_eq!(count, 1_000);
    for request in server.list_requests() {
        assert_eq!(request.status(), Some(200), "{request:?}");
        let offset: u64 = request.query_value("offset").unwrap().parse().unwrap();
        assert!(offset < 1_000);
    }
    assert_eq!(server.list_requests().len(), 12, "every prediction was right, and one request shows the end");
}

#[test]
fn a_fortanix_server_that_knows_no_parameters_repeats_nothing_when_its_last_account_goes() {
    block_on(async {
        let late = uuid::Uuid::max().to_string();
        // Before which request an account appears behind all others, and before which the last one goes.
        for (comes, goes) in [(None, 2), (Some(2), 3)] {
            let server = sim::Fortanix::builder().accounts(50).paging(sim::FortanixPaging::IgnoresAll);
            let record = serde_json::json!({ "acct_id": late });
            let server = server.before_list(move |nth, world| {
                if comes == Some(nth) {
                    world.insert(record.clone());
                }
                if nth == goes
                    && let Some(last) = world.ids().pop()
                {
                    world.remove(&last);
                }
            });
            let server = server.start().await.unwrap();
            let client = kit::client(&server, &setup());
            let (ids, summary) = walk(client.list(20), Mode::Lazy).await.unwrap();
            let listed = 50 + usize::from(comes.is_some());
            assert_eq!((ids.len(), ids.iter().collect::<BTreeSet<_>>().len()), (listed, listed));
            assert_eq!(ids.contains(&late), comes.is_some());
            assert_eq!(summary.completeness, Completeness::Complete);
        }
    });
}
