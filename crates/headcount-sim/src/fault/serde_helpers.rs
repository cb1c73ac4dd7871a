//! Serde helpers that validate numbers and format durations.

use std::fmt::Display;
use std::time::Duration;

use serde::de::{Deserializer, Error, Unexpected};
use serde::{Deserialize, Serializer};

/// Deserializes a fraction of requests, from 0 to 1.
pub(crate) fn fraction<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let fraction = f64::deserialize(deserializer)?;
    if (0.0..=1.0).contains(&fraction) {
        Ok(fraction)
    } else {
        Err(invalid(Unexpected::Float(fraction), &"a number from 0 to 1"))
    }
}

/// Deserializes the number of a request, which starts at 1.
pub(crate) fn request_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    match u64::deserialize(deserializer)? {
        0 => Err(invalid(Unexpected::Unsigned(0), &"a request number from 1")),
        number => Ok(number),
    }
}

/// Deserializes a final response status.
pub(crate) fn status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    let status = u16::deserialize(deserializer)?;
    if (200..=599).contains(&status) {
        Ok(status)
    } else {
        let status = Unexpected::Unsigned(status.into());
        Err(invalid(status, &"a status from 200 to 599"))
    }
}

/// Serializes durations as text such as `250ms`.
pub(crate) mod duration {
    use super::{Deserialize, Deserializer, Duration, Serializer, Unexpected, invalid};

    /// The units with their nanoseconds, longest first.
    const UNITS: [(&str, u128); 4] = [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000), ("ns", 1)];

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde requires a reference")]
    pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        let nanos = duration.as_nanos();
        let exact = UNITS.iter().find(|(_, unit)| nanos.is_multiple_of(*unit));
        let (name, unit) = exact.unwrap_or(&("ns", 1));
        serializer.collect_str(&format_args!("{}{name}", nanos / unit))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).ok_or_else(|| invalid(Unexpected::Str(&text), &"a duration such as \"250ms\" or \"3s\""))
    }

    fn parse(text: &str) -> Option<Duration> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, name) = text.split_at_checked(digits)?;
        let (_, unit) = UNITS.iter().find(|(unit, _)| *unit == name)?;
        let nanos = number.parse::<u128>().ok()?.checked_mul(*unit)?;
        let seconds = u64::try_from(nanos / 1_000_000_000).ok()?;
        Some(Duration::new(seconds, u32::try_from(nanos % 1_000_000_000).ok()?))
    }
}

fn invalid<E: Error>(actual: Unexpected<'_>, expected: &dyn Display) -> E {
    E::custom(format_args!("expected {expected}, got {actual}"))
}
