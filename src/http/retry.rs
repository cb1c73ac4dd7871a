use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use crate::{Error, Retryability};

/// How often, how fast and for how long a request is tried.
///
/// Tried again are: connections that can not be made (unless it is for the server's certificate) or that
/// break, answers that are not what was promised, and the statuses 408, 429, 500, 502, 503 and 504. A request
/// that creates or changes something is tried again only if it surely was not sent; where it may have been
/// carried out, the error says so, with [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied).
///
/// A wait before a retry is random between nothing and a delay that doubles ("full jitter"), but never
/// shorter than a `Retry-After` asks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// Attempts in all, the first included. 1 is no retry; 0 is taken for 1. Default: 4.
    pub max_attempts: u32,
    /// The upper bound of the first wait; it doubles with each. Default: 250 ms.
    pub initial_delay: Duration,
    /// The highest that this bound becomes. Default: 20 s.
    pub max_delay: Duration,
    /// Time for one attempt, from connecting to the last byte. Default: 30 s.
    pub attempt_timeout: Duration,
    /// Time for all attempts of one request and the waits between them. Not counted are the waits that the server
    /// asks for, those of the rate limit, and obtaining a token, which is a request with as much time of its own.
    /// Default: 120 s.
    ///
    /// It is no limit for a page, which may take several requests, nor for a list: for that, put
    /// `tokio::time::timeout` around what waits for it.
    pub total_timeout: Duration,
    /// The longest wait asked by the server that is obeyed. Beyond it, a request that may be tried again fails at
    /// once with [`Throttled`](crate::ErrorKind::Throttled), whichever of the statuses above was answered;
    /// [`Error::retry_after`](crate::Error::retry_after) tells the wait. Default: 120 s.
    pub max_retry_after: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 4,
            initial_delay: Duration::from_millis(250),
            max_delay: Duration::from_secs(20),
            attempt_timeout: Duration::from_secs(30),
            total_timeout: Duration::from_secs(120),
            max_retry_after: Duration::from_secs(120),
        }
    }
}

impl RetryPolicy {
    /// One attempt, no retries; the time limits of the default.
    pub fn none() -> Self {
        Self { max_attempts: 1, ..Self::default() }
    }

    /// With so many attempts in all.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts;
        self
    }

    /// With this upper bound for the first wait, and this highest one.
    #[must_use]
    pub fn backoff(mut self, first: Duration, max: Duration) -> Self {
        (self.initial_delay, self.max_delay) = (first, max);
        self
    }

    /// With this much time for one attempt, and for all together.
    #[must_use]
    pub fn timeouts(mut self, attempt: Duration, total: Duration) -> Self {
        (self.attempt_timeout, self.total_timeout) = (attempt, total);
        self
    }

    /// With this longest wait asked by the server.
    #[must_use]
    pub fn max_retry_after(mut self, longest: Duration) -> Self {
        self.max_retry_after = longest;
        self
    }

    /// The wait before the next attempt, or why there is none. Pure: it depends on nothing else.
    ///
    /// `idempotent`: sending the request twice does no more than sending it once. `attempt`: which attempt failed,
    /// from 1. `spent`: the time so far, without the waits that the server asked for. `jitter`: a random number from
    /// 0 to 1.
    pub(super) fn decide(
        &self,
        failure: &Failure,
        idempotent: bool,
        attempt: u32,
        spent: Duration,
        jitter: f64,
    ) -> Result<Duration, Retryability> {
        match failure.cause {
            Cause::NotSent => {}
            Cause::InvalidRequest => return Err(Retryability::Never),
            Cause::NoResponse | Cause::Status(408 | 429 | 500 | 502 | 503 | 504) if idempotent => {}
            _ if idempotent => return Err(Retryability::Never),
            // It was not carried out. Whether and when it is sent again is up to the caller.
            Cause::Status(429) => return Err(Retryability::Retryable),
            // Some servers answer 302 or 303 to a change that was made.
            Cause::NoResponse | Cause::InvalidResponse | Cause::Status(302 | 303 | 408 | 500..) => {
                return Err(Retryability::MaybeApplied);
            }
            Cause::Status(_) => return Err(Retryability::Never),
        }
        let give_up = Err(if attempt > 1 { Retryability::Exhausted } else { Retryability::Retryable });
        let asked = failure.error.retry_after().unwrap_or_default();
        if asked > self.max_retry_after || attempt >= self.max_attempts {
            return give_up;
        }
        let wait = self.bound(attempt).mul_f64(jitter.clamp(0.0, 1.0)).max(asked);
        // The time that the server asked for does not count; the rest has to fit.
        if spent.saturating_add(wait.saturating_sub(asked)) >= self.total_timeout {
            give_up
        } else {
            Ok(wait)
        }
    }

    /// The upper bound of the wait after attempt `attempt`, counted from 1.
    fn bound(&self, attempt: u32) -> Duration {
        ExponentialBuilder::new()
            .with_min_delay(self.initial_delay)
            .with_max_delay(self.max_delay)
            .without_max_times()
            .build()
            .nth(attempt.saturating_sub(1).min(64) as usize)
            .unwrap_or(self.max_delay)
            .min(self.max_delay)
    }
}

/// One failed attempt.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) cause: Cause,
    /// What to report if this stays so.
    pub(super) error: Error,
}

/// Why an attempt failed, as far as retrying goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// Surely nothing was sent. Another attempt may succeed.
    NotSent,
    /// Surely nothing was sent, nor will be by another attempt.
    InvalidRequest,
    /// No response, half of one, or not the promised one.
    NoResponse,
    /// A response that cannot be used, nor can the one to another attempt.
    InvalidResponse,
    /// A response with a status of failure.
    Status(u16),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    const IDEMPOTENT: bool = true;
    const CHANGE: bool = false;

    fn failure(cause: Cause) -> Failure {
        Failure { cause, error: Error::new(ErrorKind::Api, "failed") }
    }

    /// After the first attempt, at once, with the longest wait.
    fn decide(cause: Cause, idempotent: bool) -> Result<Duration, Retryability> {
        RetryPolicy::default().decide(&failure(cause), idempotent, 1, Duration::ZERO, 1.0)
    }

    #[test]
    fn delays_double_and_are_fully_jittered() {
        let policy = RetryPolicy::default().attempts(100);
        let wait = |attempt, jitter| {
            policy.decide(&failure(Cause::NoResponse), IDEMPOTENT, attempt, Duration::ZERO, jitter)
        };
        for (attempt, millis) in [(1, 250), (2, 500), (3, 1000), (7, 16_000), (8, 20_000), (90, 20_000)] {
            assert_eq!(wait(attempt, 1.0), Ok(Duration::from_millis(millis)));
            assert_eq!(wait(attempt, 0.5), Ok(Duration::from_millis(millis) / 2));
            assert_eq!(wait(attempt, 0.0), Ok(Duration::ZERO));
        }
    }

    #[test]
    fn only_what_may_pass_is_retried() {
        for status in 100..600 {
            let passing = [408, 429, 500, 502, 503, 504].contains(&status);
            let expected = if passing { Ok(Duration::from_millis(250)) } else { Err(Retryability::Never) };
            assert_eq!(decide(Cause::Status(status), IDEMPOTENT), expected, "{status}");
        }
        assert!(decide(Cause::NoResponse, IDEMPOTENT).is_ok());
        assert!(decide(Cause::NotSent, IDEMPOTENT).is_ok());
        for cause in [Cause::InvalidRequest, Cause::InvalidResponse] {
            assert_eq!(decide(cause, IDEMPOTENT), Err(Retryability::Never));
        }
        let policy = RetryPolicy::default();
        let last = policy.decide(&failure(Cause::NoResponse), IDEMPOTENT, 4, Duration::ZERO, 0.0);
        assert_eq!(last, Err(Retryability::Exhausted));
    }

    #[test]
    fn a_change_is_sent_again_only_if_unsent() {
        for status in 100..600 {
            let expected = match status {
                429 => Retryability::Retryable,
                302 | 303 | 408 | 500.. => Retryability::MaybeApplied,
                _ => Retryability::Never,
            };
            assert_eq!(decide(Cause::Status(status), CHANGE), Err(expected), "{status}");
        }
        for cause in [Cause::NoResponse, Cause::InvalidResponse] {
            assert_eq!(decide(cause, CHANGE), Err(Retryability::MaybeApplied));
        }
        assert_eq!(decide(Cause::InvalidRequest, CHANGE), Err(Retryability::Never));
        assert!(decide(Cause::NotSent, CHANGE).is_ok());
    }

    #[test]
    fn a_wait_the_server_asks_for_is_kept() {
        let asked = |seconds, spent| {
            let mut failure = failure(Cause::Status(429));
            failure.error = failure.error.with_retry_after(Some(Duration::from_secs(seconds)));
            RetryPolicy::default().decide(&failure, IDEMPOTENT, 1, Duration::from_secs(spent), 0.0)
        };
        assert_eq!(asked(100, 0), Ok(Duration::from_secs(100)));
        assert_eq!(asked(100, 119), Ok(Duration::from_secs(100)), "it does not count");
        assert_eq!(asked(121, 0), Err(Retryability::Retryable), "beyond the limit it is the caller's");
    }

    #[test]
    fn a_wait_has_to_fit_the_time_left() {
        let late = |jitter| {
            let spent = Duration::from_millis(119_800);
            RetryPolicy::default().decide(&failure(Cause::NoResponse), IDEMPOTENT, 1, spent, jitter)
        };
        assert_eq!(late(1.0), Err(Retryability::Retryable));
        assert!(late(0.1).is_ok());
    }
}
