//! The accounts that a server has.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::key::{Id, Key};
use super::seed;

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

#[cfg(test)]
#[path = "world_tests.rs"]
mod tests;
