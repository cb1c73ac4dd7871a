//! `POST /v1/organizations/accounts/invite`.

use std::time::Duration;

use chrono::TimeDelta;
use http::StatusCode;
use serde_json::json;
use tokio::time::Instant;

use super::body::{Body, bad};
use super::creations::date;
use super::refusal::Refusal;
use super::routes::Organization;
use crate::exchange::{Incoming, Reply};
use crate::gate::lock;
use crate::{clock, seed};

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
