//! Random changes of the accounts while they are listed.

use headcount_sim::World;
use proptest::prelude::*;

/// A change before a request.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Nothing,
    /// Adds this many accounts.
    Add(usize),
    /// Removes this many accounts, starting at this percentage of the list.
    Remove(usize, usize),
}

/// Generates a change of fewer than `max` accounts.
pub(crate) fn change(max: usize) -> impl Strategy<Value = Change> {
    prop_oneof![
        2 => Just(Change::Nothing),
        2 => (1..max).prop_map(Change::Add),
        3 => (1..max, 0..100_usize).prop_map(|(count, percent)| Change::Remove(count, percent)),
    ]
}

/// Generates one change before each of up to 24 requests.
pub(crate) fn changes() -> impl Strategy<Value = Vec<Change>> {
    prop::collection::vec(change(30), 0..25)
}

impl Change {
    /// Applies the change and returns the removed ids.
    pub(crate) fn apply(&self, world: &mut World) -> Vec<String> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Add(count) => {
                world.generate(*count);
                Vec::new()
            }
            Self::Remove(count, percent) => {
                let ids = world.ids();
                let start = ids.len() * percent / 100;
                let removed: Vec<_> = ids.into_iter().skip(start).take(*count).collect();
                for id in &removed {
                    world.remove(id);
                }
                removed
            }
        }
    }
}
