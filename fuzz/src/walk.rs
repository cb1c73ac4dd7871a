//! Lists everything, and checks the invariants of every listing.

use arbitrary::Arbitrary;
use futures::stream::FusedStream;
use headcount::{Checkpoint, Completeness, Error, ErrorKind, Items, Pages, Paginator, Position, Summary};

use crate::{fault::FaultCounter, redaction, rows::RowOutcome};

/// How to list: in segments, each resumed from the checkpoint of the previous one.
#[derive(Arbitrary, Debug)]
pub struct Plan {
    cuts: Vec<Cut>,
    last: Mode,
}

/// A segment of this many rows.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Cut {
    rows: u8,
    mode: Mode,
}

/// How pages are fetched.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Mode {
    Lazy,
    Ahead(u8),
    Concurrent(u8),
}

impl Mode {
    /// Returns the pages of a list that does not support concurrent fetching.
    pub fn pages<P: Paginator>(self, list: P) -> Pages<P> {
        match self {
            Self::Lazy => list.pages(),
            Self::Ahead(depth) | Self::Concurrent(depth) => list.pages().ahead(usize::from(depth % 5)),
        }
    }
}

/// The result of a listing.
#[derive(Debug)]
pub struct Outcome {
    pub rows: Vec<RowOutcome>,
    pub segments: Vec<Segment>,
    pub summary: Summary,
    /// The error that ended the listing.
    pub error: Option<Error>,
}

/// The start of a segment: the number of rows and of the model's responses before it.
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    pub rows: usize,
    pub responses: usize,
}

/// Lists according to `plan`. An error ends the listing unless an injected fault explains it. In that case
/// the failed page is retried.
pub async fn walk<P: Paginator + Clone>(
    list: &P,
    plan: &Plan,
    faults: &FaultCounter,
    open: impl Fn(P, Mode) -> Pages<P>,
) -> Outcome {
    let (mut rows, mut segments) = (Vec::new(), Vec::new());
    let mut retried = 0;
    let mut saved = list.clone().items().checkpoint();
    let mut cuts = plan.cuts.iter().take(16);
    loop {
        let cut = cuts.next();
        let mode = cut.map_or(plan.last, |cut| cut.mode);
        let mut items = open(list.clone(), mode).resume(&saved).expect("it is the list's own checkpoint");
        segments.push(Segment { rows: rows.len(), responses: faults.responses() });
        let mut remaining = cut.map_or(usize::MAX, |cut| usize::from(cut.rows));
        while remaining > 0 {
            remaining -= 1;
            match items.next().await {
                Some(Ok(item)) => {
                    rows.push(RowOutcome::Good(
                        list.item_id(&item).expect("every account has an id").into_owned(),
                    ));
                }
                Some(Err(error)) => {
                    redaction::check(&error);
                    if error.kind() == ErrorKind::InvalidRecord {
                        rows.push(RowOutcome::Bad);
                    } else if is_transient(&error) && retried < faults.faults() && items.retry() {
                        retried += 1;
                    } else {
                        return finish(rows, segments, &items, Some(error));
                    }
                }
                None => {
                    assert!(items.next().await.is_none(), "the stream yielded an item after its end");
                    return finish(rows, segments, &items, None);
                }
            }
            check(&items, &rows);
        }
        saved = through_json(&items.checkpoint());
        assert_eq!(saved.items(), items.summary().items);
    }
}

/// Returns whether a fault may have caused the error.
fn is_transient(error: &Error) -> bool {
    !matches!(error.kind(), ErrorKind::ListingChanged | ErrorKind::PaginationLoop)
}

fn finish<P: Paginator>(
    rows: Vec<RowOutcome>,
    segments: Vec<Segment>,
    items: &Items<P>,
    error: Option<Error>,
) -> Outcome {
    check(items, &rows);
    let summary = items.summary();
    let done = error.is_none();
    assert!(items.is_terminated(), "the stream is not terminated after its end");
    assert_eq!(done, summary.completeness != Completeness::InProgress, "{error:?} {summary:?}");
    let saved = through_json(&items.checkpoint());
    assert_eq!(done, saved.is_done(), "{error:?} {saved:?}");
    Outcome { rows, segments, summary, error }
}

/// Checks the summary against the rows so far.
fn check<P: Paginator>(items: &Items<P>, rows: &[RowOutcome]) {
    let bad = rows.iter().filter(|row| **row == RowOutcome::Bad).count() as u64;
    let good = rows.len() as u64 - bad;
    let summary = items.summary();
    assert_eq!((summary.items, summary.rejected), (good, bad), "{summary:?}");
    assert!(summary.repeats_at_most <= rows.len() as u64, "{summary:?}");
    if summary.rejected > 0 {
        assert_ne!(summary.completeness, Completeness::Complete);
    }
}

/// Serialises and deserialises a checkpoint.
pub fn through_json(checkpoint: &Checkpoint) -> Checkpoint {
    let text = serde_json::to_string(checkpoint).expect("a checkpoint is JSON");
    assert!(!text.contains(crate::clients::CANARY), "the checkpoint contains a secret: {text}");
    let decoded: Checkpoint = serde_json::from_str(&text).expect("a saved checkpoint can be read");
    assert_eq!(&decoded, checkpoint);
    assert_eq!(decoded.is_done(), *decoded.position() == Position::Done);
    decoded
}
