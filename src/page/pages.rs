use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures::{
    future::BoxFuture,
    stream::{FusedStream, Stream, StreamExt, TryStreamExt},
};

use tracing::{Instrument, Span, field};

use super::{
    Checkpoint, Items, Page, Paginator, Position, SeekPaginator, Summary, checkpoint::State,
    concurrent::Concurrent, cycle::CycleDetector, prefetch::Prefetch, summary::Counters,
};
use crate::{Error, ErrorKind, Result, error::one_line};

/// More empty pages in a row are an error, so that every listing ends.
const MAX_EMPTY_PAGES: u32 = 10_000;
/// The most pages that are fetched before they are polled.
const MAX_PREFETCH: usize = 1000;

pub(super) type Fetched<P> = Result<Page<<P as Paginator>::Item, <P as Paginator>::Cursor>>;

/// A page, and the state of the stream before it.
pub(super) type PositionedPage<P> = (Page<<P as Paginator>::Item, <P as Paginator>::Cursor>, State);

/// A stream of pages.
///
/// It ends after its first error and keeps its position: [`retry`](Self::retry) fetches the same page again.
/// Dropping a `next()` future loses nothing. Dropping the stream cancels its requests.
#[must_use = "streams do nothing unless polled"]
pub struct Pages<P: Paginator> {
    paginator: TracedPaginator<P>,
    source: Source<P>,
    phase: Phase,
    /// The cursor of the next page, and the same as a position.
    at: Option<P::Cursor>,
    position: Position,
    cycles: CycleDetector,
    counters: Counters,
    empty_in_a_row: u32,
}

/// How pages are fetched.
enum Source<P: Paginator> {
    Lazy(Option<BoxFuture<'static, Fetched<P>>>),
    Prefetch(Prefetch<P>),
    Concurrent(Concurrent<P>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Active,
    Failed,
    /// The next cursor was already used. The error follows the page.
    LoopDetected,
    LoopReported,
    Done,
}

impl<P: Paginator> Pages<P> {
    pub(super) fn new(paginator: P) -> Self {
        Self {
            paginator: TracedPaginator::new(paginator),
            source: Source::Lazy(None),
            phase: Phase::Active,
            at: None,
            position: Position::Start,
            cycles: CycleDetector::new(),
            counters: Counters::default(),
            empty_in_a_row: 0,
        }
    }

    /// Fetches up to `depth` pages (1 to 1,000) ahead, one after the other.
    ///
    /// A tokio task fetches them, also while the stream is not polled.
    ///
    /// ```no_run
    /// # #[cfg(feature = "huawei")] async fn run(client: headcount::huawei::Client) -> headcount::Result<()> {
    /// let mut accounts = client.list_accounts().pages().ahead(2).items();
    /// while let Some(account) = accounts.try_next().await? {
    ///     // The next two pages are fetched while this one is processed.
    /// }
    /// # Ok(()) }
    /// ```
    pub fn ahead(mut self, depth: usize) -> Self {
        self.source = Source::Prefetch(Prefetch::new(depth.clamp(1, MAX_PREFETCH)));
        self
    }

    /// Fetches up to `width` pages (1 to 1,000) concurrently, for listings that predict cursors.
    ///
    /// The pages are yielded in order, and are the same as when they are fetched one by one. No page is
    /// predicted beyond the provider's total: rows after it are fetched one page at a time, and so is a
    /// listing without a total.
    ///
    /// ```no_run
    /// # #[cfg(feature = "sailpoint")]
    /// # async fn run(client: headcount::sailpoint::Client) -> headcount::Result<()> {
    /// let accounts =
    ///     client.list_accounts().pages().concurrent(4).items().collect_complete().await?;
    /// # Ok(()) }
    /// ```
    pub fn concurrent(mut self, width: usize) -> Self
    where
        P: SeekPaginator,
    {
        self.source = Source::Concurrent(Concurrent::new(width.clamp(1, MAX_PREFETCH)));
        self
    }

    /// Returns a stream of the pages' items.
    pub fn items(self) -> Items<P> {
        Items::new(self, None)
    }

    /// Returns a stream of the items after a checkpoint.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::Checkpoint`] if `from` belongs to another listing.
    pub fn resume(mut self, from: &Checkpoint) -> Result<Items<P>> {
        let state =
            from.validate(&self.paginator().listing_id()).map_err(|error| self.with_context(error))?;
        (self.at, self.phase) = match &state.position {
            Position::Start => (None, Phase::Active),
            Position::At { cursor } => {
                let cursor = serde_json::from_value(cursor.clone()).map_err(|error| {
                    let message = "the checkpoint's cursor does not belong to this listing";
                    self.with_context(Error::new(ErrorKind::Checkpoint, message).with_source(error))
                })?;
                (Some(cursor), Phase::Active)
            }
            Position::Done => (None, Phase::Done),
        };
        if state.cycles.detected() {
            self.phase = Phase::LoopDetected;
        }
        self.position = state.position.clone();
        self.cycles = state.cycles.clone();
        self.counters = state.counters.clone();
        Ok(Items::new(self, state.yielded))
    }

    /// Returns the next page, or `None` at the end.
    ///
    /// The same as [`StreamExt::next`](futures::StreamExt::next), without an import.
    pub async fn next(&mut self) -> Option<Fetched<P>> {
        StreamExt::next(self).await
    }

    /// Returns the next page, or `Ok(None)` at the end.
    ///
    /// # Errors
    /// Fails if the page cannot be fetched.
    pub async fn try_next(&mut self) -> Result<Option<Page<P::Item, P::Cursor>>> {
        TryStreamExt::try_next(self).await
    }

    /// Returns the position of the next page. Valid at any time, also after an error.
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint::new(self.snapshot())
    }

    pub(super) fn snapshot(&self) -> State {
        State {
            listing: self.paginator().listing_id(),
            position: self.position.clone(),
            yielded: None,
            counters: self.counters.clone(),
            cycles: self.cycles.clone(),
        }
    }

    /// Returns what was yielded so far, and whether that is complete. The items of a page count when it is
    /// yielded.
    pub fn summary(&self) -> Summary {
        self.counters.summary(self.phase == Phase::Done)
    }

    /// Retries the failed page. Returns `false` if there is nothing to retry.
    ///
    /// A [`PaginationLoop`](ErrorKind::PaginationLoop) of cursors cannot be retried.
    pub fn retry(&mut self) -> bool {
        let failed = self.phase == Phase::Failed;
        if failed {
            self.phase = Phase::Active;
        }
        failed
    }

    pub(super) fn paginator(&self) -> &P {
        self.paginator.inner()
    }

    /// Adds the provider to an error that does not come from its client.
    pub(super) fn with_context(&self, error: Error) -> Error {
        error.or_provider(&self.paginator.provider)
    }

    pub(super) fn counters(&mut self) -> &mut Counters {
        &mut self.counters
    }

    pub(super) fn is_done(&self) -> bool {
        self.phase == Phase::Done
    }

    /// Polls the next page, and returns it with the state before it. Its items are not counted yet.
    pub(super) fn poll_page(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<PositionedPage<P>>>> {
        match self.phase {
            Phase::Done | Phase::Failed | Phase::LoopReported => return Poll::Ready(None),
            Phase::LoopDetected => {
                self.phase = Phase::LoopReported;
                let cursor = match &self.position {
                    Position::At { cursor } => one_line(&cursor.to_string()),
                    _ => "of the start".into(),
                };
                let message = format!("pagination loop: cursor {cursor} was returned again");
                let error = Error::new(ErrorKind::PaginationLoop, message);
                return Poll::Ready(Some(Err(self.with_context(error))));
            }
            Phase::Active => {}
        }
        let (at, number) = (self.at.as_ref(), self.counters.pages.saturating_add(1));
        let fetched = match &mut self.source {
            Source::Lazy(fetch) => {
                let in_flight =
                    fetch.get_or_insert_with(|| Box::pin(self.paginator.clone().fetch(at.cloned(), number)));
                let fetched = ready!(in_flight.as_mut().poll(cx));
                *fetch = None;
                fetched
            }
            Source::Prefetch(source) => ready!(source.poll(&self.paginator, at, number, cx)),
            Source::Concurrent(source) => ready!(source.poll(&self.paginator, at, number, cx)),
        };
        let advanced = fetched.map_err(page_error).and_then(|page| self.advance(page));
        let advanced = advanced.map_err(|error| self.with_context(error));
        if advanced.is_err() {
            self.phase = Phase::Failed;
            match &mut self.source {
                Source::Lazy(_) => {}
                Source::Prefetch(source) => source.reset(),
                Source::Concurrent(source) => source.reset(),
            }
        }
        Poll::Ready(Some(advanced))
    }

    /// Moves the position to after `page`.
    fn advance(&mut self, mut page: Page<P::Item, P::Cursor>) -> Result<PositionedPage<P>> {
        self.empty_in_a_row = if page.rows() == 0 { self.empty_in_a_row.saturating_add(1) } else { 0 };
        if self.empty_in_a_row > MAX_EMPTY_PAGES {
            let message = format!("pagination loop: more than {MAX_EMPTY_PAGES} empty pages in a row");
            return Err(Error::new(ErrorKind::PaginationLoop, message));
        }
        let position = match &page.next {
            None => Position::Done,
            Some(next) => Position::At {
                cursor: serde_json::to_value(next).map_err(|error| {
                    Error::config("failed to serialise the paginator's cursor").with_source(error)
                })?,
            },
        };
        let total = page.total.or(self.counters.total());
        if let Source::Concurrent(source) = &mut self.source {
            source.fill(&self.paginator, page.next.as_ref(), total, self.counters.pages.saturating_add(2))?;
        }
        let before = self.snapshot();
        self.counters.record_page(&page);
        self.phase = match &position {
            Position::At { cursor } if self.cycles.observe(cursor) => Phase::LoopDetected,
            Position::At { .. } => Phase::Active,
            _ => Phase::Done,
        };
        self.position = position;
        let at = std::mem::replace(&mut self.at, page.next.clone());
        page.at = page.at.or(at);
        Ok((page, before))
    }
}

/// `InvalidRecord` is reserved for single rows, after which a stream continues; a failed page is reported as
/// `Decode`.
fn page_error(error: Error) -> Error {
    if error.kind() == ErrorKind::InvalidRecord { error.into_kind(ErrorKind::Decode) } else { error }
}

impl<P: Paginator> Stream for Pages<P> {
    type Item = Fetched<P>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let page = ready!(this.poll_page(cx));
        Poll::Ready(page.map(|page| {
            let (page, _) = page?;
            page.items.iter().for_each(|_| this.counters.record_item());
            page.rejected.iter().for_each(|_| this.counters.record_rejected());
            Ok(page)
        }))
    }
}

impl<P: Paginator> FusedStream for Pages<P> {
    fn is_terminated(&self) -> bool {
        matches!(self.phase, Phase::Done | Phase::Failed | Phase::LoopReported)
    }
}

impl<P: Paginator> Unpin for Pages<P> {}

impl<P: Paginator> Drop for Pages<P> {
    fn drop(&mut self) {
        self.paginator.record_totals(self.counters.pages, self.counters.rows());
    }
}

impl<P: Paginator> fmt::Debug for Pages<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("position", &self.position)
            .field("phase", &self.phase)
            .finish_non_exhaustive()
    }
}

/// A paginator that fetches each page within a tracing span, inside the span of the listing.
///
/// The spans contain the provider and counts, but no items and no cursors.
pub(super) struct TracedPaginator<P> {
    paginator: Arc<P>,
    provider: Arc<str>,
    listing: Span,
}

impl<P: Paginator> TracedPaginator<P> {
    fn new(paginator: P) -> Self {
        let provider = Arc::from(paginator.listing_id().provider());
        let listing =
            tracing::info_span!("listing", provider = &*provider, pages = field::Empty, rows = field::Empty);
        Self { paginator: Arc::new(paginator), provider, listing }
    }

    pub(super) fn inner(&self) -> &P {
        &self.paginator
    }

    /// Fetches the page at `at`. `number` counts from 1.
    pub(super) async fn fetch(self, at: Option<P::Cursor>, number: u64) -> Fetched<P> {
        let span = self.listing.in_scope(|| {
            tracing::debug_span!(
                "page",
                provider = &*self.provider,
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

    /// Records the totals of the listing.
    fn record_totals(&self, pages: u64, rows: u64) {
        self.listing.record("pages", pages).record("rows", rows);
    }
}

impl<P> Clone for TracedPaginator<P> {
    fn clone(&self) -> Self {
        Self {
            paginator: Arc::clone(&self.paginator),
            provider: Arc::clone(&self.provider),
            listing: self.listing.clone(),
        }
    }
}
