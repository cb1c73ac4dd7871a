//! `GET /v1/organizations/accounts`, and one of them.

use http::StatusCode;
use serde_json::{Value, json};

use super::body::bad;
use super::builder::HuaweiLastMarker;
use super::paging::{MAX_LIMIT, Window, page_info};
use super::refusal::Refusal;
use super::routes::Organization;
use crate::exchange::{Incoming, Reply};
use crate::gate::lock;
use crate::page::{Page, array, page_of};
use crate::world::World;

const MAX_LIMIT_WITH_CONTACT: usize = 200;
/// Fields that are only told with `with_register_contact_info=true`.
const CONTACT: [&str; 3] = ["mobile_phone", "intl_number_prefix", "email"];

/// A listing as it was asked for.
#[derive(Debug)]
struct Asked {
    /// Which parent's children, by its place among the parents; `None` for all accounts.
    parent: Option<usize>,
    contact: bool,
    window: Window,
}

impl Organization {
    pub(crate) fn list(&self, incoming: &Incoming) -> Result<Reply, Refusal> {
        let asked = self.asked(incoming)?;
        let world = lock(&self.world);
        let start = asked.window.place.after.as_ref().map_or(0, |key| world.after(key));
        let matching = (start..world.len()).filter(|position| self.is_child(&world, *position, asked.parent));
        let Page { positions, more } = page_of(matching, self.rows(&asked.window), &incoming.tweak);
        let next = more.then(|| {
            let last = positions.last().and_then(|position| world.key_at(*position));
            self.next_marker(&asked.window, last)
        });
        let count = positions.len();
        let rows = array(positions.into_iter().map(|at| shape(world.at(at), asked.contact)));
        Ok(Reply::json_text(StatusCode::OK, told(&rows, count, next.as_deref(), self.rules.last_marker)))
    }

    pub(crate) fn show(&self, incoming: &Incoming, id: &str) -> Result<Reply, Refusal> {
        let contact = flag(incoming, "with_register_contact_info")?;
        let record = lock(&self.world).record(id).ok_or(Refusal::NoSuchAccount)?;
        Ok(Reply::json(StatusCode::OK, &json!({"account": shape(record, contact)})))
    }

    fn asked(&self, incoming: &Incoming) -> Result<Asked, Refusal> {
        let contact = flag(incoming, "with_register_contact_info")?;
        let max = if contact { MAX_LIMIT_WITH_CONTACT } else { MAX_LIMIT };
        let window = self.window(incoming, max)?;
        let parent = incoming.value("parent_id").map(|id| self.parent(id)).transpose()?;
        Ok(Asked { parent, contact, window })
    }

    /// The place of a parent among the parents.
    pub(crate) fn parent(&self, id: &str) -> Result<usize, Refusal> {
        if id.len() > 100 || !(id.starts_with("r-") || id.starts_with("ou-")) {
            return Err(bad("parent_id"));
        }
        let index = self.tree.parents().iter().position(|parent| parent == id);
        index.ok_or(Refusal::NoSuchParent)
    }

    /// Whether the account at a position is a direct child of the parent asked for.
    pub(crate) fn is_child(&self, world: &World, position: usize, parent: Option<usize>) -> bool {
        let Some(parent) = parent else { return true };
        world.key_at(position).is_some_and(|key| self.tree.parent_index(&key.id) == parent)
    }
}

/// A page with these rows; `next` leads on.
pub(super) fn page(rows: &str, count: usize, next: Option<&str>) -> String {
    told(rows, count, next, HuaweiLastMarker::Null)
}

fn told(rows: &str, count: usize, next: Option<&str>, last: HuaweiLastMarker) -> String {
    let page_info = page_info(count, next, last);
    format!("{{\"accounts\":{rows},\"page_info\":{page_info}}}")
}

/// A boolean parameter, false when it is not there.
fn flag(incoming: &Incoming, name: &str) -> Result<bool, Refusal> {
    match incoming.value(name) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(bad(name)),
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
