//! Generated `SailPoint` accounts.

use chrono::{DateTime, SecondsFormat};
use fastrand::Rng;
use serde_json::{Map, Value, json};

use crate::rng::{chance, pick};
use crate::world::{Id, RecordGenerator, SortKey};
use crate::{names, rng};

/// The time of the first aggregation, in Unix milliseconds.
const FIRST: i64 = 1_430_000_000_000;
/// The period in which accounts were aggregated, in milliseconds.
const SPAN: i64 = 350_000_000_000;

#[derive(Clone, Debug)]
pub(crate) struct Accounts {
    seed: u64,
    sources: Sources,
}

impl Accounts {
    pub(crate) fn new(seed: u64, sources: Sources) -> Self {
        Self { seed: rng::mix(seed ^ 0x5A11), sources }
    }

    /// Returns the id of an account, and the generator of its other fields.
    fn id_and_rng(&self, index: u32) -> ([u8; 16], Rng) {
        let mut rng = rng::seeded(self.seed, u64::from(index));
        (rng::bytes(&mut rng), rng)
    }

    /// Returns when an account was aggregated, in milliseconds. Every other account shares a whole second
    /// with up to 15 others.
    fn created(&self, index: u32) -> i64 {
        let unique = index.is_multiple_of(2);
        let group = if unique { u64::from(index) << 32 } else { u64::from(index / 32) };
        let millis = FIRST + rng::seeded(self.seed ^ 0xC4EA, group).i64(0..SPAN);
        if unique { millis } else { millis / 1000 * 1000 }
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
        strip_for_beta(record);
        record.remove("type");
        record.remove("simUnannounced");
        // One part of the schema of `recommendation` allows null, the other does not.
        record.retain(|name, value| name != "recommendation" || !value.is_null());
        if let Some(origin) = record.get_mut("origin").filter(|origin| **origin == "IMPORTED") {
            *origin = json!("AGGREGATED");
        }
    }

    fn record(&self, index: u32) -> Value {
        let (id, mut rng) = self.id_and_rng(index);
        let rng = &mut rng;
        let created = self.created(index);
        let mut account = Map::new();
        account.insert("id".to_owned(), json!(hex::encode(id)));
        account.insert("created".to_owned(), json!(format_timestamp(created)));
        let modified = created + rng.i64(0..30_000_000_000);
        let modified = if chance(rng, 25) { Value::Null } else { json!(format_timestamp(modified)) };
        account.insert("modified".to_owned(), modified);
        if let Some(source) = self.sources.pick(rng) {
            insert_source_fields(&mut account, source);
        }
        let (person, login) = names::employee(index);
        insert_account_fields(&mut account, rng, person, login, index);
        insert_identity_fields(&mut account, rng, person);
        account.insert("attributes".to_owned(), attributes(rng, person, login, index));
        if chance(rng, 20) {
            account.insert("simUnannounced".to_owned(), json!({"score": 0.5, "tags": ["a", null]}));
        }
        Value::Object(account)
    }
}

/// Removes the values that the specification of `/beta` does not allow. It is the strictest of all versions.
pub(super) fn strip_for_beta(record: &mut Map<String, Value>) {
    let not_nullable = ["modified", "identityId", "sourceOwner", "ownerIdentity"];
    record.retain(|name, value| !value.is_null() || !not_nullable.contains(&name.as_str()));
    if let Some(recommendation) = record.get_mut("recommendation")
        && recommendation["type"] == "AGENT"
    {
        recommendation["type"] = json!("MACHINE");
    }
}

/// Formats a timestamp with milliseconds unless they are zero. Published samples have both forms.
pub(super) fn format_timestamp(millis: i64) -> String {
    DateTime::from_timestamp_millis(millis).unwrap_or_default().to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Inserts the fields that depend on the source.
pub(super) fn insert_source_fields(account: &mut Map<String, Value>, source: &Source) {
    account.insert("sourceId".to_owned(), json!(source.id));
    account.insert("sourceName".to_owned(), json!(source.name));
    account.insert("features".to_owned(), json!(source.features));
    account.insert("connectionType".to_owned(), json!(source.connection_type));
    account.insert("authoritative".to_owned(), json!(source.authoritative));
    account.insert("systemAccount".to_owned(), json!(source.name == Some("IdentityNow")));
    account.insert("sourceOwner".to_owned(), source.owner.clone());
}

/// Inserts the fields of the account itself.
fn insert_account_fields(
    account: &mut Map<String, Value>,
    rng: &mut Rng,
    person: &str,
    login: &str,
    index: u32,
) {
    let mut set = |name: &str, value: Value| {
        account.insert(name.to_owned(), value);
    };
    set("name", if chance(rng, 30) { Value::Null } else { json!(format!("{login}.{index}")) });
    let native = match rng.u8(..3) {
        0 => format!("{index}"),
        1 => format!("{login}{index}@example.com"),
        _ => format!("CN={} {index},OU=Ünits\\, all,DC=example,DC=com", person.replace(',', "\\,")),
    };
    set("nativeIdentity", json!(native));
    let uuid = rng::uuid(rng);
    set("uuid", if chance(rng, 4) { Value::Null } else { json!(format!("{{{uuid}}}")) });
    let description = json!(format!("{person}\n{}", names::team(rng)));
    set("description", if chance(rng, 2) { Value::Null } else { description });
    set("disabled", json!(chance(rng, 8)));
    set("locked", json!(chance(rng, 12)));
    set("hasEntitlements", json!(!chance(rng, 3)));
    set("origin", pick(rng, &[Some("AGGREGATED"), Some("AGGREGATED"), Some("PROVISIONED"), None]).into());
    if chance(rng, 100) {
        set("origin", json!("IMPORTED"));
    }
    let machine = chance(rng, 10);
    if !chance(rng, 5) {
        set("isMachine", json!(machine));
    }
    if chance(rng, 40) {
        // Removed from the specification, but still observed.
        set("type", if chance(rng, 2) { json!("NON_HUMAN") } else { Value::Null });
    }
    let owner = json!({
        "type": pick(rng, &["IDENTITY", "GOVERNANCE_GROUP"]),
        "id": rng::hex_id(rng),
        "name": names::person(rng).0,
    });
    set("ownerIdentity", if machine { owner } else { Value::Null });
    let recommendation = json!({
        "type": pick(rng, &["HUMAN", "MACHINE", "MACHINE", "AGENT"]),
        "method": pick(rng, &["DISCOVERY", "SOURCE", "CRITERIA"]),
    });
    set("recommendation", if machine { recommendation } else { Value::Null });
}

/// Inserts the fields of the correlated identity.
fn insert_identity_fields(account: &mut Map<String, Value>, rng: &mut Rng, person: &str) {
    let mut set = |name: &str, value: Value| {
        account.insert(name.to_owned(), value);
    };
    let uncorrelated = chance(rng, 6);
    set("uncorrelated", json!(uncorrelated));
    set("manuallyCorrelated", json!(!uncorrelated && chance(rng, 20)));
    let id = rng::hex_id(rng);
    // Some uncorrelated accounts have an identity nevertheless.
    if uncorrelated && !chance(rng, 5) {
        if chance(rng, 2) {
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

/// Returns the attributes from the source, which may have any names and values.
fn attributes(rng: &mut Rng, person: &str, login: &str, index: u32) -> Value {
    if chance(rng, 12) {
        return Value::Null;
    }
    let mut attributes = json!({
        "displayName": person,
        "mail": names::employee_email(index),
        "memberOf": [format!("CN={},DC=example", names::team(rng)), "CN=All,DC=example"],
        "passwordLastSet": 1_600_000_000_000_i64 + rng.i64(0..100_000_000_000),
        "manager": null,
        "IIQDisabled": chance(rng, 4),
        "quota": 12.5,
    });
    let Some(fields) = attributes.as_object_mut() else {
        return attributes;
    };
    if chance(rng, 2) {
        let key = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber";
        fields.insert(key.to_owned(), json!(index.to_string()));
        fields.insert("msDS-PrincipalName".to_owned(), json!(format!("EXAMPLE\\{login}")));
    }
    if chance(rng, 10) {
        fields.insert(String::new(), json!({"nested": [[], {}, -1, 1e30]}));
        fields.insert("mail".to_owned(), json!([format!("{login}@example.com"), null]));
    }
    attributes
}

/// A source of accounts.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) id: String,
    /// Null was observed, although the schema formerly disallowed it.
    pub(crate) name: Option<&'static str>,
    pub(crate) features: Option<&'static str>,
    pub(crate) connection_type: Option<&'static str>,
    pub(crate) authoritative: bool,
    pub(crate) owner: Value,
}

/// Name, features, connection type, and whether the source is authoritative.
type SourceFields = (Option<&'static str>, Option<&'static str>, Option<&'static str>, bool);

const SOURCES: [SourceFields; 8] = [
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
        let rng = &mut rng::seeded(seed, 0x50);
        let sources = SOURCES.map(|(name, features, connection_type, authoritative)| Source {
            id: rng::hex_id(rng),
            name,
            features,
            connection_type,
            authoritative,
            owner: json!({"type": "IDENTITY", "id": rng::hex_id(rng), "name": names::person(rng).0}),
        });
        Self {
            sources: sources.to_vec(),
            entitlements: (0..entitlements).map(|_| rng::hex_id(rng)).collect(),
        }
    }

    /// Returns the ids of the sources.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.sources.iter().map(|source| source.id.clone()).collect()
    }

    pub(crate) fn find(&self, id: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.id == id)
    }

    /// Returns a random source. The first ones are the most frequent. Never `None`.
    pub(crate) fn pick(&self, rng: &mut Rng) -> Option<&Source> {
        let index = rng.usize(..8).min(rng.usize(..8));
        self.sources.get(index)
    }

    /// Returns the ids of all entitlements.
    pub(crate) fn entitlements(&self) -> &[String] {
        &self.entitlements
    }

    /// Returns whether an account has an entitlement. Derived from both ids, for accounts with
    /// `hasEntitlements`.
    pub(crate) fn entitles(&self, record: &Value, entitlement: &str) -> bool {
        let has_any = record.get("hasEntitlements") == Some(&Value::Bool(true));
        let number = self.entitlements.iter().position(|id| id == entitlement);
        let id = record.get("id").and_then(Value::as_str);
        let (true, Some(number), Some(id)) = (has_any, number, id) else {
            return false;
        };
        let hash = id.bytes().fold(number as u64, |sum, byte| rng::mix(sum ^ u64::from(byte)));
        hash.is_multiple_of(5)
    }
}
