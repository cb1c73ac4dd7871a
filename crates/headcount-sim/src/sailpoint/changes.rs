//! Creating, changing and deleting accounts.

use std::fmt;
use std::time::Duration;

use http::StatusCode;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::accounts::{Source, format_timestamp, insert_source_fields};
use super::api_error::ApiError;
use super::body::{self, bad_request};
use super::operation::{Api, may_provision};
use super::routes::SailPointState;
use crate::message::{SimRequest, SimResponse};
use crate::pipeline::lock;
use crate::world::World;
use crate::{clock, rng};

const JSON_PATCH: &str = "application/json-patch+json";

impl SailPointState {
    /// Returns one account with all its fields.
    pub(crate) fn get(&self, id: &str, api: Api) -> Result<SimResponse, ApiError> {
        let world = lock(&self.world);
        let position = world.find(id).ok_or(ApiError::NotFound)?;
        Ok(SimResponse::json(StatusCode::OK, &self.record_for(&world, position, api)))
    }

    /// Creates an account, or changes the existing one that its attributes identify.
    pub(crate) fn create(&self, request: &SimRequest) -> Result<SimResponse, ApiError> {
        let mut attributes = body::attributes(body::object(request)?)?;
        let Some(Value::String(source)) = attributes.remove("sourceId") else {
            return Err(bad_request("attributes.sourceId must be the id of a source"));
        };
        if let Some((name, _)) = attributes.iter().find(|(_, value)| !value.is_string()) {
            return Err(bad_request(&format!("attributes.{name} must be text")));
        }
        let source = self.sources.find(&source).ok_or_else(|| bad_request("there is no such source"))?;
        let existing = attributes.get("id").and_then(|id| find_existing(&lock(&self.world), &source.id, id));
        let change: Change = if let Some(id) = existing {
            change(id, move |record| merge_attributes(record, attributes))
        } else {
            let account = new_account(&self.next_id(), source, attributes);
            Box::new(move |world| world.insert_from_request(account))
        };
        Ok(self.accept(change))
    }

    /// Applies a JSON Patch to an account.
    pub(crate) fn update(&self, request: &SimRequest, id: &str) -> Result<SimResponse, ApiError> {
        let patches = Patch::parse(body::parse(request, JSON_PATCH)?)?;
        let account = self.account(id)?;
        if !is_flat_file(&account) && patches.iter().any(Patch::is_attribute) {
            return Err(bad_request("attributes can be modified for flat file accounts only"));
        }
        let mut changes = Vec::new();
        for patch in patches {
            let identity = match patch.identity() {
                Some(id) => self.identity(id).ok_or_else(|| bad_request("there is no such identity"))?,
                None => Value::Null,
            };
            changes.push((patch, identity));
        }
        // All or none: validates the patches on a copy.
        apply_all(&mut account.clone(), &changes)?;
        let id = id.to_owned();
        // Errors are ignored here, because the account may change before the task completes.
        self.start_task(change(id, move |record| drop(apply_all(record, &changes))));
        Ok(SimResponse::json(StatusCode::ACCEPTED, &json!({})))
    }

    /// Replaces the attributes of an account.
    pub(crate) fn put(&self, request: &SimRequest, id: &str) -> Result<SimResponse, ApiError> {
        let attributes = body::attributes(body::object(request)?)?;
        self.require_flat_file(id)?;
        let id = id.to_owned();
        Ok(self.accept(change(id, move |record| record["attributes"] = Value::Object(attributes))))
    }

    /// Deletes an account of a flat file source.
    pub(crate) fn delete(&self, id: &str) -> Result<SimResponse, ApiError> {
        self.require_flat_file(id)?;
        let id = id.to_owned();
        Ok(self.accept(Box::new(move |world| {
            world.remove(&id);
        })))
    }

    /// Removes an account of any source.
    pub(crate) fn remove(&self, id: &str) -> Result<SimResponse, ApiError> {
        self.account(id)?;
        let id = id.to_owned();
        let task = self.start_task(Box::new(move |world| {
            world.remove(&id);
        }));
        let result = json!({"type": "TASK_RESULT", "id": task, "name": null});
        Ok(SimResponse::json(StatusCode::ACCEPTED, &result))
    }

    /// Enables, disables or unlocks an account.
    pub(crate) fn set_state(
        &self,
        request: &SimRequest,
        id: &str,
        (name, value): (&'static str, bool),
    ) -> Result<SimResponse, ApiError> {
        let body = body::object(request)?;
        body::text(&body, "externalVerificationId")?;
        let force = body::flag(&body, "forceProvisioning")?;
        if name == "locked" {
            body::flag(&body, "unlockIDNAccount")?;
            if force && !may_provision(&self.rules.scopes) {
                return Err(ApiError::Forbidden);
            }
        }
        self.account(id)?;
        let id = id.to_owned();
        Ok(self.accept(change(id, move |record| record[name] = json!(value))))
    }

    /// Reloads an account from its source, where nothing has changed.
    pub(crate) fn reload(&self, id: &str) -> Result<SimResponse, ApiError> {
        self.account(id)?;
        Ok(self.accept(Box::new(|_| ())))
    }

    /// Returns the account with this id.
    pub(crate) fn account(&self, id: &str) -> Result<Value, ApiError> {
        lock(&self.world).record(id).ok_or(ApiError::NotFound)
    }

    fn require_flat_file(&self, id: &str) -> Result<(), ApiError> {
        if is_flat_file(&self.account(id)?) {
            return Ok(());
        }
        Err(bad_request("this is supported for accounts of sources of the type DelimitedFile only"))
    }

    /// Starts a task. Returns a response with its id.
    fn accept(&self, change: Change) -> SimResponse {
        SimResponse::json(StatusCode::ACCEPTED, &json!({"id": self.start_task(change)}))
    }

    fn next_id(&self) -> String {
        let number = lock(&self.tasks).next_id_number();
        rng::hex_id(&mut rng::seeded(self.seed ^ 0xACC0, number))
    }
}

/// Returns the change of an existing account.
fn change(id: String, edit: impl FnOnce(&mut Value) + Send + 'static) -> Change {
    Box::new(move |world| {
        update_and_touch(world, &id, edit);
    })
}

/// Updates an account and sets its `modified`.
fn update_and_touch(world: &mut World, id: &str, edit: impl FnOnce(&mut Value)) {
    world.update_from_request(id, |record| {
        edit(record);
        record["modified"] = json!(now());
    });
}

fn now() -> String {
    format_timestamp(clock::now().timestamp_millis())
}

fn is_flat_file(account: &Value) -> bool {
    account["connectionType"] == "file"
}

/// Returns the id of the account on this source with this id or native identity.
fn find_existing(world: &World, source: &str, id: &Value) -> Option<String> {
    let matches = |record: &Value| {
        record["sourceId"] == source && (record["nativeIdentity"] == *id || record["id"] == *id)
    };
    let record = world.records().into_iter().find(matches)?;
    record["id"].as_str().map(str::to_owned)
}

fn merge_attributes(record: &mut Value, attributes: Map<String, Value>) {
    if !record["attributes"].is_object() {
        record["attributes"] = json!({});
    }
    if let Some(merged) = record["attributes"].as_object_mut() {
        merged.extend(attributes);
    }
}

fn new_account(id: &str, source: &Source, attributes: Map<String, Value>) -> Value {
    let first_attribute = |names: &[&str]| names.iter().find_map(|name| attributes.get(*name)).cloned();
    let native = first_attribute(&["id", "userName", "sAMAccountName"]).unwrap_or_else(|| json!(id));
    let now = now();
    let mut account = Map::new();
    let name = first_attribute(&["displayName", "userName"]).unwrap_or_else(|| native.clone());
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
    insert_source_fields(&mut account, source);
    account.insert("attributes".to_owned(), Value::Object(attributes));
    Value::Object(account)
}

fn apply_all(record: &mut Value, changes: &[(Patch, Value)]) -> Result<(), ApiError> {
    let members = record.as_object_mut().ok_or_else(|| bad_request("the account is no object"))?;
    changes.iter().try_for_each(|(patch, identity)| patch.apply(members, identity))
}

/// A supported operation of a JSON Patch.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Patch {
    op: Op,
    target: PatchTarget,
}

#[derive(Clone, Debug, PartialEq)]
enum Op {
    Add(Value),
    Replace(Value),
    Remove,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum PatchTarget {
    IdentityId,
    ManuallyCorrelated,
    Attribute(String),
}

impl Patch {
    /// Parses an array of operations.
    pub(crate) fn parse(body: Value) -> Result<Vec<Self>, ApiError> {
        match body {
            Value::Array(operations) => {
                let mut patches: Vec<Self> =
                    operations.into_iter().map(Self::parse_operation).collect::<Result<_, _>>()?;
                // Applied last, because a change of the identity also sets it.
                patches.sort_by_key(|patch| patch.target == PatchTarget::ManuallyCorrelated);
                Ok(patches)
            }
            _ => Err(bad_request("the body must be an array of operations")),
        }
    }

    fn parse_operation(operation: Value) -> Result<Self, ApiError> {
        let Value::Object(mut members) = operation else {
            return Err(bad_request("an operation must be an object"));
        };
        let value = members.remove("value");
        let (Some(Value::String(op)), Some(Value::String(path))) = (members.get("op"), members.get("path"))
        else {
            return Err(bad_request("an operation must have op and path"));
        };
        let op = match (op.as_str(), value) {
            ("add", Some(value)) => Op::Add(value),
            ("replace", Some(value)) => Op::Replace(value),
            ("remove", _) => Op::Remove,
            ("add" | "replace", None) => return Err(bad_request("value is missing")),
            _ => return Err(bad_request("op must be add, replace or remove")),
        };
        let target = match path.as_str() {
            "/identityId" => PatchTarget::IdentityId,
            "/manuallyCorrelated" => PatchTarget::ManuallyCorrelated,
            path => {
                let name = path.strip_prefix("/attributes/").and_then(unescape);
                PatchTarget::Attribute(name.ok_or_else(|| bad_request("path cannot be changed"))?)
            }
        };
        Ok(Self { op, target })
    }

    /// Returns the id of the new identity, if the operation sets one.
    pub(crate) fn identity(&self) -> Option<&str> {
        match (&self.target, &self.op) {
            (PatchTarget::IdentityId, Op::Add(value) | Op::Replace(value)) => value.as_str(),
            _ => None,
        }
    }

    /// Returns whether the operation changes an attribute.
    pub(crate) fn is_attribute(&self) -> bool {
        matches!(self.target, PatchTarget::Attribute(_))
    }

    /// Applies the operation to a record. `identity` is the new value of its member `identity`.
    pub(crate) fn apply(&self, record: &mut Map<String, Value>, identity: &Value) -> Result<(), ApiError> {
        match (&self.target, &self.op) {
            (PatchTarget::IdentityId, Op::Add(value) | Op::Replace(value)) => {
                if !value.is_string() {
                    return Err(bad_request("identityId must be text"));
                }
                record.insert("identityId".to_owned(), value.clone());
                record.insert("identity".to_owned(), identity.clone());
                record.insert("uncorrelated".to_owned(), json!(false));
                record.insert("manuallyCorrelated".to_owned(), json!(true));
            }
            (PatchTarget::IdentityId, Op::Remove) => {
                record.remove("identityId").ok_or_else(|| bad_request("there is no identityId"))?;
                record.remove("identity");
                record.insert("uncorrelated".to_owned(), json!(true));
                record.insert("manuallyCorrelated".to_owned(), json!(false));
            }
            (PatchTarget::ManuallyCorrelated, Op::Add(value) | Op::Replace(value)) => {
                if !value.is_boolean() {
                    return Err(bad_request("manuallyCorrelated must be true or false"));
                }
                record.insert("manuallyCorrelated".to_owned(), value.clone());
            }
            (PatchTarget::ManuallyCorrelated, Op::Remove) => {
                return Err(bad_request("manuallyCorrelated cannot be removed"));
            }
            (PatchTarget::Attribute(name), op) => apply_to_attribute(record, name, op)?,
        }
        Ok(())
    }
}

fn apply_to_attribute(record: &mut Map<String, Value>, name: &str, op: &Op) -> Result<(), ApiError> {
    let attributes = record.entry("attributes").or_insert_with(|| json!({}));
    if attributes.is_null() {
        *attributes = json!({});
    }
    let attributes = attributes.as_object_mut().ok_or_else(|| bad_request("the attributes are no object"))?;
    match op {
        Op::Add(value) => drop(attributes.insert(name.to_owned(), value.clone())),
        Op::Replace(value) => {
            *attributes.get_mut(name).ok_or_else(|| bad_request("there is no such attribute"))? =
                value.clone();
        }
        Op::Remove => drop(attributes.remove(name).ok_or_else(|| bad_request("there is no such attribute"))?),
    }
    Ok(())
}

/// Unescapes a segment of a JSON pointer (RFC 6901). Returns `None` if it is not a single, valid segment.
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

impl SailPointState {
    /// Enables or disables the account of one identity.
    pub(crate) fn set_identity_state(&self, id: &str, enabled: bool) -> Result<SimResponse, ApiError> {
        if self.identity(id).is_none() {
            return Err(ApiError::NotFound);
        }
        self.start_task(set_system_accounts(id, enabled));
        Ok(SimResponse::json(StatusCode::ACCEPTED, &json!({})))
    }

    /// Enables or disables the accounts of several identities. The response has a result for each.
    pub(crate) fn set_identity_states(
        &self,
        request: &SimRequest,
        enabled: bool,
    ) -> Result<SimResponse, ApiError> {
        let body = body::object(request)?;
        let values = body.get("identityIds").and_then(Value::as_array);
        let values = values.ok_or_else(|| bad_request("identityIds must be an array"))?;
        let mut ids = Vec::new();
        for id in values {
            ids.push(id.as_str().ok_or_else(|| bad_request("an id in identityIds must be text"))?);
        }
        let result = |id: &str| {
            if self.identity(id).is_none() {
                let message = format!("Referenced identity \"{id}\" was not found.");
                return json!({"id": id, "statusCode": 404, "message": message});
            }
            self.start_task(set_system_accounts(id, enabled));
            json!({"id": id, "statusCode": 202, "message": null})
        };
        let results: Vec<Value> = ids.into_iter().map(result).collect();
        Ok(SimResponse::json(StatusCode::MULTI_STATUS, &Value::Array(results)))
    }

    /// Returns the member `identity` of the accounts of an identity, if an account is correlated to it.
    pub(crate) fn identity(&self, id: &str) -> Option<Value> {
        let records = lock(&self.world).records();
        let account = records.into_iter().find(|record| record["identityId"] == id)?;
        Some(json!({"type": "IDENTITY", "id": id, "name": account["identity"]["name"]}))
    }

    /// Returns the ids of the identities that accounts are correlated to, sorted and without duplicates.
    pub(crate) fn identities(&self) -> Vec<String> {
        let records = lock(&self.world).records();
        let mut ids: Vec<String> =
            records.iter().filter_map(|record| record["identityId"].as_str().map(str::to_owned)).collect();
        ids.sort();
        ids.dedup();
        ids
    }
}

/// Enables or disables an identity's accounts at the provider itself.
fn set_system_accounts(id: &str, enabled: bool) -> Change {
    let id = id.to_owned();
    Box::new(move |world| {
        let records = world.records();
        let own = records
            .iter()
            .filter(|record| record["identityId"] == id.as_str() && record["systemAccount"] == true);
        for account in own.filter_map(|record| record["id"].as_str()) {
            update_and_touch(world, account, |record| record["disabled"] = json!(!enabled));
        }
    })
}

/// The change that a task makes.
pub(crate) type Change = Box<dyn FnOnce(&mut World) + Send>;

/// The started tasks, and the changes that are still pending.
pub(crate) struct Tasks {
    seed: u64,
    duration: Duration,
    ids: Vec<String>,
    issued_ids: u64,
    pending: Vec<(Instant, Change)>,
}

impl Tasks {
    pub(crate) fn new(seed: u64, duration: Duration) -> Self {
        Self { seed: seed ^ 0x7A5C, duration, ids: Vec::new(), issued_ids: 0, pending: Vec::new() }
    }

    /// Starts a task. Returns its id.
    pub(crate) fn start(&mut self, change: Change) -> String {
        let id = rng::hex_id(&mut rng::seeded(self.seed, self.ids.len() as u64));
        self.ids.push(id.clone());
        self.pending.push((clock::after(self.duration), change));
        id
    }

    /// Returns a new number, from which the id of a new account is derived.
    pub(crate) fn next_id_number(&mut self) -> u64 {
        self.issued_ids += 1;
        self.issued_ids
    }

    /// Removes the changes that are due, in the order in which their tasks were started.
    pub(crate) fn take_due(&mut self) -> Vec<Change> {
        let now = Instant::now();
        let (due, pending) = std::mem::take(&mut self.pending).into_iter().partition(|(at, _)| *at <= now);
        self.pending = pending;
        let due: Vec<(Instant, Change)> = due;
        due.into_iter().map(|(_, change)| change).collect()
    }

    /// Returns the ids of all tasks.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.ids.clone()
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks").field("started", &self.ids.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod patch_tests {
    use super::*;

    #[test]
    fn unescape_pointer_segments() {
        assert_eq!(unescape("a~1b~0c"), Some("a/b~c".to_owned()));
        assert_eq!(unescape("~01"), Some("~1".to_owned()));
        for invalid in ["a/b", "a~", "~2"] {
            assert_eq!(unescape(invalid), None, "{invalid}");
        }
    }

    #[test]
    fn undocumented_patches_are_rejected() {
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
    async fn tasks_complete_once_after_their_duration() {
        let mut tasks = Tasks::new(1, Duration::from_secs(2));
        let first = tasks.start(Box::new(|_| ()));
        tokio::time::advance(Duration::from_secs(1)).await;
        let second = tasks.start(Box::new(|_| ()));
        assert_eq!((tasks.take_due().len(), tasks.ids()), (0, vec![first, second]));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(tasks.take_due().len(), 1);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!((tasks.take_due().len(), tasks.take_due().len()), (1, 0));
    }
}
