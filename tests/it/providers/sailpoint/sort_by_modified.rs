//! Listing by `modified` while accounts are changed, and so move in the list.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use headcount::{Completeness, ErrorKind, SortOrder, sailpoint::Field};
use headcount_sim::{SailPoint, World};
use proptest::prelude::*;

use crate::{
    changes::changes,
    lists::{block_on, cases, mode, sailpoint_list, walk},
};

/// A change before a request: `count` accounts from a percentage of the list by `modified` on are changed, in
/// the order of the list or in reverse.
#[derive(Clone, Debug)]
struct Touch {
    count: usize,
    place: usize,
    backwards: bool,
}

fn touches() -> impl Strategy<Value = Vec<Vec<Touch>>> {
    let count = prop_oneof![3 => 1..3_usize, 1 => 1..60_usize];
    let touch = (count, 0..100_usize, any::<bool>());
    let touch = touch.prop_map(|(count, place, backwards)| Touch { count, place, backwards });
    prop::collection::vec(prop::collection::vec(touch, 0..4), 0..40)
}

/// Returns the ids in the order of `sorters=modified,id`.
pub(super) fn by_modified(world: &World) -> Vec<String> {
    let key = |record: &serde_json::Value| {
        let modified =
            record["modified"].as_str().map(|text| text.parse::<chrono::DateTime<chrono::Utc>>().unwrap());
        (modified, record["id"].as_str().unwrap().to_owned())
    };
    let mut keys: Vec<_> = world.records().iter().map(key).collect();
    keys.sort();
    keys.into_iter().map(|(_, id)| id).collect()
}

/// Applies `touch`, and records the changed accounts.
fn apply(touch: &Touch, clock: &mut i64, world: &mut World, touched: &Mutex<BTreeSet<String>>) {
    let ids = by_modified(world);
    let from = ids.len() * touch.place / 100;
    let mut selected: Vec<_> = ids.into_iter().skip(from).take(touch.count).collect();
    if touch.backwards {
        selected.reverse();
    }
    let mut touched = touched.lock().unwrap();
    for id in selected {
        let now = chrono::DateTime::from_timestamp(2_000_000_000 + *clock, 0).unwrap();
        *clock += 1;
        world.update(&id, |record| record["modified"] = now.to_rfc3339().into());
        touched.insert(id);
    }
}

proptest! {
    #![proptest_config(cases(60))]

    /// Accounts are changed before each request, and move in a list by `modified`. Others are created and
    /// removed. Accounts that exist throughout and are not changed are listed at least once, or the list is
    /// not reported as complete.
    #[test]
    fn missing_accounts_are_reported(
        accounts in prop_oneof![2..20_usize, 2..150_usize],
        limit in prop_oneof![2..6_u32, 2..60_u32],
        order in prop_oneof![Just(SortOrder::Ascending), Just(SortOrder::Descending)],
        touches in touches(),
        changes in prop_oneof![Just(Vec::new()), changes()],
        count in any::<Option<bool>>(),
        mode in mode(),
    ) {
        block_on(async {
            let changed_ids = Arc::new(Mutex::new(BTreeSet::new()));
            let recorded = Arc::clone(&changed_ids);
            let server = SailPoint::builder().accounts(accounts).rate_limit(None);
            let mut clock = 0;
            let server = server.before_list(move |nth, world| {
                recorded.lock().unwrap().extend(changes.get(nth - 1).into_iter().flat_map(|change| change.apply(world)));
                for touch in touches.get(nth - 1).into_iter().flatten() {
                    apply(touch, &mut clock, world, &recorded);
                }
            });
            let server = server.start().await.unwrap();
            let before = server.ids();
            let list = sailpoint_list(&server, limit).sort_by(Field::Modified, order);
            let list = count.iter().fold(list, |list, count| list.count(*count));
            let walked = walk(list.into_accounts(), mode).await;
            let (ids, summary) = match walked {
                Ok(walked) => walked,
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::ListingChanged, "{error}");
                    return;
                }
            };
            let listed: BTreeSet<_> = ids.into_iter().collect();
            let changed = changed_ids.lock().unwrap();
            let missing: Vec<_> = before.iter().filter(|id| !changed.contains(*id) && !listed.contains(*id)).collect();
            let complete = summary.completeness == Completeness::Complete;
            assert!(missing.is_empty() || !complete, "{} are missing of {}", missing.len(), before.len());
        });
    }
}
