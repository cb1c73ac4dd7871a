//! Accounts that are being created: each takes a few looks, and comes into the world or fails.

use chrono::{DateTime, SecondsFormat, Utc};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::body::{Body, bad};
use super::builder::HuaweiSite;
use super::paging::states;
use super::refusal::Refusal;
use super::routes::Organization;
use crate::exchange::{Incoming, Reply};
use crate::gate::lock;
use crate::key::Id;
use crate::world::World;
use crate::{clock, seed};

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
