use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
    vec,
};

use futures::stream::{FusedStream, Stream, StreamExt, TryStreamExt};

use super::{
    Checkpoint, Completeness, Page, Pages, Paginator, Position, Rejected, Summary,
    checkpoint::{State, Yielded},
};
use crate::{Error, ErrorKind, Result};

/// A stream of items that can be checkpointed.
///
/// A record that cannot be decoded is yielded in its place as an error of kind
/// [`InvalidRecord`](ErrorKind::InvalidRecord), and the stream continues after it. Any other error ends the stream;
/// [`retry`](Self::retry) fetches the failed page again. Dropping a `next()` future loses nothing.
///
/// The end of the stream is not proof of completeness: [`summary`](Self::summary) reports it, and
/// [`require_complete`](Self::require_complete) and [`collect_complete`](Self::collect_complete) enforce it.
#[must_use = "streams do nothing unless polled"]
pub struct Items<P: Paginator> {
    pages: Pages<P>,
    current: Option<CurrentPage<P>>,
    /// The rows of the next page that were yielded before the listing was resumed.
    already_yielded: Option<Yielded>,
    /// Whether an incomplete end is yet to be yielded as an error.
    require_complete: bool,
}

/// Everything that a listing yielded: see [`Items::collect_with_summary`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Collected<T> {
    /// The items, in the order of the listing.
    pub items: Vec<T>,
    /// The errors of the records that could not be decoded, each of kind
    /// [`InvalidRecord`](ErrorKind::InvalidRecord).
    pub rejected: Vec<Error>,
    /// The counts, and whether the listing is complete.
    pub summary: Summary,
}

/// The page that is being yielded.
struct CurrentPage<P: Paginator> {
    items: vec::IntoIter<P::Item>,
    rejected: vec::IntoIter<Rejected>,
    /// The position of the next row in the page.
    row: usize,
    /// The state of the stream before this page.
    before: State,
    /// The cursor after the last yielded row.
    cursor: Option<P::Cursor>,
    /// Whether the listing derives cursors from rows.
    derives_cursors: bool,
    /// The yielded rows, if it does not.
    yielded: Yielded,
}

impl<P: Paginator> CurrentPage<P> {
    fn new(page: Page<P::Item, P::Cursor>, before: State) -> Self {
        Self {
            items: page.items.into_iter(),
            rejected: page.rejected.into_iter(),
            row: 0,
            before,
            cursor: page.at,
            derives_cursors: false,
            yielded: Yielded::NONE,
        }
    }

    fn remaining(&self) -> usize {
        self.items.len() + self.rejected.len()
    }

    fn next(&mut self, paginator: &P) -> Option<Result<P::Item, Rejected>> {
        let is_next = |rejected: &Rejected| rejected.index <= self.row || self.items.len() == 0;
        let row = if self.rejected.as_slice().first().is_some_and(is_next) {
            Err(self.rejected.next()?)
        } else {
            Ok(self.items.next()?)
        };
        self.row += 1;
        let id = match &row {
            Ok(item) => paginator.item_id(item),
            Err(rejected) => rejected.id.as_deref().map(Into::into),
        };
        self.derives_cursors = paginator.advance(&mut self.cursor, id.as_deref());
        if !self.derives_cursors || self.cursor.is_none() {
            match &row {
                Ok(_) => self.yielded.item(id.as_deref()),
                Err(rejected) => self.yielded.rejected(rejected),
            }
        }
        drop(id);
        Some(row)
    }
}

impl<P: Paginator> Items<P> {
    pub(super) fn new(pages: Pages<P>, already_yielded: Option<Yielded>) -> Self {
        Self { pages, current: None, already_yielded, require_complete: false }
    }

    /// Returns the next item, or `None` at the end.
    ///
    /// The same as [`StreamExt::next`](futures::StreamExt::next), without an import.
    pub async fn next(&mut self) -> Option<Result<P::Item>> {
        StreamExt::next(self).await
    }

    /// Returns the next item, or `Ok(None)` at the end.
    ///
    /// # Errors
    /// Fails if a record cannot be decoded or a page cannot be fetched.
    pub async fn try_next(&mut self) -> Result<Option<P::Item>> {
        TryStreamExt::try_next(self).await
    }

    /// Makes an incomplete end an error.
    ///
    /// If the listing ends and is not [`Complete`](Completeness::Complete), the stream yields an error of
    /// kind
    /// [`Incomplete`](ErrorKind::Incomplete) that names the reasons, and then ends. So a loop over
    /// [`try_next`](Self::try_next) finishes without an error only if the listing is complete, as far as its
    /// provider shows it.
    ///
    /// ```no_run
    /// # #[cfg(feature = "annature")] async fn run(client: headcount::annature::Client) -> headcount::Result<()> {
    /// let mut accounts = client.list_accounts().items().require_complete();
    /// while let Some(account) = accounts.try_next().await? {
    ///     println!("{}", account.id);
    /// }
    /// // The listing is complete, as far as its provider shows it.
    /// # Ok(()) }
    /// ```
    pub fn require_complete(mut self) -> Self {
        self.require_complete = true;
        self
    }

    /// Collects all items, or fails if the listing is not complete.
    ///
    /// # Errors
    /// Fails with the first error of the stream, whether a record cannot be decoded or a page cannot be
    /// fetched. Fails with [`Incomplete`](ErrorKind::Incomplete) if the listing ends and is not known to be
    /// complete.
    pub async fn collect_complete(self) -> Result<Vec<P::Item>> {
        let mut stream = self.require_complete();
        let mut items = Vec::new();
        while let Some(item) = stream.try_next().await? {
            items.push(item);
        }
        Ok(items)
    }

    /// Collects all items, the errors of records that could not be decoded, and the summary.
    ///
    /// # Errors
    /// Fails if a page cannot be fetched. What was collected before is dropped: to keep it, take the items
    /// one by one.
    pub async fn collect_with_summary(mut self) -> Result<Collected<P::Item>> {
        let (mut items, mut rejected) = (Vec::new(), Vec::new());
        // The summary says whether the listing is complete.
        self.require_complete = false;
        while let Some(item) = self.next().await {
            match item {
                Ok(item) => items.push(item),
                Err(error) if error.kind() == ErrorKind::InvalidRecord => rejected.push(error),
                Err(error) => return Err(error),
            }
        }
        Ok(Collected { items, rejected, summary: self.summary() })
    }

    /// Returns the position after the last yielded row, for [`Paginator::resume`].
    ///
    /// Valid at any time, also after an error. If the listing [derives cursors from
    /// rows](Paginator::advance), the position is exact whatever changes. Otherwise the checkpoint contains
    /// the page's cursor, the number of yielded rows and a digest of their ids. If the page then still begins
    /// with these rows, they are skipped. If not, the whole page is yielded again (at-least-once), and
    /// [`Summary::repeats_at_most`] grows by their number.
    pub fn checkpoint(&self) -> Checkpoint {
        let now = self.pages.snapshot();
        let Some(current) = self.current.as_ref().filter(|current| current.remaining() > 0) else {
            return Checkpoint::new(State { yielded: self.already_yielded, ..now });
        };
        let counters = now.counters.rewind_page(&current.before.counters);
        let state = State { counters, ..current.before.clone() };
        let cursor = current.cursor.as_ref().filter(|_| current.derives_cursors);
        Checkpoint::new(match cursor.and_then(|cursor| serde_json::to_value(cursor).ok()) {
            Some(cursor) => State { position: Position::At { cursor }, ..state },
            None => State { yielded: Some(Yielded { rows: current.row, ..current.yielded }), ..state },
        })
    }

    /// Returns what was yielded so far, and whether that is complete.
    pub fn summary(&self) -> Summary {
        let mut summary = self.pages.summary();
        if !(self.pages.is_done() && self.is_exhausted()) {
            summary.completeness = Completeness::InProgress;
        }
        summary
    }

    /// Returns the provider's count of the listing, if a page has reported one.
    pub fn total(&self) -> Option<u64> {
        self.pages.summary().total
    }

    /// Retries the failed page after an error that ended the stream. See [`Pages::retry`].
    pub fn retry(&mut self) -> bool {
        self.pages.retry()
    }

    fn is_exhausted(&self) -> bool {
        self.current.as_ref().is_none_or(|current| current.remaining() == 0)
    }

    /// Returns the error of an end that has to be complete and is not.
    fn incomplete(&self) -> Option<Error> {
        if !self.require_complete || !self.pages.is_done() {
            return None;
        }
        let completeness = self.pages.summary().completeness;
        (!completeness.is_complete()).then(|| {
            let message = format!("the listing is {completeness}");
            self.pages.with_context(Error::new(ErrorKind::Incomplete, message))
        })
    }

    /// Starts to yield a page, after the rows that were yielded before the listing was resumed.
    fn start_page(&mut self, page: Page<P::Item, P::Cursor>, before: State) {
        let yielded = self.already_yielded.take().filter(|yielded| yielded.rows > 0);
        let unchanged = yielded.is_none_or(|yielded| page.begins_with(self.pages.paginator(), yielded));
        let mut current = CurrentPage::new(page, before);
        match yielded {
            Some(yielded) if unchanged => {
                for _ in 0..yielded.rows {
                    current.next(self.pages.paginator());
                }
            }
            Some(yielded) => self.pages.counters().record_repeats(yielded.rows),
            None => {}
        }
        self.current = Some(current);
    }
}

impl<P: Paginator> Stream for Items<P> {
    type Item = Result<P::Item>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(current) = &mut this.current {
                let row = current.next(this.pages.paginator());
                let counters = this.pages.counters();
                match row {
                    Some(Ok(item)) => {
                        counters.record_item();
                        return Poll::Ready(Some(Ok(item)));
                    }
                    Some(Err(rejected)) => {
                        counters.record_rejected();
                        let error = rejected.into_error(counters.pages);
                        return Poll::Ready(Some(Err(this.pages.with_context(error))));
                    }
                    None => this.current = None,
                }
            }
            match ready!(this.pages.poll_page(cx)) {
                None => {
                    let incomplete = this.incomplete();
                    // After a failed page it still applies to the pages of a retry.
                    this.require_complete &= incomplete.is_none();
                    return Poll::Ready(incomplete.map(Err));
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok((page, before))) => this.start_page(page, before),
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let rows = self.current.as_ref().map_or(0, CurrentPage::remaining);
        let ended = self.pages.is_terminated() && self.incomplete().is_none();
        (rows, ended.then_some(rows))
    }
}

impl<P: Paginator> FusedStream for Items<P> {
    fn is_terminated(&self) -> bool {
        self.is_exhausted() && self.pages.is_terminated() && self.incomplete().is_none()
    }
}

impl<P: Paginator> Unpin for Items<P> {}

impl<P: Paginator> fmt::Debug for Items<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("pages", &self.pages).finish_non_exhaustive()
    }
}
