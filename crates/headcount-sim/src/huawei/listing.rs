//! The listings, by `marker`: accounts, entities and delegated services.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use http::StatusCode;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::HuaweiLastMarker;
use super::body::bad;
use super::changes::date;
use super::refusal::Refusal;
use super::routes::Organization;
use crate::exchange::{Incoming, Reply};
use crate::gate::lock;
use crate::page::{Page, array, page_of};
use crate::world::{Id, Key, World};

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

/// Bytes of the seal that tells a marker of this server from any other text.
const SEAL: usize = 9;

/// A place in the listing, and the number of the page that starts there in its walk.
///
/// The page's number makes the markers around an empty page differ, and makes a page's shortness a property
/// of its marker: the same marker gives the same page again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The last key before the page; `None` at the start.
    pub(crate) after: Option<Key>,
    /// The first page of a walk is 1.
    pub(crate) page: u64,
}

/// Makes and reads markers. They are base64 with padding, so they hold `+`, `/` and `=`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Markers {
    seed: u64,
}

impl Markers {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed }
    }

    pub(crate) fn write(self, place: &Place) -> String {
        let id = match place.after.as_ref().map(|key| &key.id) {
            None => "start".to_owned(),
            Some(Id::Hex(id)) => format!("hex:{}", hex::encode(id)),
            Some(Id::Text(id)) => format!("text:{id}"),
        };
        let text = format!("{}:{id}", place.page);
        let mut bytes = self.seal(&text);
        bytes.extend_from_slice(text.as_bytes());
        STANDARD.encode(bytes)
    }

    /// The place that a marker stands for; `None` for what is no marker of this server.
    pub(crate) fn read(self, marker: &str) -> Option<Place> {
        let bytes = STANDARD.decode(marker).ok()?;
        let (seal, text) = bytes.split_at_checked(SEAL)?;
        let text = std::str::from_utf8(text).ok()?;
        if seal != self.seal(text) {
            return None;
        }
        let (page, id) = text.split_once(':')?;
        let id = match id.split_once(':') {
            None => None,
            Some(("hex", id)) => Some(Id::from_hex(id)),
            Some((_, id)) => Some(Id::Text(id.into())),
        };
        Some(Place { after: id.map(Key::by_id), page: page.parse().ok()? })
    }

    fn seal(self, text: &str) -> Vec<u8> {
        let mut hash = Sha256::new();
        hash.update(self.seed.to_be_bytes());
        hash.update(text.as_bytes());
        hash.finalize().into_iter().take(SEAL).collect()
    }
}

impl Organization {
    /// The root first, then the units, then the accounts.
    pub(crate) fn list_entities(&self, incoming: &Incoming) -> Result<Reply, Refusal> {
        let parent = incoming.value("parent_id").map(|id| self.parent(id)).transpose()?;
        let world = lock(&self.world);
        // The parent of the child asked for; of a root there is none.
        let of_child = match incoming.value("child_id") {
            None => None,
            Some(id) if id.is_empty() || id.len() > 100 => return Err(bad("child_id")),
            Some(id) => Some(self.parent_of(&world, id)?),
        };
        let nodes = self.tree.parents().iter().enumerate().filter(|(index, _)| {
            of_child.is_none_or(|of_child| of_child == Some(*index))
                && parent.is_none_or(|parent| parent == 0 && *index > 0)
        });
        let mut rows: Vec<(String, Value)> = nodes.map(|(index, id)| node(index, id)).collect();
        if of_child.is_none() {
            let positions = (0..world.len()).filter(|at| self.is_child(&world, *at, parent));
            rows.extend(positions.filter_map(|at| {
                let id = world.id_at(at)?;
                let row = json!({"id": id, "name": world.at(at)["name"], "type": "account"});
                Some((format!("2 {id}"), row))
            }));
        }
        self.page_of(incoming, "entities", rows)
    }

    /// The place among the parents of an account's or a unit's parent.
    fn parent_of(&self, world: &World, child: &str) -> Result<Option<usize>, Refusal> {
        if let Some(index) = self.tree.parents().iter().position(|node| node == child) {
            return Ok((index > 0).then_some(0));
        }
        let position = world.find(child).ok_or(Refusal::NoSuchAccount)?;
        Ok(world.key_at(position).map(|key| self.tree.parent_index(&key.id)))
    }
}

/// The root or a unit, and the text that it is sorted by.
fn node(index: usize, id: &str) -> (String, Value) {
    if index == 0 {
        ("0".to_owned(), json!({"id": id, "name": "root", "type": "root"}))
    } else {
        let name = format!("unit {index}");
        (format!("1 {index:03}"), json!({"id": id, "name": name, "type": "organizational_unit"}))
    }
}

const SERVICES: [&str; 10] = [
    "service.AccessAnalyzer",
    "service.CES",
    "service.CTS",
    "service.Config",
    "service.IdentityCenter",
    "service.LTS",
    "service.RAM",
    "service.RGC",
    "service.SecMaster",
    "service.TMS",
];
/// Seconds since 1970 of the day the first service was delegated; one a day.
const FIRST: i64 = 1_700_000_000;

impl Organization {
    pub(crate) fn list_services(&self, incoming: &Incoming, id: &str) -> Result<Reply, Refusal> {
        if !lock(&self.world).contains(id) {
            return Err(Refusal::NoSuchAccount);
        }
        let rows = services_of(&Id::from_hex(id)).into_iter().zip(0..).map(|(service, day)| {
            let at = DateTime::from_timestamp(FIRST + day * 86_400, 0).unwrap_or_default();
            let row = json!({"service_principal": service, "delegation_enabled_at": date(at)});
            (service.to_owned(), row)
        });
        self.page_of(incoming, "delegated_services", rows.collect())
    }
}

/// The services of which an account is a delegated administrator, sorted. They follow from its id; three
/// accounts in four have none.
pub(crate) fn services_of(id: &Id) -> Vec<&'static str> {
    let spread = id.spread();
    if !spread.is_multiple_of(4) {
        return Vec::new();
    }
    let chosen = SERVICES.iter().enumerate().filter(|(number, _)| (spread >> (8 + number)) & 1 == 1);
    chosen.map(|(_, service)| *service).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_gives_its_place_back_and_other_text_gives_none() {
        let markers = Markers::new(3);
        let ids = [Id::Hex([7; 16]), Id::Text("acme:1 ü".into())];
        for after in ids.into_iter().map(Key::by_id).map(Some).chain([None]) {
            let place = Place { after, page: 12 };
            let marker = markers.write(&place);
            assert!((4..=400).contains(&marker.len()));
            assert_eq!(markers.read(&marker), Some(place));
            assert_eq!(Markers::new(4).read(&marker), None);
            assert_eq!(markers.read(&marker.replace('a', "b").replace('A', "B")[1..]), None);
        }
        for text in ["", "abcd", "ou-taowxgy4xbme6m4x3c2iijbxw7yj8fcw"] {
            assert_eq!(markers.read(text), None, "{text}");
        }
    }
}
