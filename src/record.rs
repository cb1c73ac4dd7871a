use std::{borrow::Cow, fmt, ops::Range, sync::Arc};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, Error as _},
    ser::Error as _,
};
use serde_json::{Value, error::Category, value::RawValue};

/// The maximum nesting of a record, which is that of `serde_json`.
///
/// A deeper record could be listed but not printed, so it is rejected.
pub(crate) const MAX_DEPTH: usize = 127;

/// The JSON of one record, exactly as the provider sent it.
///
/// It shares the memory of its page, which is freed with the last record of it: see [`detach`](Self::detach).
/// `Debug` prints only its length, since a record may contain secrets.
#[derive(Clone)]
pub struct RawRecord {
    /// `None` is the JSON `null`.
    page: Option<Arc<String>>,
    place: Range<usize>,
    /// The members, at any depth, whose values are credentials.
    secret: &'static [&'static str],
}

impl RawRecord {
    /// Creates the record at `place` of a page.
    pub(crate) fn new(page: Arc<String>, place: Range<usize>, secret: &'static [&'static str]) -> Self {
        Self { page: Some(page), place, secret }
    }

    /// Creates a `null` record: that of a struct before [`record!`](record) sets it, and of an
    /// [`Account`](crate::Account) that was not converted from a record.
    pub(crate) fn empty() -> Self {
        Self { page: None, place: 0..0, secret: &[] }
    }

    /// Returns the JSON.
    pub fn raw(&self) -> &str {
        self.page.as_ref().and_then(|page| page.get(self.place.clone())).unwrap_or("null")
    }

    /// Returns a copy of the record that does not keep its page in memory.
    ///
    /// Use it to keep a few records of many pages. The account that owns the original still keeps the page.
    #[must_use]
    pub fn detach(&self) -> Self {
        let page = self.page.as_ref().map(|_| Arc::new(self.raw().to_owned()));
        Self { page, place: 0..self.place.len(), secret: self.secret }
    }

    /// Deserialises the record as `T`: a provider's account, such as
    /// [`huawei::Account`](crate::huawei::Account), or a type of your own.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::InvalidRecord`](crate::ErrorKind::InvalidRecord) if the JSON does not fit `T`.
    pub fn parse<T: DeserializeOwned>(&self) -> crate::Result<T> {
        serde_json::from_str(self.raw()).map_err(|error| {
            let message = format!(
                "expected a record of type {}: {}",
                std::any::type_name::<T>(),
                describe_error(&error)
            );
            crate::Error::new(crate::ErrorKind::InvalidRecord, message)
        })
    }

    /// Returns the JSON as text, with secrets replaced as in [`redacted`](Self::redacted).
    ///
    /// It is [`raw`](Self::raw), without a copy, for records whose provider describes no secrets.
    pub fn redacted_json(&self) -> Cow<'_, str> {
        if self.secret.is_empty() {
            Cow::Borrowed(self.raw())
        } else {
            Cow::Owned(self.redacted().to_string())
        }
    }

    /// Returns the record as a JSON tree, with secrets replaced by `"[redacted]"`, for output that others may
    /// see.
    ///
    /// Secrets are the values of members that the provider's reference describes as such. The `attributes` of
    /// SailPoint accounts and entitlements are not described, and are not redacted.
    pub fn redacted(&self) -> Value {
        let mut value = serde_json::from_str(self.raw()).unwrap_or(Value::Null);
        redact(&mut value, self.secret);
        value
    }
}

/// Serialises the JSON with its secrets redacted.
impl Serialize for RawRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
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

/// Describes a JSON error by category and position, since serde's message quotes values, which may be
/// secrets.
pub(crate) fn describe_error(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        Category::Data => "invalid data",
        Category::Syntax => "invalid JSON",
        Category::Eof => "incomplete JSON",
        Category::Io => "unreadable data",
    };
    format!("{what} at line {} column {}", error.line(), error.column())
}

/// Deserialises an id: a string that is not empty.
pub(crate) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let id = String::deserialize(deserializer)?;
    if id.is_empty() { Err(D::Error::custom("the id is empty")) } else { Ok(id) }
}

/// A record that is decoded from a row of a page.
pub(crate) trait FromRow: Sized {
    /// The member that identifies a record in its listing, if it is known.
    const ID: Option<&'static str>;

    /// The record without the JSON of its row.
    type Fields;

    /// Deserialises the fields.
    fn fields<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self::Fields, D::Error>;

    /// Adds the JSON of the row, which is at `place` of `page`.
    fn new(fields: Self::Fields, page: Arc<String>, place: Range<usize>) -> Self;

    /// Deserialises JSON that is not part of a page.
    fn from_raw(json: Box<RawValue>) -> serde_json::Result<Self> {
        // serde accepts an array for a struct, its values in the order of the fields.
        if json.get().starts_with('[') {
            return Err(serde::de::Error::invalid_type(serde::de::Unexpected::Seq, &"an object"));
        }
        if is_too_deep(json.get()) {
            return Err(serde::de::Error::custom("the record is nested too deeply"));
        }
        let fields = Self::fields(&mut serde_json::Deserializer::from_str(json.get()))?;
        let json = String::from(Box::<str>::from(json));
        let place = 0..json.len();
        Ok(Self::new(fields, Arc::new(json), place))
    }
}

/// A record with an id that is unique in its listing.
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

/// Returns `true` if the JSON is nested more than [`MAX_DEPTH`] levels.
pub(crate) fn is_too_deep(json: &str) -> bool {
    // Most records have fewer brackets. `[` differs from `{` in one bit, and a chunk is counted in one byte,
    // so that the compiler can vectorise it.
    let count = |chunk: &[u8]| chunk.iter().map(|byte| u8::from(byte | 0x20 == b'{')).sum::<u8>();
    let opens: usize =
        json.as_bytes().chunks(usize::from(u8::MAX)).map(|chunk| usize::from(count(chunk))).sum();
    opens > MAX_DEPTH && levels(json) > MAX_DEPTH
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

/// Defines a typed record that keeps its JSON in a field `record`.
///
/// `id` is the member that identifies it, and the field of the same name. `secret` lists members, at any
/// depth, whose values are credentials. The derived deserialiser is an inherent function (`remote = "Self"`)
/// and the traits are implemented here, so that deserialising keeps the JSON and serialising writes it.
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
            /// Returns the record's JSON as it was received, with undocumented members.
            pub fn raw(&self) -> &str {
                self.record.raw()
            }

            /// Returns the record's JSON, to redact its secrets or to deserialise it as another type.
            pub fn record(&self) -> &crate::RawRecord {
                &self.record
            }
        }

        impl crate::record::FromRow for $name {
            const ID: Option<&'static str> = Some(stringify!($id));

            type Fields = Self;

            fn fields<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::deserialize(deserializer)
            }

            fn new(mut fields: Self, page: std::sync::Arc<String>, place: std::ops::Range<usize>) -> Self {
                fields.record = crate::RawRecord::new(page, place, crate::record::record!(@secret $($secret)?));
                fields
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
                serde::Serialize::serialize(&self.record, serializer)
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
    fn too_deep_is_what_serde_json_rejects() {
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
    fn redacted_text_is_copied_only_to_redact() {
        let json = r#"{"a": {"client_secret":"canary"},"b":1}"#;
        let record = |secret| RawRecord::new(Arc::new(json.to_owned()), 0..json.len(), secret);
        assert!(matches!(record(&[]).redacted_json(), Cow::Borrowed(text) if text == json));
        let redacted = r#"{"a":{"client_secret":"[redacted]"},"b":1}"#;
        assert_eq!(record(&["client_secret"]).redacted_json(), redacted);
    }

    #[test]
    fn described_error_has_no_values() {
        #[derive(Deserialize)]
        struct Row {
            #[expect(dead_code, reason = "only deserialised")]
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
            assert_eq!(describe_error(&error), expected, "{json}");
        }
    }
}
