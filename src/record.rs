use std::{borrow::Cow, fmt, ops::Range, sync::Arc};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, Error as _},
    ser::Error as _,
};
use serde_json::{Value, error::Category, value::RawValue};

/// The most levels of arrays and objects that `serde_json` reads into a tree. A deeper record could be listed and not
/// be shown, so it is refused when it is read.
pub(crate) const DEEPEST: usize = 127;

/// The JSON of one record, exactly as the provider sent it.
///
/// It is a part of the page that it came with, which stays in memory as long as one record of it: see
/// [`detach`](Self::detach). `Debug` tells its length only: a record may hold secrets.
#[derive(Clone)]
pub struct RawRecord {
    /// `None` is JSON's null.
    page: Option<Arc<String>>,
    place: Range<usize>,
    /// Members, at any depth, whose values are credentials.
    secret: &'static [&'static str],
}

impl RawRecord {
    /// The record at this place of a page.
    pub(crate) fn new(page: Arc<String>, place: Range<usize>, secret: &'static [&'static str]) -> Self {
        Self { page: Some(page), place, secret }
    }

    /// What a struct holds while serde fills its fields, before [`record!`](record) puts the JSON in; and an
    /// [`Account`](crate::Account) that was made from no record.
    pub(crate) fn empty() -> Self {
        Self { page: None, place: 0..0, secret: &[] }
    }

    /// The JSON.
    pub fn raw(&self) -> &str {
        self.page.as_ref().and_then(|page| page.get(self.place.clone())).unwrap_or("null")
    }

    /// The same record with a copy of its JSON, which keeps no page in memory.
    ///
    /// Worth its cost where a few records of many pages are kept: with one of each, all pages stay. The account that it
    /// was taken from keeps its page as long as it lives.
    #[must_use]
    pub fn detach(&self) -> Self {
        let page = self.page.as_ref().map(|_| Arc::new(self.raw().to_owned()));
        Self { page, place: 0..self.place.len(), secret: self.secret }
    }

    /// The record as a type: a provider's own (`record.parse::<headcount::huawei::Account>()`) or yours.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRecord`](crate::ErrorKind::InvalidRecord) if the JSON does not fit `T`.
    pub fn parse<T: DeserializeOwned>(&self) -> crate::Result<T> {
        serde_json::from_str(self.raw()).map_err(|error| {
            let message = format!("the record is not a {}: {}", std::any::type_name::<T>(), reason(&error));
            crate::Error::new(crate::ErrorKind::InvalidRecord, message)
        })
    }

    /// The record as a JSON tree, with `"[redacted]"` for the values of members that the provider's
    /// reference names as secrets. For output that others may see.
    ///
    /// What a provider only passes on has no such names: the `attributes` of SailPoint's accounts and
    /// entitlements stay whole, whatever their source put there.
    pub fn redacted(&self) -> Value {
        let mut value = serde_json::from_str(self.raw()).unwrap_or(Value::Null);
        redact(&mut value, self.secret);
        value
    }

    /// Writes the JSON, with its secrets redacted.
    pub(crate) fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.secret.is_empty() {
            serde_json::from_str::<&RawValue>(self.raw()).map_err(S::Error::custom)?.serialize(serializer)
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

impl fmt::Debug for RawRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawRecord({} bytes)", self.raw().len())
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
pub(crate) trait FromRow: HasId + Sized {
    /// The member that identifies a record in this provider's listing.
    const ID: &'static str;

    /// Reads the fields, without the JSON.
    fn fields<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;

    /// Takes the JSON in, which is at this place of a page.
    fn keep(&mut self, page: Arc<String>, place: Range<usize>);

    /// Reads JSON that is no part of a page.
    fn from_raw(json: Box<RawValue>) -> serde_json::Result<Self> {
        // serde takes an array for an object, its values in the order of the fields.
        if json.get().starts_with('[') {
            let met = serde::de::Unexpected::Seq;
            return Err(serde::de::Error::invalid_type(met, &"an object"));
        }
        if is_too_deep(json.get()) {
            return Err(serde::de::Error::custom("it is nested too deeply"));
        }
        let mut this = Self::fields(&mut serde_json::Deserializer::from_str(json.get()))?;
        let json = String::from(Box::<str>::from(json));
        let place = 0..json.len();
        this.keep(Arc::new(json), place);
        Ok(this)
    }
}

/// What has an id, unique in its listing.
pub(crate) trait HasId {
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

/// Whether some JSON has more levels of arrays and objects than [`DEEPEST`].
pub(crate) fn is_too_deep(json: &str) -> bool {
    // Mostly there are too few brackets for so many levels. `[` is `{` without one bit. A chunk counts into one byte,
    // so that many are counted at once.
    let count = |chunk: &[u8]| chunk.iter().map(|byte| u8::from(byte | 0x20 == b'{')).sum::<u8>();
    let opens: usize =
        json.as_bytes().chunks(usize::from(u8::MAX)).map(|chunk| usize::from(count(chunk))).sum();
    opens > DEEPEST && levels(json) > DEEPEST
}

fn levels(json: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
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
    deepest
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
            #[serde(skip, default = "crate::RawRecord::empty")]
            record: crate::RawRecord,
        }

        impl $name {
            /// The record's JSON as it came, with every member, documented or not.
            pub fn raw(&self) -> &str {
                self.record.raw()
            }

            /// The record's JSON with its secrets redacted, and as a type of your own: see
            /// [`RawRecord`](crate::RawRecord).
            pub fn record(&self) -> &crate::RawRecord {
                &self.record
            }
        }

        impl crate::record::FromRow for $name {
            const ID: &'static str = stringify!($id);

            fn fields<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::deserialize(deserializer)
            }

            fn keep(&mut self, page: std::sync::Arc<String>, place: std::ops::Range<usize>) {
                self.record = crate::RawRecord::new(page, place, crate::record::record!(@secret $($secret)?));
            }
        }

        impl crate::record::HasId for $name {
            fn row_id(&self) -> std::borrow::Cow<'_, str> {
                crate::record::RowId::as_text(&self.$id)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let json =
                    <Box<serde_json::value::RawValue> as serde::Deserialize>::deserialize(deserializer)?;
                crate::record::FromRow::from_raw(json).map_err(serde::de::Error::custom)
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
                assert_eq!(!is_too_deep(raw.get()), is_tree, "{levels}");
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
