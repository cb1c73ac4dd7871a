use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
    vec,
};

use futures::stream::{FusedStream, Stream};

use super::{
    Checkpoint, Page, Pages, Paginator, Position, Rejected, Summary,
    checkpoint::{Place, Yielded},
};
use crate::Result;

/// A stream of items that can be checkpointed.
///
/// A row that cannot be decoded is yielded in its place as an error of kind
/// [`InvalidRecord`](crate::ErrorKind::InvalidRecord), and the stream continues after it. Any other error ends it;
/// [`retry`](Self::retry) tries the failed page again. Dropping a `next()` future loses nothing.
#[must_use = "streams do nothing unless polled"]
pub struct Items<P: Paginator> {
    pages: Pages<P>,
    current: Option<Current<P>>,
    /// What was yielded of the next page before the listing was resumed.
    resumed: Option<Yielded>,
}

/// The page in use.
struct Current<P: Paginator> {
    items: vec::IntoIter<P::Item>,
    rejected: vec::IntoIter<Rejected>,
    /// The next row's place in the page.
    row: usize,
    /// The place of the stream before this page.
    before: Place,
    /// The cursor after the last row yielded, and whether the listing has such cursors.
    cursor: Option<P::Cursor>,
    advanced: bool,
    /// The rows yielded, where it has none.
    yielded: Yielded,
}

impl<P: Paginator> Current<P> {
    fn new(page: Page<P::Item, P::Cursor>, before: Place) -> Self {
        Self {
            items: page.items.into_iter(),
            rejected: page.rejected.into_iter(),
            row: 0,
            before,
            cursor: page.at,
            advanced: false,
            yielded: Yielded::NONE,
        }
    }

    fn rows(&self) -> usize {
        self.items.len() + self.rejected.len()
    }

    fn next(&mut self, paginator: &P) -> Option<Result<P::Item, Rejected>> {
        let bad = |row: &Rejected| row.index <= self.row || self.items.len() == 0;
        let row = if self.rejected.as_slice().first().is_some_and(bad) {
            Err(self.rejected.next()?)
        } else {
            Ok(self.items.next()?)
        };
        self.row += 1;
        let id = match &row {
            Ok(item) => paginator.item_id(item),
            Err(rejected) => rejected.id.as_deref().map(Into::into),
        };
        self.advanced = paginator.advance(&mut self.cursor, id.as_deref());
        if !self.advanced {
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
    pub(super) fn new(pages: Pages<P>, resumed: Option<Yielded>) -> Self {
        Self { pages, current: None, resumed }
    }

    /// The place after the last row yielded: save it, and pass it to [`Paginator::resume`]. Valid at any time,
    /// after errors too.
    ///
    /// Where the listing's cursors [are made from rows](Paginator::advance) it is exact, whatever changes. Elsewhere
    /// it holds the page's cursor, the number of rows yielded and a digest of their ids. If the page begins with the
    /// same rows when it is fetched again, they are skipped. If not, the whole page is yielded again, and
    /// [`Summary::repeats_at_most`] counts those rows.
    pub fn checkpoint(&self) -> Checkpoint {
        let now = self.pages.place();
        let Some(current) = self.current.as_ref().filter(|current| current.rows() > 0) else {
            return Checkpoint::new(Place { yielded: self.resumed, ..now });
        };
        let tally = now.tally.without_last_page(&current.before.tally);
        let place = Place { tally, ..current.before.clone() };
        let cursor = if current.advanced { serde_json::to_value(&current.cursor).ok() } else { None };
        Checkpoint::new(match cursor {
            Some(cursor) => Place { position: Position::At { cursor }, ..place },
            None => Place { yielded: Some(Yielded { rows: current.row, ..current.yielded }), ..place },
        })
    }

    /// What came so far, and whether it is everything.
    pub fn summary(&self) -> Summary {
        let mut summary = self.pages.summary();
        if !self.is_finished() {
            summary.completeness = super::Completeness::InProgress;
        }
        summary
    }

    /// The provider's own count of the listing, once a page has shown it.
    pub fn total(&self) -> Option<u64> {
        self.pages.summary().total
    }

    /// After an error that ended the stream: makes it try the same page again. See [`Pages::retry`].
    pub fn retry(&mut self) -> bool {
        self.pages.retry()
    }

    fn is_spent(&self) -> bool {
        self.current.as_ref().is_none_or(|current| current.rows() == 0)
    }

    fn is_finished(&self) -> bool {
        self.pages.is_done() && self.is_spent()
    }

    /// Takes a page into use, without the rows that were yielded before the listing was resumed.
    fn open(&mut self, page: Page<P::Item, P::Cursor>, before: Place) {
        let resumed = self.resumed.take().filter(|resumed| resumed.rows > 0);
        let unchanged = resumed.is_none_or(|resumed| page.begins_with(self.pages.paginator(), resumed));
        let mut current = Current::new(page, before);
        match resumed {
            Some(resumed) if unchanged => {
                for _ in 0..resumed.rows {
                    current.next(self.pages.paginator());
                }
            }
            Some(resumed) => self.pages.tally().repeat(resumed.rows),
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
                let tally = this.pages.tally();
                match row {
                    Some(Ok(item)) => {
                        tally.item();
                        return Poll::Ready(Some(Ok(item)));
                    }
                    Some(Err(rejected)) => {
                        tally.reject();
                        return Poll::Ready(Some(Err(rejected.into_error(tally.pages))));
                    }
                    None => this.current = None,
                }
            }
            match ready!(this.pages.poll_page(cx)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok((page, before))) => this.open(page, before),
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let rows = self.current.as_ref().map_or(0, Current::rows);
        (rows, self.pages.is_terminated().then_some(rows))
    }
}

impl<P: Paginator> FusedStream for Items<P> {
    fn is_terminated(&self) -> bool {
        self.is_spent() && self.pages.is_terminated()
    }
}

impl<P: Paginator> Unpin for Items<P> {}

impl<P: Paginator> fmt::Debug for Items<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("pages", &self.pages).finish_non_exhaustive()
    }
}
