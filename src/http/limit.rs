use std::{collections::VecDeque, num::NonZeroU32, time::Duration};

use tokio::{
    sync::Mutex,
    time::{Instant, sleep_until},
};

/// At most so many requests within any window of so long.
///
/// A *sliding* window: unlike a token bucket, it never lets two bursts meet within one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    requests: NonZeroU32,
    window: Duration,
}

impl RateLimit {
    /// At most `requests` (0 is taken for 1) in any `window`.
    pub fn new(requests: u32, window: Duration) -> Self {
        Self { requests: NonZeroU32::new(requests).unwrap_or(NonZeroU32::MIN), window }
    }
}

/// Lets requests through at a [`RateLimit`]; shared by a client's clones.
#[derive(Debug)]
pub(super) struct Limiter {
    requests: usize,
    window: Duration,
    /// When the last `requests` went, oldest first. The lock is fair: waiting calls go in order, and one
    /// that is dropped leaves its place without having used anything.
    sent: Mutex<VecDeque<Instant>>,
}

impl Limiter {
    pub(super) fn new(limit: RateLimit) -> Self {
        // The provider counts when requests arrive, which is not as evenly as they leave: 1 % of slack.
        let window = limit.window + limit.window / 100;
        Self { requests: limit.requests.get() as usize, window, sent: Mutex::default() }
    }

    /// Waits for the turn of one request.
    pub(super) async fn acquire(&self) {
        let mut sent = self.sent.lock().await;
        if sent.len() >= self.requests
            && let Some(oldest) = sent.front().copied()
        {
            sleep_until(oldest + self.window).await;
            sent.pop_front();
        }
        sent.push_back(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_window_holds_more_than_the_limit_and_the_limit_is_used() {
        let limiter = Arc::new(Limiter::new(RateLimit::new(100, Duration::from_secs(10))));
        let began = Instant::now();
        let calls = (0..1000).map(|_| {
            let limiter = Arc::clone(&limiter);
            tokio::spawn(async move {
                limiter.acquire().await;
                Instant::now()
            })
        });
        let mut times = Vec::new();
        for call in calls.collect::<Vec<_>>() {
            times.push(call.await.unwrap());
        }
        assert!(times.is_sorted(), "waiting calls go in order");
        for pair in times.windows(101) {
            assert!(pair[100] - pair[0] > Duration::from_secs(10));
        }
        // 1,000 requests are ten windows; the first hundred go at once.
        assert!(began.elapsed() <= Duration::from_secs(92), "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_is_given_up_uses_nothing() {
        let limiter = Limiter::new(RateLimit::new(1, Duration::from_secs(10)));
        limiter.acquire().await;
        for _ in 0..5 {
            let given_up = tokio::time::timeout(Duration::from_secs(1), limiter.acquire()).await;
            assert!(given_up.is_err());
        }
        let began = Instant::now();
        limiter.acquire().await;
        assert!(began.elapsed() < Duration::from_secs(6));
    }
}
