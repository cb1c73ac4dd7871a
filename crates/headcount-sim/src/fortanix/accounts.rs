//! Generated Fortanix accounts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fastrand::Rng;
use serde_json::{Map, Value, json};

use crate::rng::{chance, pick, pick_or_unknown};
use crate::world::{Id, RecordGenerator, SortKey};
use crate::{names, rng};

/// When the oldest account was created, as a Unix timestamp in seconds.
const FIRST: i64 = 1_577_836_800;
/// The period in which accounts were created, in seconds.
const SPAN: i64 = 190_000_000;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Accounts {
    seed: u64,
}

impl Accounts {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed: rng::mix(seed ^ 0xF0F0) }
    }

    /// Returns the id of an account, and the generator of its other fields.
    fn id_and_rng(self, index: u32) -> ([u8; 16], Rng) {
        let mut rng = rng::seeded(self.seed, u64::from(index));
        let id = uuid::Builder::from_random_bytes(rng::bytes(&mut rng)).into_uuid();
        (id.into_bytes(), rng)
    }

    /// Returns when an account was created. Half of the accounts share their second with others.
    fn created(self, index: u32) -> i64 {
        let group = if index.is_multiple_of(2) { u64::from(index) << 32 } else { u64::from(index / 8) };
        FIRST + rng::seeded(self.seed ^ 0xC4EA, group).i64(0..SPAN)
    }
}

impl RecordGenerator for Accounts {
    fn id_field(&self) -> &'static str {
        "acct_id"
    }

    fn key(&self, index: u32) -> SortKey {
        SortKey::by_id(Id::Hex(self.id_and_rng(index).0))
    }

    fn format_id(&self, id: &[u8; 16]) -> String {
        uuid::Uuid::from_bytes(*id).to_string()
    }

    fn parse_id(&self, text: &str) -> Id {
        Id::from_uuid(text)
    }

    fn strip_undocumented(&self, record: &mut Map<String, Value>) {
        record.retain(|name, value| {
            !value.is_null() && !["features", "approval_state", "sim_unannounced"].contains(&name.as_str())
        });
        let insecure = json!({"attestation_enforcement_disabled_insecure": false});
        record.entry("node_enrollment").or_insert(insecure);
        record.entry("component").or_insert(json!("DEFAULT"));
        for (name, unknown, documented) in [
            ("status", "ON_HOLD", "ACTIVE"),
            ("component", "EDGE", "DEFAULT"),
            ("account_status", "Archived", "Active"),
        ] {
            if let Some(value) = record.get_mut(name).filter(|value| **value == unknown) {
                *value = json!(documented);
            }
        }
        if let Some(configs) = record.get_mut("auth_configs").and_then(Value::as_object_mut) {
            configs.retain(|_, config| config.get("passkey").is_none());
        }
    }

    fn record(&self, index: u32) -> Value {
        let (id, mut rng) = self.id_and_rng(index);
        let rng = &mut rng;
        let mut account = Map::new();
        let mut set = |name: &str, value: Value| {
            account.insert(name.to_owned(), value);
        };
        set("acct_id", json!(self.format_id(&id)));
        // Names are unique within an instance.
        let name = format!("{} {} {index}", names::company(rng), names::team(rng));
        if !chance(rng, 200) {
            set("name", json!(name));
        }
        if !chance(rng, 60) {
            set("created_at", json!(self.created(index)));
        }
        set("roles", pick(rng, &[&["MANAGER"][..], &["READER"], &["READER", "WRITER"], &[]]).into());
        set(
            "status",
            pick_or_unknown(rng, &["ACTIVE", "ACTIVE", "ACTIVE", "PENDING", "DISABLED"], "ON_HOLD").into(),
        );
        if chance(rng, 10) {
            set("custom_logo", json!(logo(rng)));
        }
        set("auth_configs", auth_configs(rng));
        if chance(rng, 15) {
            // A response of an older server: with removed fields, and without newer ones.
            set("features", json!(["SAML", "EARLY_ACCESS"]));
            set("approval_state", pick(rng, &["APPROVED", "PENDING_CONFIRMATION", "DISAPPROVED"]).into());
            return Value::Object(account);
        }
        set("node_enrollment", json!({"attestation_enforcement_disabled_insecure": chance(rng, 4)}));
        set("component", pick_or_unknown(rng, &["DEFAULT", "DEFAULT", "CONFIDENTIAL_AI"], "EDGE").into());
        set(
            "account_status",
            pick_or_unknown(rng, &["Active", "Active", "Active", "Deactivated"], "Archived").into(),
        );
        if !chance(rng, 3) {
            set("default_group_id", json!(rng::uuid(rng)));
        }
        if chance(rng, 5) {
            set("marketplace_group_id", if chance(rng, 2) { Value::Null } else { json!(rng::uuid(rng)) });
        }
        if chance(rng, 8) {
            let mut priority: Vec<u8> = (0..23).collect();
            rng.shuffle(&mut priority);
            set("azure_cvm_pcr_priority", json!(priority));
        }
        if chance(rng, 20) {
            set("sim_unannounced", json!({"since": "2026", "levels": [1, 2.5, null]}));
        }
        Value::Object(account)
    }
}

/// Returns a few bytes with the signature of an image format.
fn logo(rng: &mut Rng) -> String {
    let mut bytes = pick(rng, &[&b"\x89PNG\r\n\x1a\n"[..], b"\xff\xd8\xff\xe0", b"<svg/>"]).to_vec();
    bytes.extend_from_slice(&rng::bytes(rng)[..rng.usize(..16)]);
    STANDARD.encode(bytes)
}

/// Returns authentication configurations by id. Responses contain a map, although requests contain an array.
fn auth_configs(rng: &mut Rng) -> Value {
    let mut configs = Map::new();
    for _ in 0..pick(rng, &[1, 1, 1, 0, 2, 3]) {
        let config = match rng.u8(..10) {
            0..5 => {
                json!({"password": {"require_2fa": chance(rng, 3), "administrators_only": chance(rng, 4)}})
            }
            5..8 => json!({"oauth": oauth(rng)}),
            8 => json!({"cluster_auth_ref": {"target_id": rng::uuid(rng)}}),
            _ => json!({"passkey": {"attestation": "direct"}}),
        };
        configs.insert(rng::uuid(rng), config);
    }
    Value::Object(configs)
}

fn oauth(rng: &mut Rng) -> Value {
    let tls = match rng.u8(..4) {
        0 => json!({"disabled": {}}),
        1 => json!({"opportunistic": {}}),
        2 => json!({"required": {"validate_hostname": true, "ca": {"ca_set": "GLOBAL_ROOTS"}}}),
        _ => json!({"required": {
            "validate_hostname": false,
            "client_key": STANDARD.encode(rng::bytes(rng)),
            "client_cert": STANDARD.encode(rng::bytes(rng)),
            "ca": {"pinned": [STANDARD.encode(rng::bytes(rng))]},
        }}),
    };
    let mut oauth = json!({
        "idp_name": names::company(rng),
        "idp_icon_url": "https://idp.example/icon.svg",
        "idp_authorization_endpoint": "https://idp.example/authorize",
        "idp_token_endpoint": "https://idp.example/token",
        "idp_requires_basic_auth": chance(rng, 2),
        "tls": tls,
        "client_id": rng::hex_id(rng),
        "client_secret": format!("secret-{}", rng::hex_id(rng)),
    });
    if chance(rng, 2)
        && let Some(oauth) = oauth.as_object_mut()
    {
        oauth.insert("idp_userinfo_endpoint".to_owned(), json!("https://idp.example/userinfo"));
    }
    oauth
}
