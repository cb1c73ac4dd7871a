//! Annature accounts made from a seed.

use chrono::{DateTime, SecondsFormat};
use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::cursor::{UNDATED, millis, rank};
use crate::seed::{one_in, pick};
use crate::world::{Id, Key, Recipe};
use crate::{names, seed};

/// Seconds since 1970 of the oldest account.
const FIRST: i64 = 1_546_300_800;
/// The time over which accounts were made, in seconds.
const SPAN: i64 = 240_000_000;
const ZONES: [&str; 7] = ["+10:00", "+10:30", "+08:00", "+00:00", "-03:30", "+05:45", "-11:00"];

#[derive(Clone, Debug)]
pub(crate) struct Accounts {
    seed: u64,
    organisations: Vec<String>,
    groups: Vec<String>,
}

impl Accounts {
    /// The caller's own organisation.
    pub(crate) fn own(seed: u64) -> Self {
        Self::of(seed::mix(seed ^ 0xA77A), 1)
    }

    /// The organisations that the partner has provisioned.
    pub(crate) fn partner(seed: u64) -> Self {
        Self::of(seed::mix(seed ^ 0xBA27), 5)
    }

    fn of(seed: u64, organisations: usize) -> Self {
        let rng = &mut seed::rng(seed, u64::MAX);
        let organisations = (0..organisations).map(|_| seed::hex_id(rng)).collect();
        Self { seed, organisations, groups: (0..6).map(|_| seed::hex_id(rng)).collect() }
    }

    /// The first organisation.
    pub(crate) fn organisation(&self) -> String {
        self.organisations.first().cloned().unwrap_or_default()
    }

    fn begin(&self, index: u32) -> ([u8; 16], Rng) {
        let mut rng = seed::rng(self.seed, u64::from(index));
        (seed::bytes(&mut rng), rng)
    }

    /// When an account was made, in milliseconds. Live timestamps have whole seconds, with or without
    /// `.000`; one account in eight has real milliseconds, and every other one shares its second with up to
    /// three more, as after an import.
    fn created(&self, index: u32) -> i64 {
        let alone = index.is_multiple_of(2);
        let lot = if alone { u64::from(index) << 32 } else { u64::from(index / 8) };
        let rng = &mut seed::rng(self.seed ^ 0xC4EA, lot);
        let seconds = FIRST + rng.i64(0..SPAN);
        let millis = if alone && one_in(rng, 4) { rng.i64(0..1000) } else { 0 };
        seconds * 1000 + millis
    }
}

impl Recipe for Accounts {
    fn id_field(&self) -> &'static str {
        "id"
    }

    fn key(&self, index: u32) -> Key {
        Key { rank: rank(self.created(index)), id: Id::Hex(self.begin(index).0) }
    }

    fn rank(&self, record: &Value) -> i64 {
        record.get("created").and_then(Value::as_str).and_then(millis).map_or(UNDATED, rank)
    }

    fn document(&self, record: &mut Map<String, Value>) {
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
        let (id, mut rng) = self.begin(index);
        let rng = &mut rng;
        let created = self.created(index);
        let mut account = Map::new();
        let mut set = |name: &str, value: Value| {
            account.insert(name.to_owned(), value);
        };
        let (name, login) = names::person(rng);
        set("id", json!(hex::encode(id)));
        set("name", json!(name));
        // An address belongs to one account only.
        set("email", json!(format!("{login}.{index}@example.com.au")));
        match rng.u8(..8) {
            0 => set("number", Value::Null),
            1 => {}
            2 => set("number", json!("1300 000 000")),
            _ => set("number", json!(format!("04{:08}", rng.u32(..100_000_000)))),
        }
        if !one_in(rng, 40) {
            set("timezone", if one_in(rng, 40) { Value::Null } else { pick(rng, &ZONES).into() });
        }
        set("role", pick(rng, &["standard", "standard", "standard", "administrator", "read-only"]).into());
        if one_in(rng, 60) {
            set("role", pick(rng, &["owner", "Administrator"]).into());
        }
        if !one_in(rng, 80) {
            set("active", json!(!one_in(rng, 6)));
        }
        let group = self.groups.get(rng.usize(..self.groups.len().max(1)));
        set("group_id", json!(group.filter(|_| !one_in(rng, 3))));
        if !one_in(rng, 50) {
            let at = rng.usize(..self.organisations.len().max(1));
            set("organisation_id", json!(self.organisations.get(at)));
        }
        let text = timestamp(rng, created);
        set("created", json!(text));
        let verified = created + rng.i64(1_000..86_400_000) / 1000 * 1000;
        let verified = timestamp(rng, verified);
        set("verified", if one_in(rng, 5) { Value::Null } else { json!(verified) });
        if one_in(rng, 20) {
            set("sim_unannounced", json!({"avatar": null, "two_factor": true}));
        }
        Value::Object(account)
    }
}

/// With milliseconds, as live answers have it, or without, as the reference does.
fn timestamp(rng: &mut Rng, millis: i64) -> String {
    let at = DateTime::from_timestamp_millis(millis).unwrap_or_default();
    let whole = millis % 1000 == 0 && one_in(rng, 2);
    at.to_rfc3339_opts(if whole { SecondsFormat::Secs } else { SecondsFormat::Millis }, true)
}
