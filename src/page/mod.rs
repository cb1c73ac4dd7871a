//! Paging: pages, items, checkpoints, and the streams over them.
//!
//! Nothing here knows HTTP or a provider. A [`Paginator`] of your own gets all of it.
//!
//! # Going on another time
//!
//! ```
//! use futures::{StreamExt, TryStreamExt};
//! use headcount::{Checkpoint, Completeness, Paginator};
//! # use headcount::{Page, Result, ListingId};
//! #
//! # /// The numbers below 10, three to a page.
//! # struct Digits;
//! #
//! # impl Paginator for Digits {
//! #     type Item = u32;
//! #     type Cursor = u32;
//! #
//! #     fn listing_id(&self) -> ListingId {
//! #         ListingId::new("digits", [("below", "10")])
//! #     }
//! #
//! #     async fn fetch(&self, at: Option<&u32>) -> Result<Page<u32, u32>> {
//! #         let from = at.copied().unwrap_or(0);
//! #         let to = (from + 3).min(10);
//! #         Ok(Page::new((from..to).collect(), (to < 10).then_some(to)))
//! #     }
//! # }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // `Digits` lists the numbers below 10, three to a page. Four are enough for today.
//! let mut items = Digits.items();
//! let four: Vec<u32> = items.by_ref().take(4).try_collect().await?;
//! assert_eq!(four, [0, 1, 2, 3]);
//! assert_eq!(items.summary().completeness, Completeness::InProgress);
//! let saved: String = serde_json::to_string(&items.checkpoint())?;
//!
//! // Tomorrow, in another process:
//! let checkpoint: Checkpoint = serde_json::from_str(&saved)?;
//! let mut items = Digits.resume(&checkpoint)?;
//! let rest: Vec<u32> = items.by_ref().try_collect().await?;
//! assert_eq!(rest, [4, 5, 6, 7, 8, 9]);
//! assert_eq!(items.summary().items, 10);
//! assert_eq!(items.summary().completeness, Completeness::Complete);
//! # Ok(()) }
//! ```

mod ahead;
mod any;
mod checkpoint;
mod concurrent;
mod cycle;
mod digest;
mod items;
mod merge;
mod pages;
mod paginator;
mod summary;

use std::borrow::Cow;

use checkpoint::Yielded;
use digest::Digest;

use crate::{Error, ErrorKind};

pub use any::{Accounts, AnyPaginator, ErasedCursor};
pub use checkpoint::{Checkpoint, ListingId, Position};
pub use items::Items;
pub use merge::{Event, Merge};
pub use pages::Pages;
pub(crate) use paginator::is_zero;
pub use paginator::{Continuity, Cursor, Paginator, SeekPaginator};
pub use summary::{Completeness, IncompleteReason, Summary};

/// How much of a bad row's id goes into its error, in characters.
const MAX_ID_CHARS: usize = 64;

/// One answer of a list endpoint.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Page<T, C> {
    /// The items that could be read, in the provider's order. May be empty while `next` is `Some`.
    pub items: Vec<T>,
    /// The rows that could not, each with its place among all rows of the page.
    pub rejected: Vec<Rejected>,
    /// The place before the page's first row; `None` for the first page. The stream fills in the cursor that fetched
    /// the page, unless it is [set](Self::starting_at).
    pub at: Option<C>,
    /// The cursor of the following page; `None` when this is the last.
    pub next: Option<C>,
    /// The provider's own count of the whole listing, if it gave one with this page.
    pub total: Option<u64>,
    /// The provider's own count of the rows of this page, if it gave one.
    ///
    /// It is kept and compared with nothing: Huawei's reference has a sample whose `current_count` is 100 beside one
    /// row. It counts the page as the provider sent it, also where rows of it are left out.
    pub reported_rows: Option<u64>,
    /// Rows that repeated earlier ones at the seam between two pages, and were left out.
    pub duplicates: u64,
    /// Why the listing may not be whole, as far as this page shows.
    pub doubts: Vec<IncompleteReason>,
}

impl<T, C> Page<T, C> {
    /// A page, and where it leads.
    pub fn new(items: Vec<T>, next: Option<C>) -> Self {
        Self {
            items,
            rejected: Vec::new(),
            at: None,
            next,
            total: None,
            reported_rows: None,
            duplicates: 0,
            doubts: Vec::new(),
        }
    }

    /// With the rows that could not be read, in the order of their places.
    #[must_use]
    pub fn with_rejected(mut self, rejected: Vec<Rejected>) -> Self {
        self.rejected = rejected;
        self
    }

    /// With the provider's count of the whole listing.
    #[must_use]
    pub fn with_total(mut self, total: Option<u64>) -> Self {
        self.total = total;
        self
    }

    /// With the provider's count of the rows of this page.
    #[must_use]
    pub fn with_reported_rows(mut self, rows: Option<u64>) -> Self {
        self.reported_rows = rows;
        self
    }

    /// With the number of rows that were left out because earlier pages had them.
    #[must_use]
    pub fn with_duplicates(mut self, duplicates: u64) -> Self {
        self.duplicates = duplicates;
        self
    }

    /// With a reason why the listing may not be whole.
    #[must_use]
    pub fn with_doubt(mut self, doubt: Option<IncompleteReason>) -> Self {
        self.doubts.extend(doubt);
        self
    }

    /// With the place before its first row, where that differs from the cursor that fetched the page.
    ///
    /// Checkpoints within the page are made from it, by [`Paginator::advance`].
    #[must_use]
    pub fn starting_at(mut self, at: Option<C>) -> Self {
        self.at = at;
        self
    }

    /// How many rows the page has: items and rejected ones.
    pub fn rows(&self) -> usize {
        self.items.len() + self.rejected.len()
    }

    fn in_order(&self) -> impl Iterator<Item = Result<&T, &Rejected>> {
        in_order(&self.items, &self.rejected)
    }

    /// The ids of all rows, in the provider's order.
    fn ids<'a, P: Paginator<Item = T>>(&'a self, paginator: &P) -> Vec<Option<Cow<'a, str>>> {
        let id = |row: Result<&'a T, &'a Rejected>| match row {
            Ok(item) => paginator.item_id(item),
            Err(rejected) => rejected.id.as_deref().map(Cow::Borrowed),
        };
        self.in_order().map(id).collect()
    }

    /// Whether the page begins with the rows that were yielded.
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
    fn drop_front(&mut self, count: usize) {
        let bad = self.in_order().take(count).filter(Result::is_err).count();
        self.items.drain(..count.min(self.rows()) - bad);
        self.rejected.drain(..bad);
        for row in &mut self.rejected {
            row.index = row.index.saturating_sub(count);
        }
    }

    /// The same page with other types: [`Accounts`] and [`AnyPaginator`] need it.
    fn convert<U, D>(self, item: impl FnMut(T) -> U, mut cursor: impl FnMut(C) -> D) -> Page<U, D> {
        Page {
            items: self.items.into_iter().map(item).collect(),
            rejected: self.rejected,
            at: self.at.map(&mut cursor),
            next: self.next.map(cursor),
            total: self.total,
            reported_rows: self.reported_rows,
            duplicates: self.duplicates,
            doubts: self.doubts,
        }
    }
}

/// The items and the rejected rows of a page, in the provider's order.
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

/// A row of a page that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rejected {
    /// Its place in the page, counted from 0 over all rows.
    pub index: usize,
    /// Its id, where that much could be read.
    pub id: Option<String>,
    /// Why it could not be read. Holds no value of the row.
    pub reason: String,
    /// The row's shape: member names and types, no values, at most a few hundred characters.
    pub shape: String,
    /// Of the row's text: what tells it from others in a checkpoint, where it has no id.
    digest: Digest,
}

impl Rejected {
    /// A row at `index` that could not be read.
    pub fn new(index: usize, reason: impl Into<String>) -> Self {
        Self { index, id: None, reason: reason.into(), shape: String::new(), digest: Digest::NOTHING }
    }

    /// With the row's text, of which only a digest is kept.
    pub(crate) fn with_text(mut self, text: &str) -> Self {
        self.digest = Digest::NOTHING.then(text);
        self
    }

    /// The error that stands in the row's place in a stream of items. `page` counts from 1.
    fn into_error(self, page: u64) -> Error {
        // Whatever came in the place of an id: kept short, and on one line.
        let id: Option<String> = self.id.map(|id| id.chars().take(MAX_ID_CHARS).collect());
        let id = id.map_or(String::new(), |id| format!(" with id {}", id.escape_debug()));
        let shape = if self.shape.is_empty() { String::new() } else { format!("; it is {}", self.shape) };
        Error::new(
            ErrorKind::InvalidRecord,
            format!("row {} of page {page}{id} cannot be read: {}{shape}", self.index, self.reason),
        )
    }
}
