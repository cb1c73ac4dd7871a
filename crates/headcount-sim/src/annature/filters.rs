//! The filters of the listing: exact matches and two dates.

use serde_json::Value;

use super::builder::Rules;
use super::cursor::{UNDATED, millis, rank};
use super::routes::Caller;
use crate::exchange::Incoming;
use crate::key::{Id, Key};
use crate::world::World;

/// Fields that must be exactly as asked for.
const EXACT: [&str; 4] = ["name", "email", "role", "group_id"];

#[derive(Debug, Default)]
pub(crate) struct Filters {
    exact: Vec<(&'static str, Value)>,
    /// Milliseconds, as asked for; dates in an invalid format are silently ignored.
    before: Option<i64>,
    after: Option<i64>,
    before_inclusive: bool,
    after_inclusive: bool,
}

impl Filters {
    pub(crate) fn new(caller: &Caller, incoming: &Incoming, rules: &Rules) -> Self {
        let given = |name: &str| incoming.value(name).filter(|value| !value.is_empty());
        let mut exact: Vec<(&'static str, Value)> = EXACT
            .into_iter()
            .filter_map(|name| given(name).map(|value| (name, Value::from(value))))
            .collect();
        if let Some(active) = given("active") {
            let flag = active.parse::<bool>().map_or_else(|_| Value::from(active), Value::from);
            exact.push(("active", flag));
        }
        // A registered organisation sees its own accounts, a partner those of all of them.
        if let Some(organisation) = caller.organisation.as_deref().filter(|_| !caller.partner) {
            exact.push(("organisation_id", organisation.into()));
        }
        Self {
            exact,
            before: given("created_before").and_then(millis),
            after: given("created_after").and_then(millis),
            before_inclusive: rules.before_inclusive,
            after_inclusive: rules.after_inclusive,
        }
    }

    /// The first position that can match: the listing is newest first, so that is where `created_before`
    /// begins.
    pub(crate) fn start(&self, world: &World) -> usize {
        self.before
            .map_or(0, |before| world.at_or_after(&Key { rank: rank(before), id: Id::Text("".into()) }))
    }

    pub(crate) fn matches(&self, world: &World, position: usize) -> bool {
        self.in_time(world.key_at(position).map_or(UNDATED, |key| key.rank)) && {
            // A record is made only where something is to be compared.
            self.exact.is_empty() || {
                let record = world.at(position);
                self.exact.iter().all(|(name, value)| record.get(name) == Some(value))
            }
        }
    }

    fn in_time(&self, rank: i64) -> bool {
        if self.before.is_none() && self.after.is_none() {
            return true;
        }
        let Some(created) = rank.checked_neg().filter(|_| rank != UNDATED) else {
            return false;
        };
        let before =
            self.before.is_none_or(|before| created < before || (self.before_inclusive && created == before));
        before && self.after.is_none_or(|after| created > after || (self.after_inclusive && created == after))
    }
}
