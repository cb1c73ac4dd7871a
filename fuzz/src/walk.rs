//! Walks along a list, and what every walk promises.

use arbitrary::Arbitrary;
use futures::{StreamExt, stream::FusedStream};
use headcount::{
    Checkpoint, Completeness, Error, ErrorKind, Items, Pages, Paginator, Summary, page::Position,
};

use crate::{fault::Happened, rows::Told, shown};

/// How a list is walked: in pieces, each from the checkpoint of the one before.
#[derive(Arbitrary, Debug)]
pub struct Route {
    cuts: Vec<Cut>,
    last: Mode,
}

/// One piece: so many rows.
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
    /// Pages of a list that can not seek.
    pub fn pages<P: Paginator>(self, list: P) -> Pages<P> {
        match self {
            Self::Lazy => list.pages(),
            Self::Ahead(depth) | Self::Concurrent(depth) => list.pages().ahead(usize::from(depth % 5)),
        }
    }
}

/// What came of a walk.
#[derive(Debug)]
pub struct Walked {
    pub told: Vec<Told>,
    pub pieces: Vec<Piece>,
    pub summary: Summary,
    /// The error that ended it.
    pub error: Option<Error>,
}

/// Where a piece of a walk begins: after so many rows and so many answers of the model.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    pub rows: usize,
    pub answers: usize,
}

/// Walks `list` along `route`. An error ends the walk unless a fault that has happened stands for it: then the
/// failed page is tried again.
pub async fn walk<P: Paginator + Clone>(
    list: &P,
    route: &Route,
    faults: &Happened,
    open: impl Fn(P, Mode) -> Pages<P>,
) -> Walked {
    let (mut told, mut pieces) = (Vec::new(), Vec::new());
    let mut excused = 0;
    let mut saved = list.clone().items().checkpoint();
    let mut cuts = route.cuts.iter().take(16);
    loop {
        let cut = cuts.next();
        let mode = cut.map_or(route.last, |cut| cut.mode);
        let mut items = open(list.clone(), mode).resume(&saved).expect("it is the list's own checkpoint");
        pieces.push(Piece { rows: told.len(), answers: faults.answers() });
        let mut left = cut.map_or(usize::MAX, |cut| usize::from(cut.rows));
        while left > 0 {
            left -= 1;
            match items.next().await {
                Some(Ok(item)) => {
                    told.push(Told::Good(list.item_id(&item).expect("every account has an id").into_owned()));
                }
                Some(Err(error)) => {
                    shown::check(&error);
                    if error.kind() == ErrorKind::InvalidRecord {
                        told.push(Told::Bad);
                    } else if passes(&error) && excused < faults.faults() && items.retry() {
                        excused += 1;
                    } else {
                        return ended(told, pieces, &items, Some(error));
                    }
                }
                None => {
                    assert!(items.next().await.is_none(), "a stream that has ended goes on");
                    return ended(told, pieces, &items, None);
                }
            }
            check(&items, &told);
        }
        saved = through_json(&items.checkpoint());
        assert_eq!(saved.items(), items.summary().items);
    }
}

/// Whether an error may be that of a fault: what a listing shows of itself does not pass.
fn passes(error: &Error) -> bool {
    !matches!(error.kind(), ErrorKind::ListingChanged | ErrorKind::PaginationLoop)
}

fn ended<P: Paginator>(
    told: Vec<Told>,
    pieces: Vec<Piece>,
    items: &Items<P>,
    error: Option<Error>,
) -> Walked {
    check(items, &told);
    let summary = items.summary();
    let done = error.is_none();
    assert!(items.is_terminated(), "a stream that has ended does not say so");
    assert_eq!(done, summary.completeness != Completeness::InProgress, "{error:?} {summary:?}");
    let saved = through_json(&items.checkpoint());
    assert_eq!(done, saved.is_done(), "{error:?} {saved:?}");
    Walked { told, pieces, summary, error }
}

/// The figures are right at any moment.
fn check<P: Paginator>(items: &Items<P>, told: &[Told]) {
    let bad = told.iter().filter(|told| **told == Told::Bad).count() as u64;
    let good = told.len() as u64 - bad;
    let summary = items.summary();
    assert_eq!((summary.items, summary.rejected), (good, bad), "{summary:?}");
    assert!(summary.repeats_at_most <= told.len() as u64, "{summary:?}");
    if summary.rejected > 0 {
        assert_ne!(summary.completeness, Completeness::Complete);
    }
}

/// The same checkpoint, saved and read again.
pub fn through_json(checkpoint: &Checkpoint) -> Checkpoint {
    let text = serde_json::to_string(checkpoint).expect("a checkpoint is JSON");
    assert!(!text.contains(crate::clients::CANARY), "a secret is saved in {text}");
    let read: Checkpoint = serde_json::from_str(&text).expect("what was saved can be read");
    assert_eq!(&read, checkpoint);
    assert_eq!(read.is_done(), *read.position() == Position::Done);
    read
}
