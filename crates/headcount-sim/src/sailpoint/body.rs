//! Validation of request bodies by the schemas of the reference.

use serde_json::{Map, Value};

use super::api_error::ApiError;
use crate::message::SimRequest;

const JSON: &str = "application/json";

/// Parses a JSON object.
pub(crate) fn object(request: &SimRequest) -> Result<Map<String, Value>, ApiError> {
    match parse(request, JSON)? {
        Value::Object(members) => Ok(members),
        _ => Err(bad_request("the body must be an object")),
    }
}

/// Parses a JSON body with this media type.
pub(crate) fn parse(request: &SimRequest, media_type: &'static str) -> Result<Value, ApiError> {
    if !request.has_media_type(media_type) {
        return Err(ApiError::WrongMediaType(media_type));
    }
    serde_json::from_slice(&request.body).map_err(|_| bad_request("the body is no JSON"))
}

/// Returns the member `attributes`, which must be an object.
pub(crate) fn attributes(mut body: Map<String, Value>) -> Result<Map<String, Value>, ApiError> {
    match body.remove("attributes") {
        Some(Value::Object(attributes)) => Ok(attributes),
        _ => Err(bad_request("attributes must be an object")),
    }
}

/// Returns an optional boolean member. Defaults to false.
pub(crate) fn flag(body: &Map<String, Value>, name: &str) -> Result<bool, ApiError> {
    match body.get(name) {
        None => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(bad_request(&format!("{name} must be true or false"))),
    }
}

/// Returns an optional string member.
pub(crate) fn text<'a>(body: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, ApiError> {
    match body.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(bad_request(&format!("{name} must be text"))),
    }
}

/// Returns the error for an invalid request.
pub(crate) fn bad_request(message: &str) -> ApiError {
    ApiError::BadRequest(message.to_owned())
}
