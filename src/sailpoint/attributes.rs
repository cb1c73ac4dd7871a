//! The attributes of accounts: as sources have them, and as accounts are made and written with them.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, value::RawValue};

use crate::{Error, Result};

/// What was aggregated from a source: members of any name and type, not decoded until asked for.
#[derive(Clone)]
pub struct Attributes(Box<RawValue>);

impl Attributes {
    /// The attribute `name` as a `T`; `None` if it is absent or of another type.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_value(self.to_map().remove(name)?).ok()
    }

    /// All attributes. Empty if what came is no object.
    pub fn to_map(&self) -> Map<String, Value> {
        serde_json::from_str(self.0.get()).unwrap_or_default()
    }

    /// The JSON as it came.
    pub fn raw(&self) -> &RawValue {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Self)
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Sources put anything here, passwords in clear text among it.
        write!(f, "Attributes({} bytes)", self.0.get().len())
    }
}

/// `{"attributes": {…}}`
#[derive(Serialize)]
pub(super) struct Body<'a> {
    pub(super) attributes: &'a Map<String, Value>,
}

/// Refuses a name that can not be one of an attribute.
pub(super) fn check_name(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Error::config("an attribute has an empty name; expected one of the source's schema"));
    }
    Ok(())
}

/// Shorter values are taken for no secrets: blotting them out of errors would make those hard to read.
const SHORTEST_SECRET: usize = 4;

/// The texts and numbers in some values. Sources put anything into attributes, passwords in clear text among
/// it, and servers quote what they refuse.
pub(super) fn texts<'a>(values: impl IntoIterator<Item = &'a Value>) -> Vec<SecretString> {
    let mut texts = Vec::new();
    for value in values {
        match value {
            Value::String(text) => texts.push(text.as_str().into()),
            Value::Number(number) => texts.push(number.to_string().into()),
            Value::Array(values) => texts.extend(self::texts(values)),
            Value::Object(members) => texts.extend(self::texts(members.values())),
            Value::Null | Value::Bool(_) => {}
        }
    }
    texts.retain(|text| text.expose_secret().chars().count() >= SHORTEST_SECRET);
    texts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_text_and_number_in_an_attribute_of_four_characters_or_more_is_held_for_a_secret() {
        let values =
            [json!("a\"b\""), json!([471_199, 12, true, null, "two"]), json!({"name": {"x": "three"}})];
        let texts = texts(&values);
        let texts: Vec<_> = texts.iter().map(ExposeSecret::expose_secret).collect();
        assert_eq!(texts, ["a\"b\"", "471199", "three"]);
    }
}
