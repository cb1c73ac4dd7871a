use futures::{FutureExt, StreamExt, stream::FusedStream};
use headcount::{Completeness, Error, ErrorKind, IncompleteReason, Paginator};

use super::support::{Listing, MODES, Row};

fn truncated() -> Listing {
    Listing::of_sizes(&[2, 2]).with(|state| state.incomplete = Some(IncompleteReason::Truncated { cap: 4 }))
}

fn ready<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("the listing is in memory")
}

#[tokio::test]
async fn complete_listing_is_collected() {
    for mode in MODES {
        let listing = Listing::of_sizes(&[3, 0, 2]).with(|state| state.total = Some(5));
        let items = mode.pages(listing).items();
        assert_eq!(items.collect_complete().await.unwrap(), [0, 1, 2, 3, 4], "{mode:?}");
    }
}

#[test]
fn incomplete_listing_is_an_error_after_its_items() {
    let error = ready(truncated().items().collect_complete()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Incomplete);
    assert_eq!(
        error.to_string(),
        "listing: the listing is possibly incomplete: the endpoint returned its maximum of 4 rows"
    );

    let mut items = truncated().items().require_complete();
    for expected in 0..4 {
        assert_eq!(ready(items.try_next()).unwrap(), Some(expected));
    }
    assert!(!items.is_terminated(), "the error is still to come");
    assert_eq!(ready(items.try_next()).unwrap_err().kind(), ErrorKind::Incomplete);
    assert!(items.is_terminated());
    assert_eq!(ready(items.try_next()).unwrap(), None, "it is yielded once");
    assert!(!items.retry(), "no page failed");
    assert!(matches!(items.summary().completeness, Completeness::Uncertain(_)));
}

#[test]
fn incomplete_end_is_no_error_by_default() {
    let mut items = truncated().items();
    assert_eq!(ready(items.by_ref().count()), 4);
    assert!(items.is_terminated());
}

#[test]
fn failed_page_is_the_error_and_can_be_retried() {
    let listing = truncated().with(|state| state.fail = Some((1, 1)));
    let mut items = listing.items().require_complete();
    let first: Vec<Result<u32, Error>> = ready(items.by_ref().collect());
    assert_eq!(first.len(), 3);
    assert_eq!(first[2].as_ref().unwrap_err().kind(), ErrorKind::Transport);
    assert_eq!(ready(items.try_next()).unwrap(), None);
    assert!(items.retry());
    let rest: Vec<Result<u32, Error>> = ready(items.collect());
    assert_eq!(rest.len(), 3);
    assert_eq!(
        rest[2].as_ref().unwrap_err().kind(),
        ErrorKind::Incomplete,
        "the requirement survives a retry"
    );
}

#[test]
fn invalid_record_fails_collect_complete() {
    let listing = || Listing::new(vec![vec![Row::Good(0), Row::Bad], vec![Row::Good(1)]]);
    let error = ready(listing().items().collect_complete()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRecord);

    // Reading on lists everything else, and the end is an error.
    let all: Vec<_> = ready(listing().items().require_complete().collect());
    let kinds: Vec<_> = all.iter().map(|item| item.as_ref().err().map(Error::kind)).collect();
    assert_eq!(kinds, [None, Some(ErrorKind::InvalidRecord), None, Some(ErrorKind::Incomplete)]);
    let error = all[3].as_ref().unwrap_err().message();
    assert_eq!(error, "the listing is possibly incomplete: 1 record could not be decoded");
}

#[test]
fn collect_with_summary_returns_all_three() {
    let listing = Listing::new(vec![vec![Row::Good(0), Row::Bad], vec![Row::Good(1)]]);
    let collected = ready(listing.items().collect_with_summary()).unwrap();
    assert_eq!(collected.items, [0, 1]);
    assert_eq!(collected.rejected.len(), 1);
    assert_eq!(collected.rejected[0].kind(), ErrorKind::InvalidRecord);
    assert_eq!((collected.summary.items, collected.summary.rejected, collected.summary.pages), (2, 1, 2));

    let collected = ready(truncated().items().require_complete().collect_with_summary()).unwrap();
    assert!(!collected.summary.completeness.is_complete(), "the summary says so, not an error");

    let failing = Listing::of_sizes(&[2, 2]).with(|state| state.fail = Some((1, 1)));
    assert_eq!(ready(failing.items().collect_with_summary()).unwrap_err().kind(), ErrorKind::Transport);
}
