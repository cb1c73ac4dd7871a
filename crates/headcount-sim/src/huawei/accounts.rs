//! Huawei accounts made from a seed, and the tree they hang in.

use std::collections::BTreeMap;
use std::sync::Mutex;

use chrono::{DateTime, SecondsFormat};
use fastrand::Rng;
use serde_json::{Map, Value, json};

use crate::gate::lock;
use crate::seed::{one_in, pick, pick_or};
use crate::world::{Id, Key, Recipe};
use crate::{names, seed};

/// Seconds since 1970 of the day the first account joined.
const FIRST: i64 = 1_640_995_200;
/// The time over which accounts joined, in seconds.
const SPAN: i64 = 150_000_000;

/// The root and the organizational units below it, and which of them an account hangs under.
#[derive(Debug)]
pub(crate) struct Tree {
    parents: Vec<String>,
    /// Accounts that were put where they would not be of themselves.
    placed: Mutex<BTreeMap<Id, usize>>,
}

impl Tree {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = seed::rng(seed, 0x7EE);
        let mut id = |kind: &str| {
            let alphabet = b"abcdefghijklmnopqrstuvwxyz0123456789";
            format!("{kind}-{}", seed::word(&mut rng, alphabet, 32))
        };
        let mut parents = vec![id("r")];
        parents.extend((0..4).map(|_| id("ou")));
        Self { parents, placed: Mutex::default() }
    }

    pub(crate) fn parents(&self) -> &[String] {
        &self.parents
    }

    /// Which parent an account hangs under. Unless it was placed, that follows from the id, so that nothing
    /// need be kept: about three in eight are under the root, the last unit has fewest.
    pub(crate) fn parent_index(&self, id: &Id) -> usize {
        if let Some(index) = lock(&self.placed).get(id) {
            return *index;
        }
        match id.spread() % 16 {
            0..6 => 0,
            6..10 => 1,
            10..13 => 2,
            13..15 => 3,
            _ => 4,
        }
    }

    /// Puts an account under a parent.
    pub(crate) fn place(&self, id: Id, parent: usize) {
        lock(&self.placed).insert(id, parent);
    }

    pub(crate) fn parent_of(&self, id: &Id) -> &str {
        self.parents.get(self.parent_index(id)).map_or("", String::as_str)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Accounts {
    seed: u64,
    management_account: String,
    organization: String,
}

impl Accounts {
    pub(crate) fn new(seed: u64, management_account: &str) -> Self {
        let organization = seed::word(&mut seed::rng(seed, 0x0), b"abcdefghijklmnopqrstuvwxyz0123456789", 32);
        Self {
            seed: seed::mix(seed ^ 0x4857),
            management_account: management_account.to_owned(),
            organization: format!("o-{organization}"),
        }
    }

    /// The organization's id.
    pub(crate) fn organization(&self) -> &str {
        &self.organization
    }

    /// The resource name of an account.
    pub(crate) fn urn(&self, id: &str) -> String {
        format!("organizations::{}:account:{}/{id}", self.management_account, self.organization)
    }

    fn begin(&self, index: u32) -> ([u8; 16], Rng) {
        let mut rng = seed::rng(self.seed, u64::from(index));
        (seed::bytes(&mut rng), rng)
    }

    /// The day an account joined. The reference only shows `…Z`; one in fifty is in another of the layouts
    /// that the vendor's Go SDK reads.
    fn joined_at(&self, index: u32, rng: &mut Rng) -> String {
        let lot = if index.is_multiple_of(2) { u64::from(index) << 32 } else { u64::from(index / 8) };
        let seconds = FIRST + seed::rng(self.seed ^ 0x101, lot).i64(0..SPAN);
        let at = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
        match rng.u8(..200) {
            0 => at.format("%Y-%m-%d %H:%M:%S").to_string(),
            1 => at.format("%Y-%m-%dT%H:%M:%S").to_string(),
            2 => at.format("%Y-%m-%dT%H:%M:%S+08:00").to_string(),
            3 => at.to_rfc3339_opts(SecondsFormat::Millis, true),
            _ => at.to_rfc3339_opts(SecondsFormat::Secs, true),
        }
    }
}

impl Recipe for Accounts {
    fn id_field(&self) -> &'static str {
        "id"
    }

    fn key(&self, index: u32) -> Key {
        Key::by_id(Id::Hex(self.begin(index).0))
    }

    fn document(&self, record: &mut Map<String, Value>) {
        record.retain(|name, value| !value.is_null() && name != "sim_unannounced");
        for (name, unknown, known) in
            [("join_method", "imported", "invited"), ("status", "under_review", "active")]
        {
            if let Some(Value::String(word)) = record.get_mut(name) {
                *word = if word == unknown { known.to_owned() } else { word.to_lowercase() };
            }
        }
        if let Some(Value::String(at)) = record.get_mut("joined_at") {
            *at = format!("{}Z", at.get(..19).unwrap_or_default().replace(' ', "T"));
        }
    }

    fn record(&self, index: u32) -> Value {
        let (id, mut rng) = self.begin(index);
        let rng = &mut rng;
        let id = hex::encode(id);
        let mut account = Map::new();
        let mut set = |name: &str, value: Value| {
            account.insert(name.to_owned(), value);
        };
        set("urn", json!(self.urn(&id)));
        set("id", json!(id));
        set(
            "join_method",
            pick_or(rng, &["invited", "invited", "created", "created", "CREATED"], "imported").into(),
        );
        if let Some(status) = status(rng) {
            set("status", status);
        }
        if !one_in(rng, 100) {
            set("joined_at", json!(self.joined_at(index, rng)));
        }
        let name = match rng.u8(..4) {
            0 => format!("paas_iam_{index}"),
            1 => format!("{}-{index}", names::company(rng)),
            _ => format!("{} {index}", names::team(rng)),
        };
        set("name", json!(name));
        if !one_in(rng, 3) {
            let phone = format!("1{:010}", rng.u64(..10_000_000_000));
            set("mobile_phone", if one_in(rng, 10) { Value::Null } else { json!(phone) });
            set("intl_number_prefix", pick(rng, &["0086", "0049", "+1", ""]).into());
            let (_, login) = names::person(rng);
            set("email", json!(format!("{login}.{index}@example.com")));
        }
        match rng.u8(..6) {
            0 => set("description", Value::Null),
            1 => set("description", json!("")),
            2 => set("description", json!(format!("{} – {}", names::person(rng).0, names::team(rng)))),
            _ => {}
        }
        if one_in(rng, 20) {
            set("sim_unannounced", json!(["a", 1, null]));
        }
        Value::Object(account)
    }
}

/// Statuses of both spellings that the vendor has used, of none, and of one it may yet invent.
fn status(rng: &mut Rng) -> Option<Value> {
    let status = match rng.u8(..40) {
        0..18 => "active",
        18..26 => "ACTIVE",
        26..28 => "suspended",
        28..30 => "SUSPENDED",
        30..32 => "pending_closure",
        32..34 => "PENDING_CLOSURE",
        34 => "under_review",
        35 => return Some(Value::Null),
        _ => return None,
    };
    Some(status.into())
}
