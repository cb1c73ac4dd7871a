//! How numbers are written and checked in JSON.

use std::fmt::Display;
use std::time::Duration;

use serde::de::{Deserializer, Error, Unexpected};
use serde::{Deserialize, Serializer};

/// A share of requests, from 0 to 1.
pub(crate) fn share<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    let share = f64::deserialize(from)?;
    if (0.0..=1.0).contains(&share) {
        Ok(share)
    } else {
        Err(wrong(Unexpected::Float(share), &"a share from 0 to 1"))
    }
}

/// The number of a request, from 1.
pub(crate) fn nth<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    match u64::deserialize(from)? {
        0 => Err(wrong(Unexpected::Unsigned(0), &"the number of a request; the first is 1")),
        nth => Ok(nth),
    }
}

/// A status that ends a request.
pub(crate) fn status<'de, D: Deserializer<'de>>(from: D) -> Result<u16, D::Error> {
    let status = u16::deserialize(from)?;
    if (200..=599).contains(&status) {
        Ok(status)
    } else {
        let status = Unexpected::Unsigned(status.into());
        Err(wrong(status, &"a status from 200 to 599"))
    }
}

/// Durations as text.
pub(crate) mod duration {
    use super::{Deserialize, Deserializer, Duration, Serializer, Unexpected, wrong};

    /// Longest first, with their nanoseconds.
    const UNITS: [(&str, u128); 4] = [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000), ("ns", 1)];

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    pub(crate) fn serialize<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
        let nanos = duration.as_nanos();
        let exact = UNITS.iter().find(|(_, unit)| nanos.is_multiple_of(*unit));
        let (name, unit) = exact.unwrap_or(&("ns", 1));
        to.collect_str(&format_args!("{}{name}", nanos / unit))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(from)?;
        parse(&text).ok_or_else(|| wrong(Unexpected::Str(&text), &"a duration such as \"250ms\" or \"3s\""))
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

fn wrong<E: Error>(what: Unexpected<'_>, expected: &dyn Display) -> E {
    E::custom(format_args!("{what}, expected {expected}"))
}
