//! Creating, changing, deleting and leaving accounts.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::api_error::ApiError;
use super::routes::FortanixState;
use super::schema::{self, ACCOUNT_REQUEST, ACCOUNT_UPDATE_REQUEST};
use crate::message::{SimRequest, SimResponse};
use crate::pipeline::lock;
use crate::world::World;
use crate::{clock, rng};

impl FortanixState {
    /// Creates an account. Assigns an id to each authentication configuration, so that the array of the
    /// request is a map in the response.
    pub(crate) fn create(&self, request: &SimRequest) -> Result<SimResponse, ApiError> {
        let body = schema::body(request, &ACCOUNT_REQUEST)?;
        let mut world = lock(&self.world);
        let name = unique_name(&body, &world, None)?;
        let rng = &mut rng::seeded(self.seed ^ 0xC2EA, world.revision());
        let mut configs = Map::new();
        for config in body.get("auth_configs").and_then(Value::as_array).into_iter().flatten() {
            configs.insert(rng::uuid(rng), config.clone());
        }
        let mut account = json!({
            "acct_id": rng::uuid(rng),
            "name": name,
            "created_at": clock::now().timestamp(),
            "roles": ["MANAGER"],
            "status": "ACTIVE",
            "auth_configs": configs,
            "node_enrollment": {"attestation_enforcement_disabled_insecure": false},
            "component": "DEFAULT",
            "default_group_id": rng::uuid(rng),
            "account_status": "Active",
        });
        if let Some(fields) = account.as_object_mut() {
            for name in ["node_enrollment", "component", "custom_logo"] {
                fields.extend(body.get(name).map(|value| (name.to_owned(), value.clone())));
            }
        }
        world.insert_from_request(account.clone());
        Ok(SimResponse::json(self.rules.created, &account))
    }
}

/// Returns the requested name, if it is not empty and no account other than `own` has it.
pub(crate) fn unique_name<'a>(
    body: &'a Map<String, Value>,
    world: &World,
    own: Option<&str>,
) -> Result<&'a Value, ApiError> {
    let name = body.get("name").filter(|name| name.as_str() != Some(""));
    let name = name.ok_or_else(|| ApiError::BadBody("Invalid the body.name".to_owned()))?;
    let taken = (0..world.len()).any(|at| {
        let record = world.record_at(at);
        record.get("name") == Some(name) && record.get("acct_id").and_then(Value::as_str) != own
    });
    if taken { Err(ApiError::NotUnique) } else { Ok(name) }
}

impl FortanixState {
    /// Changes the given fields of an account.
    pub(crate) fn update(&self, request: &SimRequest, id: &str) -> Result<SimResponse, ApiError> {
        let body = schema::body(request, &ACCOUNT_UPDATE_REQUEST)?;
        let mut world = lock(&self.world);
        let mut record = world.record(id).ok_or(ApiError::NotFound)?;
        require_manager(&record)?;
        if body.contains_key("name") {
            unique_name(&body, &world, record.get("acct_id").and_then(Value::as_str))?;
        }
        let fields = record.as_object_mut().ok_or(ApiError::NotFound)?;
        let rng = &mut rng::seeded(self.seed ^ 0xADDC, world.revision());
        change_configs(fields, &body, || rng::uuid(rng))?;
        for name in [
            "name",
            "custom_logo",
            "default_group_id",
            "marketplace_group_id",
            "account_status",
            "azure_cvm_pcr_priority",
        ] {
            fields.extend(body.get(name).map(|value| (name.to_owned(), value.clone())));
        }
        if let Some(enabled) = body.get("enabled") {
            let status = if *enabled == true { "Active" } else { "Deactivated" };
            fields.insert("account_status".to_owned(), json!(status));
        }
        world.insert_from_request(record.clone());
        Ok(SimResponse::json(StatusCode::OK, &record))
    }

    /// Deletes an account.
    pub(crate) fn delete(&self, id: &str) -> Result<SimResponse, ApiError> {
        let mut world = lock(&self.world);
        require_manager(&world.record(id).ok_or(ApiError::NotFound)?)?;
        world.remove(id);
        lock(&self.sessions).deselect(id);
        Ok(SimResponse::empty(StatusCode::NO_CONTENT))
    }
}

fn require_manager(record: &Value) -> Result<(), ApiError> {
    let roles = record.get("roles").and_then(Value::as_array);
    if roles.is_some_and(|roles| roles.contains(&json!("MANAGER"))) {
        Ok(())
    } else {
        Err(ApiError::Forbidden)
    }
}

/// Modifies, removes and adds authentication configurations. Assigns an id to each added one.
fn change_configs(
    fields: &mut Map<String, Value>,
    body: &Map<String, Value>,
    mut new_id: impl FnMut() -> String,
) -> Result<(), ApiError> {
    let unknown = |id: &str| ApiError::BadBody(format!("No authentication configuration {id}"));
    let mut configs = fields.get("auth_configs").and_then(Value::as_object).cloned().unwrap_or_default();
    for (id, config) in body.get("mod_auth_configs").and_then(Value::as_object).into_iter().flatten() {
        *configs.get_mut(id).ok_or_else(|| unknown(id))? = config.clone();
    }
    let values = |name: &str| body.get(name).and_then(Value::as_array).into_iter().flatten();
    for id in values("del_auth_configs").filter_map(Value::as_str) {
        configs.remove(id).ok_or_else(|| unknown(id))?;
    }
    for config in values("add_auth_configs") {
        configs.insert(new_id(), config.clone());
    }
    fields.insert("auth_configs".to_owned(), configs.into());
    Ok(())
}

impl FortanixState {
    /// Returns the user's accounts as a map from their ids.
    pub(crate) fn user_accounts(&self, user: &str) -> Result<SimResponse, ApiError> {
        self.check_user(user)?;
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
        Ok(SimResponse::json(StatusCode::OK, &accounts.into()))
    }

    /// Removes the user from the selected account.
    pub(crate) fn leave_account(&self, token: &str, user: &str) -> Result<SimResponse, ApiError> {
        let selected = lock(&self.sessions).selected(token).ok_or(ApiError::NoAccountSelected)?;
        self.check_user(user)?;
        lock(&self.world).remove(&selected);
        lock(&self.sessions).deselect(&selected);
        Ok(SimResponse::empty(StatusCode::NO_CONTENT))
    }

    fn check_user(&self, user: &str) -> Result<(), ApiError> {
        let own = lock(&self.sessions).subject();
        if user.eq_ignore_ascii_case(&own) { Ok(()) } else { Err(ApiError::NotFound) }
    }
}
