use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures::{
    future::BoxFuture,
    stream::{FusedStream, Stream},
};

use super::{
    Checkpoint, Items, Page, Paginator, Position, SeekPaginator, Summary, ahead::Ahead, checkpoint::Place,
    concurrent::Concurrent, cycle::CycleGuard, summary::Tally, traced::Traced,
};
use crate::{Error, ErrorKind, Result, http::one_line};

pub(super) type Fetched<P> = Result<Page<<P as Paginator>::Item, <P as Paginator>::Cursor>>;

/// A page, and the place of the stream before it.
pub(super) type Placed<P> = (Page<<P as Paginator>::Item, <P as Paginator>::Cursor>, Place);

/// A stream of pages.
///
/// It ends after its first error, and keeps its place: [`rearm`](Self::rearm) tries the same page again.
/// Dropping a `next()` future loses nothing; dropping the stream stops what it has under way.
#[must_use = "streams do nothing unless polled"]
pub struct Pages<P: Paginator> {
    traced: Traced<P>,
    source: Source<P>,
    state: State,
    /// The next page's cursor, and the same as a position.
    at: Option<P::Cursor>,
    position: Position,
    guard: CycleGuard,
    tally: Tally,
}

/// Where pages come from. The stream above it is the same for all.
enum Source<P: Paginator> {
    Lazy(Option<BoxFuture<'static, Fetched<P>>>),
    Ahead(Ahead<P>),
    Concurrent(Concurrent<P>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Failed,
    /// The last page led back to an earlier one; that is still to be told.
    Looping,
    Looped,
    Done,
}

impl<P: Paginator> Pages<P> {
    pub(super) fn new(paginator: P) -> Self {
        Self {
            traced: Traced::new(paginator),
            source: Source::Lazy(None),
            state: State::Open,
            at: None,
            position: Position::Start,
            guard: CycleGuard::new(),
            tally: Tally::default(),
        }
    }

    /// Fetches up to `depth` pages (at least 1) ahead of the one in use, one after the other, also while
    /// the stream is not polled. Needs a tokio runtime, like every request.
    ///
    /// ```no_run
    /// # #[cfg(feature = "huawei")] async fn run(client: headcount::huawei::Client) -> headcount::Result<()> {
    /// use futures::TryStreamExt;
    /// use headcount::Paginator;
    ///
    /// let mut accounts = client.list_accounts().pages().ahead(2).items();
    /// while let Some(account) = accounts.try_next().await? {
    ///     // While you work with this page, the next two are on their way.
    /// }
    /// # Ok(()) }
    /// ```
    pub fn ahead(mut self, depth: usize) -> Self {
        self.source = Source::Ahead(Ahead::new(depth));
        self
    }

    /// Fetches up to `width` pages (at least 1) at a time, for listings that can seek.
    ///
    /// The pages come in order, and are what walking page by page gives. Nothing is asked for beyond the
    /// total that the provider promised; what the listing grew by comes after it, one page at a time.
    ///
    /// ```no_run
    /// # #[cfg(feature = "sailpoint")]
    /// # async fn run(client: headcount::sailpoint::Client) -> headcount::Result<()> {
    /// use futures::TryStreamExt;
    /// use headcount::Paginator;
    ///
    /// let accounts: Vec<_> = client.list_accounts().pages().concurrent(4).items().try_collect().await?;
    /// # Ok(()) }
    /// ```
    pub fn concurrent(mut self, width: usize) -> Self
    where
        P: SeekPaginator,
    {
        self.source = Source::Concurrent(Concurrent::new(width));
        self
    }

    /// A stream of the pages' items.
    pub fn items(self) -> Items<P> {
        Items::new(self)
    }

    /// A stream of the items that come after a saved place.
    ///
    /// # Errors
    /// [`ErrorKind::Checkpoint`] if `from` belongs to another listing or to a newer version of this crate.
    pub fn resume(mut self, from: &Checkpoint) -> Result<Items<P>> {
        let place = from.open(&self.paginator().scope())?;
        (self.at, self.state) = match &place.position {
            Position::Start => (None, State::Open),
            Position::At { cursor } => {
                let cursor = serde_json::from_value(cursor.clone()).map_err(|error| {
                    Error::new(ErrorKind::Checkpoint, "the checkpoint's cursor is not one of this listing")
                        .with_source(error)
                })?;
                (Some(cursor), State::Open)
            }
            Position::Done => (None, State::Done),
        };
        if place.guard.found() {
            self.state = State::Looping;
        }
        self.position = place.position.clone();
        self.guard = place.guard.clone();
        self.tally = place.tally.clone();
        Ok(Items::new(self).skipping(place))
    }

    /// Where to go on: the place of the next page to come. Valid at any time, after errors too.
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint::new(self.place())
    }

    pub(super) fn place(&self) -> Place {
        Place {
            scope: self.paginator().scope(),
            position: self.position.clone(),
            skip: 0,
            tail: Vec::new(),
            digest: None,
            behind: 0,
            tally: self.tally.clone(),
            guard: self.guard.clone(),
        }
    }

    /// What came so far, and whether it is everything. Counts whole pages: items are `yielded` when their
    /// page is.
    pub fn summary(&self) -> Summary {
        self.tally.summary(self.state == State::Done)
    }

    /// After an error: makes the stream try the same page again. `false` if there was no error, or one
    /// that another try can not mend (a loop).
    pub fn rearm(&mut self) -> bool {
        let failed = self.state == State::Failed;
        if failed {
            self.state = State::Open;
        }
        failed
    }

    pub(super) fn paginator(&self) -> &P {
        self.traced.paginator()
    }

    pub(super) fn tally(&mut self) -> &mut Tally {
        &mut self.tally
    }

    pub(super) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// The next page, its items not yet counted as handed out, and the place it has.
    pub(super) fn poll_page(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Placed<P>>>> {
        match self.state {
            State::Done | State::Failed | State::Looped => return Poll::Ready(None),
            State::Looping => {
                self.state = State::Looped;
                let place = match &self.position {
                    Position::At { cursor } => one_line(&cursor.to_string()),
                    _ => "the start".into(),
                };
                let message = format!("the provider's cursors go round in a circle, back to {place}");
                return Poll::Ready(Some(Err(Error::new(ErrorKind::PaginationLoop, message))));
            }
            State::Open => {}
        }
        let (at, number) = (self.at.as_ref(), self.tally.pages.saturating_add(1));
        let fetched = match &mut self.source {
            Source::Lazy(fetch) => {
                let under_way =
                    fetch.get_or_insert_with(|| Box::pin(self.traced.clone().fetch(at.cloned(), number)));
                let fetched = ready!(under_way.as_mut().poll(cx));
                *fetch = None;
                fetched
            }
            Source::Ahead(source) => ready!(source.poll(&self.traced, at, number, cx)),
            Source::Concurrent(source) => ready!(source.poll(&self.traced, at, number, cx)),
        };
        let handed_over = fetched.map_err(of_page).and_then(|page| self.hand_over(page));
        if handed_over.is_err() {
            self.state = State::Failed;
            match &mut self.source {
                Source::Lazy(_) => {}
                Source::Ahead(source) => source.reset(),
                Source::Concurrent(source) => source.reset(),
            }
        }
        Poll::Ready(Some(handed_over))
    }

    /// Moves the place behind `page`.
    fn hand_over(&mut self, mut page: Page<P::Item, P::Cursor>) -> Result<Placed<P>> {
        let position = match &page.next {
            None => Position::Done,
            Some(next) => Position::At {
                cursor: serde_json::to_value(next).map_err(|error| {
                    Error::config("the paginator's cursor does not serialise").with_source(error)
                })?,
            },
        };
        let total = page.total.or(self.tally.total());
        if let Source::Concurrent(source) = &mut self.source {
            source.refill(&self.traced, page.next.as_ref(), total, self.tally.pages.saturating_add(2))?;
        }
        let place = self.place();
        self.tally.page(&page);
        self.state = match &position {
            Position::At { cursor } if self.guard.step(cursor) => State::Looping,
            Position::At { .. } => State::Open,
            _ => State::Done,
        };
        self.position = position;
        page.at = std::mem::replace(&mut self.at, page.next.clone());
        Ok((page, place))
    }
}

/// A page that can not be had is no bad row, even if a paginator calls it so: nothing comes behind it.
fn of_page(error: Error) -> Error {
    if error.kind() == ErrorKind::Record { error.into_kind(ErrorKind::Decode) } else { error }
}

impl<P: Paginator> Stream for Pages<P> {
    type Item = Fetched<P>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let placed = ready!(this.poll_page(cx));
        Poll::Ready(placed.map(|placed| {
            let (page, _) = placed?;
            page.items.iter().for_each(|_| this.tally.item());
            page.rejected.iter().for_each(|_| this.tally.reject());
            Ok(page)
        }))
    }
}

impl<P: Paginator> FusedStream for Pages<P> {
    fn is_terminated(&self) -> bool {
        matches!(self.state, State::Done | State::Failed | State::Looped)
    }
}

impl<P: Paginator> Unpin for Pages<P> {}

impl<P: Paginator> Drop for Pages<P> {
    fn drop(&mut self) {
        self.traced.ended(self.tally.pages, self.tally.rows());
    }
}

impl<P: Paginator> fmt::Debug for Pages<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("position", &self.position)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
