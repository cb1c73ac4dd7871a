use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures::{
    future::BoxFuture,
    stream::{FusedStream, Stream},
};

use tracing::{Instrument, Span, field};

use super::{
    Checkpoint, Items, Page, Paginator, Position, SeekPaginator, Summary, ahead::Ahead, checkpoint::Place,
    concurrent::Concurrent, cycle::CycleGuard, summary::Tally,
};
use crate::{Error, ErrorKind, Result, error::one_line};

/// More pages in a row without a row are an error: a listing has to end some time.
const MAX_EMPTY_PAGES: u32 = 10_000;
/// The most pages that are fetched before they are asked for, whatever was set.
const MAX_PREFETCH: usize = 1000;

pub(super) type Fetched<P> = Result<Page<<P as Paginator>::Item, <P as Paginator>::Cursor>>;

/// A page, and the place of the stream before it.
pub(super) type Placed<P> = (Page<<P as Paginator>::Item, <P as Paginator>::Cursor>, Place);

/// A stream of pages.
///
/// It ends after its first error, and keeps its place: [`retry`](Self::retry) tries the same page again.
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
    empty_in_a_row: u32,
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
            empty_in_a_row: 0,
        }
    }

    /// Fetches up to `depth` pages (1 to 1,000) ahead of the one in use, one after the other, also while
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
        self.source = Source::Ahead(Ahead::new(depth.clamp(1, MAX_PREFETCH)));
        self
    }

    /// Fetches up to `width` pages (1 to 1,000) at a time, for listings that predict cursors.
    ///
    /// The pages come in order, and are what fetching page by page yields. No page is predicted beyond the
    /// total that the provider reports; rows after it are fetched one page at a time. Without a total, so are all.
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
        self.source = Source::Concurrent(Concurrent::new(width.clamp(1, MAX_PREFETCH)));
        self
    }

    /// A stream of the pages' items.
    pub fn items(self) -> Items<P> {
        Items::new(self, None)
    }

    /// A stream of the items that come after a saved place.
    ///
    /// # Errors
    /// [`ErrorKind::Checkpoint`] if `from` belongs to another listing or to a newer version of this crate.
    pub fn resume(mut self, from: &Checkpoint) -> Result<Items<P>> {
        let place = from.open(&self.paginator().listing_id())?;
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
        Ok(Items::new(self, place.yielded))
    }

    /// Where to go on: the place of the next page to come. Valid at any time, after errors too.
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint::new(self.place())
    }

    pub(super) fn place(&self) -> Place {
        Place {
            listing: self.paginator().listing_id(),
            position: self.position.clone(),
            yielded: None,
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
    pub fn retry(&mut self) -> bool {
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

    /// Moves the place to after `page`.
    fn hand_over(&mut self, mut page: Page<P::Item, P::Cursor>) -> Result<Placed<P>> {
        self.empty_in_a_row = if page.rows() == 0 { self.empty_in_a_row.saturating_add(1) } else { 0 };
        if self.empty_in_a_row > MAX_EMPTY_PAGES {
            let message =
                format!("{MAX_EMPTY_PAGES} pages in a row have no rows, and the last leads to another");
            return Err(Error::new(ErrorKind::PaginationLoop, message));
        }
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
        let at = std::mem::replace(&mut self.at, page.next.clone());
        page.at = page.at.or(at);
        Ok((page, place))
    }
}

/// `InvalidRecord` is reserved for single rows, after which a stream continues; a failed page is reported as `Decode`.
fn of_page(error: Error) -> Error {
    if error.kind() == ErrorKind::InvalidRecord { error.into_kind(ErrorKind::Decode) } else { error }
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

/// A paginator whose pages are fetched each within a span of its own, which is within the listing's.
///
/// The spans hold the provider and counts, never what was listed, nor a cursor.
pub(super) struct Traced<P> {
    paginator: Arc<P>,
    listing: Span,
}

impl<P: Paginator> Traced<P> {
    fn new(paginator: P) -> Self {
        let listing = tracing::info_span!(
            "listing",
            provider = paginator.listing_id().provider(),
            pages = field::Empty,
            rows = field::Empty
        );
        Self { paginator: Arc::new(paginator), listing }
    }

    pub(super) fn paginator(&self) -> &P {
        &self.paginator
    }

    /// The page at `at`, the `number`th of its listing, counted from 1.
    pub(super) async fn fetch(self, at: Option<P::Cursor>, number: u64) -> Fetched<P> {
        let span = self.listing.in_scope(|| {
            tracing::debug_span!(
                "page",
                provider = self.paginator.listing_id().provider(),
                page = number,
                rows = field::Empty,
                error.r#type = field::Empty
            )
        });
        let fetched = self.paginator.fetch(at.as_ref()).instrument(span.clone()).await;
        match &fetched {
            Ok(page) => span.record("rows", page.rows()),
            Err(error) => span.record("error.type", field::debug(error.kind())),
        };
        fetched
    }

    /// Records what came of the listing in all.
    fn ended(&self, pages: u64, rows: u64) {
        self.listing.record("pages", pages).record("rows", rows);
    }
}

impl<P> Clone for Traced<P> {
    fn clone(&self) -> Self {
        Self { paginator: Arc::clone(&self.paginator), listing: self.listing.clone() }
    }
}
