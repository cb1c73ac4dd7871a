//! Paging: the `Paginator` trait, streams of pages and items, checkpoints and summaries.
//!
//! Nothing in this module knows HTTP or a provider. The crate root re-exports its public types.

mod any;
mod checkpoint;
mod concurrent;
mod cycle;
mod digest;
mod items;
mod merge;
mod pages;
mod paginator;
mod prefetch;
mod summary;

use std::borrow::Cow;

use checkpoint::Yielded;
use digest::Fnv1a;

use crate::{Error, ErrorKind};

pub use any::{AnyPaginator, ErasedCursor, IntoAccounts};
pub(crate) use any::{DecodedAccounts, FetchAs};
pub use checkpoint::{Checkpoint, ListingId, Position};
pub use items::{Collected, Items};
pub use merge::{Event, Merge};
pub use pages::Pages;
pub use paginator::{Continuity, Cursor, Paginator, SeekPaginator};
pub(crate) use paginator::{inherent_streams, is_zero};
pub use summary::{Completeness, IncompleteReason, Summary};

/// The longest id of a rejected row in an error, in characters.
const MAX_ID_CHARS: usize = 64;

/// One page of a listing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Page<T, C> {
    /// The decoded items, in the provider's order. May be empty while `next` is `Some`.
    pub items: Vec<T>,
    /// The rows that could not be decoded, in the order of their positions.
    pub rejected: Vec<Rejected>,
    /// The cursor before the page's first row; `None` for the first page.
    ///
    /// The stream sets it to the cursor that fetched the page, unless it is [set](Self::starting_at).
    pub at: Option<C>,
    /// The cursor of the next page; `None` if this is the last page.
    pub next: Option<C>,
    /// The provider's count of the whole listing, if this page reports one.
    pub total: Option<u64>,
    /// The provider's count of the rows in this page, if it reports one.
    ///
    /// Informational: it is not compared with the rows, since a sample in Huawei's reference has a
    /// `current_count` of 100 and one row. It includes rows that were dropped as duplicates.
    pub reported_rows: Option<u64>,
    /// Rows that repeated earlier ones at the boundary of two pages, and were dropped.
    pub duplicates: u64,
    /// Reasons why the listing may be incomplete, as far as this page shows.
    pub incomplete: Vec<IncompleteReason>,
}

impl<T, C> Page<T, C> {
    /// Creates a page of `items`, followed by the page at `next`.
    pub fn new(items: Vec<T>, next: Option<C>) -> Self {
        Self {
            items,
            rejected: Vec::new(),
            at: None,
            next,
            total: None,
            reported_rows: None,
            duplicates: 0,
            incomplete: Vec::new(),
        }
    }

    /// Sets the rows that could not be decoded, in the order of their positions.
    #[must_use]
    pub fn with_rejected(mut self, rejected: Vec<Rejected>) -> Self {
        self.rejected = rejected;
        self
    }

    /// Sets the provider's count of the whole listing.
    #[must_use]
    pub fn with_total(mut self, total: Option<u64>) -> Self {
        self.total = total;
        self
    }

    /// Sets the provider's count of the rows in this page.
    #[must_use]
    pub fn with_reported_rows(mut self, rows: Option<u64>) -> Self {
        self.reported_rows = rows;
        self
    }

    /// Sets the number of rows that were dropped because earlier pages had them.
    #[must_use]
    pub fn with_duplicates(mut self, duplicates: u64) -> Self {
        self.duplicates = duplicates;
        self
    }

    /// Adds a reason why the listing may be incomplete.
    #[must_use]
    pub fn with_incomplete(mut self, reason: Option<IncompleteReason>) -> Self {
        self.incomplete.extend(reason);
        self
    }

    /// Sets the cursor before the first row, where it differs from the cursor that fetched the page.
    ///
    /// [`Paginator::advance`] moves it to the cursor of a checkpoint within the page.
    #[must_use]
    pub fn starting_at(mut self, at: Option<C>) -> Self {
        self.at = at;
        self
    }

    /// Returns the number of rows: items and rejected rows.
    pub fn rows(&self) -> usize {
        self.items.len() + self.rejected.len()
    }

    fn in_order(&self) -> impl Iterator<Item = Result<&T, &Rejected>> {
        in_order(&self.items, &self.rejected)
    }

    /// Returns the ids of all rows, in the provider's order.
    fn ids<'a, P: Paginator<Item = T>>(&'a self, paginator: &P) -> Vec<Option<Cow<'a, str>>> {
        let id = |row: Result<&'a T, &'a Rejected>| match row {
            Ok(item) => paginator.item_id(item),
            Err(rejected) => rejected.id.as_deref().map(Cow::Borrowed),
        };
        self.in_order().map(id).collect()
    }

    /// Returns `true` if the page begins with the rows that were yielded.
    fn begins_with<P: Paginator<Item = T>>(&self, paginator: &P, yielded: Yielded) -> bool {
        let mut begin = Yielded::NONE;
        for row in self.in_order().take(yielded.rows) {
            match row {
                Ok(item) => begin.item(paginator.item_id(item).as_deref()),
                Err(rejected) => begin.rejected(rejected),
            }
        }
        begin == yielded
    }

    /// Drops the first `count` rows.
    fn truncate_front(&mut self, count: usize) {
        let bad = self.in_order().take(count).filter(Result::is_err).count();
        self.items.drain(..count.min(self.rows()) - bad);
        self.rejected.drain(..bad);
        for row in &mut self.rejected {
            row.index = row.index.saturating_sub(count);
        }
    }

    /// Converts the items and cursors.
    fn map<U, D>(self, item: impl FnMut(T) -> U, mut cursor: impl FnMut(C) -> D) -> Page<U, D> {
        Page {
            items: self.items.into_iter().map(item).collect(),
            rejected: self.rejected,
            at: self.at.map(&mut cursor),
            next: self.next.map(cursor),
            total: self.total,
            reported_rows: self.reported_rows,
            duplicates: self.duplicates,
            incomplete: self.incomplete,
        }
    }
}

/// Returns items and rejected rows in the provider's order.
pub(crate) fn in_order<'a, T>(
    items: &'a [T],
    rejected: &'a [Rejected],
) -> impl Iterator<Item = Result<&'a T, &'a Rejected>> {
    let (mut items, mut rejected) = (items.iter(), rejected.iter().peekable());
    (0..items.len() + rejected.len()).filter_map(move |row| {
        let bad = rejected.next_if(|bad| bad.index <= row || items.len() == 0);
        bad.map(Err).or_else(|| items.next().map(Ok))
    })
}

/// A row of a page that could not be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rejected {
    /// The position among all rows of the page, from 0.
    pub index: usize,
    /// The id, if that could be read.
    pub id: Option<String>,
    /// Why it could not be decoded. Contains no values of the row.
    pub reason: String,
    /// The member names and types of the row, without values, cut to a few hundred characters.
    pub shape: String,
    /// A digest of the row's text, which identifies a row without an id in a checkpoint.
    digest: Fnv1a,
}

impl Rejected {
    /// Creates a rejected row at position `index`.
    pub fn new(index: usize, reason: impl Into<String>) -> Self {
        Self { index, id: None, reason: reason.into(), shape: String::new(), digest: Fnv1a::EMPTY }
    }

    /// Sets the row's text, of which only a digest is kept.
    pub(crate) fn with_text(mut self, text: &str) -> Self {
        self.digest = Fnv1a::EMPTY.update(text);
        self
    }

    /// Converts it to the error that a stream yields in its place. `page` counts from 1.
    fn into_error(self, page: u64) -> Error {
        // Text from outside: kept short and on one line.
        let id: Option<String> = self.id.map(|id| id.chars().take(MAX_ID_CHARS).collect());
        let id = id.map_or(String::new(), |id| format!(" with id {}", id.escape_debug()));
        let shape = if self.shape.is_empty() { String::new() } else { format!("; got {}", self.shape) };
        Error::new(
            ErrorKind::InvalidRecord,
            format!("failed to decode row {} of page {page}{id}: {}{shape}", self.index, self.reason),
        )
    }
}
