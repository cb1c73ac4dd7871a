use std::time::Duration;

use futures::{FutureExt, StreamExt, TryStreamExt, stream::FusedStream};
use headcount::{
    AnyPaginator, Completeness, Error, ErrorKind, Items, ListingId, Merge, Page, Pages, Paginator, Result,
};
use static_assertions::assert_impl_all;

use super::support::{Listing, MODES};

assert_impl_all!(Pages<Listing>: Send, Unpin, FusedStream, std::fmt::Debug);
assert_impl_all!(Items<Listing>: Send, Unpin, FusedStream, std::fmt::Debug);
assert_impl_all!(Merge<u32>: Send, Unpin, FusedStream, std::fmt::Debug);
assert_impl_all!(AnyPaginator<u32>: Send, Sync, Clone, std::fmt::Debug);
assert_impl_all!(Error: std::error::Error, Send, Sync, Unpin, Clone);

#[tokio::test]
async fn retry_fetches_the_failed_page() {
    for mode in MODES {
        let listing = Listing::of_sizes(&[3, 3, 3]).with(|state| {
            state.fail = Some((1, 2));
            state.total = Some(9);
        });
        let mut items = mode.pages(listing).items();
        let mut got: Vec<u32> = Vec::new();
        for _ in 0..2 {
            let error = loop {
                match items.next().await.unwrap() {
                    Ok(number) => got.push(number),
                    Err(error) => break error,
                }
            };
            assert_eq!(error.kind(), ErrorKind::Transport);
            assert_eq!(got, [0, 1, 2], "{mode:?}");
            assert!(items.next().await.is_none() && items.is_terminated());
            assert_eq!(items.summary().completeness, Completeness::InProgress);
            assert!(items.retry());
        }
        got.extend(items.by_ref().try_collect::<Vec<_>>().await.unwrap());
        assert_eq!(got, (0..9).collect::<Vec<_>>(), "{mode:?}");
        assert!(!items.retry(), "there is nothing to retry after the end");
        assert_eq!(items.summary().completeness, Completeness::Complete);
    }
}

#[tokio::test]
async fn failed_page_is_not_refetched_on_poll() {
    let listing = Listing::of_sizes(&[1, 1]).with(|state| state.fail = Some((1, 99)));
    let mut items = listing.clone().items();
    while items.next().await.is_some_and(|item| item.is_ok()) {}
    for _ in 0..10 {
        assert!(items.next().await.is_none());
    }
    assert_eq!(listing.state().requested, [0, 1]);
}

#[tokio::test(start_paused = true)]
async fn dropped_next_loses_and_refetches_nothing() {
    for mode in MODES {
        let listing = Listing::of_sizes(&[3, 3]).with(|state| {
            state.delay = Duration::from_secs(10);
            state.total = Some(6);
        });
        let mut items = mode.pages(listing.clone()).items();
        for _ in 0..3 {
            assert!(tokio::time::timeout(Duration::from_secs(3), items.next()).await.is_err());
        }
        let got: Vec<u32> = items.try_collect().await.unwrap();
        assert_eq!(got, [0, 1, 2, 3, 4, 5], "{mode:?}");
        assert_eq!(listing.state().requested, [0, 1], "{mode:?}");
    }
}

#[tokio::test]
async fn empty_middle_page_is_not_the_end() {
    for mode in MODES {
        let listing = Listing::of_sizes(&[0, 2, 0, 0, 1, 0]);
        let got: Vec<u32> = mode.pages(listing).items().try_collect().await.unwrap();
        assert_eq!(got, [0, 1, 2]);
    }
}

/// A paginator whose cursor has no JSON form.
struct Unserialisable;

impl Paginator for Unserialisable {
    type Item = u32;
    type Cursor = std::collections::BTreeMap<Vec<u8>, u8>;

    fn listing_id(&self) -> ListingId {
        ListingId::new("unserialisable", [])
    }

    async fn fetch(&self, _: Option<&Self::Cursor>) -> Result<Page<u32, Self::Cursor>> {
        Ok(Page::new(vec![1], Some([(vec![1], 1)].into())))
    }
}

#[tokio::test]
async fn unserialisable_cursor_is_an_error() {
    let error = Unserialisable.items().try_collect::<Vec<_>>().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let erased = AnyPaginator::new(Unserialisable);
    assert_eq!(erased.items().try_collect::<Vec<_>>().await.unwrap_err().kind(), ErrorKind::Config);
}

#[test]
fn prefetch_without_runtime_is_an_error() {
    let mut items = Listing::of_sizes(&[1]).pages().ahead(1).items();
    let first = items.next().now_or_never().flatten().unwrap();
    assert_eq!(first.unwrap_err().kind(), ErrorKind::Config);
}
