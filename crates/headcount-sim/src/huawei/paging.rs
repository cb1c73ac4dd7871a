//! Pages by `marker`, which all listings but one have in common.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::body::bad;
use super::builder::HuaweiLastMarker;
use super::marker::Place;
use super::refusal::Refusal;
use super::routes::Organization;
use crate::exchange::{Incoming, Reply};
use crate::key::{Id, Key};

/// The rows of a page when no `limit` is asked for, as of the documentation of 2025-11.
const DEFAULT_LIMIT: usize = 1000;
pub(crate) const MAX_LIMIT: usize = 2000;

/// The part of a listing that is asked for.
#[derive(Debug)]
pub(crate) struct Window {
    limit: usize,
    pub(crate) place: Place,
}

impl Organization {
    pub(crate) fn window(&self, incoming: &Incoming, max: usize) -> Result<Window, Refusal> {
        let limit = match incoming.value("limit") {
            None => DEFAULT_LIMIT.min(max),
            Some(text) => {
                let limit = text.parse::<usize>().ok();
                limit.filter(|limit| (1..=max).contains(limit)).ok_or_else(|| bad("limit"))?
            }
        };
        let place = match incoming.value("marker") {
            None => Place { after: None, page: 1 },
            Some(text) => {
                let marker = Some(text).filter(|text| (4..=400).contains(&text.len()));
                marker.and_then(|text| self.markers.read(text)).ok_or_else(|| bad("marker"))?
            }
        };
        Ok(Window { limit, place })
    }

    /// How many rows the page may hold, which is less than asked for where the builder says so.
    pub(crate) fn rows(&self, window: &Window) -> usize {
        let falls_on = |every: Option<u64>| every.is_some_and(|n| window.place.page.is_multiple_of(n));
        if falls_on(self.rules.empty_page_every) {
            0
        } else if falls_on(self.rules.short_page_every) {
            window.limit.div_ceil(2)
        } else {
            window.limit
        }
    }

    /// The marker of the page behind one that ends with the row `last`, or has none.
    pub(crate) fn next_marker(&self, window: &Window, last: Option<&Key>) -> String {
        let after = last.or(window.place.after.as_ref()).cloned();
        self.markers.write(&Place { after, page: window.place.page.saturating_add(1) })
    }

    /// A page of `rows`, which are in the order of the texts that they come with, under the name `array`.
    pub(crate) fn page_of(
        &self,
        incoming: &Incoming,
        array: &str,
        rows: Vec<(String, Value)>,
    ) -> Result<Reply, Refusal> {
        let window = self.window(incoming, MAX_LIMIT)?;
        let start = match window.place.after.as_ref().map(|key| &key.id) {
            None => 0,
            Some(Id::Text(after)) => rows.partition_point(|(text, _)| **text <= **after),
            // A marker of another listing.
            Some(Id::Hex(_)) => return Err(bad("marker")),
        };
        let total = rows.len();
        let size = self.rows(&window);
        let page: Vec<_> = rows.into_iter().skip(start).take(size).collect();
        let more = start.saturating_add(page.len()) < total;
        let last = page.last().map(|(text, _)| Key::by_id(Id::Text(text.as_str().into())));
        let next = more.then(|| self.next_marker(&window, last.as_ref()));
        let info = page_info(page.len(), next.as_deref(), self.rules.last_marker);
        let mut body = Map::new();
        body.insert(array.to_owned(), page.into_iter().map(|(_, row)| row).collect());
        body.insert("page_info".to_owned(), info);
        Ok(Reply::json(StatusCode::OK, &Value::Object(body)))
    }
}

/// What a page tells of itself: the marker of the next one, and how many rows it has.
pub(crate) fn page_info(count: usize, next: Option<&str>, last: HuaweiLastMarker) -> Value {
    match (next, last) {
        (None, HuaweiLastMarker::Absent) => json!({"current_count": count}),
        (None, HuaweiLastMarker::Empty) => json!({"next_marker": "", "current_count": count}),
        (next, _) => json!({"next_marker": next, "current_count": count}),
    }
}

/// The values of the parameter `states`, which may come several times, each one of `known`.
pub(crate) fn states<'a>(incoming: &'a Incoming, known: &[&str]) -> Result<Vec<&'a str>, Refusal> {
    let states = incoming.query.iter().filter(|(name, _)| name == "states");
    states
        .map(|(_, state)| known.contains(&&**state).then_some(&**state).ok_or_else(|| bad("states")))
        .collect()
}
