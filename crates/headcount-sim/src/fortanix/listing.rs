//! `GET /v1/accounts`.

use std::cmp::Ordering;

use http::StatusCode;

use super::api_error::ApiError;
use super::routes::FortanixState;
use super::{FortanixPaging, FortanixUnknownId};
use crate::message::{SimRequest, SimResponse};
use crate::page::{array, page_of};
use crate::pipeline::lock;
use crate::world::{Id, SortKey, World};

/// The parameters of a list request.
#[derive(Debug)]
struct ListQuery {
    limit: usize,
    previous_id: Option<String>,
    order: Vec<(Column, bool)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Id,
    Name,
    Created,
}

/// A value of a column. Null sorts first (assumption).
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cell {
    Null,
    Number(i64),
    Text(String),
}

impl FortanixState {
    pub(crate) fn list(&self, request: &SimRequest) -> Result<SimResponse, ApiError> {
        let world = lock(&self.world);
        if self.rules.paging == FortanixPaging::IgnoresAll {
            return Ok(self.items(&world, (0..world.len()).collect()));
        }
        let mut query = self.parse_query(request)?;
        if self.rules.paging == FortanixPaging::IgnoresPreviousId {
            query.previous_id = None;
        }
        if query.previous_id.as_ref().is_some_and(|id| world.find(id).is_none()) {
            match self.rules.unknown_id {
                FortanixUnknownId::Keyset => {}
                FortanixUnknownId::BadRequest => {
                    return Err(ApiError::BadQuery("previous_id is not an account".to_owned()));
                }
                FortanixUnknownId::NotFound => return Err(ApiError::NotFound),
                FortanixUnknownId::Empty => return Ok(self.items(&world, Vec::new())),
                FortanixUnknownId::StartOver => query.previous_id = None,
            }
        }
        let inclusive = self.rules.paging == FortanixPaging::At;
        let page =
            |rows: &mut dyn Iterator<Item = usize>| page_of(rows, query.limit, &request.overrides).positions;
        let positions = match query.order.first() {
            None | Some((Column::Id, false)) => {
                let start = query.previous_id.map_or(0, |id| start(&world, &id, inclusive));
                page(&mut (start..world.len()))
            }
            Some((Column::Id, true)) => {
                let end = query.previous_id.map_or(world.len(), |id| start(&world, &id, !inclusive));
                page(&mut (0..end).rev())
            }
            Some(_) => page(&mut self.sorted(&world, &query, inclusive)?.into_iter()),
        };
        Ok(self.items(&world, positions))
    }

    /// Returns the positions from the start of the page on, in an order other than by id.
    fn sorted(&self, world: &World, query: &ListQuery, inclusive: bool) -> Result<Vec<usize>, ApiError> {
        let key = format!("{:?}", query.order);
        let view = lock(&self.views).get_or_build(world.revision(), &key, || sort(world, &query.order));
        let start = match &query.previous_id {
            None => 0,
            Some(id) => {
                let position = world.find(id);
                let index = view.iter().position(|at| Some(*at) == position);
                let index = index.ok_or_else(|| {
                    ApiError::BadQuery("previous_id is not an account, so its place is unknown".to_owned())
                })?;
                if inclusive { index } else { index + 1 }
            }
        };
        Ok(view.iter().skip(start).copied().collect())
    }

    fn parse_query(&self, request: &SimRequest) -> Result<ListQuery, ApiError> {
        let invalid = |name: &str, value: &str| ApiError::BadQuery(format!("Invalid {name}: {value}"));
        if let Some(scope) = request.value("scope")
            && !matches!(scope, "USER" | "SYSTEM")
        {
            return Err(invalid("scope", scope));
        }
        let limit = match request.value("limit") {
            None => self.rules.default_limit,
            Some(text) => {
                let limit = text.parse::<usize>().ok().filter(|limit| *limit > 0);
                limit.ok_or_else(|| invalid("limit", text))?
            }
        };
        let previous_id = match request.value("previous_id") {
            None => None,
            Some(text) if uuid::Uuid::try_parse(text).is_ok() => Some(text.to_owned()),
            Some(text) => return Err(invalid("previous_id", text)),
        };
        let order = match request.value("sort_by") {
            None => Vec::new(),
            Some(text) => parse_order(text).ok_or_else(|| invalid("sort_by", text))?,
        };
        Ok(ListQuery { limit: limit.min(self.rules.max_limit), previous_id, order })
    }

    /// Returns the page with the accounts at these positions.
    fn items(&self, world: &World, positions: Vec<usize>) -> SimResponse {
        if positions.is_empty() && self.rules.omit_empty_items {
            return SimResponse::json_text(StatusCode::OK, "{}".to_owned());
        }
        let count = positions.len();
        let rows = array(positions.into_iter().map(|position| world.record_at(position)));
        SimResponse::json_text(StatusCode::OK, page(&rows, count, None))
    }
}

/// Formats a page with these rows. It contains no cursor.
pub(super) fn page(rows: &str, _count: usize, _next: Option<&str>) -> String {
    format!("{{\"items\":{rows}}}")
}

/// Returns the position at which the page after `previous_id` starts, whether that account exists or not.
pub(crate) fn start(world: &World, id: &str, inclusive: bool) -> usize {
    let key = SortKey::by_id(Id::from_uuid(id));
    if inclusive { world.lower_bound(&key) } else { world.upper_bound(&key) }
}

/// Parses `key1:ASC,key2:DESC`. The flag is true for descending.
fn parse_order(text: &str) -> Option<Vec<(Column, bool)>> {
    text.split(',')
        .map(|part| {
            let (key, direction) = part.split_once(':')?;
            let column = match key {
                "acct_id" => Column::Id,
                "name" => Column::Name,
                "created_at" => Column::Created,
                _ => return None,
            };
            match direction {
                "ASC" => Some((column, false)),
                "DESC" => Some((column, true)),
                _ => None,
            }
        })
        .collect()
}

/// Sorts all positions. Ties are sorted by id, ascending.
fn sort(world: &World, order: &[(Column, bool)]) -> Vec<usize> {
    let cells = |position: usize| -> Vec<Cell> {
        let record = world.record_at(position);
        let cell = |column: Column| match column {
            Column::Id => Cell::Text(world.id_at(position).unwrap_or_default()),
            Column::Name => record["name"].as_str().map_or(Cell::Null, |name| Cell::Text(name.to_owned())),
            Column::Created => record["created_at"].as_i64().map_or(Cell::Null, Cell::Number),
        };
        order.iter().map(|(column, _)| cell(*column)).collect()
    };
    let mut rows: Vec<(Vec<Cell>, usize)> = (0..world.len()).map(|at| (cells(at), at)).collect();
    rows.sort_by(|one, two| {
        let columns = order.iter().zip(one.0.iter().zip(&two.0));
        let orderings = columns.map(
            |((_, descending), (one, two))| {
                if *descending { two.cmp(one) } else { one.cmp(two) }
            },
        );
        orderings.fold(Ordering::Equal, Ordering::then).then(one.1.cmp(&two.1))
    });
    rows.into_iter().map(|(_, position)| position).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use bytes::Bytes;
    use serde_json::Value;

    use super::{Column, parse_order};
    use crate::fortanix::accounts::Accounts;
    use crate::fortanix::routes::FortanixState;
    use crate::fortanix::sessions::Sessions;
    use crate::fortanix::{FortanixBuilder, FortanixPaging, FortanixUnknownId, Rules};
    use crate::message::SimRequest;
    use crate::pipeline::lock;
    use crate::world::World;

    fn state(paging: FortanixPaging) -> FortanixState {
        FortanixState {
            world: Arc::new(Mutex::new(World::new(Arc::new(Accounts::new(5)), 10, false))),
            sessions: Mutex::new(Sessions::new(5, Duration::ZERO, Duration::ZERO)),
            rules: Rules { paging, ..FortanixBuilder::default().rules() },
            views: Mutex::default(),
            email: String::new(),
            password: String::new(),
            idp_id: String::new(),
            seed: 5,
        }
    }

    /// Returns the accounts of a page as positions in the default order.
    fn page(state: &FortanixState, query: &str) -> Result<Vec<usize>, String> {
        let request =
            http::Request::builder().uri(format!("/v1/accounts?{query}")).body(()).expect("a request");
        let request = SimRequest::new(&request.into_parts().0, "", Bytes::new());
        let response = state.list(&request).map_err(|error| format!("{error:?}"))?;
        let body: Value = serde_json::from_slice(&response.body).expect("JSON");
        let items = body["items"].as_array().expect("an array").iter();
        let ids = items.map(|item| item["acct_id"].as_str().unwrap_or_default().to_owned());
        let world = lock(&state.world);
        Ok(ids.map(|id| world.find(&id).expect("an account")).collect())
    }

    fn id(state: &FortanixState, position: usize) -> String {
        lock(&state.world).ids()[position].clone()
    }

    #[test]
    fn page_starts_after_or_at_previous_id() {
        let after = state(FortanixPaging::After);
        let fifth = id(&after, 4);
        assert_eq!(page(&after, "limit=3"), Ok(vec![0, 1, 2]));
        assert_eq!(page(&after, &format!("limit=3&previous_id={fifth}")), Ok(vec![5, 6, 7]));
        let upper = fifth.to_uppercase();
        assert_eq!(page(&after, &format!("limit=3&previous_id={upper}")), Ok(vec![5, 6, 7]));
        let down = format!("limit=3&previous_id={fifth}&sort_by=acct_id:DESC");
        assert_eq!(page(&after, &down), Ok(vec![3, 2, 1]));
        let at = state(FortanixPaging::At);
        assert_eq!(page(&at, &format!("limit=3&previous_id={fifth}")), Ok(vec![4, 5, 6]));
        assert_eq!(page(&at, &down), Ok(vec![4, 3, 2]));
    }

    #[test]
    fn deleted_previous_id_keeps_its_position() {
        for paging in [FortanixPaging::After, FortanixPaging::At] {
            let state = state(paging);
            let fifth = id(&state, 4);
            lock(&state.world).remove(&fifth);
            // The former sixth account is now the fifth.
            assert_eq!(page(&state, &format!("limit=2&previous_id={fifth}")), Ok(vec![4, 5]));
            let down = format!("limit=2&sort_by=acct_id:DESC&previous_id={fifth}");
            assert_eq!(page(&state, &down), Ok(vec![3, 2]));
            assert!(page(&state, &format!("sort_by=name:ASC&previous_id={fifth}")).is_err());
        }
    }

    #[test]
    fn unknown_previous_id() {
        for (unknown_id, expected) in [
            (FortanixUnknownId::Keyset, Ok(vec![4, 5])),
            (FortanixUnknownId::BadRequest, Err("BadQuery(\"previous_id is not an account\")".to_owned())),
            (FortanixUnknownId::NotFound, Err("NotFound".to_owned())),
            (FortanixUnknownId::Empty, Ok(Vec::new())),
            (FortanixUnknownId::StartOver, Ok(vec![0, 1])),
        ] {
            let mut state = state(FortanixPaging::After);
            state.rules.unknown_id = unknown_id;
            let (fourth, fifth) = (id(&state, 3), id(&state, 4));
            lock(&state.world).remove(&fifth);
            assert_eq!(page(&state, &format!("limit=2&previous_id={fifth}")), expected, "{unknown_id:?}");
            assert_eq!(
                page(&state, &format!("limit=2&previous_id={fourth}")),
                Ok(vec![4, 5]),
                "{unknown_id:?}"
            );
        }
    }

    #[test]
    fn ignored_parameters_repeat_the_page() {
        let first = state(FortanixPaging::IgnoresPreviousId);
        let query = format!("limit=3&previous_id={}", id(&first, 4));
        assert_eq!(page(&first, &query), Ok(vec![0, 1, 2]));
        let all = state(FortanixPaging::IgnoresAll);
        assert_eq!(page(&all, &query), Ok((0..10).collect()));
        assert_eq!(page(&all, "limit=none&scope=MINE"), Ok((0..10).collect()));
    }

    #[test]
    fn malformed_parameters_are_rejected() {
        let state = state(FortanixPaging::After);
        for query in [
            "limit=0",
            "limit=-1",
            "limit=",
            "previous_id=x",
            "scope=user",
            "sort_by=name",
            "sort_by=roles:ASC",
        ] {
            assert!(page(&state, query).is_err(), "{query}");
        }
        assert!(page(&state, "scope=SYSTEM&limit=1&sort_by=created_at:DESC,name:ASC&other=1").is_ok());
    }

    #[test]
    fn parse_order_of_known_keys() {
        assert_eq!(
            parse_order("name:DESC,acct_id:ASC"),
            Some(vec![(Column::Name, true), (Column::Id, false)])
        );
        for invalid in ["", "name", "name:asc", "status:ASC", "acct_id:ASC,", "acct_id: ASC"] {
            assert_eq!(parse_order(invalid), None, "{invalid}");
        }
    }
}
