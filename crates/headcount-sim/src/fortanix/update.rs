//! `PATCH` and `DELETE /v1/accounts/{account-id}`.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::create::free_name;
use super::refusal::Refusal;
use super::routes::Manager;
use super::schema::{self, ACCOUNT_UPDATE_REQUEST};
use crate::exchange::{Incoming, Reply};
use crate::gate::lock;
use crate::seed;

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
