//! Lists by `modified` while accounts are changed, and so move in them.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use headcount::{Completeness, ErrorKind, Paginator, SortOrder, sailpoint::Field};
use headcount_sim::{SailPoint, World};
use proptest::prelude::*;

use crate::{
    changes::changes,
    lists::{block_on, cases, mode, sailpoint_list, walk},
};

/// What happens to accounts that are listed by `modified`, before a request: so many of them, from this percentage
/// of the list on, are changed, one after the other or the other way round.
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

/// The ids as `sorters=modified,id` has them.
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

/// Makes `touch` happen, and notes whom it touched.
fn modify(touch: &Touch, clock: &mut i64, world: &mut World, touched: &Mutex<BTreeSet<String>>) {
    let ids = by_modified(world);
    let from = ids.len() * touch.place / 100;
    let mut chosen: Vec<_> = ids.into_iter().skip(from).take(touch.count).collect();
    if touch.backwards {
        chosen.reverse();
    }
    let mut touched = touched.lock().unwrap();
    for id in chosen {
        let now = chrono::DateTime::from_timestamp(2_000_000_000 + *clock, 0).unwrap();
        *clock += 1;
        world.update(&id, |record| record["modified"] = now.to_rfc3339().into());
        touched.insert(id);
    }
}

proptest! {
    #![proptest_config(cases(60))]

    /// Accounts are changed before each request, and move in a list by `modified`; others are made and removed.
    /// Whatever was there throughout, and was not changed, comes at least once, or the list does not call itself
    /// whole.
    #[test]
    fn a_list_by_what_changes_is_not_called_whole_without_those_that_stay(
        accounts in prop_oneof![2..20_usize, 2..150_usize],
        limit in prop_oneof![2..6_u32, 2..60_u32],
        order in prop_oneof![Just(SortOrder::Ascending), Just(SortOrder::Descending)],
        touches in touches(),
        changes in prop_oneof![Just(Vec::new()), changes()],
        count in any::<Option<bool>>(),
        mode in mode(),
    ) {
        block_on(async {
            let gone = Arc::new(Mutex::new(BTreeSet::new()));
            let noted = Arc::clone(&gone);
            let server = SailPoint::builder().accounts(accounts).rate_limit(None);
            let mut clock = 0;
            let server = server.before_list(move |nth, world| {
                noted.lock().unwrap().extend(changes.get(nth - 1).into_iter().flat_map(|change| change.apply(world)));
                for touch in touches.get(nth - 1).into_iter().flatten() {
                    modify(touch, &mut clock, world, &noted);
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
            let changed = gone.lock().unwrap();
            let missing: Vec<_> = before.iter().filter(|id| !changed.contains(*id) && !listed.contains(*id)).collect();
            let whole = summary.completeness == Completeness::Complete;
            assert!(missing.is_empty() || !whole, "{} are missing of {}", missing.len(), before.len());
        });
    }
}
