use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};
use serde_json::{Value, value::RawValue};

/// The JSON of one record, exactly as the provider sent it.
///
/// `Debug` tells its length only: a record may hold secrets.
#[derive(Clone)]
pub struct Record {
    json: Box<RawValue>,
    /// Members, at any depth, whose values are credentials.
    secret: &'static [&'static str],
}

impl Record {
    pub(crate) fn new(json: Box<RawValue>, secret: &'static [&'static str]) -> Self {
        Self { json, secret }
    }

    /// What a struct holds while serde fills its fields, before [`keeps_record`] puts the JSON in; and an
    /// [`Account`](crate::Account) that was made from no record.
    pub(crate) fn none() -> Self {
        Self::new(RawValue::NULL.to_owned(), &[])
    }

    /// The JSON.
    pub fn raw(&self) -> &RawValue {
        &self.json
    }

    /// The record as a type: a provider's own (`record.parse::<headcount::huawei::Account>()`) or yours.
    ///
    /// # Errors
    /// [`ErrorKind::Record`](crate::ErrorKind::Record) if the JSON does not fit `T`.
    pub fn parse<T: DeserializeOwned>(&self) -> crate::Result<T> {
        serde_json::from_str(self.json.get()).map_err(|error| {
            let message = format!("the record is not a {}: {}", std::any::type_name::<T>(), reason(&error));
            crate::Error::new(crate::ErrorKind::Record, message)
        })
    }

    /// The record as a JSON tree, with `"[redacted]"` for the values of members that the provider's
    /// reference names as secrets. For output that others may see.
    ///
    /// What a provider only passes on has no such names: the `attributes` of SailPoint's accounts and
    /// entitlements stay whole, whatever their source put there.
    pub fn redacted(&self) -> Value {
        let mut value = serde_json::from_str(self.json.get()).unwrap_or(Value::Null);
        redact(&mut value, self.secret);
        value
    }
}

fn redact(value: &mut Value, secret: &[&str]) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if secret.contains(&name.as_str()) && !value.is_null() {
                    *value = "[redacted]".into();
                } else {
                    redact(value, secret);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| redact(value, secret)),
        _ => {}
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record({} bytes)", self.json.get().len())
    }
}

/// Why serde refused some JSON, without the values it met: they may be secrets.
///
/// serde's own text quotes the unexpected value (`invalid type: string "hunter2", expected a boolean`).
pub(crate) fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!("line {} column {}", error.line(), error.column());
    if let Some((kind, rest)) = text.split_once(": ")
        && kind.starts_with("invalid ")
        && let Some((met, expected)) = rest.rsplit_once(", expected ")
    {
        let met = met.split([' ', '(']).next().unwrap_or("a value");
        let expected = expected.split(" at line ").next().unwrap_or("another");
        return format!("{kind}: {met}, expected {expected}, at {place}");
    }
    match error.classify() {
        serde_json::error::Category::Data
            if !["missing field", EMPTY_ID, TOO_MANY_ROWS].iter().any(|known| text.starts_with(known)) =>
        {
            format!("the value is not what was expected, at {place}")
        }
        _ => text,
    }
}

const EMPTY_ID: &str = "the id is empty";
/// How the text begins that refuses a page for its size.
pub(crate) const TOO_MANY_ROWS: &str = "more rows";

/// Reads an id: a string with something in it.
pub(crate) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let id = String::deserialize(deserializer)?;
    if id.is_empty() { Err(D::Error::custom(EMPTY_ID)) } else { Ok(id) }
}

/// What a row of a page becomes; the row's own JSON goes in whole.
pub(crate) trait FromRow: Sized {
    /// The member that identifies a record in this provider's listing.
    const ID: &'static str;

    fn from_row(json: Box<RawValue>) -> serde_json::Result<Self>;
}

/// Refuses an array in the place of an object: serde takes one, its values in the order of the fields.
pub(crate) fn refuse_array(json: &RawValue) -> serde_json::Result<()> {
    if json.get().starts_with('[') {
        let met = serde::de::Unexpected::Seq;
        return Err(serde::de::Error::invalid_type(met, &"an object"));
    }
    Ok(())
}

/// Makes a typed record keep its own JSON in a `record` field.
///
/// The struct derives `Deserialize` with `#[serde(remote = "Self")]`, which makes the derived reader an
/// inherent function; the trait is implemented here, so that reading always keeps the JSON and writing
/// always gives it back.
macro_rules! keeps_record {
    ($name:ident, id = $id:literal, secret = $secret:expr) => {
        impl $name {
            /// The record's JSON as it came, with every member, documented or not.
            pub fn raw(&self) -> &serde_json::value::RawValue {
                self.record.raw()
            }

            /// The record's JSON with its secrets redacted, and as a type of your own: see
            /// [`Record`](crate::Record).
            pub fn record(&self) -> &crate::Record {
                &self.record
            }
        }

        impl crate::record::FromRow for $name {
            const ID: &'static str = $id;

            fn from_row(json: Box<serde_json::value::RawValue>) -> serde_json::Result<Self> {
                crate::record::refuse_array(&json)?;
                let mut reader = serde_json::Deserializer::from_str(json.get());
                let mut this = Self::deserialize(&mut reader)?;
                this.record = crate::Record::new(json, $secret);
                Ok(this)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let json =
                    <Box<serde_json::value::RawValue> as serde::Deserialize>::deserialize(deserializer)?;
                crate::record::FromRow::from_row(json).map_err(serde::de::Error::custom)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let secret: &[&str] = $secret;
                if secret.is_empty() {
                    serde::Serialize::serialize(self.raw(), serializer)
                } else {
                    serde::Serialize::serialize(&self.record.redacted(), serializer)
                }
            }
        }
    };
}
pub(crate) use keeps_record;
