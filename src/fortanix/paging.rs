//! Paging by `previous_id`, of which little is documented.
//!
//! Not documented are: whether a page starts after `previous_id` or at it, the order, the end, the server's own
//! maximum, and the answer to an id that is gone. Nothing of that is assumed.
//!
//! Invariant: a page is asked for from the id before the last one listed, and is accepted only if it shows its place: it
//! holds the id that it was asked for, or its first row is one of the last [`KEEP`] listed. Its rows that were not
//! listed are the new ones. What is not accepted is asked for from one id further back.
//!
//! Proof, for an order in which no account moves. One response is one moment, and one interval of the list that begins
//! at, or right after, a row that was listed. So an account that stays is listed: all up to that row were listed before,
//! and all behind it, up to the last row of the page, are on the page. It is listed once: the ids that were listed and
//! stand behind one of the last ones are known; if they are more than a cursor holds, [`IncompleteReason::UnstableOrder`] says that
//! some may come again. And the list ends behind its last account: an empty page shows no place
//! and is never the end. The end is an accepted page with nothing new that is shorter than another page was; or one
//! whose last row, asked for, shows nothing behind it.
//!
//! Where accounts move, some may be missing or come twice. Whether they can is judged by the rows: neither ids nor dates
//! of creation keep one direction.

use std::{cmp::Ordering, future::Future};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Error, ErrorKind, IncompleteReason, Result, page};

/// How many ids a cursor holds.
const KEEP: usize = 8;
/// How many ids of accounts that may stand behind those it holds as well. Those of accounts that are gone are among them.
const KEEP_AHEAD: usize = 64;
/// How often a place is looked for before it counts as lost, and an empty list is asked for before it counts as empty.
const LOOKS: usize = 3;
/// How many pages of nothing but what was listed are passed in search of the place.
const MAX_STEPS: usize = 3 * KEEP;

/// Where a page starts: behind the accounts that were listed last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The ids that were listed last, in the order of the list.
    tail: Vec<Uuid>,
    /// Other ids that were listed and may stand behind those of `tail`: with the new account right before each, where
    /// the page shows it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ahead: Vec<(Option<Uuid>, Uuid)>,
    /// Whether `tail` and `ahead` hold every id that was listed.
    whole: bool,
    /// Rows without an id that were listed behind the last of `tail`.
    #[serde(default, skip_serializing_if = "page::is_zero")]
    nameless: u64,
    /// The rows of the longest page.
    #[serde(default, skip_serializing_if = "page::is_zero")]
    longest: u64,
    /// New rows of the page behind this place.
    #[serde(default, skip_serializing_if = "page::is_zero")]
    left: u64,
    ids: Direction,
    created: Direction,
}

/// In which direction a value moved from row to row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Direction {
    Unknown,
    Rising,
    Falling,
    Neither,
}

impl Direction {
    fn then(self, step: Ordering) -> Self {
        match (self, step) {
            (_, Ordering::Equal) => self,
            (Self::Unknown | Self::Rising, Ordering::Less) => Self::Rising,
            (Self::Unknown | Self::Falling, Ordering::Greater) => Self::Falling,
            _ => Self::Neither,
        }
    }
}

/// What paging needs to know of a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) id: Option<Uuid>,
    pub(super) created_at: Option<i64>,
}

/// One response: what paging needs to know of its rows, and their content.
pub(super) struct Batch<T> {
    pub(super) rows: Vec<Row>,
    pub(super) content: T,
}

/// Where pages come from.
pub(super) trait Source: Sync {
    type Content: Send + Sync;

    /// At most `limit` rows after `place`, or at it; from the start for `None`.
    fn get(
        &self,
        place: Option<Uuid>,
        limit: u32,
    ) -> impl Future<Output = Result<Batch<Self::Content>>> + Send;
}

/// What was found behind a cursor.
pub(super) struct Found<T> {
    pub(super) content: T,
    /// For each row, whether it is new.
    pub(super) new: Vec<bool>,
    /// Rows that were listed, and stand elsewhere than right before the new ones.
    pub(super) moved: u64,
    /// The place before the first new row.
    pub(super) at: Cursor,
    /// The place behind the last row; `None` at the end.
    pub(super) next: Option<Cursor>,
    pub(super) doubts: Vec<IncompleteReason>,
}

/// How a list ended.
enum End {
    Shown,
    /// The server sent everything, whatever it was asked for.
    Everything,
    /// The server ignores `previous_id`, and may have a maximum of its own.
    MaybeCapped,
}

impl Cursor {
    /// The place before the first account. `fixed` says whether the order may be one in which no account moves.
    pub(super) fn start(fixed: bool) -> Self {
        let order = if fixed { Direction::Unknown } else { Direction::Neither };
        Self {
            tail: Vec::new(),
            whole: true,
            ahead: Vec::new(),
            nameless: 0,
            longest: 0,
            left: 0,
            ids: order,
            created: order,
        }
    }

    /// The place behind an account of which nothing else is known.
    pub(super) fn behind(id: Uuid, fixed: bool) -> Self {
        Self { tail: vec![id], whole: false, ..Self::start(fixed) }
    }

    /// Moves it past one row.
    pub(super) fn advance(&mut self, id: Option<Uuid>) {
        self.left = self.left.saturating_sub(1);
        let Some(id) = id else {
            self.nameless = self.nameless.saturating_add(1);
            return;
        };
        self.nameless = 0;
        self.push(id);
        let ahead = std::mem::take(&mut self.ahead).into_iter();
        let (passed, ahead): (Vec<_>, _) = ahead.partition(|(before, _)| *before == Some(id));
        self.ahead = ahead;
        for (_, known) in passed {
            self.push(known);
        }
    }

    fn push(&mut self, id: Uuid) {
        self.tail.retain(|known| *known != id);
        self.tail.push(id);
        if self.tail.len() > KEEP {
            self.tail.remove(0);
            self.whole = false;
        }
    }

    /// Whether nothing was listed yet: there is no place that a page could show.
    fn is_first(&self) -> bool {
        self.ahead.is_empty() && self.tail.len() == usize::from(!self.whole)
    }

    fn knows(&self, row: &Row) -> bool {
        row.id.is_some_and(|id| self.tail.contains(&id) || self.ahead.iter().any(|(_, known)| *known == id))
    }

    /// The places to ask from, each with whether its answer needs no proof: that is so where the list starts.
    fn places(&self) -> impl Iterator<Item = (Option<Uuid>, bool)> {
        let before = self.tail.iter().rev().skip(1).map(|id| (Some(*id), false));
        let start = self.tail.last().copied().filter(|_| !self.whole);
        before.chain((self.whole || self.is_first()).then_some((start, true)))
    }

    /// For each row whether it is new, and how many of the others are elsewhere than right before the new ones.
    fn judge(&self, rows: &[Row], from: usize) -> (Vec<bool>, u64) {
        let is_new = |row: &Row| row.id.is_some() && !self.knows(row);
        let first = rows.iter().skip(from).position(is_new).map_or(rows.len(), |index| from + index);
        let (before, behind) = rows.split_at(first);
        let listed = before.iter().rposition(|row| self.knows(row)).map_or(from, |index| from.max(index + 1));
        let nameless = (before.len() - listed).min(usize::try_from(self.nameless).unwrap_or(usize::MAX));
        let new = rows.iter().enumerate().map(|(index, row)| index >= listed + nameless && !self.knows(row));
        let strays = before.iter().filter(|row| self.ahead.iter().any(|(_, id)| row.id == Some(*id)));
        (new.collect(), (strays.count() + behind.iter().filter(|row| self.knows(row)).count()) as u64)
    }

    /// The same place in a list of which these rows are a page.
    fn seeing(&self, rows: &[Row]) -> Self {
        let mut seen = Self { tail: Vec::new(), ahead: Vec::new(), ..self.clone() };
        seen.longest = seen.longest.max(rows.len() as u64);
        let is_here = |id: &Uuid| rows.iter().any(|row| row.id == Some(*id));
        // Those behind the first that the page shows are gone or have moved, or the page ends before them. What a list
        // starts behind stands before its first page.
        let unseen = if self.is_first() { self.tail.len() } else { 0 };
        let shown = self.tail.iter().position(is_here).unwrap_or(unseen);
        let (before, behind) = self.tail.split_at(shown);
        for id in before {
            seen.push(*id);
        }
        let behind = self.ahead.iter().map(|(_, id)| id).chain(behind).filter(|id| !is_here(id));
        seen.ahead = behind.map(|id| (None, *id)).collect();
        if seen.ahead.len() > KEEP_AHEAD {
            seen.ahead.drain(..seen.ahead.len() - KEEP_AHEAD);
            seen.whole = false;
            // Those that are dropped may come again.
            (seen.ids, seen.created) = (Direction::Neither, Direction::Neither);
        }
        let (mut last, mut new, mut created) = (None, None, None);
        for row in rows {
            let Some(id) = row.id else { continue };
            if !self.knows(row) {
                new = Some(id);
            } else if new.is_some() {
                seen.ahead.push((new, id));
            } else {
                seen.push(id);
            }
            seen.ids = last.map_or(seen.ids, |last: Uuid| seen.ids.then(last.cmp(&id)));
            last = Some(id);
            if let Some(at) = row.created_at {
                seen.created = created.map_or(seen.created, |before: i64| seen.created.then(before.cmp(&at)));
                created = Some(at);
            }
        }
        seen
    }

    /// Whether the order is none in which accounts surely keep their places.
    fn is_unstable(&self) -> bool {
        self.ids == Direction::Neither && matches!(self.created, Direction::Neither | Direction::Unknown)
    }
}

/// The page behind `at`.
///
/// # Errors
/// [`ErrorKind::ListingChanged`] if no page shows its place, [`ErrorKind::PaginationLoop`] if the server ignores `previous_id`
/// and has more than one page.
pub(super) async fn find<S: Source>(source: &S, at: &Cursor, limit: u32) -> Result<Found<S::Content>> {
    let mut at = at.clone();
    let (response, end) = overlap(source, &mut at, limit).await?;
    let (new, moved) = at.judge(&response.batch.rows, response.from);
    let left = new.iter().filter(|new| **new).count() as u64;
    let seen = Cursor { left, ..at.seeing(response.page()) };
    let batch = response.batch;
    let mut next = seen.clone();
    for (row, _) in batch.rows.iter().zip(&new).filter(|(_, new)| **new) {
        next.advance(row.id);
    }
    let (unstable, capped) = match end {
        None => (seen.is_unstable() && !at.is_first(), false),
        Some(End::Shown) => {
            (at.is_unstable() && (at.left > 0 || left > 0 || at.longest >= u64::from(limit)), false)
        }
        Some(End::Everything) => (false, false),
        Some(End::MaybeCapped) => (false, true),
    };
    let capped = capped.then_some(IncompleteReason::Truncated { cap: batch.rows.len() as u64 });
    let doubts = unstable.then_some(IncompleteReason::UnstableOrder).into_iter().chain(capped).collect();
    Ok(Found { content: batch.content, new, moved, at: seen, next: end.is_none().then_some(next), doubts })
}

/// A response, and the place that was asked for.
struct Response<T> {
    batch: Batch<T>,
    place: Option<Uuid>,
    /// From which row on it can hold new ones: behind the row of the place, if it holds that.
    from: usize,
}

impl<T> Response<T> {
    fn rest(&self) -> impl DoubleEndedIterator<Item = &Row> {
        self.batch.rows[self.from..].iter().filter(|row| row.id.is_some())
    }

    fn is_empty(&self) -> bool {
        self.batch.rows.is_empty()
    }

    fn shows_its_place(&self, at: &Cursor) -> bool {
        self.from > 0 || self.rest().next().and_then(|row| row.id).is_some_and(|id| at.tail.contains(&id))
    }

    /// The rows from the place on.
    fn page(&self) -> &[Row] {
        &self.batch.rows[self.from.saturating_sub(1)..]
    }

    fn has_new(&self, at: &Cursor) -> bool {
        self.rest().any(|row| !at.knows(row))
    }
}

/// What the server answers at `place`; `None` if it refuses an id. How it refuses one that is gone is not documented.
async fn ask<S: Source>(
    source: &S,
    place: Option<Uuid>,
    trusted: bool,
    limit: u32,
) -> Result<Option<Response<S::Content>>> {
    let batch = match source.get(place, limit).await {
        Err(error) if !trusted && matches!(error.status(), Some(400 | 404)) => return Ok(None),
        got => got?,
    };
    let held = batch.rows.iter().position(|row| row.id.is_some() && row.id == place);
    Ok(Some(Response { from: held.map_or(0, |index| index + 1), batch, place }))
}

/// A response that shows its place, and how the list ended if nothing is new there. `at` is moved to what the responses
/// before it showed.
async fn overlap<S: Source>(
    source: &S,
    at: &mut Cursor,
    limit: u32,
) -> Result<(Response<S::Content>, Option<End>)> {
    let longest = if at.longest > 0 { at.longest } else { u64::from(limit) };
    let mut empty = None;
    let (mut looks, mut empties, mut steps, mut ended) = (0, 0, 0, None);
    while looks < LOOKS {
        empty = None;
        let (mut shown, mut doubtful) = (None, None);
        for (place, trusted) in at.places() {
            let Some(response) = ask(source, place, trusted, limit).await? else { continue };
            if response.is_empty() {
                empty = Some(response).filter(|_| trusted);
            } else if trusted || response.shows_its_place(at) {
                // Where accounts can move, so can the place: a page that shows the last row too is preferred.
                let last = at.tail.last().copied();
                if !at.is_unstable() || response.rest().any(|row| row.id == last) {
                    shown = Some(response);
                    break;
                }
                doubtful.get_or_insert(response);
            }
        }
        let Some(page) = shown.or(doubtful) else {
            if empty.is_some() {
                (looks, empties) = (looks + 1, empties + 1);
                continue;
            }
            return Err(lost());
        };
        if page.has_new(at) {
            return Ok((page, None));
        }
        // The server's own maximum is unknown, so a first page without an id may not be all.
        let shows_id = !at.is_first() || page.batch.rows.len() == page.from;
        let Some(last) = at.tail.last().copied().filter(|_| shows_id) else {
            let message = "no row of the page has an acct_id to go on from";
            return Err(Error::decode(message));
        };
        if page.from > 1 {
            let end = blind(source, &page, limit).await?;
            return Ok((page, Some(end)));
        }
        if (page.batch.rows.len() as u64) < longest {
            return Ok((page, Some(End::Shown)));
        }
        // As long as any page was, it may end before rows that were listed: forward, with its last rows in view.
        *at = at.seeing(page.page());
        if at.tail.last() != Some(&last) && steps < MAX_STEPS {
            steps += 1;
            continue;
        }
        looks += 1;
        let Some(behind) = ask(source, Some(last), false, limit).await? else { continue };
        if behind.from > 0 && behind.has_new(at) {
            return Ok((behind, None));
        }
        if behind.from > 1 {
            let end = blind(source, &behind, limit).await?;
            return Ok((behind, Some(end)));
        }
        // A response that holds the last row, and nothing behind it, is the end. An empty one is, if pages before and
        // after it show that the last row was there, and a second one is empty too.
        let holds_it = behind.from > 0 && behind.batch.rows.len() == behind.from;
        if holds_it || behind.is_empty() && ended == Some(last) {
            return Ok((page, Some(End::Shown)));
        }
        ended = Some(last).filter(|_| behind.is_empty());
    }
    // A list is empty if nothing else was ever answered.
    empty.filter(|_| empties == LOOKS).map(|response| (response, Some(End::Shown))).ok_or_else(lost)
}

/// The end of a list of which a page holds rows before the place that was asked for, and nothing new: the server
/// ignores `previous_id`.
async fn blind<S: Source>(source: &S, page: &Response<S::Content>, limit: u32) -> Result<End> {
    let ids = |rows: &[Row]| rows.iter().map(|row| row.id).collect::<Vec<_>>();
    let shown = ids(&page.batch.rows);
    let more = limit.max(u32::try_from(shown.len()).unwrap_or(u32::MAX)).saturating_mul(2);
    let few = ids(&source.get(page.place, 1).await?.rows);
    let many = ids(&source.get(page.place, more).await?.rows);
    // The same rows for any limit are all there are. Where they differ for another reason, accounts came or went.
    if few.len() > 1 && few == many {
        return Ok(End::Everything);
    }
    if few.len() < shown.len() && shown.len() >= limit as usize && many.starts_with(&shown) {
        let message = "the server gives the same page for every previous_id, and may have more than fits one page: it \
                       cannot be listed to its end; raise limit above the number of accounts";
        return Err(Error::new(ErrorKind::PaginationLoop, message));
    }
    Ok(End::MaybeCapped)
}

fn lost() -> Error {
    let message = "no page shows one of the accounts that were listed last: the place in the list is lost";
    Error::new(ErrorKind::ListingChanged, message)
}

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, BTreeSet},
        sync::Mutex,
    };

    use fastrand::Rng;
    use futures::FutureExt;

    use super::*;

    /// How a server answers a `previous_id` that is gone.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Unknown {
        Keyset,
        Nothing,
        Start,
        BadRequest,
    }

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Order {
        Id,
        Created,
        Name,
    }

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Limits {
        Kept,
        Ignored,
        Clamped(usize),
    }

    /// A server, and what happens to its accounts. Shares are of 1.
    #[derive(Clone, Copy, Debug)]
    struct How {
        order: Order,
        unknown: Unknown,
        /// Whether a page starts at `previous_id`; `None` for either.
        inclusive: Option<bool>,
        limits: Limits,
        previous: bool,
        churn: f64,
        /// Deletions of just those accounts that the place is known by.
        aim: f64,
        empty: f64,
        rename: f64,
        /// Changes before the third request.
        night: usize,
        /// Rows without an id, of 100.
        bad: u128,
        least: u32,
        /// Accounts made within the same second.
        lot: i64,
    }

    const QUIET: How = How {
        order: Order::Id,
        unknown: Unknown::Keyset,
        inclusive: None,
        limits: Limits::Kept,
        previous: true,
        churn: 0.0,
        aim: 0.0,
        empty: 0.0,
        rename: 0.0,
        night: 0,
        bad: 0,
        least: 3,
        lot: 1,
    };

    /// Worlds of each kind.
    const SEEDS: u64 = 60;

    struct World {
        how: How,
        inclusive: bool,
        limit: u32,
        state: Mutex<State>,
    }

    struct State {
        rng: Rng,
        /// Name and time of creation.
        rows: BTreeMap<Uuid, (u32, i64)>,
        dead: BTreeMap<Uuid, (u32, i64)>,
        clock: i64,
        listed: Vec<Uuid>,
        requests: usize,
    }

    impl State {
        fn create(&mut self, lot: i64) {
            self.clock += 1;
            let id = Uuid::from_u128(self.rng.u128(..));
            self.rows.insert(id, (self.rng.u32(..), self.clock / lot));
        }

        fn remove(&mut self, id: Uuid) {
            if let Some(row) = self.rows.remove(&id) {
                self.dead.insert(id, row);
            }
        }

        fn any(&mut self) -> Uuid {
            let index = self.rng.usize(..self.rows.len());
            *self.rows.keys().nth(index).unwrap()
        }

        fn change(&mut self, how: &How, much: f64) {
            while self.rng.f64() < much {
                if !self.rows.is_empty() && self.rng.f64() < 0.6 {
                    for _ in 0..self.rng.choice([1, 1, 2, 5]).unwrap().min(self.rows.len()) {
                        let id = self.any();
                        self.remove(id);
                    }
                } else {
                    self.create(how.lot);
                }
            }
            while !self.rows.is_empty() && self.rng.f64() < how.rename {
                let (id, name) = (self.any(), self.rng.u32(..));
                self.rows.get_mut(&id).unwrap().0 = name;
            }
            if !self.listed.is_empty() && self.rng.f64() < how.aim {
                let many = self.rng.choice([1, 2, 2, 4, 9]).unwrap();
                let mut aimed = self.listed[self.listed.len().saturating_sub(many)..].to_vec();
                match self.rng.u8(..4) {
                    0 => aimed.truncate(1),
                    1 => aimed.push(self.listed[0]),
                    _ => {}
                }
                for id in aimed {
                    if how.rename > 0.0 && self.rows.contains_key(&id) && self.rng.bool() {
                        self.rows.get_mut(&id).unwrap().0 = self.rng.u32(..);
                    } else {
                        self.remove(id);
                    }
                }
            }
        }
    }

    impl World {
        fn new(how: How, seed: u64) -> Self {
            let mut rng = Rng::with_seed(seed);
            let limits: &[u32] = if how.least > 3 { &[10, 20] } else { &[3, 4, 5, 10, 20] };
            let limit = *rng.choice(limits).unwrap();
            let inclusive = how.inclusive.unwrap_or_else(|| rng.bool());
            // Few accounts show no order that differs from another.
            let counts: &[u32] = if how.least > 3 {
                &[10, 11, 20, 30, 60, 99]
            } else {
                &[0, 1, 2, 3, 5, 10, 11, 20, 30, 60, 99]
            };
            let count = *rng.choice(counts).unwrap();
            let (rows, dead) = (BTreeMap::new(), BTreeMap::new());
            let mut state = State { rng, rows, dead, clock: 0, listed: Vec::new(), requests: 0 };
            for _ in 0..count {
                state.create(how.lot);
            }
            Self { how, inclusive, limit, state: Mutex::new(state) }
        }

        /// What an account stands by.
        fn key(&self, id: Uuid, (name, created): (u32, i64)) -> (i64, Uuid) {
            match self.how.order {
                Order::Id => (0, id),
                Order::Created => (created, id),
                Order::Name => (name.into(), id),
            }
        }

        /// Whether rows of this account have no id.
        fn is_bad(&self, id: Uuid) -> bool {
            id.as_u128() % 100 < self.how.bad
        }
    }

    impl Source for World {
        type Content = Vec<Row>;

        async fn get(&self, place: Option<Uuid>, limit: u32) -> Result<Batch<Vec<Row>>> {
            let how = &self.how;
            let mut state = self.state.lock().unwrap();
            let state = &mut *state;
            state.requests += 1;
            assert!(state.requests < 10_000, "an endless walk");
            state.change(how, how.churn);
            if state.requests == 3 {
                (0..how.night).for_each(|_| state.change(how, 0.7));
            }
            let mut ids: Vec<_> = state.rows.iter().map(|(id, row)| self.key(*id, *row)).collect();
            ids.sort_unstable();
            let mut first = 0;
            if let Some(place) = place.filter(|_| how.previous) {
                if let Some(row) = state.rows.get(&place) {
                    let index = ids.binary_search(&self.key(place, *row)).unwrap();
                    first = if self.inclusive { index } else { index + 1 };
                } else {
                    first = match how.unknown {
                        Unknown::Keyset => {
                            let key = self.key(place, state.dead[&place]);
                            ids.partition_point(|other| *other < key)
                        }
                        Unknown::Nothing => ids.len(),
                        Unknown::Start => 0,
                        Unknown::BadRequest => {
                            return Err(Error::new(ErrorKind::Api, "who?").with_status(400));
                        }
                    };
                }
            }
            let many = match how.limits {
                Limits::Kept => limit as usize,
                Limits::Ignored => usize::MAX,
                Limits::Clamped(most) => most.min(limit as usize),
            };
            let row = |id: Uuid| {
                let id = (!self.is_bad(id)).then_some(id);
                Row { id, created_at: id.map(|id| state.rows[&id].1) }
            };
            let mut rows: Vec<_> = ids.iter().skip(first).take(many).map(|(_, id)| row(*id)).collect();
            if state.rng.f64() < how.empty {
                rows.clear();
            }
            Ok(Batch { content: rows.clone(), rows })
        }
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    enum Outcome {
        Whole,
        WholeWithDoubt,
        IncompleteReason,
        Error,
        Silent,
    }

    /// Lists a world, from a checkpoint after any row where `resumes`.
    fn walk(how: How, seed: u64, resumes: bool) -> Outcome {
        let world = World::new(how, seed);
        let before: BTreeSet<Uuid> = world.state.lock().unwrap().rows.keys().copied().collect();
        let mut rng = Rng::with_seed(!seed);
        let mut at = Cursor::start(true);
        let (mut doubts, mut failed, mut nameless) = (Vec::new(), false, 0);
        loop {
            let Ok(found) = find(&world, &at, world.limit).now_or_never().unwrap() else {
                failed = true;
                break;
            };
            doubts.extend(found.doubts);
            let rows: Vec<_> = found.content.iter().zip(&found.new).filter(|(_, new)| **new).collect();
            // The checkpoint is the cursor after the last row that was taken.
            let taken = if resumes { rng.usize(..=rows.len()) } else { rows.len() };
            let mut next = found.at;
            for (row, _) in &rows[..taken] {
                next.advance(row.id);
                nameless += usize::from(row.id.is_none());
                world.state.lock().unwrap().listed.extend(row.id);
            }
            at = match found.next {
                _ if taken < rows.len() => {
                    serde_json::from_str(&serde_json::to_string(&next).unwrap()).unwrap()
                }
                Some(own) => {
                    assert_eq!(own, next);
                    own
                }
                None => break,
            };
        }
        let state = world.state.lock().unwrap();
        let listed: BTreeSet<_> = state.listed.iter().copied().collect();
        let stay = before.iter().filter(|id| !state.dead.contains_key(id) && !world.is_bad(**id));
        let missing = stay.filter(|id| !listed.contains(id)).count();
        let good = missing == 0 && listed.len() == state.listed.len();
        if how.churn == 0.0 && how.night == 0 && !failed {
            let bad = state.rows.keys().filter(|id| world.is_bad(**id)).count();
            assert_eq!(nameless, bad, "rows without an id, seed {seed}, resumes {resumes}: {how:?}");
        }
        match (failed, good, doubts.is_empty()) {
            (true, ..) => Outcome::Error,
            (_, true, true) => Outcome::Whole,
            (_, true, false) => Outcome::WholeWithDoubt,
            (_, false, false) => Outcome::IncompleteReason,
            (_, false, true) => Outcome::Silent,
        }
    }

    const UNKNOWN: [Unknown; 4] = [Unknown::Keyset, Unknown::Nothing, Unknown::Start, Unknown::BadRequest];

    /// Lists many of these worlds, to the end and from checkpoints, and gives the number of each outcome.
    #[track_caller]
    fn outcomes(how: How, allowed: &[Outcome]) -> BTreeMap<Outcome, usize> {
        let mut counts = BTreeMap::new();
        for (seed, resumes) in (0..SEEDS).flat_map(|seed| [(seed, false), (seed, true)]) {
            let outcome = walk(how, seed, resumes);
            assert!(allowed.contains(&outcome), "{outcome:?}, seed {seed}, resumes {resumes}: {how:?}");
            *counts.entry(outcome).or_default() += 1;
        }
        counts
    }

    #[test]
    fn a_quiet_list_is_whole() {
        let limits = [Limits::Kept, Limits::Ignored, Limits::Clamped(3)];
        let kept = limits.map(|limits| How { limits, ..QUIET });
        let deaf = How { limits: Limits::Ignored, previous: false, ..QUIET };
        let created = [1, 8].map(|lot| How { order: Order::Created, lot, ..QUIET });
        for how in kept.into_iter().chain([deaf]).chain(created) {
            outcomes(how, &[Outcome::Whole]);
        }
    }

    #[test]
    fn a_fixed_order_is_whole_or_an_error() {
        let mut worlds = Vec::new();
        for unknown in UNKNOWN {
            let churn = How { unknown, churn: 0.4, ..QUIET };
            let created = How { order: Order::Created, ..churn };
            let aimed = How { churn: 0.3, aim: 0.3, ..created };
            worlds.extend([churn, created, aimed, How { lot: 8, ..aimed }]);
            worlds.push(How { unknown, night: 12, aim: 0.2, ..QUIET });
            worlds.push(How { limits: Limits::Ignored, ..churn });
            worlds.push(How { limits: Limits::Clamped(3), ..churn });
            worlds.push(How { empty: 0.05, churn: 0.2, ..churn });
        }
        worlds.push(How { limits: Limits::Clamped(1), inclusive: Some(false), ..QUIET });
        for how in worlds {
            let counts = outcomes(how, &[Outcome::Whole, Outcome::Error]);
            let least = if how.limits == Limits::Clamped(1) { SEEDS / 10 } else { SEEDS };
            assert!(counts[&Outcome::Whole] as u64 > least, "{counts:?}: {how:?}");
        }
    }

    #[test]
    fn rows_without_an_id_hide_no_other() {
        for bad in [20, 70] {
            for churn in [0.0, 0.2] {
                outcomes(How { churn, bad, ..QUIET }, &[Outcome::Whole, Outcome::Error]);
            }
        }
    }

    #[test]
    fn a_first_page_without_ids_is_no_end() {
        struct Clamped;

        impl Source for Clamped {
            type Content = ();

            async fn get(&self, _: Option<Uuid>, _: u32) -> Result<Batch<()>> {
                Ok(Batch { rows: vec![Row { id: None, created_at: None }; 4], content: () })
            }
        }

        for at in [Cursor::start(true), Cursor::behind(Uuid::from_u128(7), true)] {
            let found = find(&Clamped, &at, 5).now_or_never().unwrap();
            assert_eq!(found.map(|found| found.new).unwrap_err().kind(), ErrorKind::Decode);
        }
    }

    #[test]
    fn a_raised_limit_is_no_ignored_one() {
        /// Gives its first rows for any `previous_id`, 10 or more of them.
        struct Raises(u32);

        impl Source for Raises {
            type Content = ();

            async fn get(&self, _: Option<Uuid>, limit: u32) -> Result<Batch<()>> {
                let row = |id: u32| Row { id: Some(Uuid::from_u128(id.into())), created_at: None };
                Ok(Batch { rows: (0..limit.max(10).min(self.0)).map(row).collect(), content: () })
            }
        }

        for (accounts, limit, expected) in [(100, 50, None), (100, 3, Some(true)), (7, 50, Some(false))] {
            let mut at = Cursor::start(true);
            let told = loop {
                let found = match find(&Raises(accounts), &at, limit).now_or_never().unwrap() {
                    Ok(found) => found,
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::PaginationLoop);
                        break None;
                    }
                };
                let Some(next) = found.next else { break Some(!found.doubts.is_empty()) };
                at = next;
            };
            assert_eq!(told, expected, "{accounts} {limit}");
        }
    }

    #[test]
    fn an_empty_response_after_others_is_no_end() {
        /// Gives one account and rows without an id, and the third time nothing.
        struct Flickers(Mutex<usize>);

        impl Source for Flickers {
            type Content = ();

            async fn get(&self, place: Option<Uuid>, _: u32) -> Result<Batch<()>> {
                let row = |id| Row { id, created_at: None };
                let id = Some(Uuid::from_u128(7));
                let mut starts = self.0.lock().unwrap();
                *starts += usize::from(place.is_none());
                let rows = match place {
                    Some(_) => vec![row(id), row(None), row(None)],
                    None if *starts == LOOKS => Vec::new(),
                    None => vec![row(None), row(None), row(id)],
                };
                Ok(Batch { rows, content: () })
            }
        }

        let mut at = Cursor::start(true);
        at.longest = 3;
        at.advance(Some(Uuid::from_u128(7)));
        let found = find(&Flickers(Mutex::new(0)), &at, 3).now_or_never().unwrap();
        assert_eq!(found.err().map(|error| error.kind()), Some(ErrorKind::ListingChanged));
    }

    #[test]
    fn one_account_behind_the_start_is_listed() {
        struct Two;

        impl Source for Two {
            type Content = ();

            async fn get(&self, place: Option<Uuid>, _: u32) -> Result<Batch<()>> {
                let ids = [1, 2].map(Uuid::from_u128).into_iter().filter(|id| Some(*id) > place);
                Ok(Batch {
                    rows: ids.map(|id| Row { id: Some(id), created_at: None }).collect(),
                    content: (),
                })
            }
        }

        let mut at = Cursor::behind(Uuid::from_u128(1), true);
        for new in [vec![true], vec![false]] {
            let found = find(&Two, &at, 5).now_or_never().unwrap().unwrap();
            assert_eq!(found.new, new);
            at = found.next.unwrap_or(found.at);
        }
    }

    #[test]
    fn an_ignored_previous_id_is_never_silent() {
        let honest = [Outcome::Whole, Outcome::WholeWithDoubt, Outcome::IncompleteReason, Outcome::Error];
        for churn in [0.0, 0.4] {
            outcomes(How { previous: false, churn, ..QUIET }, &honest);
            outcomes(How { limits: Limits::Ignored, previous: false, churn, ..QUIET }, &honest);
            outcomes(How { limits: Limits::Clamped(7), previous: false, churn, least: 10, ..QUIET }, &honest);
        }
    }

    #[test]
    fn an_order_by_name_is_never_silent() {
        let honest = [Outcome::Whole, Outcome::WholeWithDoubt, Outcome::IncompleteReason, Outcome::Error];
        let quiet = How { order: Order::Name, least: 10, ..QUIET };
        outcomes(quiet, &honest[..2]);
        for unknown in UNKNOWN {
            outcomes(How { unknown, churn: 0.2, rename: 0.3, aim: 0.2, ..quiet }, &honest);
        }
    }

    /// Accounts are created right behind those that the place is known by, so that a page shows only the first of them.
    struct Crowd {
        ids: Mutex<Vec<u128>>,
        /// How many are created yet.
        left: Mutex<usize>,
        first: u128,
    }

    impl Source for Crowd {
        type Content = ();

        async fn get(&self, place: Option<Uuid>, limit: u32) -> Result<Batch<()>> {
            let mut ids = self.ids.lock().unwrap();
            let first = place.map_or(0, |place| {
                let index = ids.binary_search(&place.as_u128()).unwrap();
                let mut left = self.left.lock().unwrap();
                if *left > 0 && place.as_u128() > self.first && index + 1 < ids.len() {
                    *left -= 1;
                    let between = ids[index].midpoint(ids[index + 1]);
                    ids.insert(index + 1, between);
                }
                index + 1
            });
            let page = ids.iter().skip(first).take(limit as usize);
            let rows = page.map(|id| Row { id: Some(Uuid::from_u128(*id)), created_at: None }).collect();
            Ok(Batch { rows, content: () })
        }
    }

    #[test]
    fn known_ids_beyond_the_cursor_are_told() {
        for created in (0..400).step_by(20) {
            let ids: Vec<_> = (1..=10).map(|id: u128| id << 100).collect();
            let crowd = Crowd { ids: Mutex::new(ids), left: Mutex::new(created), first: 3 << 100 };
            let (mut at, mut doubts, mut yielded) = (Cursor::start(true), Vec::new(), 0);
            let whole = loop {
                let Ok(found) = find(&crowd, &at, 3).now_or_never().unwrap() else { break false };
                doubts.extend(found.doubts);
                yielded += found.new.iter().filter(|new| **new).count();
                let Some(next) = found.next else { break doubts.is_empty() };
                at = next;
            };
            let accounts = crowd.ids.lock().unwrap().len();
            assert!(yielded == accounts || !whole, "{created}: {yielded} of {accounts}, {doubts:?}");
        }
    }

    /// All accounts, from `previous_id` on.
    struct Fixed(Vec<Uuid>);

    impl Source for Fixed {
        type Content = ();

        async fn get(&self, place: Option<Uuid>, limit: u32) -> Result<Batch<()>> {
            let first = self.0.iter().position(|id| Some(*id) == place).unwrap_or(0);
            let page = self.0.iter().skip(first).take(limit as usize);
            let rows = page.map(|id| Row { id: Some(*id), created_at: None }).collect();
            Ok(Batch { rows, content: () })
        }
    }

    #[test]
    fn a_place_between_new_and_known_is_kept() {
        let ids: Vec<_> = (1..=5).map(Uuid::from_u128).collect();
        let source = Fixed(ids.clone());
        let mut at = Cursor::start(true);
        // The others were created after these were listed.
        for id in [ids[0], ids[3]] {
            at.advance(Some(id));
        }
        let found = find(&source, &at, 10).now_or_never().unwrap().unwrap();
        assert_eq!(found.new, [false, true, true, false, true]);
        let mut at = found.at;
        at.advance(Some(ids[1]));
        let found = find(&source, &at, 10).now_or_never().unwrap().unwrap();
        let new = found.new.iter().filter(|new| **new).count();
        assert_eq!(new, 2, "{:?}", found.new);
    }
}
