//! `GET /v1/accounts` and `GET /v2/accounts`.

use http::StatusCode;
use serde_json::Value;

use super::builder::AnnatureLastCursor;
use super::cursor;
use super::filters::Filters;
use super::refusal::Refusal;
use super::routes::{Caller, Workspace};
use crate::exchange::{Incoming, Reply};
use crate::gate::lock;
use crate::page::{Page, array, page_of};

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
        let shown = more || last_cursor != AnnatureLastCursor::Absent;
        Ok(Reply::json_text(StatusCode::OK, told(&rows, shown.then_some(cursor.as_deref()), more)))
    }
}

/// A page with these rows; `next` leads on.
pub(super) fn page(rows: &str, _count: usize, next: Option<&str>) -> String {
    told(rows, Some(next), next.is_some())
}

fn told(rows: &str, cursor: Option<Option<&str>>, more: bool) -> String {
    let cursor = cursor.map_or(String::new(), |cursor| format!(",\"cursor\":{}", Value::from(cursor)));
    format!("{{\"accounts\":{rows}{cursor},\"has_more\":{more}}}")
}
