//! Validation of request bodies by the schemas of the reference.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::api_error::ApiError;
use crate::message::SimRequest;

/// The maximum size of a decoded logo in bytes. The reference says 128Kb, but not whether that is decoded.
const MAX_LOGO: usize = 128 * 1024;

/// The schema of a value.
pub(crate) enum Shape {
    Text,
    Bool,
    Uuid,
    /// `format: binary`: standard base64 with padding.
    Bytes,
    Logo,
    /// A permutation of the integers from 0 to 22.
    PcrPriority,
    OneOf(&'static [&'static str]),
    Array(&'static Shape),
    /// An object with arbitrary names and values of this shape.
    Map(&'static Shape),
    Object(Members),
    /// An object with exactly one of these members.
    Tagged(Members),
}

/// The name of each member, whether it is required, and its shape.
type Members = &'static [(&'static str, bool, Shape)];

use Shape::{Array, Bool, Bytes, Logo, Object, OneOf, PcrPriority, Tagged, Text, Uuid};

const EMPTY: Shape = Object(&[]);

static CA_CONFIG: Members =
    &[("ca_set", false, OneOf(&["GLOBAL_ROOTS"])), ("pinned", false, Array(&Shape::Bytes))];

static TLS_CONFIG: Members = &[
    ("disabled", false, EMPTY),
    ("opportunistic", false, EMPTY),
    (
        "required",
        false,
        Object(&[
            ("validate_hostname", true, Bool),
            ("client_key", false, Bytes),
            ("client_cert", false, Bytes),
            ("ca", true, Tagged(CA_CONFIG)),
        ]),
    ),
];

static AUTH_CONFIG: Shape = Tagged(&[
    ("password", false, Object(&[("require_2fa", true, Bool), ("administrators_only", true, Bool)])),
    (
        "oauth",
        false,
        Object(&[
            ("idp_name", true, Text),
            ("idp_icon_url", true, Text),
            ("idp_authorization_endpoint", true, Text),
            ("idp_token_endpoint", true, Text),
            ("idp_requires_basic_auth", true, Bool),
            ("idp_userinfo_endpoint", false, Text),
            ("tls", true, Tagged(TLS_CONFIG)),
            ("client_id", true, Text),
            ("client_secret", true, Text),
        ]),
    ),
    ("cluster_auth_ref", false, Object(&[("target_id", true, Text)])),
]);

/// `AccountRequest`.
pub(crate) static ACCOUNT_REQUEST: Shape = Object(&[
    ("name", true, Text),
    ("custom_logo", false, Logo),
    ("auth_configs", false, Array(&AUTH_CONFIG)),
    ("node_enrollment", false, Object(&[("attestation_enforcement_disabled_insecure", true, Bool)])),
    ("component", false, OneOf(&["DEFAULT", "CONFIDENTIAL_AI"])),
]);

/// `AccountUpdateRequest`.
pub(crate) static ACCOUNT_UPDATE_REQUEST: Shape = Object(&[
    ("name", false, Text),
    ("custom_logo", false, Logo),
    ("add_auth_configs", false, Array(&AUTH_CONFIG)),
    ("mod_auth_configs", false, Shape::Map(&AUTH_CONFIG)),
    ("del_auth_configs", false, Array(&Shape::Uuid)),
    ("enabled", false, Bool),
    ("default_group_id", false, Uuid),
    ("marketplace_group_id", false, Uuid),
    ("account_status", false, OneOf(&["Active", "Deactivated"])),
    ("azure_cvm_pcr_priority", false, PcrPriority),
]);

/// `AuthRequest`.
pub(crate) static AUTH_REQUEST: Shape = Object(&[(
    "oauth_auth_code",
    true,
    Object(&[("idp_id", true, Bytes), ("code", true, Text), ("email", false, Text)]),
)]);

/// `AuthDiscoverRequest`.
pub(crate) static AUTH_DISCOVER_REQUEST: Shape = Object(&[("user_email", false, Text)]);

/// Parses a JSON request body of this shape. Ignores unknown members, and treats null as absent (assumption).
pub(crate) fn body(request: &SimRequest, shape: &Shape) -> Result<Map<String, Value>, ApiError> {
    if !request.has_media_type("application/json") {
        return Err(ApiError::BadHeader("Content-Type is not application/json"));
    }
    let body: Value = serde_json::from_slice(&request.body)
        .map_err(|_| ApiError::BadBody("the body is not JSON".to_owned()))?;
    check(&body, shape, "the body").map_err(ApiError::BadBody)?;
    match body {
        Value::Object(members) => Ok(members.into_iter().filter(|(_, value)| !value.is_null()).collect()),
        _ => Err(ApiError::BadBody("the body is not an object".to_owned())),
    }
}

/// Checks a value against its schema.
///
/// # Errors
///
/// Returns a message with the path of the invalid value.
fn check(value: &Value, shape: &Shape, path: &str) -> Result<(), String> {
    let invalid = || format!("Invalid {path}");
    let valid = match shape {
        Shape::Text => value.is_string(),
        Shape::Bool => value.is_boolean(),
        Shape::Uuid => value.as_str().is_some_and(|text| uuid::Uuid::try_parse(text).is_ok()),
        Shape::Bytes => decoded(value).is_some(),
        Shape::Logo => decoded(value).is_some_and(|bytes| is_logo(&bytes)),
        Shape::PcrPriority => is_pcr_priority(value),
        Shape::OneOf(values) => value.as_str().is_some_and(|text| values.contains(&text)),
        Shape::Array(shape) => {
            let mut values = value.as_array().ok_or_else(invalid)?.iter().enumerate();
            return values.try_for_each(|(index, value)| check(value, shape, &format!("{path}.{index}")));
        }
        Shape::Map(shape) => {
            let mut values = value.as_object().ok_or_else(invalid)?.iter();
            return values.try_for_each(|(name, value)| check(value, shape, &format!("{path}.{name}")));
        }
        Shape::Object(members) => {
            return check_members(value.as_object().ok_or_else(invalid)?, members, path);
        }
        Shape::Tagged(members) => {
            let object = value.as_object().ok_or_else(invalid)?;
            let mut present = object.iter().filter(|(_, value)| !value.is_null()).map(|(name, _)| name);
            let is_known = |name: &String| members.iter().any(|(known, _, _)| known == name);
            if !present.next().is_some_and(is_known) || present.next().is_some() {
                return Err(format!("{path} has not exactly one known member"));
            }
            return check_members(object, members, path);
        }
    };
    if valid { Ok(()) } else { Err(invalid()) }
}

fn check_members(object: &Map<String, Value>, members: Members, path: &str) -> Result<(), String> {
    for (name, required, shape) in members {
        match object.get(*name).filter(|value| !value.is_null()) {
            Some(value) => check(value, shape, &format!("{path}.{name}"))?,
            None if *required => return Err(format!("{path}.{name} is missing")),
            None => {}
        }
    }
    Ok(())
}

fn decoded(value: &Value) -> Option<Vec<u8>> {
    STANDARD.decode(value.as_str()?).ok()
}

/// Returns whether these bytes are an image of a documented type within the size limit, or empty.
///
/// An empty logo is accepted, because a third-party client sends it.
fn is_logo(bytes: &[u8]) -> bool {
    let png = bytes.starts_with(b"\x89PNG");
    let jpg = bytes.starts_with(b"\xff\xd8");
    let svg = bytes.windows(4).any(|four| four == b"<svg");
    bytes.len() <= MAX_LOGO && (bytes.is_empty() || png || jpg || svg)
}

fn is_pcr_priority(value: &Value) -> bool {
    let numbers = value.as_array().map(|values| values.iter().map(Value::as_i64).collect::<Vec<_>>());
    numbers.is_some_and(|mut numbers| {
        numbers.sort_unstable();
        numbers == (0..23).map(Some).collect::<Vec<_>>()
    })
}
