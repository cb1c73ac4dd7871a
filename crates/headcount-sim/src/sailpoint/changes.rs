//! Accounts made, changed and deleted.

use std::fmt;
use std::time::Duration;

use http::StatusCode;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::accounts::{Source, timestamp, told_by_source};
use super::body::{self, wrong};
use super::operation::{Api, may_provision};
use super::refusal::Refusal;
use super::routes::Tenant;
use crate::exchange::{Incoming, Reply};
use crate::gate::lock;
use crate::world::World;
use crate::{clock, seed};

const JSON_PATCH: &str = "application/json-patch+json";

impl Tenant {
    /// One account, in full.
    pub(crate) fn get(&self, id: &str, api: Api) -> Result<Reply, Refusal> {
        let world = lock(&self.world);
        let position = world.find(id).ok_or(Refusal::NotFound)?;
        Ok(Reply::json(StatusCode::OK, &self.told(&world, position, api)))
    }

    /// Makes an account, or changes the one that its attributes name.
    pub(crate) fn create(&self, incoming: &Incoming) -> Result<Reply, Refusal> {
        let mut attributes = body::attributes(body::object(incoming)?)?;
        let Some(Value::String(source)) = attributes.remove("sourceId") else {
            return Err(wrong("attributes.sourceId must be the id of a source"));
        };
        if let Some((name, _)) = attributes.iter().find(|(_, value)| !value.is_string()) {
            return Err(wrong(&format!("attributes.{name} must be text")));
        }
        let source = self.sources.find(&source).ok_or_else(|| wrong("there is no such source"))?;
        let existing = attributes.get("id").and_then(|id| same(&lock(&self.world), &source.id, id));
        let change: Change = if let Some(id) = existing {
            change(id, move |record| merge(record, attributes))
        } else {
            let made = made(&self.next_id(), source, attributes);
            Box::new(move |world| world.make(made))
        };
        Ok(self.accepted(change))
    }

    pub(crate) fn update(&self, incoming: &Incoming, id: &str) -> Result<Reply, Refusal> {
        let patches = Patch::parse(body::read(incoming, JSON_PATCH)?)?;
        let account = self.account(id)?;
        if !is_flat_file(&account) && patches.iter().any(Patch::is_of_attributes) {
            return Err(wrong("attributes can be modified for flat file accounts only"));
        }
        let mut changes = Vec::new();
        for patch in patches {
            let shown = match patch.identity() {
                Some(identity) => {
                    self.identity(identity).ok_or_else(|| wrong("there is no such identity"))?
                }
                None => Value::Null,
            };
            changes.push((patch, shown));
        }
        // All or none: tried on a copy first.
        apply(&mut account.clone(), &changes)?;
        let id = id.to_owned();
        // By the time it is made, the account may be another.
        self.begin(change(id, move |record| drop(apply(record, &changes))));
        Ok(Reply::json(StatusCode::ACCEPTED, &json!({})))
    }

    pub(crate) fn put(&self, incoming: &Incoming, id: &str) -> Result<Reply, Refusal> {
        let attributes = body::attributes(body::object(incoming)?)?;
        self.flat_file(id)?;
        let id = id.to_owned();
        Ok(self.accepted(change(id, move |record| record["attributes"] = Value::Object(attributes))))
    }

    pub(crate) fn delete(&self, id: &str) -> Result<Reply, Refusal> {
        self.flat_file(id)?;
        let id = id.to_owned();
        Ok(self.accepted(Box::new(move |world| {
            world.remove(&id);
        })))
    }

    /// Deletes an account of any source.
    pub(crate) fn remove(&self, id: &str) -> Result<Reply, Refusal> {
        self.account(id)?;
        let id = id.to_owned();
        let task = self.begin(Box::new(move |world| {
            world.remove(&id);
        }));
        let result = json!({"type": "TASK_RESULT", "id": task, "name": null});
        Ok(Reply::json(StatusCode::ACCEPTED, &result))
    }

    /// Enables, disables or unlocks: sets a flag.
    pub(crate) fn set_state(
        &self,
        incoming: &Incoming,
        id: &str,
        (name, value): (&'static str, bool),
    ) -> Result<Reply, Refusal> {
        let body = body::object(incoming)?;
        body::text(&body, "externalVerificationId")?;
        let forced = body::flag(&body, "forceProvisioning")?;
        if name == "locked" {
            body::flag(&body, "unlockIDNAccount")?;
            if forced && !may_provision(&self.rules.scopes) {
                return Err(Refusal::Forbidden);
            }
        }
        self.account(id)?;
        let id = id.to_owned();
        Ok(self.accepted(change(id, move |record| record[name] = json!(value))))
    }

    /// Reads an account anew from its source, where nothing has changed.
    pub(crate) fn reload(&self, id: &str) -> Result<Reply, Refusal> {
        self.account(id)?;
        Ok(self.accepted(Box::new(|_| ())))
    }

    /// The account with this id.
    pub(crate) fn account(&self, id: &str) -> Result<Value, Refusal> {
        lock(&self.world).record(id).ok_or(Refusal::NotFound)
    }

    fn flat_file(&self, id: &str) -> Result<(), Refusal> {
        if is_flat_file(&self.account(id)?) {
            return Ok(());
        }
        Err(wrong("this is supported for accounts of sources of the type DelimitedFile only"))
    }

    /// Begins a task, and says which.
    fn accepted(&self, change: Change) -> Reply {
        Reply::json(StatusCode::ACCEPTED, &json!({"id": self.begin(change)}))
    }

    fn next_id(&self) -> String {
        let number = lock(&self.tasks).next_number();
        seed::hex_id(&mut seed::rng(self.seed ^ 0xACC0, number))
    }
}

/// The change of an account that is there.
fn change(id: String, make: impl FnOnce(&mut Value) + Send + 'static) -> Change {
    Box::new(move |world| {
        change_now(world, &id, make);
    })
}

/// The same at once: the account shows when that was.
pub(super) fn change_now(world: &mut World, id: &str, make: impl FnOnce(&mut Value)) {
    world.change(id, |record| {
        make(record);
        record["modified"] = json!(now());
    });
}

fn now() -> String {
    timestamp(clock::now().timestamp_millis())
}

fn is_flat_file(account: &Value) -> bool {
    account["connectionType"] == "file"
}

/// The account on this source that an attribute names.
fn same(world: &World, source: &str, named: &Value) -> Option<String> {
    let is_same = |record: &Value| {
        record["sourceId"] == source && (record["nativeIdentity"] == *named || record["id"] == *named)
    };
    let record = world.records().into_iter().find(is_same)?;
    record["id"].as_str().map(str::to_owned)
}

fn merge(record: &mut Value, attributes: Map<String, Value>) {
    if !record["attributes"].is_object() {
        record["attributes"] = json!({});
    }
    if let Some(merged) = record["attributes"].as_object_mut() {
        merged.extend(attributes);
    }
}

fn made(id: &str, source: &Source, attributes: Map<String, Value>) -> Value {
    let told = |names: &[&str]| names.iter().find_map(|name| attributes.get(*name)).cloned();
    let native = told(&["id", "userName", "sAMAccountName"]).unwrap_or_else(|| json!(id));
    let now = now();
    let mut account = Map::new();
    let name = told(&["displayName", "userName"]).unwrap_or_else(|| native.clone());
    for (member, value) in [
        ("id", json!(id)),
        ("name", name),
        ("created", json!(now)),
        ("modified", json!(now)),
        ("nativeIdentity", native),
        ("uuid", Value::Null),
        ("description", Value::Null),
        ("disabled", json!(false)),
        ("locked", json!(false)),
        ("uncorrelated", json!(true)),
        ("manuallyCorrelated", json!(false)),
        ("hasEntitlements", json!(false)),
        ("origin", json!("PROVISIONED")),
    ] {
        account.insert(member.to_owned(), value);
    }
    told_by_source(&mut account, source);
    account.insert("attributes".to_owned(), Value::Object(attributes));
    Value::Object(account)
}

fn apply(record: &mut Value, changes: &[(Patch, Value)]) -> Result<(), Refusal> {
    let members = record.as_object_mut().ok_or_else(|| wrong("the account is no object"))?;
    changes.iter().try_for_each(|(patch, identity)| patch.apply(members, identity))
}

/// A change of an account.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Patch {
    op: Op,
    at: Place,
}

#[derive(Clone, Debug, PartialEq)]
enum Op {
    Add(Value),
    Replace(Value),
    Remove,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    IdentityId,
    ManuallyCorrelated,
    Attribute(String),
}

impl Patch {
    /// The operations of a body, which must be an array of them.
    pub(crate) fn parse(body: Value) -> Result<Vec<Self>, Refusal> {
        match body {
            Value::Array(operations) => {
                let mut patches: Vec<Self> =
                    operations.into_iter().map(Self::one).collect::<Result<_, _>>()?;
                // What is said of it counts, wherever it stands beside a new identity.
                patches.sort_by_key(|patch| patch.at == Place::ManuallyCorrelated);
                Ok(patches)
            }
            _ => Err(wrong("the body must be an array of operations")),
        }
    }

    fn one(operation: Value) -> Result<Self, Refusal> {
        let Value::Object(mut members) = operation else {
            return Err(wrong("an operation must be an object"));
        };
        let value = members.remove("value");
        let (Some(Value::String(op)), Some(Value::String(path))) = (members.get("op"), members.get("path"))
        else {
            return Err(wrong("an operation must have op and path"));
        };
        let op = match (op.as_str(), value) {
            ("add", Some(value)) => Op::Add(value),
            ("replace", Some(value)) => Op::Replace(value),
            ("remove", _) => Op::Remove,
            ("add" | "replace", None) => return Err(wrong("value is missing")),
            _ => return Err(wrong("op must be add, replace or remove")),
        };
        let at = match path.as_str() {
            "/identityId" => Place::IdentityId,
            "/manuallyCorrelated" => Place::ManuallyCorrelated,
            path => {
                let name = path.strip_prefix("/attributes/").and_then(unescape);
                Place::Attribute(name.ok_or_else(|| wrong("path can not be changed"))?)
            }
        };
        Ok(Self { op, at })
    }

    /// The identity that the account is to be correlated to.
    pub(crate) fn identity(&self) -> Option<&str> {
        match (&self.at, &self.op) {
            (Place::IdentityId, Op::Add(value) | Op::Replace(value)) => value.as_str(),
            _ => None,
        }
    }

    pub(crate) fn is_of_attributes(&self) -> bool {
        matches!(self.at, Place::Attribute(_))
    }

    /// Changes the record; `identity` is what accounts show of the identity that is named.
    pub(crate) fn apply(&self, record: &mut Map<String, Value>, identity: &Value) -> Result<(), Refusal> {
        match (&self.at, &self.op) {
            (Place::IdentityId, Op::Add(value) | Op::Replace(value)) => {
                if !value.is_string() {
                    return Err(wrong("identityId must be text"));
                }
                record.insert("identityId".to_owned(), value.clone());
                record.insert("identity".to_owned(), identity.clone());
                record.insert("uncorrelated".to_owned(), json!(false));
                record.insert("manuallyCorrelated".to_owned(), json!(true));
            }
            (Place::IdentityId, Op::Remove) => {
                record.remove("identityId").ok_or_else(|| wrong("there is no identityId"))?;
                record.remove("identity");
                record.insert("uncorrelated".to_owned(), json!(true));
                record.insert("manuallyCorrelated".to_owned(), json!(false));
            }
            (Place::ManuallyCorrelated, Op::Add(value) | Op::Replace(value)) => {
                if !value.is_boolean() {
                    return Err(wrong("manuallyCorrelated must be true or false"));
                }
                record.insert("manuallyCorrelated".to_owned(), value.clone());
            }
            (Place::ManuallyCorrelated, Op::Remove) => {
                return Err(wrong("manuallyCorrelated can not be removed"));
            }
            (Place::Attribute(name), op) => attribute(record, name, op)?,
        }
        Ok(())
    }
}

fn attribute(record: &mut Map<String, Value>, name: &str, op: &Op) -> Result<(), Refusal> {
    let attributes = record.entry("attributes").or_insert_with(|| json!({}));
    if attributes.is_null() {
        *attributes = json!({});
    }
    let attributes = attributes.as_object_mut().ok_or_else(|| wrong("the attributes are no object"))?;
    match op {
        Op::Add(value) => drop(attributes.insert(name.to_owned(), value.clone())),
        Op::Replace(value) => {
            *attributes.get_mut(name).ok_or_else(|| wrong("there is no such attribute"))? = value.clone();
        }
        Op::Remove => drop(attributes.remove(name).ok_or_else(|| wrong("there is no such attribute"))?),
    }
    Ok(())
}

/// A segment of a JSON pointer (RFC 6901); `None` if it is more than one, or no such thing.
fn unescape(segment: &str) -> Option<String> {
    let mut parts = segment.split('~');
    let mut name = parts.next()?.to_owned();
    for part in parts {
        let rest = part.strip_prefix('0').map(|rest| ('~', rest));
        let (letter, rest) = rest.or_else(|| part.strip_prefix('1').map(|rest| ('/', rest)))?;
        name.push(letter);
        name.push_str(rest);
    }
    (!segment.contains('/')).then_some(name)
}

impl Tenant {
    /// Switches the account of one identity on or off.
    pub(crate) fn set_identity(&self, id: &str, on: bool) -> Result<Reply, Refusal> {
        if self.identity(id).is_none() {
            return Err(Refusal::NotFound);
        }
        self.begin(of_identity(id, on));
        Ok(Reply::json(StatusCode::ACCEPTED, &json!({})))
    }

    /// The same of several, each with a result.
    pub(crate) fn set_identities(&self, incoming: &Incoming, on: bool) -> Result<Reply, Refusal> {
        let body = body::object(incoming)?;
        let ids = body.get("identityIds").and_then(Value::as_array);
        let ids = ids.ok_or_else(|| wrong("identityIds must be an array"))?;
        let mut asked = Vec::new();
        for id in ids {
            asked.push(id.as_str().ok_or_else(|| wrong("an id in identityIds must be text"))?);
        }
        let result = |id: &str| {
            if self.identity(id).is_none() {
                let message = format!("Referenced identity \"{id}\" was not found.");
                return json!({"id": id, "statusCode": 404, "message": message});
            }
            self.begin(of_identity(id, on));
            json!({"id": id, "statusCode": 202, "message": null})
        };
        let results: Vec<Value> = asked.into_iter().map(result).collect();
        Ok(Reply::json(StatusCode::MULTI_STATUS, &Value::Array(results)))
    }

    /// What accounts show of the identity with this id, if an account is correlated to it.
    pub(crate) fn identity(&self, id: &str) -> Option<Value> {
        let records = lock(&self.world).records();
        let account = records.into_iter().find(|record| record["identityId"] == id)?;
        Some(json!({"type": "IDENTITY", "id": id, "name": account["identity"]["name"]}))
    }

    /// The identities that accounts are correlated to, each once.
    pub(crate) fn identities(&self) -> Vec<String> {
        let records = lock(&self.world).records();
        let mut ids: Vec<String> =
            records.iter().filter_map(|record| record["identityId"].as_str().map(str::to_owned)).collect();
        ids.sort();
        ids.dedup();
        ids
    }
}

/// Sets the state of the accounts that the identity has with the provider itself.
fn of_identity(id: &str, on: bool) -> Change {
    let id = id.to_owned();
    Box::new(move |world| {
        let records = world.records();
        let own = records
            .iter()
            .filter(|record| record["identityId"] == id.as_str() && record["systemAccount"] == true);
        for account in own.filter_map(|record| record["id"].as_str()) {
            change_now(world, account, |record| record["disabled"] = json!(!on));
        }
    })
}

/// What a task does.
pub(crate) type Change = Box<dyn FnOnce(&mut World) + Send>;

/// The tasks begun, and those of them that are still to be done.
pub(crate) struct Tasks {
    seed: u64,
    takes: Duration,
    ids: Vec<String>,
    numbers: u64,
    waiting: Vec<(Instant, Change)>,
}

impl Tasks {
    pub(crate) fn new(seed: u64, takes: Duration) -> Self {
        Self { seed: seed ^ 0x7A5C, takes, ids: Vec::new(), numbers: 0, waiting: Vec::new() }
    }

    /// Begins a task; gives its id.
    pub(crate) fn begin(&mut self, change: Change) -> String {
        let id = seed::hex_id(&mut seed::rng(self.seed, self.ids.len() as u64));
        self.ids.push(id.clone());
        self.waiting.push((clock::after(self.takes), change));
        id
    }

    /// Another number each time, for what a task makes.
    pub(crate) fn next_number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// Those that are to be done by now, in the order in which they were begun.
    pub(crate) fn due(&mut self) -> Vec<Change> {
        let now = Instant::now();
        let (due, waiting) = std::mem::take(&mut self.waiting).into_iter().partition(|(at, _)| *at <= now);
        self.waiting = waiting;
        let due: Vec<(Instant, Change)> = due;
        due.into_iter().map(|(_, change)| change).collect()
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.ids.clone()
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks").field("begun", &self.ids.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod patch_tests {
    use super::*;

    #[test]
    fn pointers_are_unescaped_and_others_refused() {
        assert_eq!(unescape("a~1b~0c"), Some("a/b~c".to_owned()));
        assert_eq!(unescape("~01"), Some("~1".to_owned()));
        for wrong in ["a/b", "a~", "~2"] {
            assert_eq!(unescape(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_the_reference_does_not_show_is_refused() {
        for body in [
            json!({}),
            json!([1]),
            json!([{"op": "remove"}]),
            json!([{"op": "add", "path": "/identityId"}]),
            json!([{"op": "test", "path": "/identityId", "value": "x"}]),
            json!([{"op": "replace", "path": "/disabled", "value": true}]),
            json!([{"op": "replace", "path": "/attributes", "value": {}}]),
            json!([{"op": "remove", "path": "/attributes/a/b"}]),
        ] {
            assert!(Patch::parse(body.clone()).is_err(), "{body}");
        }
        let mut record = Map::new();
        let patches = json!([
            {"op": "replace", "path": "/attributes/x", "value": 1},
            {"op": "remove", "path": "/identityId"},
            {"op": "replace", "path": "/manuallyCorrelated", "value": "yes"},
        ]);
        for patch in Patch::parse(patches).unwrap() {
            assert!(patch.apply(&mut record, &Value::Null).is_err(), "{patch:?}");
        }
    }
}

#[cfg(test)]
mod tasks_tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_task_is_done_once_and_when_its_time_is_over() {
        let mut tasks = Tasks::new(1, Duration::from_secs(2));
        let first = tasks.begin(Box::new(|_| ()));
        tokio::time::advance(Duration::from_secs(1)).await;
        let second = tasks.begin(Box::new(|_| ()));
        assert_eq!((tasks.due().len(), tasks.ids()), (0, vec![first, second]));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(tasks.due().len(), 1);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!((tasks.due().len(), tasks.due().len()), (1, 0));
    }
}
