use std::{borrow::Cow, fmt::Debug, future::Future};

use serde::{Serialize, de::DeserializeOwned};

use super::{AnyPaginator, Checkpoint, Items, ListingId, Page, Pages, any::Accounts};
use crate::{Account, Result};

/// What a cursor must be: comparable (to notice loops), cloneable (to retry), serialisable (for
/// checkpoints). Implemented for every type that is all of it.
pub trait Cursor: Clone + Debug + Eq + Send + Sync + Serialize + DeserializeOwned + 'static {}
impl<C> Cursor for C where C: Clone + Debug + Eq + Send + Sync + Serialize + DeserializeOwned + 'static {}

/// For the counts in cursors that are mostly zero: those are not saved.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
pub(crate) fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A list endpoint: given a cursor, it fetches one page.
///
/// It holds no position of its own: a page is a function of its cursor, so that it can be asked for
/// again, given up, or fetched ahead of use. The position lives in the streams that [`pages`](Self::pages)
/// and [`items`](Self::items) make, and so do checkpoints, loop detection and the [`Summary`](super::Summary).
///
/// ```
/// use futures::TryStreamExt;
/// use headcount::{Page, Paginator, Result, ListingId};
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
/// let digits: Vec<u32> = Digits.items().try_collect().await?;
/// assert_eq!(digits, (0..10).collect::<Vec<_>>());
/// # Ok(()) }
/// ```
pub trait Paginator: Send + Sync + 'static {
    /// What is listed.
    type Item: Send + 'static;
    /// Where a page starts.
    type Cursor: Cursor;

    /// Names the listing, so that a checkpoint can not be used on another: provider, tenant, endpoint,
    /// filters, page size.
    fn listing_id(&self) -> ListingId;

    /// Fetches the page at `at`, the first page when `None`.
    ///
    /// A page without items is not the end: only `next: None` is.
    ///
    /// # Errors
    /// Any, for the page as a whole. One of kind [`InvalidRecord`](crate::ErrorKind::InvalidRecord) comes out as
    /// [`Decode`](crate::ErrorKind::Decode): a row that cannot be decoded goes into the page, as
    /// [`Rejected`](super::Rejected).
    fn fetch(
        &self,
        at: Option<&Self::Cursor>,
    ) -> impl Future<Output = Result<Page<Self::Item, Self::Cursor>>> + Send;

    /// The id of an item, unique in the listing; `None` where items have none.
    ///
    /// A checkpoint within a page holds a digest of the ids of the items that were yielded.
    /// Without ids it holds only their number, and [`resume`](Self::resume) skips as many rows.
    fn item_id<'a>(&self, item: &'a Self::Item) -> Option<Cow<'a, str>> {
        let _ = item;
        None
    }

    /// Moves `cursor` past one row of a page, where cursors are made from what rows show.
    ///
    /// `id` is the row's id, `None` for a row without one. Returns `false`, the default, where cursors are opaque.
    /// [`fetch`](Self::fetch) has to make `next` with this function too: from the place where the page
    /// [starts](Page::starting_at), over all its rows. A checkpoint within a page then is the cursor after the last
    /// row that was yielded, and [`resume`](Self::resume) neither loses nor repeats a row, whatever has changed.
    ///
    /// ```
    /// use headcount::{Page, Paginator, Result, ListingId};
    ///
    /// /// Names in alphabetical order. A page starts after the name that is its cursor.
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
    ///         let items: Vec<_> = self.0.iter().filter(|name| Some(*name) > at).take(2).cloned().collect();
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

    /// A stream of pages, fetched one at a time as they are asked for.
    fn pages(self) -> Pages<Self>
    where
        Self: Sized,
    {
        Pages::new(self)
    }

    /// A stream of items. The same as `pages().items()`.
    fn items(self) -> Items<Self>
    where
        Self: Sized,
    {
        self.pages().items()
    }

    /// A stream of the items that come after a saved position. The same as `pages().resume(from)`.
    ///
    /// # Errors
    /// [`ErrorKind::Checkpoint`](crate::ErrorKind::Checkpoint) if `from` belongs to another listing or
    /// to a newer version of this crate.
    fn resume(self, from: &Checkpoint) -> Result<Items<Self>>
    where
        Self: Sized,
    {
        self.pages().resume(from)
    }

    /// This listing as one of shared [`Account`]s, its type hidden: for [`Merge`](super::Merge), or for a
    /// `Vec` of several providers' lists.
    fn into_accounts(self) -> AnyPaginator<Account>
    where
        Self: Sized,
        Self::Item: Into<Account>,
    {
        AnyPaginator::new(Accounts::new(self))
    }
}

/// A [`Paginator`] that predicts the cursors of later pages, so that several are fetched at once.
///
/// A prediction is verified: [`verify`](Self::verify) judges each page by the rows that it holds.
/// So [`Pages::concurrent`] yields what fetching page by page yields, only sooner.
pub trait SeekPaginator: Paginator {
    /// The cursor of the page that is expected after the one at `at` (`None`: the first), in a listing of `total`
    /// rows; `None` beyond the total.
    ///
    /// [`fetch`](Paginator::fetch) of a predicted cursor returns the rows that stand there, unverified.
    fn predict(&self, at: Option<&Self::Cursor>, total: u64) -> Option<Self::Cursor>;

    /// Judges a page that was fetched at `predicted`, as what follows `at`, the cursor after the last row listed.
    /// `ids` are those of the page's rows, in their order.
    ///
    /// By default a page follows only if `predicted` equals `at`.
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

/// What a page that was fetched at a predicted cursor is to a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Continuity {
    /// It follows, once its first `skip` rows are dropped.
    Follows {
        /// How many of its rows were listed before.
        skip: usize,
    },
    /// All its rows were listed before. It is dropped, and the next predicted page is judged.
    Known,
    /// It begins after the place. It is kept and judged again, once the rows before it are fetched.
    Gap,
    /// It proves nothing. It is dropped, and the page is fetched without prediction.
    Unusable,
}
