//! Generated Huawei accounts, and the organization tree.

use std::collections::BTreeMap;
use std::sync::Mutex;

use chrono::{DateTime, SecondsFormat};
use fastrand::Rng;
use serde_json::{Map, Value, json};

use crate::pipeline::lock;
use crate::rng::{chance, pick, pick_or_unknown};
use crate::world::{Id, RecordGenerator, SortKey};
use crate::{names, rng};

/// When the first account joined, as a Unix timestamp in seconds.
const FIRST: i64 = 1_640_995_200;
/// The period in which accounts joined, in seconds.
const SPAN: i64 = 150_000_000;

/// The root, the organizational units below it, and the parents of accounts.
#[derive(Debug)]
pub(crate) struct Tree {
    parents: Vec<String>,
    /// The parents of accounts that were created or moved by a request.
    assigned: Mutex<BTreeMap<Id, usize>>,
}

impl Tree {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = rng::seeded(seed, 0x7EE);
        let mut id = |kind: &str| {
            let alphabet = b"abcdefghijklmnopqrstuvwxyz0123456789";
            format!("{kind}-{}", rng::string(&mut rng, alphabet, 32))
        };
        let mut parents = vec![id("r")];
        parents.extend((0..4).map(|_| id("ou")));
        Self { parents, assigned: Mutex::default() }
    }

    pub(crate) fn parents(&self) -> &[String] {
        &self.parents
    }

    /// Returns the index of an account's parent.
    ///
    /// Unless it was assigned, it is derived from the id. About 3 in 8 accounts are under the root, and the
    /// last unit has the fewest.
    pub(crate) fn parent_index(&self, id: &Id) -> usize {
        if let Some(index) = lock(&self.assigned).get(id) {
            return *index;
        }
        match id.hash() % 16 {
            0..6 => 0,
            6..10 => 1,
            10..13 => 2,
            13..15 => 3,
            _ => 4,
        }
    }

    /// Assigns a parent to an account.
    pub(crate) fn set_parent(&self, id: Id, parent: usize) {
        lock(&self.assigned).insert(id, parent);
    }

    /// Returns the id of an account's parent.
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
        let organization =
            rng::string(&mut rng::seeded(seed, 0x0), b"abcdefghijklmnopqrstuvwxyz0123456789", 32);
        Self {
            seed: rng::mix(seed ^ 0x4857),
            management_account: management_account.to_owned(),
            organization: format!("o-{organization}"),
        }
    }

    /// Returns the organization's id.
    pub(crate) fn organization(&self) -> &str {
        &self.organization
    }

    /// Returns the URN of an account.
    pub(crate) fn urn(&self, id: &str) -> String {
        format!("organizations::{}:account:{}/{id}", self.management_account, self.organization)
    }

    /// Returns the id of an account, and the generator of its other fields.
    fn id_and_rng(&self, index: u32) -> ([u8; 16], Rng) {
        let mut rng = rng::seeded(self.seed, u64::from(index));
        (rng::bytes(&mut rng), rng)
    }

    /// Returns when an account joined. The reference only shows `…Z`. One date in fifty has another of the
    /// formats that the vendor's Go SDK parses.
    fn joined_at(&self, index: u32, rng: &mut Rng) -> String {
        let group = if index.is_multiple_of(2) { u64::from(index) << 32 } else { u64::from(index / 8) };
        let seconds = FIRST + rng::seeded(self.seed ^ 0x101, group).i64(0..SPAN);
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

impl RecordGenerator for Accounts {
    fn id_field(&self) -> &'static str {
        "id"
    }

    fn key(&self, index: u32) -> SortKey {
        SortKey::by_id(Id::Hex(self.id_and_rng(index).0))
    }

    fn strip_undocumented(&self, record: &mut Map<String, Value>) {
        record.retain(|name, value| !value.is_null() && name != "sim_unannounced");
        for (name, unknown, documented) in
            [("join_method", "imported", "invited"), ("status", "under_review", "active")]
        {
            if let Some(Value::String(value)) = record.get_mut(name) {
                *value = if value == unknown { documented.to_owned() } else { value.to_lowercase() };
            }
        }
        if let Some(Value::String(at)) = record.get_mut("joined_at") {
            *at = format!("{}Z", at.get(..19).unwrap_or_default().replace(' ', "T"));
        }
    }

    fn record(&self, index: u32) -> Value {
        let (id, mut rng) = self.id_and_rng(index);
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
            pick_or_unknown(rng, &["invited", "invited", "created", "created", "CREATED"], "imported").into(),
        );
        if let Some(status) = status(rng) {
            set("status", status);
        }
        if !chance(rng, 100) {
            set("joined_at", json!(self.joined_at(index, rng)));
        }
        let name = match rng.u8(..4) {
            0 => format!("paas_iam_{index}"),
            1 => format!("{}-{index}", names::company(rng)),
            _ => format!("{} {index}", names::team(rng)),
        };
        set("name", json!(name));
        if !chance(rng, 3) {
            let phone = format!("1{:010}", rng.u64(..10_000_000_000));
            set("mobile_phone", if chance(rng, 10) { Value::Null } else { json!(phone) });
            set("intl_number_prefix", pick(rng, &["0086", "0049", "+1", ""]).into());
            set("email", json!(names::employee_email(index)));
        }
        match rng.u8(..6) {
            0 => set("description", Value::Null),
            1 => set("description", json!("")),
            2 => set("description", json!(format!("{} – {}", names::person(rng).0, names::team(rng)))),
            _ => {}
        }
        if chance(rng, 20) {
            set("sim_unannounced", json!(["a", 1, null]));
        }
        Value::Object(account)
    }
}

/// Returns a status in one of the two spellings that the vendor has used, none, null, or an undocumented one.
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
