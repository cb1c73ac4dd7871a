//! The accounts that identities have with the provider itself.

use http::StatusCode;
use serde_json::{Value, json};

use super::body::{self, wrong};
use super::changes::change_now;
use super::refusal::Refusal;
use super::routes::Tenant;
use super::tasks::Change;
use crate::exchange::{Incoming, Reply};
use crate::gate::lock;

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
