//! Decodes response bodies independently of the crate.

use std::collections::HashMap;

use serde_json::value::RawValue;

type Members = HashMap<String, Box<RawValue>>;

/// Returns the members of a body if it is an object.
pub fn members(body: &[u8]) -> Option<Members> {
    serde_json::from_str(&String::from_utf8_lossy(body)).ok()
}

/// Returns the values of a body if it is an array.
pub fn values(body: &[u8]) -> Option<Vec<Box<RawValue>>> {
    serde_json::from_str(&String::from_utf8_lossy(body)).ok()
}

/// Returns the members of a nested object.
pub fn object(members: &Members, name: &str) -> Option<Members> {
    self::members(members.get(name)?.get().as_bytes())
}

/// Returns the length of a nested array.
pub fn count(members: &Members, name: &str) -> Option<usize> {
    values(members.get(name)?.get().as_bytes()).map(|values| values.len())
}

/// Returns whether a member is missing, `null` or an empty string.
pub fn is_blank(members: &Members, name: &str) -> bool {
    members.get(name).is_none_or(|value| matches!(value.get(), "null" | "\"\""))
}

/// Returns whether a member is exactly this JSON.
pub fn is(members: &Members, name: &str, json: &str) -> bool {
    members.get(name).is_some_and(|value| value.get() == json)
}
