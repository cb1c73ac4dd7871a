//! The attributes that accounts are made and written with.

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{Error, Result};

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
