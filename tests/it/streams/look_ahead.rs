use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use tokio::time::{Instant, sleep};

use super::pages::{Listing, MODES, Mode};

const SECOND: Duration = Duration::from_secs(1);

fn slow(pages: usize) -> Listing {
    Listing::of_sizes(&vec![3; pages]).with(|state| {
        state.delay = SECOND;
        state.total = Some(3 * pages as u64);
    })
}

#[tokio::test(start_paused = true)]
async fn nothing_is_fetched_before_the_first_poll() {
    for mode in MODES {
        let listing = slow(9);
        let items = mode.pages(listing.clone()).items();
        sleep(60 * SECOND).await;
        assert!(listing.state().asked.is_empty(), "{mode:?}");
        drop(items);
    }
}

#[tokio::test(start_paused = true)]
async fn at_most_n_pages_exist_beside_the_one_in_use() {
    for (mode, most) in [(Mode::Lazy, 0), (Mode::Ahead(1), 1), (Mode::Ahead(4), 4), (Mode::Concurrent(3), 3)]
    {
        let listing = slow(20);
        let mut pages = mode.pages(listing.clone());
        for used in 1..=10 {
            pages.next().await.unwrap().unwrap();
            sleep(60 * SECOND).await;
            assert_eq!(listing.state().asked.len(), used + most, "{mode:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_request_starts_when_a_page_is_handed_over() {
    for mode in [Mode::Ahead(1), Mode::Concurrent(1)] {
        let began = Instant::now();
        let mut pages = mode.pages(slow(10));
        while pages.next().await.is_some() {
            // The consumer is as slow as the provider.
            sleep(SECOND).await;
        }
        assert_eq!(began.elapsed(), 11 * SECOND, "{mode:?}: both work at the same time");
    }
}

#[tokio::test(start_paused = true)]
async fn concurrent_pages_come_in_order_and_sooner() {
    let listing = slow(41);
    let began = Instant::now();
    let got: Vec<u32> = Mode::Concurrent(4).pages(listing.clone()).items().try_collect().await.unwrap();
    assert_eq!(got, listing.numbers());
    assert_eq!(listing.state().peak, 4);
    assert_eq!(began.elapsed(), 11 * SECOND, "one page alone, for the total, then 40 by fours");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_for_beyond_the_promised_total() {
    let listing = slow(5);
    let got: Vec<u32> = Mode::Concurrent(16).pages(listing.clone()).items().try_collect().await.unwrap();
    assert_eq!(got.len(), 15);
    assert_eq!(listing.state().asked, [0, 1, 2, 3, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_grew_is_followed_beyond_the_total() {
    let listing = slow(9).with(|state| state.total = Some(12));
    let got: Vec<u32> = Mode::Concurrent(3).pages(listing.clone()).items().try_collect().await.unwrap();
    assert_eq!(got, listing.numbers());
}

#[tokio::test(start_paused = true)]
async fn without_a_total_pages_come_one_at_a_time_and_all_come() {
    let listing = slow(6).with(|state| state.total = None);
    let got: Vec<u32> = Mode::Concurrent(4).pages(listing.clone()).items().try_collect().await.unwrap();
    assert_eq!(got, listing.numbers());
    assert_eq!(listing.state().peak, 1);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_stream_stops_what_is_under_way() {
    for mode in MODES {
        let listing = slow(9);
        let mut items = mode.pages(listing.clone()).items();
        assert!(tokio::time::timeout(SECOND / 2, items.next()).await.is_err());
        drop(items);
        sleep(60 * SECOND).await;
        let state = listing.state();
        assert_eq!((state.asked.len(), state.answered, state.live), (1, 0, 0), "{mode:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_checkpoint_is_the_consumers_place_not_the_look_aheads() {
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
async fn a_guess_that_fails_does_no_harm() {
    let listing = slow(9).with(|state| state.fail = Some((4, 1)));
    let mut items = Mode::Concurrent(4).pages(listing).items();
    let got: Vec<u32> = items.by_ref().filter_map(|item| async { item.ok() }).collect().await;
    assert_eq!(got, (0..12).collect::<Vec<_>>(), "the failed page itself is an error, in its place");
    assert!(items.retry());
    assert_eq!(items.try_collect::<Vec<_>>().await.unwrap(), (12..27).collect::<Vec<_>>());
}

#[tokio::test]
async fn any_depth_and_width_are_bounded() {
    for mode in [Mode::Ahead(0), Mode::Ahead(usize::MAX), Mode::Concurrent(0), Mode::Concurrent(usize::MAX)] {
        let listing = Listing::of_sizes(&[3; 20]).with(|state| state.total = Some(u64::MAX));
        let got: Vec<u32> = mode.pages(listing.clone()).items().try_collect().await.unwrap();
        assert_eq!(got, listing.numbers(), "{mode:?}");
    }
}
