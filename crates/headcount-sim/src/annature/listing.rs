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
use crate::text::write_array;

/// The most that `GET /v1/accounts` tells.
const V1_MAX: usize = 1000;

impl Workspace {
    /// The first version: no paging, whatever is behind the thousandth account is not told.
    pub(crate) fn all(&self, caller: &Caller, incoming: &Incoming) -> Reply {
        let filters = Filters::new(caller, incoming, &self.rules);
        let world = &*lock(self.world_of(caller));
        let positions = (filters.start(world)..world.len()).filter(|at| filters.matches(world, *at));
        let mut body = Vec::new();
        write_array(&mut body, positions.take(V1_MAX).map(|position| world.at(position)));
        Reply::json_bytes(StatusCode::OK, body)
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
        let mut matching = (start..world.len()).filter(|position| filters.matches(world, *position));
        let mut positions: Vec<usize> = matching.by_ref().take(self.rules.page_size).collect();
        let emptied = incoming.tweak.empty(&mut positions);
        let cut = emptied || incoming.tweak.shorten(&mut positions);
        let more = cut || matching.next().is_some();
        let last_key = positions.last().and_then(|at| world.key_at(*at));
        let text = if emptied { Some(cursor::again(asked)) } else { last_key.map(cursor::write) };
        let last = self.rules.last_cursor;
        let cursor = if more || last == AnnatureLastCursor::Text { text } else { None };
        let mut body = b"{\"accounts\":".to_vec();
        write_array(&mut body, positions.into_iter().map(|position| world.at(position)));
        if more || last != AnnatureLastCursor::Absent {
            body.extend_from_slice(format!(",\"cursor\":{}", Value::from(cursor)).as_bytes());
        }
        body.extend_from_slice(format!(",\"has_more\":{more}}}").as_bytes());
        Ok(Reply::json_bytes(StatusCode::OK, body))
    }
}
