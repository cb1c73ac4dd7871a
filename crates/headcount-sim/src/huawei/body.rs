//! The JSON body of a change, its members checked one by one.

use serde_json::{Map, Value};

use super::refusal::Refusal;
use crate::exchange::Incoming;

pub(crate) struct Body(Map<String, Value>);

impl Body {
    /// A body that is a JSON object and says so. Members that no reference names are passed over.
    pub(crate) fn of(incoming: &Incoming) -> Result<Self, Refusal> {
        if !incoming.is_of("application/json") {
            return Err(bad("Content-Type"));
        }
        match serde_json::from_slice(&incoming.body) {
            Ok(Value::Object(members)) => Ok(Self(members)),
            _ => Err(bad("body")),
        }
    }

    /// A text of so many characters; `None` where it is null or not there.
    pub(crate) fn text(&self, name: &str, least: usize, most: usize) -> Result<Option<&str>, Refusal> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => text(value, least, most).map(Some).ok_or_else(|| bad(name)),
        }
    }

    /// A text that must be there.
    pub(crate) fn required(&self, name: &str, least: usize, most: usize) -> Result<&str, Refusal> {
        self.text(name, least, most)?.ok_or_else(|| bad(name))
    }

    /// The member that must be an object.
    pub(crate) fn object(&self, name: &str) -> Result<Self, Refusal> {
        let object = self.0.get(name).and_then(Value::as_object).cloned();
        object.map(Self).ok_or_else(|| bad(name))
    }

    /// Tags, if there are any: objects of a key and a value, each key once, at most 20.
    pub(crate) fn check_tags(&self) -> Result<(), Refusal> {
        let tags = match self.0.get("tags") {
            None | Some(Value::Null) => return Ok(()),
            Some(tags) => tags.as_array().filter(|tags| tags.len() <= 20).ok_or_else(|| bad("tags"))?,
        };
        let mut keys = Vec::new();
        for tag in tags {
            let key = tag.get("key").and_then(|key| text(key, 1, 128));
            let value = tag.get("value").and_then(|value| text(value, 0, 255));
            match (key, value) {
                (Some(key), Some(_)) if !keys.contains(&key) => keys.push(key),
                _ => return Err(bad("tags")),
            }
        }
        Ok(())
    }
}

fn text(value: &Value, least: usize, most: usize) -> Option<&str> {
    value.as_str().filter(|text| (least..=most).contains(&text.chars().count()))
}

pub(crate) fn bad(name: &str) -> Refusal {
    Refusal::BadParameter(format!("invalid parameter: {name}"))
}
