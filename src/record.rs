use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, Error as _},
};
use serde_json::{Value, error::Category, value::RawValue};

/// The most levels of arrays and objects that `serde_json` reads into a tree. A deeper record could be listed and not
/// be shown, so it is refused when it is read.
pub(crate) const DEEPEST: usize = 127;

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

    /// What a struct holds while serde fills its fields, before [`record!`](record) puts the JSON in; and an
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

    /// Writes the JSON, with its secrets redacted.
    pub(crate) fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.secret.is_empty() {
            self.raw().serialize(serializer)
        } else {
            self.redacted().serialize(serializer)
        }
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

/// Why serde refused some JSON, without the values it met: they may be secrets, and serde's own text quotes them.
pub(crate) fn reason(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        Category::Data => "invalid data",
        Category::Syntax => "invalid JSON",
        Category::Eof => "incomplete JSON",
        Category::Io => "unreadable data",
    };
    format!("{what} at line {} column {}", error.line(), error.column())
}

/// Reads an id: a string with something in it.
pub(crate) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let id = String::deserialize(deserializer)?;
    if id.is_empty() { Err(D::Error::custom("the id is empty")) } else { Ok(id) }
}

/// What a row of a page becomes; the row's own JSON goes in whole.
pub(crate) trait FromRow: Sized {
    /// The member that identifies a record in this provider's listing.
    const ID: &'static str;

    fn from_row(json: Box<RawValue>) -> serde_json::Result<Self>;

    /// The value of that member.
    fn row_id(&self) -> Cow<'_, str>;
}

/// The value of a member that identifies a record.
pub(crate) trait RowId {
    fn as_text(&self) -> Cow<'_, str>;
}

impl RowId for String {
    fn as_text(&self) -> Cow<'_, str> {
        Cow::Borrowed(self)
    }
}

impl RowId for uuid::Uuid {
    fn as_text(&self) -> Cow<'_, str> {
        Cow::Owned(self.to_string())
    }
}

/// Refuses an array in the place of an object: serde takes one, its values in the order of the fields.
pub(crate) fn refuse_array(json: &RawValue) -> serde_json::Result<()> {
    if json.get().starts_with('[') {
        let met = serde::de::Unexpected::Seq;
        return Err(serde::de::Error::invalid_type(met, &"an object"));
    }
    Ok(())
}

/// Refuses a record of so many levels that it could not be read as a tree.
pub(crate) fn refuse_deep(json: &RawValue) -> serde_json::Result<()> {
    if is_too_deep(json) { Err(serde::de::Error::custom("it is nested too deeply")) } else { Ok(()) }
}

/// Whether some JSON has more levels of arrays and objects than [`DEEPEST`].
pub(crate) fn is_too_deep(json: &RawValue) -> bool {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in json.get().bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest > DEEPEST
}

/// Defines a typed record that keeps its own JSON, in a field `record`.
///
/// `id` is the member that identifies it, and the field of the same name. `secret` are members, at any depth, whose
/// values are credentials. The derived reader is an inherent function (`remote = "Self"`), and the trait is
/// implemented here, so that reading always keeps the JSON and writing always gives it back.
macro_rules! record {
    (
        id = $id:ident $(, secret = $secret:tt)?;

        $(#[$meta:meta])*
        pub struct $name:ident { $($fields:tt)* }
    ) => {
        #[derive(Clone, Debug, serde::Deserialize)]
        #[serde(remote = "Self")]
        #[non_exhaustive]
        $(#[$meta])*
        pub struct $name {
            $($fields)*
            #[serde(skip, default = "crate::Record::none")]
            record: crate::Record,
        }

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
            const ID: &'static str = stringify!($id);

            fn from_row(json: Box<serde_json::value::RawValue>) -> serde_json::Result<Self> {
                crate::record::refuse_array(&json)?;
                crate::record::refuse_deep(&json)?;
                let mut reader = serde_json::Deserializer::from_str(json.get());
                let mut this = Self::deserialize(&mut reader)?;
                this.record = crate::Record::new(json, crate::record::record!(@secret $($secret)?));
                Ok(this)
            }

            fn row_id(&self) -> std::borrow::Cow<'_, str> {
                crate::record::RowId::as_text(&self.$id)
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
                self.record.serialize(serializer)
            }
        }
    };
    (@secret) => { &[] };
    (@secret $secret:tt) => { &$secret };
}
pub(crate) use record;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_deep_is_no_tree() {
        for levels in 1..300 {
            let nested = |open: &str, end: &str| format!("{}0{}", open.repeat(levels), end.repeat(levels));
            for json in [nested("[", "]"), nested(r#"{"a":"#, "}"), nested(r#"[{},"]]\"[[","#, "]")] {
                let raw = RawValue::from_string(json).unwrap();
                let is_tree = serde_json::from_str::<Value>(raw.get()).is_ok();
                assert_eq!(!is_too_deep(&raw), is_tree, "{levels}");
                assert_eq!(refuse_deep(&raw).is_ok(), is_tree, "{levels}");
            }
        }
    }

    #[test]
    fn a_reason_holds_no_value() {
        #[derive(Deserialize)]
        struct Row {
            #[expect(dead_code, reason = "it is only read")]
            active: bool,
        }
        for (json, expected) in [
            (r#"{"active":"hunter2"}"#, "invalid data at line 1 column 19"),
            ("{\n\"active\":\"hunter2, expected a bool\"}", "invalid data at line 2 column 35"),
            (r#"{"hunter2":1}"#, "invalid data at line 1 column 13"),
            (r#"{"active":hunter2}"#, "invalid JSON at line 1 column 11"),
            (r#"{"active":tr"#, "incomplete JSON at line 1 column 12"),
        ] {
            let error = serde_json::from_str::<Row>(json).err().unwrap();
            assert_eq!(reason(&error), expected, "{json}");
        }
    }
}
