use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

/// How often, how fast and for how long a request is tried.
///
/// Tried again are: connections that can not be made (unless it is for the server's certificate) or that
/// break, answers that are not what was promised, and the statuses 408, 429, 500, 502, 503 and 504. A request
/// that creates or changes something is tried again only if it surely was not sent; where it may have been
/// carried out, the error says so, with [`Retry::Uncertain`](crate::Retry::Uncertain).
///
/// A wait before a retry is random between nothing and a delay that doubles ("full jitter"), but never
/// shorter than a `Retry-After` asks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// Attempts in all, the first included. 1 is no retry; 0 is taken for 1. Default: 4.
    pub max_attempts: u32,
    /// The upper bound of the first wait; it doubles with each. Default: 250 ms.
    pub first_delay: Duration,
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
    pub max_server_wait: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 4,
            first_delay: Duration::from_millis(250),
            max_delay: Duration::from_secs(20),
            attempt_timeout: Duration::from_secs(30),
            total_timeout: Duration::from_secs(120),
            max_server_wait: Duration::from_secs(120),
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
    pub fn delays(mut self, first: Duration, max: Duration) -> Self {
        (self.first_delay, self.max_delay) = (first, max);
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
    pub fn server_wait(mut self, longest: Duration) -> Self {
        self.max_server_wait = longest;
        self
    }

    /// What to do after a failed attempt. Pure: the same facts, the same verdict.
    pub(super) fn judge(&self, facts: &Facts) -> Verdict {
        if let Some(verdict) = facts.failure.settled(facts.repeatable) {
            return verdict;
        }
        // Told at once, whether or not attempts are left: the caller can do something about it.
        if facts.asked.is_some_and(|asked| asked > self.max_server_wait) || facts.attempt >= self.max_attempts
        {
            return Verdict::GiveUp;
        }
        let backoff = self.bound(facts.attempt).mul_f64(facts.chance.clamp(0.0, 1.0));
        let wait = facts.asked.map_or(backoff, |asked| asked.max(backoff));
        // What the server asked for is its own affair; the rest has to fit.
        let own = wait.saturating_sub(facts.asked.unwrap_or_default());
        if facts.spent.saturating_add(own) >= self.total_timeout {
            return Verdict::GiveUp;
        }
        Verdict::After(wait)
    }

    /// The upper bound of the wait after attempt `attempt`, counted from 1.
    fn bound(&self, attempt: u32) -> Duration {
        ExponentialBuilder::new()
            .with_min_delay(self.first_delay)
            .with_max_delay(self.max_delay)
            .without_max_times()
            .build()
            .nth(attempt.saturating_sub(1).min(64) as usize)
            .unwrap_or(self.max_delay)
            .min(self.max_delay)
    }
}

/// Whether `status` tells of a failure that may pass by itself.
fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

/// How an attempt failed, as far as retrying goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Surely nothing was sent.
    NotSent,
    /// No answer, or half of one.
    Lost,
    /// A success status, but not the promised body.
    Garbled,
    /// An answer of failure.
    Status(u16),
    /// An answer that came and can not be used, nor the one to another attempt.
    Unusable,
    /// Nothing was sent, and nothing will be by another attempt.
    Final,
}

impl Failure {
    /// Whether the same request can be sent again without harm: by this client, or by its caller.
    pub(super) fn is_harmless(self, repeatable: bool) -> bool {
        matches!(self.settled(repeatable), None | Some(Verdict::TurnedAway))
    }

    /// The verdict on it, if it does not depend on limits and waits: `None` if it may be tried again.
    fn settled(self, repeatable: bool) -> Option<Verdict> {
        match self {
            Self::NotSent => None,
            Self::Lost | Self::Garbled if repeatable => None,
            Self::Status(status) if repeatable && is_passing(status) => None,
            Self::Final => Some(Verdict::Final),
            _ if repeatable => Some(Verdict::Final),
            Self::Status(429) => Some(Verdict::TurnedAway),
            // 302 and 303 are what some servers answer to a change that was made: see there.
            Self::Lost | Self::Garbled | Self::Unusable | Self::Status(302 | 303 | 408 | 500..) => {
                Some(Verdict::Uncertain)
            }
            Self::Status(_) => Some(Verdict::Final),
        }
    }
}

/// What a verdict depends on.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) failure: Failure,
    /// Sending twice does no more than sending once.
    pub(super) repeatable: bool,
    /// Which attempt failed, from 1.
    pub(super) attempt: u32,
    /// Time spent, without the waits that the server asked for.
    pub(super) spent: Duration,
    /// The wait that the server asked for.
    pub(super) asked: Option<Duration>,
    /// A random number from 0 to 1.
    pub(super) chance: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Try again after this wait.
    After(Duration),
    /// It could be tried again, but not within the limits.
    GiveUp,
    /// It was not done, and can be sent again; whether, and when, is the caller's affair.
    TurnedAway,
    /// It may have been done although it failed: trying again could do it twice.
    Uncertain,
    /// Trying again is useless.
    Final,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(failure: Failure) -> Facts {
        Facts { failure, repeatable: true, attempt: 1, spent: Duration::ZERO, asked: None, chance: 1.0 }
    }

    #[test]
    fn delays_double_from_the_first_to_the_highest_and_are_fully_jittered() {
        let policy = RetryPolicy::default().attempts(100);
        let wait = |attempt, chance| policy.judge(&Facts { attempt, chance, ..facts(Failure::Lost) });
        for (attempt, millis) in [(1, 250), (2, 500), (3, 1000), (7, 16_000), (8, 20_000), (90, 20_000)] {
            assert_eq!(wait(attempt, 1.0), Verdict::After(Duration::from_millis(millis)));
            assert_eq!(wait(attempt, 0.5), Verdict::After(Duration::from_millis(millis) / 2));
            assert_eq!(wait(attempt, 0.0), Verdict::After(Duration::ZERO));
        }
    }

    #[test]
    fn only_what_another_attempt_may_change_is_retried() {
        let policy = RetryPolicy::default();
        for status in 100..600 {
            let retried = matches!(policy.judge(&facts(Failure::Status(status))), Verdict::After(_));
            assert_eq!(retried, [408, 429, 500, 502, 503, 504].contains(&status), "{status}");
        }
        assert_eq!(policy.judge(&facts(Failure::Final)), Verdict::Final);
        assert_eq!(policy.judge(&Facts { attempt: 4, ..facts(Failure::Lost) }), Verdict::GiveUp);
    }

    #[test]
    fn a_creation_is_sent_again_only_if_it_surely_was_not_sent() {
        let policy = RetryPolicy::default();
        for status in 100..600 {
            let change = Facts { repeatable: false, ..facts(Failure::Status(status)) };
            let verdict = match status {
                429 => Verdict::TurnedAway,
                302 | 303 | 408 | 500.. => Verdict::Uncertain,
                _ => Verdict::Final,
            };
            assert_eq!(policy.judge(&change), verdict, "{status}");
        }
        for failure in [Failure::Lost, Failure::Garbled, Failure::Unusable] {
            assert_eq!(policy.judge(&Facts { repeatable: false, ..facts(failure) }), Verdict::Uncertain);
        }
        let unsent = Facts { repeatable: false, ..facts(Failure::NotSent) };
        assert!(matches!(policy.judge(&unsent), Verdict::After(_)));
    }

    #[test]
    fn a_wait_asked_by_the_server_is_never_undercut_nor_counted_nor_obeyed_beyond_the_limit() {
        let policy = RetryPolicy::default();
        let asked = |seconds, spent| {
            policy.judge(&Facts {
                asked: Some(Duration::from_secs(seconds)),
                spent: Duration::from_secs(spent),
                chance: 0.0,
                ..facts(Failure::Status(429))
            })
        };
        assert_eq!(asked(100, 0), Verdict::After(Duration::from_secs(100)));
        assert_eq!(asked(100, 119), Verdict::After(Duration::from_secs(100)));
        assert_eq!(asked(121, 0), Verdict::GiveUp);
    }

    #[test]
    fn a_wait_that_does_not_fit_the_time_left_is_not_begun() {
        let policy = RetryPolicy::default();
        let late = Facts { spent: Duration::from_millis(119_800), ..facts(Failure::Lost) };
        assert_eq!(policy.judge(&late), Verdict::GiveUp);
        assert!(matches!(policy.judge(&Facts { chance: 0.1, ..late }), Verdict::After(_)));
    }
}
