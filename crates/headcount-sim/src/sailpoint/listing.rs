//! The account listing of all versions.

use std::sync::Arc;

use http::StatusCode;
use serde_json::Value;

use super::accounts::as_in_beta;
use super::api::Api;
use super::filter::{self, Filter};
use super::paging::Paging;
use super::refusal::Refusal;
use super::routes::Tenant;
use super::sorters::Sorters;
use crate::exchange::{Incoming, Reply};
use crate::gate::lock;
use crate::page::{array, page_of};
use crate::seed;
use crate::world::World;

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

#[cfg(test)]
mod tests {
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
