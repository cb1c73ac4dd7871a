use std::{sync::Arc, time::Duration};

use futures::{FutureExt, StreamExt, stream::FuturesUnordered};
use tokio::time::{Instant, sleep, timeout};

use super::{RateLimit, limit::Limiter};

const SECOND: Duration = Duration::from_secs(1);

async fn pass(limiter: &Limiter) -> Instant {
    while !limiter.turn().await.unwrap().take() {}
    Instant::now()
}

#[tokio::test(start_paused = true)]
async fn no_window_holds_more_than_the_limit_and_the_limit_is_used() {
    let limiter = Arc::new(Limiter::new(RateLimit::new(100, 10 * SECOND)));
    let began = Instant::now();
    let calls = (0..1000).map(|_| {
        let limiter = Arc::clone(&limiter);
        tokio::spawn(async move { pass(&limiter).await })
    });
    let mut times = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        times.push(call.await.unwrap());
    }
    assert!(times.is_sorted(), "waiting calls go in order");
    for pair in times.windows(101) {
        assert!(pair[100] - pair[0] > 10 * SECOND);
    }
    // 1,000 requests are ten windows; the first hundred go at once.
    assert!(began.elapsed() <= 92 * SECOND, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_given_up_uses_nothing() {
    let limiter = Limiter::new(RateLimit::new(1, 10 * SECOND));
    pass(&limiter).await;
    for _ in 0..5 {
        assert!(timeout(SECOND, pass(&limiter)).await.is_err());
    }
    let began = Instant::now();
    drop(limiter.turn().await);
    pass(&limiter).await;
    assert!(began.elapsed() < 6 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_is_given_back_is_at_once_that_of_who_waits() {
    let limiter = Limiter::new(RateLimit::new(1, 10 * SECOND));
    let turn = limiter.turn().await.unwrap();
    let given_back = async {
        sleep(SECOND).await;
        drop(turn);
    };
    let began = Instant::now();
    let (went, ()) = tokio::join!(pass(&limiter), given_back);
    assert!(went - began <= 2 * SECOND, "{:?}", went - began);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_not_polled_holds_up_no_other() {
    let limiter = Limiter::new(RateLimit::new(1, 10 * SECOND));
    pass(&limiter).await;
    let mut asleep: Vec<_> = (0..3).map(|_| Box::pin(pass(&limiter))).collect();
    for call in &mut asleep {
        assert!(call.as_mut().now_or_never().is_none());
    }
    let began = Instant::now();
    pass(&limiter).await;
    assert!(
        began.elapsed() <= 41 * SECOND,
        "each of the three before it had its turn: {:?}",
        began.elapsed()
    );
    for call in asleep {
        let went = call.await;
        assert!(pass(&limiter).await - went > 10 * SECOND);
    }
}

#[tokio::test(start_paused = true)]
async fn however_late_calls_are_polled_or_given_up_the_limit_is_kept_and_used() {
    for seed in 0..20 {
        let mut random = fastrand::Rng::with_seed(seed);
        let requests = random.u32(1..20);
        let limiter = Limiter::new(RateLimit::new(requests, 10 * SECOND));
        let began = Instant::now();
        let mut went = Vec::new();
        // Calls that live within this task: none of them is polled while it waits for something else.
        let mut calls: FuturesUnordered<_> = (0..200).map(|_| pass(&limiter)).collect();
        while !calls.is_empty() {
            let asleep = Duration::from_millis(random.u64(0..9_000));
            match random.u8(0..10) {
                0 => sleep(asleep).await,
                // A crowd that is given up, some of it before its turn comes, some after, some in between.
                1 => {
                    let mut crowd: FuturesUnordered<_> = (0..30).map(|_| limiter.turn()).collect();
                    let _ = timeout(asleep / 9, crowd.next()).await;
                }
                _ => went.extend(timeout(asleep, calls.next()).await.ok().flatten()),
            }
        }
        assert_eq!(went.len(), 200);
        assert!(went.is_sorted());
        for pair in went.windows(requests as usize + 1) {
            assert!(pair[requests as usize] - pair[0] > 10 * SECOND, "seed {seed}");
        }
        let windows = 200 / requests + 1;
        assert!(began.elapsed() < 2 * windows * 10 * SECOND, "seed {seed}: {:?}", began.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn the_limit_is_used_also_where_most_calls_are_given_up() {
    let limiter = Arc::new(Limiter::new(RateLimit::new(100, 10 * SECOND)));
    let calls = (0..4000).map(|number| {
        let limiter = Arc::clone(&limiter);
        let patience = if number % 4 == 0 { Duration::MAX } else { SECOND * (number % 97) };
        tokio::spawn(async move { timeout(patience, pass(&limiter)).await.ok() })
    });
    let mut times = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        times.extend(call.await.unwrap());
    }
    assert!(times.is_sorted(), "waiting calls go in order");
    assert!(times.len() >= 1000);
    for pair in times.windows(101) {
        let apart = pair[100] - pair[0];
        assert!(apart > 10 * SECOND && apart <= 10 * SECOND * 102 / 100, "{apart:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_window_without_end_is_a_limit_for_ever() {
    let limiter = Limiter::new(RateLimit::new(2, Duration::MAX));
    pass(&limiter).await;
    pass(&limiter).await;
    assert!(timeout(1_000_000 * SECOND, pass(&limiter)).await.is_err());
}
