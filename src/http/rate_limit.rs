use std::{
    collections::VecDeque,
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep};

/// At most so many requests within any window of so long.
///
/// A *sliding* window: unlike a token bucket, it never lets two bursts meet within one window. A window of zero
/// limits nothing.
///
/// Waiting requests are sent in roughly the order in which they came. Nothing is reserved for a request that
/// waits: one that is dropped, or that nobody polls, delays no other.
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

/// Keeps a [`RateLimit`]; shared by a client's clones.
///
/// At most `requests` noted times lie within the padded window, and each is the moment at which its request is
/// sent. So no window has more.
#[derive(Debug)]
pub(super) struct RateLimiter {
    requests: usize,
    window: Duration,
    /// The provider counts when requests arrive, which is not as evenly as they are sent: 1 % of the window is added
    /// to it. It is also the time over which those who wait spread their next try.
    padding: Duration,
    /// When the requests of the last padded window were sent, oldest first.
    sent: Mutex<VecDeque<Instant>>,
}

impl RateLimiter {
    pub(super) fn new(limit: RateLimit) -> Self {
        let (requests, window) = (limit.requests.get() as usize, limit.window);
        Self { requests, window, padding: window / 100, sent: Mutex::default() }
    }

    /// Waits until a request may be sent. It has to be sent at once: the time is noted here.
    pub(super) async fn acquire(&self) {
        let began = Instant::now();
        while let Err(wait) = self.note(began) {
            sleep(wait).await;
        }
    }

    /// Notes a request that is sent now, or says how long to wait before the next try of one that waits since
    /// `began`.
    fn note(&self, began: Instant) -> Result<(), Duration> {
        let padded = self.window.saturating_add(self.padding);
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        while sent.front().is_some_and(|at| now.duration_since(*at) >= padded) {
            sent.pop_front();
        }
        match sent.front() {
            Some(oldest) if sent.len() >= self.requests => {
                let left = padded.saturating_sub(now.duration_since(*oldest));
                // Whoever has waited longer wakes a little earlier.
                let waited = now.duration_since(began).div_duration_f64(self.window);
                Err(left.saturating_add(self.padding.div_f64(1.0 + waited)))
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
        limiter.acquire().await;
        Instant::now()
    }

    /// Asserts that no window of 10 s, which does not hold both its ends, has more than `limit` of `times`.
    fn keeps(limit: usize, times: &mut [Instant]) {
        times.sort();
        for window in times.windows(limit + 1) {
            assert!(window[limit] - window[0] > 10 * SECOND);
        }
    }

    /// Asserts that `times` use 97 % of what `limit` and the padding allow.
    fn uses(limit: usize, times: &[Instant]) {
        for window in times.windows(limit + 1) {
            let apart = (window[limit] - window[0]).as_secs_f64();
            assert!(apart <= 10.1 / 0.97, "{apart}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_limit_is_kept_and_used() {
        let limiter = Arc::new(RateLimiter::new(RateLimit::new(100, 10 * SECOND)));
        let calls = (0..1000).map(|_| {
            let limiter = Arc::clone(&limiter);
            tokio::spawn(async move { send(&limiter).await })
        });
        let mut times = Vec::new();
        for call in calls.collect::<Vec<_>>() {
            times.push(call.await.unwrap());
        }
        keeps(100, &mut times);
        uses(100, &times);
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_are_sent_first() {
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
            for call in wave {
                times.push(call.await.unwrap());
            }
            assert!(times.iter().min().copied() > latest, "a wave comes after the one before it");
            latest = times.into_iter().max();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_dropped_uses_nothing() {
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
    async fn one_that_is_not_polled_delays_no_other() {
        let limiter = RateLimiter::new(RateLimit::new(1, 10 * SECOND));
        send(&limiter).await;
        let mut asleep: Vec<_> = (0..3).map(|_| Box::pin(send(&limiter))).collect();
        for call in &mut asleep {
            assert!(call.as_mut().now_or_never().is_none());
        }
        let began = Instant::now();
        send(&limiter).await;
        assert!(began.elapsed() < 11 * SECOND, "{:?}", began.elapsed());
        let mut times = vec![Instant::now()];
        for call in asleep {
            times.push(call.await);
        }
        keeps(1, &mut times);
    }

    #[tokio::test(start_paused = true)]
    async fn late_polls_and_drops_break_nothing() {
        for seed in 0..20 {
            let mut random = fastrand::Rng::with_seed(seed);
            let requests = random.u32(1..20);
            let limiter = RateLimiter::new(RateLimit::new(requests, 10 * SECOND));
            let began = Instant::now();
            let mut times = Vec::new();
            // Calls that live within this task: none of them is polled while it waits for something else.
            let mut calls: FuturesUnordered<_> = (0..200).map(|_| send(&limiter)).collect();
            while !calls.is_empty() {
                let asleep = Duration::from_millis(random.u64(0..9_000));
                match random.u8(0..10) {
                    0 => sleep(asleep).await,
                    // A crowd that is dropped, some of it sent before.
                    1 => {
                        let mut crowd: FuturesUnordered<_> = (0..30).map(|_| send(&limiter)).collect();
                        times.extend(timeout(asleep / 9, crowd.next()).await.ok().flatten());
                    }
                    _ => times.extend(timeout(asleep, calls.next()).await.ok().flatten()),
                }
            }
            assert!(times.len() >= 200);
            keeps(requests as usize, &mut times);
            let windows = u32::try_from(times.len()).unwrap() / requests + 1;
            assert!(began.elapsed() < 2 * windows * 10 * SECOND, "seed {seed}: {:?}", began.elapsed());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_limit_is_used_where_most_give_up() {
        let limiter = Arc::new(RateLimiter::new(RateLimit::new(100, 10 * SECOND)));
        let calls = (0..4000).map(|number| {
            let limiter = Arc::clone(&limiter);
            let patience = if number % 4 == 0 { Duration::MAX } else { SECOND * (number % 97) };
            tokio::spawn(async move { timeout(patience, send(&limiter)).await.ok() })
        });
        let mut times = Vec::new();
        for call in calls.collect::<Vec<_>>() {
            times.extend(call.await.unwrap());
        }
        assert!(times.len() >= 1000);
        keeps(100, &mut times);
        uses(100, &times);
    }

    #[tokio::test(start_paused = true)]
    async fn a_tiny_window_never_spins() {
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
    async fn a_window_without_end_is_for_ever() {
        let limiter = RateLimiter::new(RateLimit::new(2, Duration::MAX));
        send(&limiter).await;
        send(&limiter).await;
        assert!(timeout(1_000_000 * SECOND, send(&limiter)).await.is_err());
    }
}
