use std::{any::Any, borrow::Cow, fmt, sync::Arc};

use futures::{FutureExt, future::BoxFuture};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::Error as _};
use serde_json::Value;

use super::{Continuity, Cursor, Items, ListingId, Page, Paginator, SeekPaginator, concurrent::Seek};
use crate::{Account, Error, ErrorKind, Result};

/// A cursor whose type is known only to the listing it belongs to.
#[derive(Clone, Debug)]
pub struct ErasedCursor(Erased);

#[derive(Debug)]
enum Erased {
    /// An `Option<C>` that is `Some`, so that [`Paginator::advance`] can move it in place.
    Typed(Box<dyn AnyCursor>),
    /// As it came from a checkpoint.
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

impl Clone for Erased {
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
        Self(Erased::Typed(Box::new(Some(cursor))))
    }

    fn to_json(&self) -> serde_json::Result<Value> {
        match &self.0 {
            Erased::Typed(cursor) => cursor.to_json(),
            Erased::Json(cursor) => Ok(cursor.clone()),
        }
    }

    /// The cursor as the type of its listing, in place.
    fn typed<C: Cursor>(&mut self) -> Option<&mut Option<C>> {
        if let Erased::Json(cursor) = &self.0 {
            let cursor: C = serde_json::from_value(cursor.clone()).ok()?;
            *self = Self::new(cursor);
        }
        match &mut self.0 {
            Erased::Typed(cursor) => (&mut **cursor as &mut dyn Any).downcast_mut(),
            Erased::Json(_) => None,
        }
    }

    /// The cursor as the type of its listing.
    fn restore<C: Cursor>(&self) -> Result<C> {
        let foreign = || Error::new(ErrorKind::Checkpoint, "the cursor is not one of this listing");
        match &self.0 {
            Erased::Typed(cursor) => {
                let cursor = (&**cursor as &dyn Any).downcast_ref::<Option<C>>();
                cursor.cloned().flatten().ok_or_else(foreign)
            }
            Erased::Json(cursor) => {
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
        Value::deserialize(deserializer).map(|cursor| Self(Erased::Json(cursor)))
    }
}

/// The object-safe twin of [`Paginator`].
trait Listing<T>: Send + Sync {
    fn listing_id(&self) -> ListingId;
    fn fetch<'a>(&'a self, at: Option<&'a ErasedCursor>) -> BoxFuture<'a, Result<Page<T, ErasedCursor>>>;
    fn item_id<'a>(&self, item: &'a T) -> Option<Cow<'a, str>>;
    fn advance(&self, cursor: &mut Option<ErasedCursor>, id: Option<&str>) -> bool;
    fn predict(&self, at: Option<&ErasedCursor>, total: u64) -> Option<ErasedCursor>;
    fn verify(&self, at: &ErasedCursor, predicted: &ErasedCursor, ids: &[Option<Cow<'_, str>>])
    -> Continuity;
}

struct Hidden<P: Paginator> {
    paginator: P,
    seek: Option<Seek<P>>,
}

impl<P: Paginator> Listing<P::Item> for Hidden<P> {
    fn listing_id(&self) -> ListingId {
        self.paginator.listing_id()
    }

    fn fetch<'a>(
        &'a self,
        at: Option<&'a ErasedCursor>,
    ) -> BoxFuture<'a, Result<Page<P::Item, ErasedCursor>>> {
        async move {
            let at = at.map(ErasedCursor::restore).transpose()?;
            Ok(self.paginator.fetch(at.as_ref()).await?.convert(|item| item, ErasedCursor::new))
        }
        .boxed()
    }

    fn item_id<'a>(&self, item: &'a P::Item) -> Option<Cow<'a, str>> {
        self.paginator.item_id(item)
    }

    fn advance(&self, cursor: &mut Option<ErasedCursor>, id: Option<&str>) -> bool {
        if let Some(cursor) = cursor {
            return cursor.typed().is_some_and(|cursor| self.paginator.advance(cursor, id));
        }
        let mut first = None;
        let advanced = self.paginator.advance(&mut first, id);
        *cursor = first.map(ErasedCursor::new);
        advanced
    }

    fn predict(&self, at: Option<&ErasedCursor>, total: u64) -> Option<ErasedCursor> {
        let seek = self.seek.as_ref()?;
        let at = at.map(ErasedCursor::restore).transpose().ok()?;
        (seek.predict)(&self.paginator, at.as_ref(), total).map(ErasedCursor::new)
    }

    fn verify(
        &self,
        at: &ErasedCursor,
        predicted: &ErasedCursor,
        ids: &[Option<Cow<'_, str>>],
    ) -> Continuity {
        match (&self.seek, at.restore(), predicted.restore()) {
            (Some(seek), Ok(at), Ok(predicted)) => (seek.join)(&self.paginator, &at, &predicted, ids),
            _ => Continuity::Unusable,
        }
    }
}

/// A provider's listing, its records turned into shared [`Account`]s.
///
/// Has the cursors and the [`ListingId`] of the listing it is made of: their checkpoints are interchangeable.
pub struct Accounts<P>(P);

impl<P> Accounts<P> {
    /// Turns the items of `listing` into accounts.
    pub fn new(listing: P) -> Self {
        Self(listing)
    }
}

impl<P> fmt::Debug for Accounts<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Accounts")
    }
}

impl<P: Paginator<Item: Into<Account>>> Paginator for Accounts<P> {
    type Item = Account;
    type Cursor = P::Cursor;

    fn listing_id(&self) -> ListingId {
        self.0.listing_id()
    }

    async fn fetch(&self, at: Option<&P::Cursor>) -> Result<Page<Account, P::Cursor>> {
        Ok(self.0.fetch(at).await?.convert(Into::into, |cursor| cursor))
    }

    fn item_id<'a>(&self, account: &'a Account) -> Option<Cow<'a, str>> {
        Some(Cow::Borrowed(&account.id))
    }

    fn advance(&self, cursor: &mut Option<P::Cursor>, id: Option<&str>) -> bool {
        self.0.advance(cursor, id)
    }
}

impl<P: SeekPaginator<Item: Into<Account>>> SeekPaginator for Accounts<P> {
    fn predict(&self, at: Option<&P::Cursor>, total: u64) -> Option<P::Cursor> {
        self.0.predict(at, total)
    }

    fn verify(&self, at: &P::Cursor, predicted: &P::Cursor, ids: &[Option<Cow<'_, str>>]) -> Continuity {
        self.0.verify(at, predicted, ids)
    }
}

/// Any listing of `T`, its type hidden: for a `Vec` of them, for a configuration, for
/// [`Merge`](super::Merge).
pub struct AnyPaginator<T>(Arc<dyn Listing<T>>);

impl<T: Send + 'static> AnyPaginator<T> {
    /// Hides the type of `paginator`. Its pages are fetched one at a time, also by
    /// [`concurrent`](super::Pages::concurrent).
    pub fn new(paginator: impl Paginator<Item = T>) -> Self {
        Self(Arc::new(Hidden { paginator, seek: None }))
    }

    /// Hides the type of `paginator`, which predicts cursors.
    pub fn new_seekable<P: SeekPaginator<Item = T>>(paginator: P) -> Self {
        Self(Arc::new(Hidden { paginator, seek: Some(Seek::of()) }))
    }
}

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
