use std::{
    collections::VecDeque,
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep};

/// A rate limit: at most `requests` requests in any window of the given duration.
///
/// The window slides. Unlike with a token bucket, two bursts never fall into one window. A window of zero
/// means no limit.
///
/// Waiting requests are sent in approximately the order in which they started to wait. A waiting request
/// reserves nothing, so one that is dropped or not polled does not delay others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    requests: NonZeroU32,
    window: Duration,
}

impl RateLimit {
    /// Creates a limit of `requests` in any `window`. 0 requests are treated as 1.
    pub fn new(requests: u32, window: Duration) -> Self {
        Self { requests: NonZeroU32::new(requests).unwrap_or(NonZeroU32::MIN), window }
    }
}

/// Enforces a [`RateLimit`]. Shared by a client's clones.
///
/// Invariant: the padded window contains at most `requests` recorded times. Each is the time at which its
/// request is sent, so no window contains more requests.
#[derive(Debug)]
pub(super) struct RateLimiter {
    requests: usize,
    window: Duration,
    /// Added to the window: 1 % of it. The provider counts requests when they arrive, which is less evenly
    /// than they are sent. Waiting requests also spread their next attempts over half of this duration.
    padding: Duration,
    /// The send times within the last padded window, oldest first.
    sent: Mutex<VecDeque<Instant>>,
}

impl RateLimiter {
    pub(super) fn new(limit: RateLimit) -> Self {
        let (requests, window) = (limit.requests.get() as usize, limit.window);
        Self { requests, window, padding: window / 100, sent: Mutex::default() }
    }

    /// Waits until a request may be sent, and calls `on_wait` before each wait. The caller must send it immediately,
    /// because its send time is recorded here.
    pub(super) async fn acquire(&self, on_wait: impl Fn(Duration)) {
        let start = Instant::now();
        while let Err(wait) = self.try_acquire(start) {
            on_wait(wait);
            sleep(wait).await;
        }
    }

    /// Records a request that is sent now, if the limit allows it. Otherwise returns the time until the next
    /// attempt of a request that has waited since `start`.
    fn try_acquire(&self, start: Instant) -> Result<(), Duration> {
        let padded = self.window.saturating_add(self.padding);
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        while sent.front().is_some_and(|at| now.duration_since(*at) >= padded) {
            sent.pop_front();
        }
        match sent.front() {
            Some(oldest) if sent.len() >= self.requests => {
                let remaining = padded.saturating_sub(now.duration_since(*oldest));
                // Requests that have waited longer wake slightly earlier.
                let windows_waited = now.duration_since(start).div_duration_f64(self.window);
                Err(remaining.saturating_add(self.padding.div_f64(2.0 + 2.0 * windows_waited)))
            }
            _ => {
                sent.push_back(now);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::{FutureExt, StreamExt, stream::FuturesUnordered};
    use tokio::time::timeout;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    async fn send(limiter: &RateLimiter) -> Instant {
        limiter.acquire(|_| {}).await;
        Instant::now()
    }

    /// Asserts that no half-open window of 10 s contains more than `limit` of `times`.
    fn assert_within_limit(limit: usize, times: &mut [Instant]) {
        times.sort();
        for window in times.windows(limit + 1) {
            assert!(window[limit] - window[0] > 10 * SECOND);
        }
    }

    /// Asserts that `times` use at least 98 % of what `limit` and the padding allow.
    fn assert_limit_used(limit: usize, times: &[Instant]) {
        for window in times.windows(limit + 1) {
            let interval = (window[limit] - window[0]).as_secs_f64();
            assert!(interval <= 10.1 / 0.98, "{interval}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn limit_is_enforced_and_used() {
        let limiter = Arc::new(RateLimiter::new(RateLimit::new(100, 10 * SECOND)));
        let requests = (0..1000).map(|_| {
            let limiter = Arc::clone(&limiter);
            tokio::spawn(async move { send(&limiter).await })
        });
        let mut times = Vec::new();
        for request in requests.collect::<Vec<_>>() {
            times.push(request.await.unwrap());
        }
        assert_within_limit(100, &mut times);
        assert_limit_used(100, &times);
    }

    #[tokio::test(start_paused = true)]
    async fn oldest_requests_are_sent_first() {
        let limiter = Arc::new(RateLimiter::new(RateLimit::new(10, 10 * SECOND)));
        let mut waves = Vec::new();
        for _ in 0..6 {
            let wave = (0..10).map(|_| {
                let limiter = Arc::clone(&limiter);
                tokio::spawn(async move { send(&limiter).await })
            });
            waves.push(wave.collect::<Vec<_>>());
            sleep(5 * SECOND).await;
        }
        let mut latest = None;
        for wave in waves {
            let mut times = Vec::new();
            for request in wave {
                times.push(request.await.unwrap());
            }
            assert!(times.iter().min().copied() > latest, "a wave is sent after the previous one");
            latest = times.into_iter().max();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn dropped_request_uses_no_slot() {
        let limiter = RateLimiter::new(RateLimit::new(1, 10 * SECOND));
        send(&limiter).await;
        let began = Instant::now();
        for _ in 0..5 {
            assert!(timeout(SECOND, send(&limiter)).await.is_err());
        }
        send(&limiter).await;
        assert!(began.elapsed() < 11 * SECOND, "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn unpolled_request_delays_no_other() {
        let limiter = RateLimiter::new(RateLimit::new(1, 10 * SECOND));
        send(&limiter).await;
        let mut unpolled: Vec<_> = (0..3).map(|_| Box::pin(send(&limiter))).collect();
        for request in &mut unpolled {
            assert!(request.as_mut().now_or_never().is_none());
        }
        let began = Instant::now();
        send(&limiter).await;
        assert!(began.elapsed() < 11 * SECOND, "{:?}", began.elapsed());
        let mut times = vec![Instant::now()];
        for request in unpolled {
            times.push(request.await);
        }
        assert_within_limit(1, &mut times);
    }

    #[tokio::test(start_paused = true)]
    async fn random_polls_and_drops_keep_limit() {
        for seed in 0..20 {
            let mut random = fastrand::Rng::with_seed(seed);
            let requests = random.u32(1..20);
            let limiter = RateLimiter::new(RateLimit::new(requests, 10 * SECOND));
            let began = Instant::now();
            let mut times = Vec::new();
            // These futures live in this task, so none of them is polled while it awaits something else.
            let mut pending: FuturesUnordered<_> = (0..200).map(|_| send(&limiter)).collect();
            while !pending.is_empty() {
                let pause = Duration::from_millis(random.u64(0..9_000));
                match random.u8(0..10) {
                    0 => sleep(pause).await,
                    // Dropped after one of them may have been sent.
                    1 => {
                        let mut dropped: FuturesUnordered<_> = (0..30).map(|_| send(&limiter)).collect();
                        times.extend(timeout(pause / 9, dropped.next()).await.ok().flatten());
                    }
                    _ => times.extend(timeout(pause, pending.next()).await.ok().flatten()),
                }
            }
            assert!(times.len() >= 200);
            assert_within_limit(requests as usize, &mut times);
            let windows = u32::try_from(times.len()).unwrap() / requests + 1;
            assert!(began.elapsed() < 2 * windows * 10 * SECOND, "seed {seed}: {:?}", began.elapsed());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn limit_is_used_despite_timeouts() {
        let limiter = Arc::new(RateLimiter::new(RateLimit::new(100, 10 * SECOND)));
        let requests = (0..4000).map(|number| {
            let limiter = Arc::clone(&limiter);
            let limit = if number % 4 == 0 { Duration::MAX } else { SECOND * (number % 97) };
            tokio::spawn(async move { timeout(limit, send(&limiter)).await.ok() })
        });
        let mut times = Vec::new();
        for request in requests.collect::<Vec<_>>() {
            times.extend(request.await.unwrap());
        }
        assert!(times.len() >= 1000);
        assert_within_limit(100, &mut times);
        assert_limit_used(100, &times);
    }

    #[tokio::test(start_paused = true)]
    async fn tiny_window_does_not_spin() {
        for window in [0, 1, 7, 99, 100, 1_000, 999_999] {
            let limiter = RateLimiter::new(RateLimit::new(2, Duration::from_nanos(window)));
            let all = async {
                for _ in 0..100 {
                    send(&limiter).await;
                }
            };
            assert!(timeout(SECOND, all).await.is_ok(), "{window} ns");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn infinite_window_never_reopens() {
        let limiter = RateLimiter::new(RateLimit::new(2, Duration::MAX));
        send(&limiter).await;
        send(&limiter).await;
        assert!(timeout(1_000_000 * SECOND, send(&limiter)).await.is_err());
    }
}
