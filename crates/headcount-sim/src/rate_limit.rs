//! A sliding-window rate limit.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::Duration;

use tokio::time::Instant;

/// Limits the requests of each caller. `K` identifies a caller.
#[derive(Debug)]
pub(crate) struct RateLimiter<K> {
    limit: Option<(u32, Duration)>,
    recent: HashMap<K, VecDeque<Instant>>,
}

impl<K: Hash + Eq> RateLimiter<K> {
    pub(crate) fn new(limit: Option<(u32, Duration)>) -> Self {
        Self { limit, recent: HashMap::new() }
    }

    /// Counts a request.
    ///
    /// # Errors
    ///
    /// Returns the number of seconds to wait, rounded up, if the limit is reached. The request is not
    /// counted.
    pub(crate) fn acquire(&mut self, caller: K) -> Result<(), u64> {
        let Some((max, window)) = self.limit else {
            return Ok(());
        };
        let now = Instant::now();
        let recent = self.recent.entry(caller).or_default();
        while recent.front().is_some_and(|at| now.saturating_duration_since(*at) >= window) {
            recent.pop_front();
        }
        if recent.len() < usize::try_from(max).unwrap_or(usize::MAX) {
            recent.push_back(now);
            return Ok(());
        }
        let oldest = recent.front().copied().unwrap_or(now);
        let wait = window.saturating_sub(now.saturating_duration_since(oldest));
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Err(seconds.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn no_window_exceeds_the_limit() {
        let mut limiter = RateLimiter::new(Some((100, WINDOW)));
        for _ in 0..50 {
            assert_eq!(limiter.acquire(("me", 3)), Ok(()));
        }
        tokio::time::advance(Duration::from_secs(6)).await;
        for _ in 0..50 {
            assert_eq!(limiter.acquire(("me", 3)), Ok(()));
        }
        assert_eq!(limiter.acquire(("me", 3)), Err(4));
        tokio::time::advance(Duration::from_millis(3_500)).await;
        assert_eq!(limiter.acquire(("me", 3)), Err(1));
        tokio::time::advance(Duration::from_millis(500)).await;
        // The first fifty have left the window. Rejected requests were never counted.
        for _ in 0..50 {
            assert_eq!(limiter.acquire(("me", 3)), Ok(()));
        }
        assert_eq!(limiter.acquire(("me", 3)), Err(6));
    }

    #[tokio::test(start_paused = true)]
    async fn callers_are_counted_separately() {
        let mut limiter = RateLimiter::new(Some((1, WINDOW)));
        assert_eq!(limiter.acquire(("me", 3)), Ok(()));
        assert_eq!(limiter.acquire(("me", 4)), Ok(()));
        assert_eq!(limiter.acquire(("you", 3)), Ok(()));
        assert_eq!(limiter.acquire(("me", 3)), Err(10));
        let mut unlimited = RateLimiter::new(None);
        assert!((0..1_000).all(|_| unlimited.acquire(("me", 3)).is_ok()));
    }
}
