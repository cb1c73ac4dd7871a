//! Changes of an account: its description, its closure, its removal, its place.

use http::StatusCode;
use serde_json::{Value, json};

use super::body::{Body, bad};
use super::creations::date;
use super::listing::shape;
use super::paging::states;
use super::refusal::Refusal;
use super::routes::Organization;
use super::services;
use crate::clock;
use crate::exchange::{Incoming, Reply};
use crate::gate::lock;
use crate::key::Id;

/// Closures that may be under way at a time.
const MAX_CLOSING: usize = 3;
/// Closures within 30 days, whatever the number of accounts.
const MAX_CLOSURES: usize = 200;
/// The states of accounts of which a closure tells.
const CLOSURE_STATES: [&str; 2] = ["pending_closure", "suspended"];

impl Organization {
    pub(crate) fn update(&self, incoming: &Incoming, id: &str) -> Result<Reply, Refusal> {
        let body = Body::of(incoming)?;
        let description = body.text("description", 0, 4096)?;
        let mut world = lock(&self.world);
        if let Some(text) = description {
            world.change(id, |record| record["description"] = text.into());
        }
        let record = world.record(id).ok_or(Refusal::NoSuchAccount)?;
        Ok(Reply::json(StatusCode::OK, &json!({"account": shape(record, false)})))
    }

    pub(crate) fn close(&self, id: &str) -> Result<Reply, Refusal> {
        let mut closures = lock(&self.closures);
        let mut world = lock(&self.world);
        let record = world.record(id).ok_or(Refusal::NoSuchAccount)?;
        if closure_state(&record).is_some() {
            return Err(Refusal::BeingClosed);
        }
        let created = record["join_method"].as_str().is_some_and(|how| how.eq_ignore_ascii_case("created"));
        if !created {
            return Err(Refusal::NotPossible("only accounts that were created can be closed".to_owned()));
        }
        let is_closing = |id: &String| {
            world.record(id).is_some_and(|record| closure_state(&record) == Some("pending_closure"))
        };
        if closures.keys().filter(|id| is_closing(id)).count() >= MAX_CLOSING {
            return Err(Refusal::QuotaExceeded("concurrent closures".to_owned()));
        }
        if closures.len() >= world.len().div_ceil(10).min(MAX_CLOSURES) {
            return Err(Refusal::QuotaExceeded("closures within 30 days".to_owned()));
        }
        world.change(id, |record| record["status"] = "pending_closure".into());
        closures.insert(id.to_owned(), clock::now());
        Ok(Reply::empty(StatusCode::OK))
    }

    /// The accounts that are being closed or are closed, those that were so from the beginning too.
    pub(crate) fn list_closures(&self, incoming: &Incoming) -> Result<Reply, Refusal> {
        let wanted = states(incoming, &CLOSURE_STATES)?;
        if wanted.len() > CLOSURE_STATES.len() {
            return Err(bad("states"));
        }
        let closures = lock(&self.closures);
        let world = lock(&self.world);
        let records = (0..world.len()).map(|position| world.at(position));
        let rows = records.filter_map(|record| {
            let state = closure_state(&record)?;
            let asked = wanted.is_empty() || wanted.contains(&state);
            let at = record["id"].as_str().and_then(|id| closures.get(id)).copied();
            let at = at.map_or_else(|| record["joined_at"].clone(), |at| date(at).into());
            asked.then(|| {
                json!({
                    "account_id": record["id"],
                    "created_at": at,
                    "updated_at": at,
                    "organization_id": self.accounts.organization(),
                    "state": state,
                    "failure_reason": null,
                })
            })
        });
        let rows: Vec<Value> = rows.collect();
        Ok(Reply::json(StatusCode::OK, &json!({"close_account_statuses": rows})))
    }

    pub(crate) fn remove(&self, id: &str) -> Result<Reply, Refusal> {
        let mut world = lock(&self.world);
        if !world.contains(id) {
            return Err(Refusal::NoSuchAccount);
        }
        if !services::of(&Id::from_hex(id)).is_empty() {
            return Err(Refusal::NotPossible("the account is a delegated administrator".to_owned()));
        }
        world.remove(id);
        Ok(Reply::empty(StatusCode::OK))
    }

    pub(crate) fn move_account(&self, incoming: &Incoming, id: &str) -> Result<Reply, Refusal> {
        let body = Body::of(incoming)?;
        let source = self.parent(body.required("source_parent_id", 1, 100)?)?;
        let destination = self.parent(body.required("destination_parent_id", 1, 100)?)?;
        if !lock(&self.world).contains(id) {
            return Err(Refusal::NoSuchAccount);
        }
        let id = Id::from_hex(id);
        if self.tree.parent_index(&id) != source {
            return Err(Refusal::NotPossible("the account is not in the source parent".to_owned()));
        }
        self.tree.place(id, destination);
        Ok(Reply::empty(StatusCode::OK))
    }
}

/// The state of the closure that an account's status tells of.
fn closure_state(record: &Value) -> Option<&'static str> {
    let status = record["status"].as_str()?;
    CLOSURE_STATES.into_iter().find(|state| state.eq_ignore_ascii_case(status))
}
