//! The accounts that a server has.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::seed;

/// How many accounts are thought up to find one that falls where it is wanted.
const TRIES: usize = 1000;

/// How a provider's records are made and told apart.
pub(crate) trait Recipe: Send + Sync + 'static {
    /// The name of the field that holds the id.
    fn id_field(&self) -> &'static str;
    /// The key of the generated account with this index; must be what its record says.
    fn key(&self, index: u32) -> Key;
    /// The generated account with this index, in full.
    fn record(&self, index: u32) -> Value;
    /// Takes out of a generated record what the vendor's reference does not have: unknown words, nulls that are
    /// not allowed, members that are not announced.
    fn document(&self, record: &mut Map<String, Value>);
    /// How the provider writes an id.
    fn id_text(&self, id: &[u8; 16]) -> String {
        hex::encode(id)
    }
    /// The id that a text means.
    fn parse_id(&self, text: &str) -> Id {
        Id::from_hex(text)
    }
    /// Where an inserted record stands before its id is looked at.
    fn rank(&self, record: &Value) -> i64 {
        let _ = record;
        0
    }
}

/// A provider's accounts, in the provider's default order.
///
/// A generated account is held as its id and an index: its record is made anew, always the same, each time
/// it is served. A record that was put in is held as it is.
pub struct World {
    recipe: Arc<dyn Recipe>,
    documented_only: bool,
    entries: Vec<Entry>,
    next: u32,
    revision: u64,
}

struct Entry {
    key: Key,
    body: Body,
}

enum Body {
    Generated(u32),
    /// A generated one that the provider has changed since, or one that it has made.
    Changed(Box<Value>),
    /// One that a test has put in or changed.
    Inserted(Box<Value>),
}

impl World {
    pub(crate) fn new(recipe: Arc<dyn Recipe>, accounts: usize, documented_only: bool) -> Self {
        let mut world = Self { recipe, documented_only, entries: Vec::new(), next: 0, revision: 0 };
        world.grow(accounts);
        world
    }

    /// How many accounts there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The ids of all accounts, in the provider's default order. Inserted records without an id have none.
    pub fn ids(&self) -> Vec<String> {
        self.entries.iter().filter_map(|entry| self.id_of(entry)).collect()
    }

    /// All records in the provider's default order, as full as the server would ever tell.
    pub fn records(&self) -> Vec<Value> {
        (0..self.len()).map(|position| self.at(position)).collect()
    }

    /// The record with this id.
    pub fn record(&self, id: &str) -> Option<Value> {
        self.find(id).map(|position| self.at(position))
    }

    /// True when there is an account with this id.
    pub fn contains(&self, id: &str) -> bool {
        self.find(id).is_some()
    }

    /// Puts a record in at its place in the default order, and serves it exactly as it is.
    ///
    /// A record whose id is there already replaces that one. A record without an id (any JSON will do) is
    /// served too, at a place of its own, but nothing can name it afterwards.
    pub fn insert(&mut self, record: Value) {
        self.put(record, Body::Inserted);
    }

    /// As [`insert`](Self::insert), for a record that the provider makes.
    pub(crate) fn make(&mut self, record: Value) {
        self.put(record, Body::Changed);
    }

    fn put(&mut self, record: Value, body: fn(Box<Value>) -> Body) {
        let id = record.get(self.recipe.id_field()).and_then(Value::as_str);
        let key = if let Some(id) = id {
            let position = self.find(id);
            if let Some(position) = position {
                self.entries.remove(position);
            }
            Key { rank: self.recipe.rank(&record), id: self.recipe.parse_id(id) }
        } else {
            let place = seed::bytes(&mut seed::rng(self.revision, 0));
            Key { rank: self.recipe.rank(&record), id: Id::Hex(place) }
        };
        let position = self.after(&key);
        self.entries.insert(position, Entry { key, body: body(Box::new(record)) });
        self.revision += 1;
    }

    /// Changes a record; it moves if its place in the order changes. False when there is none with this id.
    pub fn update(&mut self, id: &str, change: impl FnOnce(&mut Value)) -> bool {
        self.edit(id, change, Body::Inserted)
    }

    /// As [`update`](Self::update), for a change that the provider makes.
    pub(crate) fn change(&mut self, id: &str, change: impl FnOnce(&mut Value)) -> bool {
        let exact = self.find(id).is_some_and(|position| self.is_exact(position));
        self.edit(id, change, if exact { Body::Inserted } else { Body::Changed })
    }

    fn edit(&mut self, id: &str, change: impl FnOnce(&mut Value), body: fn(Box<Value>) -> Body) -> bool {
        let Some(position) = self.find(id) else {
            return false;
        };
        let mut record = self.at(position);
        change(&mut record);
        self.entries.remove(position);
        self.put(record, body);
        true
    }

    /// Takes the account with this id away. False when there is none.
    pub fn remove(&mut self, id: &str) -> bool {
        let Some(position) = self.find(id) else {
            return false;
        };
        self.entries.remove(position);
        self.revision += 1;
        true
    }

    /// Adds `n` new generated accounts, wherever their ids (or dates) fall in the default order, and gives
    /// their ids.
    pub fn generate(&mut self, n: usize) -> Vec<String> {
        let first = self.next;
        self.grow(n);
        (first..self.next)
            .map(|index| match self.recipe.key(index).id {
                Id::Hex(id) => self.recipe.id_text(&id),
                Id::Text(id) => id.into(),
            })
            .collect()
    }

    /// Takes the account at a position away.
    pub(crate) fn remove_at(&mut self, position: usize) {
        if position < self.len() {
            self.entries.remove(position);
            self.revision += 1;
        }
    }

    /// Adds a new generated account at a position that is wanted, given that one of the next few falls there.
    pub(crate) fn generate_at(&mut self, wanted: impl Fn(usize) -> bool) -> bool {
        for _ in 0..TRIES {
            let index = self.next;
            self.next = index.saturating_add(1);
            let key = self.recipe.key(index);
            let position = self.after(&key);
            if wanted(position) {
                let body = Body::Generated(index);
                self.entries.insert(position, Entry { key, body });
                self.revision += 1;
                return true;
            }
        }
        false
    }

    /// The name of the field that holds an id.
    pub(crate) fn id_field(&self) -> &'static str {
        self.recipe.id_field()
    }

    /// Counts the changes, so that what was worked out from an older state can be told.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// The record at a position.
    pub(crate) fn at(&self, position: usize) -> Value {
        match self.entries.get(position).map(|entry| &entry.body) {
            Some(Body::Generated(index)) => {
                let mut record = self.recipe.record(*index);
                if self.documented_only
                    && let Some(members) = record.as_object_mut()
                {
                    self.recipe.document(members);
                }
                record
            }
            Some(Body::Changed(record) | Body::Inserted(record)) => (**record).clone(),
            None => Value::Null,
        }
    }

    /// Whether the record at a position is a test's own, and so is served exactly as it is.
    pub(crate) fn is_exact(&self, position: usize) -> bool {
        self.entries.get(position).is_some_and(|entry| matches!(entry.body, Body::Inserted(_)))
    }

    /// The key at a position.
    pub(crate) fn key_at(&self, position: usize) -> Option<&Key> {
        self.entries.get(position).map(|entry| &entry.key)
    }

    /// The id at a position, as the provider writes it.
    pub(crate) fn id_at(&self, position: usize) -> Option<String> {
        self.entries.get(position).and_then(|entry| self.id_of(entry))
    }

    /// The position of the account with this id. Logarithmic where the id gives the order.
    pub(crate) fn find(&self, id: &str) -> Option<usize> {
        let id = self.recipe.parse_id(id);
        let named = |entry: &Entry| entry.key.id == id && self.id_of(entry).is_some();
        let guess = self.at_or_after(&Key::by_id(id.clone()));
        if self.entries.get(guess).is_some_and(named) {
            return Some(guess);
        }
        self.entries.iter().position(named)
    }

    /// The first position whose key is not before `key`.
    pub(crate) fn at_or_after(&self, key: &Key) -> usize {
        self.entries.partition_point(|entry| entry.key < *key)
    }

    /// The first position whose key is behind `key`.
    pub(crate) fn after(&self, key: &Key) -> usize {
        self.entries.partition_point(|entry| entry.key <= *key)
    }

    fn id_of(&self, entry: &Entry) -> Option<String> {
        match (&entry.body, &entry.key.id) {
            (Body::Changed(record) | Body::Inserted(record), _) => {
                record.get(self.recipe.id_field()).and_then(Value::as_str).map(str::to_owned)
            }
            (Body::Generated(_), Id::Hex(id)) => Some(self.recipe.id_text(id)),
            (Body::Generated(_), Id::Text(id)) => Some(id.to_string()),
        }
    }

    fn grow(&mut self, n: usize) {
        let end = self.next.saturating_add(u32::try_from(n).unwrap_or(u32::MAX));
        let recipe = Arc::clone(&self.recipe);
        let new =
            (self.next..end).map(|index| Entry { key: recipe.key(index), body: Body::Generated(index) });
        self.entries.extend(new);
        self.entries.sort_by(|one, two| one.key.cmp(&two.key));
        self.next = end;
        self.revision += 1;
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("accounts", &self.len()).finish_non_exhaustive()
    }
}

/// An account's id, sixteen bytes when it looks like the provider's own.
///
/// A world of a million accounts keeps a million of these, so ids are not kept as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Id {
    /// Thirty-two hexadecimal digits, or a UUID.
    Hex([u8; 16]),
    /// Anything else: the id of a record that a test has put in.
    Text(Box<str>),
}

impl Id {
    /// An id of exactly thirty-two lower-case hexadecimal digits becomes `Hex`, any other `Text`.
    pub(crate) fn from_hex(text: &str) -> Self {
        let mut bytes = [0; 16];
        let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        if lower && hex::decode_to_slice(text, &mut bytes).is_ok() {
            return Self::Hex(bytes);
        }
        Self::Text(text.into())
    }

    /// A number that follows from the id and looks random.
    pub(crate) fn spread(&self) -> u64 {
        let fold = |sum: u64, byte: &u8| seed::mix(sum ^ u64::from(*byte));
        match self {
            Self::Hex(bytes) => bytes.iter().fold(0, fold),
            Self::Text(text) => text.as_bytes().iter().fold(1, fold),
        }
    }

    /// A UUID, however it is written, becomes `Hex`, anything else `Text`.
    pub(crate) fn from_uuid(text: &str) -> Self {
        uuid::Uuid::try_parse(text).map_or_else(|_| Self::Text(text.into()), |id| Self::Hex(id.into_bytes()))
    }
}

impl Ord for Id {
    /// The order of the ids as lower-case text: for hexadecimal digits that is the order of the bytes.
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Hex(one), Self::Hex(two)) => one.cmp(two),
            (Self::Text(one), Self::Text(two)) => one.cmp(two),
            (Self::Hex(one), Self::Text(two)) => hex::encode(one).as_str().cmp(two),
            (Self::Text(one), Self::Hex(two)) => (**one).cmp(hex::encode(two).as_str()),
        }
    }
}

impl PartialOrd for Id {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A place in the default order: by rank, then by id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// Zero where the id alone gives the order.
    pub(crate) rank: i64,
    pub(crate) id: Id,
}

impl Key {
    pub(crate) fn by_id(id: Id) -> Self {
        Self { rank: 0, id }
    }
}

#[cfg(test)]
mod world_tests {
    use serde_json::json;

    use super::*;

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
}

#[cfg(test)]
mod key_tests {
    use super::Id;

    #[test]
    fn ids_of_both_kinds_sort_as_their_text() {
        let mut texts =
            ["zeta", "0f", "ffffffffffffffffffffffffffffffff", "a0000000000000000000000000000000", "a1"];
        let mut ids: Vec<Id> = texts.iter().map(|text| Id::from_hex(text)).collect();
        texts.sort_unstable();
        ids.sort_unstable();
        let sorted: Vec<Id> = texts.iter().map(|text| Id::from_hex(text)).collect();
        assert_eq!(ids, sorted);
    }

    #[test]
    fn upper_case_hex_keeps_its_spelling() {
        assert!(matches!(Id::from_hex("A0000000000000000000000000000000"), Id::Text(_)));
        assert_eq!(
            Id::from_uuid("5E2B9F3A-4B1E-4C7E-9D55-0C1F7F4F0A01"),
            Id::from_uuid("5e2b9f3a-4b1e-4c7e-9d55-0c1f7f4f0a01")
        );
    }
}
