//! `GET /v1/organizations/accounts`.

use http::StatusCode;
use serde_json::{Value, json};

use super::accounts::Tree;
use super::builder::HuaweiLastMarker;
use super::marker::Place;
use super::refusal::Refusal;
use super::routes::Organization;
use crate::sim::exchange::{Incoming, Reply};
use crate::sim::gate::lock;
use crate::sim::text::write_array;
use crate::sim::world::World;

/// The rows of a page when no `limit` is asked for, as of the documentation of 2025-11.
const DEFAULT_LIMIT: usize = 1000;
const MAX_LIMIT: usize = 2000;
const MAX_LIMIT_WITH_CONTACT: usize = 200;
/// Fields that are only told with `with_register_contact_info=true`.
const CONTACT: [&str; 3] = ["mobile_phone", "intl_number_prefix", "email"];

/// A listing as it was asked for.
#[derive(Debug)]
struct Asked {
    /// Which parent's children, by its place among the parents; `None` for all accounts.
    parent: Option<usize>,
    contact: bool,
    limit: usize,
    place: Place,
}

impl Organization {
    pub(crate) fn list(&self, incoming: &Incoming) -> Result<Reply, Refusal> {
        let asked = self.asked(incoming)?;
        let world = lock(&self.world);
        let start = asked.place.after.as_ref().map_or(0, |key| world.after(key));
        let mut matching = (start..world.len()).filter(|position| is_child(&world, *position, asked.parent));
        let rows = self.rows(&asked);
        let mut positions: Vec<usize> = matching.by_ref().take(rows).collect();
        let cut = incoming.tweak.shorten(&mut positions) || incoming.tweak.empty(&mut positions);
        let more = cut || matching.next().is_some();
        let next = more.then(|| {
            let last = positions.last().and_then(|position| world.key_at(*position));
            let after = last.or(asked.place.after.as_ref()).cloned();
            self.markers.write(&Place { after, page: asked.place.page.saturating_add(1) })
        });
        let count = positions.len();
        let mut body = b"{\"accounts\":".to_vec();
        write_array(&mut body, positions.into_iter().map(|at| shape(world.at(at), asked.contact)));
        body.extend_from_slice(format!(",\"page_info\":{}}}", self.page_info(next, count)).as_bytes());
        Ok(Reply::json_bytes(StatusCode::OK, body))
    }

    /// How many rows the page may hold, which is less than asked for where the builder says so.
    fn rows(&self, asked: &Asked) -> usize {
        let falls_on = |every: Option<u64>| every.is_some_and(|n| asked.place.page.is_multiple_of(n));
        if falls_on(self.rules.empty_page_every) {
            0
        } else if falls_on(self.rules.short_page_every) {
            asked.limit.div_ceil(2)
        } else {
            asked.limit
        }
    }

    fn page_info(&self, next: Option<String>, count: usize) -> Value {
        let last = self.rules.last_marker;
        match next {
            Some(marker) => json!({"next_marker": marker, "current_count": count}),
            None if last == HuaweiLastMarker::Absent => json!({"current_count": count}),
            None if last == HuaweiLastMarker::Empty => json!({"next_marker": "", "current_count": count}),
            None => json!({"next_marker": null, "current_count": count}),
        }
    }

    fn asked(&self, incoming: &Incoming) -> Result<Asked, Refusal> {
        let bad = |name: &str| Refusal::BadParameter(format!("invalid parameter: {name}"));
        let contact = flag(incoming, "with_register_contact_info")?;
        let max = if contact { MAX_LIMIT_WITH_CONTACT } else { MAX_LIMIT };
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
        let parent = match incoming.value("parent_id") {
            None => None,
            Some(id) if id.len() > 100 || !(id.starts_with("r-") || id.starts_with("ou-")) => {
                return Err(bad("parent_id"));
            }
            Some(id) => {
                let index = self.tree.parents().iter().position(|parent| parent == id);
                Some(index.ok_or(Refusal::NoSuchParent)?)
            }
        };
        Ok(Asked { parent, contact, limit, place })
    }
}

/// Whether the account at a position is a direct child of the parent asked for.
fn is_child(world: &World, position: usize, parent: Option<usize>) -> bool {
    let Some(parent) = parent else { return true };
    world.key_at(position).is_some_and(|key| Tree::parent_index(&key.id) == parent)
}

/// A boolean parameter, false when it is not there.
pub(crate) fn flag(incoming: &Incoming, name: &str) -> Result<bool, Refusal> {
    match incoming.value(name) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Refusal::BadParameter(format!("invalid parameter: {name}"))),
    }
}

/// A record as it is told, with or without contact information.
pub(crate) fn shape(mut record: Value, contact: bool) -> Value {
    if !contact && let Some(fields) = record.as_object_mut() {
        for name in CONTACT {
            fields.remove(name);
        }
    }
    record
}
