//! `SailPoint` accounts made from a seed.

use chrono::{DateTime, SecondsFormat};
use fastrand::Rng;
use serde_json::{Map, Value, json};

use crate::seed::{one_in, pick};
use crate::world::{Id, Key, Recipe};
use crate::{names, seed};

/// Milliseconds since 1970 of the first aggregation.
const FIRST: i64 = 1_430_000_000_000;
/// The time over which accounts came in, in milliseconds.
const SPAN: i64 = 350_000_000_000;

#[derive(Clone, Debug)]
pub(crate) struct Accounts {
    seed: u64,
    sources: Sources,
}

impl Accounts {
    pub(crate) fn new(seed: u64, sources: Sources) -> Self {
        Self { seed: seed::mix(seed ^ 0x5A11), sources }
    }

    fn begin(&self, index: u32) -> ([u8; 16], Rng) {
        let mut rng = seed::rng(self.seed, u64::from(index));
        (seed::bytes(&mut rng), rng)
    }

    /// When an account came in, in milliseconds. Every other one came with an aggregation, at the same
    /// instant as up to fifteen more, on a whole second.
    fn created(&self, index: u32) -> i64 {
        let alone = index.is_multiple_of(2);
        let lot = if alone { u64::from(index) << 32 } else { u64::from(index / 32) };
        let millis = FIRST + seed::rng(self.seed ^ 0xC4EA, lot).i64(0..SPAN);
        if alone { millis } else { millis / 1000 * 1000 }
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
        as_in_beta(record);
        record.remove("type");
        record.remove("simUnannounced");
        // One part of its schema allows null, the other does not.
        record.retain(|name, value| name != "recommendation" || !value.is_null());
        if let Some(origin) = record.get_mut("origin").filter(|origin| **origin == "IMPORTED") {
            *origin = json!("AGGREGATED");
        }
    }

    fn record(&self, index: u32) -> Value {
        let (id, mut rng) = self.begin(index);
        let rng = &mut rng;
        let created = self.created(index);
        let mut account = Map::new();
        account.insert("id".to_owned(), json!(hex::encode(id)));
        account.insert("created".to_owned(), json!(timestamp(created)));
        let modified = created + rng.i64(0..30_000_000_000);
        let modified = if one_in(rng, 25) { Value::Null } else { json!(timestamp(modified)) };
        account.insert("modified".to_owned(), modified);
        if let Some(source) = self.sources.pick(rng) {
            told_by_source(&mut account, source);
        }
        let (person, login) = names::person(rng);
        told_by_account(&mut account, rng, person, login, index);
        told_by_identity(&mut account, rng, person);
        account.insert("attributes".to_owned(), attributes(rng, person, login, index));
        if one_in(rng, 20) {
            account.insert("simUnannounced".to_owned(), json!({"score": 0.5, "tags": ["a", null]}));
        }
        Value::Object(account)
    }
}

/// Takes out of a record what beta's file does not allow, which all other versions' files allow less of.
pub(super) fn as_in_beta(record: &mut Map<String, Value>) {
    let not_nullable = ["modified", "identityId", "sourceOwner", "ownerIdentity"];
    record.retain(|name, value| !value.is_null() || !not_nullable.contains(&name.as_str()));
    if let Some(recommended) = record.get_mut("recommendation")
        && recommended["type"] == "AGENT"
    {
        recommended["type"] = json!("MACHINE");
    }
}

/// Samples have both forms.
pub(super) fn timestamp(millis: i64) -> String {
    DateTime::from_timestamp_millis(millis).unwrap_or_default().to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

pub(super) fn told_by_source(account: &mut Map<String, Value>, source: &Source) {
    account.insert("sourceId".to_owned(), json!(source.id));
    account.insert("sourceName".to_owned(), json!(source.name));
    account.insert("features".to_owned(), json!(source.features));
    account.insert("connectionType".to_owned(), json!(source.connection_type));
    account.insert("authoritative".to_owned(), json!(source.authoritative));
    account.insert("systemAccount".to_owned(), json!(source.name == Some("IdentityNow")));
    account.insert("sourceOwner".to_owned(), source.owner.clone());
}

fn told_by_account(account: &mut Map<String, Value>, rng: &mut Rng, person: &str, login: &str, index: u32) {
    let mut set = |name: &str, value: Value| {
        account.insert(name.to_owned(), value);
    };
    set("name", if one_in(rng, 30) { Value::Null } else { json!(format!("{login}.{index}")) });
    let native = match rng.u8(..3) {
        0 => format!("{index}"),
        1 => format!("{login}{index}@example.com"),
        _ => format!("CN={} {index},OU=Ünits\\, all,DC=example,DC=com", person.replace(',', "\\,")),
    };
    set("nativeIdentity", json!(native));
    let uuid = seed::uuid(rng);
    set("uuid", if one_in(rng, 4) { Value::Null } else { json!(format!("{{{uuid}}}")) });
    let description = json!(format!("{person}\n{}", names::team(rng)));
    set("description", if one_in(rng, 2) { Value::Null } else { description });
    set("disabled", json!(one_in(rng, 8)));
    set("locked", json!(one_in(rng, 12)));
    set("hasEntitlements", json!(!one_in(rng, 3)));
    set("origin", pick(rng, &[Some("AGGREGATED"), Some("AGGREGATED"), Some("PROVISIONED"), None]).into());
    if one_in(rng, 100) {
        set("origin", json!("IMPORTED"));
    }
    let machine = one_in(rng, 10);
    if !one_in(rng, 5) {
        set("isMachine", json!(machine));
    }
    if one_in(rng, 40) {
        // Gone from the specification, still seen.
        set("type", if one_in(rng, 2) { json!("NON_HUMAN") } else { Value::Null });
    }
    let owner = json!({
        "type": pick(rng, &["IDENTITY", "GOVERNANCE_GROUP"]),
        "id": seed::hex_id(rng),
        "name": names::person(rng).0,
    });
    set("ownerIdentity", if machine { owner } else { Value::Null });
    let recommendation = json!({
        "type": pick(rng, &["HUMAN", "MACHINE", "MACHINE", "AGENT"]),
        "method": pick(rng, &["DISCOVERY", "SOURCE", "CRITERIA"]),
    });
    set("recommendation", if machine { recommendation } else { Value::Null });
}

fn told_by_identity(account: &mut Map<String, Value>, rng: &mut Rng, person: &str) {
    let mut set = |name: &str, value: Value| {
        account.insert(name.to_owned(), value);
    };
    let uncorrelated = one_in(rng, 6);
    set("uncorrelated", json!(uncorrelated));
    set("manuallyCorrelated", json!(!uncorrelated && one_in(rng, 20)));
    let id = seed::hex_id(rng);
    // Some uncorrelated accounts have an identity all the same.
    if uncorrelated && !one_in(rng, 5) {
        if one_in(rng, 2) {
            set("identityId", Value::Null);
        }
        return;
    }
    set("identityId", json!(id));
    set("identity", json!({"type": "IDENTITY", "id": id, "name": person}));
    let state =
        pick(rng, &[Some("ACTIVE"), Some("ACTIVE"), Some("INACTIVE_SHORT_TERM"), Some("active"), None]);
    set("identityState", json!(state));
    set("cloudLifecycleState", pick(rng, &[Some("active"), Some("inactive"), Some("Élève"), None]).into());
}

/// Whatever the source has: any keys, any values.
fn attributes(rng: &mut Rng, person: &str, login: &str, index: u32) -> Value {
    if one_in(rng, 12) {
        return Value::Null;
    }
    let mut attributes = json!({
        "displayName": person,
        "mail": format!("{login}.{index}@example.com"),
        "memberOf": [format!("CN={},DC=example", names::team(rng)), "CN=All,DC=example"],
        "passwordLastSet": 1_600_000_000_000_i64 + rng.i64(0..100_000_000_000),
        "manager": null,
        "IIQDisabled": one_in(rng, 4),
        "quota": 12.5,
    });
    let Some(fields) = attributes.as_object_mut() else {
        return attributes;
    };
    if one_in(rng, 2) {
        let key = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber";
        fields.insert(key.to_owned(), json!(index.to_string()));
        fields.insert("msDS-PrincipalName".to_owned(), json!(format!("EXAMPLE\\{login}")));
    }
    if one_in(rng, 10) {
        fields.insert(String::new(), json!({"nested": [[], {}, -1, 1e30]}));
        fields.insert("mail".to_owned(), json!([format!("{login}@example.com"), null]));
    }
    attributes
}

/// A system that accounts are collected from.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) id: String,
    /// Null in the wild, though the schema once ruled it out.
    pub(crate) name: Option<&'static str>,
    pub(crate) features: Option<&'static str>,
    pub(crate) connection_type: Option<&'static str>,
    pub(crate) authoritative: bool,
    pub(crate) owner: Value,
}

type Facts = (Option<&'static str>, Option<&'static str>, Option<&'static str>, bool);

const SOURCES: [Facts; 8] = [
    (
        Some("Active Directory"),
        Some("PROVISIONING, GROUP_PROVISIONING, SYNC_PROVISIONING, AUTHENTICATE"),
        Some("direct"),
        false,
    ),
    (Some("Employees"), Some("ENABLE"), Some("file"), true),
    (Some("SAP – Buchhaltung (EMEA)"), Some("PROVISIONING, UNLOCK"), Some("direct"), false),
    (Some("Workday"), Some(""), Some("direct"), true),
    (Some("給与システム"), None, Some("file"), false),
    (None, Some("DISCOVER_SCHEMA"), None, false),
    (Some("Okta \"prod\""), Some("PROVISIONING"), Some("saas"), false),
    (Some("IdentityNow"), Some("ENABLE, PASSWORD"), Some("direct"), false),
];

#[derive(Clone, Debug)]
pub(crate) struct Sources {
    sources: Vec<Source>,
    entitlements: Vec<String>,
}

impl Sources {
    pub(crate) fn new(seed: u64, entitlements: usize) -> Self {
        let rng = &mut seed::rng(seed, 0x50);
        let sources = SOURCES.map(|(name, features, connection_type, authoritative)| Source {
            id: seed::hex_id(rng),
            name,
            features,
            connection_type,
            authoritative,
            owner: json!({"type": "IDENTITY", "id": seed::hex_id(rng), "name": names::person(rng).0}),
        });
        Self {
            sources: sources.to_vec(),
            entitlements: (0..entitlements).map(|_| seed::hex_id(rng)).collect(),
        }
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.sources.iter().map(|source| source.id.clone()).collect()
    }

    pub(crate) fn find(&self, id: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.id == id)
    }

    /// A source for an account: the first ones have the most. `None` never happens, as there are sources.
    pub(crate) fn pick(&self, rng: &mut Rng) -> Option<&Source> {
        let at = rng.usize(..8).min(rng.usize(..8));
        self.sources.get(at)
    }

    pub(crate) fn entitlements(&self) -> &[String] {
        &self.entitlements
    }

    /// Whether an account has an entitlement: it follows from both ids, for accounts that have any.
    pub(crate) fn entitles(&self, record: &Value, entitlement: &str) -> bool {
        let any = record.get("hasEntitlements") == Some(&Value::Bool(true));
        let number = self.entitlements.iter().position(|id| id == entitlement);
        let id = record.get("id").and_then(Value::as_str);
        let (true, Some(number), Some(id)) = (any, number, id) else {
            return false;
        };
        let spread = id.bytes().fold(number as u64, |sum, byte| seed::mix(sum ^ u64::from(byte)));
        spread.is_multiple_of(5)
    }
}
