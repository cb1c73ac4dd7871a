//! The listings, by `offset`: accounts, and what one of them is entitled to.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};

use super::accounts::as_in_beta;
use super::filter::{Datum, Field, Filter};
use super::operation::Api;
use super::refusal::Refusal;
use super::routes::Tenant;
use super::{Rules, SailPointPastEnd, filter};
use crate::exchange::{Incoming, Reply};
use crate::gate::lock;
use crate::page::{array, page_of};
use crate::seed::{one_in, pick};
use crate::world::World;
use crate::{names, seed};

/// The fields of the schema `SlimAccount`. What SLIM leaves out today is not documented.
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

/// A listing as it was asked for.
#[derive(Debug)]
struct Asked {
    paging: Paging,
    slim: bool,
    filter: Option<Filter>,
    sorters: Option<Sorters>,
}

/// The accounts that match, in order.
enum Order {
    /// All accounts by id, begun at a place and going round, or backwards.
    ById { total: usize, first: usize, backwards: bool },
    /// Some accounts, begun at a place and going round.
    View { positions: Arc<[usize]>, first: usize },
}

impl Order {
    fn total(&self) -> usize {
        match self {
            Self::ById { total, .. } => *total,
            Self::View { positions, .. } => positions.len(),
        }
    }

    /// The position of the account at this offset.
    fn at(&self, offset: usize) -> Option<usize> {
        let total = self.total();
        if offset >= total {
            return None;
        }
        match self {
            Self::ById { backwards: true, .. } => Some(total - 1 - offset),
            Self::ById { first, .. } => Some((first + offset) % total),
            Self::View { positions, first } => positions.get((first + offset) % total).copied(),
        }
    }
}

impl Tenant {
    pub(crate) fn list(&self, incoming: &Incoming, api: Api, number: u64) -> Result<Reply, Refusal> {
        let asked = Asked::new(incoming, api).map_err(Refusal::BadRequest)?;
        let world = lock(&self.world);
        let order = self.order(&world, &asked, number);
        let total = order.total();
        let range = asked.paging.page(&self.rules, total)?;
        let rows = (range.start..total).map_while(|offset| order.at(offset));
        let page = page_of(rows, range.len(), &incoming.tweak);
        let records = page.positions.into_iter().map(|at| {
            let record = self.told(&world, at, api);
            if asked.slim { slim(record) } else { record }
        });
        let reply = Reply::json_text(StatusCode::OK, array(records));
        Ok(asked.paging.counted(reply, total))
    }

    /// The record at a position, as a version of the API tells it.
    pub(crate) fn told(&self, world: &World, position: usize, api: Api) -> Value {
        let mut record = world.at(position);
        let strict = api == Api::Beta && !self.rules.beta_undocumented && !world.is_exact(position);
        if strict && let Some(members) = record.as_object_mut() {
            as_in_beta(members);
        }
        record
    }

    fn order(&self, world: &World, asked: &Asked, number: u64) -> Order {
        let stable = self.rules.stable_order;
        // Without sorters the listing begins somewhere else each time.
        let start = |total: usize| {
            if stable || asked.sorters.is_some() || total == 0 {
                return 0;
            }
            seed::rng(self.seed ^ 0x0D, number).usize(..total)
        };
        let by_id = asked.sorters.as_ref().map_or(Some(false), Sorters::by_id);
        if let (None, Some(backwards)) = (&asked.filter, by_id) {
            let total = world.len();
            return Order::ById { total, first: start(total), backwards };
        }
        let sorters = asked.sorters.as_ref().filter(|sorters| sorters.by_id() != Some(false));
        let ties = sorters.is_some_and(|sorters| !sorters.is_total());
        let ties_descending = ties && !stable && number.is_multiple_of(2);
        let what = format!("{ties_descending} {sorters:?} {:?}", asked.filter);
        let positions = lock(&self.views).view(world.revision(), &what, || {
            let matching: Vec<usize> = match &asked.filter {
                None => (0..world.len()).collect(),
                Some(filter) => {
                    (0..world.len()).filter(|at| filter.matches(&world.at(*at), &self.sources)).collect()
                }
            };
            match sorters {
                None => matching,
                Some(sorters) => sorters.sort(world, &matching, ties_descending),
            }
        });
        Order::View { first: start(positions.len()), positions }
    }
}

impl Asked {
    /// The error is for the caller to read.
    fn new(incoming: &Incoming, api: Api) -> Result<Self, String> {
        let slim = match incoming.value("detailLevel") {
            None | Some("FULL") => false,
            Some("SLIM") => true,
            Some(text) => return Err(format!("detailLevel must be SLIM or FULL, not {text:?}")),
        };
        // A parameter without a value is as good as none.
        let given = |name: &str| incoming.value(name).filter(|text| !text.is_empty());
        Ok(Self {
            paging: Paging::new(incoming)?,
            slim,
            filter: given("filters").map(|text| filter::parse(text, api)).transpose()?,
            sorters: given("sorters").map(|text| Sorters::parse(text, api)).transpose()?,
        })
    }
}

/// A page with these rows; nothing in it leads on.
pub(super) fn page(rows: &str, _count: usize, _next: Option<&str>) -> String {
    rows.to_owned()
}

/// What SLIM tells of a record.
fn slim(mut record: Value) -> Value {
    if let Some(fields) = record.as_object_mut() {
        fields.retain(|name, _| SLIM.contains(&name.as_str()));
    }
    record
}

const MAX_LIMIT: usize = 250;
/// Offsets are 32-bit integers; no other maximum is documented.
const MAX_OFFSET: usize = 0x7FFF_FFFF;

/// A page as it was asked for.
#[derive(Debug)]
pub(crate) struct Paging {
    limit: usize,
    offset: usize,
    count: bool,
}

impl Paging {
    /// The error is for the caller to read.
    pub(crate) fn new(incoming: &Incoming) -> Result<Self, String> {
        let number = |name: &str, default: usize, max: usize| match incoming.value(name) {
            None => Ok(default),
            Some(text) => {
                let number = text.parse::<i32>().ok().and_then(|number| usize::try_from(number).ok());
                let number = number.filter(|number| *number <= max);
                number.ok_or_else(|| format!("{name} must be a whole number from 0 to {max}, not {text:?}"))
            }
        };
        let count = match incoming.value("count") {
            None | Some("false") => false,
            Some("true") => true,
            Some(text) => return Err(format!("count must be true or false, not {text:?}")),
        };
        let limit = number("limit", MAX_LIMIT, MAX_LIMIT)?;
        Ok(Self { limit, offset: number("offset", 0, MAX_OFFSET)?, count })
    }

    /// The offsets of the page in a listing of `total` rows; it may end beyond them.
    pub(crate) fn page(&self, rules: &Rules, total: usize) -> Result<Range<usize>, Refusal> {
        let past_end = self.offset > 0 && self.offset >= total;
        if past_end && rules.past_end == SailPointPastEnd::BadRequest {
            return Err(Refusal::OffsetPastEnd);
        }
        let rows = self.rows(rules, total.saturating_sub(self.offset));
        Ok(self.offset..self.offset.saturating_add(rows))
    }

    /// The answer with the count, if it was asked for.
    pub(crate) fn counted(&self, reply: Reply, total: usize) -> Reply {
        if self.count { reply.with("x-total-count", &total.to_string()) } else { reply }
    }

    /// How many rows the page may hold, which is less than asked for where the builder says so.
    fn rows(&self, rules: &Rules, left: usize) -> usize {
        let page = self.offset.checked_div(self.limit).unwrap_or(0) + 1;
        let falls_on = rules.short_page_every.is_some_and(|n| page.is_multiple_of(n));
        if !falls_on || left <= self.limit || self.limit < 2 {
            return self.limit;
        }
        self.limit - (self.limit / 50).clamp(1, 4)
    }
}

/// An order asked for; true is descending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sorters(Vec<(Field, bool)>);

impl Sorters {
    /// The error is for the caller to read.
    pub(crate) fn parse(text: &str, api: Api) -> Result<Self, String> {
        let one = |part: &str| {
            let name = part.strip_prefix('-').unwrap_or(part);
            let field = Field::parse(name).filter(|field| api.sorts_by(*field));
            match field {
                Some(field) => Ok((field, part.starts_with('-'))),
                None => Err(format!("the sort property {name:?} is not supported")),
            }
        };
        text.split(',').map(one).collect::<Result<_, _>>().map(Self)
    }

    /// Whether this is the order in which the world is kept, or that one backwards.
    pub(crate) fn by_id(&self) -> Option<bool> {
        match self.0.first() {
            Some((Field::Id, descending)) => Some(*descending),
            _ => None,
        }
    }

    /// Whether ids are among the sorters, so that there are no ties.
    pub(crate) fn is_total(&self) -> bool {
        self.0.iter().any(|(field, _)| *field == Field::Id)
    }

    /// The positions in this order; ties by position, ascending or descending.
    pub(crate) fn sort(&self, world: &World, positions: &[usize], ties_descending: bool) -> Vec<usize> {
        let cells = |position: usize| -> Vec<Datum> {
            let record = world.at(position);
            self.0.iter().map(|(field, _)| field.of(&record)).collect()
        };
        let mut rows: Vec<(Vec<Datum>, usize)> = positions.iter().map(|at| (cells(*at), *at)).collect();
        rows.sort_by(|one, two| {
            let cells = self.0.iter().zip(one.0.iter().zip(&two.0));
            let differs = cells.map(|((_, descending), (one, two))| directed(one.cmp(two), *descending));
            differs.fold(Ordering::Equal, Ordering::then).then(directed(one.1.cmp(&two.1), ties_descending))
        });
        rows.into_iter().map(|(_, position)| position).collect()
    }
}

fn directed(order: Ordering, descending: bool) -> Ordering {
    if descending { order.reverse() } else { order }
}

impl Tenant {
    /// A page of an account's entitlements. Without a promise, their order is another one each time.
    pub(crate) fn list_entitlements(
        &self,
        incoming: &Incoming,
        id: &str,
        number: u64,
    ) -> Result<Reply, Refusal> {
        let paging = Paging::new(incoming).map_err(Refusal::BadRequest)?;
        let account = self.account(id)?;
        let mut rows = self.entitlements_of(&account);
        let total = rows.len();
        if !self.rules.stable_order {
            seed::rng(self.seed ^ 0xE7D, number).shuffle(&mut rows);
        }
        let page = paging.page(&self.rules, total)?;
        let rows = rows.into_iter().skip(page.start).take(page.len());
        Ok(paging.counted(Reply::json_text(StatusCode::OK, array(rows)), total))
    }

    /// The entitlements of an account: those that were put in for it, or those that it was made with.
    pub(crate) fn entitlements_of(&self, account: &Value) -> Vec<Value> {
        let put_in = lock(&self.entitlements).get(account["id"].as_str().unwrap_or_default()).cloned();
        put_in.unwrap_or_else(|| {
            let ids = self.sources.entitlements().iter().filter(|id| self.sources.entitles(account, id));
            ids.map(|id| self.entitlement(id, account)).collect()
        })
    }

    /// What is told of an entitlement; its source is that of the account.
    fn entitlement(&self, id: &str, account: &Value) -> Value {
        let spread = id.bytes().fold(self.seed ^ 0xE7, |sum, byte| seed::mix(sum ^ u64::from(byte)));
        let rng = &mut seed::rng(spread, 0);
        let team = names::team(rng);
        let group = format!("CN={},OU=Grüpps,DC=example,DC=com", team.replace(',', "\\,"));
        let owner = json!({"type": "IDENTITY", "id": seed::hex_id(rng), "name": names::person(rng).0});
        let mut entitlement = json!({
            "id": id,
            "name": team,
            "attribute": pick(rng, &["memberOf", "groups", "roles"]),
            "value": group,
            "sourceSchemaObjectType": pick(rng, &["group", "role"]),
            "description": if one_in(rng, 3) { Value::Null } else { json!(format!("{team}\nGroup")) },
            "privileged": one_in(rng, 6),
            "cloudGoverned": one_in(rng, 3),
            "requestable": one_in(rng, 2),
            "owner": if one_in(rng, 3) { Value::Null } else { owner },
            "manuallyUpdatedFields": if one_in(rng, 2) { Value::Null } else { json!({"DISPLAY_NAME": true}) },
            "created": "2020-10-08T18:33:52.029Z",
            "modified": "2020-10-08T18:33:52Z",
            "source": {"type": "SOURCE", "id": account["sourceId"], "name": account["sourceName"]},
            "attributes": {"GroupType": "Security", "cn": team},
            "segments": if one_in(rng, 2) { Value::Null } else { json!([seed::uuid(rng)]) },
            "directPermissions": [],
        });
        if one_in(rng, 4) {
            entitlement["directPermissions"] =
                json!([{"rights": ["SELECT"], "target": "SYS.GV_$TRANSACTION"}]);
            entitlement["accessModelMetadata"] = json!({"attributes": [{
                "key": "iscCsp", "name": "CSP", "multiselect": true, "status": "active", "type": "governance",
                "objectTypes": ["general"], "description": "Where it is deployed.",
                "values": [{"value": "development", "name": "Development", "status": "active"}],
            }]});
        }
        if one_in(rng, 5) {
            let group = json!({"type": "GOVERNANCE_GROUP", "id": seed::hex_id(rng), "name": null});
            entitlement["additionalOwners"] = json!([group]);
            entitlement["simUnannounced"] = json!({"level": 3});
        }
        if self.rules.documented_only {
            document(&mut entitlement);
        }
        entitlement
    }
}

/// Takes out what the reference does not have: a member that is not announced, and nulls, most of which it does
/// not allow.
fn document(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, member| !member.is_null() && name != "simUnannounced");
            members.values_mut().for_each(document);
        }
        Value::Array(values) => values.iter_mut().for_each(document),
        _ => {}
    }
}

#[cfg(test)]
mod listing_tests {
    use super::Order;

    fn all(order: &Order) -> Vec<usize> {
        (0..10).map_while(|offset| order.at(offset)).collect()
    }

    #[test]
    fn an_order_begun_elsewhere_still_has_everything_once() {
        let by_id = |total, first, backwards| all(&Order::ById { total, first, backwards });
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
    fn sorters_are_a_list_of_known_fields() {
        assert_eq!(
            Sorters::parse("name,-created", Api::V3),
            Ok(Sorters(vec![(Field::Name, false), (Field::Created, true)]))
        );
        assert!(Sorters::parse("hasEntitlements,sourceOwner.name", Api::Beta).is_ok());
        for wrong in ["", "id,", "-", "identity.id", "attributes.mail", "hasEntitlements", "id asc"] {
            assert!(Sorters::parse(wrong, Api::V2025).is_err(), "{wrong}");
        }
    }
}
