//! Accounts made, changed and deleted.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::accounts::{timestamp, told_by_source};
use super::api::Api;
use super::body::{self, wrong};
use super::operation::may_provision;
use super::patch::Patch;
use super::refusal::Refusal;
use super::routes::Tenant;
use super::sources::Source;
use super::tasks::Change;
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
