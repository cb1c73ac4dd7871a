//! The accounts of a server.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::rng;

/// How many accounts `generate_at` generates to find one at the wanted position.
const MAX_ATTEMPTS: usize = 1000;

/// Generates a provider's records, and defines their ids and order.
pub(crate) trait RecordGenerator: Send + Sync + 'static {
    /// Returns the name of the id field.
    fn id_field(&self) -> &'static str;
    /// Returns the sort key of the generated account with this index. Must agree with its record.
    fn key(&self, index: u32) -> SortKey;
    /// Generates the account with this index, with all its fields.
    fn record(&self, index: u32) -> Value;
    /// Removes undocumented enum values, disallowed nulls and undocumented members from a generated record.
    fn strip_undocumented(&self, record: &mut Map<String, Value>);
    /// Formats an id as the provider does.
    fn format_id(&self, id: &[u8; 16]) -> String {
        hex::encode(id)
    }
    /// Parses an id.
    fn parse_id(&self, text: &str) -> Id {
        Id::from_hex(text)
    }
    /// Returns the primary sort key of an inserted record. Ties are sorted by id.
    fn rank(&self, record: &Value) -> i64 {
        let _ = record;
        0
    }
}

/// A provider's accounts, in the provider's default order.
///
/// A generated account is stored as its id and an index. Its record is generated each time it is served, and
/// is always the same. An inserted record is stored unchanged.
pub struct World {
    generator: Arc<dyn RecordGenerator>,
    documented_only: bool,
    entries: Vec<Entry>,
    next_index: u32,
    revision: u64,
}

struct Entry {
    key: SortKey,
    body: Body,
}

enum Body {
    Generated(u32),
    /// A record that a request created or changed.
    Stored(Box<Value>),
    /// A record that a test inserted or changed. It is served unchanged.
    Inserted(Box<Value>),
}

impl World {
    pub(crate) fn new(generator: Arc<dyn RecordGenerator>, accounts: usize, documented_only: bool) -> Self {
        let mut world = Self { generator, documented_only, entries: Vec::new(), next_index: 0, revision: 0 };
        world.grow(accounts);
        world
    }

    /// Returns the number of accounts.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether there are no accounts.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the ids of all accounts, in the provider's default order. Skips inserted records without an
    /// id.
    pub fn ids(&self) -> Vec<String> {
        self.entries.iter().filter_map(|entry| self.id_of(entry)).collect()
    }

    /// Returns all records with all their fields, in the provider's default order.
    pub fn records(&self) -> Vec<Value> {
        (0..self.len()).map(|position| self.record_at(position)).collect()
    }

    /// Returns the record with this id.
    pub fn record(&self, id: &str) -> Option<Value> {
        self.find(id).map(|position| self.record_at(position))
    }

    /// Returns whether there is an account with this id.
    pub fn contains(&self, id: &str) -> bool {
        self.find(id).is_some()
    }

    /// Inserts a record at its position in the default order. It is served unchanged.
    ///
    /// Replaces the record with the same id, if there is one. A record without an id, which may be any JSON,
    /// is served at an arbitrary position and cannot be addressed afterwards.
    pub fn insert(&mut self, record: Value) {
        self.put(record, Body::Inserted);
    }

    /// Inserts a record on behalf of a request, as [`insert`](Self::insert) does for a test.
    pub(crate) fn insert_from_request(&mut self, record: Value) {
        self.put(record, Body::Stored);
    }

    fn put(&mut self, record: Value, body: fn(Box<Value>) -> Body) {
        let id = record.get(self.generator.id_field()).and_then(Value::as_str);
        let key = if let Some(id) = id {
            let position = self.find(id);
            if let Some(position) = position {
                self.entries.remove(position);
            }
            SortKey { rank: self.generator.rank(&record), id: self.generator.parse_id(id) }
        } else {
            let id = rng::bytes(&mut rng::seeded(self.revision, 0));
            SortKey { rank: self.generator.rank(&record), id: Id::Hex(id) }
        };
        let position = self.upper_bound(&key);
        self.entries.insert(position, Entry { key, body: body(Box::new(record)) });
        self.revision += 1;
    }

    /// Updates the record with this id, and moves it if its sort key changes. Returns whether it exists.
    pub fn update(&mut self, id: &str, change: impl FnOnce(&mut Value)) -> bool {
        self.edit(id, change, Body::Inserted)
    }

    /// Updates a record on behalf of a request, as [`update`](Self::update) does for a test.
    pub(crate) fn update_from_request(&mut self, id: &str, change: impl FnOnce(&mut Value)) -> bool {
        let exact = self.find(id).is_some_and(|position| self.is_exact(position));
        self.edit(id, change, if exact { Body::Inserted } else { Body::Stored })
    }

    fn edit(&mut self, id: &str, change: impl FnOnce(&mut Value), body: fn(Box<Value>) -> Body) -> bool {
        let Some(position) = self.find(id) else {
            return false;
        };
        let mut record = self.record_at(position);
        change(&mut record);
        self.entries.remove(position);
        self.put(record, body);
        true
    }

    /// Removes the account with this id. Returns whether it existed.
    pub fn remove(&mut self, id: &str) -> bool {
        let Some(position) = self.find(id) else {
            return false;
        };
        self.entries.remove(position);
        self.revision += 1;
        true
    }

    /// Adds `n` generated accounts. Their ids (or dates) determine their positions. Returns their ids.
    pub fn generate(&mut self, n: usize) -> Vec<String> {
        let first = self.next_index;
        self.grow(n);
        (first..self.next_index)
            .map(|index| match self.generator.key(index).id {
                Id::Hex(id) => self.generator.format_id(&id),
                Id::Text(id) => id.into(),
            })
            .collect()
    }

    /// Removes the account at a position.
    pub(crate) fn remove_at(&mut self, position: usize) {
        if position < self.len() {
            self.entries.remove(position);
            self.revision += 1;
        }
    }

    /// Adds a generated account at a wanted position. Returns false if none of the next ones has such a
    /// position.
    pub(crate) fn generate_at(&mut self, wanted: impl Fn(usize) -> bool) -> bool {
        for _ in 0..MAX_ATTEMPTS {
            let index = self.next_index;
            self.next_index = index.saturating_add(1);
            let key = self.generator.key(index);
            let position = self.upper_bound(&key);
            if wanted(position) {
                let body = Body::Generated(index);
                self.entries.insert(position, Entry { key, body });
                self.revision += 1;
                return true;
            }
        }
        false
    }

    /// Returns the name of the id field.
    pub(crate) fn id_field(&self) -> &'static str {
        self.generator.id_field()
    }

    /// Returns the number of changes, which identifies a state of the accounts.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// Returns the record at a position.
    pub(crate) fn record_at(&self, position: usize) -> Value {
        match self.entries.get(position).map(|entry| &entry.body) {
            Some(Body::Generated(index)) => {
                let mut record = self.generator.record(*index);
                if self.documented_only
                    && let Some(members) = record.as_object_mut()
                {
                    self.generator.strip_undocumented(members);
                }
                record
            }
            Some(Body::Stored(record) | Body::Inserted(record)) => (**record).clone(),
            None => Value::Null,
        }
    }

    /// Returns whether a test inserted or changed the record at a position, so that it is served unchanged.
    pub(crate) fn is_exact(&self, position: usize) -> bool {
        self.entries.get(position).is_some_and(|entry| matches!(entry.body, Body::Inserted(_)))
    }

    /// Returns the sort key at a position.
    pub(crate) fn key_at(&self, position: usize) -> Option<&SortKey> {
        self.entries.get(position).map(|entry| &entry.key)
    }

    /// Returns the id at a position, formatted as the provider does.
    pub(crate) fn id_at(&self, position: usize) -> Option<String> {
        self.entries.get(position).and_then(|entry| self.id_of(entry))
    }

    /// Returns the position of the account with this id. Takes logarithmic time if the order is by id.
    pub(crate) fn find(&self, id: &str) -> Option<usize> {
        let id = self.generator.parse_id(id);
        let has_id = |entry: &Entry| entry.key.id == id && self.id_of(entry).is_some();
        let guess = self.lower_bound(&SortKey::by_id(id.clone()));
        if self.entries.get(guess).is_some_and(has_id) {
            return Some(guess);
        }
        self.entries.iter().position(has_id)
    }

    /// Returns the first position whose key is at least `key`.
    pub(crate) fn lower_bound(&self, key: &SortKey) -> usize {
        self.entries.partition_point(|entry| entry.key < *key)
    }

    /// Returns the first position whose key is greater than `key`.
    pub(crate) fn upper_bound(&self, key: &SortKey) -> usize {
        self.entries.partition_point(|entry| entry.key <= *key)
    }

    fn id_of(&self, entry: &Entry) -> Option<String> {
        match (&entry.body, &entry.key.id) {
            (Body::Stored(record) | Body::Inserted(record), _) => {
                record.get(self.generator.id_field()).and_then(Value::as_str).map(str::to_owned)
            }
            (Body::Generated(_), Id::Hex(id)) => Some(self.generator.format_id(id)),
            (Body::Generated(_), Id::Text(id)) => Some(id.to_string()),
        }
    }

    fn grow(&mut self, n: usize) {
        let end = self.next_index.saturating_add(u32::try_from(n).unwrap_or(u32::MAX));
        let generator = Arc::clone(&self.generator);
        let new = (self.next_index..end)
            .map(|index| Entry { key: generator.key(index), body: Body::Generated(index) });
        self.entries.extend(new);
        self.entries.sort_by(|one, two| one.key.cmp(&two.key));
        self.next_index = end;
        self.revision += 1;
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("accounts", &self.len()).finish_non_exhaustive()
    }
}

/// An account's id. Stored as 16 bytes if it has the provider's format, to save memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Id {
    /// 32 hexadecimal digits, or a UUID.
    Hex([u8; 16]),
    /// Any other text: the id of a record that a test inserted.
    Text(Box<str>),
}

impl Id {
    /// Parses 32 lower-case hexadecimal digits as `Hex`, and any other text as `Text`.
    pub(crate) fn from_hex(text: &str) -> Self {
        let mut bytes = [0; 16];
        let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        if lower && hex::decode_to_slice(text, &mut bytes).is_ok() {
            return Self::Hex(bytes);
        }
        Self::Text(text.into())
    }

    /// Returns a hash of the id.
    pub(crate) fn hash(&self) -> u64 {
        let fold = |sum: u64, byte: &u8| rng::mix(sum ^ u64::from(*byte));
        match self {
            Self::Hex(bytes) => bytes.iter().fold(0, fold),
            Self::Text(text) => text.as_bytes().iter().fold(1, fold),
        }
    }

    /// Parses a UUID in any format as `Hex`, and any other text as `Text`.
    pub(crate) fn from_uuid(text: &str) -> Self {
        uuid::Uuid::try_parse(text).map_or_else(|_| Self::Text(text.into()), |id| Self::Hex(id.into_bytes()))
    }
}

impl Ord for Id {
    /// Compares the ids as lower-case text. For hexadecimal digits, that is the order of the bytes.
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

/// The sort key of the default order: by rank, then by id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SortKey {
    /// Zero if the order is by id.
    pub(crate) rank: i64,
    pub(crate) id: Id,
}

impl SortKey {
    pub(crate) fn by_id(id: Id) -> Self {
        Self { rank: 0, id }
    }
}

#[cfg(test)]
mod world_tests {
    use serde_json::json;

    use super::*;

    /// Generates records that are sorted by `rank`, then by id.
    struct Numbers;

    impl RecordGenerator for Numbers {
        fn id_field(&self) -> &'static str {
            "id"
        }

        fn key(&self, index: u32) -> SortKey {
            let mut id = [0; 16];
            id[..4].copy_from_slice(&crate::rng::mix(u64::from(index)).to_be_bytes()[..4]);
            SortKey { rank: i64::from(index % 7), id: Id::Hex(id) }
        }

        fn record(&self, index: u32) -> Value {
            let SortKey { rank, id } = self.key(index);
            let Id::Hex(id) = id else { return Value::Null };
            json!({"id": self.format_id(&id), "rank": rank})
        }

        fn strip_undocumented(&self, record: &mut Map<String, Value>) {
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
    fn generated_records_are_sorted() {
        let mut world = numbers(100);
        let added = world.generate(50);
        assert_eq!((world.len(), added.len()), (150, 50));
        assert!(is_ordered(&world));
        assert!(added.iter().all(|id| world.contains(id)));
        let ids: Vec<Value> = world.records().into_iter().map(|record| record["id"].clone()).collect();
        assert_eq!(json!(ids), json!(world.ids()));
    }

    #[test]
    fn insert_sorts_and_replaces() {
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
    fn record_without_id_is_served() {
        let mut world = numbers(5);
        world.insert(json!({"rank": 2}));
        world.insert(json!("not an object"));
        world.insert(json!({"id": 17}));
        assert_eq!((world.len(), world.ids().len()), (8, 5));
        assert!(world.records().contains(&json!("not an object")));
        assert!(is_ordered(&world));
    }

    #[test]
    fn remove_only_existing() {
        let mut world = numbers(3);
        let ids = world.ids();
        assert!(world.remove(&ids[1]));
        assert!(!world.remove(&ids[1]));
        assert!(!world.remove("nobody"));
        assert_eq!(world.ids(), [ids[0].clone(), ids[2].clone()]);
    }

    #[test]
    fn generate_at_wanted_position() {
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
    fn documented_only_keeps_test_records() {
        let mut world = World::new(Arc::new(Numbers), 3, true);
        let ids = world.ids();
        world.update(&ids[0], |record| record["documented"] = json!("set by the test"));
        assert!(world.update_from_request(&ids[0], |record| record["changed"] = json!(true)));
        assert!(world.update_from_request(&ids[1], |record| record["changed"] = json!(true)));
        world.insert(json!({"id": "own"}));
        assert_eq!(world.record(&ids[0]).unwrap()["documented"], "set by the test");
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
    fn ids_sort_as_text() {
        let mut texts =
            ["zeta", "0f", "ffffffffffffffffffffffffffffffff", "a0000000000000000000000000000000", "a1"];
        let mut ids: Vec<Id> = texts.iter().map(|text| Id::from_hex(text)).collect();
        texts.sort_unstable();
        ids.sort_unstable();
        let sorted: Vec<Id> = texts.iter().map(|text| Id::from_hex(text)).collect();
        assert_eq!(ids, sorted);
    }

    #[test]
    fn upper_case_hex_is_text() {
        assert!(matches!(Id::from_hex("A0000000000000000000000000000000"), Id::Text(_)));
        assert_eq!(
            Id::from_uuid("5E2B9F3A-4B1E-4C7E-9D55-0C1F7F4F0A01"),
            Id::from_uuid("5e2b9f3a-4b1e-4c7e-9d55-0c1f7f4f0a01")
        );
    }
}
