//! What happens to accounts while they are listed.

use headcount_sim::World;
use proptest::prelude::*;

/// What happens before a request.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Nothing,
    Make(usize),
    /// Removes so many accounts, from this percentage of the list on.
    Remove(usize, usize),
}

/// Of fewer accounts than `most`.
pub(crate) fn change(most: usize) -> impl Strategy<Value = Change> {
    prop_oneof![
        2 => Just(Change::Nothing),
        2 => (1..most).prop_map(Change::Make),
        3 => (1..most, 0..100_usize).prop_map(|(count, place)| Change::Remove(count, place)),
    ]
}

/// One before each of the first few requests.
pub(crate) fn changes() -> impl Strategy<Value = Vec<Change>> {
    prop::collection::vec(change(30), 0..25)
}

impl Change {
    /// Makes it happen; the ids that it removes.
    pub(crate) fn apply(&self, world: &mut World) -> Vec<String> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Make(count) => {
                world.generate(*count);
                Vec::new()
            }
            Self::Remove(count, place) => {
                let ids = world.ids();
                let from = ids.len() * place / 100;
                let gone: Vec<_> = ids.into_iter().skip(from).take(*count).collect();
                for id in &gone {
                    world.remove(id);
                }
                gone
            }
        }
    }
}
