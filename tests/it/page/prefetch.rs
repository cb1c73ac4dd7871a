use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use tokio::time::{Instant, sleep};

use super::support::{Listing, MODES, Mode};

const SECOND: Duration = Duration::from_secs(1);

fn slow(pages: usize) -> Listing {
    Listing::of_sizes(&vec![3; pages]).with(|state| {
        state.delay = SECOND;
        state.total = Some(3 * pages as u64);
    })
}

#[tokio::test(start_paused = true)]
async fn first_poll_starts_fetching() {
    for mode in MODES {
        let listing = slow(9);
        let items = mode.pages(listing.clone()).items();
        sleep(60 * SECOND).await;
        assert!(listing.state().requested.is_empty(), "{mode:?}");
        drop(items);
    }
}

#[tokio::test(start_paused = true)]
async fn buffered_pages_are_bounded() {
    for (mode, max_buffered) in
        [(Mode::Lazy, 0), (Mode::Ahead(1), 1), (Mode::Ahead(4), 4), (Mode::Concurrent(3), 3)]
    {
        let listing = slow(20);
        let mut pages = mode.pages(listing.clone());
        for used in 1..=10 {
            pages.next().await.unwrap().unwrap();
            sleep(60 * SECOND).await;
            assert_eq!(listing.state().requested.len(), used + max_buffered, "{mode:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn next_request_starts_with_delivery() {
    for mode in [Mode::Ahead(1), Mode::Concurrent(1)] {
        let began = Instant::now();
        let mut pages = mode.pages(slow(10));
        while pages.next().await.is_some() {
            // The consumer is as slow as the provider.
            sleep(SECOND).await;
        }
        assert_eq!(began.elapsed(), 11 * SECOND, "{mode:?}: fetching and consuming overlap");
    }
}

#[tokio::test(start_paused = true)]
async fn concurrent_pages_are_ordered_and_faster() {
    let listing = slow(41);
    let began = Instant::now();
    let got: Vec<u32> = Mode::Concurrent(4).pages(listing.clone()).items().try_collect().await.unwrap();
    assert_eq!(got, listing.numbers());
    assert_eq!(listing.state().max_in_flight, 4);
    assert_eq!(began.elapsed(), 11 * SECOND, "one page for the total, then 40 pages, four at a time");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_requested_beyond_total() {
    let listing = slow(5);
    let got: Vec<u32> = Mode::Concurrent(16).pages(listing.clone()).items().try_collect().await.unwrap();
    assert_eq!(got.len(), 15);
    assert_eq!(listing.state().requested, [0, 1, 2, 3, 4]);
}

#[tokio::test(start_paused = true)]
async fn grown_list_is_read_beyond_total() {
    let listing = slow(9).with(|state| state.total = Some(12));
    let got: Vec<u32> = Mode::Concurrent(3).pages(listing.clone()).items().try_collect().await.unwrap();
    assert_eq!(got, listing.numbers());
}

#[tokio::test(start_paused = true)]
async fn without_total_pages_are_sequential() {
    let listing = slow(6).with(|state| state.total = None);
    let got: Vec<u32> = Mode::Concurrent(4).pages(listing.clone()).items().try_collect().await.unwrap();
    assert_eq!(got, listing.numbers());
    assert_eq!(listing.state().max_in_flight, 1);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_stream_cancels_requests() {
    for mode in MODES {
        let listing = slow(9);
        let mut items = mode.pages(listing.clone()).items();
        assert!(tokio::time::timeout(SECOND / 2, items.next()).await.is_err());
        drop(items);
        sleep(60 * SECOND).await;
        let state = listing.state();
        assert_eq!((state.requested.len(), state.completed, state.in_flight), (1, 0, 0), "{mode:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn checkpoint_ignores_prefetched_pages() {
    for mode in MODES {
        let listing = slow(9);
        let mut items = mode.pages(listing.clone()).items();
        for _ in 0..4 {
            items.next().await.unwrap().unwrap();
        }
        sleep(60 * SECOND).await;
        let rest = mode.pages(listing).resume(&items.checkpoint()).unwrap();
        let rest: Vec<u32> = rest.try_collect().await.unwrap();
        assert_eq!(rest, (4..27).collect::<Vec<_>>(), "{mode:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn failed_prediction_is_retried() {
    let listing = slow(9).with(|state| state.fail = Some((4, 1)));
    let mut items = Mode::Concurrent(4).pages(listing).items();
    let got: Vec<u32> = items.by_ref().filter_map(|item| async { item.ok() }).collect().await;
    assert_eq!(got, (0..12).collect::<Vec<_>>(), "the failed page is an error, after the previous pages");
    assert!(items.retry());
    assert_eq!(items.try_collect::<Vec<_>>().await.unwrap(), (12..27).collect::<Vec<_>>());
}

#[tokio::test]
async fn extreme_depth_and_width_are_clamped() {
    for mode in [Mode::Ahead(0), Mode::Ahead(usize::MAX), Mode::Concurrent(0), Mode::Concurrent(usize::MAX)] {
        let listing = Listing::of_sizes(&[3; 20]).with(|state| state.total = Some(u64::MAX));
        let got: Vec<u32> = mode.pages(listing.clone()).items().try_collect().await.unwrap();
        assert_eq!(got, listing.numbers(), "{mode:?}");
    }
}
