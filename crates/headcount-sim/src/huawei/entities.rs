//! `GET /v1/organizations/entities`.

use serde_json::{Value, json};

use super::body::bad;
use super::refusal::Refusal;
use super::routes::Organization;
use crate::exchange::{Incoming, Reply};
use crate::gate::lock;
use crate::world::World;

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
