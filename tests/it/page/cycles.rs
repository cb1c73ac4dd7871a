use futures::{StreamExt, TryStreamExt};
use headcount::{Completeness, ErrorKind, ListingId, Page, Paginator, Result};

use super::support::{Listing, MODES};

#[tokio::test]
async fn any_period_is_an_error_after_its_pages() {
    for mode in MODES {
        for (pages, back_to) in [(1, 0), (2, 0), (2, 1), (5, 4), (5, 2), (9, 0), (12, 5)] {
            let listing = Listing::of_sizes(&vec![2; pages]).with(|state| state.back_to = Some(back_to));
            let all = listing.numbers();
            let mut items = mode.pages(listing).items();
            let mut got = Vec::new();
            let error = loop {
                match items.next().await.expect("expected an error, got the end") {
                    Ok(number) => got.push(number),
                    Err(error) => break error,
                }
            };
            assert_eq!(error.kind(), ErrorKind::PaginationLoop);
            assert!(got.starts_with(&all), "{mode:?}: pages before the error: {got:?}");
            assert!(got.len() <= 4 * all.len() + 4, "detected after {} items of {}", got.len(), all.len());
            assert!(items.next().await.is_none());
            assert!(!items.retry(), "a loop cannot be retried");
            assert_eq!(items.summary().completeness, Completeness::InProgress);
        }
    }
}

#[tokio::test]
async fn detected_across_checkpoints() {
    let listing = Listing::of_sizes(&[1, 1, 1, 1, 1]).with(|state| state.back_to = Some(1));
    let mut saved = listing.clone().items().checkpoint();
    for _ in 0..100 {
        let mut items = listing.clone().resume(&saved).unwrap();
        match items.next().await {
            Some(Ok(_)) => {
                saved = serde_json::from_str(&serde_json::to_string(&items.checkpoint()).unwrap()).unwrap();
            }
            Some(Err(error)) => {
                assert_eq!(error.kind(), ErrorKind::PaginationLoop);
                return;
            }
            None => panic!("expected an error, got the end"),
        }
    }
    panic!("the loop was not detected");
}

/// A listing whose only page returns the same cursor again, which is long and has line breaks.
struct LongCursor;

impl Paginator for LongCursor {
    type Item = u8;
    type Cursor = String;

    fn listing_id(&self) -> ListingId {
        ListingId::new("long cursor", [])
    }

    async fn fetch(&self, _: Option<&String>) -> Result<Page<u8, String>> {
        Ok(Page::new(vec![1], Some("cursor\n".repeat(10_000))))
    }
}

#[tokio::test]
async fn long_cursor_is_shortened_in_the_error() {
    let error = LongCursor.items().filter_map(|item| std::future::ready(item.err())).next().await.unwrap();
    assert_eq!(error.kind(), ErrorKind::PaginationLoop);
    let text = error.to_string();
    assert!(text.contains("cursor") && !text.contains('\n') && text.len() < 1000, "{} bytes", text.len());
}

/// Empty pages, each with a new cursor.
struct Endless;

impl Paginator for Endless {
    type Item = u8;
    type Cursor = u64;

    fn listing_id(&self) -> ListingId {
        ListingId::new("endless", [])
    }

    async fn fetch(&self, at: Option<&u64>) -> Result<Page<u8, u64>> {
        Ok(Page::new(vec![], Some(at.map_or(0, |at| at + 1))))
    }
}

#[tokio::test]
async fn too_many_empty_pages_are_an_error() {
    let mut pages = Endless.pages();
    for _ in 0..10_000 {
        assert_eq!(pages.next().await.unwrap().unwrap().rows(), 0);
    }
    let error = pages.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PaginationLoop);
    assert_eq!(error.message(), "pagination loop: more than 10000 empty pages in a row");
    assert!(pages.next().await.is_none());
    assert_eq!(pages.summary().completeness, Completeness::InProgress);
    // A row resets the count.
    let listing = Listing::of_sizes(&[vec![0; 9_999], vec![1], vec![0; 9_999], vec![1]].concat());
    assert_eq!(listing.items().try_collect::<Vec<_>>().await.unwrap(), [0, 1]);
}
