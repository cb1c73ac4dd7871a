//! Complete listings of all providers over HTTP, while accounts are added and removed.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use futures::StreamExt;
use headcount::{Completeness, ErrorKind, IncompleteReason};
use headcount_sim as sim;
use proptest::prelude::*;

use crate::{
    changes::changes,
    kit::{self, PROVIDERS, Quirk, ServerBehavior},
    lists::{block_on, cases, mode, sailpoint_list, setup, walk},
    page::support::Mode,
};

fn assert_complete(ids: &[String], summary: &headcount::Summary, expected: Vec<String>) {
    let distinct: BTreeSet<_> = ids.iter().cloned().collect();
    assert_eq!(distinct.len(), ids.len(), "an account was listed twice");
    assert_eq!(distinct, expected.into_iter().collect(), "listed accounts");
    assert_eq!(summary.completeness, Completeness::Complete, "{summary:?}");
    assert_eq!(summary.items, ids.len() as u64);
}

proptest! {
    #![proptest_config(cases(20))]

    /// Any number of accounts, any page size, empty and short pages in the middle, in every mode.
    #[test]
    fn unchanged_list_is_complete(
        accounts in prop_oneof![4 => 0..8_usize, 4 => 0..700_usize, 1 => 700..3_000_usize],
        limit in prop_oneof![2..6_u32, 2..250_u32],
        gaps in 2..9_usize,
        variant in any::<usize>(),
        mode in mode(),
    ) {
        // Many accounts on small pages would take long.
        let limit = limit.max(u32::try_from(accounts / 40).unwrap_or(250)).min(250);
        block_on(async {
            for &provider in PROVIDERS {
                // A short page must still be long enough to overlap the previous page.
                let limit = if provider.has(Quirk::OffsetPaging) { limit.max(8) } else { limit };
                let behavior = ServerBehavior { page_size: limit as usize, gap_interval: Some(gaps), variant };
                let server = provider.start(sim::SimConfig::new().accounts(accounts), behavior).await;
                let list = provider.client(&*server, &setup()).list(limit);
                let (ids, summary) = walk(list, mode).await.unwrap();
                assert_complete(&ids, &summary, server.ids());
            }
        });
    }
}

proptest! {
    #![proptest_config(cases(30))]

    /// Accounts are added and removed anywhere before each request. Accounts that exist throughout are listed
    /// exactly once, with offsets (SailPoint) and with cursors.
    #[test]
    fn permanent_accounts_are_listed_once(
        accounts in prop_oneof![0..12_usize, 0..300_usize],
        limit in prop_oneof![2..5_u32, 2..60_u32],
        changes in changes(),
        mode in mode(),
        variant in any::<usize>(),
        gaps in prop::option::of(2..5_usize),
    ) {
        block_on(async {
            for &provider in PROVIDERS {
                let removed = Arc::new(Mutex::new(BTreeSet::new()));
                let config = sim::SimConfig::new().accounts(accounts).before_list({
                    let (removed, changes) = (Arc::clone(&removed), changes.clone());
                    move |nth, world| {
                        let change = changes.get(nth - 1);
                        removed.lock().unwrap().extend(change.into_iter().flat_map(|change| change.apply(world)));
                    }
                });
                let behavior = ServerBehavior { page_size: limit as usize, gap_interval: gaps, variant };
                let server = provider.start(config, behavior).await;
                let before = server.ids();
                let list = provider.client(&*server, &setup()).list(limit);
                let (ids, summary) = match walk(list, mode).await {
                    Ok(result) => result,
                    // All accounts that identified the position were removed.
                    Err(error)
                        if error.kind() == ErrorKind::ListingChanged && provider.has(Quirk::PositionLoss) =>
                    {
                        continue;
                    }
                    Err(error) => panic!("{provider}: {error}"),
                };
                let distinct: BTreeSet<_> = ids.iter().cloned().collect();
                assert_eq!(distinct.len(), ids.len(), "{provider}: an account was listed twice");
                let removed = removed.lock().unwrap().clone();
                let permanent: BTreeSet<_> = before.into_iter().filter(|id| !removed.contains(id)).collect();
                let missing: Vec<_> = permanent.difference(&distinct).collect();
                // Page boundaries cannot be verified if no page overlaps the previous one. The summary says
                // so.
                let unverified = matches!(&summary.completeness, Completeness::Uncertain(reasons)
                    if reasons.contains(&IncompleteReason::BoundariesUnverified));
                let excused = unverified && gaps.is_some() && provider.has(Quirk::OffsetPaging);
                assert!(
                    missing.is_empty() || excused,
                    "{provider}: {} of {} accounts are missing",
                    missing.len(),
                    permanent.len()
                );
                assert_ne!(summary.completeness, Completeness::InProgress);
            }
        });
    }
}

#[test]
fn concurrent_requests_stay_below_total() {
    block_on(check_concurrent_requests());
}

async fn check_concurrent_requests() {
    let server = sim::SailPoint::builder().accounts(1_000).rate_limit(None);
    let server = server.beyond_end(sim::BeyondEnd::BadRequest).start().await.unwrap();
    let list = sailpoint_list(&server, 100).into_accounts();
    let count =
        list.pages().concurrent(8).items().filter(|item| std::future::ready(item.is_ok())).count().await;
    assert_eq!(count, 1_000);
    for request in server.list_requests() {
        assert_eq!(request.status(), Some(200), "{request:?}");
        let offset: u64 = request.query_value("offset").unwrap().parse().unwrap();
        assert!(offset < 1_000);
    }
    assert_eq!(
        server.list_requests().len(),
        12,
        "every predicted page was used, and one more request confirmed the end"
    );
}

#[test]
fn fortanix_without_paging_lists_once() {
    block_on(async {
        let added = uuid::Uuid::max().to_string();
        // The request before which an account is added after all others, and that before which the last one
        // is removed.
        for (add_at, remove_at) in [(None, 2), (Some(2), 3)] {
            let server = sim::Fortanix::builder().accounts(50).paging(sim::FortanixPaging::IgnoresAll);
            let record = serde_json::json!({ "acct_id": added });
            let server = server.before_list(move |nth, world| {
                if add_at == Some(nth) {
                    world.insert(record.clone());
                }
                if nth == remove_at
                    && let Some(last) = world.ids().pop()
                {
                    world.remove(&last);
                }
            });
            let server = server.start().await.unwrap();
            let client = kit::client(&server, &setup());
            let (ids, summary) = walk(client.list(20), Mode::Lazy).await.unwrap();
            let listed = 50 + usize::from(add_at.is_some());
            assert_eq!((ids.len(), ids.iter().collect::<BTreeSet<_>>().len()), (listed, listed));
            assert_eq!(ids.contains(&added), add_at.is_some());
            assert_eq!(summary.completeness, Completeness::Complete);
        }
    });
}
