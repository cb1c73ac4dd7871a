use std::{borrow::Cow, fmt::Debug, future::Future};

use serde::{Serialize, de::DeserializeOwned};

use super::{Accounts, AnyPaginator, Checkpoint, Items, Page, Pages, Scope};
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
/// use headcount::{Page, Paginator, Result, Scope};
///
/// /// The numbers below 10, three to a page.
/// struct Digits;
///
/// impl Paginator for Digits {
///     type Item = u32;
///     type Cursor = u32;
///
///     fn scope(&self) -> Scope {
///         Scope::new("digits", [("below", "10")])
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
    fn scope(&self) -> Scope;

    /// Fetches the page at `at`, the first page when `None`.
    ///
    /// A page without items is not the end: only `next: None` is.
    ///
    /// # Errors
    /// Any, for the page as a whole. One of kind [`Record`](crate::ErrorKind::Record) comes out as
    /// [`Decode`](crate::ErrorKind::Decode): a row that can not be read goes into the page, as
    /// [`Rejected`](super::Rejected).
    fn fetch(
        &self,
        at: Option<&Self::Cursor>,
    ) -> impl Future<Output = Result<Page<Self::Item, Self::Cursor>>> + Send;

    /// The id of an item, unique in the listing. With it, a checkpoint finds its place in a page that has
    /// changed meanwhile; without, it counts.
    fn item_id<'a>(&self, item: &'a Self::Item) -> Option<Cow<'a, str>> {
        let _ = item;
        None
    }

    /// Whether items never move past one another: the listing stands in an order that is promised, and by what
    /// never changes, such as an id or the date of making.
    ///
    /// A checkpoint within a page then remembers the last items handed out of it, and [`resume`](Self::resume)
    /// leaves out what stands before them. If it is `false`, the checkpoint remembers all of them, 2000 at most,
    /// and `resume` leaves out those and nothing else: rather an item twice than one lost.
    fn keeps_order(&self) -> bool {
        true
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

/// A [`Paginator`] that can guess the cursors of later pages, so that several can be fetched at once.
///
/// A guess is only ever a guess: a page fetched at a guessed cursor is used if it
/// [`continues`](Self::continues) exactly where the page before it ended, and fetched again if not. So
/// [`Pages::concurrent`] gives what walking page by page gives, only sooner.
pub trait SeekPaginator: Paginator {
    /// The cursor that a page after the one at `at` is expected to have, in a listing of `total` items;
    /// `None` beyond the total.
    fn guess(&self, at: Option<&Self::Cursor>, total: u64) -> Option<Self::Cursor>;

    /// Whether what was fetched at the cursor `guessed` is what the page at `next` holds: `Some(n)` if it
    /// is, once its first `n` items are dropped. `head` is the id of the first item fetched.
    ///
    /// Unless this is implemented, a guess has to be `next` to the letter.
    fn continues(&self, next: &Self::Cursor, guessed: &Self::Cursor, head: Option<&str>) -> Option<usize> {
        let _ = head;
        (guessed == next).then_some(0)
    }
}
