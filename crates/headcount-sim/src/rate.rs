//! At most so many requests in any window of time.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::Duration;

use tokio::time::Instant;

/// Counts the requests of each caller, whatever a provider takes for one.
#[derive(Debug)]
pub(crate) struct Limiter<K> {
    limit: Option<(u32, Duration)>,
    seen: HashMap<K, VecDeque<Instant>>,
}

impl<K: Hash + Eq> Limiter<K> {
    pub(crate) fn new(limit: Option<(u32, Duration)>) -> Self {
        Self { limit, seen: HashMap::new() }
    }

    /// Lets a request through, or gives the whole seconds after which one would be let through.
    pub(crate) fn pass(&mut self, caller: K) -> Result<(), u64> {
        let Some((most, window)) = self.limit else {
            return Ok(());
        };
        let now = Instant::now();
        let seen = self.seen.entry(caller).or_default();
        while seen.front().is_some_and(|at| now.saturating_duration_since(*at) >= window) {
            seen.pop_front();
        }
        if seen.len() < usize::try_from(most).unwrap_or(usize::MAX) {
            seen.push_back(now);
            return Ok(());
        }
        let oldest = seen.front().copied().unwrap_or(now);
        let wait = window.saturating_sub(now.saturating_duration_since(oldest));
        let whole = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Err(whole.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn no_window_of_ten_seconds_holds_more_than_a_hundred() {
        let mut limiter = Limiter::new(Some((100, WINDOW)));
        for _ in 0..50 {
            assert_eq!(limiter.pass(("me", 3)), Ok(()));
        }
        tokio::time::advance(Duration::from_secs(6)).await;
        for _ in 0..50 {
            assert_eq!(limiter.pass(("me", 3)), Ok(()));
        }
        assert_eq!(limiter.pass(("me", 3)), Err(4));
        tokio::time::advance(Duration::from_millis(3_500)).await;
        assert_eq!(limiter.pass(("me", 3)), Err(1));
        tokio::time::advance(Duration::from_millis(500)).await;
        // The first fifty have left the window; refused requests never were in it.
        for _ in 0..50 {
            assert_eq!(limiter.pass(("me", 3)), Ok(()));
        }
        assert_eq!(limiter.pass(("me", 3)), Err(6));
    }

    #[tokio::test(start_paused = true)]
    async fn callers_are_counted_apart() {
        let mut limiter = Limiter::new(Some((1, WINDOW)));
        assert_eq!(limiter.pass(("me", 3)), Ok(()));
        assert_eq!(limiter.pass(("me", 4)), Ok(()));
        assert_eq!(limiter.pass(("you", 3)), Ok(()));
        assert_eq!(limiter.pass(("me", 3)), Err(10));
        let mut open = Limiter::new(None);
        assert!((0..1_000).all(|_| open.pass(("me", 3)).is_ok()));
    }
}
