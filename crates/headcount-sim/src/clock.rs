//! The system's clock, read in this one place.

use chrono::{DateTime, TimeDelta, Utc};

/// Now, as a server tells it in bodies and headers.
#[allow(
    clippy::disallowed_methods,
    reason = "a simulated server has a clock of its own; it must not follow a clock injected into a client"
)]
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}

/// Now, by a clock that is ahead of this one; an offset beyond all dates is taken for none.
pub(crate) fn now_ahead(offset: TimeDelta) -> DateTime<Utc> {
    let now = now();
    now.checked_add_signed(offset).unwrap_or(now)
}

/// A date as HTTP headers write it.
pub(crate) fn http_date(at: DateTime<Utc>) -> String {
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// An instant this far ahead, or so far ahead that no test sees it when `wait` is out of range.
pub(crate) fn after(wait: std::time::Duration) -> tokio::time::Instant {
    const FAR: std::time::Duration = std::time::Duration::from_secs(60 * 60 * 24 * 365);
    let now = tokio::time::Instant::now();
    now.checked_add(wait.min(FAR)).unwrap_or(now)
}
