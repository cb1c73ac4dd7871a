use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, de};

/// A date in the provider's spelling.
///
/// Providers use more date formats than they document, and an unexpected one must not invalidate a record. So
/// the text is kept, and [`utc`](Self::utc) parses it on demand.
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Timestamp(Box<str>);

impl Timestamp {
    /// Returns the text as it was received.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Parses the text, and returns `None` if it is not a date.
    ///
    /// Accepts RFC 3339 with or without fractions, seconds or a zone, and a blank instead of the `T`. A date
    /// without a zone is taken for UTC. That is an assumption: no provider documents a local time.
    pub fn utc(&self) -> Option<DateTime<Utc>> {
        let text = self.0.trim();
        if let Some(date) = plain(text) {
            return Some(date);
        }
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

/// Parses `2024-03-15T22:21:30Z`, with or without a fraction: the format of nearly all dates.
///
/// Other formats are left to chrono, which takes three times as long for this one.
fn plain(text: &str) -> Option<DateTime<Utc>> {
    let (time, fraction) = text.strip_suffix('Z')?.split_at_checked("2024-03-15T22:21:30".len())?;
    let bytes = time.as_bytes();
    if [bytes[4], bytes[7], bytes[10], bytes[13], bytes[16]] != *b"--T::" {
        return None;
    }
    let number = |digits: &[u8]| {
        let digit = |byte: u8| byte.is_ascii_digit().then(|| u32::from(byte - b'0'));
        digits.iter().try_fold(0, |number, byte| Some(number * 10 + digit(*byte)?))
    };
    let nanos = match fraction.strip_prefix('.') {
        None if fraction.is_empty() => 0,
        Some(digits) if (1..=9).contains(&digits.len()) => {
            number(digits.as_bytes())? * 10_u32.pow(9 - u32::try_from(digits.len()).ok()?)
        }
        _ => return None,
    };
    let [year, month, day] = [&bytes[..4], &bytes[5..7], &bytes[8..10]].map(number);
    let [hour, minute, second] = [&bytes[11..13], &bytes[14..16], &bytes[17..]].map(number);
    let date = NaiveDate::from_ymd_opt(i32::try_from(year?).ok()?, month?, day?)?;
    Some(date.and_hms_nano_opt(hour?, minute?, second?, nanos)?.and_utc())
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
    fn parses_all_known_formats() {
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
    fn plain_agrees_with_chrono_on_mutated_dates() {
        let mut random = fastrand::Rng::with_seed(5);
        let mut read = 0;
        for _ in 0..50_000 {
            let mut text = random
                .choice(["2024-02-29T23:59:59Z", "1999-12-31T00:00:00.5Z", "2024-03-15T22:21:30.123456789Z"])
                .unwrap()
                .to_owned()
                .into_bytes();
            for _ in 0..random.usize(0..3) {
                let at = random.usize(0..text.len());
                match random.u8(0..4) {
                    0 => drop(text.remove(at)),
                    1 => text.insert(at, *random.choice(b"0129.:-TZ+ ").unwrap()),
                    _ => text[at] = *random.choice(b"0123456789.:-TZ+ ").unwrap(),
                }
            }
            let text = String::from_utf8(text).unwrap();
            if let Some(date) = plain(&text) {
                read += 1;
                assert_eq!(Ok(date), DateTime::parse_from_rfc3339(&text).map(|date| date.to_utc()), "{text}");
            }
        }
        assert!(read > 10_000, "{read}");
        assert_eq!(plain("2024-02-30T00:00:00Zé"), None);
    }

    #[test]
    fn invalid_date_keeps_its_text() {
        for text in ["", "yesterday", "2024-13-45T00:00:00Z", "1704067200"] {
            let stamp = Timestamp::from(text);
            assert_eq!((stamp.utc(), stamp.as_str()), (None, text));
        }
        assert_eq!(serde_json::from_str::<Timestamp>("1704067200").unwrap().as_str(), "1704067200");
    }
}
