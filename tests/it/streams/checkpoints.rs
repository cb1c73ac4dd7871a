use futures::{StreamExt, TryStreamExt};
use headcount::{
    Checkpoint, Completeness, ErrorKind, IncompleteReason, ListingId, Page, Paginator, Result, page::Position,
};
use proptest::prelude::*;

use super::pages::{Listing, MODES, Row, State, numbers};

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
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Pages of any sizes, empty ones among them, bad rows anywhere, cut in two at any item, in any mode,
    /// resumed in any other.
    #[test]
    fn resuming_at_any_cut_gives_the_same_items_once(
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
        let whole = if summary.rejected == 0 {
            Completeness::Complete
        } else {
            Completeness::Uncertain(vec![IncompleteReason::Rejected { rows: summary.rejected }])
        };
        prop_assert_eq!(summary.completeness, whole);
    }

    /// Whatever is in the file, reading it gives a checkpoint or an error, and so does resuming.
    #[test]
    fn no_checkpoint_makes_it_panic(
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
        json["tally"]["pages"] = huge.into();
        json["tally"]["yielded"] = huge.into();
        json["tally"]["repeats_at_most"] = huge.into();
        json["guard"]["steps"] = huge.into();
        let Ok(checkpoint) = serde_json::from_value::<Checkpoint>(json) else { return Ok(()) };
        match listing.resume(&checkpoint) {
            Ok(items) => drop(block_on(items.try_collect::<Vec<_>>())),
            Err(error) => prop_assert_eq!(error.kind(), ErrorKind::Checkpoint),
        }
    }
}

#[tokio::test]
async fn done_is_not_start() {
    let listing = Listing::of_sizes(&[2, 2]);
    let mut items = listing.clone().items();
    assert_eq!(*items.checkpoint().position(), Position::Start);
    while items.try_next().await.unwrap().is_some() {}
    let done = through_json(&items.checkpoint());
    assert!(done.is_done());
    let mut again = listing.clone().resume(&done).unwrap();
    assert_eq!(again.try_next().await.unwrap(), None);
    assert_eq!(again.summary(), items.summary());
    assert_eq!(listing.state().asked, [0, 1], "nothing is asked for again");
}

/// The same listing at another provider.
struct Elsewhere;

impl Paginator for Elsewhere {
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
async fn a_checkpoint_of_another_listing_or_version_is_refused_with_a_reason() {
    let listing = Listing::of_sizes(&[2, 2]);
    let mut items = listing.clone().items();
    items.next().await;
    let saved = items.checkpoint();

    let filtered = Listing::of_sizes(&[2, 2]).with(|state| state.filter = "x");
    let error = filtered.resume(&saved).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Checkpoint);
    assert!(error.message().contains("of another listing"), "{error}");

    let error = Elsewhere.resume(&saved).unwrap_err();
    assert_eq!(error.message(), "the checkpoint is of a listing at listing, not at elsewhere");

    let newer = r#"{"v":2,"place":{"anything":[1,2]}}"#;
    let error = serde_json::from_str::<Checkpoint>(newer).unwrap_err();
    assert_eq!(error.to_string(), "the checkpoint has version 2; expected version 1");
    let mut other = serde_json::to_value(&saved).unwrap();
    for version in [0, 2, 65_535, 65_536] {
        other["v"] = version.into();
        let error = serde_json::from_value::<Checkpoint>(other.clone()).unwrap_err();
        assert!(error.to_string().contains(&format!("version {version}; expected")), "{error}");
    }

    let mut broken = serde_json::to_value(&saved).unwrap();
    broken["position"]["cursor"] = "not a number".into();
    broken["position"]["state"] = "at".into();
    let broken: Checkpoint = serde_json::from_value(broken).unwrap();
    assert_eq!(listing.resume(&broken).unwrap_err().kind(), ErrorKind::Checkpoint);
}

#[tokio::test]
async fn what_a_page_showed_of_the_listing_is_known_after_going_on_within_it() {
    let walked = async |change: fn(&mut State)| {
        let listing = Listing::of_sizes(&[2, 3, 2]).with(|state| state.total = Some(7));
        let mut items = listing.clone().items();
        for taken in 0..3 {
            if taken == 2 {
                change(&mut listing.state());
            }
            items.next().await.unwrap().unwrap();
        }
        // Only the page in use has shown it.
        listing.state().total = Some(7);
        let mut items = listing.clone().resume(&through_json(&items.checkpoint())).unwrap();
        assert_eq!(numbers(&mut items).await, [3, 4, 5, 6]);
        items.summary()
    };
    let summary = walked(|state| state.doubt = Some(IncompleteReason::UnstableOrder)).await;
    assert_eq!(summary.completeness, Completeness::Uncertain(vec![IncompleteReason::UnstableOrder]));
    let summary = walked(|state| state.total = Some(6)).await;
    let changed = IncompleteReason::TotalChanged { from: 7, to: 7 };
    assert_eq!(summary.completeness, Completeness::Uncertain(vec![changed]));
    assert_eq!((summary.pages, summary.items), (3, 7));
}

#[tokio::test]
async fn a_checkpoint_holds_no_more_than_a_place() {
    let listing = Listing::of_sizes(&[100, 100]);
    let mut items = listing.items();
    for taken in 0..150 {
        assert!(items.next().await.unwrap().is_ok());
        let json = serde_json::to_string(&items.checkpoint()).unwrap();
        assert!(json.len() < 600, "{taken}: {json}");
    }
}
