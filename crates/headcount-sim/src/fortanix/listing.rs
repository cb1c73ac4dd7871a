//! `GET /v1/accounts`.

use std::cmp::Ordering;

use http::StatusCode;

use super::refusal::Refusal;
use super::routes::Manager;
use super::{FortanixPaging, FortanixUnknownId};
use crate::exchange::{Incoming, Reply};
use crate::gate::lock;
use crate::page::{array, page_of};
use crate::world::{Id, Key, World};

/// A listing as it was asked for.
#[derive(Debug)]
struct Asked {
    limit: usize,
    previous: Option<String>,
    order: Vec<(Column, bool)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Id,
    Name,
    Created,
}

/// What a column holds; null sorts before anything else (assumption).
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cell {
    Null,
    Number(i64),
    Text(String),
}

impl Manager {
    pub(crate) fn list(&self, incoming: &Incoming) -> Result<Reply, Refusal> {
        let world = lock(&self.world);
        if self.rules.paging == FortanixPaging::IgnoresAll {
            return Ok(self.items(&world, (0..world.len()).collect()));
        }
        let mut asked = self.asked(incoming)?;
        if self.rules.paging == FortanixPaging::IgnoresPreviousId {
            asked.previous = None;
        }
        if asked.previous.as_ref().is_some_and(|id| world.find(id).is_none()) {
            match self.rules.unknown_id {
                FortanixUnknownId::Keyset => {}
                FortanixUnknownId::BadRequest => {
                    return Err(Refusal::BadQuery("previous_id is not an account".to_owned()));
                }
                FortanixUnknownId::NotFound => return Err(Refusal::NotFound),
                FortanixUnknownId::Empty => return Ok(self.items(&world, Vec::new())),
                FortanixUnknownId::StartOver => asked.previous = None,
            }
        }
        let inclusive = self.rules.paging == FortanixPaging::At;
        let page =
            |rows: &mut dyn Iterator<Item = usize>| page_of(rows, asked.limit, &incoming.tweak).positions;
        let positions = match asked.order.first() {
            None | Some((Column::Id, false)) => {
                let start = asked.previous.map_or(0, |id| start(&world, &id, inclusive));
                page(&mut (start..world.len()))
            }
            Some((Column::Id, true)) => {
                let end = asked.previous.map_or(world.len(), |id| start(&world, &id, !inclusive));
                page(&mut (0..end).rev())
            }
            Some(_) => page(&mut self.sorted(&world, &asked, inclusive)?.into_iter()),
        };
        Ok(self.items(&world, positions))
    }

    /// What a page begins with and what follows it, in an order that the ids do not give.
    fn sorted(&self, world: &World, asked: &Asked, inclusive: bool) -> Result<Vec<usize>, Refusal> {
        let what = format!("{:?}", asked.order);
        let view = lock(&self.views).view(world.revision(), &what, || sort(world, &asked.order));
        let start = match &asked.previous {
            None => 0,
            Some(id) => {
                let position = world.find(id);
                let place = view.iter().position(|at| Some(*at) == position);
                let place = place.ok_or_else(|| {
                    Refusal::BadQuery("previous_id is not an account, so its place is unknown".to_owned())
                })?;
                if inclusive { place } else { place + 1 }
            }
        };
        Ok(view.iter().skip(start).copied().collect())
    }

    fn asked(&self, incoming: &Incoming) -> Result<Asked, Refusal> {
        let bad = |name: &str, value: &str| Refusal::BadQuery(format!("Invalid {name}: {value}"));
        if let Some(scope) = incoming.value("scope")
            && !matches!(scope, "USER" | "SYSTEM")
        {
            return Err(bad("scope", scope));
        }
        let limit = match incoming.value("limit") {
            None => self.rules.default_limit,
            Some(text) => {
                let limit = text.parse::<usize>().ok().filter(|limit| *limit > 0);
                limit.ok_or_else(|| bad("limit", text))?
            }
        };
        let previous = match incoming.value("previous_id") {
            None => None,
            Some(text) if uuid::Uuid::try_parse(text).is_ok() => Some(text.to_owned()),
            Some(text) => return Err(bad("previous_id", text)),
        };
        let order = match incoming.value("sort_by") {
            None => Vec::new(),
            Some(text) => order(text).ok_or_else(|| bad("sort_by", text))?,
        };
        Ok(Asked { limit: limit.min(self.rules.max_limit), previous, order })
    }

    fn items(&self, world: &World, positions: Vec<usize>) -> Reply {
        if positions.is_empty() && self.rules.omit_empty_items {
            return Reply::json_text(StatusCode::OK, "{}".to_owned());
        }
        let count = positions.len();
        let rows = array(positions.into_iter().map(|position| world.at(position)));
        Reply::json_text(StatusCode::OK, page(&rows, count, None))
    }
}

/// A page with these rows; nothing in it leads on.
pub(super) fn page(rows: &str, _count: usize, _next: Option<&str>) -> String {
    format!("{{\"items\":{rows}}}")
}

/// Where a page starts by its `previous_id`, there or not.
pub(crate) fn start(world: &World, id: &str, inclusive: bool) -> usize {
    let key = Key::by_id(Id::from_uuid(id));
    if inclusive { world.at_or_after(&key) } else { world.after(&key) }
}

/// `key1:ASC,key2:DESC`; true is descending.
fn order(text: &str) -> Option<Vec<(Column, bool)>> {
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

/// All positions in this order; ties by id, ascending.
fn sort(world: &World, order: &[(Column, bool)]) -> Vec<usize> {
    let cells = |position: usize| -> Vec<Cell> {
        let record = world.at(position);
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
        let differs = columns.map(
            |((_, descending), (one, two))| {
                if *descending { two.cmp(one) } else { one.cmp(two) }
            },
        );
        differs.fold(Ordering::Equal, Ordering::then).then(one.1.cmp(&two.1))
    });
    rows.into_iter().map(|(_, position)| position).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use bytes::Bytes;
    use serde_json::Value;

    use super::{Column, order};
    use crate::exchange::Incoming;
    use crate::fortanix::accounts::Accounts;
    use crate::fortanix::routes::Manager;
    use crate::fortanix::sessions::Sessions;
    use crate::fortanix::{FortanixBuilder, FortanixPaging, FortanixUnknownId, Rules};
    use crate::gate::lock;
    use crate::world::World;

    fn manager(paging: FortanixPaging) -> Manager {
        Manager {
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

    /// The ids of a page, by their places in the default order.
    fn page(manager: &Manager, query: &str) -> Result<Vec<usize>, String> {
        let request =
            http::Request::builder().uri(format!("/v1/accounts?{query}")).body(()).expect("a request");
        let incoming = Incoming::new(&request.into_parts().0, "", Bytes::new());
        let reply = manager.list(&incoming).map_err(|refusal| format!("{refusal:?}"))?;
        let body: Value = serde_json::from_slice(&reply.body).expect("JSON");
        let items = body["items"].as_array().expect("an array").iter();
        let ids = items.map(|item| item["acct_id"].as_str().unwrap_or_default().to_owned());
        let world = lock(&manager.world);
        Ok(ids.map(|id| world.find(&id).expect("an account")).collect())
    }

    fn id(manager: &Manager, place: usize) -> String {
        lock(&manager.world).ids()[place].clone()
    }

    #[test]
    fn a_page_starts_after_the_previous_id_or_at_it() {
        let after = manager(FortanixPaging::After);
        let fifth = id(&after, 4);
        assert_eq!(page(&after, "limit=3"), Ok(vec![0, 1, 2]));
        assert_eq!(page(&after, &format!("limit=3&previous_id={fifth}")), Ok(vec![5, 6, 7]));
        let upper = fifth.to_uppercase();
        assert_eq!(page(&after, &format!("limit=3&previous_id={upper}")), Ok(vec![5, 6, 7]));
        let down = format!("limit=3&previous_id={fifth}&sort_by=acct_id:DESC");
        assert_eq!(page(&after, &down), Ok(vec![3, 2, 1]));
        let at = manager(FortanixPaging::At);
        assert_eq!(page(&at, &format!("limit=3&previous_id={fifth}")), Ok(vec![4, 5, 6]));
        assert_eq!(page(&at, &down), Ok(vec![4, 3, 2]));
    }

    #[test]
    fn a_deleted_previous_id_keeps_its_place_in_the_order_of_ids() {
        for paging in [FortanixPaging::After, FortanixPaging::At] {
            let manager = manager(paging);
            let fifth = id(&manager, 4);
            lock(&manager.world).remove(&fifth);
            // What was the sixth is the fifth now.
            assert_eq!(page(&manager, &format!("limit=2&previous_id={fifth}")), Ok(vec![4, 5]));
            let down = format!("limit=2&sort_by=acct_id:DESC&previous_id={fifth}");
            assert_eq!(page(&manager, &down), Ok(vec![3, 2]));
            assert!(page(&manager, &format!("sort_by=name:ASC&previous_id={fifth}")).is_err());
        }
    }

    #[test]
    fn an_unknown_previous_id_is_answered_as_was_chosen() {
        for (unknown_id, expected) in [
            (FortanixUnknownId::Keyset, Ok(vec![4, 5])),
            (FortanixUnknownId::BadRequest, Err("BadQuery(\"previous_id is not an account\")".to_owned())),
            (FortanixUnknownId::NotFound, Err("NotFound".to_owned())),
            (FortanixUnknownId::Empty, Ok(Vec::new())),
            (FortanixUnknownId::StartOver, Ok(vec![0, 1])),
        ] {
            let mut manager = manager(FortanixPaging::After);
            manager.rules.unknown_id = unknown_id;
            let (fourth, fifth) = (id(&manager, 3), id(&manager, 4));
            lock(&manager.world).remove(&fifth);
            assert_eq!(page(&manager, &format!("limit=2&previous_id={fifth}")), expected, "{unknown_id:?}");
            assert_eq!(
                page(&manager, &format!("limit=2&previous_id={fourth}")),
                Ok(vec![4, 5]),
                "{unknown_id:?}"
            );
        }
    }

    #[test]
    fn servers_that_ignore_parameters_say_the_same_again() {
        let first = manager(FortanixPaging::IgnoresPreviousId);
        let query = format!("limit=3&previous_id={}", id(&first, 4));
        assert_eq!(page(&first, &query), Ok(vec![0, 1, 2]));
        let all = manager(FortanixPaging::IgnoresAll);
        assert_eq!(page(&all, &query), Ok((0..10).collect()));
        assert_eq!(page(&all, "limit=none&scope=MINE"), Ok((0..10).collect()));
    }

    #[test]
    fn malformed_parameters_are_refused() {
        let manager = manager(FortanixPaging::After);
        for query in [
            "limit=0",
            "limit=-1",
            "limit=",
            "previous_id=x",
            "scope=user",
            "sort_by=name",
            "sort_by=roles:ASC",
        ] {
            assert!(page(&manager, query).is_err(), "{query}");
        }
        assert!(page(&manager, "scope=SYSTEM&limit=1&sort_by=created_at:DESC,name:ASC&other=1").is_ok());
    }

    #[test]
    fn sort_by_knows_three_keys_and_upper_case_directions() {
        assert_eq!(order("name:DESC,acct_id:ASC"), Some(vec![(Column::Name, true), (Column::Id, false)]));
        for wrong in ["", "name", "name:asc", "status:ASC", "acct_id:ASC,", "acct_id: ASC"] {
            assert_eq!(order(wrong), None, "{wrong}");
        }
    }
}
