//! Keyset paging, emulated by `offset`.
//!
//! A [`Cursor`] names the last row that was listed. Its offset only says where to look for that row.
//!
//! # The invariant
//!
//! The listing is sorted by id. Each page is fetched from the last row listed on. It is accepted only if its ids
//! ascend and it begins with a row at or before the last one listed, or at offset 0. Its rows after the last one
//! listed are the page. While all of its rows are new, rows before the place were removed, and the next look is further
//! up. While none is new, rows before the place were added, or the page is short, and the next look is further down,
//! with the last known row in view. A page of new rows is never the end, whatever the count. The end is a page that
//! shows the last known row and nothing after it, if the count agrees or further looks do.
//!
//! # The proof
//!
//! One response shows one moment, so what follows a known row on a page is all that followed it then.
//!
//! So accepted pages cover the ids from the first to the last without a gap, each of them one interval, and each shows
//! all rows of its interval at one moment. An account that is there at every moment is in exactly one interval, and is
//! listed exactly once. That holds whenever a page was read, and so for pages that were fetched at
//! [predicted](predict) offsets too.
//!
//! # Without the invariant
//!
//! In an order of the caller's own, or of the server's, ids cannot be compared. A page is accepted if it shows the last
//! row listed. Where it does not, the listing goes on, rather with a row twice than without one, and says
//! [`IncompleteReason::BoundariesUnverified`]. So is a page whose ids do not ascend byte by byte, and every page after it: the server
//! does not sort by id, or compares ids in another way. A server that returns rows for every offset is an error.

use std::{borrow::Cow, future::Future};

use serde::{Deserialize, Serialize};

use crate::{
    Continuity, Error, ErrorKind, IncompleteReason, Page, Result,
    http::{ApiResponse, Rows, header, read_rows},
    page::is_zero,
    record::{FromRow, HasId},
};

/// Rows on a page at most.
const MAX_LIMIT: u32 = 250;
/// How often a sign of the end has to be seen where no count confirms it.
const CONFIRM: u32 = 3;
/// Requests for one page at most.
const MAX_PROBES: u32 = 1000;
/// After so many requests for one page it is checked that the offset matters.
const SUSPICIOUS: u32 = 4;
/// How many rows closer together predicted pages are than pages that overlap by one row. So many deletions before
/// a page leave no gap.
const SLACK: u64 = 5;
/// How often an offset may be refused again although the page before showed a row there. A list may have shrunk and grown
/// in between.
const MAX_REFUSALS: u32 = 6;
/// An offset beyond the end of every list: the provider reads 32 bits.
const BEYOND_ALL: u64 = i32::MAX as u64;

/// A place in a listing: after the last row that was listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// How many rows of the listing come before the place, as far as is known.
    offset: u64,
    /// The last row that has an id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_id: Option<String>,
    /// Rows without an id that were listed after that one.
    #[serde(default, skip_serializing_if = "is_zero")]
    after: u64,
    /// The provider's last count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    /// Whether it was computed, and not reached by listing rows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    predicted: bool,
    /// Whether ids were listed that do not ascend byte by byte: then they are compared no more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unordered: bool,
}

impl Cursor {
    fn at(offset: u64, total: Option<u64>) -> Self {
        Self { offset, last_id: None, after: 0, total, predicted: false, unordered: false }
    }

    /// Moves past a row.
    fn advance(&mut self, id: Option<&str>) {
        self.offset = self.offset.saturating_add(1);
        match id {
            Some(id) => {
                self.unordered |= self.last_id.as_deref().is_some_and(|last| last >= id);
                id.clone_into(self.last_id.get_or_insert_default());
                self.after = 0;
            }
            None => self.after = self.after.saturating_add(1),
        }
    }

    /// How many rows before the place a page has to begin, so that the last row with an id is its first.
    fn reach(&self) -> u64 {
        self.after.saturating_add(u64::from(self.last_id.is_some()))
    }

    /// The offset at which a page is asked for.
    fn from(&self) -> u64 {
        self.offset.saturating_sub(self.reach())
    }
}

/// In which order the rows come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// By id, ascending.
    ById,
    /// In another one that was asked for, by what never changes.
    Lasting,
    /// In one that was asked for, by what can change: rows move.
    Lookup,
    /// In one that the provider does not document.
    Unknown,
}

impl Order {
    /// Whether rows never move past one another.
    fn is_lasting(self) -> bool {
        matches!(self, Self::ById | Self::Lasting)
    }
}

/// What one request returned.
pub(super) struct Answered<T> {
    pub(super) rows: Rows<T>,
    /// The provider's count of the listing, if it was asked for.
    pub(super) total: Option<u64>,
}

impl<T: HasId> Answered<T> {
    fn ids(&self) -> Vec<Option<Cow<'_, str>>> {
        self.rows.ids().collect()
    }
}

/// A listing by offset.
pub(super) trait OffsetList: Sync {
    /// What is listed.
    type Row: HasId + Send;

    fn paging(&self) -> &Paging;

    fn order(&self) -> Order;

    /// `limit` rows from `offset` on.
    fn request(
        &self,
        offset: u64,
        limit: u64,
        count: bool,
    ) -> impl Future<Output = Result<Answered<Self::Row>>> + Send;
}

/// Where a listing starts, and how it is cut into pages.
#[derive(Clone, Debug)]
pub(super) struct Paging {
    pub(super) limit: u32,
    pub(super) offset: u64,
    pub(super) count: Option<bool>,
}

impl Default for Paging {
    fn default() -> Self {
        Self { limit: MAX_LIMIT, offset: 0, count: None }
    }
}

impl Paging {
    pub(super) fn check(&self) -> Result<()> {
        if !(2..=MAX_LIMIT).contains(&self.limit) {
            return Err(Error::config(format!("limit is {}; expected 2 to {MAX_LIMIT}", self.limit)));
        }
        if i32::try_from(self.offset).is_err() {
            return Err(Error::config(format!("offset is {}; expected at most {}", self.offset, i32::MAX)));
        }
        Ok(())
    }

    /// Moves `cursor` past a row. In an order in which rows move, a page is told from another by all of its rows.
    pub(super) fn advance(&self, order: Order, cursor: &mut Option<Cursor>, id: Option<&str>) -> bool {
        let lasting = order.is_lasting();
        if lasting {
            cursor.get_or_insert_with(|| Cursor::at(self.offset, None)).advance(id);
        }
        lasting
    }

    fn limit(&self) -> u64 {
        self.limit.into()
    }

    /// Whether the page at `at` asks for a count: the first, and those near the end.
    fn counts(&self, at: Option<&Cursor>) -> bool {
        self.count.unwrap_or_else(|| {
            at.is_none_or(|at| at.total.is_some_and(|total| at.from().saturating_add(self.limit()) >= total))
        })
    }
}

/// The setters of [`Paging`], for a list that has it in a field `paging`, and its count.
macro_rules! offset_setters {
    ($rows:literal) => {
        #[doc = concat!("How many ", $rows, " a page has at most: 2 to 250. Default: 250.")]
        ///
        /// Each page begins with the last row of the one before.
        pub fn limit(mut self, limit: u32) -> Self {
            self.paging.limit = limit;
            self
        }

        #[doc = concat!("Leaves out the first `offset` ", $rows, ". At most 2147483647, as the provider reads 32 bits.")]
        pub fn offset(mut self, offset: u64) -> Self {
            self.paging.offset = offset;
            self
        }

        /// Whether every request asks for the provider's count of the listing, or none does. Counting costs the
        /// provider time. By default the first page asks, and those near the end.
        pub fn count(mut self, count: bool) -> Self {
            self.paging.count = Some(count);
            self
        }

        /// The provider's count of the listing, without listing it.
        ///
        /// # Errors
        /// [`Decode`](crate::ErrorKind::Decode) if the answer has no count, and those of every request.
        pub async fn total(&self) -> Result<u64> {
            self.client.context(self.check())?;
            self.client.context(offset_pager::total(self).await)
        }
    };
}
pub(super) use offset_setters;

/// The provider's count of a listing, without listing it.
pub(super) async fn total(list: &impl OffsetList) -> Result<u64> {
    let answered = list.request(0, 0, true).await?;
    answered.total.ok_or_else(|| Error::decode("the answer has no X-Total-Count"))
}

/// Reads a page: a bare array, and the count in a header.
pub(super) fn read<T: FromRow>(response: &ApiResponse, expected: &str) -> Result<Answered<T>> {
    let rows = read_rows(response, expected)?;
    let total = header(&response.headers, &["x-total-count"]).and_then(|text| text.trim().parse().ok());
    Ok(Answered { rows, total })
}

/// The cursor of the page that is expected after the one at `at`, in a listing by id with `total` rows after its own
/// offset.
pub(super) fn predict(paging: &Paging, at: Option<&Cursor>, total: u64) -> Option<Cursor> {
    let overlapping = paging.limit().saturating_sub(1).max(1);
    let stride = overlapping - SLACK.min(overlapping / 2);
    let offset = at.map_or(paging.offset, Cursor::from).saturating_add(stride);
    let total = paging.offset.saturating_add(total);
    (offset < total).then(|| Cursor { predicted: true, ..Cursor::at(offset, Some(total)) })
}

/// Judges the rows of a page at `predicted` as what follows `at`, in a listing by id.
pub(super) fn verify(at: &Cursor, predicted: &Cursor, ids: &[Option<Cow<'_, str>>]) -> Continuity {
    let view = View::new(ids, at, Order::ById, predicted.offset);
    let (Some(last), Some(id)) = (at.last_id.as_deref(), ids.iter().flatten().next_back()) else {
        return Continuity::Unusable;
    };
    if !view.by_id || view.unsure {
        Continuity::Unusable
    } else if !view.verified {
        Continuity::Gap
    } else if view.new < ids.len() && **id >= *last {
        Continuity::Follows { skip: view.new }
    } else if ids.len() > 1 {
        Continuity::Known
    } else {
        Continuity::Unusable
    }
}

/// What a page shows of the place after a cursor.
struct View {
    /// Whether its rows are compared by their ids.
    by_id: bool,
    /// The last row that was listed, or a row before it, is on the page at this index.
    known: Option<usize>,
    /// Whether the rows from `new` on follow the place.
    verified: bool,
    /// The index of the first new row.
    new: usize,
    /// Whether the rows were judged by comparing ids that the server may compare otherwise.
    unsure: bool,
}

impl View {
    fn new(ids: &[Option<Cow<'_, str>>], cursor: &Cursor, order: Order, offset: u64) -> Self {
        let last = cursor.last_id.as_deref();
        let named = || ids.iter().enumerate().filter_map(|(row, id)| Some((row, id.as_deref()?)));
        let ascends = || named().map(|(_, id)| id).is_sorted_by(|one, next| one < next);
        let by_id = order == Order::ById && !cursor.unordered && ascends();
        let seen = named().rfind(|(_, id)| Some(*id) == last).map(|(row, _)| row);
        let known = if by_id {
            named().take_while(|(_, id)| Some(*id) <= last).last().map(|(row, _)| row)
        } else {
            seen
        };
        let in_place = |row: usize| order.is_lasting() || offset.saturating_add(row as u64) == cursor.from();
        let from_start = offset == 0 && (by_id || last.is_none());
        let verified = from_start || known.is_some_and(in_place);
        let behind = known.map_or(0, |row| row + 1);
        let after = usize::try_from(cursor.after).unwrap_or(usize::MAX);
        let new = if verified {
            behind + ids.iter().skip(behind).take(after).take_while(|id| id.is_none()).count()
        } else if ids.iter().all(|id| last.is_some() && id.as_deref() == last) {
            ids.len()
        } else {
            0
        };
        let unsure = by_id
            && verified
            && seen.is_none()
            && last.is_some_and(|last| !compare_alike(named().map(|(_, id)| id).chain([last])));
        Self { by_id, known, verified, new, unsure }
    }
}

/// Whether every server sorts these ids as bytes are sorted: they have digits and letters of one case.
fn compare_alike<'a>(ids: impl Iterator<Item = &'a str>) -> bool {
    let (mut lower, mut upper, mut other) = (false, false, false);
    for byte in ids.flat_map(str::bytes) {
        lower |= byte.is_ascii_lowercase();
        upper |= byte.is_ascii_uppercase();
        other |= !byte.is_ascii_alphanumeric() && byte != b'-';
    }
    !(other || lower && upper)
}

/// The page at `at`.
pub(super) async fn fetch<L: OffsetList>(list: &L, at: Option<&Cursor>) -> Result<Page<L::Row, Cursor>> {
    let pager = Pager { list, paging: list.paging() };
    match at {
        Some(at) if at.predicted => pager.predicted(at).await,
        Some(at) if at.reach() > 0 => pager.after(at).await,
        _ => pager.first().await,
    }
}

struct Pager<'a, L> {
    list: &'a L,
    paging: &'a Paging,
}

/// The 400s that may not be the end.
#[derive(Default)]
struct Refusals {
    any: bool,
    /// Where the last page ended.
    shown: u64,
    /// The offset refused last although it was shown, and how often.
    offset: u64,
    times: u32,
}

impl<L: OffsetList> Pager<'_, L> {
    /// The first page, as it stands at the list's own offset.
    async fn first(&self) -> Result<Page<L::Row, Cursor>> {
        let offset = self.paging.offset;
        let mut looks = 0;
        loop {
            let answered = self.list.request(offset, self.paging.limit(), self.paging.counts(None)).await?;
            let (len, total) = (answered.rows.len() as u64, answered.total);
            looks += 1;
            if len == 0 && looks <= CONFIRM && total.is_none_or(|total| total > offset) {
                continue;
            }
            if len == 0 {
                return Ok(self.end(total, false));
            }
            // In an order that may not hold, a further look at the end would show any row. A page that is not full
            // and ends at the count was all.
            let unknown = self.list.order() == Order::Unknown;
            let all = unknown && len < self.paging.limit() && total == Some(offset.saturating_add(len));
            let page = self.page(answered, Cursor::at(offset, total));
            return Ok(if all { Page { next: None, ..page } } else { page });
        }
    }

    /// The page after `cursor`: see the invariant.
    async fn after(&self, cursor: &Cursor) -> Result<Page<L::Row, Cursor>> {
        let order = self.list.order();
        let back = self.paging.limit() - 1;
        // Without a known row that a page can show, there is only the offset to go by.
        let blind = cursor.reach() > back || cursor.last_id.is_none() && self.paging.offset > 0;
        let (mut offset, mut step) = (if blind { cursor.offset } else { cursor.from() }, back);
        let (mut empty, mut ends, mut unchecked) = (0, 0, blind);
        let mut refusals = Refusals::default();
        for probe in 0..MAX_PROBES {
            if probe == SUSPICIOUS && !refusals.any {
                self.check_offset_matters().await?;
            }
            let count = self.paging.count.unwrap_or(probe > 0 || self.paging.counts(Some(cursor)));
            let answered = self.look(offset, count, &mut refusals).await?;
            let len = answered.rows.len();
            let end = offset.saturating_add(len as u64);
            if len == 0 && (blind || offset == 0) {
                empty += 1;
                if empty > CONFIRM || answered.total == Some(offset) {
                    return Ok(self.end(answered.total, unchecked));
                }
                continue;
            }
            let view = View::new(&answered.ids(), cursor, order, offset);
            if len == 0 || view.by_id && !view.verified && !blind {
                // Rows before the place were removed.
                (offset, step, ends) = (offset.saturating_sub(step), step.saturating_mul(2), 0);
                continue;
            }
            empty = 0;
            unchecked |= view.unsure || !view.verified;
            let odd =
                !view.by_id && (order == Order::ById || answered.total.is_some_and(|total| end > total));
            if odd || !view.verified {
                self.check_offset_matters().await?;
            }
            if view.new < len {
                // Without the last row listed, a page that reaches no further than that one did may be the last.
                let short = !view.verified && end <= cursor.offset;
                let last = short
                    && (answered.total == Some(end)
                        || self.look_twice(end, count, &mut refusals).await?.rows.len() == 0);
                let page = self.following(answered, cursor, offset, &view, unchecked);
                return Ok(if last { Page { next: None, ..page } } else { page });
            }
            match view.known {
                Some(row) if row > 0 => {
                    // Rows before the place were added, or the page is short.
                    (offset, step, ends) = (offset.saturating_add(row as u64), back, 0);
                    continue;
                }
                _ if answered.total == Some(end) => return Ok(self.end(answered.total, unchecked)),
                _ => ends += 1,
            }
            if ends < CONFIRM && (len as u64) < self.paging.limit() {
                continue;
            }
            // Only where pages may be cut to known rows does this find any. Some of those may not be in view.
            let in_view = view.new.saturating_sub(view.known.map_or(0, |row| row + 1));
            let hidden = cursor.after.saturating_sub(in_view as u64);
            let end = end.saturating_add(hidden);
            let beyond = self.look_twice(end, count, &mut refusals).await?;
            if beyond.rows.len() == 0 {
                return Ok(self.end(beyond.total.or(answered.total), unchecked || hidden > 0));
            }
            let view = View::new(&beyond.ids(), cursor, order, end);
            let Some(row) = view.known.filter(|_| !view.unsure) else {
                self.check_offset_matters().await?;
                let view = View { verified: false, new: 0, ..view };
                return Ok(self.following(beyond, cursor, end, &view, true));
            };
            // Rows before the place were added: further down, with the last known row in view.
            (offset, step, ends) = (end.saturating_add(row as u64), back, 0);
        }
        let message = "the position in the list is lost: the listing changed during pagination, or the server does not \
                       keep to the offset; list again";
        Err(Error::new(ErrorKind::ListingChanged, message))
    }

    /// The rows at a predicted offset, as they stand there. [`join`] judges them.
    async fn predicted(&self, cursor: &Cursor) -> Result<Page<L::Row, Cursor>> {
        let count = self.paging.counts(Some(cursor));
        let answered = self.look(cursor.offset, count, &mut Refusals::default()).await?;
        let start = Cursor::at(cursor.offset, answered.total.or(cursor.total));
        Ok(self.page(answered, start))
    }

    /// The rows from `offset` on. A 400 there may mean that the list ends before, and counts as no rows.
    async fn look(&self, offset: u64, count: bool, refusals: &mut Refusals) -> Result<Answered<L::Row>> {
        match self.list.request(offset, self.paging.limit(), count).await {
            Err(error) if error.status() == Some(400) && offset > 0 => {
                if refusals.shown > offset {
                    refusals.times = if refusals.offset == offset { refusals.times + 1 } else { 1 };
                    refusals.offset = offset;
                    if refusals.times > MAX_REFUSALS {
                        return Err(error);
                    }
                }
                (refusals.any, refusals.shown) = (true, 0);
                Ok(Answered { rows: Rows::empty(), total: None })
            }
            answered => answered
                .inspect(|answered| refusals.shown = offset.saturating_add(answered.rows.len() as u64)),
        }
    }

    /// The same, again where no count confirms that nothing is there: an empty response may be a passing one.
    async fn look_twice(
        &self,
        offset: u64,
        count: bool,
        refusals: &mut Refusals,
    ) -> Result<Answered<L::Row>> {
        let answered = self.look(offset, count, refusals).await?;
        if answered.rows.len() > 0 || answered.total == Some(offset) {
            return Ok(answered);
        }
        self.look(offset, count, refusals).await
    }

    /// A server that returns rows for every offset would do so for ever.
    async fn check_offset_matters(&self) -> Result<()> {
        if self.look(BEYOND_ALL, false, &mut Refusals::default()).await?.rows.len() == 0 {
            return Ok(());
        }
        let message = "the server returns rows for every offset: it cannot be listed to its end";
        Err(Error::new(ErrorKind::PaginationLoop, message))
    }

    /// The new rows of what was found at `offset`, as a page.
    fn following(
        &self,
        mut answered: Answered<L::Row>,
        cursor: &Cursor,
        offset: u64,
        view: &View,
        unchecked: bool,
    ) -> Page<L::Row, Cursor> {
        let last = cursor.last_id.as_deref();
        let dropped = answered
            .rows
            .retain(|row, id| row >= view.new && (view.verified || last.is_none() || id != last));
        let behind = view.known.map_or(0, |row| row + 1);
        let after = if view.verified { view.new.saturating_sub(behind) as u64 } else { cursor.after };
        let start = Cursor {
            offset: offset.saturating_add(dropped),
            last_id: cursor.last_id.clone(),
            after,
            total: answered.total.or(cursor.total),
            predicted: false,
            unordered: cursor.unordered,
        };
        self.page(answered, start)
            .with_duplicates(dropped.saturating_sub(cursor.reach()))
            .with_doubt(unchecked.then_some(IncompleteReason::BoundariesUnverified))
            .with_doubt((self.list.order() == Order::Lookup).then_some(IncompleteReason::UnstableOrder))
    }

    /// A page that begins at `start`.
    fn page(&self, answered: Answered<L::Row>, start: Cursor) -> Page<L::Row, Cursor> {
        let mut next = start.clone();
        answered.rows.ids().for_each(|id| next.advance(id.as_deref()));
        let total = self.total(answered.total);
        answered.rows.into_page(Some(next)).with_total(total).starting_at(Some(start))
    }

    fn end(&self, total: Option<u64>, unchecked: bool) -> Page<L::Row, Cursor> {
        let doubt = unchecked.then_some(IncompleteReason::BoundariesUnverified);
        Page::new(Vec::new(), None).with_total(self.total(total)).with_doubt(doubt)
    }

    /// The count without the rows before the list's own offset.
    fn total(&self, total: Option<u64>) -> Option<u64> {
        total.map(|total| total.saturating_sub(self.paging.offset))
    }
}

#[cfg(test)]
mod tests {
    //! The worlds of the model: lists that change before every request and between reading a page and counting.

    use std::{
        collections::BTreeSet,
        fmt,
        sync::{Arc, Mutex},
    };

    use fastrand::Rng;
    use futures::StreamExt;

    use super::*;
    use crate::{Completeness, Items, ListingId, Paginator, Rejected, SeekPaginator, Summary};

    /// What the server reports as its count.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Count {
        /// That of the moment after the page was read.
        Race,
        None,
        /// At most 20.
        Truncated,
        /// That of the page's rows.
        Page,
    }

    /// How a server behaves. Chances are those of each request.
    #[derive(Clone, Copy, Debug)]
    struct World {
        /// A change comes before and after each page is read, and another after it.
        churn: f32,
        /// A page is cut.
        short: f32,
        /// Rows on a page at most, whatever is asked for.
        clamp: usize,
        /// No rows come, for no reason.
        empty: f32,
        count: Count,
        /// A row that is created has no id.
        nameless: f32,
        /// An offset beyond the end is a 400.
        refuses: bool,
        /// It sorts by id. Otherwise it keeps to another order.
        sorts: bool,
        order: Order,
    }

    const QUIET: World = World {
        churn: 0.0,
        short: 0.0,
        clamp: usize::MAX,
        empty: 0.0,
        count: Count::Race,
        nameless: 0.0,
        refuses: false,
        sorts: true,
        order: Order::ById,
    };

    /// A row: what it is sorted by, and whether it shows an id.
    type Row = (u32, bool);

    struct State {
        world: World,
        rng: Rng,
        rows: Vec<Row>,
        start: BTreeSet<u32>,
        gone: BTreeSet<u32>,
        requests: usize,
    }

    #[derive(Clone)]
    struct List {
        paging: Paging,
        state: Arc<Mutex<State>>,
    }

    impl HasId for u32 {
        fn row_id(&self) -> Cow<'_, str> {
            Cow::Owned(id(*self))
        }
    }

    fn id(row: u32) -> String {
        format!("{row:06}")
    }

    impl State {
        fn new(world: World, seed: u64) -> Self {
            let mut rng = Rng::with_seed(seed);
            let many = *rng.choice(&[0, 1, 2, 5, 10, 11, 20, 30, 60, 99]).unwrap();
            let mut state = Self {
                world,
                rng,
                rows: Vec::new(),
                start: BTreeSet::new(),
                gone: BTreeSet::new(),
                requests: 0,
            };
            (0..many).for_each(|_| state.create());
            state.start = state.rows.iter().filter(|(_, named)| *named).map(|(row, _)| *row).collect();
            state
        }

        fn create(&mut self) {
            let row = self.rng.u32(..1_000_000);
            if self.rows.iter().all(|(there, _)| *there != row) && !self.start.contains(&row) {
                self.rows.push((row, self.rng.f32() >= self.world.nameless));
                let sorts = self.world.sorts;
                self.rows.sort_unstable_by_key(
                    |(row, _)| if sorts { *row } else { row.wrapping_mul(2_654_435_761) },
                );
            }
        }

        fn change(&mut self) {
            while self.rng.f32() < self.world.churn {
                if !self.rows.is_empty() && self.rng.f32() < 0.6 {
                    let at = self.rng.usize(..self.rows.len());
                    let many = *self.rng.choice(&[1, 1, 1, 2, 7]).unwrap();
                    let to = (at + many).min(self.rows.len());
                    self.gone.extend(self.rows.drain(at..to).map(|(row, _)| row));
                } else {
                    (0..*self.rng.choice(&[1, 1, 2, 8]).unwrap()).for_each(|_| self.create());
                }
            }
        }

        fn answer(&mut self, offset: u64, limit: u64, count: bool) -> Result<Answered<u32>> {
            self.requests += 1;
            self.change();
            let offset = usize::try_from(offset).unwrap();
            if self.world.refuses && offset > 0 && offset >= self.rows.len() {
                return Err(Error::new(ErrorKind::Api, "beyond the end").with_status(400));
            }
            let limit = usize::try_from(limit).unwrap().min(self.world.clamp);
            let mut page: Vec<Row> = self.rows.iter().skip(offset).take(limit).copied().collect();
            if !page.is_empty() && self.rng.f32() < self.world.short {
                page.truncate(self.rng.usize(1..=page.len()));
            }
            if self.rng.f32() < self.world.empty {
                page.clear();
            }
            self.change();
            let total = match self.world.count {
                Count::Race => Some(self.rows.len()),
                Count::None => None,
                Count::Truncated => Some(self.rows.len().min(20)),
                Count::Page => Some(page.len()),
            };
            let bad = page.iter().enumerate().filter(|(_, (_, named))| !named);
            let rows = Rows {
                items: page.iter().filter(|(_, named)| *named).map(|(row, _)| *row).collect(),
                rejected: bad.map(|(index, _)| Rejected::new(index, "has no id")).collect(),
            };
            Ok(Answered { rows, total: total.filter(|_| count).map(|total| total as u64) })
        }
    }

    impl List {
        fn new(world: World, seed: u64) -> Self {
            let mut state = State::new(world, seed);
            let limit = *state.rng.choice(&[2, 3, 5, 10]).unwrap();
            let count = (world.count == Count::None).then_some(false);
            let state = Arc::new(Mutex::new(state));
            Self { paging: Paging { limit, offset: 0, count }, state }
        }
    }

    impl OffsetList for List {
        type Row = u32;

        fn paging(&self) -> &Paging {
            &self.paging
        }

        fn order(&self) -> Order {
            self.state.lock().unwrap().world.order
        }

        async fn request(&self, offset: u64, limit: u64, count: bool) -> Result<Answered<u32>> {
            // Requests that are under way at once are answered in any order.
            let wait = self.state.lock().unwrap().rng.u8(..4);
            for _ in 0..wait {
                tokio::task::yield_now().await;
            }
            self.state.lock().unwrap().answer(offset, limit, count)
        }
    }

    impl Paginator for List {
        type Item = u32;
        type Cursor = Cursor;

        fn listing_id(&self) -> ListingId {
            ListingId::new("model", [])
        }

        async fn fetch(&self, at: Option<&Cursor>) -> Result<Page<u32, Cursor>> {
            fetch(self, at).await
        }

        fn item_id<'a>(&self, item: &'a u32) -> Option<Cow<'a, str>> {
            Some(id(*item).into())
        }

        fn advance(&self, cursor: &mut Option<Cursor>, id: Option<&str>) -> bool {
            self.paging.advance(self.order(), cursor, id)
        }
    }

    impl SeekPaginator for List {
        fn predict(&self, at: Option<&Cursor>, total: u64) -> Option<Cursor> {
            if self.order() == Order::ById { predict(&self.paging, at, total) } else { None }
        }

        fn verify(&self, at: &Cursor, predicted: &Cursor, ids: &[Option<Cow<'_, str>>]) -> Continuity {
            verify(at, predicted, ids)
        }
    }

    /// How a list is walked.
    #[derive(Clone, Copy, Debug)]
    enum Mode {
        Lazy,
        Ahead,
        /// From a new checkpoint after each row.
        Resumed,
        Concurrent(usize),
    }

    const MODES: [Mode; 5] =
        [Mode::Lazy, Mode::Ahead, Mode::Resumed, Mode::Concurrent(2), Mode::Concurrent(6)];

    struct Walked {
        listed: Vec<u32>,
        rejected: u64,
        summary: Summary,
        error: Option<Error>,
        start: BTreeSet<u32>,
        gone: BTreeSet<u32>,
    }

    impl Walked {
        fn missing(&self) -> Vec<u32> {
            let stays = self.start.iter().filter(|row| !self.gone.contains(row));
            stays.filter(|row| !self.listed.contains(row)).copied().collect()
        }

        fn twice(&self) -> usize {
            self.listed.len() - self.listed.iter().collect::<BTreeSet<_>>().len()
        }
    }

    impl fmt::Debug for Walked {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let (missing, twice) = (self.missing(), self.twice());
            write!(f, "missing {missing:?}, {twice} twice, {:?}, {:?}", self.error, self.summary)
        }
    }

    async fn walk(list: &List, mode: Mode) -> Walked {
        let open = |list: List| match mode {
            Mode::Lazy | Mode::Resumed => list.items(),
            Mode::Ahead => list.pages().ahead(3).items(),
            Mode::Concurrent(width) => list.pages().concurrent(width).items(),
        };
        let mut items: Items<List> = open(list.clone());
        let (mut listed, mut rejected, mut failed) = (Vec::new(), 0, None);
        while let Some(row) = items.next().await {
            match row {
                Ok(row) => listed.push(row),
                Err(error) if error.kind() == ErrorKind::InvalidRecord => rejected += 1,
                Err(error) => failed = Some(error),
            }
            if matches!(mode, Mode::Resumed) && failed.is_none() {
                let saved = serde_json::to_string(&items.checkpoint()).unwrap();
                items = list.clone().resume(&serde_json::from_str(&saved).unwrap()).unwrap();
            }
        }
        let state = list.state.lock().unwrap();
        let (start, gone) = (state.start.clone(), state.gone.clone());
        Walked { listed, rejected, summary: items.summary(), error: failed, start, gone }
    }

    /// Walks many worlds of a kind in every mode, and has each result judged. `HEADCOUNT_WORLDS` says how many times
    /// as many.
    fn explore(world: World, seeds: u64, judge: impl Fn(&Walked)) {
        let times = std::env::var("HEADCOUNT_WORLDS").ok().and_then(|times| times.parse().ok());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for seed in 0..seeds * times.unwrap_or(1) {
            for mode in MODES {
                let walked = runtime.block_on(walk(&List::new(world, seed), mode));
                let case = std::panic::AssertUnwindSafe(|| judge(&walked));
                if let Err(panic) = std::panic::catch_unwind(case) {
                    eprintln!("seed {seed}, {mode:?}, {world:?}: {walked:?}");
                    std::panic::resume_unwind(panic);
                }
            }
        }
    }

    fn exactly_once(walked: &Walked) {
        assert!(walked.error.is_none(), "{:?}", walked.error);
        assert_eq!((walked.missing(), walked.twice()), (Vec::new(), 0));
    }

    fn nothing_silently(walked: &Walked) {
        if walked.error.is_none() && walked.summary.completeness == Completeness::Complete {
            assert_eq!(walked.missing(), Vec::<u32>::new());
            assert!(walked.twice() as u64 <= walked.summary.repeats_at_most);
        }
    }

    #[test]
    fn cursor_after_each_row() {
        let mut cursor = Cursor::at(7, None);
        for (id, saved) in [
            (None, r#"{"offset":8,"after":1}"#),
            (Some("a"), r#"{"offset":9,"last_id":"a"}"#),
            (None, r#"{"offset":10,"last_id":"a","after":1}"#),
            (Some("b"), r#"{"offset":11,"last_id":"b"}"#),
        ] {
            cursor.advance(id);
            assert_eq!(serde_json::to_string(&cursor).unwrap(), saved);
            assert_eq!(serde_json::from_str::<Cursor>(saved).unwrap(), cursor);
        }
    }

    #[test]
    fn predicted_pages_join_by_a_known_row() {
        let mut at = Cursor::at(4, None);
        at.advance(Some("e"));
        let predicted = Cursor { predicted: true, ..Cursor::at(2, None) };
        for (ids, expected) in [
            (&["d", "e", "f"][..], Continuity::Follows { skip: 2 }),
            (&["d", "f"], Continuity::Follows { skip: 1 }),
            (&["d", "e"], Continuity::Known),
            (&["f", "g"], Continuity::Gap),
            (&["e"], Continuity::Unusable),
            (&["e", "g", "f"], Continuity::Unusable),
            (&["D", "f"], Continuity::Unusable),
            (&[], Continuity::Unusable),
        ] {
            let ids: Vec<_> = ids.iter().map(|id| Some(Cow::Borrowed(*id))).collect();
            assert_eq!(verify(&at, &predicted, &ids), expected, "{ids:?}");
        }
        assert_eq!(verify(&at, &predicted, &[Some("d".into()), None]), Continuity::Known);
        assert_eq!(verify(&at, &predicted, &[None, None]), Continuity::Unusable);
    }

    const COUNTS: [Count; 2] = [Count::Race, Count::None];

    #[test]
    fn quiet_worlds_are_whole() {
        for (count, refuses) in COUNTS.into_iter().flat_map(|count| [(count, false), (count, true)]) {
            for order in [Order::ById, Order::Lasting, Order::Unknown] {
                explore(World { count, refuses, order, ..QUIET }, 40, |walked| {
                    exactly_once(walked);
                    assert_eq!(walked.summary.completeness, Completeness::Complete);
                    assert!(walked.listed.is_sorted());
                });
            }
        }
    }

    #[test]
    fn changes_lose_and_repeat_none() {
        for count in [Count::Race, Count::None, Count::Truncated, Count::Page] {
            for refuses in [false, true] {
                explore(World { churn: 0.3, count, refuses, ..QUIET }, 100, exactly_once);
            }
        }
    }

    #[test]
    fn one_fault_loses_none() {
        for (count, refuses) in COUNTS.into_iter().flat_map(|count| [(count, false), (count, true)]) {
            let world = World { count, refuses, ..QUIET };
            explore(World { short: 0.4, ..world }, 60, exactly_once);
            explore(World { empty: 0.05, ..world }, 60, exactly_once);
            explore(World { churn: 0.3, clamp: 3, ..world }, 60, exactly_once);
        }
    }

    #[test]
    fn two_faults_lose_none_silently() {
        for (count, refuses) in COUNTS.into_iter().flat_map(|count| [(count, false), (count, true)]) {
            let world = World { churn: 0.3, count, refuses, ..QUIET };
            explore(World { short: 0.3, ..world }, 60, nothing_silently);
            explore(World { empty: 0.05, ..world }, 60, nothing_silently);
            explore(World { clamp: 1, ..world }, 5, nothing_silently);
        }
    }

    #[test]
    fn rows_without_an_id_lose_none() {
        for count in COUNTS {
            let world = World { nameless: 0.3, count, ..QUIET };
            explore(world, 60, |walked| {
                exactly_once(walked);
                assert!(walked.rejected > 0 || walked.summary.completeness == Completeness::Complete);
            });
            explore(World { churn: 0.3, ..world }, 60, |walked| {
                assert!(walked.error.is_none(), "{:?}", walked.error);
                nothing_silently(walked);
                let Completeness::Uncertain(doubts) = &walked.summary.completeness else { return };
                assert!(
                    doubts.contains(&IncompleteReason::BoundariesUnverified) || walked.missing().is_empty()
                );
            });
        }
    }

    #[test]
    fn ids_out_of_order_are_not_compared() {
        for count in COUNTS {
            let world = World { sorts: false, count, ..QUIET };
            explore(world, 60, |walked| {
                exactly_once(walked);
                assert_eq!(walked.summary.completeness, Completeness::Complete);
            });
            explore(World { churn: 0.3, ..world }, 60, nothing_silently);
        }
    }

    #[test]
    fn other_orders_lose_none_silently() {
        for order in [Order::Lasting, Order::Unknown] {
            for count in COUNTS {
                let world = World { churn: 0.3, order, count, ..QUIET };
                explore(world, 60, nothing_silently);
                explore(World { short: 0.3, ..world }, 30, nothing_silently);
            }
        }
    }
}
