//! The cursor format: base64 of `{"id": "…", "created": "…"}`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat};
use serde_json::{Value, json};

use crate::world::{Id, SortKey};

/// The rank of accounts without a valid `created`: after all others.
pub(crate) const UNDATED: i64 = i64::MAX;

/// Returns the rank of an instant. The newest has the lowest rank.
pub(crate) fn rank(millis: i64) -> i64 {
    millis.checked_neg().unwrap_or(UNDATED)
}

/// Parses an ISO 8601 timestamp to Unix milliseconds. Defaults to UTC and to midnight.
pub(crate) fn millis(text: &str) -> Option<i64> {
    let zoned = DateTime::parse_from_rfc3339(text).map(|at| at.timestamp_millis());
    let naive = || text.parse::<NaiveDateTime>().map(|at| at.and_utc().timestamp_millis());
    let day = || text.parse::<NaiveDate>().map(|day| day.and_time(chrono::NaiveTime::MIN).and_utc());
    zoned.or_else(|_| naive()).or_else(|_| day().map(|at| at.timestamp_millis())).ok()
}

/// Encodes a position as a cursor.
pub(crate) fn encode(key: &SortKey) -> String {
    let id = match &key.id {
        Id::Hex(id) => hex::encode(id),
        Id::Text(id) => id.to_string(),
    };
    let at = key.rank.checked_neg().filter(|_| key.rank != UNDATED).and_then(DateTime::from_timestamp_millis);
    let created = at.map(|at| at.to_rfc3339_opts(SecondsFormat::AutoSi, true));
    STANDARD.encode(json!({"id": id, "created": created}).to_string())
}

/// Returns a different cursor for the same position as this one, or for the start.
pub(crate) fn renew(cursor: Option<&str>) -> String {
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

/// Decodes the position of a cursor.
pub(crate) fn decode(cursor: &str) -> Option<SortKey> {
    let json = STANDARD.decode(cursor).ok()?;
    let fields: Value = serde_json::from_slice(&json).ok()?;
    let id = Id::from_hex(fields.get("id")?.as_str()?);
    let rank = match fields.get("created")? {
        Value::Null => UNDATED,
        created => rank(millis(created.as_str()?)?),
    };
    Some(SortKey { rank, id })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_round_trip() {
        let ids = [Id::Hex([9; 16]), Id::Text("f123".into())];
        for id in ids {
            for rank in [rank(1_752_049_800_000), rank(1_752_049_800_250), UNDATED] {
                let key = SortKey { rank, id: id.clone() };
                assert_eq!(decode(&encode(&key)), Some(key));
            }
        }
    }

    #[test]
    fn renewed_cursor_has_the_same_position() {
        let key = SortKey { rank: rank(1_752_049_800_000), id: Id::Hex([9; 16]) };
        let (first, second) = (encode(&key), renew(Some(&encode(&key))));
        let third = renew(Some(&second));
        assert!(first != second && second != third);
        assert_eq!([decode(&second), decode(&third)], [Some(key.clone()), Some(key.clone())]);
        let start = decode(&renew(None)).expect("a cursor");
        assert!(start < key);
    }

    #[test]
    fn decodes_the_cursor_of_the_reference() {
        let key =
            decode("eyJpZCI6ImYxMjMiLCJjcmVhdGVkIjoiMjAyNS0wNy0wOVQwODozMDowMFoifQ==").expect("a cursor");
        assert_eq!(key, SortKey { rank: rank(1_752_049_800_000), id: Id::Text("f123".into()) });
        for invalid in ["", "f123", "e30=", "bnVsbA=="] {
            assert_eq!(decode(invalid), None, "{invalid}");
        }
    }

    #[test]
    fn timestamps_with_optional_parts() {
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
