//! Pages that are another when they are fetched again to go on within them.

use futures::StreamExt;
use headcount::{AnyPaginator, Checkpoint, Completeness, Doubt, Paginator};
use proptest::prelude::*;

use super::pages::{Listing, MODES, Row, numbers};

/// One page of these numbers, in an order that may be another at the next request.
fn shuffled(page: &[u32]) -> Listing {
    let rows = page.iter().copied().map(Row::Good).collect();
    Listing::new(vec![rows]).with(|state| state.keeps_order = false)
}

/// The place behind `rows` rows, and what they were; `None` for a bad one.
async fn after(listing: &Listing, rows: usize) -> (Checkpoint, Vec<Option<u32>>) {
    let mut items = listing.clone().items();
    let mut got = Vec::new();
    for _ in 0..rows {
        got.push(items.next().await.unwrap().ok());
    }
    let json = serde_json::to_string(&items.checkpoint()).unwrap();
    (serde_json::from_str(&json).unwrap(), got)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_page_in_another_order_each_time_gives_every_item_once(
        orders in prop::collection::vec(Just((0..60_u32).collect::<Vec<_>>()).prop_shuffle(), 1..5),
        takes in prop::collection::vec(0..30_usize, 4),
        mode in prop::sample::select(MODES.to_vec()),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (mut got, summary) = runtime.block_on(async {
            let mut got = Vec::new();
            let mut saved = shuffled(&[]).items().checkpoint();
            for (order, take) in orders.iter().zip(takes) {
                let mut items = mode.pages(shuffled(order)).resume(&saved).unwrap();
                for _ in 0..take {
                    got.extend(items.next().await.map(Result::unwrap));
                }
                saved = items.checkpoint();
            }
            let mut items = AnyPaginator::new(shuffled(&orders[0])).resume(&saved).unwrap();
            while let Some(number) = items.next().await {
                got.push(number.unwrap());
            }
            (got, items.summary())
        });
        got.sort_unstable();
        prop_assert_eq!(got, (0..60).collect::<Vec<_>>());
        prop_assert_eq!((summary.yielded, summary.completeness), (60, Completeness::Whole));
    }
}

#[tokio::test]
async fn a_page_longer_than_what_is_remembered_loses_none_and_gives_none_twice_unless_it_has_changed() {
    let page: Vec<u32> = (0..5000).collect();
    let (saved, _) = after(&shuffled(&page), 4000).await;
    let mut items = shuffled(&page).resume(&saved).unwrap();
    assert_eq!(numbers(&mut items).await, page[4000..], "it has not changed");
    // The first two have changed places.
    let changed: Vec<u32> = [1, 0].into_iter().chain(2..5000).collect();
    let mut items = shuffled(&changed).resume(&saved).unwrap();
    let rest: Vec<u32> = changed.iter().copied().filter(|number| !(2000..4000).contains(number)).collect();
    assert_eq!(numbers(&mut items).await, rest);
}

#[tokio::test]
async fn bad_rows_of_a_reordered_page_are_told_again_and_of_another_not() {
    use Row::{Bad, Good};
    let list = |page: &[Row]| Listing::new(vec![page.to_vec()]).with(|state| state.keeps_order = false);
    let (saved, got) = after(&list(&[Bad, Good(1), Good(2), Good(3)]), 2).await;
    assert_eq!(got, [None, Some(1)]);
    let mut items = list(&[Good(3), Good(1), Bad, Good(2)]).resume(&saved).unwrap();
    let rest: Vec<_> = items.by_ref().map(Result::ok).collect().await;
    assert_eq!(rest, [Some(3), None, Some(2)]);
    let mut items = list(&[Good(1), Bad, Good(3), Good(2)]).resume(&saved).unwrap();
    let rest: Vec<_> = items.by_ref().map(Result::ok).collect().await;
    assert_eq!(rest, [Some(3), Some(2)], "they are the same two rows");
    let summary = items.summary();
    assert_eq!((summary.yielded, summary.rejected), (3, 1));
    // Meanwhile it can be read.
    let mut items = list(&[Good(0), Good(1), Good(2), Good(3)]).resume(&saved).unwrap();
    assert_eq!(numbers(&mut items).await, [0, 2, 3]);
}

#[tokio::test]
async fn rows_left_out_on_a_broken_promise_of_order_are_a_doubt() {
    let (saved, _) = after(&Listing::of_sizes(&[5]), 3).await;
    // 2, the last one seen, has moved behind the others.
    let moved = Listing::new(vec![[0, 1, 3, 4, 2].map(Row::Good).to_vec()]);
    let mut items = moved.resume(&saved).unwrap();
    assert!(items.next().await.is_none(), "what stands before it is taken for seen");
    let doubts = vec![Doubt::LeftOut { rows: 2 }];
    assert_eq!(items.summary().completeness, Completeness::Doubtful(doubts));
}

#[tokio::test]
async fn a_bad_row_that_was_not_told_of_is_told_though_an_item_before_it_is_gone() {
    use Row::{Bad, Good};
    let page = Listing::new(vec![vec![Good(0), Good(1), Bad, Good(2)]]);
    let shorter = Listing::new(vec![vec![Good(1), Bad, Good(2)]]);
    for (taken, bad) in [(2, 1), (3, 0)] {
        let (saved, _) = after(&page, taken).await;
        let mut items = shorter.clone().resume(&saved).unwrap();
        let rest: Vec<_> = items.by_ref().collect().await;
        assert_eq!(rest.iter().filter(|row| row.is_err()).count(), bad, "{taken} taken");
        assert_eq!(rest.last().unwrap().as_ref().ok(), Some(&2));
        assert_eq!(items.summary().rejected, 1);
    }
}
