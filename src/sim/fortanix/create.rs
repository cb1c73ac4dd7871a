//! `POST /v1/accounts`.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::refusal::Refusal;
use super::routes::Manager;
use crate::sim::exchange::{Incoming, Reply};
use crate::sim::gate::lock;
use crate::sim::{clock, seed};

/// The largest logo, in bytes once decoded. The reference says 128Kb and not of what.
const MAX_LOGO: usize = 128 * 1024;

impl Manager {
    /// Makes an account. What was an array of configurations in the request is a map in the answer: the
    /// server gives each an id.
    pub(crate) fn create(&self, incoming: &Incoming) -> Result<Reply, Refusal> {
        let bad = |why: &str| Refusal::BadBody(why.to_owned());
        let body: Value = serde_json::from_slice(&incoming.body).map_err(|_| bad("the body is not JSON"))?;
        let asked = body.as_object().ok_or_else(|| bad("the body is not an object"))?;
        let name = asked.get("name").and_then(Value::as_str).filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| bad("name is missing"))?;
        let mut world = lock(&self.world);
        if (0..world.len()).any(|at| world.at(at).get("name").and_then(Value::as_str) == Some(name)) {
            return Err(Refusal::NotUnique);
        }
        let rng = &mut seed::rng(self.seed ^ 0xC2EA, world.revision());
        let mut configs = Map::new();
        if let Some(asked) = asked.get("auth_configs").filter(|configs| !configs.is_null()) {
            for config in asked.as_array().ok_or_else(|| bad("auth_configs is not an array"))? {
                configs.insert(seed::uuid(rng), config.clone());
            }
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
            for name in ["node_enrollment", "component"] {
                if let Some(value) = asked.get(name) {
                    fields.insert(name.to_owned(), value.clone());
                }
            }
            if let Some(logo) = asked.get("custom_logo").filter(|logo| !logo.is_null()) {
                fields.insert(
                    "custom_logo".to_owned(),
                    json!(checked_logo(logo).ok_or_else(|| bad("custom_logo"))?),
                );
            }
        }
        world.insert(account.clone());
        Ok(Reply::json(StatusCode::OK, &account))
    }
}

/// A logo as padded base64, not too large. An empty one is accepted, as a client in the wild sends it.
fn checked_logo(logo: &Value) -> Option<&str> {
    use base64::Engine;
    let text = logo.as_str()?;
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).ok()?;
    (bytes.len() <= MAX_LOGO).then_some(text)
}
