//! `GET` and `DELETE /v1/users/{user-id}/accounts`. There is one user, who belongs to every account.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::refusal::Refusal;
use super::routes::Manager;
use crate::exchange::Reply;
use crate::gate::lock;

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
