use std::fmt;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, de};

/// A date as a provider wrote it.
///
/// Providers write dates in more forms than they document, and one odd date must not cost a record. So
/// the text is kept as it came, and [`utc`](Self::utc) reads it when asked.
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Timestamp(Box<str>);

impl Timestamp {
    /// The text as it came.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The moment, or `None` where the text is no date.
    ///
    /// Reads RFC 3339 with and without fractions or seconds, with a blank for the `T`, and without a zone,
    /// which is then taken for UTC (an assumption: no provider here documents a local time).
    pub fn utc(&self) -> Option<DateTime<Utc>> {
        let text = self.0.trim();
        if let Ok(date) = DateTime::parse_from_rfc3339(text) {
            return Some(date.to_utc());
        }
        for zoned in ["%Y-%m-%dT%H:%M%#z", "%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M:%S%.f%#z"] {
            if let Ok(date) = DateTime::parse_from_str(text, zoned) {
                return Some(date.to_utc());
            }
        }
        let text = text.strip_suffix(['Z', 'z']).unwrap_or(text);
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
            .iter()
            .find_map(|layout| NaiveDateTime::parse_from_str(text, layout).ok())
            .map(|date| date.and_utc())
    }
}

impl From<&str> for Timestamp {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Timestamp;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a date")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
                Ok(text.into())
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Timestamp, E> {
                Ok(number.to_string().as_str().into())
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Timestamp, E> {
                Ok(number.to_string().as_str().into())
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Timestamp, E> {
                Ok(number.to_string().as_str().into())
            }
        }
        deserializer.deserialize_any(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_that_was_seen_is_read() {
        let noon = "2024-03-15T22:21:30Z".parse::<DateTime<Utc>>().unwrap();
        for text in [
            "2024-03-15T22:21:30Z",
            "2024-03-15T22:21:30.000Z",
            "2024-03-15T22:21:30.000000Z",
            "2024-03-16T08:51:30+10:30",
            "2024-03-15T22:21:30",
            "2024-03-15 22:21:30",
            "2024-03-15 22:21:30Z",
            "2024-03-16 08:51:30+10:30",
            "2024-03-16T08:51:30+1030",
        ] {
            assert_eq!(Timestamp::from(text).utc(), Some(noon), "{text}");
        }
        let no_seconds = "2024-03-15T22:21:00Z".parse::<DateTime<Utc>>().unwrap();
        for text in ["2024-03-15T22:21Z", "2024-03-16T08:51+10:30", "2024-03-15 22:21"] {
            assert_eq!(Timestamp::from(text).utc(), Some(no_seconds), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_keeps_its_text() {
        for text in ["", "yesterday", "2024-13-45T00:00:00Z", "1704067200"] {
            let stamp = Timestamp::from(text);
            assert_eq!((stamp.utc(), stamp.as_str()), (None, text));
        }
        assert_eq!(serde_json::from_str::<Timestamp>("1704067200").unwrap().as_str(), "1704067200");
    }
}
