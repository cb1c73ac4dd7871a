//! Cursors: base64 of `{"id": "…", "created": "…"}`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat};
use serde_json::{Value, json};

use crate::world::{Id, Key};

/// The rank of accounts whose `created` cannot be read: behind all others.
pub(crate) const UNDATED: i64 = i64::MAX;

/// The rank of an instant, so that the newest comes first.
pub(crate) fn rank(millis: i64) -> i64 {
    millis.checked_neg().unwrap_or(UNDATED)
}

/// Milliseconds since 1970 of an ISO 8601 timestamp; without an offset it is UTC, without a time midnight.
pub(crate) fn millis(text: &str) -> Option<i64> {
    let zoned = DateTime::parse_from_rfc3339(text).map(|at| at.timestamp_millis());
    let naive = || text.parse::<NaiveDateTime>().map(|at| at.and_utc().timestamp_millis());
    let day = || text.parse::<NaiveDate>().map(|day| day.and_time(chrono::NaiveTime::MIN).and_utc());
    zoned.or_else(|_| naive()).or_else(|_| day().map(|at| at.timestamp_millis())).ok()
}

pub(crate) fn write(key: &Key) -> String {
    let id = match &key.id {
        Id::Hex(id) => hex::encode(id),
        Id::Text(id) => id.to_string(),
    };
    let at = key.rank.checked_neg().filter(|_| key.rank != UNDATED).and_then(DateTime::from_timestamp_millis);
    let created = at.map(|at| at.to_rfc3339_opts(SecondsFormat::AutoSi, true));
    STANDARD.encode(json!({"id": id, "created": created}).to_string())
}

/// Another cursor for the place of this one, or for the start.
pub(crate) fn again(cursor: Option<&str>) -> String {
    let fields = cursor
        .and_then(|cursor| STANDARD.decode(cursor).ok())
        .and_then(|json| serde_json::from_slice(&json).ok());
    let mut fields = fields.unwrap_or_else(|| json!({"id": "", "created": "9999-12-31T23:59:59Z"}));
    if let Some(fields) = fields.as_object_mut() {
        let times = fields.get("again").and_then(Value::as_u64).unwrap_or(0);
        fields.insert("again".to_owned(), json!(times.saturating_add(1)));
    }
    STANDARD.encode(fields.to_string())
}

/// The place that a cursor stands for.
pub(crate) fn read(cursor: &str) -> Option<Key> {
    let json = STANDARD.decode(cursor).ok()?;
    let fields: Value = serde_json::from_slice(&json).ok()?;
    let id = Id::from_hex(fields.get("id")?.as_str()?);
    let rank = match fields.get("created")? {
        Value::Null => UNDATED,
        created => rank(millis(created.as_str()?)?),
    };
    Some(Key { rank, id })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_gives_its_place_back() {
        let ids = [Id::Hex([9; 16]), Id::Text("f123".into())];
        for id in ids {
            for rank in [rank(1_752_049_800_000), rank(1_752_049_800_250), UNDATED] {
                let key = Key { rank, id: id.clone() };
                assert_eq!(read(&write(&key)), Some(key));
            }
        }
    }

    #[test]
    fn another_cursor_for_a_place_is_another_text() {
        let key = Key { rank: rank(1_752_049_800_000), id: Id::Hex([9; 16]) };
        let (first, second) = (write(&key), again(Some(&write(&key))));
        let third = again(Some(&second));
        assert!(first != second && second != third);
        assert_eq!([read(&second), read(&third)], [Some(key.clone()), Some(key.clone())]);
        let start = read(&again(None)).expect("a cursor");
        assert!(start < key);
    }

    #[test]
    fn the_cursor_of_the_reference_is_read() {
        let key = read("eyJpZCI6ImYxMjMiLCJjcmVhdGVkIjoiMjAyNS0wNy0wOVQwODozMDowMFoifQ==").expect("a cursor");
        assert_eq!(key, Key { rank: rank(1_752_049_800_000), id: Id::Text("f123".into()) });
        for wrong in ["", "f123", "e30=", "bnVsbA=="] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn timestamps_with_and_without_their_parts() {
        let at = Some(1_704_067_200_000);
        for text in
            ["2024-01-01T00:00:00Z", "2024-01-01T00:00:00.000Z", "2024-01-01T10:00:00+10:00", "2024-01-01"]
        {
            assert_eq!(millis(text), at, "{text}");
        }
        for text in ["", "yesterday", "2024-01-01T10:00:00 10:00", "2024-13-01"] {
            assert_eq!(millis(text), None, "{text}");
        }
    }
}
