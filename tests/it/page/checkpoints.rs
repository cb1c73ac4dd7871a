use futures::TryStreamExt;
use headcount::{
    Checkpoint, Completeness, ErrorKind, IncompleteReason, ListingId, Page, Paginator, Position, Result,
};
use proptest::prelude::*;

use super::support::{Listing, MODES, Row, State, numbers};

fn through_json(checkpoint: &Checkpoint) -> Checkpoint {
    serde_json::from_str(&serde_json::to_string(checkpoint).unwrap()).unwrap()
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(work)
}

fn row() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.9)
}

proptest! {
    #![proptest_config(crate::lists::cases(64))]

    /// Pages of any size, some empty, with bad rows anywhere. The listing is interrupted at any item in any
    /// mode and resumed in any other mode.
    #[test]
    fn resuming_at_any_cut_yields_each_item_once(
        pages in prop::collection::vec(prop::collection::vec(row(), 0..6), 1..12),
        cuts in prop::collection::vec(0..40_usize, 0..4),
        modes in prop::collection::vec(0..MODES.len(), 4),
        has_ids: bool,
    ) {
        let mut count = 0..;
        let pages: Vec<Vec<Row>> = pages
            .iter()
            .map(|page| {
                page.iter().map(|good| if *good { Row::Good(count.next().unwrap()) } else { Row::Bad }).collect()
            })
            .collect();
        let rows = pages.iter().map(Vec::len).sum::<usize>() as u64;
        let listing = Listing::new(pages).with(|state| {
            state.has_ids = has_ids;
            state.total = Some(rows);
        });
        let (got, summary) = block_on(async {
            let mut got = Vec::new();
            let mut saved = listing.clone().items().checkpoint();
            for (cut, mode) in cuts.iter().zip(&modes) {
                let mut items = MODES[*mode].pages(listing.clone()).resume(&saved).unwrap();
                for _ in 0..*cut {
                    match items.next().await {
                        Some(row) => got.extend(row.ok()),
                        None => break,
                    }
                }
                saved = through_json(&items.checkpoint());
            }
            let mut items = MODES[modes[3]].pages(listing.clone()).resume(&saved).unwrap();
            got.extend(numbers(&mut items).await);
            (got, items.summary())
        });
        prop_assert_eq!(&got, &listing.numbers());
        prop_assert_eq!(summary.items, got.len() as u64);
        prop_assert_eq!(summary.items + summary.rejected, rows);
        prop_assert_eq!(summary.pages, listing.state().pages.len() as u64);
        let expected = if summary.rejected == 0 {
            Completeness::Complete
        } else {
            Completeness::Uncertain(vec![IncompleteReason::Rejected { rows: summary.rejected }])
        };
        prop_assert_eq!(summary.completeness, expected);
    }

    /// Reading and resuming any checkpoint succeeds or returns an error.
    #[test]
    fn malformed_checkpoints_do_not_panic(
        v in 0..4_u16,
        cursor in prop_oneof![Just("0"), Just("-1"), Just("\"x\""), Just("null"), Just("1e300")],
        rows in prop_oneof![Just(0_u64), Just(3), Just(u64::from(u32::MAX)), Just(u64::MAX)],
        huge in prop_oneof![Just(0_u64), Just(u64::MAX)],
    ) {
        let listing = Listing::of_sizes(&[3, 3]);
        let mut json = serde_json::to_value(listing.clone().items().checkpoint()).unwrap();
        json["v"] = v.into();
        json["position"] = serde_json::from_str(&format!(r#"{{"state":"at","cursor":{cursor}}}"#)).unwrap();
        json["yielded"] = serde_json::json!({"rows": rows, "digest": huge});
        json["counters"]["pages"] = huge.into();
        json["counters"]["items"] = huge.into();
        json["counters"]["repeats_at_most"] = huge.into();
        json["cycles"]["steps"] = huge.into();
        let Ok(checkpoint) = serde_json::from_value::<Checkpoint>(json) else { return Ok(()) };
        match listing.resume(&checkpoint) {
            Ok(items) => drop(block_on(items.try_collect::<Vec<_>>())),
            Err(error) => prop_assert_eq!(error.kind(), ErrorKind::Checkpoint),
        }
    }
}

#[tokio::test]
async fn finished_listing_is_not_restarted() {
    let listing = Listing::of_sizes(&[2, 2]);
    let mut items = listing.clone().items();
    assert_eq!(*items.checkpoint().position(), Position::Start);
    while items.try_next().await.unwrap().is_some() {}
    let done = through_json(&items.checkpoint());
    assert!(done.is_done());
    let mut again = listing.clone().resume(&done).unwrap();
    assert_eq!(again.try_next().await.unwrap(), None);
    assert_eq!(again.summary(), items.summary());
    assert_eq!(listing.state().requested, [0, 1], "nothing is requested again");
}

/// The same listing at another provider.
struct OtherProvider;

impl Paginator for OtherProvider {
    type Item = u32;
    type Cursor = usize;

    fn listing_id(&self) -> ListingId {
        ListingId::new("elsewhere", [("filter", "")])
    }

    async fn fetch(&self, _: Option<&usize>) -> Result<Page<u32, usize>> {
        Ok(Page::new(vec![], None))
    }
}

#[tokio::test]
async fn other_listing_or_version_is_rejected() {
    let listing = Listing::of_sizes(&[2, 2]);
    let mut items = listing.clone().items();
    items.next().await;
    let saved = items.checkpoint();

    let filtered = Listing::of_sizes(&[2, 2]).with(|state| state.filter = "x");
    let error = filtered.resume(&saved).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Checkpoint);
    assert!(error.message().contains("another listing"), "{error}");

    let error = OtherProvider.resume(&saved).unwrap_err();
    assert_eq!(error.message(), "the checkpoint belongs to a listing of listing; expected elsewhere");

    let newer = r#"{"v":2,"place":{"anything":[1,2]}}"#;
    let error = serde_json::from_str::<Checkpoint>(newer).unwrap_err();
    assert_eq!(error.to_string(), "unsupported checkpoint version: expected 1, got 2");
    let mut other = serde_json::to_value(&saved).unwrap();
    for version in [0, 2, 65_535, 65_536] {
        other["v"] = version.into();
        let error = serde_json::from_value::<Checkpoint>(other.clone()).unwrap_err();
        assert!(error.to_string().contains(&format!("expected 1, got {version}")), "{error}");
    }

    let mut broken = serde_json::to_value(&saved).unwrap();
    broken["position"]["cursor"] = "not a number".into();
    broken["position"]["state"] = "at".into();
    let broken: Checkpoint = serde_json::from_value(broken).unwrap();
    assert_eq!(listing.resume(&broken).unwrap_err().kind(), ErrorKind::Checkpoint);
}

#[tokio::test]
async fn mid_page_resume_keeps_page_summary() {
    let resumed = async |change: fn(&mut State)| {
        let listing = Listing::of_sizes(&[2, 3, 2]).with(|state| state.total = Some(7));
        let mut items = listing.clone().items();
        for taken in 0..3 {
            if taken == 2 {
                change(&mut listing.state());
            }
            items.next().await.unwrap().unwrap();
        }
        // Only the current page reported the change.
        listing.state().total = Some(7);
        let mut items = listing.clone().resume(&through_json(&items.checkpoint())).unwrap();
        assert_eq!(numbers(&mut items).await, [3, 4, 5, 6]);
        items.summary()
    };
    let summary = resumed(|state| state.incomplete = Some(IncompleteReason::UnstableOrder)).await;
    assert_eq!(summary.completeness, Completeness::Uncertain(vec![IncompleteReason::UnstableOrder]));
    let summary = resumed(|state| state.total = Some(6)).await;
    let changed = IncompleteReason::TotalChanged { from: 7, to: 7 };
    assert_eq!(summary.completeness, Completeness::Uncertain(vec![changed]));
    assert_eq!((summary.pages, summary.items), (3, 7));
}

#[tokio::test]
async fn checkpoint_size_is_bounded() {
    let listing = Listing::of_sizes(&[100, 100]);
    let mut items = listing.items();
    for taken in 0..150 {
        assert!(items.next().await.unwrap().is_ok());
        let json = serde_json::to_string(&items.checkpoint()).unwrap();
        assert!(json.len() < 600, "{taken}: {json}");
    }
}
