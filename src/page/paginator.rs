use std::{borrow::Cow, fmt::Debug, future::Future};

use serde::{Serialize, de::DeserializeOwned};

use super::{AnyPaginator, Checkpoint, Items, ListingId, Page, Pages, any::IntoAccounts};
use crate::{Account, Result};

/// The bounds of a cursor: comparable (to detect cycles), cloneable (to retry) and serialisable (for
/// checkpoints).
///
/// Implemented for every type that has them.
pub trait Cursor: Clone + Debug + Eq + Send + Sync + Serialize + DeserializeOwned + 'static {}
impl<C> Cursor for C where C: Clone + Debug + Eq + Send + Sync + Serialize + DeserializeOwned + 'static {}

/// Returns `true` for the counts in cursors that are not serialised.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
pub(crate) fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A listing that fetches one page for a cursor.
///
/// A paginator has no position: a page is a function of its cursor. So a page can be retried, cancelled,
/// prefetched or fetched concurrently. The streams of [`pages`](Self::pages) and [`items`](Self::items) have
/// the position, and with it checkpoints, cycle detection and the [`Summary`](super::Summary).
///
/// ```
/// use headcount::{ListingId, Page, Paginator, Result};
///
/// /// The numbers below 10, three to a page.
/// struct Digits;
///
/// impl Paginator for Digits {
///     type Item = u32;
///     type Cursor = u32;
///
///     fn listing_id(&self) -> ListingId {
///         ListingId::new("digits", [("below", "10")])
///     }
///
///     async fn fetch(&self, at: Option<&u32>) -> Result<Page<u32, u32>> {
///         let from = at.copied().unwrap_or(0);
///         let to = (from + 3).min(10);
///         Ok(Page::new((from..to).collect(), (to < 10).then_some(to)))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
/// let digits: Vec<u32> = Digits.items().collect_complete().await?;
/// assert_eq!(digits, (0..10).collect::<Vec<_>>());
/// # Ok(()) }
/// ```
pub trait Paginator: Send + Sync + 'static {
    /// The type of the items.
    type Item: Send + 'static;
    /// The position of a page.
    type Cursor: Cursor;

    /// Returns the identity of the listing, which binds checkpoints to it.
    ///
    /// It covers whatever selects the items: provider, tenant, principal, endpoint, filters, order and page
    /// size.
    fn listing_id(&self) -> ListingId;

    /// Fetches the page at `at`, or the first page if that is `None`.
    ///
    /// Only a page with `next: None` ends the listing; an empty page does not.
    ///
    /// # Errors
    /// Any error fails the page. A single row that cannot be decoded is not an error but a
    /// [`Rejected`](super::Rejected) in the page. The kind [`InvalidRecord`](crate::ErrorKind::InvalidRecord) is
    /// reserved for those: it is reported as [`Decode`](crate::ErrorKind::Decode).
    fn fetch(
        &self,
        at: Option<&Self::Cursor>,
    ) -> impl Future<Output = Result<Page<Self::Item, Self::Cursor>>> + Send;

    /// Returns the id of an item, unique in the listing, or `None` if items have no id.
    ///
    /// A checkpoint within a page contains a digest of the ids of the yielded items. Without ids it contains
    /// only their number, and [`resume`](Self::resume) skips that many rows.
    fn item_id<'a>(&self, item: &'a Self::Item) -> Option<Cow<'a, str>> {
        let _ = item;
        None
    }

    /// Moves `cursor` past one row of a page, for listings whose cursors are derived from rows.
    ///
    /// `id` is the row's id, or `None` for a row without one. Returns `false`, the default, if cursors are
    /// opaque.
    ///
    /// [`fetch`](Self::fetch) must derive `next` with this method too: from where the page
    /// [starts](Page::starting_at), over all its rows. A checkpoint within a page then is the cursor after the last
    /// yielded row, and [`resume`](Self::resume) neither loses nor repeats a row, whatever has changed.
    ///
    /// ```
    /// use headcount::{ListingId, Page, Paginator, Result};
    ///
    /// /// Names in alphabetical order. A cursor is the last name of the previous page.
    /// struct Names(Vec<String>);
    ///
    /// impl Paginator for Names {
    ///     type Item = String;
    ///     type Cursor = String;
    ///
    ///     fn listing_id(&self) -> ListingId {
    ///         ListingId::new("names", [])
    ///     }
    ///
    ///     async fn fetch(&self, at: Option<&String>) -> Result<Page<String, String>> {
    ///         let items: Vec<_> =
    ///             self.0.iter().filter(|name| Some(*name) > at).take(2).cloned().collect();
    ///         let next = items.last().cloned();
    ///         Ok(Page::new(items, next))
    ///     }
    ///
    ///     fn item_id<'a>(&self, name: &'a String) -> Option<std::borrow::Cow<'a, str>> {
    ///         Some(name.into())
    ///     }
    ///
    ///     fn advance(&self, cursor: &mut Option<String>, id: Option<&str>) -> bool {
    ///         *cursor = id.map(str::to_owned).or(cursor.take());
    ///         true
    ///     }
    /// }
    /// ```
    fn advance(&self, cursor: &mut Option<Self::Cursor>, id: Option<&str>) -> bool {
        let _ = (cursor, id);
        false
    }

    /// Returns a stream of pages, which fetches each page when it is polled.
    fn pages(self) -> Pages<Self>
    where
        Self: Sized,
    {
        Pages::new(self)
    }

    /// Returns a stream of items. The same as `pages().items()`.
    fn items(self) -> Items<Self>
    where
        Self: Sized,
    {
        Pages::new(self).items()
    }

    /// Returns a stream of the items after a checkpoint. The same as `pages().resume(from)`.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::Checkpoint`](crate::ErrorKind::Checkpoint) if `from` belongs to another
    /// listing.
    fn resume(self, from: &Checkpoint) -> Result<Items<Self>>
    where
        Self: Sized,
    {
        Pages::new(self).resume(from)
    }

    /// Converts the items to shared [`Account`]s and erases the type of the listing.
    ///
    /// The result fits a [`Merge`](super::Merge), or a `Vec` with the listings of other providers.
    fn into_accounts(self) -> AnyPaginator<Account>
    where
        Self: Sized,
        Self::Item: Into<Account>,
    {
        AnyPaginator::new(IntoAccounts::new(self))
    }
}

/// A [`Paginator`] that predicts the cursors of later pages, so that they can be fetched concurrently.
///
/// [`verify`](Self::verify) checks each predicted page by its rows. So [`Pages::concurrent`] yields the same items as
/// fetching page by page.
pub trait SeekPaginator: Paginator {
    /// Predicts the cursor of the page after the one at `at` in a listing of `total` rows.
    ///
    /// An `at` of `None` is the first page. Returns `None` beyond the total. [`fetch`](Paginator::fetch)
    /// returns the rows at a predicted cursor without verifying them.
    fn predict(&self, at: Option<&Self::Cursor>, total: u64) -> Option<Self::Cursor>;

    /// Returns how a page fetched at `predicted` continues the listing.
    ///
    /// `at` is the cursor after the last listed row, and `ids` are those of the page's rows in order. By
    /// default a page follows only if `predicted` equals `at`.
    fn verify(
        &self,
        at: &Self::Cursor,
        predicted: &Self::Cursor,
        ids: &[Option<Cow<'_, str>>],
    ) -> Continuity {
        let _ = ids;
        if predicted == at { Continuity::Follows { skip: 0 } } else { Continuity::Unusable }
    }
}

/// How a page fetched at a predicted cursor continues a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Continuity {
    /// It follows the last listed row after its first `skip` rows.
    Follows {
        /// The number of rows that were listed before.
        skip: usize,
    },
    /// All its rows were listed before. It is dropped, and the next predicted page is verified.
    Repeat,
    /// It begins after the next row. It is kept, and verified again once the rows before it are fetched.
    Gap,
    /// It cannot be verified. It is dropped, and the page is fetched at its exact cursor.
    Unusable,
}

/// Defines the stream methods of [`Paginator`] as inherent methods of a listing, so that using it needs no
/// import.
///
/// `accounts` adds `into_accounts()`. Generic parameters come first, in brackets.
macro_rules! inherent_streams {
    ([$($generics:tt)*] $listing:ty) => {
        impl<$($generics)*> $listing {
            /// Returns a stream of pages, which fetches each page when it is polled.
            pub fn pages(self) -> crate::Pages<Self> {
                crate::Paginator::pages(self)
            }

            /// Returns a stream of items. The same as `pages().items()`.
            pub fn items(self) -> crate::Items<Self> {
                crate::Paginator::items(self)
            }

            /// Returns a stream of the items after a checkpoint. The same as `pages().resume(from)`.
            ///
            /// # Errors
            /// Fails with [`ErrorKind::Checkpoint`](crate::ErrorKind::Checkpoint) if `from` belongs to
            /// another listing.
            pub fn resume(self, from: &crate::Checkpoint) -> crate::Result<crate::Items<Self>> {
                crate::Paginator::resume(self, from)
            }
        }
    };
    ($listing:ty) => {
        crate::page::inherent_streams!([] $listing);
    };
    ($listing:ty, accounts) => {
        crate::page::inherent_streams!($listing);

        impl $listing {
            /// Converts the items to shared [`Account`](crate::Account)s and erases the type of the listing.
            ///
            /// The result fits a [`Merge`](crate::Merge), or a `Vec` with the listings of other providers.
            pub fn into_accounts(self) -> crate::AnyPaginator<crate::Account> {
                crate::Paginator::into_accounts(self)
            }
        }
    };
}
pub(crate) use inherent_streams;
