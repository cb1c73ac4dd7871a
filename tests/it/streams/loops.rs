use futures::{StreamExt, TryStreamExt};
use headcount::{Completeness, ErrorKind, ListingId, Page, Paginator, Result};

use super::pages::{Listing, MODES};

#[tokio::test]
async fn a_loop_of_any_period_is_an_error_after_its_pages() {
    for mode in MODES {
        for (pages, back_to) in [(1, 0), (2, 0), (2, 1), (5, 4), (5, 2), (9, 0), (12, 5)] {
            let listing = Listing::of_sizes(&vec![2; pages]).with(|state| state.back_to = Some(back_to));
            let all = listing.numbers();
            let mut items = mode.pages(listing).items();
            let mut got = Vec::new();
            let error = loop {
                match items.next().await.expect("an error comes before the end") {
                    Ok(number) => got.push(number),
                    Err(error) => break error,
                }
            };
            assert_eq!(error.kind(), ErrorKind::PaginationLoop);
            assert!(got.starts_with(&all), "{mode:?}: every page came before the error: {got:?}");
            assert!(got.len() <= 4 * all.len() + 4, "it is noticed soon: {} of {}", got.len(), all.len());
            assert!(items.next().await.is_none());
            assert!(!items.retry(), "another try can not mend a loop");
            assert_eq!(items.summary().completeness, Completeness::InProgress);
        }
    }
}

#[tokio::test]
async fn a_loop_is_found_although_every_page_is_fetched_by_another_process() {
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
            None => panic!("the loop was taken for an end"),
        }
    }
    panic!("the loop was never noticed");
}

/// A listing whose only page leads to itself, at a cursor as long as a provider likes.
struct Circle;

impl Paginator for Circle {
    type Item = u8;
    type Cursor = String;

    fn listing_id(&self) -> ListingId {
        ListingId::new("circle", [])
    }

    async fn fetch(&self, _: Option<&String>) -> Result<Page<u8, String>> {
        Ok(Page::new(vec![1], Some("cursor\n".repeat(10_000))))
    }
}

#[tokio::test]
async fn a_loop_is_told_in_one_line_however_long_its_cursor_is() {
    let error = Circle.items().filter_map(|item| std::future::ready(item.err())).next().await.unwrap();
    assert_eq!(error.kind(), ErrorKind::PaginationLoop);
    let text = error.to_string();
    assert!(text.contains("cursor") && !text.contains('\n') && text.len() < 1000, "{} bytes", text.len());
}

/// Pages without rows, each leading to a cursor that never came before.
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
async fn ten_thousand_empty_pages_in_a_row_are_an_error() {
    let mut pages = Endless.pages();
    for _ in 0..10_000 {
        assert_eq!(pages.next().await.unwrap().unwrap().rows(), 0);
    }
    let error = pages.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PaginationLoop);
    assert_eq!(error.message(), "10000 pages in a row have no rows, and the last leads to another");
    assert!(pages.next().await.is_none());
    assert_eq!(pages.summary().completeness, Completeness::InProgress);
    // A row in between starts the count again.
    let listing = Listing::of_sizes(&[vec![0; 9_999], vec![1], vec![0; 9_999], vec![1]].concat());
    assert_eq!(listing.items().try_collect::<Vec<_>>().await.unwrap(), [0, 1]);
}
