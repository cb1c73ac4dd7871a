//! Validation of JSON request bodies.

use serde_json::{Map, Value};

use super::api_error::ApiError;
use crate::message::SimRequest;

/// The members of a JSON request body. Unknown members are ignored.
pub(crate) struct JsonBody(Map<String, Value>);

impl JsonBody {
    /// Parses a body that is a JSON object and has the media type of JSON.
    pub(crate) fn parse(request: &SimRequest) -> Result<Self, ApiError> {
        if !request.has_media_type("application/json") {
            return Err(bad_parameter("Content-Type"));
        }
        match serde_json::from_slice(&request.body) {
            Ok(Value::Object(members)) => Ok(Self(members)),
            _ => Err(bad_parameter("body")),
        }
    }

    /// Returns an optional string member of `min` to `max` characters. Null is treated as absent.
    pub(crate) fn text(&self, name: &str, min: usize, max: usize) -> Result<Option<&str>, ApiError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => text(value, min, max).map(Some).ok_or_else(|| bad_parameter(name)),
        }
    }

    /// Returns a required string member of `min` to `max` characters.
    pub(crate) fn required(&self, name: &str, min: usize, max: usize) -> Result<&str, ApiError> {
        self.text(name, min, max)?.ok_or_else(|| bad_parameter(name))
    }

    /// Returns a required member that is an object.
    pub(crate) fn object(&self, name: &str) -> Result<Self, ApiError> {
        let object = self.0.get(name).and_then(Value::as_object).cloned();
        object.map(Self).ok_or_else(|| bad_parameter(name))
    }

    /// Checks the optional tags: at most 20 objects with a unique key and a value.
    pub(crate) fn check_tags(&self) -> Result<(), ApiError> {
        let tags = match self.0.get("tags") {
            None | Some(Value::Null) => return Ok(()),
            Some(tags) => {
                tags.as_array().filter(|tags| tags.len() <= 20).ok_or_else(|| bad_parameter("tags"))?
            }
        };
        let mut keys = Vec::new();
        for tag in tags {
            let key = tag.get("key").and_then(|key| text(key, 1, 128));
            let value = tag.get("value").and_then(|value| text(value, 0, 255));
            match (key, value) {
                (Some(key), Some(_)) if !keys.contains(&key) => keys.push(key),
                _ => return Err(bad_parameter("tags")),
            }
        }
        Ok(())
    }
}

fn text(value: &Value, min: usize, max: usize) -> Option<&str> {
    value.as_str().filter(|text| (min..=max).contains(&text.chars().count()))
}

/// Returns the error for an invalid parameter.
pub(crate) fn bad_parameter(name: &str) -> ApiError {
    ApiError::BadParameter(format!("invalid parameter: {name}"))
}
