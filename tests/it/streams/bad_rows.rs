use futures::StreamExt;
use headcount::{Completeness, ErrorKind, IncompleteReason, Items, Paginator};

use super::pages::{Listing, MODES, Row};

/// What comes out, with `None` for a bad row.
async fn walk(items: &mut Items<Listing>) -> Vec<Option<u32>> {
    let mut rows = Vec::new();
    while let Some(row) = items.next().await {
        rows.push(match row {
            Ok(number) => Some(number),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::InvalidRecord);
                None
            }
        });
    }
    rows
}

fn spoiled() -> Listing {
    use Row::{Bad, Good};
    Listing::new(vec![vec![Bad, Good(1), Bad], vec![Bad, Bad], vec![], vec![Good(2), Good(3), Bad, Good(4)]])
}

#[tokio::test]
async fn a_bad_row_comes_out_in_its_place_and_the_stream_goes_on() {
    for mode in MODES {
        let mut items = mode.pages(spoiled()).items();
        let rows = walk(&mut items).await;
        assert_eq!(rows, [None, Some(1), None, None, None, Some(2), Some(3), None, Some(4)], "{mode:?}");
        let summary = items.summary();
        assert_eq!((summary.items, summary.rejected, summary.pages), (4, 5, 4));
        assert_eq!(
            summary.completeness,
            Completeness::Uncertain(vec![IncompleteReason::Rejected { rows: 5 }])
        );
    }
}

#[tokio::test]
async fn the_error_of_a_bad_row_names_page_and_index() {
    let mut items = spoiled().items();
    let error = items.next().await.unwrap().unwrap_err();
    assert_eq!(error.message(), "row 0 of page 1 cannot be read: it is bad");
    let rest: Vec<_> = items.collect().await;
    let text = |index: usize| rest[index].as_ref().unwrap_err().to_string();
    assert_eq!(text(1), "row 2 of page 1 cannot be read: it is bad");
    assert_eq!(text(6), "row 2 of page 4 cannot be read: it is bad");
}

#[tokio::test]
async fn resuming_at_every_cut_tells_each_bad_row_once() {
    for has_ids in [true, false] {
        let listing = spoiled().with(|state| state.has_ids = has_ids);
        let all = walk(&mut listing.clone().items()).await;
        for cut in 0..=all.len() {
            let mut items = listing.clone().items();
            let mut rows = Vec::new();
            for _ in 0..cut {
                rows.push(items.next().await.unwrap().ok());
            }
            let mut items = listing.clone().resume(&items.checkpoint()).unwrap();
            rows.extend(walk(&mut items).await);
            assert_eq!(rows, all, "cut after {cut}, ids: {has_ids}");
            assert_eq!(items.summary().rejected, 5);
        }
    }
}

#[tokio::test]
async fn items_that_stand_where_bad_rows_stood_are_not_skipped() {
    use Row::{Bad, Good};
    let mut items = Listing::new(vec![vec![Bad, Bad, Good(1), Good(2)]]).items();
    for _ in 0..2 {
        assert!(items.next().await.unwrap().is_err());
    }
    // Meanwhile the bad rows are gone.
    let mended = Listing::new(vec![vec![Good(1), Good(2)]]);
    let mut rest = mended.resume(&items.checkpoint()).unwrap();
    assert_eq!(walk(&mut rest).await, [Some(1), Some(2)]);
}
