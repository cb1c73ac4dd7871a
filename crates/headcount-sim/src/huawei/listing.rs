//! The listings, by `marker`: accounts, entities and delegated services.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use http::StatusCode;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::LastMarker;
use super::api_error::ApiError;
use super::body::bad_parameter;
use super::changes::format_date;
use super::routes::HuaweiState;
use crate::message::{SimRequest, SimResponse};
use crate::page::{Page, array, page_of};
use crate::pipeline::lock;
use crate::world::{Id, SortKey, World};

const MAX_LIMIT_WITH_CONTACT: usize = 200;
/// Fields that are only returned with `with_register_contact_info=true`.
const CONTACT: [&str; 3] = ["mobile_phone", "intl_number_prefix", "email"];

/// The parameters of a list request.
#[derive(Debug)]
struct ListQuery {
    /// The index of the parent whose children are listed. `None` for all accounts.
    parent: Option<usize>,
    contact: bool,
    page: PageRequest,
}

impl HuaweiState {
    pub(crate) fn list(&self, request: &SimRequest) -> Result<SimResponse, ApiError> {
        let query = self.parse_query(request)?;
        let world = lock(&self.world);
        let start = query.page.position.after.as_ref().map_or(0, |key| world.upper_bound(key));
        let matching = (start..world.len()).filter(|position| self.is_child(&world, *position, query.parent));
        let Page { positions, more } = page_of(matching, self.page_size(&query.page), &request.overrides);
        let next = more.then(|| {
            let last = positions.last().and_then(|position| world.key_at(*position));
            self.next_marker(&query.page, last)
        });
        let count = positions.len();
        let rows = array(positions.into_iter().map(|at| {
            let record = world.record_at(at);
            if query.contact { record } else { without_contact(record) }
        }));
        Ok(SimResponse::json_text(
            StatusCode::OK,
            page_body(&rows, count, next.as_deref(), self.rules.last_marker),
        ))
    }

    /// Returns one account.
    pub(crate) fn get(&self, request: &SimRequest, id: &str) -> Result<SimResponse, ApiError> {
        let contact = flag(request, "with_register_contact_info")?;
        let record = lock(&self.world).record(id).ok_or(ApiError::NoSuchAccount)?;
        let record = if contact { record } else { without_contact(record) };
        Ok(SimResponse::json(StatusCode::OK, &json!({"account": record})))
    }

    fn parse_query(&self, request: &SimRequest) -> Result<ListQuery, ApiError> {
        let contact = flag(request, "with_register_contact_info")?;
        let max = if contact { MAX_LIMIT_WITH_CONTACT } else { MAX_LIMIT };
        let page = self.page_request(request, max)?;
        let parent = request.value("parent_id").map(|id| self.parent_index(id)).transpose()?;
        Ok(ListQuery { parent, contact, page })
    }

    /// Returns the index of a parent.
    pub(crate) fn parent_index(&self, id: &str) -> Result<usize, ApiError> {
        if id.len() > 100 || !(id.starts_with("r-") || id.starts_with("ou-")) {
            return Err(bad_parameter("parent_id"));
        }
        let index = self.tree.parents().iter().position(|parent| parent == id);
        index.ok_or(ApiError::NoSuchParent)
    }

    /// Returns whether the account at a position is a direct child of a parent, if one is given.
    pub(crate) fn is_child(&self, world: &World, position: usize, parent: Option<usize>) -> bool {
        let Some(parent) = parent else { return true };
        world.key_at(position).is_some_and(|key| self.tree.parent_index(&key.id) == parent)
    }
}

/// Formats a page with these rows and the marker of the next page.
pub(super) fn page(rows: &str, count: usize, next: Option<&str>) -> String {
    page_body(rows, count, next, LastMarker::Null)
}

fn page_body(rows: &str, count: usize, next: Option<&str>, last: LastMarker) -> String {
    let page_info = page_info(count, next, last);
    format!("{{\"accounts\":{rows},\"page_info\":{page_info}}}")
}

/// Parses a boolean parameter. Defaults to false.
fn flag(request: &SimRequest, name: &str) -> Result<bool, ApiError> {
    match request.value(name) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(bad_parameter(name)),
    }
}

/// Removes the contact information from a record.
pub(crate) fn without_contact(mut record: Value) -> Value {
    if let Some(fields) = record.as_object_mut() {
        for name in CONTACT {
            fields.remove(name);
        }
    }
    record
}

/// The page size if the request has no `limit`, as documented in 2025-11.
const DEFAULT_LIMIT: usize = 1000;
pub(crate) const MAX_LIMIT: usize = 2000;

/// The paging parameters of a request.
#[derive(Debug)]
pub(crate) struct PageRequest {
    limit: usize,
    pub(crate) position: MarkerPosition,
}

impl HuaweiState {
    /// Parses the paging parameters of a request.
    pub(crate) fn page_request(&self, request: &SimRequest, max: usize) -> Result<PageRequest, ApiError> {
        let limit = match request.value("limit") {
            None => DEFAULT_LIMIT.min(max),
            Some(text) => {
                let limit = text.parse::<usize>().ok();
                limit.filter(|limit| (1..=max).contains(limit)).ok_or_else(|| bad_parameter("limit"))?
            }
        };
        let position = match request.value("marker") {
            None => MarkerPosition { after: None, page: 1 },
            Some(text) => {
                let marker = Some(text).filter(|text| (4..=400).contains(&text.len()));
                marker.and_then(|text| self.markers.decode(text)).ok_or_else(|| bad_parameter("marker"))?
            }
        };
        Ok(PageRequest { limit, position })
    }

    /// Returns the maximum number of rows of the page, which the builder can make smaller than the `limit`.
    pub(crate) fn page_size(&self, page: &PageRequest) -> usize {
        let applies = |every: Option<u64>| every.is_some_and(|n| page.position.page.is_multiple_of(n));
        if applies(self.rules.empty_page_every) {
            0
        } else if applies(self.rules.short_page_every) {
            page.limit.div_ceil(2)
        } else {
            page.limit
        }
    }

    /// Returns the marker of the next page, after the row `last`, or after an empty page.
    pub(crate) fn next_marker(&self, page: &PageRequest, last: Option<&SortKey>) -> String {
        let after = last.or(page.position.after.as_ref()).cloned();
        self.markers.encode(&MarkerPosition { after, page: page.position.page.saturating_add(1) })
    }

    /// Returns a page of `rows` in the member `array`. Each row has a sort key, and they are sorted by it.
    pub(crate) fn json_page(
        &self,
        request: &SimRequest,
        array: &str,
        rows: Vec<(String, Value)>,
    ) -> Result<SimResponse, ApiError> {
        let page_request = self.page_request(request, MAX_LIMIT)?;
        let start = match page_request.position.after.as_ref().map(|key| &key.id) {
            None => 0,
            Some(Id::Text(after)) => rows.partition_point(|(key, _)| **key <= **after),
            // A marker of a different listing.
            Some(Id::Hex(_)) => return Err(bad_parameter("marker")),
        };
        let total = rows.len();
        let size = self.page_size(&page_request);
        let page: Vec<_> = rows.into_iter().skip(start).take(size).collect();
        let more = start.saturating_add(page.len()) < total;
        let last = page.last().map(|(key, _)| SortKey::by_id(Id::Text(key.as_str().into())));
        let next = more.then(|| self.next_marker(&page_request, last.as_ref()));
        let info = page_info(page.len(), next.as_deref(), self.rules.last_marker);
        let mut body = Map::new();
        body.insert(array.to_owned(), page.into_iter().map(|(_, row)| row).collect());
        body.insert("page_info".to_owned(), info);
        Ok(SimResponse::json(StatusCode::OK, &Value::Object(body)))
    }
}

/// Returns the `page_info` of a page: the marker of the next page, and the number of rows.
pub(crate) fn page_info(count: usize, next: Option<&str>, last: LastMarker) -> Value {
    match (next, last) {
        (None, LastMarker::Absent) => json!({"current_count": count}),
        (None, LastMarker::Empty) => json!({"next_marker": "", "current_count": count}),
        (next, _) => json!({"next_marker": next, "current_count": count}),
    }
}

/// Returns the values of the repeatable parameter `states`, which must be `known`.
pub(crate) fn states<'a>(request: &'a SimRequest, known: &[&str]) -> Result<Vec<&'a str>, ApiError> {
    let states = request.query.iter().filter(|(name, _)| name == "states");
    states
        .map(|(_, state)| {
            known.contains(&&**state).then_some(&**state).ok_or_else(|| bad_parameter("states"))
        })
        .collect()
}

/// The size of the digest that identifies markers of this server, in bytes.
const DIGEST_BYTES: usize = 9;

/// A position in a listing, and the number of the page that starts there.
///
/// The page number makes the markers before and after an empty page differ. It also makes the size of a page
/// a property of its marker, so that the same marker returns the same page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MarkerPosition {
    /// The last key before the page. `None` for the first page.
    pub(crate) after: Option<SortKey>,
    /// The first page is 1.
    pub(crate) page: u64,
}

/// Encodes and decodes markers. They are padded base64, so they contain `+`, `/` and `=`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MarkerCodec {
    seed: u64,
}

impl MarkerCodec {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// Encodes a position as a marker.
    pub(crate) fn encode(self, position: &MarkerPosition) -> String {
        let id = match position.after.as_ref().map(|key| &key.id) {
            None => "start".to_owned(),
            Some(Id::Hex(id)) => format!("hex:{}", hex::encode(id)),
            Some(Id::Text(id)) => format!("text:{id}"),
        };
        let text = format!("{}:{id}", position.page);
        let mut bytes = self.digest(&text);
        bytes.extend_from_slice(text.as_bytes());
        STANDARD.encode(bytes)
    }

    /// Decodes the position of a marker. Returns `None` for text that is not a marker of this server.
    pub(crate) fn decode(self, marker: &str) -> Option<MarkerPosition> {
        let bytes = STANDARD.decode(marker).ok()?;
        let (digest, text) = bytes.split_at_checked(DIGEST_BYTES)?;
        let text = std::str::from_utf8(text).ok()?;
        if digest != self.digest(text) {
            return None;
        }
        let (page, id) = text.split_once(':')?;
        let id = match id.split_once(':') {
            None => None,
            Some(("hex", id)) => Some(Id::from_hex(id)),
            Some((_, id)) => Some(Id::Text(id.into())),
        };
        Some(MarkerPosition { after: id.map(SortKey::by_id), page: page.parse().ok()? })
    }

    fn digest(self, text: &str) -> Vec<u8> {
        let mut hash = Sha256::new();
        hash.update(self.seed.to_be_bytes());
        hash.update(text.as_bytes());
        hash.finalize().into_iter().take(DIGEST_BYTES).collect()
    }
}

impl HuaweiState {
    /// Lists the entities: the root, then the units, then the accounts.
    pub(crate) fn list_entities(&self, request: &SimRequest) -> Result<SimResponse, ApiError> {
        let parent = request.value("parent_id").map(|id| self.parent_index(id)).transpose()?;
        let world = lock(&self.world);
        // The parent of the requested child. A root has none.
        let child_parent = match request.value("child_id") {
            None => None,
            Some(id) if id.is_empty() || id.len() > 100 => return Err(bad_parameter("child_id")),
            Some(id) => Some(self.parent_of(&world, id)?),
        };
        let nodes = self.tree.parents().iter().enumerate().filter(|(index, _)| {
            child_parent.is_none_or(|child_parent| child_parent == Some(*index))
                && parent.is_none_or(|parent| parent == 0 && *index > 0)
        });
        let mut rows: Vec<(String, Value)> = nodes.map(|(index, id)| node_row(index, id)).collect();
        if child_parent.is_none() {
            let positions = (0..world.len()).filter(|at| self.is_child(&world, *at, parent));
            rows.extend(positions.filter_map(|at| {
                let id = world.id_at(at)?;
                let row = json!({"id": id, "name": world.record_at(at)["name"], "type": "account"});
                Some((format!("2 {id}"), row))
            }));
        }
        self.json_page(request, "entities", rows)
    }

    /// Returns the index of the parent of an account or a unit.
    fn parent_of(&self, world: &World, child: &str) -> Result<Option<usize>, ApiError> {
        if let Some(index) = self.tree.parents().iter().position(|node| node == child) {
            return Ok((index > 0).then_some(0));
        }
        let position = world.find(child).ok_or(ApiError::NoSuchAccount)?;
        Ok(world.key_at(position).map(|key| self.tree.parent_index(&key.id)))
    }
}

/// Returns the row of the root or a unit, with its sort key.
fn node_row(index: usize, id: &str) -> (String, Value) {
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
/// When the first service was delegated, as a Unix timestamp in seconds. One service is delegated per day.
const FIRST: i64 = 1_700_000_000;

impl HuaweiState {
    /// Lists the services of which an account is a delegated administrator.
    pub(crate) fn list_services(&self, request: &SimRequest, id: &str) -> Result<SimResponse, ApiError> {
        if !lock(&self.world).contains(id) {
            return Err(ApiError::NoSuchAccount);
        }
        let rows = delegated_services(&Id::from_hex(id)).into_iter().zip(0..).map(|(service, day)| {
            let at = DateTime::from_timestamp(FIRST + day * 86_400, 0).unwrap_or_default();
            let row = json!({"service_principal": service, "delegation_enabled_at": format_date(at)});
            (service.to_owned(), row)
        });
        self.json_page(request, "delegated_services", rows.collect())
    }
}

/// Returns the services of which an account is a delegated administrator, sorted.
///
/// They are derived from the id. Three accounts in four have none.
pub(crate) fn delegated_services(id: &Id) -> Vec<&'static str> {
    let spread = id.hash();
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
    fn markers_round_trip() {
        let markers = MarkerCodec::new(3);
        let ids = [Id::Hex([7; 16]), Id::Text("acme:1 ü".into())];
        for after in ids.into_iter().map(SortKey::by_id).map(Some).chain([None]) {
            let position = MarkerPosition { after, page: 12 };
            let marker = markers.encode(&position);
            assert!((4..=400).contains(&marker.len()));
            assert_eq!(markers.decode(&marker), Some(position));
            assert_eq!(MarkerCodec::new(4).decode(&marker), None);
            assert_eq!(markers.decode(&marker.replace('a', "b").replace('A', "B")[1..]), None);
        }
        for text in ["", "abcd", "ou-taowxgy4xbme6m4x3c2iijbxw7yj8fcw"] {
            assert_eq!(markers.decode(text), None, "{text}");
        }
    }
}
