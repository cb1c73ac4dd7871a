//! Creating, inviting, updating, closing, removing and moving accounts.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use http::StatusCode;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::HuaweiSite;
use super::api_error::ApiError;
use super::body::{JsonBody, bad_parameter};
use super::listing::{delegated_services, states, without_contact};
use super::routes::HuaweiState;
use crate::message::{SimRequest, SimResponse};
use crate::pipeline::lock;
use crate::world::{Id, World};
use crate::{clock, rng};

/// The maximum number of closures in progress.
const MAX_CLOSING: usize = 3;
/// The maximum number of closures within 30 days, for any number of accounts.
const MAX_CLOSURES: usize = 200;
/// The states of a closure, which are also statuses of its account.
const CLOSURE_STATES: [&str; 2] = ["pending_closure", "suspended"];

impl HuaweiState {
    /// Changes the description of an account.
    pub(crate) fn update(&self, request: &SimRequest, id: &str) -> Result<SimResponse, ApiError> {
        let body = JsonBody::parse(request)?;
        let description = body.text("description", 0, 4096)?;
        let mut world = lock(&self.world);
        if let Some(text) = description {
            world.update_from_request(id, |record| record["description"] = text.into());
        }
        let record = world.record(id).ok_or(ApiError::NoSuchAccount)?;
        Ok(SimResponse::json(StatusCode::OK, &json!({"account": without_contact(record)})))
    }

    /// Requests the closure of an account.
    pub(crate) fn close(&self, id: &str) -> Result<SimResponse, ApiError> {
        let mut closures = lock(&self.closures);
        let mut world = lock(&self.world);
        let record = world.record(id).ok_or(ApiError::NoSuchAccount)?;
        if closure_state(&record).is_some() {
            return Err(ApiError::BeingClosed);
        }
        let created =
            record["join_method"].as_str().is_some_and(|method| method.eq_ignore_ascii_case("created"));
        if !created {
            return Err(ApiError::NotPossible("only accounts that were created can be closed".to_owned()));
        }
        let is_closing = |id: &String| {
            world.record(id).is_some_and(|record| closure_state(&record) == Some("pending_closure"))
        };
        if closures.keys().filter(|id| is_closing(id)).count() >= MAX_CLOSING {
            return Err(ApiError::QuotaExceeded("concurrent closures".to_owned()));
        }
        if closures.len() >= world.len().div_ceil(10).min(MAX_CLOSURES) {
            return Err(ApiError::QuotaExceeded("closures within 30 days".to_owned()));
        }
        world.update_from_request(id, |record| record["status"] = "pending_closure".into());
        closures.insert(id.to_owned(), clock::now());
        Ok(SimResponse::empty(StatusCode::OK))
    }

    /// Lists the accounts that are being closed or are closed, including those generated with such a status.
    pub(crate) fn list_closures(&self, request: &SimRequest) -> Result<SimResponse, ApiError> {
        let requested = states(request, &CLOSURE_STATES)?;
        if requested.len() > CLOSURE_STATES.len() {
            return Err(bad_parameter("states"));
        }
        let closures = lock(&self.closures);
        let world = lock(&self.world);
        let records = (0..world.len()).map(|position| world.record_at(position));
        let rows = records.filter_map(|record| {
            let state = closure_state(&record)?;
            let matches = requested.is_empty() || requested.contains(&state);
            let at = record["id"].as_str().and_then(|id| closures.get(id)).copied();
            let at = at.map_or_else(|| record["joined_at"].clone(), |at| format_date(at).into());
            matches.then(|| {
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
        Ok(SimResponse::json(StatusCode::OK, &json!({"close_account_statuses": rows})))
    }

    /// Removes an account from the organization.
    pub(crate) fn remove(&self, id: &str) -> Result<SimResponse, ApiError> {
        let mut world = lock(&self.world);
        if !world.contains(id) {
            return Err(ApiError::NoSuchAccount);
        }
        if !delegated_services(&Id::from_hex(id)).is_empty() {
            return Err(ApiError::NotPossible("the account is a delegated administrator".to_owned()));
        }
        world.remove(id);
        Ok(SimResponse::empty(StatusCode::OK))
    }

    /// Moves an account to another parent.
    pub(crate) fn move_account(&self, request: &SimRequest, id: &str) -> Result<SimResponse, ApiError> {
        let body = JsonBody::parse(request)?;
        let source = self.parent_index(body.required("source_parent_id", 1, 100)?)?;
        let destination = self.parent_index(body.required("destination_parent_id", 1, 100)?)?;
        if !lock(&self.world).contains(id) {
            return Err(ApiError::NoSuchAccount);
        }
        let id = Id::from_hex(id);
        if self.tree.parent_index(&id) != source {
            return Err(ApiError::NotPossible("the account is not in the source parent".to_owned()));
        }
        self.tree.set_parent(id, destination);
        Ok(SimResponse::empty(StatusCode::OK))
    }
}

/// Returns the closure state that corresponds to the account's status.
fn closure_state(record: &Value) -> Option<&'static str> {
    let status = record["status"].as_str()?;
    CLOSURE_STATES.into_iter().find(|state| state.eq_ignore_ascii_case(status))
}

/// The maximum number of creations in progress.
const MAX_CREATIONS: usize = 5;
/// The failure reason of a creation with a duplicate name.
const NAME_TAKEN: &str = "account_name_already_exists";

/// A requested creation of an account.
#[derive(Clone, Debug)]
pub(crate) struct Creation {
    id: String,
    /// The account to create.
    account: Value,
    created_at: DateTime<Utc>,
    /// For how many more polls the creation is in progress.
    remaining_polls: u32,
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

    /// Returns the creation as in a response.
    fn to_json(&self) -> Value {
        let failure = self.outcome.as_ref().and_then(|outcome| outcome.failure.as_ref());
        let account_id = if self.state() == "succeeded" { self.account["id"].clone() } else { Value::Null };
        json!({
            "id": self.id,
            "state": self.state(),
            "account_id": account_id,
            "account_name": self.account["name"],
            "created_at": format_date(self.created_at),
            "completed_at": self.outcome.as_ref().map(|outcome| format_date(outcome.completed_at)),
            "failure_reason": failure.map(|(reason, _)| reason),
            "failure_detail_msg": failure.map(|(_, detail)| json!({"error_msg": detail})),
        })
    }
}

impl HuaweiState {
    /// Requests the creation of an account, with contact information (v1) or without (v2).
    pub(crate) fn create(&self, request: &SimRequest, with_contact: bool) -> Result<SimResponse, ApiError> {
        let body = JsonBody::parse(request)?;
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
                HuaweiSite::International => email.ok_or_else(|| bad_parameter("email"))?,
                HuaweiSite::China => phone.ok_or_else(|| bad_parameter("phone"))?,
            };
            for (name, text) in [("email", email), ("mobile_phone", phone)] {
                account.extend(text.map(|text| (name.to_owned(), text.into())));
            }
        }
        if self.rules.account_quota.is_some_and(|max| lock(&self.world).len() >= max) {
            return Err(ApiError::QuotaExceeded("member accounts".to_owned()));
        }
        let mut creations = lock(&self.creations);
        let in_progress = creations.iter().filter(|creation| creation.outcome.is_none()).count();
        if in_progress >= MAX_CREATIONS {
            return Err(ApiError::QuotaExceeded("concurrent creations".to_owned()));
        }
        let rng = &mut rng::seeded(self.seed ^ 0xC4EA, creations.len() as u64);
        let (now, id) = (clock::now(), rng::hex_id(rng));
        account.insert("urn".to_owned(), self.accounts.urn(&id).into());
        account.insert("id".to_owned(), id.into());
        account.insert("join_method".to_owned(), "created".into());
        account.insert("status".to_owned(), "active".into());
        account.insert("joined_at".to_owned(), format_date(now).into());
        let suffix = rng::string(rng, b"abcdefghijklmnopqrstuvwxyz0123456789", 32);
        let mut creation = Creation {
            id: format!("car-{suffix}"),
            account: Value::Object(account),
            created_at: now,
            remaining_polls: self.rules.creation_polls,
            outcome: None,
        };
        if creation.remaining_polls == 0 {
            self.complete(&mut creation);
        }
        let status = creation.to_json();
        creations.push(creation);
        Ok(SimResponse::json(StatusCode::ACCEPTED, &json!({"create_account_status": status})))
    }

    /// Returns the status of a creation, and counts the poll.
    pub(crate) fn get_creation(&self, id: &str) -> Result<SimResponse, ApiError> {
        let mut creations = lock(&self.creations);
        let creation = creations.iter_mut().find(|creation| creation.id == id);
        let creation = creation.ok_or(ApiError::NoSuchCreation)?;
        if creation.outcome.is_none() {
            match creation.remaining_polls.checked_sub(1) {
                Some(remaining) => creation.remaining_polls = remaining,
                None => self.complete(creation),
            }
        }
        Ok(SimResponse::json(StatusCode::OK, &json!({"create_account_status": creation.to_json()})))
    }

    /// Lists the creations by state.
    pub(crate) fn list_creations(&self, request: &SimRequest) -> Result<SimResponse, ApiError> {
        let requested = states(request, &["in_progress", "succeeded", "failed"])?;
        let creations = lock(&self.creations);
        let numbered = creations.iter().enumerate();
        let rows = numbered
            .filter(|(_, creation)| requested.is_empty() || requested.contains(&creation.state()))
            .map(|(number, creation)| (format!("{number:010}"), creation.to_json()));
        self.json_page(request, "create_account_statuses", rows.collect())
    }

    /// Completes a creation: inserts the account under the root, or fails.
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
            self.tree.set_parent(Id::from_hex(id), 0);
            world.insert_from_request(creation.account.clone());
        }
        creation.outcome = Some(Outcome { completed_at: clock::now(), failure });
    }
}

fn is_taken(world: &World, name: &str) -> bool {
    (0..world.len()).any(|position| world.record_at(position)["name"] == name)
}

/// Formats a date as in the examples of the reference.
pub(crate) fn format_date(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The maximum number of invitations in 24 hours.
const MAX_INVITATIONS: usize = 20;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long an invitation is valid.
const INVITATION_VALIDITY: TimeDelta = TimeDelta::days(14);

impl HuaweiState {
    /// Invites an account.
    pub(crate) fn invite(&self, request: &SimRequest) -> Result<SimResponse, ApiError> {
        let body = JsonBody::parse(request)?;
        let target = body.object("target")?;
        let kind = target.required("type", 1, 64)?;
        let entity = target.required("entity", 1, 100)?;
        let notes = body.required("notes", 0, 1024)?;
        body.check_tags()?;
        let is_member = {
            let world = lock(&self.world);
            match kind {
                "account" => world.contains(entity),
                "name" => (0..world.len()).any(|position| world.record_at(position)["name"] == entity),
                _ => return Err(bad_parameter("type")),
            }
        };
        if is_member {
            return Err(ApiError::NotPossible("the account is in the organization already".to_owned()));
        }
        let mut sent = lock(&self.invitations);
        sent.retain(|at| at.elapsed() < DAY);
        if sent.len() >= MAX_INVITATIONS {
            return Err(ApiError::QuotaExceeded("invitations within 24 hours".to_owned()));
        }
        sent.push(Instant::now());
        let rng = &mut rng::seeded(self.seed ^ 0x14F1, sent.len() as u64);
        let id = format!("h-{}", rng::string(rng, b"abcdefghijklmnopqrstuvwxyz0123456789", 32));
        let now = clock::now();
        let (management, organization) = (&self.credentials.domain_id, self.accounts.organization());
        Ok(SimResponse::json(
            StatusCode::OK,
            &json!({"handshake": {
                "urn": format!("organizations::{management}:handshake:{organization}/invite/{id}"),
                "id": id,
                "status": "pending",
                "created_at": format_date(now),
                "updated_at": format_date(now),
                "expired_at": format_date(clock::now_plus(INVITATION_VALIDITY)),
                "management_account_id": management,
                "management_account_name": "management",
                "organization_id": organization,
                "notes": notes,
                "target": {"type": kind, "entity": entity},
            }}),
        ))
    }
}
