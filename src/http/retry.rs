use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use crate::{Error, Retryability};

/// How often requests are retried, with which delays, and how long they may take.
///
/// A request is retried after
/// - a failure to connect, unless the server's certificate is invalid,
/// - a broken connection or a timeout,
/// - a response that is not of the documented form,
/// - the statuses 408, 429, 500, 502, 503 and 504.
///
/// A request that creates or changes something is treated as not idempotent. It is retried only if it never
/// reached the server, or once with a new token after a 401. If it may have been processed, its error is
/// [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied).
///
/// The delay before a retry is random between zero and an upper bound that doubles with each attempt ("full
/// jitter"). It is never shorter than a `Retry-After` requests.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// The maximum number of attempts, including the first. 1 means no retries; 0 is treated as 1. Default:
    /// 4.
    pub max_attempts: u32,
    /// The upper bound of the first delay. It doubles with each attempt. Default: 250 ms.
    pub initial_delay: Duration,
    /// The maximum of that upper bound. Default: 20 s.
    pub max_delay: Duration,
    /// The time limit for one attempt, from connecting to the last byte. Default: 30 s.
    pub attempt_timeout: Duration,
    /// The time limit for all attempts of one request and the delays between them. Default: 120 s.
    ///
    /// It excludes the waits that the server requests, waits for the rate limit, and obtaining a token. The
    /// token request has a time limit of its own, of the same length.
    ///
    /// It does not limit a page, which may take several requests, or a listing. For those, use
    /// `tokio::time::timeout`.
    pub total_timeout: Duration,
    /// The longest `Retry-After` that is honoured. Default: 120 s.
    ///
    /// If the server requests a longer wait, a retryable request fails immediately with
    /// [`Throttled`](crate::ErrorKind::Throttled), whichever of the statuses above it got.
    /// [`Error::retry_after`](crate::Error::retry_after) returns the wait.
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
    /// Returns a policy without retries. The time limits are those of the default.
    pub fn none() -> Self {
        Self { max_attempts: 1, ..Self::default() }
    }

    /// Sets the maximum number of attempts, including the first.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts;
        self
    }

    /// Sets the upper bound of the first delay, and the maximum of that bound.
    #[must_use]
    pub fn backoff(mut self, initial: Duration, max: Duration) -> Self {
        (self.initial_delay, self.max_delay) = (initial, max);
        self
    }

    /// Sets the time limits for one attempt and for all attempts together.
    #[must_use]
    pub fn timeouts(mut self, attempt: Duration, total: Duration) -> Self {
        (self.attempt_timeout, self.total_timeout) = (attempt, total);
        self
    }

    /// Sets the longest `Retry-After` that is honoured.
    #[must_use]
    pub fn max_retry_after(mut self, max: Duration) -> Self {
        self.max_retry_after = max;
        self
    }

    /// Returns the delay before the next attempt, or the retryability of the error if there is none. Pure
    /// function.
    ///
    /// - `idempotent`: whether sending the request twice has the same effect as sending it once.
    /// - `attempt`: the number of the failed attempt, from 1.
    /// - `elapsed`: the time so far, without the waits that do not count against the total timeout.
    /// - `jitter`: a random number from 0 to 1.
    pub(super) fn decide(
        &self,
        failure: &Failure,
        idempotent: bool,
        attempt: u32,
        elapsed: Duration,
        jitter: f64,
    ) -> Result<Duration, Retryability> {
        match failure.cause {
            Cause::NotSent => {}
            Cause::InvalidRequest => return Err(Retryability::Never),
            Cause::NoResponse | Cause::Status(408 | 429 | 500 | 502 | 503 | 504) if idempotent => {}
            _ if idempotent => return Err(Retryability::Never),
            // Not processed. The caller decides whether and when to retry.
            Cause::Status(429) => return Err(Retryability::Retryable),
            // Some servers respond with 302 or 303 to a change that was applied.
            Cause::NoResponse | Cause::InvalidResponse | Cause::Status(302 | 303 | 408 | 500..) => {
                return Err(Retryability::MaybeApplied);
            }
            Cause::Status(_) => return Err(Retryability::Never),
        }
        let give_up = Err(if attempt > 1 { Retryability::Exhausted } else { Retryability::Retryable });
        let retry_after = failure.error.retry_after().unwrap_or_default();
        if retry_after > self.max_retry_after || attempt >= self.max_attempts {
            return give_up;
        }
        let delay = self.max_backoff(attempt).mul_f64(jitter.clamp(0.0, 1.0)).max(retry_after);
        // The wait that the server requests does not count against the total timeout.
        if elapsed.saturating_add(delay.saturating_sub(retry_after)) >= self.total_timeout {
            give_up
        } else {
            Ok(delay)
        }
    }

    /// Returns the upper bound of the delay after attempt `attempt`, counted from 1.
    fn max_backoff(&self, attempt: u32) -> Duration {
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

/// A failed attempt.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) cause: Cause,
    /// The error to report if the request is not retried.
    pub(super) error: Error,
}

/// Why an attempt failed, as relevant for retries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// Nothing was sent. Another attempt may succeed.
    NotSent,
    /// Nothing was sent, and another attempt would fail in the same way.
    InvalidRequest,
    /// No response, an incomplete one, or one that is not of the documented form.
    NoResponse,
    /// A response that cannot be used, and another attempt would get the same.
    InvalidResponse,
    /// A response with an error status.
    Status(u16),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    const IDEMPOTENT: bool = true;
    const MUTATION: bool = false;

    fn failure(cause: Cause) -> Failure {
        Failure { cause, error: Error::new(ErrorKind::Api, "failed") }
    }

    /// Decides after the first attempt, with no time elapsed and the maximum delay.
    fn decide(cause: Cause, idempotent: bool) -> Result<Duration, Retryability> {
        RetryPolicy::default().decide(&failure(cause), idempotent, 1, Duration::ZERO, 1.0)
    }

    #[test]
    fn backoff_doubles_with_full_jitter() {
        let policy = RetryPolicy::default().attempts(100);
        let delay = |attempt, jitter| {
            policy.decide(&failure(Cause::NoResponse), IDEMPOTENT, attempt, Duration::ZERO, jitter)
        };
        for (attempt, millis) in [(1, 250), (2, 500), (3, 1000), (7, 16_000), (8, 20_000), (90, 20_000)] {
            assert_eq!(delay(attempt, 1.0), Ok(Duration::from_millis(millis)));
            assert_eq!(delay(attempt, 0.5), Ok(Duration::from_millis(millis) / 2));
            assert_eq!(delay(attempt, 0.0), Ok(Duration::ZERO));
        }
    }

    #[test]
    fn only_transient_failures_are_retried() {
        for status in 100..600 {
            let transient = [408, 429, 500, 502, 503, 504].contains(&status);
            let expected = if transient { Ok(Duration::from_millis(250)) } else { Err(Retryability::Never) };
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
    fn mutation_is_retried_only_if_unsent() {
        for status in 100..600 {
            let expected = match status {
                429 => Retryability::Retryable,
                302 | 303 | 408 | 500.. => Retryability::MaybeApplied,
                _ => Retryability::Never,
            };
            assert_eq!(decide(Cause::Status(status), MUTATION), Err(expected), "{status}");
        }
        for cause in [Cause::NoResponse, Cause::InvalidResponse] {
            assert_eq!(decide(cause, MUTATION), Err(Retryability::MaybeApplied));
        }
        assert_eq!(decide(Cause::InvalidRequest, MUTATION), Err(Retryability::Never));
        assert!(decide(Cause::NotSent, MUTATION).is_ok());
    }

    #[test]
    fn retry_after_is_honoured() {
        let decide = |seconds, elapsed| {
            let mut failure = failure(Cause::Status(429));
            failure.error = failure.error.with_retry_after(Some(Duration::from_secs(seconds)));
            RetryPolicy::default().decide(&failure, IDEMPOTENT, 1, Duration::from_secs(elapsed), 0.0)
        };
        assert_eq!(decide(100, 0), Ok(Duration::from_secs(100)));
        assert_eq!(
            decide(100, 119),
            Ok(Duration::from_secs(100)),
            "Retry-After does not count against the total timeout"
        );
        assert_eq!(decide(121, 0), Err(Retryability::Retryable), "longer than max_retry_after");
    }

    #[test]
    fn delay_must_fit_total_timeout() {
        let late = |jitter| {
            let elapsed = Duration::from_millis(119_800);
            RetryPolicy::default().decide(&failure(Cause::NoResponse), IDEMPOTENT, 1, elapsed, jitter)
        };
        assert_eq!(late(1.0), Err(Retryability::Retryable));
        assert!(late(0.1).is_ok());
    }
}
