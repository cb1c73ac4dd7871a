//! How values are written in the report. Texts of an inventory are untrusted; the template escapes HTML.

use headcount::{
    chrono::{DateTime, SecondsFormat, TimeDelta, Utc},
    escape_hidden,
};

/// The most characters of an untrusted text that are shown, before hidden ones are escaped.
const MAX_CHARS: usize = 80;
/// The most characters of an error or an endpoint that are shown.
const MAX_LONG_CHARS: usize = 600;

/// Writes hidden characters of a name as `\u{…}`, and shortens a long name with an ellipsis.
pub(crate) fn visible(text: &str) -> String {
    visible_up_to(text, MAX_CHARS)
}

/// Writes an endpoint, a filter or an error as [`visible`] does, but longer.
pub(crate) fn visible_long(text: &str) -> String {
    visible_up_to(text, MAX_LONG_CHARS)
}

fn visible_up_to(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => escape_hidden(text).into_owned(),
        Some((end, _)) => escape_hidden(&text[..end]).into_owned() + "…",
    }
}

/// Writes a count with separators: `12,345`.
pub(crate) fn count(count: impl TryInto<u64>) -> String {
    let digits = count.try_into().unwrap_or(u64::MAX).to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 account`, `2 accounts`.
pub(crate) fn counted(number: usize, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// Returns a part of a total that is not 0 in percent: `12.345`.
pub(crate) fn percentage(part: usize, total: usize) -> String {
    let thousandths = part as u128 * 100_000 / total as u128;
    format!("{}.{:03}", thousandths / 1000, thousandths % 1000)
}

/// Joins names: `a`, `a and b`, `a, b and c`.
pub(crate) fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [name] => name.clone(),
        [names @ .., last] => format!("{} and {last}", names.join(", ")),
    }
}

/// `2026-03-04 10:20:30 UTC`
pub(crate) fn instant(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// `2026-03-04`
pub(crate) fn date(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d").to_string()
}

/// `10:20:30 UTC`
pub(crate) fn time(at: DateTime<Utc>) -> String {
    at.format("%H:%M:%S UTC").to_string()
}

/// The form of HTML's attribute `datetime`.
pub(crate) fn machine_readable(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// `420 ms`, `3.42 s`, `3 min 20 s`, `2 h 5 min`.
pub(crate) fn duration(from: DateTime<Utc>, to: DateTime<Utc>) -> String {
    let taken = to - from;
    if taken < TimeDelta::zero() {
        return "unknown: it ends before it starts".into();
    }
    let seconds = taken.num_seconds();
    match seconds {
        0 => format!("{} ms", taken.num_milliseconds()),
        1..60 => format!("{seconds}.{:02} s", taken.subsec_nanos() / 10_000_000),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}
