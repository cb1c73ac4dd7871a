//! Arbitrary `Retry-After` headers. The client waits at least as long, or fails and reports the wait.

#![no_main]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arbitrary::Arbitrary;
use futures::TryStreamExt;
use headcount::{
    ErrorKind, annature,
    http::{Clock, RetryPolicy},
};
use headcount_fuzz::{
    redaction,
    runtime::run,
    server::{Server, headers, response, with_headers},
};
use libfuzzer_sys::fuzz_target;

/// The maximum of the runtime's timers is about thirty years.
const MAX_SLEEP: Duration = Duration::from_secs(86_400 * 365 * 29);
const INITIAL_DELAY: Duration = Duration::from_millis(100);

#[derive(Arbitrary, Debug)]
struct Input {
    values: Vec<Value>,
    status: Status,
    /// The client's clock, in seconds since 1970.
    now: u32,
    /// The maximum wait in seconds. `None` is unlimited.
    max_wait: Option<u32>,
    /// Whether the server also rejects the second request.
    twice: bool,
    /// The `Date` header of the responses.
    date: Option<ServerDate>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum ServerDate {
    /// The offset from the client's clock, in seconds.
    Ahead(i32),
    Nonsense,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Status {
    TooManyRequests,
    Unavailable,
    Other(u16),
}

#[derive(Arbitrary, Debug)]
enum Value {
    Seconds(u64),
    /// More digits than any integer type holds.
    Digits(u64, u64),
    Padded(u16),
    Fraction(u16, u8),
    /// A date, as an offset from the client's clock in seconds.
    Date(i32),
    Nonsense(Nonsense),
    Raw(Vec<u8>),
}

#[derive(Arbitrary, Debug)]
enum Nonsense {
    Empty,
    Negative(u16),
    Words,
    NotANumber,
    Unit(u16),
}

impl Value {
    fn text(&self, now: SystemTime) -> Vec<u8> {
        match self {
            Self::Seconds(seconds) => seconds.to_string().into(),
            Self::Digits(high, low) => format!("{high}{low:020}").into(),
            Self::Padded(seconds) => format!("  {seconds:06} ").into(),
            Self::Fraction(seconds, part) => format!("{seconds}.{part:03}").into(),
            Self::Date(offset) => httpdate::fmt_http_date(shifted(now, *offset)).into(),
            Self::Nonsense(nonsense) => match nonsense {
                Nonsense::Empty => Vec::new(),
                Nonsense::Negative(seconds) => format!("-{}", u32::from(*seconds) + 1).into(),
                Nonsense::Words => b"soon".into(),
                Nonsense::NotANumber => b"NaN".into(),
                Nonsense::Unit(seconds) => format!("{seconds}s").into(),
            },
            Self::Raw(bytes) => bytes.clone(),
        }
    }

    /// Returns the requested wait, if the value is unambiguous. `server_now` is the server's clock, if it is
    /// reported.
    fn wait(&self, now: SystemTime, server_now: SystemTime) -> Option<Duration> {
        Some(match self {
            Self::Seconds(seconds) => Duration::from_secs(*seconds),
            Self::Digits(high, low) => {
                Duration::from_secs(format!("{high}{low:020}").parse().unwrap_or(u64::MAX))
            }
            Self::Padded(seconds) => Duration::from_secs((*seconds).into()),
            Self::Fraction(seconds, part) => {
                Duration::from_secs((*seconds).into()) + Duration::from_millis((*part).into())
            }
            Self::Date(offset) => shifted(now, *offset).duration_since(server_now).unwrap_or_default(),
            Self::Nonsense(_) | Self::Raw(_) => return None,
        })
    }
}

/// Returns `now` shifted by `offset` seconds, but not before 1970, because years in HTTP dates have four
/// digits.
fn shifted(now: SystemTime, offset: i32) -> SystemTime {
    let shift = Duration::from_secs(offset.unsigned_abs().into());
    if offset < 0 {
        now.checked_sub(shift).filter(|date| *date >= UNIX_EPOCH).unwrap_or(UNIX_EPOCH)
    } else {
        now + shift
    }
}

fuzz_target!(|input: Input| {
    let now = UNIX_EPOCH + Duration::from_secs(input.now.into());
    let status = match input.status {
        Status::TooManyRequests => 429,
        Status::Unavailable => 503,
        Status::Other(status) => [301, 400, 401, 403, 404, 408, 418, 500, 502, 504][usize::from(status % 10)],
    };
    let max_wait = input.max_wait.map_or(Duration::MAX, |seconds| Duration::from_secs(seconds.into()));
    let values: Vec<_> = input.values.iter().take(8).map(|value| value.text(now)).collect();
    let times = if input.twice { 2 } else { 1 };
    let (date, server_now) = match input.date {
        Some(ServerDate::Ahead(offset)) => {
            let server_now = shifted(now, offset);
            (Some(httpdate::fmt_http_date(server_now)), server_now)
        }
        Some(ServerDate::Nonsense) => (Some("today".to_owned()), now),
        None => (None, now),
    };
    let mut responses = 0;
    let server = Server::new(move |_| {
        responses += 1;
        if responses > times {
            return response(200, r#"{"accounts":[],"has_more":false}"#);
        }
        let waits = values.iter().map(|value| ("retry-after", value.as_slice()));
        with_headers(status, "", headers(waits.chain(date.iter().map(|date| ("date", date.as_bytes())))))
    });
    let policy = RetryPolicy::default()
        .attempts(times + 1)
        .backoff(INITIAL_DELAY, INITIAL_DELAY)
        .max_retry_after(max_wait);
    let client = annature::Client::builder().id("id").key("key").transport(server.clone()).retry(policy);
    let client = client.clock(Clock::new(move || now)).build().unwrap();
    let listed = run(client.list_accounts().items().try_collect::<Vec<_>>());

    let values = &input.values[..input.values.len().min(8)];
    let requested = values.iter().filter_map(|value| value.wait(now, server_now)).max();
    let has_raw = values.iter().any(|value| matches!(value, Value::Raw(_)));
    let requests = server.requests();
    let is_retryable = matches!(status, 408 | 429 | 500 | 502 | 503 | 504);
    match listed {
        Ok(_) => {
            let requested = requested.unwrap_or_default();
            assert!(is_retryable, "{status} was retried");
            assert!(requested <= max_wait, "waited {requested:?}, but the maximum is {max_wait:?}");
            // A timer may be a millisecond late, and fractions are rounded up.
            let max_waited = requested.max(INITIAL_DELAY).saturating_add(Duration::from_millis(1002));
            for pair in requests.windows(2) {
                let waited = pair[1].at - pair[0].at;
                assert!(waited >= requested.min(MAX_SLEEP), "{waited:?} is less than {requested:?}");
                assert!(has_raw || waited <= max_waited, "{waited:?} is more than {requested:?}");
            }
        }
        Err(error) => {
            redaction::check(&error);
            assert_eq!(requests.len(), 1, "a second request would succeed");
            let reported = error.retry_after();
            assert!(reported >= requested, "{reported:?} was reported, {requested:?} was requested");
            assert!(has_raw || reported.is_some() == requested.is_some(), "{reported:?} {requested:?}");
            if is_retryable {
                assert!(reported.is_some_and(|wait| wait > max_wait), "not retried after {reported:?}");
                assert_eq!(error.kind(), ErrorKind::Throttled);
            }
        }
    }
});
