//! Generated Annature accounts.

use chrono::{DateTime, SecondsFormat};
use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::cursor::{UNDATED, millis, rank};
use crate::rng::{chance, pick};
use crate::world::{Id, RecordGenerator, SortKey};
use crate::{names, rng};

/// When the oldest account was created, as a Unix timestamp in seconds.
const FIRST: i64 = 1_546_300_800;
/// The period in which accounts were created, in seconds.
const SPAN: i64 = 240_000_000;
const ZONES: [&str; 7] = ["+10:00", "+10:30", "+08:00", "+00:00", "-03:30", "+05:45", "-11:00"];

#[derive(Clone, Debug)]
pub(crate) struct Accounts {
    seed: u64,
    organisations: Vec<String>,
    groups: Vec<String>,
}

impl Accounts {
    /// Generates the accounts of the caller's own organisation.
    pub(crate) fn own(seed: u64) -> Self {
        Self::with_organisations(rng::mix(seed ^ 0xA77A), 1)
    }

    /// Generates the accounts of the organisations that the partner provisioned.
    pub(crate) fn partner(seed: u64) -> Self {
        Self::with_organisations(rng::mix(seed ^ 0xBA27), 5)
    }

    fn with_organisations(seed: u64, organisations: usize) -> Self {
        let rng = &mut rng::seeded(seed, u64::MAX);
        let organisations = (0..organisations).map(|_| rng::hex_id(rng)).collect();
        Self { seed, organisations, groups: (0..6).map(|_| rng::hex_id(rng)).collect() }
    }

    /// Returns the id of the first organisation.
    pub(crate) fn organisation(&self) -> String {
        self.organisations.first().cloned().unwrap_or_default()
    }

    /// Returns the id of an account, and the generator of its other fields.
    fn id_and_rng(&self, index: u32) -> ([u8; 16], Rng) {
        let mut rng = rng::seeded(self.seed, u64::from(index));
        (rng::bytes(&mut rng), rng)
    }

    /// Returns when an account was created, in milliseconds.
    ///
    /// Live timestamps are whole seconds, with or without `.000`. One account in eight has milliseconds, and
    /// every other one shares its second with up to three more, as after an import.
    fn created(&self, index: u32) -> i64 {
        let unique = index.is_multiple_of(2);
        let group = if unique { u64::from(index) << 32 } else { u64::from(index / 8) };
        let rng = &mut rng::seeded(self.seed ^ 0xC4EA, group);
        let seconds = FIRST + rng.i64(0..SPAN);
        let millis = if unique && chance(rng, 4) { rng.i64(0..1000) } else { 0 };
        seconds * 1000 + millis
    }
}

impl RecordGenerator for Accounts {
    fn id_field(&self) -> &'static str {
        "id"
    }

    fn key(&self, index: u32) -> SortKey {
        SortKey { rank: rank(self.created(index)), id: Id::Hex(self.id_and_rng(index).0) }
    }

    fn rank(&self, record: &Value) -> i64 {
        record.get("created").and_then(Value::as_str).and_then(millis).map_or(UNDATED, rank)
    }

    fn strip_undocumented(&self, record: &mut Map<String, Value>) {
        let nullable = ["group_id", "verified"];
        record.retain(|name, value| {
            (!value.is_null() || nullable.contains(&name.as_str())) && name != "sim_unannounced"
        });
        match record.get_mut("role") {
            Some(role) if *role == "Administrator" => *role = json!("administrator"),
            Some(role) if *role == "owner" => *role = json!("standard"),
            _ => {}
        }
    }

    fn record(&self, index: u32) -> Value {
        let (id, mut rng) = self.id_and_rng(index);
        let rng = &mut rng;
        let created = self.created(index);
        let mut account = Map::new();
        let mut set = |name: &str, value: Value| {
            account.insert(name.to_owned(), value);
        };
        let (name, login) = names::employee(index);
        set("id", json!(hex::encode(id)));
        set("name", json!(name));
        // Email addresses are unique. Some people are not employees.
        let is_employee = !index.is_multiple_of(4);
        let other = || format!("{login}.{index}@example.com.au");
        set("email", json!(if is_employee { names::employee_email(index) } else { other() }));
        match rng.u8(..8) {
            0 => set("number", Value::Null),
            1 => {}
            2 => set("number", json!("1300 000 000")),
            _ => set("number", json!(format!("04{:08}", rng.u32(..100_000_000)))),
        }
        if !chance(rng, 40) {
            set("timezone", if chance(rng, 40) { Value::Null } else { pick(rng, &ZONES).into() });
        }
        set("role", pick(rng, &["standard", "standard", "standard", "administrator", "read-only"]).into());
        if chance(rng, 60) {
            set("role", pick(rng, &["owner", "Administrator"]).into());
        }
        if !chance(rng, 80) {
            set("active", json!(!chance(rng, 6)));
        }
        let group = self.groups.get(rng.usize(..self.groups.len().max(1)));
        set("group_id", json!(group.filter(|_| !chance(rng, 3))));
        if !chance(rng, 50) {
            let at = rng.usize(..self.organisations.len().max(1));
            set("organisation_id", json!(self.organisations.get(at)));
        }
        let text = timestamp(rng, created);
        set("created", json!(text));
        let verified = created + rng.i64(1_000..86_400_000) / 1000 * 1000;
        let verified = timestamp(rng, verified);
        set("verified", if chance(rng, 5) { Value::Null } else { json!(verified) });
        if chance(rng, 20) {
            set("sim_unannounced", json!({"avatar": null, "two_factor": true}));
        }
        Value::Object(account)
    }
}

/// Formats a timestamp with milliseconds, as in live responses, or without, as in the reference.
fn timestamp(rng: &mut Rng, millis: i64) -> String {
    let at = DateTime::from_timestamp_millis(millis).unwrap_or_default();
    let whole = millis % 1000 == 0 && chance(rng, 2);
    at.to_rfc3339_opts(if whole { SecondsFormat::Secs } else { SecondsFormat::Millis }, true)
}
