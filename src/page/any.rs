use std::{borrow::Cow, fmt, sync::Arc};

use futures::{FutureExt, future::BoxFuture};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Cursor, Items, Page, Paginator, Scope, SeekPaginator, concurrent::Seek};
use crate::{Error, ErrorKind, Result};

/// A cursor whose type is known only to the listing it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ErasedCursor(Value);

impl ErasedCursor {
    fn erase<C: Cursor>(cursor: &C) -> Result<Self> {
        serde_json::to_value(cursor)
            .map(Self)
            .map_err(|error| Error::config("the paginator's cursor does not serialise").with_source(error))
    }

    fn restore<C: Cursor>(&self) -> Result<C> {
        serde_json::from_value(self.0.clone()).map_err(|error| {
            Error::new(ErrorKind::Checkpoint, "the cursor is not one of this listing").with_source(error)
        })
    }
}

/// The object-safe twin of [`Paginator`].
trait Listing<T>: Send + Sync {
    fn scope(&self) -> Scope;
    fn fetch<'a>(&'a self, at: Option<&'a ErasedCursor>) -> BoxFuture<'a, Result<Page<T, ErasedCursor>>>;
    fn item_id<'a>(&self, item: &'a T) -> Option<Cow<'a, str>>;
    fn keeps_order(&self) -> bool;
    fn guess(&self, at: Option<&ErasedCursor>, total: u64) -> Option<ErasedCursor>;
    fn continues(&self, next: &ErasedCursor, guessed: &ErasedCursor, head: Option<&str>) -> Option<usize>;
}

struct Erased<P: Paginator> {
    paginator: P,
    seek: Option<Seek<P>>,
}

impl<P: Paginator> Listing<P::Item> for Erased<P> {
    fn scope(&self) -> Scope {
        self.paginator.scope()
    }

    fn fetch<'a>(
        &'a self,
        at: Option<&'a ErasedCursor>,
    ) -> BoxFuture<'a, Result<Page<P::Item, ErasedCursor>>> {
        async move {
            let at = at.map(ErasedCursor::restore).transpose()?;
            let mut page = self.paginator.fetch(at.as_ref()).await?;
            let next = page.next.take().map(|next| ErasedCursor::erase(&next)).transpose()?;
            page.at = None;
            let mut page = page.convert(|item| item, |_| ErasedCursor(Value::Null));
            page.next = next;
            Ok(page)
        }
        .boxed()
    }

    fn item_id<'a>(&self, item: &'a P::Item) -> Option<Cow<'a, str>> {
        self.paginator.item_id(item)
    }

    fn keeps_order(&self) -> bool {
        self.paginator.keeps_order()
    }

    fn guess(&self, at: Option<&ErasedCursor>, total: u64) -> Option<ErasedCursor> {
        let seek = self.seek.as_ref()?;
        let at = at.map(ErasedCursor::restore).transpose().ok()?;
        let guess = (seek.guess)(&self.paginator, at.as_ref(), total)?;
        ErasedCursor::erase(&guess).ok()
    }

    fn continues(&self, next: &ErasedCursor, guessed: &ErasedCursor, head: Option<&str>) -> Option<usize> {
        let seek = self.seek.as_ref()?;
        let (next, guessed) = (next.restore().ok()?, guessed.restore().ok()?);
        (seek.continues)(&self.paginator, &next, &guessed, head)
    }
}

/// Any listing of `T`, its type hidden: for a `Vec` of them, for a configuration, for
/// [`Merge`](super::Merge).
pub struct AnyPaginator<T>(Arc<dyn Listing<T>>);

impl<T: Send + 'static> AnyPaginator<T> {
    /// Hides the type of `paginator`. Its pages are fetched one at a time, also by
    /// [`concurrent`](super::Pages::concurrent).
    pub fn new(paginator: impl Paginator<Item = T>) -> Self {
        Self(Arc::new(Erased { paginator, seek: None }))
    }

    /// Hides the type of `paginator`, which can seek.
    pub fn seeking<P: SeekPaginator<Item = T>>(paginator: P) -> Self {
        let seek = Some(Seek { guess: P::guess, continues: P::continues });
        Self(Arc::new(Erased { paginator, seek }))
    }
}

impl<T> Clone for AnyPaginator<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for AnyPaginator<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AnyPaginator").field(&self.0.scope()).finish()
    }
}

impl<T: Send + 'static> Paginator for AnyPaginator<T> {
    type Item = T;
    type Cursor = ErasedCursor;

    fn scope(&self) -> Scope {
        self.0.scope()
    }

    async fn fetch(&self, at: Option<&ErasedCursor>) -> Result<Page<T, ErasedCursor>> {
        self.0.fetch(at).await
    }

    fn item_id<'a>(&self, item: &'a T) -> Option<Cow<'a, str>> {
        self.0.item_id(item)
    }

    fn keeps_order(&self) -> bool {
        self.0.keeps_order()
    }
}

impl<T: Send + 'static> SeekPaginator for AnyPaginator<T> {
    fn guess(&self, at: Option<&ErasedCursor>, total: u64) -> Option<ErasedCursor> {
        self.0.guess(at, total)
    }

    fn continues(&self, next: &ErasedCursor, guessed: &ErasedCursor, head: Option<&str>) -> Option<usize> {
        self.0.continues(next, guessed, head)
    }
}

impl<T: Send + 'static> From<AnyPaginator<T>> for Items<AnyPaginator<T>> {
    fn from(paginator: AnyPaginator<T>) -> Self {
        paginator.items()
    }
}
