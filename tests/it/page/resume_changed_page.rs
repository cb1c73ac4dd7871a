//! Resuming within a page that has changed since the checkpoint.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use futures::StreamExt;
use headcount::{AnyPaginator, Checkpoint, Completeness, ListingId, Page, Paginator, Rejected, Result};
use proptest::prelude::*;

use super::support::{Listing, MODES, Row, numbers};

/// A listing of one page.
fn one_page(page: &[u32]) -> Listing {
    Listing::new(vec![page.iter().copied().map(Row::Good).collect()])
}

fn through_json(checkpoint: &Checkpoint) -> Checkpoint {
    serde_json::from_str(&serde_json::to_string(checkpoint).unwrap()).unwrap()
}

/// Yields `rows` rows, with `None` for one that cannot be decoded, and returns the checkpoint with them.
async fn checkpoint_after(listing: &Listing, rows: usize) -> (Checkpoint, Vec<Option<u32>>) {
    let mut items = listing.clone().items();
    let mut got = Vec::new();
    for _ in 0..rows {
        got.push(items.next().await.unwrap().ok());
    }
    (through_json(&items.checkpoint()), got)
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
}

proptest! {
    #![proptest_config(crate::lists::cases(64))]

    #[test]
    fn reordered_page_counts_repeats(
        orders in prop::collection::vec(Just((0..60_u32).collect::<Vec<_>>()).prop_shuffle(), 1..5),
        takes in prop::collection::vec(0..30_usize, 4),
        mode in prop::sample::select(MODES.to_vec()),
    ) {
        let (got, summary) = block_on(async {
            let mut got = Vec::new();
            let mut saved = one_page(&[]).items().checkpoint();
            for (order, take) in orders.iter().zip(takes) {
                let mut items = mode.pages(one_page(order)).resume(&saved).unwrap();
                for _ in 0..take {
                    got.extend(items.next().await.map(Result::unwrap));
                }
                saved = through_json(&items.checkpoint());
            }
            let mut items = AnyPaginator::new(one_page(&orders[0])).resume(&saved).unwrap();
            while let Some(number) = items.next().await {
                got.push(number.unwrap());
            }
            (got, items.summary())
        });
        let distinct: BTreeSet<_> = got.iter().copied().collect();
        prop_assert_eq!(&distinct, &(0..60).collect());
        prop_assert_eq!(summary.items, got.len() as u64);
        prop_assert!(summary.items - summary.repeats_at_most <= distinct.len() as u64);
        prop_assert_eq!(summary.completeness, Completeness::Complete);
    }

    /// If cursors are derived from rows, insertions and deletions at any cut neither lose nor repeat a row.
    #[test]
    fn row_cursors_are_exact(
        initial in prop::collection::btree_set(0..200_u32, 0..40),
        sessions in prop::collection::vec(
            (0..15_usize, prop::collection::vec((0..200_u32, any::<bool>()), 0..12), 0..MODES.len()),
            0..6,
        ),
        erased: bool,
    ) {
        let sorted = Sorted(Arc::new(Mutex::new(initial.clone())));
        let (mut permanent, mut got) = (initial, Vec::new());
        block_on(async {
            let mut saved = sorted.clone().items().checkpoint();
            for (take, changes, mode) in sessions {
                let mut row = async |row: Option<Result<u32>>| got.extend(row.map(Result::unwrap));
                if erased {
                    let mut items = AnyPaginator::new(sorted.clone()).resume(&saved).unwrap();
                    for _ in 0..take {
                        row(items.next().await).await;
                    }
                    saved = through_json(&items.checkpoint());
                } else {
                    let pages = sorted.clone().pages();
                    let mut items = if mode == 0 { pages } else { pages.ahead(mode) }.resume(&saved).unwrap();
                    for _ in 0..take {
                        row(items.next().await).await;
                    }
                    saved = through_json(&items.checkpoint());
                }
                for (number, create) in changes {
                    let mut rows = sorted.0.lock().unwrap();
                    if create && !permanent.contains(&number) {
                        rows.insert(number);
                    } else if !create {
                        rows.remove(&number);
                        permanent.remove(&number);
                    }
                }
            }
            let mut items = sorted.clone().resume(&saved).unwrap();
            while let Some(row) = items.next().await {
                got.push(row.unwrap());
            }
            assert_eq!(items.summary().repeats_at_most, 0);
        });
        let distinct: BTreeSet<_> = got.iter().copied().collect();
        prop_assert!(got.is_sorted() && distinct.len() == got.len(), "{:?}", got);
        prop_assert!(distinct.is_superset(&permanent), "{:?} of {:?}", got, permanent);
    }
}

/// Numbers in ascending order, three per page. The cursor is the last number.
#[derive(Clone)]
struct Sorted(Arc<Mutex<BTreeSet<u32>>>);

impl Paginator for Sorted {
    type Item = u32;
    type Cursor = u32;

    fn listing_id(&self) -> ListingId {
        ListingId::new("sorted", [])
    }

    async fn fetch(&self, at: Option<&u32>) -> Result<Page<u32, u32>> {
        let rows = self.0.lock().unwrap();
        let items: Vec<u32> = rows.iter().copied().filter(|number| Some(number) > at).take(3).collect();
        let next = items.last().copied();
        Ok(Page::new(items, next))
    }

    fn item_id<'a>(&self, item: &'a u32) -> Option<Cow<'a, str>> {
        Some(item.to_string().into())
    }

    fn advance(&self, cursor: &mut Option<u32>, id: Option<&str>) -> bool {
        *cursor = id.and_then(|id| id.parse().ok()).or(*cursor);
        true
    }
}

#[tokio::test]
async fn changed_long_page_is_yielded_again() {
    let page: Vec<u32> = (0..5000).collect();
    let (saved, _) = checkpoint_after(&one_page(&page), 4000).await;
    let mut items = one_page(&page).resume(&saved).unwrap();
    assert_eq!(numbers(&mut items).await, page[4000..], "the page has not changed");
    assert_eq!(items.summary().repeats_at_most, 0);
    // Only rows after the yielded ones have changed.
    let longer: Vec<u32> = (0..4000).chain([9000]).collect();
    let mut items = one_page(&longer).resume(&saved).unwrap();
    assert_eq!(numbers(&mut items).await, [9000]);
    for changed in
        [(1..5000).collect::<Vec<_>>(), [1, 0].into_iter().chain(2..5000).collect(), vec![], vec![7]]
    {
        let mut items = one_page(&changed).resume(&saved).unwrap();
        assert_eq!(numbers(&mut items).await, changed);
        let summary = items.summary();
        assert_eq!((summary.items, summary.repeats_at_most), (4000 + changed.len() as u64, 4000));
    }
}

#[tokio::test]
async fn unpolled_resume_keeps_checkpoint() {
    let page: Vec<u32> = (0..10).collect();
    let (saved, _) = checkpoint_after(&one_page(&page), 6).await;
    let again = through_json(&one_page(&page).resume(&saved).unwrap().checkpoint());
    assert_eq!(again, saved);
    // A failed request keeps it too.
    let failing = one_page(&page).with(|state| state.fail = Some((0, 1)));
    let mut items = failing.resume(&again).unwrap();
    assert!(items.next().await.unwrap().is_err());
    assert_eq!(items.checkpoint(), saved);
    assert!(items.retry());
    assert_eq!(numbers(&mut items).await, [6, 7, 8, 9]);
}

#[tokio::test]
async fn bad_rows_are_skipped() {
    use Row::{Bad, Good};
    let list = |page: &[Row]| Listing::new(vec![page.to_vec()]);
    let (saved, got) = checkpoint_after(&list(&[Bad, Good(1), Good(2), Good(3)]), 2).await;
    assert_eq!(got, [None, Some(1)]);
    let rest = async |page: &[Row]| {
        let mut items = list(page).resume(&saved).unwrap();
        let rest: Vec<_> = items.by_ref().map(Result::ok).collect().await;
        (rest, items.summary().repeats_at_most)
    };
    assert_eq!(rest(&[Bad, Good(1), Good(3), Good(2)]).await, (vec![Some(3), Some(2)], 0));
    // The bad row can be decoded now, or another row is first.
    assert_eq!(rest(&[Good(0), Good(1), Good(2)]).await, (vec![Some(0), Some(1), Some(2)], 2));
    assert_eq!(rest(&[Good(1), Bad, Good(2)]).await, (vec![Some(1), None, Some(2)], 2));
}

/// Pages of rows that have ids but cannot be decoded.
#[derive(Clone)]
struct AllBad;

impl Paginator for AllBad {
    type Item = u32;
    type Cursor = u32;

    fn listing_id(&self) -> ListingId {
        ListingId::new("all bad", [])
    }

    async fn fetch(&self, at: Option<&u32>) -> Result<Page<u32, u32>> {
        let first = at.map_or(0, |at| at + 1);
        let row = |(index, number): (usize, u32)| {
            let mut row = Rejected::new(index, "it is bad");
            row.id = Some(number.to_string());
            row
        };
        let rejected: Vec<_> = (first..(first + 4).min(10)).enumerate().map(row).collect();
        let next = (!rejected.is_empty()).then(|| first + 3);
        Ok(Page::new(Vec::new(), next).with_rejected(rejected))
    }

    fn advance(&self, cursor: &mut Option<u32>, id: Option<&str>) -> bool {
        *cursor = id.and_then(|id| id.parse().ok()).or(*cursor);
        true
    }
}

#[tokio::test]
async fn rejected_rows_advance_the_cursor() {
    let mut saved = AllBad.items().checkpoint();
    for number in 0..10 {
        let mut items = AllBad.resume(&saved).unwrap();
        let error = items.next().await.unwrap().unwrap_err();
        assert!(error.message().starts_with("failed to decode row 0 "), "{number}: {error}");
        saved = through_json(&items.checkpoint());
    }
    let mut items = AllBad.resume(&saved).unwrap();
    assert!(items.next().await.is_none());
    assert_eq!(items.summary().rejected, 10);
}

/// Two rows of which the first cannot be decoded and has no id, so that a derived cursor is still empty after it.
struct BadFirst;

impl Paginator for BadFirst {
    type Item = u32;
    type Cursor = u32;

    fn listing_id(&self) -> ListingId {
        ListingId::new("bad first", [])
    }

    async fn fetch(&self, _: Option<&u32>) -> Result<Page<u32, u32>> {
        Ok(Page::new(vec![1, 2], None).with_rejected(vec![Rejected::new(0, "it is bad")]))
    }

    fn item_id<'a>(&self, item: &'a u32) -> Option<Cow<'a, str>> {
        Some(item.to_string().into())
    }

    fn advance(&self, cursor: &mut Option<u32>, id: Option<&str>) -> bool {
        *cursor = id.and_then(|id| id.parse().ok()).or(*cursor);
        true
    }
}

#[tokio::test]
async fn empty_derived_cursor_skips_yielded_rows() {
    let mut items = BadFirst.items();
    assert!(items.next().await.unwrap().is_err());
    let json = serde_json::to_string(&items.checkpoint()).unwrap();
    let mut resumed = BadFirst.resume(&serde_json::from_str(&json).unwrap()).unwrap();
    let rest: Vec<u32> = resumed.by_ref().map(Result::unwrap).collect().await;
    assert_eq!(rest, [1, 2]);
    let summary = resumed.summary();
    assert_eq!((summary.items, summary.rejected, summary.repeats_at_most), (2, 1, 0));
}
