//! Whatever a server says in `Retry-After`, its wait is kept to or told, and never undercut.

#![no_main]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arbitrary::Arbitrary;
use futures::TryStreamExt;
use headcount::{
    ErrorKind, Paginator, annature,
    http::{Clock, RetryPolicy},
};
use headcount_fuzz::{
    runtime::run,
    server::{Server, answer, headers, with_headers},
    shown,
};
use libfuzzer_sys::fuzz_target;

/// Timers of the runtime end after some thirty years.
const LONGEST_SLEEP: Duration = Duration::from_secs(86_400 * 365 * 29);
const FIRST_DELAY: Duration = Duration::from_millis(100);

#[derive(Arbitrary, Debug)]
struct Input {
    values: Vec<Value>,
    status: Status,
    /// The client's clock, in seconds since 1970.
    now: u32,
    /// The longest wait that it obeys; any at all if `None`.
    longest: Option<u32>,
    /// Whether the server asks again after the first wait.
    twice: bool,
    /// What the answers say of the server's clock.
    date: Option<ServerDate>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum ServerDate {
    /// So many seconds from the client's clock.
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
    /// More digits than any integer has.
    Digits(u64, u64),
    Padded(u16),
    Fraction(u16, u8),
    /// A date, so many seconds from the client's clock.
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

    /// The wait that it asks for, where that is known beyond doubt. `theirs`: the server's clock, as far as it is told.
    fn asks(&self, now: SystemTime, theirs: SystemTime) -> Option<Duration> {
        Some(match self {
            Self::Seconds(seconds) => Duration::from_secs(*seconds),
            Self::Digits(high, low) => {
                Duration::from_secs(format!("{high}{low:020}").parse().unwrap_or(u64::MAX))
            }
            Self::Padded(seconds) => Duration::from_secs((*seconds).into()),
            Self::Fraction(seconds, part) => {
                Duration::from_secs((*seconds).into()) + Duration::from_millis((*part).into())
            }
            Self::Date(offset) => shifted(now, *offset).duration_since(theirs).unwrap_or_default(),
            Self::Nonsense(_) | Self::Raw(_) => return None,
        })
    }
}

/// `now` so many seconds on, but not before 1970: HTTP has dates of four digits only.
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
    let longest = input.longest.map_or(Duration::MAX, |seconds| Duration::from_secs(seconds.into()));
    let values: Vec<_> = input.values.iter().take(8).map(|value| value.text(now)).collect();
    let times = if input.twice { 2 } else { 1 };
    let (date, theirs) = match input.date {
        Some(ServerDate::Ahead(offset)) => {
            let theirs = shifted(now, offset);
            (Some(httpdate::fmt_http_date(theirs)), theirs)
        }
        Some(ServerDate::Nonsense) => (Some("today".to_owned()), now),
        None => (None, now),
    };
    let mut answers = 0;
    let server = Server::new(move |_| {
        answers += 1;
        if answers > times {
            return answer(200, r#"{"accounts":[],"has_more":false}"#);
        }
        let waits = values.iter().map(|value| ("retry-after", value.as_slice()));
        with_headers(status, "", headers(waits.chain(date.iter().map(|date| ("date", date.as_bytes())))))
    });
    let policy =
        RetryPolicy::default().attempts(times + 1).backoff(FIRST_DELAY, FIRST_DELAY).max_retry_after(longest);
    let client = annature::Client::builder("id", "key").transport(server.clone()).retry(policy);
    let client = client.clock(Clock::new(move || now)).build().unwrap();
    let listed = run(client.list_accounts().items().try_collect::<Vec<_>>());

    let values = &input.values[..input.values.len().min(8)];
    let asked = values.iter().filter_map(|value| value.asks(now, theirs)).max();
    let raw = values.iter().any(|value| matches!(value, Value::Raw(_)));
    let seen = server.seen();
    let retried = matches!(status, 408 | 429 | 500 | 502 | 503 | 504);
    match listed {
        Ok(_) => {
            let asked = asked.unwrap_or_default();
            assert!(retried, "{status} was retried");
            assert!(asked <= longest, "{asked:?} was obeyed, and {longest:?} is the longest");
            // A timer may be a millisecond late, and a wait for a fraction is rounded up.
            let most = asked.max(FIRST_DELAY).saturating_add(Duration::from_millis(1002));
            for pair in seen.windows(2) {
                let waited = pair[1].at - pair[0].at;
                assert!(waited >= asked.min(LONGEST_SLEEP), "{waited:?} is less than {asked:?}");
                assert!(raw || waited <= most, "{waited:?} is more than {asked:?}");
            }
        }
        Err(error) => {
            shown::check(&error);
            assert_eq!(seen.len(), 1, "another attempt would have been taken");
            let told = error.retry_after();
            assert!(told >= asked, "{told:?} is told, {asked:?} was asked for");
            assert!(raw || told.is_some() == asked.is_some(), "{told:?} {asked:?}");
            if retried {
                assert!(told.is_some_and(|told| told > longest), "it was not retried for {told:?}");
                assert_eq!(error.kind(), ErrorKind::Throttled);
            }
        }
    }
});
