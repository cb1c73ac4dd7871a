use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Recipe, World};
use crate::key::{Id, Key};

/// Records whose `rank` comes before their id in the order.
struct Numbers;

impl Recipe for Numbers {
    fn id_field(&self) -> &'static str {
        "id"
    }

    fn key(&self, index: u32) -> Key {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&crate::seed::mix(u64::from(index)).to_be_bytes()[..4]);
        Key { rank: i64::from(index % 7), id: Id::Hex(id) }
    }

    fn record(&self, index: u32) -> Value {
        let Key { rank, id } = self.key(index);
        let Id::Hex(id) = id else { return Value::Null };
        json!({"id": self.id_text(&id), "rank": rank})
    }

    fn document(&self, record: &mut Map<String, Value>) {
        record.insert("documented".to_owned(), json!(true));
    }

    fn rank(&self, record: &Value) -> i64 {
        record["rank"].as_i64().unwrap_or(i64::MAX)
    }
}

fn numbers(accounts: usize) -> World {
    World::new(Arc::new(Numbers), accounts, false)
}

fn is_ordered(world: &World) -> bool {
    (1..world.len()).all(|at| world.key_at(at - 1) < world.key_at(at))
}

#[test]
fn generated_records_are_in_order_and_are_what_their_keys_say() {
    let mut world = numbers(100);
    let added = world.generate(50);
    assert_eq!((world.len(), added.len()), (150, 50));
    assert!(is_ordered(&world));
    assert!(added.iter().all(|id| world.contains(id)));
    let ids: Vec<Value> = world.records().into_iter().map(|record| record["id"].clone()).collect();
    assert_eq!(json!(ids), json!(world.ids()));
}

#[test]
fn inserted_records_go_to_their_place_and_replace_their_like() {
    let mut world = numbers(20);
    let before = world.revision();
    world.insert(json!({"id": "new", "rank": 3, "odd": [1]}));
    assert!(is_ordered(&world) && world.revision() > before);
    assert_eq!(world.record("new"), Some(json!({"id": "new", "rank": 3, "odd": [1]})));
    world.insert(json!({"id": "new", "rank": -1}));
    assert_eq!(world.len(), 21);
    assert_eq!(world.ids()[0], "new");
    let old = world.ids()[9].clone();
    assert!(world.update(&old, |record| record["rank"] = json!(99)));
    assert_eq!(world.ids().last(), Some(&old));
    assert!(is_ordered(&world));
}

#[test]
fn a_record_without_an_id_is_served_and_cannot_be_named() {
    let mut world = numbers(5);
    world.insert(json!({"rank": 2}));
    world.insert(json!("no object"));
    world.insert(json!({"id": 17}));
    assert_eq!((world.len(), world.ids().len()), (8, 5));
    assert!(world.records().contains(&json!("no object")));
    assert!(is_ordered(&world));
}

#[test]
fn removing_takes_only_what_is_there() {
    let mut world = numbers(3);
    let ids = world.ids();
    assert!(world.remove(&ids[1]));
    assert!(!world.remove(&ids[1]));
    assert!(!world.remove("nobody"));
    assert_eq!(world.ids(), [ids[0].clone(), ids[2].clone()]);
}

#[test]
fn accounts_are_generated_where_they_are_wanted() {
    let mut world = numbers(50);
    let before = world.ids();
    assert!(world.generate_at(|position| position < 10));
    assert!(world.generate_at(|position| position >= 40));
    assert!(!world.generate_at(|_| false));
    assert!(is_ordered(&world));
    let after = world.ids();
    let new: Vec<usize> = (0..after.len()).filter(|at| !before.contains(&after[*at])).collect();
    assert!(new.len() == 2 && new[0] < 10 && new[1] >= 40, "{new:?}");
    world.remove_at(new[1]);
    world.remove_at(new[0]);
    world.remove_at(99);
    assert_eq!(world.ids(), before);
}

#[test]
fn only_records_of_a_test_are_not_documented() {
    let mut world = World::new(Arc::new(Numbers), 3, true);
    let ids = world.ids();
    world.update(&ids[0], |record| record["documented"] = json!("as a test wants it"));
    assert!(world.change(&ids[0], |record| record["changed"] = json!(true)));
    assert!(world.change(&ids[1], |record| record["changed"] = json!(true)));
    world.insert(json!({"id": "own"}));
    assert_eq!(world.record(&ids[0]).unwrap()["documented"], "as a test wants it");
    assert_eq!(world.record(&ids[1]).unwrap()["documented"], true);
    assert_eq!(world.record(&ids[2]).unwrap()["documented"], true);
    assert_eq!(world.record("own"), Some(json!({"id": "own"})));
    let exact = ids.iter().map(String::as_str).chain(["own"]);
    let exact: Vec<bool> = exact.map(|id| world.is_exact(world.find(id).unwrap())).collect();
    assert_eq!(exact, [true, false, false, true]);
}
