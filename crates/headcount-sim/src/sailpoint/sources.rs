//! The sources that accounts come from, and the entitlements that accounts have.

use fastrand::Rng;
use serde_json::{Value, json};

use crate::names;
use crate::seed;

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
