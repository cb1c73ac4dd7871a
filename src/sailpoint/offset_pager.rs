//! Pagination by `offset`, resumed after the last row listed.
//!
//! A [`Cursor`] contains the id of the last row that was listed. Its offset is only a hint where to find that
//! row.
//!
//! # Invariant
//!
//! The listing is sorted by id. Each page is fetched from the last row listed on. A page is accepted only if
//! its ids ascend and it begins with a row at or before the last one listed, or at offset 0. Its rows after
//! the last one listed are the new rows.
//!
//! If all rows of a page are new, rows before the position were removed: the next probe is at a lower offset.
//! If none is new, rows before the position were added, or the page is short: the next probe is at a higher
//! offset that still covers the last known row. A page with new rows is never the end, whatever the count.
//! The end is a page that contains the last known row and nothing after it, if the count or further probes
//! confirm it.
//!
//! # Correctness
//!
//! A response is a snapshot: the rows after a known row on a page are all rows that followed it at that
//! moment.
//!
//! Accepted pages therefore cover the ids from the first to the last without a gap. Each page covers an
//! interval of ids and contains all rows of that interval at one moment. An account that exists throughout is
//! in exactly one interval, and is listed exactly once. This holds regardless of when a page was fetched, and
//! so also for pages fetched at [predicted](predict) offsets.
//!
//! # Other orders
//!
//! In an order requested by the caller, or chosen by the server, ids cannot be compared. A page is accepted
//! if it contains the last row listed. If it does not, the listing continues and reports
//! [`IncompleteReason::BoundariesUnverified`]: a row may be listed twice rather than skipped.
//!
//! The same applies to a page whose ids do not ascend by bytes, and to every page after it: the server does
//! not sort by id, or compares ids differently. A server that returns rows for every offset is an error.
//!
//! # Assumptions
//!
//! How the provider compares ids is not documented. Whether a count is exact and whether pages are full is
//! not either, so neither alone ends a listing.

use std::{borrow::Cow, future::Future};

use serde::{Deserialize, Serialize};

use crate::{
    Continuity, Error, ErrorKind, IncompleteReason, Page, Result,
    http::{ApiResponse, Rows, header_text, read_rows},
    page::is_zero,
    record::{FromRow, HasId},
};

/// The maximum number of rows on a page.
const MAX_LIMIT: u32 = 250;
/// How many responses must indicate the end if no count confirms it.
const END_CONFIRMATIONS: u32 = 3;
/// The maximum number of requests for one page.
const MAX_PROBES: u32 = 1000;
/// The number of requests for one page after which the server is checked for honouring the offset.
const PROBES_BEFORE_OFFSET_CHECK: u32 = 4;
/// The number of additional rows by which predicted pages overlap. Up to this many deletions before a page
/// leave no gap.
const PREDICTION_SLACK: u64 = 5;
/// How often an offset may be rejected although the previous page contained a row there. The listing may have
/// shrunk and grown in between.
const MAX_OFFSET_REJECTIONS: u32 = 6;
/// An offset beyond the end of every list. The provider reads offsets as 32-bit integers.
const OFFSET_BEYOND_END: u64 = i32::MAX as u64;

/// A position in a listing: after the last row that was listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The presumed number of rows before the position.
    offset: u64,
    /// The id of the last row that has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_id: Option<String>,
    /// The number of rows without an id that were listed after that row.
    #[serde(default, skip_serializing_if = "is_zero")]
    trailing_without_id: u64,
    /// The most recent count of the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    /// Whether the position was predicted rather than reached by listing rows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    predicted: bool,
    /// Whether listed ids did not ascend by bytes. Ids are then no longer compared.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unordered: bool,
}

impl Cursor {
    fn at(offset: u64, total: Option<u64>) -> Self {
        Self { offset, last_id: None, trailing_without_id: 0, total, predicted: false, unordered: false }
    }

    /// Advances past a row.
    fn advance(&mut self, id: Option<&str>) {
        self.offset = self.offset.saturating_add(1);
        match id {
            Some(id) => {
                self.unordered |= self.last_id.as_deref().is_some_and(|last| last >= id);
                id.clone_into(self.last_id.get_or_insert_default());
                self.trailing_without_id = 0;
            }
            None => self.trailing_without_id = self.trailing_without_id.saturating_add(1),
        }
    }

    /// Returns the number of rows by which the next page overlaps, so that it begins with the last row that
    /// has an id.
    fn overlap(&self) -> u64 {
        self.trailing_without_id.saturating_add(u64::from(self.last_id.is_some()))
    }

    /// Returns the offset of the request for the next page.
    fn fetch_offset(&self) -> u64 {
        self.offset.saturating_sub(self.overlap())
    }
}

/// The order of a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Ascending by id.
    Id,
    /// Another requested order, by immutable fields.
    Immutable,
    /// Another requested order, by mutable fields. Rows can move.
    Mutable,
    /// An order that the provider does not document.
    Unspecified,
}

impl Order {
    /// Returns whether rows keep their relative order.
    fn is_immutable(self) -> bool {
        matches!(self, Self::Id | Self::Immutable)
    }
}

/// The rows and count of one response.
pub(super) struct PageResponse<T> {
    pub(super) rows: Rows<T>,
    /// The provider's count of the listing, if it was requested.
    pub(super) total: Option<u64>,
}

impl<T: HasId> PageResponse<T> {
    fn ids(&self) -> Vec<Option<Cow<'_, str>>> {
        self.rows.ids().collect()
    }
}

/// A listing that is paginated by offset.
pub(super) trait OffsetListing: Sync {
    /// The type of the rows.
    type Row: HasId + Send;

    fn paging(&self) -> &Paging;

    fn order(&self) -> Order;

    /// Fetches up to `limit` rows from `offset` on.
    fn request(
        &self,
        offset: u64,
        limit: u64,
        count: bool,
    ) -> impl Future<Output = Result<PageResponse<Self::Row>>> + Send;
}

/// The parameters of pagination.
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

    /// Advances `cursor` past a row. Returns `false` if the order is not immutable: then a position within a
    /// page is identified by all rows of the page.
    pub(super) fn advance(&self, order: Order, cursor: &mut Option<Cursor>, id: Option<&str>) -> bool {
        let immutable = order.is_immutable();
        if immutable {
            cursor.get_or_insert_with(|| Cursor::at(self.offset, None)).advance(id);
        }
        immutable
    }

    fn limit(&self) -> u64 {
        self.limit.into()
    }

    /// Returns whether the request for the page at `at` includes a count. By default, the first page and
    /// pages near the end do.
    fn requests_count(&self, at: Option<&Cursor>) -> bool {
        self.count.unwrap_or_else(|| {
            at.is_none_or(|at| {
                at.total.is_some_and(|total| at.fetch_offset().saturating_add(self.limit()) >= total)
            })
        })
    }
}

/// Defines the setters of [`Paging`] and `total()` for a list with a field `paging`.
macro_rules! offset_setters {
    ($rows:literal) => {
        #[doc = concat!("Sets the maximum number of ", $rows, " on a page: 2 to 250. Default: 250.")]
        ///
        /// Each page begins with the last row of the previous page.
        pub fn limit(mut self, limit: u32) -> Self {
            self.paging.limit = limit;
            self
        }

        #[doc = concat!("Skips the first `offset` ", $rows, ".")]
        ///
        /// At most 2147483647, because the provider reads a 32-bit integer.
        pub fn offset(mut self, offset: u64) -> Self {
            self.paging.offset = offset;
            self
        }

        /// Sets whether all requests or none include the provider's count of the listing.
        ///
        /// By default, the first page and pages near the end include it. Counting takes the provider time.
        pub fn count(mut self, count: bool) -> Self {
            self.paging.count = Some(count);
            self
        }

        /// Fetches the provider's count of the listing, without rows.
        ///
        /// # Errors
        /// [`Decode`](crate::ErrorKind::Decode) if the response has no count, and the errors of every
        /// request.
        pub async fn total(&self) -> Result<u64> {
            self.client.context(self.check())?;
            self.client.context(offset_pager::total(self).await)
        }
    };
}
pub(super) use offset_setters;

/// Fetches the provider's count of a listing, without rows.
pub(super) async fn total(list: &impl OffsetListing) -> Result<u64> {
    let response = list.request(0, 0, true).await?;
    response.total.ok_or_else(|| Error::decode("the response has no X-Total-Count header"))
}

/// Parses a page: a bare array, with the count in a header.
pub(super) fn read<T: FromRow>(response: &ApiResponse, expected: &str) -> Result<PageResponse<T>> {
    let rows = read_rows(response, expected)?;
    let total = header_text(&response.headers, &["x-total-count"]).and_then(|text| text.trim().parse().ok());
    Ok(PageResponse { rows, total })
}

/// Predicts the cursor of the page after the one at `at`, in a listing by id with `total` rows from the
/// offset of the list on.
pub(super) fn predict(paging: &Paging, at: Option<&Cursor>, total: u64) -> Option<Cursor> {
    let max_stride = paging.limit().saturating_sub(1).max(1);
    let stride = max_stride - PREDICTION_SLACK.min(max_stride / 2);
    let offset = at.map_or(paging.offset, Cursor::fetch_offset).saturating_add(stride);
    let total = paging.offset.saturating_add(total);
    (offset < total).then(|| Cursor { predicted: true, ..Cursor::at(offset, Some(total)) })
}

/// Checks whether the rows of a page at `predicted` continue the listing after `at`, in a listing by id.
pub(super) fn verify(at: &Cursor, predicted: &Cursor, ids: &[Option<Cow<'_, str>>]) -> Continuity {
    let view = PageView::new(ids, at, Order::Id, predicted.offset);
    let (Some(last), Some(id)) = (at.last_id.as_deref(), ids.iter().flatten().next_back()) else {
        return Continuity::Unusable;
    };
    if !view.by_id || view.order_uncertain {
        Continuity::Unusable
    } else if !view.verified {
        Continuity::Gap
    } else if view.first_new < ids.len() && **id >= *last {
        Continuity::Follows { skip: view.first_new }
    } else if ids.len() > 1 {
        Continuity::Repeat
    } else {
        Continuity::Unusable
    }
}

/// The rows of a page in relation to a cursor.
struct PageView {
    /// Whether the rows are compared by id.
    by_id: bool,
    /// The index of the last row on the page that is known: the last row listed or, if ids are compared, a
    /// row before it.
    known_row: Option<usize>,
    /// Whether the rows from `first_new` on directly follow the position.
    verified: bool,
    /// The index of the first new row.
    first_new: usize,
    /// Whether the result depends on comparing ids that the server may compare differently.
    order_uncertain: bool,
}

impl PageView {
    fn new(ids: &[Option<Cow<'_, str>>], cursor: &Cursor, order: Order, offset: u64) -> Self {
        let last_id = cursor.last_id.as_deref();
        let rows_with_id = || ids.iter().enumerate().filter_map(|(row, id)| Some((row, id.as_deref()?)));
        let ascends = || rows_with_id().map(|(_, id)| id).is_sorted_by(|one, next| one < next);
        let by_id = order == Order::Id && !cursor.unordered && ascends();
        let last_row = rows_with_id().rfind(|(_, id)| Some(*id) == last_id).map(|(row, _)| row);
        let known_row = if by_id {
            rows_with_id().take_while(|(_, id)| Some(*id) <= last_id).last().map(|(row, _)| row)
        } else {
            last_row
        };
        let in_place =
            |row: usize| order.is_immutable() || offset.saturating_add(row as u64) == cursor.fetch_offset();
        let from_start = offset == 0 && (by_id || last_id.is_none());
        let verified = from_start || known_row.is_some_and(in_place);
        let next_row = known_row.map_or(0, |row| row + 1);
        let trailing = usize::try_from(cursor.trailing_without_id).unwrap_or(usize::MAX);
        let first_new = if verified {
            next_row + ids.iter().skip(next_row).take(trailing).take_while(|id| id.is_none()).count()
        } else if ids.iter().all(|id| last_id.is_some() && id.as_deref() == last_id) {
            ids.len()
        } else {
            0
        };
        let order_uncertain = by_id
            && verified
            && last_row.is_none()
            && last_id
                .is_some_and(|last_id| !sorts_bytewise(rows_with_id().map(|(_, id)| id).chain([last_id])));
        Self { by_id, known_row, verified, first_new, order_uncertain }
    }
}

/// Returns whether servers are assumed to sort these ids by bytes: they have only digits, hyphens and letters
/// of one case.
fn sorts_bytewise<'a>(ids: impl Iterator<Item = &'a str>) -> bool {
    let (mut lower, mut upper, mut other) = (false, false, false);
    for byte in ids.flat_map(str::bytes) {
        lower |= byte.is_ascii_lowercase();
        upper |= byte.is_ascii_uppercase();
        other |= !byte.is_ascii_alphanumeric() && byte != b'-';
    }
    !(other || lower && upper)
}

/// Fetches the page at `at`.
pub(super) async fn fetch<L: OffsetListing>(list: &L, at: Option<&Cursor>) -> Result<Page<L::Row, Cursor>> {
    let pager = Pager { list, paging: list.paging() };
    match at {
        Some(at) if at.predicted => pager.fetch_predicted(at).await,
        Some(at) if at.overlap() > 0 => pager.fetch_after(at).await,
        _ => pager.fetch_first().await,
    }
}

struct Pager<'a, L> {
    list: &'a L,
    paging: &'a Paging,
}

/// The offsets that the server rejected with 400 while a page was fetched.
#[derive(Default)]
struct RejectedOffsets {
    any: bool,
    /// The offset at which the previous page ended. 0 if the previous request was rejected.
    last_end: u64,
    /// The last rejected offset at which the previous page contained a row, and how often it was rejected in
    /// succession.
    offset: u64,
    times: u32,
}

impl<L: OffsetListing> Pager<'_, L> {
    /// Fetches the first page, at the offset of the list.
    async fn fetch_first(&self) -> Result<Page<L::Row, Cursor>> {
        let offset = self.paging.offset;
        let mut attempts = 0;
        loop {
            let response =
                self.list.request(offset, self.paging.limit(), self.paging.requests_count(None)).await?;
            let (len, total) = (response.rows.len() as u64, response.total);
            attempts += 1;
            if len == 0 && attempts <= END_CONFIRMATIONS && total.is_none_or(|total| total > offset) {
                continue;
            }
            if len == 0 {
                return Ok(self.end_page(total, false));
            }
            // In an unspecified order, a further request at the end could return any row. A first page that
            // is not full and ends at the count is the whole list.
            let unspecified = self.list.order() == Order::Unspecified;
            let is_complete =
                unspecified && len < self.paging.limit() && total == Some(offset.saturating_add(len));
            let page = self.build_page(response, Cursor::at(offset, total));
            return Ok(if is_complete { Page { next: None, ..page } } else { page });
        }
    }

    /// Fetches the page after `cursor`. See the module docs for the invariant.
    async fn fetch_after(&self, cursor: &Cursor) -> Result<Page<L::Row, Cursor>> {
        let order = self.list.order();
        let stride = self.paging.limit() - 1;
        // If no page can contain a known row, only the offset identifies the position.
        let offset_only = cursor.overlap() > stride || cursor.last_id.is_none() && self.paging.offset > 0;
        let (mut offset, mut step) =
            (if offset_only { cursor.offset } else { cursor.fetch_offset() }, stride);
        let (mut empty_responses, mut end_signs, mut unverified) = (0, 0, offset_only);
        let mut rejected = RejectedOffsets::default();
        for probe in 0..MAX_PROBES {
            if probe == PROBES_BEFORE_OFFSET_CHECK && !rejected.any {
                self.ensure_offset_honoured().await?;
            }
            let count = self.paging.count.unwrap_or(probe > 0 || self.paging.requests_count(Some(cursor)));
            let response = self.fetch_at(offset, count, &mut rejected).await?;
            let len = response.rows.len();
            let end = offset.saturating_add(len as u64);
            if len == 0 && (offset_only || offset == 0) {
                empty_responses += 1;
                if empty_responses > END_CONFIRMATIONS || response.total == Some(offset) {
                    return Ok(self.end_page(response.total, unverified));
                }
                continue;
            }
            let view = PageView::new(&response.ids(), cursor, order, offset);
            if len == 0 || view.by_id && !view.verified && !offset_only {
                // Rows before the position were removed.
                (offset, step, end_signs) = (offset.saturating_sub(step), step.saturating_mul(2), 0);
                continue;
            }
            empty_responses = 0;
            unverified |= view.order_uncertain || !view.verified;
            let suspicious =
                !view.by_id && (order == Order::Id || response.total.is_some_and(|total| end > total));
            if suspicious || !view.verified {
                self.ensure_offset_honoured().await?;
            }
            if view.first_new < len {
                // A page without the last row listed that ends at or before its offset may be the last page.
                let ends_before = !view.verified && end <= cursor.offset;
                let is_last = ends_before
                    && (response.total == Some(end)
                        || self.fetch_at_confirmed(end, count, &mut rejected).await?.rows.len() == 0);
                let page = self.page_after(response, cursor, offset, &view, unverified);
                return Ok(if is_last { Page { next: None, ..page } } else { page });
            }
            match view.known_row {
                Some(row) if row > 0 => {
                    // Rows before the position were added, or the page is short.
                    (offset, step, end_signs) = (offset.saturating_add(row as u64), stride, 0);
                    continue;
                }
                _ if response.total == Some(end) => return Ok(self.end_page(response.total, unverified)),
                _ => end_signs += 1,
            }
            if end_signs < END_CONFIRMATIONS && (len as u64) < self.paging.limit() {
                continue;
            }
            // More rows are found here only if pages are truncated to known rows. Some rows without an id may
            // not be on the page.
            let on_page = view.first_new.saturating_sub(view.known_row.map_or(0, |row| row + 1));
            let hidden = cursor.trailing_without_id.saturating_sub(on_page as u64);
            let end = end.saturating_add(hidden);
            let beyond = self.fetch_at_confirmed(end, count, &mut rejected).await?;
            if beyond.rows.len() == 0 {
                return Ok(self.end_page(beyond.total.or(response.total), unverified || hidden > 0));
            }
            let view = PageView::new(&beyond.ids(), cursor, order, end);
            let Some(row) = view.known_row.filter(|_| !view.order_uncertain) else {
                self.ensure_offset_honoured().await?;
                let view = PageView { verified: false, first_new: 0, ..view };
                return Ok(self.page_after(beyond, cursor, end, &view, true));
            };
            // Rows before the position were added: continue at a higher offset that covers the last known
            // row.
            (offset, step, end_signs) = (end.saturating_add(row as u64), stride, 0);
        }
        let message = "the listing changed during pagination and the position was lost, or the server does \
                       not honour the offset; start again";
        Err(Error::new(ErrorKind::ListingChanged, message))
    }

    /// Fetches the rows at a predicted offset. [`verify`] checks whether they continue the listing.
    async fn fetch_predicted(&self, cursor: &Cursor) -> Result<Page<L::Row, Cursor>> {
        let count = self.paging.requests_count(Some(cursor));
        let response = self.fetch_at(cursor.offset, count, &mut RejectedOffsets::default()).await?;
        let start = Cursor::at(cursor.offset, response.total.or(cursor.total));
        Ok(self.build_page(response, start))
    }

    /// Fetches the rows from `offset` on. A 400 may mean that the list ends before `offset`, and is treated
    /// as no rows.
    async fn fetch_at(
        &self,
        offset: u64,
        count: bool,
        rejected: &mut RejectedOffsets,
    ) -> Result<PageResponse<L::Row>> {
        match self.list.request(offset, self.paging.limit(), count).await {
            Err(error) if error.status() == Some(400) && offset > 0 => {
                if rejected.last_end > offset {
                    rejected.times = if rejected.offset == offset { rejected.times + 1 } else { 1 };
                    rejected.offset = offset;
                    if rejected.times > MAX_OFFSET_REJECTIONS {
                        return Err(error);
                    }
                }
                (rejected.any, rejected.last_end) = (true, 0);
                Ok(PageResponse { rows: Rows::empty(), total: None })
            }
            response => response
                .inspect(|response| rejected.last_end = offset.saturating_add(response.rows.len() as u64)),
        }
    }

    /// Fetches the rows from `offset` on, twice if the response is empty and no count confirms the end: an
    /// empty response may be transient.
    async fn fetch_at_confirmed(
        &self,
        offset: u64,
        count: bool,
        rejected: &mut RejectedOffsets,
    ) -> Result<PageResponse<L::Row>> {
        let response = self.fetch_at(offset, count, rejected).await?;
        if response.rows.len() > 0 || response.total == Some(offset) {
            return Ok(response);
        }
        self.fetch_at(offset, count, rejected).await
    }

    /// Fails if the server returns rows for an offset beyond the end. Its listing would never end.
    async fn ensure_offset_honoured(&self) -> Result<()> {
        if self.fetch_at(OFFSET_BEYOND_END, false, &mut RejectedOffsets::default()).await?.rows.len() == 0 {
            return Ok(());
        }
        let message = "pagination loop: the server returns rows for every offset";
        Err(Error::new(ErrorKind::PaginationLoop, message))
    }

    /// Converts the new rows of the response at `offset` to a page.
    fn page_after(
        &self,
        mut response: PageResponse<L::Row>,
        cursor: &Cursor,
        offset: u64,
        view: &PageView,
        unverified: bool,
    ) -> Page<L::Row, Cursor> {
        let last_id = cursor.last_id.as_deref();
        let dropped = response
            .rows
            .retain(|row, id| row >= view.first_new && (view.verified || last_id.is_none() || id != last_id));
        let next_row = view.known_row.map_or(0, |row| row + 1);
        let trailing_without_id = if view.verified {
            view.first_new.saturating_sub(next_row) as u64
        } else {
            cursor.trailing_without_id
        };
        let start = Cursor {
            offset: offset.saturating_add(dropped),
            last_id: cursor.last_id.clone(),
            trailing_without_id,
            total: response.total.or(cursor.total),
            predicted: false,
            unordered: cursor.unordered,
        };
        self.build_page(response, start)
            .with_duplicates(dropped.saturating_sub(cursor.overlap()))
            .with_incomplete(unverified.then_some(IncompleteReason::BoundariesUnverified))
            .with_incomplete((self.list.order() == Order::Mutable).then_some(IncompleteReason::UnstableOrder))
    }

    /// Converts all rows of a response to a page that begins at `start`.
    fn build_page(&self, response: PageResponse<L::Row>, start: Cursor) -> Page<L::Row, Cursor> {
        let mut next = start.clone();
        response.rows.ids().for_each(|id| next.advance(id.as_deref()));
        let total = self.total(response.total);
        response.rows.into_page(Some(next)).with_total(total).starting_at(Some(start))
    }

    /// Returns an empty last page.
    fn end_page(&self, total: Option<u64>, unverified: bool) -> Page<L::Row, Cursor> {
        let reason = unverified.then_some(IncompleteReason::BoundariesUnverified);
        Page::new(Vec::new(), None).with_total(self.total(total)).with_incomplete(reason)
    }

    /// Converts a count of the provider to a count from the offset of the list on.
    fn total(&self, total: Option<u64>) -> Option<u64> {
        total.map(|total| total.saturating_sub(self.paging.offset))
    }
}

#[cfg(test)]
mod tests {
    //! Tests with a model of a server whose listing changes before every request, and between reading a page
    //! and counting.

    use std::{
        collections::BTreeSet,
        fmt,
        sync::{Arc, Mutex},
    };

    use super::*;
    use crate::{Completeness, Items, ListingId, Paginator, Rejected, SeekPaginator, Summary};
    use fastrand::Rng;

    /// The count that the server returns.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Count {
        /// The number of rows after further changes, which happen after the page was read.
        AfterChange,
        None,
        /// At most 20.
        Truncated,
        /// The number of rows on the page.
        Page,
    }

    /// The behaviour of a server. Probabilities are per request.
    #[derive(Clone, Copy, Debug)]
    struct Scenario {
        /// The probability of a change before and after a page is read, and of each further change.
        churn: f32,
        /// The probability that a page is truncated.
        short_page: f32,
        /// The maximum number of rows on a page, regardless of the requested limit.
        max_rows: usize,
        /// The probability of an empty response.
        empty_page: f32,
        count: Count,
        /// The probability that a created row has no id.
        without_id: f32,
        /// Whether the server responds with 400 to an offset beyond the end.
        rejects_beyond_end: bool,
        /// Whether the server sorts by id. If not, it uses another stable order.
        sorts_by_id: bool,
        order: Order,
    }

    const STABLE: Scenario = Scenario {
        churn: 0.0,
        short_page: 0.0,
        max_rows: usize::MAX,
        empty_page: 0.0,
        count: Count::AfterChange,
        without_id: 0.0,
        rejects_beyond_end: false,
        sorts_by_id: true,
        order: Order::Id,
    };

    /// A row: its number, and whether the server returns an id for it.
    type Row = (u32, bool);

    struct State {
        scenario: Scenario,
        rng: Rng,
        rows: Vec<Row>,
        initial: BTreeSet<u32>,
        removed: BTreeSet<u32>,
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
        fn new(scenario: Scenario, seed: u64) -> Self {
            let mut rng = Rng::with_seed(seed);
            let len = *rng.choice(&[0, 1, 2, 5, 10, 11, 20, 30, 60, 99]).unwrap();
            let mut state = Self {
                scenario,
                rng,
                rows: Vec::new(),
                initial: BTreeSet::new(),
                removed: BTreeSet::new(),
                requests: 0,
            };
            (0..len).for_each(|_| state.create());
            state.initial = state.rows.iter().filter(|(_, has_id)| *has_id).map(|(row, _)| *row).collect();
            state
        }

        fn create(&mut self) {
            let row = self.rng.u32(..1_000_000);
            if self.rows.iter().all(|(existing, _)| *existing != row) && !self.initial.contains(&row) {
                self.rows.push((row, self.rng.f32() >= self.scenario.without_id));
                let sorts_by_id = self.scenario.sorts_by_id;
                self.rows.sort_unstable_by_key(|(row, _)| {
                    if sorts_by_id { *row } else { row.wrapping_mul(2_654_435_761) }
                });
            }
        }

        fn change(&mut self) {
            while self.rng.f32() < self.scenario.churn {
                if !self.rows.is_empty() && self.rng.f32() < 0.6 {
                    let at = self.rng.usize(..self.rows.len());
                    let count = *self.rng.choice(&[1, 1, 1, 2, 7]).unwrap();
                    let to = (at + count).min(self.rows.len());
                    self.removed.extend(self.rows.drain(at..to).map(|(row, _)| row));
                } else {
                    (0..*self.rng.choice(&[1, 1, 2, 8]).unwrap()).for_each(|_| self.create());
                }
            }
        }

        fn respond(&mut self, offset: u64, limit: u64, count: bool) -> Result<PageResponse<u32>> {
            self.requests += 1;
            self.change();
            let offset = usize::try_from(offset).unwrap();
            if self.scenario.rejects_beyond_end && offset > 0 && offset >= self.rows.len() {
                return Err(Error::new(ErrorKind::Api, "beyond the end").with_status(400));
            }
            let limit = usize::try_from(limit).unwrap().min(self.scenario.max_rows);
            let mut page: Vec<Row> = self.rows.iter().skip(offset).take(limit).copied().collect();
            if !page.is_empty() && self.rng.f32() < self.scenario.short_page {
                page.truncate(self.rng.usize(1..=page.len()));
            }
            if self.rng.f32() < self.scenario.empty_page {
                page.clear();
            }
            self.change();
            let total = match self.scenario.count {
                Count::AfterChange => Some(self.rows.len()),
                Count::None => None,
                Count::Truncated => Some(self.rows.len().min(20)),
                Count::Page => Some(page.len()),
            };
            let rejected = page.iter().enumerate().filter(|(_, (_, has_id))| !has_id);
            let rows = Rows {
                items: page.iter().filter(|(_, has_id)| *has_id).map(|(row, _)| *row).collect(),
                rejected: rejected.map(|(index, _)| Rejected::new(index, "has no id")).collect(),
            };
            Ok(PageResponse { rows, total: total.filter(|_| count).map(|total| total as u64) })
        }
    }

    impl List {
        fn new(scenario: Scenario, seed: u64) -> Self {
            let mut state = State::new(scenario, seed);
            let limit = *state.rng.choice(&[2, 3, 5, 10]).unwrap();
            let count = (scenario.count == Count::None).then_some(false);
            let state = Arc::new(Mutex::new(state));
            Self { paging: Paging { limit, offset: 0, count }, state }
        }
    }

    impl OffsetListing for List {
        type Row = u32;

        fn paging(&self) -> &Paging {
            &self.paging
        }

        fn order(&self) -> Order {
            self.state.lock().unwrap().scenario.order
        }

        async fn request(&self, offset: u64, limit: u64, count: bool) -> Result<PageResponse<u32>> {
            // Concurrent requests are processed in any order.
            let yields = self.state.lock().unwrap().rng.u8(..4);
            for _ in 0..yields {
                tokio::task::yield_now().await;
            }
            self.state.lock().unwrap().respond(offset, limit, count)
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
            if self.order() == Order::Id { predict(&self.paging, at, total) } else { None }
        }

        fn verify(&self, at: &Cursor, predicted: &Cursor, ids: &[Option<Cow<'_, str>>]) -> Continuity {
            verify(at, predicted, ids)
        }
    }

    /// How a list is consumed.
    #[derive(Clone, Copy, Debug)]
    enum Mode {
        Sequential,
        Prefetch,
        /// Resumed from a new checkpoint after each row.
        Resumed,
        Concurrent(usize),
    }

    const MODES: [Mode; 5] =
        [Mode::Sequential, Mode::Prefetch, Mode::Resumed, Mode::Concurrent(2), Mode::Concurrent(6)];

    struct Outcome {
        listed: Vec<u32>,
        rejected: u64,
        summary: Summary,
        error: Option<Error>,
        initial: BTreeSet<u32>,
        removed: BTreeSet<u32>,
    }

    impl Outcome {
        fn missing(&self) -> Vec<u32> {
            let remaining = self.initial.iter().filter(|row| !self.removed.contains(row));
            remaining.filter(|row| !self.listed.contains(row)).copied().collect()
        }

        fn duplicates(&self) -> usize {
            self.listed.len() - self.listed.iter().collect::<BTreeSet<_>>().len()
        }
    }

    impl fmt::Debug for Outcome {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let (missing, duplicates) = (self.missing(), self.duplicates());
            write!(f, "missing {missing:?}, {duplicates} duplicates, {:?}, {:?}", self.error, self.summary)
        }
    }

    async fn list_all(list: &List, mode: Mode) -> Outcome {
        let open = |list: List| match mode {
            Mode::Sequential | Mode::Resumed => list.items(),
            Mode::Prefetch => list.pages().ahead(3).items(),
            Mode::Concurrent(width) => list.pages().concurrent(width).items(),
        };
        let mut items: Items<List> = open(list.clone());
        let (mut listed, mut rejected, mut failure) = (Vec::new(), 0, None);
        while let Some(row) = items.next().await {
            match row {
                Ok(row) => listed.push(row),
                Err(error) if error.kind() == ErrorKind::InvalidRecord => rejected += 1,
                Err(error) => failure = Some(error),
            }
            if matches!(mode, Mode::Resumed) && failure.is_none() {
                let saved = serde_json::to_string(&items.checkpoint()).unwrap();
                items = list.clone().resume(&serde_json::from_str(&saved).unwrap()).unwrap();
            }
        }
        let state = list.state.lock().unwrap();
        let (initial, removed) = (state.initial.clone(), state.removed.clone());
        Outcome { listed, rejected, summary: items.summary(), error: failure, initial, removed }
    }

    /// Lists `seeds` random listings of a scenario in every mode, and checks each outcome. The environment
    /// variable `HEADCOUNT_WORLDS` multiplies the number of seeds.
    fn run_scenario(scenario: Scenario, seeds: u64, check: impl Fn(&Outcome)) {
        let factor = std::env::var("HEADCOUNT_WORLDS").ok().and_then(|factor| factor.parse().ok());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for seed in 0..seeds * factor.unwrap_or(1) {
            for mode in MODES {
                let outcome = runtime.block_on(list_all(&List::new(scenario, seed), mode));
                let case = std::panic::AssertUnwindSafe(|| check(&outcome));
                if let Err(panic) = std::panic::catch_unwind(case) {
                    eprintln!("seed {seed}, {mode:?}, {scenario:?}: {outcome:?}");
                    std::panic::resume_unwind(panic);
                }
            }
        }
    }

    fn assert_exactly_once(outcome: &Outcome) {
        assert!(outcome.error.is_none(), "{:?}", outcome.error);
        assert_eq!((outcome.missing(), outcome.duplicates()), (Vec::new(), 0));
    }

    fn assert_no_silent_loss(outcome: &Outcome) {
        if outcome.error.is_none() && outcome.summary.completeness == Completeness::Complete {
            assert_eq!(outcome.missing(), Vec::<u32>::new());
            assert!(outcome.duplicates() as u64 <= outcome.summary.repeats_at_most);
        }
    }

    #[test]
    fn cursor_after_each_row() {
        let mut cursor = Cursor::at(7, None);
        for (id, saved) in [
            (None, r#"{"offset":8,"trailing_without_id":1}"#),
            (Some("a"), r#"{"offset":9,"last_id":"a"}"#),
            (None, r#"{"offset":10,"last_id":"a","trailing_without_id":1}"#),
            (Some("b"), r#"{"offset":11,"last_id":"b"}"#),
        ] {
            cursor.advance(id);
            assert_eq!(serde_json::to_string(&cursor).unwrap(), saved);
            assert_eq!(serde_json::from_str::<Cursor>(saved).unwrap(), cursor);
        }
    }

    #[test]
    fn verify_predicted_pages() {
        let mut at = Cursor::at(4, None);
        at.advance(Some("e"));
        let predicted = Cursor { predicted: true, ..Cursor::at(2, None) };
        for (ids, expected) in [
            (&["d", "e", "f"][..], Continuity::Follows { skip: 2 }),
            (&["d", "f"], Continuity::Follows { skip: 1 }),
            (&["d", "e"], Continuity::Repeat),
            (&["f", "g"], Continuity::Gap),
            (&["e"], Continuity::Unusable),
            (&["e", "g", "f"], Continuity::Unusable),
            (&["D", "f"], Continuity::Unusable),
            (&[], Continuity::Unusable),
        ] {
            let ids: Vec<_> = ids.iter().map(|id| Some(Cow::Borrowed(*id))).collect();
            assert_eq!(verify(&at, &predicted, &ids), expected, "{ids:?}");
        }
        assert_eq!(verify(&at, &predicted, &[Some("d".into()), None]), Continuity::Repeat);
        assert_eq!(verify(&at, &predicted, &[None, None]), Continuity::Unusable);
    }

    const COUNTS: [Count; 2] = [Count::AfterChange, Count::None];

    #[test]
    fn stable_listing_is_complete() {
        for (count, rejects_beyond_end) in
            COUNTS.into_iter().flat_map(|count| [(count, false), (count, true)])
        {
            for order in [Order::Id, Order::Immutable, Order::Unspecified] {
                run_scenario(Scenario { count, rejects_beyond_end, order, ..STABLE }, 15, |outcome| {
                    assert_exactly_once(outcome);
                    assert_eq!(outcome.summary.completeness, Completeness::Complete);
                    assert!(outcome.listed.is_sorted());
                });
            }
        }
    }

    #[test]
    fn changes_list_each_row_once() {
        for count in [Count::AfterChange, Count::None, Count::Truncated, Count::Page] {
            for rejects_beyond_end in [false, true] {
                run_scenario(
                    Scenario { churn: 0.3, count, rejects_beyond_end, ..STABLE },
                    30,
                    assert_exactly_once,
                );
            }
        }
    }

    #[test]
    fn single_fault_lists_each_row_once() {
        for (count, rejects_beyond_end) in
            COUNTS.into_iter().flat_map(|count| [(count, false), (count, true)])
        {
            let scenario = Scenario { count, rejects_beyond_end, ..STABLE };
            run_scenario(Scenario { short_page: 0.4, ..scenario }, 20, assert_exactly_once);
            run_scenario(Scenario { empty_page: 0.05, ..scenario }, 20, assert_exactly_once);
            run_scenario(Scenario { churn: 0.3, max_rows: 3, ..scenario }, 20, assert_exactly_once);
        }
    }

    #[test]
    fn combined_faults_lose_no_row_silently() {
        for (count, rejects_beyond_end) in
            COUNTS.into_iter().flat_map(|count| [(count, false), (count, true)])
        {
            let scenario = Scenario { churn: 0.3, count, rejects_beyond_end, ..STABLE };
            run_scenario(Scenario { short_page: 0.3, ..scenario }, 20, assert_no_silent_loss);
            run_scenario(Scenario { empty_page: 0.05, ..scenario }, 20, assert_no_silent_loss);
            run_scenario(Scenario { max_rows: 1, ..scenario }, 5, assert_no_silent_loss);
        }
    }

    #[test]
    fn rows_without_id() {
        for count in COUNTS {
            let scenario = Scenario { without_id: 0.3, count, ..STABLE };
            run_scenario(scenario, 20, |outcome| {
                assert_exactly_once(outcome);
                assert!(outcome.rejected > 0 || outcome.summary.completeness == Completeness::Complete);
            });
            run_scenario(Scenario { churn: 0.3, ..scenario }, 20, |outcome| {
                assert!(outcome.error.is_none(), "{:?}", outcome.error);
                assert_no_silent_loss(outcome);
                let Completeness::Uncertain(reasons) = &outcome.summary.completeness else { return };
                assert!(
                    reasons.contains(&IncompleteReason::BoundariesUnverified) || outcome.missing().is_empty()
                );
            });
        }
    }

    #[test]
    fn unsorted_ids_are_not_compared() {
        for count in COUNTS {
            let scenario = Scenario { sorts_by_id: false, count, ..STABLE };
            run_scenario(scenario, 20, |outcome| {
                assert_exactly_once(outcome);
                assert_eq!(outcome.summary.completeness, Completeness::Complete);
            });
            run_scenario(Scenario { churn: 0.3, ..scenario }, 20, assert_no_silent_loss);
        }
    }

    #[test]
    fn other_orders_lose_no_row_silently() {
        for order in [Order::Immutable, Order::Unspecified] {
            for count in COUNTS {
                let scenario = Scenario { churn: 0.3, order, count, ..STABLE };
                run_scenario(scenario, 20, assert_no_silent_loss);
                run_scenario(Scenario { short_page: 0.3, ..scenario }, 10, assert_no_silent_loss);
            }
        }
    }
}
