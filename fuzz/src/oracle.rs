//! What a body says, read by other means than the crate's.

use std::collections::HashMap;

use serde_json::value::RawValue;

type Members = HashMap<String, Box<RawValue>>;

/// The members of a body that is an object.
pub fn members(body: &[u8]) -> Option<Members> {
    serde_json::from_str(&String::from_utf8_lossy(body)).ok()
}

/// The values of a body that is an array.
pub fn values(body: &[u8]) -> Option<Vec<Box<RawValue>>> {
    serde_json::from_str(&String::from_utf8_lossy(body)).ok()
}

/// The members of the object in a member.
pub fn object(members: &Members, name: &str) -> Option<Members> {
    self::members(members.get(name)?.get().as_bytes())
}

/// How many values are in the array in a member.
pub fn count(members: &Members, name: &str) -> Option<usize> {
    values(members.get(name)?.get().as_bytes()).map(|values| values.len())
}

/// Whether a member is missing, `null`, or a text without a letter.
pub fn is_blank(members: &Members, name: &str) -> bool {
    members.get(name).is_none_or(|value| matches!(value.get(), "null" | "\"\""))
}

/// Whether a member is this very JSON.
pub fn is(members: &Members, name: &str, json: &str) -> bool {
    members.get(name).is_some_and(|value| value.get() == json)
}
