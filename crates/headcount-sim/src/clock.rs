//! The only access to the system clock.

use chrono::{DateTime, TimeDelta, Utc};

/// Returns the current time, for bodies and headers.
#[allow(
    clippy::disallowed_methods,
    reason = "a simulated server must not use the clock that a test injects into a client"
)]
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}

/// Returns the current time plus an offset. Ignores an offset that is out of range.
pub(crate) fn now_plus(offset: TimeDelta) -> DateTime<Utc> {
    let now = now();
    now.checked_add_signed(offset).unwrap_or(now)
}

/// Formats a date for an HTTP header.
pub(crate) fn http_date(at: DateTime<Utc>) -> String {
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Returns the instant after `wait`, which is limited to one year so that it cannot overflow.
pub(crate) fn after(wait: std::time::Duration) -> tokio::time::Instant {
    const FAR: std::time::Duration = std::time::Duration::from_secs(60 * 60 * 24 * 365);
    let now = tokio::time::Instant::now();
    now.checked_add(wait.min(FAR)).unwrap_or(now)
}
