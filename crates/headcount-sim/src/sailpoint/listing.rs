//! The listings with `offset` paging: accounts, and the entitlements of an account.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};

use super::accounts::strip_for_beta;
use super::api_error::ApiError;
use super::filter::{Field, FieldValue, Filter};
use super::operation::Api;
use super::routes::SailPointState;
use super::{BeyondEnd, Rules, filter};
use crate::message::{SimRequest, SimResponse};
use crate::page::{array, page_of};
use crate::pipeline::lock;
use crate::rng::{chance, pick};
use crate::world::World;
use crate::{names, rng};

/// The fields of the schema `SlimAccount`. Which fields SLIM currently omits is not documented.
const SLIM: [&str; 18] = [
    "id",
    "name",
    "created",
    "modified",
    "uuid",
    "nativeIdentity",
    "description",
    "disabled",
    "locked",
    "type",
    "manuallyCorrelated",
    "hasEntitlements",
    "sourceId",
    "sourceName",
    "identityId",
    "attributes",
    "origin",
    "ownerIdentity",
];

/// The parameters of a list request.
#[derive(Debug)]
struct ListQuery {
    paging: Paging,
    slim: bool,
    filter: Option<Filter>,
    sorters: Option<Sorters>,
}

/// The matching accounts in order.
enum Order {
    /// All accounts by id, rotated to start at `first`, or reversed.
    ById { total: usize, first: usize, reversed: bool },
    /// Some accounts, rotated to start at `first`.
    View { positions: Arc<[usize]>, first: usize },
}

impl Order {
    fn total(&self) -> usize {
        match self {
            Self::ById { total, .. } => *total,
            Self::View { positions, .. } => positions.len(),
        }
    }

    /// Returns the position of the account at an offset.
    fn position(&self, offset: usize) -> Option<usize> {
        let total = self.total();
        if offset >= total {
            return None;
        }
        match self {
            Self::ById { reversed: true, .. } => Some(total - 1 - offset),
            Self::ById { first, .. } => Some((first + offset) % total),
            Self::View { positions, first } => positions.get((first + offset) % total).copied(),
        }
    }
}

impl SailPointState {
    pub(crate) fn list(&self, request: &SimRequest, api: Api, number: u64) -> Result<SimResponse, ApiError> {
        let query = ListQuery::parse(request, api).map_err(ApiError::BadRequest)?;
        let world = lock(&self.world);
        let order = self.order(&world, &query, number);
        let total = order.total();
        let range = query.paging.page(&self.rules, total)?;
        let rows = (range.start..total).map_while(|offset| order.position(offset));
        let page = page_of(rows, range.len(), &request.overrides);
        let records = page.positions.into_iter().map(|at| {
            let record = self.record_for(&world, at, api);
            if query.slim { slim(record) } else { record }
        });
        let response = SimResponse::json_text(StatusCode::OK, array(records));
        Ok(query.paging.add_count(response, total))
    }

    /// Returns the record at a position, as an API version serves it.
    pub(crate) fn record_for(&self, world: &World, position: usize, api: Api) -> Value {
        let mut record = world.record_at(position);
        let strict = api == Api::Beta && !self.rules.beta_undocumented && !world.is_exact(position);
        if strict && let Some(members) = record.as_object_mut() {
            strip_for_beta(members);
        }
        record
    }

    fn order(&self, world: &World, query: &ListQuery, number: u64) -> Order {
        let stable = self.rules.stable_order;
        // Without sorters, the start of the listing is random.
        let start = |total: usize| {
            if stable || query.sorters.is_some() || total == 0 {
                return 0;
            }
            rng::seeded(self.seed ^ 0x0D, number).usize(..total)
        };
        let by_id = query.sorters.as_ref().map_or(Some(false), Sorters::by_id);
        if let (None, Some(reversed)) = (&query.filter, by_id) {
            let total = world.len();
            return Order::ById { total, first: start(total), reversed };
        }
        let sorters = query.sorters.as_ref().filter(|sorters| sorters.by_id() != Some(false));
        let ties = sorters.is_some_and(|sorters| !sorters.is_total());
        let ties_descending = ties && !stable && number.is_multiple_of(2);
        let key = format!("{ties_descending} {sorters:?} {:?}", query.filter);
        let positions = lock(&self.views).get_or_build(world.revision(), &key, || {
            let matching: Vec<usize> = match &query.filter {
                None => (0..world.len()).collect(),
                Some(filter) => (0..world.len())
                    .filter(|at| filter.matches(&world.record_at(*at), &self.sources))
                    .collect(),
            };
            match sorters {
                None => matching,
                Some(sorters) => sorters.sort(world, &matching, ties_descending),
            }
        });
        Order::View { first: start(positions.len()), positions }
    }
}

impl ListQuery {
    /// Parses the parameters of a request. The error is a message for the client.
    fn parse(request: &SimRequest, api: Api) -> Result<Self, String> {
        let slim = match request.value("detailLevel") {
            None | Some("FULL") => false,
            Some("SLIM") => true,
            Some(text) => return Err(format!("detailLevel must be SLIM or FULL, not {text:?}")),
        };
        // A parameter without a value is ignored.
        let parameter = |name: &str| request.value(name).filter(|text| !text.is_empty());
        Ok(Self {
            paging: Paging::parse(request)?,
            slim,
            filter: parameter("filters").map(|text| filter::parse(text, api)).transpose()?,
            sorters: parameter("sorters").map(|text| Sorters::parse(text, api)).transpose()?,
        })
    }
}

/// Formats a page with these rows. It contains no cursor.
pub(super) fn page(rows: &str, _count: usize, _next: Option<&str>) -> String {
    rows.to_owned()
}

/// Removes the fields that SLIM omits.
fn slim(mut record: Value) -> Value {
    if let Some(fields) = record.as_object_mut() {
        fields.retain(|name, _| SLIM.contains(&name.as_str()));
    }
    record
}

const MAX_LIMIT: usize = 250;
/// Offsets are 32-bit integers; no other maximum is documented.
const MAX_OFFSET: usize = 0x7FFF_FFFF;

/// The paging parameters of a request.
#[derive(Debug)]
pub(crate) struct Paging {
    limit: usize,
    offset: usize,
    count: bool,
}

impl Paging {
    /// Parses the parameters of a request. The error is a message for the client.
    pub(crate) fn parse(request: &SimRequest) -> Result<Self, String> {
        let number = |name: &str, default: usize, max: usize| match request.value(name) {
            None => Ok(default),
            Some(text) => {
                let number = text.parse::<i32>().ok().and_then(|number| usize::try_from(number).ok());
                let number = number.filter(|number| *number <= max);
                number.ok_or_else(|| format!("{name} must be a whole number from 0 to {max}, not {text:?}"))
            }
        };
        let count = match request.value("count") {
            None | Some("false") => false,
            Some("true") => true,
            Some(text) => return Err(format!("count must be true or false, not {text:?}")),
        };
        let limit = number("limit", MAX_LIMIT, MAX_LIMIT)?;
        Ok(Self { limit, offset: number("offset", 0, MAX_OFFSET)?, count })
    }

    /// Returns the offsets of the page in a listing of `total` rows. They may exceed the total.
    pub(crate) fn page(&self, rules: &Rules, total: usize) -> Result<Range<usize>, ApiError> {
        let beyond_end = self.offset > 0 && self.offset >= total;
        if beyond_end && rules.beyond_end == BeyondEnd::BadRequest {
            return Err(ApiError::OffsetBeyondEnd);
        }
        let rows = self.page_size(rules, total.saturating_sub(self.offset));
        Ok(self.offset..self.offset.saturating_add(rows))
    }

    /// Adds the total count to the response, if it was requested.
    pub(crate) fn add_count(&self, response: SimResponse, total: usize) -> SimResponse {
        if self.count { response.with("x-total-count", &total.to_string()) } else { response }
    }

    /// Returns the maximum number of rows of the page, which the builder can make smaller than the `limit`.
    fn page_size(&self, rules: &Rules, remaining: usize) -> usize {
        let page = self.offset.checked_div(self.limit).unwrap_or(0) + 1;
        let is_short = rules.short_page_every.is_some_and(|n| page.is_multiple_of(n));
        if !is_short || remaining <= self.limit || self.limit < 2 {
            return self.limit;
        }
        self.limit - (self.limit / 50).clamp(1, 4)
    }
}

/// The sorters of a request. The flag is true for descending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sorters(Vec<(Field, bool)>);

impl Sorters {
    /// Parses the parameter `sorters`. The error is a message for the client.
    pub(crate) fn parse(text: &str, api: Api) -> Result<Self, String> {
        let parse_one = |part: &str| {
            let name = part.strip_prefix('-').unwrap_or(part);
            let field = Field::parse(name).filter(|field| api.sorts_by(*field));
            match field {
                Some(field) => Ok((field, part.starts_with('-'))),
                None => Err(format!("the sort property {name:?} is not supported")),
            }
        };
        text.split(',').map(parse_one).collect::<Result<_, _>>().map(Self)
    }

    /// Returns whether the order by id is descending, if this is the order by id.
    pub(crate) fn by_id(&self) -> Option<bool> {
        match self.0.first() {
            Some((Field::Id, descending)) => Some(*descending),
            _ => None,
        }
    }

    /// Returns whether ids are among the sorters, so that there are no ties.
    pub(crate) fn is_total(&self) -> bool {
        self.0.iter().any(|(field, _)| *field == Field::Id)
    }

    /// Sorts positions. Ties are sorted by position, ascending or descending.
    pub(crate) fn sort(&self, world: &World, positions: &[usize], ties_descending: bool) -> Vec<usize> {
        let values = |position: usize| -> Vec<FieldValue> {
            let record = world.record_at(position);
            self.0.iter().map(|(field, _)| field.value(&record)).collect()
        };
        let mut rows: Vec<(Vec<FieldValue>, usize)> = positions.iter().map(|at| (values(*at), *at)).collect();
        rows.sort_by(|one, two| {
            let pairs = self.0.iter().zip(one.0.iter().zip(&two.0));
            let orderings = pairs.map(|((_, descending), (one, two))| directed(one.cmp(two), *descending));
            orderings.fold(Ordering::Equal, Ordering::then).then(directed(one.1.cmp(&two.1), ties_descending))
        });
        rows.into_iter().map(|(_, position)| position).collect()
    }
}

fn directed(order: Ordering, descending: bool) -> Ordering {
    if descending { order.reverse() } else { order }
}

impl SailPointState {
    /// Returns a page of an account's entitlements, in random order unless the order is stable.
    pub(crate) fn list_entitlements(
        &self,
        request: &SimRequest,
        id: &str,
        number: u64,
    ) -> Result<SimResponse, ApiError> {
        let paging = Paging::parse(request).map_err(ApiError::BadRequest)?;
        let account = self.account(id)?;
        let mut rows = self.entitlements_of(&account);
        let total = rows.len();
        if !self.rules.stable_order {
            rng::seeded(self.seed ^ 0xE7D, number).shuffle(&mut rows);
        }
        let page = paging.page(&self.rules, total)?;
        let rows = rows.into_iter().skip(page.start).take(page.len());
        Ok(paging.add_count(SimResponse::json_text(StatusCode::OK, array(rows)), total))
    }

    /// Returns the entitlements of an account: those that a test set, or else the generated ones.
    pub(crate) fn entitlements_of(&self, account: &Value) -> Vec<Value> {
        let set_by_test = lock(&self.entitlements).get(account["id"].as_str().unwrap_or_default()).cloned();
        set_by_test.unwrap_or_else(|| {
            let ids = self.sources.entitlements().iter().filter(|id| self.sources.entitles(account, id));
            ids.map(|id| self.entitlement(id, account)).collect()
        })
    }

    /// Generates an entitlement. Its source is that of the account.
    fn entitlement(&self, id: &str, account: &Value) -> Value {
        let hash = id.bytes().fold(self.seed ^ 0xE7, |sum, byte| rng::mix(sum ^ u64::from(byte)));
        let rng = &mut rng::seeded(hash, 0);
        let team = names::team(rng);
        let group = format!("CN={},OU=Grüpps,DC=example,DC=com", team.replace(',', "\\,"));
        let owner = json!({"type": "IDENTITY", "id": rng::hex_id(rng), "name": names::person(rng).0});
        let mut entitlement = json!({
            "id": id,
            "name": team,
            "attribute": pick(rng, &["memberOf", "groups", "roles"]),
            "value": group,
            "sourceSchemaObjectType": pick(rng, &["group", "role"]),
            "description": if chance(rng, 3) { Value::Null } else { json!(format!("{team}\nGroup")) },
            "privileged": chance(rng, 6),
            "cloudGoverned": chance(rng, 3),
            "requestable": chance(rng, 2),
            "owner": if chance(rng, 3) { Value::Null } else { owner },
            "manuallyUpdatedFields": if chance(rng, 2) { Value::Null } else { json!({"DISPLAY_NAME": true}) },
            "created": "2020-10-08T18:33:52.029Z",
            "modified": "2020-10-08T18:33:52Z",
            "source": {"type": "SOURCE", "id": account["sourceId"], "name": account["sourceName"]},
            "attributes": {"GroupType": "Security", "cn": team},
            "segments": if chance(rng, 2) { Value::Null } else { json!([rng::uuid(rng)]) },
            "directPermissions": [],
        });
        if chance(rng, 4) {
            entitlement["directPermissions"] =
                json!([{"rights": ["SELECT"], "target": "SYS.GV_$TRANSACTION"}]);
            entitlement["accessModelMetadata"] = json!({"attributes": [{
                "key": "iscCsp", "name": "CSP", "multiselect": true, "status": "active", "type": "governance",
                "objectTypes": ["general"], "description": "Where it is deployed.",
                "values": [{"value": "development", "name": "Development", "status": "active"}],
            }]});
        }
        if chance(rng, 5) {
            let group = json!({"type": "GOVERNANCE_GROUP", "id": rng::hex_id(rng), "name": null});
            entitlement["additionalOwners"] = json!([group]);
            entitlement["simUnannounced"] = json!({"level": 3});
        }
        if self.rules.documented_only {
            strip_undocumented(&mut entitlement);
        }
        entitlement
    }
}

/// Removes undocumented members, and nulls, most of which are not allowed.
fn strip_undocumented(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, member| !member.is_null() && name != "simUnannounced");
            members.values_mut().for_each(strip_undocumented);
        }
        Value::Array(values) => values.iter_mut().for_each(strip_undocumented),
        _ => {}
    }
}

#[cfg(test)]
mod listing_tests {
    use super::Order;

    fn all(order: &Order) -> Vec<usize> {
        (0..10).map_while(|offset| order.position(offset)).collect()
    }

    #[test]
    fn rotated_order_contains_everything_once() {
        let by_id = |total, first, reversed| all(&Order::ById { total, first, reversed });
        assert_eq!(by_id(4, 0, false), [0, 1, 2, 3]);
        assert_eq!(by_id(4, 3, false), [3, 0, 1, 2]);
        assert_eq!(by_id(4, 0, true), [3, 2, 1, 0]);
        assert!(by_id(0, 0, false).is_empty());
        let positions = [7, 2, 5].into();
        assert_eq!(all(&Order::View { positions, first: 1 }), [2, 5, 7]);
    }
}

#[cfg(test)]
mod sorters_tests {
    use super::*;

    #[test]
    fn sorters_require_known_fields() {
        assert_eq!(
            Sorters::parse("name,-created", Api::V3),
            Ok(Sorters(vec![(Field::Name, false), (Field::Created, true)]))
        );
        assert!(Sorters::parse("hasEntitlements,sourceOwner.name", Api::Beta).is_ok());
        for invalid in ["", "id,", "-", "identity.id", "attributes.mail", "hasEntitlements", "id asc"] {
            assert!(Sorters::parse(invalid, Api::V2025).is_err(), "{invalid}");
        }
    }
}
