use std::{any::Any, borrow::Cow, fmt, future::Future, sync::Arc};

use futures::{FutureExt, future::BoxFuture};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::Error as _};
use serde_json::Value;

use super::{Continuity, Cursor, Items, ListingId, Page, Paginator, SeekPaginator, concurrent::Seek};
use crate::{Account, Error, ErrorKind, Result};

/// The cursor of an [`AnyPaginator`], whose type only its listing knows.
#[derive(Clone, Debug)]
pub struct ErasedCursor(CursorRepr);

#[derive(Debug)]
enum CursorRepr {
    /// An `Option<C>` that is `Some`, so that [`Paginator::advance`] can move it in place.
    Typed(Box<dyn AnyCursor>),
    /// From a checkpoint.
    Json(Value),
}

trait AnyCursor: Any + fmt::Debug + Send + Sync {
    fn clone_box(&self) -> Box<dyn AnyCursor>;
    fn to_json(&self) -> serde_json::Result<Value>;
}

impl<C: Cursor> AnyCursor for Option<C> {
    fn clone_box(&self) -> Box<dyn AnyCursor> {
        Box::new(self.clone())
    }

    fn to_json(&self) -> serde_json::Result<Value> {
        serde_json::to_value(self)
    }
}

impl Clone for CursorRepr {
    fn clone(&self) -> Self {
        match self {
            // Not `cursor.clone_box()`, which would box the box.
            Self::Typed(cursor) => Self::Typed((**cursor).clone_box()),
            Self::Json(cursor) => Self::Json(cursor.clone()),
        }
    }
}

impl ErasedCursor {
    fn new<C: Cursor>(cursor: C) -> Self {
        Self(CursorRepr::Typed(Box::new(Some(cursor))))
    }

    fn to_json(&self) -> serde_json::Result<Value> {
        match &self.0 {
            CursorRepr::Typed(cursor) => cursor.to_json(),
            CursorRepr::Json(cursor) => Ok(cursor.clone()),
        }
    }

    /// Returns the cursor as its listing's type, in place.
    fn parse_mut<C: Cursor>(&mut self) -> Option<&mut Option<C>> {
        if let CursorRepr::Json(cursor) = &self.0 {
            let cursor: C = serde_json::from_value(cursor.clone()).ok()?;
            *self = Self::new(cursor);
        }
        match &mut self.0 {
            CursorRepr::Typed(cursor) => (&mut **cursor as &mut dyn Any).downcast_mut(),
            CursorRepr::Json(_) => None,
        }
    }

    /// Returns the cursor as its listing's type.
    fn downcast<C: Cursor>(&self) -> Result<C> {
        let foreign =
            || Error::new(ErrorKind::Checkpoint, "the checkpoint's cursor does not belong to this listing");
        match &self.0 {
            CursorRepr::Typed(cursor) => {
                let cursor = (&**cursor as &dyn Any).downcast_ref::<Option<C>>();
                cursor.cloned().flatten().ok_or_else(foreign)
            }
            CursorRepr::Json(cursor) => {
                serde_json::from_value(cursor.clone()).map_err(|error| foreign().with_source(error))
            }
        }
    }
}

impl PartialEq for ErasedCursor {
    fn eq(&self, other: &Self) -> bool {
        self.to_json().ok() == other.to_json().ok()
    }
}

impl Eq for ErasedCursor {}

impl Serialize for ErasedCursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ErasedCursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(|cursor| Self(CursorRepr::Json(cursor)))
    }
}

/// The object-safe counterpart of [`Paginator`].
trait DynPaginator<T>: Send + Sync {
    fn listing_id(&self) -> ListingId;
    fn fetch<'a>(&'a self, at: Option<&'a ErasedCursor>) -> BoxFuture<'a, Result<Page<T, ErasedCursor>>>;
    fn item_id<'a>(&self, item: &'a T) -> Option<Cow<'a, str>>;
    fn advance(&self, cursor: &mut Option<ErasedCursor>, id: Option<&str>) -> bool;
    fn predict(&self, at: Option<&ErasedCursor>, total: u64) -> Option<ErasedCursor>;
    fn verify(&self, at: &ErasedCursor, predicted: &ErasedCursor, ids: &[Option<Cow<'_, str>>])
    -> Continuity;
}

struct Erased<P: Paginator> {
    paginator: P,
    seek: Option<Seek<P>>,
}

impl<P: Paginator> DynPaginator<P::Item> for Erased<P> {
    fn listing_id(&self) -> ListingId {
        self.paginator.listing_id()
    }

    fn fetch<'a>(
        &'a self,
        at: Option<&'a ErasedCursor>,
    ) -> BoxFuture<'a, Result<Page<P::Item, ErasedCursor>>> {
        async move {
            let at = at.map(ErasedCursor::downcast).transpose()?;
            Ok(self.paginator.fetch(at.as_ref()).await?.map(|item| item, ErasedCursor::new))
        }
        .boxed()
    }

    fn item_id<'a>(&self, item: &'a P::Item) -> Option<Cow<'a, str>> {
        self.paginator.item_id(item)
    }

    fn advance(&self, cursor: &mut Option<ErasedCursor>, id: Option<&str>) -> bool {
        if let Some(cursor) = cursor {
            return cursor.parse_mut().is_some_and(|cursor| self.paginator.advance(cursor, id));
        }
        let mut first = None;
        let advanced = self.paginator.advance(&mut first, id);
        *cursor = first.map(ErasedCursor::new);
        advanced
    }

    fn predict(&self, at: Option<&ErasedCursor>, total: u64) -> Option<ErasedCursor> {
        let seek = self.seek.as_ref()?;
        let at = at.map(ErasedCursor::downcast).transpose().ok()?;
        (seek.predict)(&self.paginator, at.as_ref(), total).map(ErasedCursor::new)
    }

    fn verify(
        &self,
        at: &ErasedCursor,
        predicted: &ErasedCursor,
        ids: &[Option<Cow<'_, str>>],
    ) -> Continuity {
        match (&self.seek, at.downcast(), predicted.downcast()) {
            (Some(seek), Ok(at), Ok(predicted)) => (seek.verify)(&self.paginator, &at, &predicted, ids),
            _ => Continuity::Unusable,
        }
    }
}

/// A listing whose records are converted to shared [`Account`]s.
///
/// It has the cursors and the [`ListingId`] of the original listing. Their checkpoints are interchangeable if
/// [`item_id`](Paginator::item_id) returns the id that the converted account has. If cursors are derived from rows, that
/// is required.
pub struct IntoAccounts<P>(P);

impl<P> IntoAccounts<P> {
    /// Converts the items of `listing`.
    pub fn new(listing: P) -> Self {
        Self(listing)
    }
}

impl<P> fmt::Debug for IntoAccounts<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IntoAccounts")
    }
}

impl<P: Paginator<Item: Into<Account>>> Paginator for IntoAccounts<P> {
    type Item = Account;
    type Cursor = P::Cursor;

    fn listing_id(&self) -> ListingId {
        self.0.listing_id()
    }

    async fn fetch(&self, at: Option<&P::Cursor>) -> Result<Page<Account, P::Cursor>> {
        Ok(self.0.fetch(at).await?.map(Into::into, |cursor| cursor))
    }

    fn item_id<'a>(&self, account: &'a Account) -> Option<Cow<'a, str>> {
        Some(Cow::Borrowed(&account.id))
    }

    fn advance(&self, cursor: &mut Option<P::Cursor>, id: Option<&str>) -> bool {
        self.0.advance(cursor, id)
    }
}

impl<P: SeekPaginator<Item: Into<Account>>> SeekPaginator for IntoAccounts<P> {
    fn predict(&self, at: Option<&P::Cursor>, total: u64) -> Option<P::Cursor> {
        self.0.predict(at, total)
    }

    fn verify(&self, at: &P::Cursor, predicted: &P::Cursor, ids: &[Option<Cow<'_, str>>]) -> Continuity {
        self.0.verify(at, predicted, ids)
    }
}

/// A listing whose cursors do not depend on its rows, so that they can be converted as soon as they are decoded.
pub(crate) trait FetchAs: Paginator {
    /// Fetches a page like [`Paginator::fetch`], with its items converted.
    fn fetch_as<U: From<Self::Item> + Send>(
        &self,
        at: Option<&Self::Cursor>,
    ) -> impl Future<Output = Result<Page<U, Self::Cursor>>> + Send;
}

/// Like [`IntoAccounts`], for listings that convert each record as soon as it is decoded.
pub(crate) struct DecodedAccounts<L>(pub(crate) L);

impl<L: FetchAs> Paginator for DecodedAccounts<L>
where
    Account: From<L::Item>,
{
    type Item = Account;
    type Cursor = L::Cursor;

    fn listing_id(&self) -> ListingId {
        self.0.listing_id()
    }

    async fn fetch(&self, at: Option<&L::Cursor>) -> Result<Page<Account, L::Cursor>> {
        self.0.fetch_as(at).await
    }

    fn item_id<'a>(&self, account: &'a Account) -> Option<Cow<'a, str>> {
        Some(Cow::Borrowed(&account.id))
    }
}

/// A type-erased [`Paginator`] of items `T`.
///
/// Listings of several providers have this one type, for a `Vec` or a [`Merge`](super::Merge).
pub struct AnyPaginator<T>(Arc<dyn DynPaginator<T>>);

impl<T: Send + 'static> AnyPaginator<T> {
    /// Erases the type of `paginator`.
    ///
    /// Its pages are fetched one at a time, even by [`concurrent`](super::Pages::concurrent): see
    /// [`new_seekable`](Self::new_seekable).
    pub fn new(paginator: impl Paginator<Item = T>) -> Self {
        Self(Arc::new(Erased { paginator, seek: None }))
    }

    /// Erases the type of a `paginator` that predicts cursors.
    pub fn new_seekable<P: SeekPaginator<Item = T>>(paginator: P) -> Self {
        Self(Arc::new(Erased { paginator, seek: Some(Seek::new()) }))
    }
}

super::inherent_streams!([T: Send + 'static] AnyPaginator<T>);

impl<T> Clone for AnyPaginator<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for AnyPaginator<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AnyPaginator").field(&self.0.listing_id()).finish()
    }
}

impl<T: Send + 'static> Paginator for AnyPaginator<T> {
    type Item = T;
    type Cursor = ErasedCursor;

    fn listing_id(&self) -> ListingId {
        self.0.listing_id()
    }

    async fn fetch(&self, at: Option<&ErasedCursor>) -> Result<Page<T, ErasedCursor>> {
        self.0.fetch(at).await
    }

    fn item_id<'a>(&self, item: &'a T) -> Option<Cow<'a, str>> {
        self.0.item_id(item)
    }

    fn advance(&self, cursor: &mut Option<ErasedCursor>, id: Option<&str>) -> bool {
        self.0.advance(cursor, id)
    }
}

impl<T: Send + 'static> SeekPaginator for AnyPaginator<T> {
    fn predict(&self, at: Option<&ErasedCursor>, total: u64) -> Option<ErasedCursor> {
        self.0.predict(at, total)
    }

    fn verify(
        &self,
        at: &ErasedCursor,
        predicted: &ErasedCursor,
        ids: &[Option<Cow<'_, str>>],
    ) -> Continuity {
        self.0.verify(at, predicted, ids)
    }
}

impl<T: Send + 'static> From<AnyPaginator<T>> for Items<AnyPaginator<T>> {
    fn from(paginator: AnyPaginator<T>) -> Self {
        paginator.items()
    }
}
