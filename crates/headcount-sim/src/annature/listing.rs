//! `GET /v1/accounts` and `GET /v2/accounts`.

use http::StatusCode;
use serde_json::Value;

use super::cursor::{UNDATED, millis, rank};
use super::refusal::Refusal;
use super::routes::{Caller, Workspace};
use super::{AnnatureLastCursor, Rules, cursor};
use crate::exchange::{Incoming, Reply};
use crate::gate::lock;
use crate::page::{Page, array, page_of};
use crate::world::{Id, Key, World};

/// The most that `GET /v1/accounts` tells.
const V1_MAX: usize = 1000;

impl Workspace {
    /// The first version: no paging, whatever is behind the thousandth account is not told.
    pub(crate) fn all(&self, caller: &Caller, incoming: &Incoming) -> Reply {
        let filters = Filters::new(caller, incoming, &self.rules);
        let world = &*lock(self.world_of(caller));
        let positions = (filters.start(world)..world.len()).filter(|at| filters.matches(world, *at));
        Reply::json_text(StatusCode::OK, array(positions.take(V1_MAX).map(|position| world.at(position))))
    }

    /// The second version: pages.
    pub(crate) fn page(&self, caller: &Caller, incoming: &Incoming) -> Result<Reply, Refusal> {
        let filters = Filters::new(caller, incoming, &self.rules);
        let world = &*lock(self.world_of(caller));
        let asked = incoming.value("cursor").filter(|cursor| !cursor.is_empty());
        let place = match asked {
            None => 0,
            Some(text) => world.after(&cursor::read(text).ok_or(Refusal::BadCursor)?),
        };
        let start = place.max(filters.start(world));
        let matching = (start..world.len()).filter(|position| filters.matches(world, *position));
        let Page { positions, more } = page_of(matching, self.rules.page_size, &incoming.tweak);
        let cursor = match positions.last().and_then(|at| world.key_at(*at)) {
            Some(last) => Some(cursor::write(last)),
            None => more.then(|| cursor::again(asked)),
        };
        let last_cursor = self.rules.last_cursor;
        let cursor = if more || last_cursor == AnnatureLastCursor::Text { cursor } else { None };
        let rows = array(positions.into_iter().map(|position| world.at(position)));
        Ok(Reply::json_text(StatusCode::OK, told(&rows, cursor.as_deref(), more, last_cursor)))
    }
}

/// A page with these rows; `next` leads on.
pub(super) fn page(rows: &str, _count: usize, next: Option<&str>) -> String {
    told(rows, next, next.is_some(), AnnatureLastCursor::Null)
}

fn told(rows: &str, cursor: Option<&str>, more: bool, last: AnnatureLastCursor) -> String {
    if !more && last == AnnatureLastCursor::Absent {
        return format!("{{\"accounts\":{rows},\"has_more\":{more}}}");
    }
    format!("{{\"accounts\":{rows},\"cursor\":{},\"has_more\":{more}}}", Value::from(cursor))
}

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
