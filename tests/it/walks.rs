//! Whole listings of all four providers over HTTP, while their worlds change.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use futures::StreamExt;
use headcount::{Completeness, Paginator, Result};
use headcount_sim as sim;
use proptest::prelude::*;

use crate::{
    changes::{Change, changes},
    lists::{annature_client, block_on, cases, fortanix_list, huawei_list, mode, sailpoint_list, walk},
    streams::pages::Mode,
};

fn assert_whole(ids: &[String], summary: &headcount::Summary, expected: Vec<String>) {
    let distinct: BTreeSet<_> = ids.iter().cloned().collect();
    assert_eq!(distinct.len(), ids.len(), "nothing comes twice");
    assert_eq!(distinct, expected.into_iter().collect(), "everything comes");
    assert_eq!(summary.completeness, Completeness::Whole, "{summary:?}");
    assert_eq!(summary.yielded, ids.len() as u64);
}

proptest! {
    #![proptest_config(cases(20))]

    /// Any size, any page size, empty and short pages in the middle, in every mode.
    #[test]
    fn a_quiet_world_is_listed_whole(
        accounts in prop_oneof![4 => 0..8_usize, 4 => 0..700_usize, 1 => 700..3_000_usize],
        limit in prop_oneof![2..6_u32, 2..250_u32],
        gaps in 2..9_usize,
        mode in mode(),
    ) {
        // Large worlds on large pages, or the test would take long.
        let limit = limit.max(u32::try_from(accounts / 40).unwrap_or(250)).min(250);
        block_on(async {
            let server = sim::Fortanix::builder().accounts(accounts).start().await.unwrap();
            let (ids, summary) = walk(fortanix_list(&server, limit), mode).await.unwrap();
            assert_whole(&ids, &summary, server.ids());

            let server = sim::Huawei::builder().accounts(accounts).empty_page_every(gaps as u64).short_page_every(gaps as u64 + 1);
            let server = server.start().await.unwrap();
            let (ids, summary) = walk(huawei_list(&server, limit), mode).await.unwrap();
            assert_whole(&ids, &summary, server.ids());

            let server = sim::Annature::builder().accounts(accounts).page_size(limit as usize);
            let server = server.start().await.unwrap();
            let list = annature_client(&server).list_accounts().into_accounts();
            let (ids, summary) = walk(list, mode).await.unwrap();
            assert_whole(&ids, &summary, server.ids());

            let server = sim::SailPoint::builder().accounts(accounts).short_page_every(gaps);
            let server = server.rate_limit(None).start().await.unwrap();
            let (ids, summary) = walk(sailpoint_list(&server, limit.max(8)).into_accounts(), mode).await.unwrap();
            assert_whole(&ids, &summary, server.ids());
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
        past_end in prop_oneof![Just(sim::SailPointPastEnd::Empty), Just(sim::SailPointPastEnd::BadRequest)],
        short in prop_oneof![Just(1_000_000_usize), 2..5_usize],
    ) {
        block_on(async {
            let gone = Arc::new(Mutex::new(BTreeSet::new()));
            let hook = |changes: Vec<Change>| {
                let gone = Arc::clone(&gone);
                move |nth: usize, world: &mut sim::World| {
                    gone.lock().unwrap().extend(changes.get(nth - 1).into_iter().flat_map(|change| change.apply(world)));
                }
            };
            let judge = |provider: &str, before: Vec<String>, walked: Result<(Vec<String>, headcount::Summary)>| {
                let (ids, summary) = walked.unwrap();
                let distinct: BTreeSet<_> = ids.iter().cloned().collect();
                assert_eq!(distinct.len(), ids.len(), "{provider}: nothing comes twice");
                let throughout: BTreeSet<_> = before.into_iter().filter(|id| !gone.lock().unwrap().contains(id)).collect();
                let missing: Vec<_> = throughout.difference(&distinct).collect();
                // Pages that never reach beyond the row before leave no way to check a seam; that is told.
                let told = matches!(&summary.completeness, Completeness::Doubtful(doubts)
                    if doubts.contains(&headcount::Doubt::SeamsUnchecked));
                let blind = told && short < 5 && provider == "sailpoint";
                assert!(missing.is_empty() || blind, "{provider}: {} are missing of {}", missing.len(), throughout.len());
                assert_ne!(summary.completeness, Completeness::Unfinished);
            };

            let server = sim::SailPoint::builder().accounts(accounts).rate_limit(None).past_end(past_end);
            let server = server.short_page_every(short).before_list(hook(changes.clone())).start().await.unwrap();
            let before = server.ids();
            judge("sailpoint", before, walk(sailpoint_list(&server, limit).into_accounts(), mode).await);

            gone.lock().unwrap().clear();
            let server = sim::Annature::builder().accounts(accounts).page_size(limit as usize);
            let server = server.before_list(hook(changes.clone())).start().await.unwrap();
            let before = server.ids();
            judge("annature", before, walk(annature_client(&server).list_accounts().into_accounts(), mode).await);

            gone.lock().unwrap().clear();
            let server = sim::Huawei::builder().accounts(accounts).before_list(hook(changes)).start().await.unwrap();
            let before = server.ids();
            judge("huawei", before, walk(huawei_list(&server, limit), mode).await);
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
            let (ids, summary) = walk(fortanix_list(&server, 20), Mode::Lazy).await.unwrap();
            let listed = 50 + usize::from(comes.is_some());
            assert_eq!((ids.len(), ids.iter().collect::<BTreeSet<_>>().len()), (listed, listed));
            assert_eq!(ids.contains(&late), comes.is_some());
            assert_eq!(summary.completeness, Completeness::Whole);
        }
    });
}
