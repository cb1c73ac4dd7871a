//! Changes of accounts: made, changed, deleted, left.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::refusal::Refusal;
use super::routes::Manager;
use super::schema::{self, ACCOUNT_REQUEST, ACCOUNT_UPDATE_REQUEST};
use crate::exchange::{Incoming, Reply};
use crate::gate::lock;
use crate::world::World;
use crate::{clock, seed};

impl Manager {
    /// Makes an account. What was an array of configurations in the request is a map in the answer: the
    /// server gives each an id.
    pub(crate) fn create(&self, incoming: &Incoming) -> Result<Reply, Refusal> {
        let asked = schema::body(incoming, &ACCOUNT_REQUEST)?;
        let mut world = lock(&self.world);
        let name = free_name(&asked, &world, None)?;
        let rng = &mut seed::rng(self.seed ^ 0xC2EA, world.revision());
        let mut configs = Map::new();
        for config in asked.get("auth_configs").and_then(Value::as_array).into_iter().flatten() {
            configs.insert(seed::uuid(rng), config.clone());
        }
        let mut account = json!({
            "acct_id": seed::uuid(rng),
            "name": name,
            "created_at": clock::now().timestamp(),
            "roles": ["MANAGER"],
            "status": "ACTIVE",
            "auth_configs": configs,
            "node_enrollment": {"attestation_enforcement_disabled_insecure": false},
            "component": "DEFAULT",
            "default_group_id": seed::uuid(rng),
            "account_status": "Active",
        });
        if let Some(fields) = account.as_object_mut() {
            for name in ["node_enrollment", "component", "custom_logo"] {
                fields.extend(asked.get(name).map(|value| (name.to_owned(), value.clone())));
            }
        }
        world.make(account.clone());
        Ok(Reply::json(self.rules.created, &account))
    }
}

/// The name that is asked for, if it is one and no account but `own` has it.
pub(crate) fn free_name<'a>(
    asked: &'a Map<String, Value>,
    world: &World,
    own: Option<&str>,
) -> Result<&'a Value, Refusal> {
    let name = asked.get("name").filter(|name| name.as_str() != Some(""));
    let name = name.ok_or_else(|| Refusal::BadBody("Invalid the body.name".to_owned()))?;
    let taken = (0..world.len()).any(|at| {
        let record = world.at(at);
        record.get("name") == Some(name) && record.get("acct_id").and_then(Value::as_str) != own
    });
    if taken { Err(Refusal::NotUnique) } else { Ok(name) }
}

impl Manager {
    /// Changes what is asked for, and nothing else.
    pub(crate) fn update(&self, incoming: &Incoming, id: &str) -> Result<Reply, Refusal> {
        let asked = schema::body(incoming, &ACCOUNT_UPDATE_REQUEST)?;
        let mut world = lock(&self.world);
        let mut record = world.record(id).ok_or(Refusal::NotFound)?;
        needs_manager(&record)?;
        if asked.contains_key("name") {
            free_name(&asked, &world, record.get("acct_id").and_then(Value::as_str))?;
        }
        let fields = record.as_object_mut().ok_or(Refusal::NotFound)?;
        let rng = &mut seed::rng(self.seed ^ 0xADDC, world.revision());
        change_configs(fields, &asked, || seed::uuid(rng))?;
        for name in [
            "name",
            "custom_logo",
            "default_group_id",
            "marketplace_group_id",
            "account_status",
            "azure_cvm_pcr_priority",
        ] {
            fields.extend(asked.get(name).map(|value| (name.to_owned(), value.clone())));
        }
        if let Some(enabled) = asked.get("enabled") {
            let status = if *enabled == true { "Active" } else { "Deactivated" };
            fields.insert("account_status".to_owned(), json!(status));
        }
        world.make(record.clone());
        Ok(Reply::json(StatusCode::OK, &record))
    }

    pub(crate) fn delete(&self, id: &str) -> Result<Reply, Refusal> {
        let mut world = lock(&self.world);
        needs_manager(&world.record(id).ok_or(Refusal::NotFound)?)?;
        world.remove(id);
        lock(&self.sessions).deselect(id);
        Ok(Reply::empty(StatusCode::NO_CONTENT))
    }
}

fn needs_manager(record: &Value) -> Result<(), Refusal> {
    let roles = record.get("roles").and_then(Value::as_array);
    if roles.is_some_and(|roles| roles.contains(&json!("MANAGER"))) {
        Ok(())
    } else {
        Err(Refusal::Forbidden)
    }
}

/// Changes configurations, removes others, and adds new ones, each with an id of its own.
fn change_configs(
    fields: &mut Map<String, Value>,
    asked: &Map<String, Value>,
    mut new_id: impl FnMut() -> String,
) -> Result<(), Refusal> {
    let unknown = |id: &str| Refusal::BadBody(format!("No authentication configuration {id}"));
    let mut configs = fields.get("auth_configs").and_then(Value::as_object).cloned().unwrap_or_default();
    for (id, config) in asked.get("mod_auth_configs").and_then(Value::as_object).into_iter().flatten() {
        *configs.get_mut(id).ok_or_else(|| unknown(id))? = config.clone();
    }
    let list = |name: &str| asked.get(name).and_then(Value::as_array).into_iter().flatten();
    for id in list("del_auth_configs").filter_map(Value::as_str) {
        configs.remove(id).ok_or_else(|| unknown(id))?;
    }
    for config in list("add_auth_configs") {
        configs.insert(new_id(), config.clone());
    }
    fields.insert("auth_configs".to_owned(), configs.into());
    Ok(())
}

impl Manager {
    /// A map from the ids of the user's accounts.
    pub(crate) fn user_accounts(&self, user: &str) -> Result<Reply, Refusal> {
        self.known(user)?;
        let world = lock(&self.world);
        let mut accounts = Map::new();
        for record in world.records() {
            if let Some(id) = record.get("acct_id").and_then(Value::as_str) {
                let member = |name: &str, default: Value| record.get(name).cloned().unwrap_or(default);
                let membership = json!({
                    "roles": member("roles", json!([])),
                    "status": member("status", json!("ACTIVE")),
                });
                accounts.insert(id.to_owned(), membership);
            }
        }
        Ok(Reply::json(StatusCode::OK, &accounts.into()))
    }

    /// The user leaves the selected account, which is no account of the user's any more.
    pub(crate) fn leave(&self, token: &str, user: &str) -> Result<Reply, Refusal> {
        let selected = lock(&self.sessions).selected(token).ok_or(Refusal::NoAccountSelected)?;
        self.known(user)?;
        lock(&self.world).remove(&selected);
        lock(&self.sessions).deselect(&selected);
        Ok(Reply::empty(StatusCode::NO_CONTENT))
    }

    fn known(&self, user: &str) -> Result<(), Refusal> {
        let own = lock(&self.sessions).subject();
        if user.eq_ignore_ascii_case(&own) { Ok(()) } else { Err(Refusal::NotFound) }
    }
}
