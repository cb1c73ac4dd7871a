use futures::StreamExt;
use headcount::{Completeness, ErrorKind, IncompleteReason, Items, Paginator};

use super::support::{Listing, MODES, Row};

/// Collects all rows, with `None` for one that cannot be decoded.
async fn collect_rows(items: &mut Items<Listing>) -> Vec<Option<u32>> {
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

fn with_bad_rows() -> Listing {
    use Row::{Bad, Good};
    Listing::new(vec![vec![Bad, Good(1), Bad], vec![Bad, Bad], vec![], vec![Good(2), Good(3), Bad, Good(4)]])
}

#[tokio::test]
async fn yielded_in_order_as_errors() {
    for mode in MODES {
        let mut items = mode.pages(with_bad_rows()).items();
        let rows = collect_rows(&mut items).await;
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
async fn error_names_page_and_index() {
    let mut items = with_bad_rows().items();
    let error = items.next().await.unwrap().unwrap_err();
    assert_eq!(error.message(), "failed to decode row 0 of page 1: it is bad");
    let rest: Vec<_> = items.collect().await;
    let text = |index: usize| rest[index].as_ref().unwrap_err().to_string();
    assert_eq!(text(1), "listing: failed to decode row 2 of page 1: it is bad");
    assert_eq!(text(6), "listing: failed to decode row 2 of page 4: it is bad");
}

#[tokio::test]
async fn resuming_yields_each_bad_row_once() {
    for has_ids in [true, false] {
        let listing = with_bad_rows().with(|state| state.has_ids = has_ids);
        let all = collect_rows(&mut listing.clone().items()).await;
        for cut in 0..=all.len() {
            let mut items = listing.clone().items();
            let mut rows = Vec::new();
            for _ in 0..cut {
                rows.push(items.next().await.unwrap().ok());
            }
            let mut items = listing.clone().resume(&items.checkpoint()).unwrap();
            rows.extend(collect_rows(&mut items).await);
            assert_eq!(rows, all, "cut after {cut}, ids: {has_ids}");
            assert_eq!(items.summary().rejected, 5);
        }
    }
}

#[tokio::test]
async fn items_replacing_bad_rows_are_kept() {
    use Row::{Bad, Good};
    let mut items = Listing::new(vec![vec![Bad, Bad, Good(1), Good(2)]]).items();
    for _ in 0..2 {
        assert!(items.next().await.unwrap().is_err());
    }
    // The bad rows were removed before resuming.
    let changed = Listing::new(vec![vec![Good(1), Good(2)]]);
    let mut rest = changed.resume(&items.checkpoint()).unwrap();
    assert_eq!(collect_rows(&mut rest).await, [Some(1), Some(2)]);
}
