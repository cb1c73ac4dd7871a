//! The attributes that accounts are made and written with.

use secrecy::SecretString;
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

/// The texts in some values, as they are and as they stand in JSON. Sources put anything into attributes,
/// passwords in clear text among it, and servers quote what they refuse.
pub(super) fn texts<'a>(values: impl IntoIterator<Item = &'a Value>) -> Vec<SecretString> {
    let mut texts = Vec::new();
    for value in values {
        match value {
            Value::String(text) => {
                let json = value.to_string();
                let quoted = json.strip_prefix('"').and_then(|json| json.strip_suffix('"'));
                texts.extend(quoted.map(SecretString::from));
                texts.push(text.as_str().into());
            }
            Value::Array(values) => texts.extend(self::texts(values)),
            Value::Object(members) => texts.extend(self::texts(members.values())),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_text_in_an_attribute_is_held_for_a_secret_also_as_it_stands_in_json() {
        let values = [json!("a\"b\""), json!([1, true, null, "two"]), json!({"name": {"x": "three"}})];
        let texts = texts(&values);
        let texts: Vec<_> = texts.iter().map(ExposeSecret::expose_secret).collect();
        assert_eq!(texts, [r#"a\"b\""#, "a\"b\"", "two", "two", "three", "three"]);
    }
}
