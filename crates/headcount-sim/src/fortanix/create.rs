//! `POST /v1/accounts`.

use serde_json::{Map, Value, json};

use super::refusal::Refusal;
use super::routes::Manager;
use super::schema::{self, ACCOUNT_REQUEST};
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
