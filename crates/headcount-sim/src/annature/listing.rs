//! `GET /v1/accounts` and `GET /v2/accounts`.

use http::StatusCode;
use serde_json::Value;

use super::api_error::ApiError;
use super::cursor::{UNDATED, millis, rank};
use super::routes::{AnnatureState, Caller};
use super::{LastCursor, Rules, cursor};
use crate::message::{SimRequest, SimResponse};
use crate::page::{Page, array, page_of};
use crate::pipeline::lock;
use crate::world::{Id, SortKey, World};

/// The maximum number of accounts in `GET /v1/accounts`.
const V1_MAX: usize = 1000;

impl AnnatureState {
    /// `GET /v1/accounts`: unpaged, truncated after 1,000 accounts.
    pub(crate) fn all(&self, caller: &Caller, request: &SimRequest) -> SimResponse {
        let filters = Filters::new(caller, request, &self.rules);
        let world = &*lock(self.listed_world(caller));
        let positions = (filters.start(world)..world.len()).filter(|at| filters.matches(world, *at));
        SimResponse::json_text(
            StatusCode::OK,
            array(positions.take(V1_MAX).map(|position| world.record_at(position))),
        )
    }

    /// `GET /v2/accounts`: paged.
    pub(crate) fn page(&self, caller: &Caller, request: &SimRequest) -> Result<SimResponse, ApiError> {
        let filters = Filters::new(caller, request, &self.rules);
        let world = &*lock(self.listed_world(caller));
        let requested = request.value("cursor").filter(|cursor| !cursor.is_empty());
        let position = match requested {
            None => 0,
            Some(text) => world.upper_bound(&cursor::decode(text).ok_or(ApiError::BadCursor)?),
        };
        let start = position.max(filters.start(world));
        let matching = (start..world.len()).filter(|position| filters.matches(world, *position));
        let Page { positions, more } = page_of(matching, self.rules.page_size, &request.overrides);
        let cursor = match positions.last().and_then(|at| world.key_at(*at)) {
            Some(last) => Some(cursor::encode(last)),
            None => more.then(|| cursor::renew(requested)),
        };
        let last_cursor = self.rules.last_cursor;
        let cursor = if more || last_cursor == LastCursor::Text { cursor } else { None };
        let rows = array(positions.into_iter().map(|position| world.record_at(position)));
        Ok(SimResponse::json_text(StatusCode::OK, page_body(&rows, cursor.as_deref(), more, last_cursor)))
    }
}

/// Formats a page with these rows and the cursor of the next page.
pub(super) fn page(rows: &str, _count: usize, next: Option<&str>) -> String {
    page_body(rows, next, next.is_some(), LastCursor::Null)
}

fn page_body(rows: &str, cursor: Option<&str>, more: bool, last: LastCursor) -> String {
    if !more && last == LastCursor::Absent {
        return format!("{{\"accounts\":{rows},\"has_more\":{more}}}");
    }
    format!("{{\"accounts\":{rows},\"cursor\":{},\"has_more\":{more}}}", Value::from(cursor))
}

/// The filters that compare for equality.
const EXACT: [&str; 4] = ["name", "email", "role", "group_id"];

#[derive(Debug, Default)]
pub(crate) struct Filters {
    exact: Vec<(&'static str, Value)>,
    /// Unix milliseconds. Dates in an invalid format are silently ignored.
    before: Option<i64>,
    after: Option<i64>,
    before_inclusive: bool,
    after_inclusive: bool,
}

impl Filters {
    pub(crate) fn new(caller: &Caller, request: &SimRequest, rules: &Rules) -> Self {
        let parameter = |name: &str| request.value(name).filter(|value| !value.is_empty());
        let mut exact: Vec<(&'static str, Value)> = EXACT
            .into_iter()
            .filter_map(|name| parameter(name).map(|value| (name, Value::from(value))))
            .collect();
        if let Some(active) = parameter("active") {
            let flag = active.parse::<bool>().map_or_else(|_| Value::from(active), Value::from);
            exact.push(("active", flag));
        }
        // A registered organisation lists its own accounts, a partner those of all organisations.
        if let Some(organisation) = caller.organisation.as_deref().filter(|_| !caller.partner) {
            exact.push(("organisation_id", organisation.into()));
        }
        Self {
            exact,
            before: parameter("created_before").and_then(millis),
            after: parameter("created_after").and_then(millis),
            before_inclusive: rules.before_inclusive,
            after_inclusive: rules.after_inclusive,
        }
    }

    /// Returns the first position that can match `created_before`. The listing is newest first.
    pub(crate) fn start(&self, world: &World) -> usize {
        self.before
            .map_or(0, |before| world.lower_bound(&SortKey { rank: rank(before), id: Id::Text("".into()) }))
    }

    /// Returns whether the account at a position matches.
    pub(crate) fn matches(&self, world: &World, position: usize) -> bool {
        self.matches_dates(world.key_at(position).map_or(UNDATED, |key| key.rank)) && {
            // Avoids generating the record if there is nothing to compare.
            self.exact.is_empty() || {
                let record = world.record_at(position);
                self.exact.iter().all(|(name, value)| record.get(name) == Some(value))
            }
        }
    }

    fn matches_dates(&self, rank: i64) -> bool {
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
