//! Bodies of requests, read as strictly as the schemas have them.

use serde_json::{Map, Value};

use super::refusal::Refusal;
use crate::exchange::Incoming;

const JSON: &str = "application/json";

/// The body, if it is an object under the right media type.
pub(crate) fn object(incoming: &Incoming) -> Result<Map<String, Value>, Refusal> {
    match read(incoming, JSON)? {
        Value::Object(members) => Ok(members),
        _ => Err(wrong("the body must be an object")),
    }
}

/// The body as JSON, if it is some under this media type.
pub(crate) fn read(incoming: &Incoming, media_type: &'static str) -> Result<Value, Refusal> {
    if !incoming.is_of(media_type) {
        return Err(Refusal::WrongMediaType(media_type));
    }
    serde_json::from_slice(&incoming.body).map_err(|_| wrong("the body is no JSON"))
}

/// The member `attributes`, which must be an object.
pub(crate) fn attributes(mut body: Map<String, Value>) -> Result<Map<String, Value>, Refusal> {
    match body.remove("attributes") {
        Some(Value::Object(attributes)) => Ok(attributes),
        _ => Err(wrong("attributes must be an object")),
    }
}

/// A member that is true, false or left out.
pub(crate) fn flag(body: &Map<String, Value>, name: &str) -> Result<bool, Refusal> {
    match body.get(name) {
        None => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(wrong(&format!("{name} must be true or false"))),
    }
}

/// A member that must be text, or be left out.
pub(crate) fn text<'a>(body: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Refusal> {
    match body.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(wrong(&format!("{name} must be text"))),
    }
}

pub(crate) fn wrong(why: &str) -> Refusal {
    Refusal::BadRequest(why.to_owned())
}
