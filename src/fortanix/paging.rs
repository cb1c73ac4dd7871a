//! Pages through a list by `previous_id`.
//!
//! A page is requested from the id *before* the last one listed. It is accepted only if it overlaps the
//! listed rows: it contains the requested id, or its first row is one of the last [`MAX_TAIL`] listed. Its
//! rows that were not listed yet are the new ones. If a page is not accepted, the id before that one is
//! requested.
//!
//! # Correctness
//! For an order in which no account moves: a response reflects one moment, and is one interval of the list.
//! The interval begins at, or right after, a row that was listed.
//!
//! - *Every account that stays is listed.* All accounts up to that row were listed before. All accounts after
//!   it, up to the last row of the page, are on the page.
//! - *It is listed once.* The cursor holds the listed ids that follow one of the last ones. If there are more
//!   than it can hold, [`IncompleteReason::UnstableOrder`] reports that some may be yielded again.
//! - *The list ends after its last account.* An empty page does not overlap, so it is never the end. The end
//!   is an accepted page without new rows that is shorter than another page was. Otherwise it is an accepted
//!   page whose last row, when requested, has nothing after it.
//!
//! Where accounts move, some may be missing or be yielded twice. An order counts as one in which they can
//! move if neither the ids nor the dates of creation keep one direction.
//!
//! # Not documented
//! The vendor does not document whether a page starts after `previous_id` or at it, the order, how the end is
//! indicated, the server's own maximum, or the response to the id of a deleted account. None of these is
//! assumed.

use std::{cmp::Ordering, future::Future};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Error, ErrorKind, IncompleteReason, Result, page};

/// How many of the last listed ids a cursor holds.
const MAX_TAIL: usize = 8;
/// How many other listed ids a cursor holds, of accounts that may follow the tail. Ids of deleted accounts
/// are included.
const MAX_AHEAD: usize = 64;
/// How often the position is searched before it counts as lost, and an empty list requested before it counts
/// as empty.
const MAX_ATTEMPTS: usize = 3;
/// How many pages without new rows are passed on the way to the position.
const MAX_REPEATED_PAGES: usize = 3 * MAX_TAIL;

/// A position in the list of accounts: after the accounts that were listed last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The ids that were listed last, in the order of the list.
    tail: Vec<Uuid>,
    /// Other listed ids that may follow those of `tail`. Each has the new account right before it, if the
    /// page contains that one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ahead: Vec<(Option<Uuid>, Uuid)>,
    /// Whether `tail` and `ahead` contain every listed id.
    complete: bool,
    /// Rows without an id that were listed after the last id of `tail`.
    #[serde(default, skip_serializing_if = "page::is_zero")]
    trailing_without_id: u64,
    /// The number of rows on the longest page.
    #[serde(default, skip_serializing_if = "page::is_zero")]
    longest_page: u64,
    /// New rows of the page after this position.
    #[serde(default, skip_serializing_if = "page::is_zero")]
    remaining: u64,
    ids: Direction,
    created: Direction,
}

/// In which direction a value changed from row to row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Direction {
    Unknown,
    Rising,
    Falling,
    Neither,
}

impl Direction {
    fn observe(self, step: Ordering) -> Self {
        match (self, step) {
            (_, Ordering::Equal) => self,
            (Self::Unknown | Self::Rising, Ordering::Less) => Self::Rising,
            (Self::Unknown | Self::Falling, Ordering::Greater) => Self::Falling,
            _ => Self::Neither,
        }
    }
}

/// The members of a row that paging uses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) id: Option<Uuid>,
    pub(super) created_at: Option<i64>,
}

/// The rows of one response, and their content.
pub(super) struct Batch<T> {
    pub(super) rows: Vec<Row>,
    pub(super) content: T,
}

/// A list that is paged by `previous_id`.
pub(super) trait PageSource: Sync {
    type Content: Send + Sync;

    /// Fetches at most `limit` rows, after `previous_id` or at it. `None` fetches from the start.
    fn fetch_rows(
        &self,
        previous_id: Option<Uuid>,
        limit: u32,
    ) -> impl Future<Output = Result<Batch<Self::Content>>> + Send;
}

/// The page after a cursor.
pub(super) struct FoundPage<T> {
    pub(super) content: T,
    /// For each row, whether it is new.
    pub(super) is_new: Vec<bool>,
    /// Listed rows that are elsewhere than right before the new ones.
    pub(super) moved: u64,
    /// The position before the first new row.
    pub(super) start: Cursor,
    /// The position after the last row; `None` at the end.
    pub(super) next: Option<Cursor>,
    pub(super) reasons: Vec<IncompleteReason>,
}

/// How a list ended.
enum End {
    Reached,
    /// The server returned everything, whatever was requested.
    AllReturned,
    /// The server ignores `previous_id`, and may have a maximum of its own.
    MaybeTruncated,
}

impl Cursor {
    /// Returns the position before the first account. `maybe_stable` is whether the order may be one in which
    /// no account moves.
    pub(super) fn start(maybe_stable: bool) -> Self {
        let order = if maybe_stable { Direction::Unknown } else { Direction::Neither };
        Self {
            tail: Vec::new(),
            complete: true,
            ahead: Vec::new(),
            trailing_without_id: 0,
            longest_page: 0,
            remaining: 0,
            ids: order,
            created: order,
        }
    }

    /// Returns the position after an account of which only the id is known.
    pub(super) fn after(id: Uuid, maybe_stable: bool) -> Self {
        Self { tail: vec![id], complete: false, ..Self::start(maybe_stable) }
    }

    /// Moves the position past one row.
    pub(super) fn advance(&mut self, id: Option<Uuid>) {
        self.remaining = self.remaining.saturating_sub(1);
        let Some(id) = id else {
            self.trailing_without_id = self.trailing_without_id.saturating_add(1);
            return;
        };
        self.trailing_without_id = 0;
        self.push(id);
        let ahead = std::mem::take(&mut self.ahead).into_iter();
        let (passed, ahead): (Vec<_>, _) = ahead.partition(|(before, _)| *before == Some(id));
        self.ahead = ahead;
        for (_, listed) in passed {
            self.push(listed);
        }
    }

    fn push(&mut self, id: Uuid) {
        self.tail.retain(|listed| *listed != id);
        self.tail.push(id);
        if self.tail.len() > MAX_TAIL {
            self.tail.remove(0);
            self.complete = false;
        }
    }

    /// Whether nothing was listed yet, so that a page has nothing to overlap.
    fn is_start(&self) -> bool {
        self.ahead.is_empty() && self.tail.len() == usize::from(!self.complete)
    }

    fn contains(&self, row: &Row) -> bool {
        row.id.is_some_and(|id| self.tail.contains(&id) || self.ahead.iter().any(|(_, listed)| *listed == id))
    }

    /// Returns the ids to request, each with whether its page is accepted without an overlap. That is so at
    /// the start of the list.
    fn candidates(&self) -> impl Iterator<Item = (Option<Uuid>, bool)> {
        let before = self.tail.iter().rev().skip(1).map(|id| (Some(*id), false));
        let start = self.tail.last().copied().filter(|_| !self.complete);
        before.chain((self.complete || self.is_start()).then_some((start, true)))
    }

    /// Returns for each row whether it is new, and how many listed rows are elsewhere than right before the
    /// new ones.
    fn mark_new(&self, rows: &[Row], from: usize) -> (Vec<bool>, u64) {
        let is_new = |row: &Row| row.id.is_some() && !self.contains(row);
        let first_new = rows.iter().skip(from).position(is_new).map_or(rows.len(), |index| from + index);
        let (before, after) = rows.split_at(first_new);
        let listed =
            before.iter().rposition(|row| self.contains(row)).map_or(from, |index| from.max(index + 1));
        let without_id = usize::try_from(self.trailing_without_id).unwrap_or(usize::MAX);
        let without_id = (before.len() - listed).min(without_id);
        let flags =
            rows.iter().enumerate().map(|(index, row)| index >= listed + without_id && !self.contains(row));
        let strays = before.iter().filter(|row| self.ahead.iter().any(|(_, id)| row.id == Some(*id)));
        let moved = strays.count() + after.iter().filter(|row| self.contains(row)).count();
        (flags.collect(), moved as u64)
    }

    /// Returns the same position, updated from a page of the list.
    fn updated(&self, rows: &[Row]) -> Self {
        let mut updated = Self { tail: Vec::new(), ahead: Vec::new(), ..self.clone() };
        updated.longest_page = updated.longest_page.max(rows.len() as u64);
        let is_on_page = |id: &Uuid| rows.iter().any(|row| row.id == Some(*id));
        // Listed ids after the first one on the page were deleted or have moved, or the page ends before
        // them. The id that a list starts after precedes its first page.
        let default = if self.is_start() { self.tail.len() } else { 0 };
        let first_on_page = self.tail.iter().position(is_on_page).unwrap_or(default);
        let (before, after) = self.tail.split_at(first_on_page);
        for id in before {
            updated.push(*id);
        }
        let absent = self.ahead.iter().map(|(_, id)| id).chain(after).filter(|id| !is_on_page(id));
        updated.ahead = absent.map(|id| (None, *id)).collect();
        if updated.ahead.len() > MAX_AHEAD {
            updated.ahead.drain(..updated.ahead.len() - MAX_AHEAD);
            updated.complete = false;
            // The accounts of the dropped ids may be yielded again.
            (updated.ids, updated.created) = (Direction::Neither, Direction::Neither);
        }
        let (mut last, mut new, mut created) = (None, None, None);
        for row in rows {
            let Some(id) = row.id else { continue };
            if !self.contains(row) {
                new = Some(id);
            } else if new.is_some() {
                updated.ahead.push((new, id));
            } else {
                updated.push(id);
            }
            updated.ids = last.map_or(updated.ids, |last: Uuid| updated.ids.observe(last.cmp(&id)));
            last = Some(id);
            if let Some(at) = row.created_at {
                updated.created =
                    created.map_or(updated.created, |before: i64| updated.created.observe(before.cmp(&at)));
                created = Some(at);
            }
        }
        updated
    }

    /// Whether the order is not one in which accounts are known to keep their positions.
    fn is_unstable(&self) -> bool {
        self.ids == Direction::Neither && matches!(self.created, Direction::Neither | Direction::Unknown)
    }
}

/// Fetches the page after `cursor`.
///
/// # Errors
/// [`ErrorKind::ListingChanged`] if no page overlaps the listed rows, [`ErrorKind::PaginationLoop`] if the
/// server ignores `previous_id` and has more than one page.
pub(super) async fn fetch_page<S: PageSource>(
    source: &S,
    cursor: &Cursor,
    limit: u32,
) -> Result<FoundPage<S::Content>> {
    let mut cursor = cursor.clone();
    let (response, end) = fetch_overlapping(source, &mut cursor, limit).await?;
    let (is_new, moved) = cursor.mark_new(&response.batch.rows, response.from);
    let remaining = is_new.iter().filter(|is_new| **is_new).count() as u64;
    let start = Cursor { remaining, ..cursor.updated(response.rows()) };
    let batch = response.batch;
    let mut next = start.clone();
    for (row, _) in batch.rows.iter().zip(&is_new).filter(|(_, is_new)| **is_new) {
        next.advance(row.id);
    }
    let (unstable, truncated) = match end {
        None => (start.is_unstable() && !cursor.is_start(), false),
        Some(End::Reached) => {
            let had_other_pages =
                cursor.remaining > 0 || remaining > 0 || cursor.longest_page >= u64::from(limit);
            (cursor.is_unstable() && had_other_pages, false)
        }
        Some(End::AllReturned) => (false, false),
        Some(End::MaybeTruncated) => (false, true),
    };
    let truncated = truncated.then_some(IncompleteReason::Truncated { cap: batch.rows.len() as u64 });
    let reasons = unstable.then_some(IncompleteReason::UnstableOrder).into_iter().chain(truncated).collect();
    Ok(FoundPage {
        content: batch.content,
        is_new,
        moved,
        start,
        next: end.is_none().then_some(next),
        reasons,
    })
}

/// A response, and the id that was requested.
struct PageResponse<T> {
    batch: Batch<T>,
    previous_id: Option<Uuid>,
    /// The index of the first row that can be new: after the row of `previous_id`, if the response contains
    /// it.
    from: usize,
}

impl<T> PageResponse<T> {
    /// Returns the rows with an id that can be new.
    fn rest(&self) -> impl DoubleEndedIterator<Item = &Row> {
        self.batch.rows[self.from..].iter().filter(|row| row.id.is_some())
    }

    fn is_empty(&self) -> bool {
        self.batch.rows.is_empty()
    }

    fn overlaps(&self, cursor: &Cursor) -> bool {
        let first = self.rest().next().and_then(|row| row.id);
        self.from > 0 || first.is_some_and(|id| cursor.tail.contains(&id))
    }

    /// Returns the rows from the row of `previous_id` on.
    fn rows(&self) -> &[Row] {
        &self.batch.rows[self.from.saturating_sub(1)..]
    }

    fn has_new(&self, cursor: &Cursor) -> bool {
        self.rest().any(|row| !cursor.contains(row))
    }
}

/// Requests the page from `previous_id`. Returns `None` if the server rejects the id: how it responds to the
/// id of a deleted account is not documented.
async fn request_page<S: PageSource>(
    source: &S,
    previous_id: Option<Uuid>,
    trusted: bool,
    limit: u32,
) -> Result<Option<PageResponse<S::Content>>> {
    let batch = match source.fetch_rows(previous_id, limit).await {
        Err(error) if !trusted && matches!(error.status(), Some(400 | 404)) => return Ok(None),
        result => result?,
    };
    let index = batch.rows.iter().position(|row| row.id.is_some() && row.id == previous_id);
    Ok(Some(PageResponse { from: index.map_or(0, |index| index + 1), batch, previous_id }))
}

/// Fetches a page that overlaps the listed rows, and determines how the list ended if the page has no new
/// rows. Updates `cursor` from the pages before it.
async fn fetch_overlapping<S: PageSource>(
    source: &S,
    cursor: &mut Cursor,
    limit: u32,
) -> Result<(PageResponse<S::Content>, Option<End>)> {
    let longest_page = if cursor.longest_page > 0 { cursor.longest_page } else { u64::from(limit) };
    let mut empty = None;
    let (mut attempts, mut empty_attempts, mut repeated_pages, mut empty_after) = (0, 0, 0, None);
    while attempts < MAX_ATTEMPTS {
        empty = None;
        let (mut accepted, mut fallback) = (None, None);
        for (previous_id, trusted) in cursor.candidates() {
            let Some(response) = request_page(source, previous_id, trusted, limit).await? else { continue };
            if response.is_empty() {
                empty = Some(response).filter(|_| trusted);
            } else if trusted || response.overlaps(cursor) {
                // In an unstable order the overlapping row may have moved: prefer a page that has the last
                // row too.
                let last = cursor.tail.last().copied();
                if !cursor.is_unstable() || response.rest().any(|row| row.id == last) {
                    accepted = Some(response);
                    break;
                }
                fallback.get_or_insert(response);
            }
        }
        let Some(page) = accepted.or(fallback) else {
            if empty.is_some() {
                (attempts, empty_attempts) = (attempts + 1, empty_attempts + 1);
                continue;
            }
            return Err(position_lost());
        };
        if page.has_new(cursor) {
            return Ok((page, None));
        }
        // The server's own maximum is unknown, so a first page without an id may not be all.
        let has_id = !cursor.is_start() || page.batch.rows.len() == page.from;
        let Some(last) = cursor.tail.last().copied().filter(|_| has_id) else {
            let message = "no row of the page has a valid acct_id, which the next page is requested by";
            return Err(Error::decode(message));
        };
        if page.from > 1 {
            let end = classify_ignored_id(source, &page, limit).await?;
            return Ok((page, Some(end)));
        }
        if (page.batch.rows.len() as u64) < longest_page {
            return Ok((page, Some(End::Reached)));
        }
        // The page is as long as any other, so listed rows may follow it: continue from its last rows.
        *cursor = cursor.updated(page.rows());
        if cursor.tail.last() != Some(&last) && repeated_pages < MAX_REPEATED_PAGES {
            repeated_pages += 1;
            continue;
        }
        attempts += 1;
        let Some(following) = request_page(source, Some(last), false, limit).await? else { continue };
        if following.from > 0 && following.has_new(cursor) {
            return Ok((following, None));
        }
        if following.from > 1 {
            let end = classify_ignored_id(source, &following, limit).await?;
            return Ok((following, Some(end)));
        }
        // A response that ends with the last row is the end. An empty response is the end if the pages before
        // and after it contain the last row, and a second response is empty too.
        let ends_with_last = following.from > 0 && following.batch.rows.len() == following.from;
        if ends_with_last || following.is_empty() && empty_after == Some(last) {
            return Ok((page, Some(End::Reached)));
        }
        empty_after = Some(last).filter(|_| following.is_empty());
    }
    // A list is empty if every response was.
    empty
        .filter(|_| empty_attempts == MAX_ATTEMPTS)
        .map(|response| (response, Some(End::Reached)))
        .ok_or_else(position_lost)
}

/// Determines how a list ended whose page has rows before the requested id and no new ones: the server
/// ignores `previous_id`.
async fn classify_ignored_id<S: PageSource>(
    source: &S,
    page: &PageResponse<S::Content>,
    limit: u32,
) -> Result<End> {
    let ids = |rows: &[Row]| rows.iter().map(|row| row.id).collect::<Vec<_>>();
    let current = ids(&page.batch.rows);
    let more = limit.max(u32::try_from(current.len()).unwrap_or(u32::MAX)).saturating_mul(2);
    let few = ids(&source.fetch_rows(page.previous_id, 1).await?.rows);
    let many = ids(&source.fetch_rows(page.previous_id, more).await?.rows);
    // The same rows for any limit are all there are. Where they differ for another reason, accounts were
    // created or deleted.
    if few.len() > 1 && few == many {
        return Ok(End::AllReturned);
    }
    if few.len() < current.len() && current.len() >= limit as usize && many.starts_with(&current) {
        let message = "pagination loop: the server returns the same page for every previous_id, and may have more \
                       accounts than fit on one page; raise limit above the number of accounts";
        return Err(Error::new(ErrorKind::PaginationLoop, message));
    }
    Ok(End::MaybeTruncated)
}

fn position_lost() -> Error {
    let message = "the listing changed during pagination and the position was lost: no page contains one of the \
                   accounts that were listed last; start again";
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

    /// How a server responds to a `previous_id` that was deleted.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum DeletedId {
        Keyset,
        Empty,
        StartOver,
        BadRequest,
    }

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Order {
        Id,
        Created,
        Name,
    }

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum LimitRule {
        Honoured,
        Ignored,
        Clamped(usize),
    }

    /// How a server pages, and how its accounts change. Rates are probabilities.
    #[derive(Clone, Copy, Debug)]
    struct Scenario {
        order: Order,
        deleted_id: DeletedId,
        /// Whether a page starts at `previous_id`; `None` chooses at random.
        inclusive: Option<bool>,
        limits: LimitRule,
        honours_previous_id: bool,
        /// Creations and deletions.
        churn: f64,
        /// Deletions of the accounts that were listed last.
        tail_deletions: f64,
        /// Empty responses.
        empty: f64,
        rename: f64,
        /// Rounds of changes before the third request.
        burst: usize,
        /// The percentage of rows without an id.
        invalid_percent: u128,
        /// The fewest rows per page; more than 3 also means at least 10 accounts.
        min_limit: u32,
        /// Accounts created within the same second.
        created_per_second: i64,
    }

    const UNCHANGED: Scenario = Scenario {
        order: Order::Id,
        deleted_id: DeletedId::Keyset,
        inclusive: None,
        limits: LimitRule::Honoured,
        honours_previous_id: true,
        churn: 0.0,
        tail_deletions: 0.0,
        empty: 0.0,
        rename: 0.0,
        burst: 0,
        invalid_percent: 0,
        min_limit: 3,
        created_per_second: 1,
    };

    /// Random servers for each scenario.
    const SEEDS: u64 = 60;

    struct RandomServer {
        scenario: Scenario,
        inclusive: bool,
        limit: u32,
        state: Mutex<State>,
    }

    struct State {
        rng: Rng,
        /// Name and time of creation.
        rows: BTreeMap<Uuid, (u32, i64)>,
        deleted: BTreeMap<Uuid, (u32, i64)>,
        clock: i64,
        listed: Vec<Uuid>,
        requests: usize,
    }

    impl State {
        fn create(&mut self, created_per_second: i64) {
            self.clock += 1;
            let id = Uuid::from_u128(self.rng.u128(..));
            self.rows.insert(id, (self.rng.u32(..), self.clock / created_per_second));
        }

        fn remove(&mut self, id: Uuid) {
            if let Some(row) = self.rows.remove(&id) {
                self.deleted.insert(id, row);
            }
        }

        fn random_id(&mut self) -> Uuid {
            let index = self.rng.usize(..self.rows.len());
            *self.rows.keys().nth(index).unwrap()
        }

        fn change(&mut self, scenario: &Scenario, churn: f64) {
            while self.rng.f64() < churn {
                if !self.rows.is_empty() && self.rng.f64() < 0.6 {
                    for _ in 0..self.rng.choice([1, 1, 2, 5]).unwrap().min(self.rows.len()) {
                        let id = self.random_id();
                        self.remove(id);
                    }
                } else {
                    self.create(scenario.created_per_second);
                }
            }
            while !self.rows.is_empty() && self.rng.f64() < scenario.rename {
                let (id, name) = (self.random_id(), self.rng.u32(..));
                self.rows.get_mut(&id).unwrap().0 = name;
            }
            if !self.listed.is_empty() && self.rng.f64() < scenario.tail_deletions {
                let count = self.rng.choice([1, 2, 2, 4, 9]).unwrap();
                let mut deleted = self.listed[self.listed.len().saturating_sub(count)..].to_vec();
                match self.rng.u8(..4) {
                    0 => deleted.truncate(1),
                    1 => deleted.push(self.listed[0]),
                    _ => {}
                }
                for id in deleted {
                    if scenario.rename > 0.0 && self.rows.contains_key(&id) && self.rng.bool() {
                        self.rows.get_mut(&id).unwrap().0 = self.rng.u32(..);
                    } else {
                        self.remove(id);
                    }
                }
            }
        }
    }

    impl RandomServer {
        fn new(scenario: Scenario, seed: u64) -> Self {
            let mut rng = Rng::with_seed(seed);
            let limits: &[u32] = if scenario.min_limit > 3 { &[10, 20] } else { &[3, 4, 5, 10, 20] };
            let limit = *rng.choice(limits).unwrap();
            let inclusive = scenario.inclusive.unwrap_or_else(|| rng.bool());
            // A few accounts may be in the same order by chance.
            let counts: &[u32] = if scenario.min_limit > 3 {
                &[10, 11, 20, 30, 60, 99]
            } else {
                &[0, 1, 2, 3, 5, 10, 11, 20, 30, 60, 99]
            };
            let count = *rng.choice(counts).unwrap();
            let (rows, deleted) = (BTreeMap::new(), BTreeMap::new());
            let mut state = State { rng, rows, deleted, clock: 0, listed: Vec::new(), requests: 0 };
            for _ in 0..count {
                state.create(scenario.created_per_second);
            }
            Self { scenario, inclusive, limit, state: Mutex::new(state) }
        }

        /// The sort key of an account.
        fn sort_key(&self, id: Uuid, (name, created): (u32, i64)) -> (i64, Uuid) {
            match self.scenario.order {
                Order::Id => (0, id),
                Order::Created => (created, id),
                Order::Name => (name.into(), id),
            }
        }

        /// Whether the row of this account has no id.
        fn is_invalid(&self, id: Uuid) -> bool {
            id.as_u128() % 100 < self.scenario.invalid_percent
        }
    }

    impl PageSource for RandomServer {
        type Content = Vec<Row>;

        async fn fetch_rows(&self, previous_id: Option<Uuid>, limit: u32) -> Result<Batch<Vec<Row>>> {
            let scenario = &self.scenario;
            let mut state = self.state.lock().unwrap();
            let state = &mut *state;
            state.requests += 1;
            assert!(state.requests < 10_000, "the listing does not end");
            state.change(scenario, scenario.churn);
            if state.requests == 3 {
                (0..scenario.burst).for_each(|_| state.change(scenario, 0.7));
            }
            let mut ids: Vec<_> = state.rows.iter().map(|(id, row)| self.sort_key(*id, *row)).collect();
            ids.sort_unstable();
            let mut first = 0;
            if let Some(id) = previous_id.filter(|_| scenario.honours_previous_id) {
                if let Some(row) = state.rows.get(&id) {
                    let index = ids.binary_search(&self.sort_key(id, *row)).unwrap();
                    first = if self.inclusive { index } else { index + 1 };
                } else {
                    first = match scenario.deleted_id {
                        DeletedId::Keyset => {
                            let key = self.sort_key(id, state.deleted[&id]);
                            ids.partition_point(|other| *other < key)
                        }
                        DeletedId::Empty => ids.len(),
                        DeletedId::StartOver => 0,
                        DeletedId::BadRequest => {
                            return Err(Error::new(ErrorKind::Api, "unknown id").with_status(400));
                        }
                    };
                }
            }
            let count = match scenario.limits {
                LimitRule::Honoured => limit as usize,
                LimitRule::Ignored => usize::MAX,
                LimitRule::Clamped(max) => max.min(limit as usize),
            };
            let row = |id: Uuid| {
                let id = (!self.is_invalid(id)).then_some(id);
                Row { id, created_at: id.map(|id| state.rows[&id].1) }
            };
            let mut rows: Vec<_> = ids.iter().skip(first).take(count).map(|(_, id)| row(*id)).collect();
            if state.rng.f64() < scenario.empty {
                rows.clear();
            }
            Ok(Batch { content: rows.clone(), rows })
        }
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    enum Outcome {
        Complete,
        CompleteUncertain,
        Incomplete,
        Error,
        /// Rows are missing or repeated, and nothing reports it.
        SilentLoss,
    }

    /// Lists a server. If `resumes`, the list is resumed from a checkpoint after any row.
    fn list(scenario: Scenario, seed: u64, resumes: bool) -> Outcome {
        let server = RandomServer::new(scenario, seed);
        let before: BTreeSet<Uuid> = server.state.lock().unwrap().rows.keys().copied().collect();
        let mut rng = Rng::with_seed(!seed);
        let mut cursor = Cursor::start(true);
        let (mut reasons, mut failed, mut without_id) = (Vec::new(), false, 0);
        loop {
            let Ok(found) = fetch_page(&server, &cursor, server.limit).now_or_never().unwrap() else {
                failed = true;
                break;
            };
            reasons.extend(found.reasons);
            let rows: Vec<_> =
                found.content.iter().zip(&found.is_new).filter(|(_, is_new)| **is_new).collect();
            // The checkpoint is the cursor after the last row that was yielded.
            let yielded = if resumes { rng.usize(..=rows.len()) } else { rows.len() };
            let mut next = found.start;
            for (row, _) in &rows[..yielded] {
                next.advance(row.id);
                without_id += usize::from(row.id.is_none());
                server.state.lock().unwrap().listed.extend(row.id);
            }
            cursor = match found.next {
                _ if yielded < rows.len() => {
                    serde_json::from_str(&serde_json::to_string(&next).unwrap()).unwrap()
                }
                Some(found) => {
                    assert_eq!(found, next);
                    found
                }
                None => break,
            };
        }
        let state = server.state.lock().unwrap();
        let listed: BTreeSet<_> = state.listed.iter().copied().collect();
        let kept = before.iter().filter(|id| !state.deleted.contains_key(id) && !server.is_invalid(**id));
        let missing = kept.filter(|id| !listed.contains(id)).count();
        let complete = missing == 0 && listed.len() == state.listed.len();
        if scenario.churn == 0.0 && scenario.burst == 0 && !failed {
            let invalid = state.rows.keys().filter(|id| server.is_invalid(**id)).count();
            assert_eq!(
                without_id, invalid,
                "rows without an id, seed {seed}, resumes {resumes}: {scenario:?}"
            );
        }
        match (failed, complete, reasons.is_empty()) {
            (true, ..) => Outcome::Error,
            (_, true, true) => Outcome::Complete,
            (_, true, false) => Outcome::CompleteUncertain,
            (_, false, false) => Outcome::Incomplete,
            (_, false, true) => Outcome::SilentLoss,
        }
    }

    const DELETED_IDS: [DeletedId; 4] =
        [DeletedId::Keyset, DeletedId::Empty, DeletedId::StartOver, DeletedId::BadRequest];

    /// Lists random servers of a scenario, to the end and from checkpoints, and counts the outcomes.
    #[track_caller]
    fn count_outcomes(scenario: Scenario, allowed: &[Outcome]) -> BTreeMap<Outcome, usize> {
        let mut counts = BTreeMap::new();
        for (seed, resumes) in (0..SEEDS).flat_map(|seed| [(seed, false), (seed, true)]) {
            let outcome = list(scenario, seed, resumes);
            assert!(allowed.contains(&outcome), "{outcome:?}, seed {seed}, resumes {resumes}: {scenario:?}");
            *counts.entry(outcome).or_default() += 1;
        }
        counts
    }

    #[test]
    fn unchanged_list_is_complete() {
        let limits = [LimitRule::Honoured, LimitRule::Ignored, LimitRule::Clamped(3)];
        let honouring = limits.map(|limits| Scenario { limits, ..UNCHANGED });
        let ignoring = Scenario { limits: LimitRule::Ignored, honours_previous_id: false, ..UNCHANGED };
        let created = [1, 8].map(|created_per_second| Scenario {
            order: Order::Created,
            created_per_second,
            ..UNCHANGED
        });
        for scenario in honouring.into_iter().chain([ignoring]).chain(created) {
            count_outcomes(scenario, &[Outcome::Complete]);
        }
    }

    #[test]
    fn stable_order_is_complete_or_an_error() {
        let mut scenarios = Vec::new();
        for deleted_id in DELETED_IDS {
            let churn = Scenario { deleted_id, churn: 0.4, ..UNCHANGED };
            let created = Scenario { order: Order::Created, ..churn };
            let deleting = Scenario { churn: 0.3, tail_deletions: 0.3, ..created };
            scenarios.extend([churn, created, deleting, Scenario { created_per_second: 8, ..deleting }]);
            scenarios.push(Scenario { deleted_id, burst: 12, tail_deletions: 0.2, ..UNCHANGED });
            scenarios.push(Scenario { limits: LimitRule::Ignored, ..churn });
            scenarios.push(Scenario { limits: LimitRule::Clamped(3), ..churn });
            scenarios.push(Scenario { empty: 0.05, churn: 0.2, ..churn });
        }
        scenarios.push(Scenario { limits: LimitRule::Clamped(1), inclusive: Some(false), ..UNCHANGED });
        for scenario in scenarios {
            let counts = count_outcomes(scenario, &[Outcome::Complete, Outcome::Error]);
            let min = if scenario.limits == LimitRule::Clamped(1) { SEEDS / 10 } else { SEEDS };
            assert!(counts[&Outcome::Complete] as u64 > min, "{counts:?}: {scenario:?}");
        }
    }

    #[test]
    fn rows_without_id_hide_no_others() {
        for invalid_percent in [20, 70] {
            for churn in [0.0, 0.2] {
                count_outcomes(
                    Scenario { churn, invalid_percent, ..UNCHANGED },
                    &[Outcome::Complete, Outcome::Error],
                );
            }
        }
    }

    #[test]
    fn first_page_without_ids_is_not_the_end() {
        struct Clamped;

        impl PageSource for Clamped {
            type Content = ();

            async fn fetch_rows(&self, _: Option<Uuid>, _: u32) -> Result<Batch<()>> {
                Ok(Batch { rows: vec![Row { id: None, created_at: None }; 4], content: () })
            }
        }

        for cursor in [Cursor::start(true), Cursor::after(Uuid::from_u128(7), true)] {
            let found = fetch_page(&Clamped, &cursor, 5).now_or_never().unwrap();
            assert_eq!(found.map(|found| found.is_new).unwrap_err().kind(), ErrorKind::Decode);
        }
    }

    #[test]
    fn raised_limit_is_not_an_ignored_limit() {
        /// Returns its first rows for any `previous_id`, 10 or more of them.
        struct RaisesLimit(u32);

        impl PageSource for RaisesLimit {
            type Content = ();

            async fn fetch_rows(&self, _: Option<Uuid>, limit: u32) -> Result<Batch<()>> {
                let row = |id: u32| Row { id: Some(Uuid::from_u128(id.into())), created_at: None };
                Ok(Batch { rows: (0..limit.max(10).min(self.0)).map(row).collect(), content: () })
            }
        }

        for (accounts, limit, expected) in [(100, 50, None), (100, 3, Some(true)), (7, 50, Some(false))] {
            let mut cursor = Cursor::start(true);
            let reported = loop {
                let found = match fetch_page(&RaisesLimit(accounts), &cursor, limit).now_or_never().unwrap() {
                    Ok(found) => found,
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::PaginationLoop);
                        break None;
                    }
                };
                let Some(next) = found.next else { break Some(!found.reasons.is_empty()) };
                cursor = next;
            };
            assert_eq!(reported, expected, "{accounts} {limit}");
        }
    }

    #[test]
    fn empty_response_after_rows_is_not_the_end() {
        /// Returns one account and rows without an id, and an empty page the third time.
        struct EmptyThirdTime(Mutex<usize>);

        impl PageSource for EmptyThirdTime {
            type Content = ();

            async fn fetch_rows(&self, previous_id: Option<Uuid>, _: u32) -> Result<Batch<()>> {
                let row = |id| Row { id, created_at: None };
                let id = Some(Uuid::from_u128(7));
                let mut starts = self.0.lock().unwrap();
                *starts += usize::from(previous_id.is_none());
                let rows = match previous_id {
                    Some(_) => vec![row(id), row(None), row(None)],
                    None if *starts == MAX_ATTEMPTS => Vec::new(),
                    None => vec![row(None), row(None), row(id)],
                };
                Ok(Batch { rows, content: () })
            }
        }

        let mut cursor = Cursor::start(true);
        cursor.longest_page = 3;
        cursor.advance(Some(Uuid::from_u128(7)));
        let found = fetch_page(&EmptyThirdTime(Mutex::new(0)), &cursor, 3).now_or_never().unwrap();
        assert_eq!(found.err().map(|error| error.kind()), Some(ErrorKind::ListingChanged));
    }

    #[test]
    fn one_account_after_the_start_is_listed() {
        struct Two;

        impl PageSource for Two {
            type Content = ();

            async fn fetch_rows(&self, previous_id: Option<Uuid>, _: u32) -> Result<Batch<()>> {
                let ids = [1, 2].map(Uuid::from_u128).into_iter().filter(|id| Some(*id) > previous_id);
                Ok(Batch {
                    rows: ids.map(|id| Row { id: Some(id), created_at: None }).collect(),
                    content: (),
                })
            }
        }

        let mut cursor = Cursor::after(Uuid::from_u128(1), true);
        for is_new in [vec![true], vec![false]] {
            let found = fetch_page(&Two, &cursor, 5).now_or_never().unwrap().unwrap();
            assert_eq!(found.is_new, is_new);
            cursor = found.next.unwrap_or(found.start);
        }
    }

    #[test]
    fn ignored_previous_id_is_reported() {
        let reported = [Outcome::Complete, Outcome::CompleteUncertain, Outcome::Incomplete, Outcome::Error];
        for churn in [0.0, 0.4] {
            count_outcomes(Scenario { honours_previous_id: false, churn, ..UNCHANGED }, &reported);
            count_outcomes(
                Scenario { limits: LimitRule::Ignored, honours_previous_id: false, churn, ..UNCHANGED },
                &reported,
            );
            count_outcomes(
                Scenario {
                    limits: LimitRule::Clamped(7),
                    honours_previous_id: false,
                    churn,
                    min_limit: 10,
                    ..UNCHANGED
                },
                &reported,
            );
        }
    }

    #[test]
    fn order_by_name_is_reported() {
        let reported = [Outcome::Complete, Outcome::CompleteUncertain, Outcome::Incomplete, Outcome::Error];
        let unchanged = Scenario { order: Order::Name, min_limit: 10, ..UNCHANGED };
        count_outcomes(unchanged, &reported[..2]);
        for deleted_id in DELETED_IDS {
            count_outcomes(
                Scenario { deleted_id, churn: 0.2, rename: 0.3, tail_deletions: 0.2, ..unchanged },
                &reported,
            );
        }
    }

    /// Creates accounts right after the requested ones, so that a page contains only the first of them.
    struct CreatesBetween {
        ids: Mutex<Vec<u128>>,
        /// How many are still to be created.
        remaining: Mutex<usize>,
        first: u128,
    }

    impl PageSource for CreatesBetween {
        type Content = ();

        async fn fetch_rows(&self, previous_id: Option<Uuid>, limit: u32) -> Result<Batch<()>> {
            let mut ids = self.ids.lock().unwrap();
            let first = previous_id.map_or(0, |id| {
                let index = ids.binary_search(&id.as_u128()).unwrap();
                let mut remaining = self.remaining.lock().unwrap();
                if *remaining > 0 && id.as_u128() > self.first && index + 1 < ids.len() {
                    *remaining -= 1;
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
    fn ids_beyond_the_cursor_are_reported() {
        for created in (0..400).step_by(20) {
            let ids: Vec<_> = (1..=10).map(|id: u128| id << 100).collect();
            let source =
                CreatesBetween { ids: Mutex::new(ids), remaining: Mutex::new(created), first: 3 << 100 };
            let (mut cursor, mut reasons, mut yielded) = (Cursor::start(true), Vec::new(), 0);
            let complete = loop {
                let Ok(found) = fetch_page(&source, &cursor, 3).now_or_never().unwrap() else { break false };
                reasons.extend(found.reasons);
                yielded += found.is_new.iter().filter(|is_new| **is_new).count();
                let Some(next) = found.next else { break reasons.is_empty() };
                cursor = next;
            };
            let accounts = source.ids.lock().unwrap().len();
            assert!(yielded == accounts || !complete, "{created}: {yielded} of {accounts}, {reasons:?}");
        }
    }

    /// Returns all accounts from `previous_id` on.
    struct StartsAt(Vec<Uuid>);

    impl PageSource for StartsAt {
        type Content = ();

        async fn fetch_rows(&self, previous_id: Option<Uuid>, limit: u32) -> Result<Batch<()>> {
            let first = self.0.iter().position(|id| Some(*id) == previous_id).unwrap_or(0);
            let page = self.0.iter().skip(first).take(limit as usize);
            let rows = page.map(|id| Row { id: Some(*id), created_at: None }).collect();
            Ok(Batch { rows, content: () })
        }
    }

    #[test]
    fn position_between_new_and_listed_is_kept() {
        let ids: Vec<_> = (1..=5).map(Uuid::from_u128).collect();
        let source = StartsAt(ids.clone());
        let mut cursor = Cursor::start(true);
        // The others were created after these were listed.
        for id in [ids[0], ids[3]] {
            cursor.advance(Some(id));
        }
        let found = fetch_page(&source, &cursor, 10).now_or_never().unwrap().unwrap();
        assert_eq!(found.is_new, [false, true, true, false, true]);
        let mut cursor = found.start;
        cursor.advance(Some(ids[1]));
        let found = fetch_page(&source, &cursor, 10).now_or_never().unwrap().unwrap();
        let new = found.is_new.iter().filter(|is_new| **is_new).count();
        assert_eq!(new, 2, "{:?}", found.is_new);
    }
}
