//! Changes of accounts: made, invited, described, closed, removed, moved.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use http::StatusCode;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::HuaweiSite;
use super::body::{Body, bad};
use super::listing::{services_of, shape, states};
use super::refusal::Refusal;
use super::routes::Organization;
use crate::exchange::{Incoming, Reply};
use crate::gate::lock;
use crate::world::{Id, World};
use crate::{clock, seed};

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
        if !services_of(&Id::from_hex(id)).is_empty() {
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

/// Creations that may be under way at a time.
const MAX_UNDER_WAY: usize = 5;
/// The reason of a creation whose name another account has.
const NAME_TAKEN: &str = "account_name_already_exists";

/// A request to create an account.
#[derive(Clone, Debug)]
pub(crate) struct Creation {
    id: String,
    /// The account as it will be.
    account: Value,
    created_at: DateTime<Utc>,
    /// How many looks still find it under way.
    looks: u32,
    outcome: Option<Outcome>,
}

#[derive(Clone, Debug)]
struct Outcome {
    completed_at: DateTime<Utc>,
    /// Reason and detail.
    failure: Option<(String, String)>,
}

impl Creation {
    fn state(&self) -> &'static str {
        match &self.outcome {
            None => "in_progress",
            Some(Outcome { failure: None, .. }) => "succeeded",
            Some(_) => "failed",
        }
    }

    fn tell(&self) -> Value {
        let failure = self.outcome.as_ref().and_then(|outcome| outcome.failure.as_ref());
        let account_id = if self.state() == "succeeded" { self.account["id"].clone() } else { Value::Null };
        json!({
            "id": self.id,
            "state": self.state(),
            "account_id": account_id,
            "account_name": self.account["name"],
            "created_at": date(self.created_at),
            "completed_at": self.outcome.as_ref().map(|outcome| date(outcome.completed_at)),
            "failure_reason": failure.map(|(reason, _)| reason),
            "failure_detail_msg": failure.map(|(_, detail)| json!({"error_msg": detail})),
        })
    }
}

impl Organization {
    /// With contact information of its own (v1), or without (v2).
    pub(crate) fn create(&self, incoming: &Incoming, with_contact: bool) -> Result<Reply, Refusal> {
        let body = Body::of(incoming)?;
        let mut account = Map::new();
        account.insert("name".to_owned(), body.required("name", 1, 64)?.into());
        body.text("agency_name", 0, 64)?;
        if let Some(text) = body.text("description", 0, 4096)? {
            account.insert("description".to_owned(), text.into());
        }
        body.check_tags()?;
        if with_contact {
            let (email, phone) = (body.text("email", 1, 255)?, body.text("phone", 1, 32)?);
            match self.rules.site {
                HuaweiSite::International => email.ok_or_else(|| bad("email"))?,
                HuaweiSite::China => phone.ok_or_else(|| bad("phone"))?,
            };
            for (name, text) in [("email", email), ("mobile_phone", phone)] {
                account.extend(text.map(|text| (name.to_owned(), text.into())));
            }
        }
        if self.rules.account_quota.is_some_and(|most| lock(&self.world).len() >= most) {
            return Err(Refusal::QuotaExceeded("member accounts".to_owned()));
        }
        let mut creations = lock(&self.creations);
        let under_way = creations.iter().filter(|creation| creation.outcome.is_none()).count();
        if under_way >= MAX_UNDER_WAY {
            return Err(Refusal::QuotaExceeded("concurrent creations".to_owned()));
        }
        let rng = &mut seed::rng(self.seed ^ 0xC4EA, creations.len() as u64);
        let (now, id) = (clock::now(), seed::hex_id(rng));
        account.insert("urn".to_owned(), self.accounts.urn(&id).into());
        account.insert("id".to_owned(), id.into());
        account.insert("join_method".to_owned(), "created".into());
        account.insert("status".to_owned(), "active".into());
        account.insert("joined_at".to_owned(), date(now).into());
        let word = seed::word(rng, b"abcdefghijklmnopqrstuvwxyz0123456789", 32);
        let mut creation = Creation {
            id: format!("car-{word}"),
            account: Value::Object(account),
            created_at: now,
            looks: self.rules.creation_looks,
            outcome: None,
        };
        if creation.looks == 0 {
            self.complete(&mut creation);
        }
        let told = creation.tell();
        creations.push(creation);
        Ok(Reply::json(StatusCode::ACCEPTED, &json!({"create_account_status": told})))
    }

    pub(crate) fn show_creation(&self, id: &str) -> Result<Reply, Refusal> {
        let mut creations = lock(&self.creations);
        let creation = creations.iter_mut().find(|creation| creation.id == id);
        let creation = creation.ok_or(Refusal::NoSuchCreation)?;
        if creation.outcome.is_none() {
            match creation.looks.checked_sub(1) {
                Some(left) => creation.looks = left,
                None => self.complete(creation),
            }
        }
        Ok(Reply::json(StatusCode::OK, &json!({"create_account_status": creation.tell()})))
    }

    pub(crate) fn list_creations(&self, incoming: &Incoming) -> Result<Reply, Refusal> {
        let wanted = states(incoming, &["in_progress", "succeeded", "failed"])?;
        let creations = lock(&self.creations);
        let numbered = creations.iter().enumerate();
        let rows = numbered
            .filter(|(_, creation)| wanted.is_empty() || wanted.contains(&creation.state()))
            .map(|(number, creation)| (format!("{number:010}"), creation.tell()));
        self.page_of(incoming, "create_account_statuses", rows.collect())
    }

    /// Ends a creation: the account comes into the world, below the root.
    fn complete(&self, creation: &mut Creation) {
        let mut world = lock(&self.world);
        let name = creation.account["name"].as_str().unwrap_or_default();
        let failure = match &self.rules.creation_failure {
            Some(failure) => Some(failure.clone()),
            None if is_taken(&world, name) => Some((NAME_TAKEN.to_owned(), format!("{name} is taken"))),
            None => None,
        };
        if failure.is_none() {
            let id = creation.account["id"].as_str().unwrap_or_default();
            self.tree.place(Id::from_hex(id), 0);
            world.make(creation.account.clone());
        }
        creation.outcome = Some(Outcome { completed_at: clock::now(), failure });
    }
}

fn is_taken(world: &World, name: &str) -> bool {
    (0..world.len()).any(|position| world.at(position)["name"] == name)
}

/// A date as the reference's examples have it.
pub(crate) fn date(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Invitations within a day.
const MAX_A_DAY: usize = 20;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long an invitation is open.
const OPEN_FOR: TimeDelta = TimeDelta::days(14);

impl Organization {
    pub(crate) fn invite(&self, incoming: &Incoming) -> Result<Reply, Refusal> {
        let body = Body::of(incoming)?;
        let target = body.object("target")?;
        let kind = target.required("type", 1, 64)?;
        let entity = target.required("entity", 1, 100)?;
        let notes = body.required("notes", 0, 1024)?;
        body.check_tags()?;
        let member = {
            let world = lock(&self.world);
            match kind {
                "account" => world.contains(entity),
                "name" => (0..world.len()).any(|position| world.at(position)["name"] == entity),
                _ => return Err(bad("type")),
            }
        };
        if member {
            return Err(Refusal::NotPossible("the account is in the organization already".to_owned()));
        }
        let mut sent = lock(&self.invitations);
        sent.retain(|at| at.elapsed() < DAY);
        if sent.len() >= MAX_A_DAY {
            return Err(Refusal::QuotaExceeded("invitations within 24 hours".to_owned()));
        }
        sent.push(Instant::now());
        let rng = &mut seed::rng(self.seed ^ 0x14F1, sent.len() as u64);
        let id = format!("h-{}", seed::word(rng, b"abcdefghijklmnopqrstuvwxyz0123456789", 32));
        let now = clock::now();
        let (management, organization) = (&self.keys.domain_id, self.accounts.organization());
        Ok(Reply::json(
            StatusCode::OK,
            &json!({"handshake": {
                "urn": format!("organizations::{management}:handshake:{organization}/invite/{id}"),
                "id": id,
                "status": "pending",
                "created_at": date(now),
                "updated_at": date(now),
                "expired_at": date(clock::now_ahead(OPEN_FOR)),
                "management_account_id": management,
                "management_account_name": "management",
                "organization_id": organization,
                "notes": notes,
                "target": {"type": kind, "entity": entity},
            }}),
        ))
    }
}
