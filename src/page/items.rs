use std::{
    collections::HashSet,
    fmt, iter, mem,
    pin::Pin,
    task::{Context, Poll, ready},
    vec,
};

use futures::stream::{FusedStream, Stream};

use super::{Checkpoint, Page, Pages, Paginator, Rejected, Summary, checkpoint::Place, tail::Tail};
use crate::{Result, digest::Digest};

/// A stream of items that knows, at any moment, where to go on.
///
/// A row that can not be read comes out in its place as an error of kind
/// [`Record`](crate::ErrorKind::Record), and the stream goes on behind it. Any other error ends it;
/// [`rearm`](Self::rearm) tries the failed page again. Dropping a `next()` future loses nothing.
#[must_use = "streams do nothing unless polled"]
pub struct Items<P: Paginator> {
    pages: Pages<P>,
    current: Option<Current<P::Item>>,
    /// What was handed out of the page at the resumed place: rows, and those of them that stand behind the last
    /// item and could not be read. Spent on the first page.
    skip: usize,
    behind: usize,
    tail: Tail,
}

/// The page in use.
struct Current<T> {
    items: vec::IntoIter<T>,
    rejected: iter::Peekable<vec::IntoIter<Rejected>>,
    /// The next row's place in the page.
    row: usize,
    /// How many rows could not be read since the last item.
    behind: usize,
    /// The items that were handed out before the page was fetched again, if their places do not tell.
    told: HashSet<String>,
    /// The place of this page, as it was before it was fetched.
    place: Place,
}

impl<T> Current<T> {
    fn is_spent(&self) -> bool {
        self.items.as_slice().is_empty() && self.rejected.len() == 0
    }

    fn next_rejected(&mut self) -> Option<Rejected> {
        let here = self.items.as_slice().is_empty();
        let rejected = self.rejected.next_if(|rejected| here || rejected.index <= self.row)?;
        self.row += 1;
        self.behind += 1;
        Some(rejected)
    }

    fn next_item(&mut self) -> Option<T> {
        let item = self.items.next()?;
        self.row += 1;
        self.behind = 0;
        Some(item)
    }
}

impl<P: Paginator> Items<P> {
    pub(super) fn new(pages: Pages<P>) -> Self {
        let tail = Tail::new(pages.paginator().keeps_order());
        Self { pages, current: None, skip: 0, behind: 0, tail }
    }

    pub(super) fn skipping(mut self, place: &Place) -> Self {
        (self.skip, self.behind) = (place.skip, place.behind);
        self.tail.set(&place.tail, place.digest);
        self
    }

    /// Where to go on, to the item: save it, and hand it to [`Paginator::resume`]. Valid at any time,
    /// after errors too.
    ///
    /// The place within a page is known by the last eight items. Should all of them be gone from the page when it
    /// is fetched again, the page is given whole: rather an item twice than one lost.
    ///
    /// Where items do not [keep their order](Paginator::keeps_order), every item handed out of the page is
    /// remembered, the last 2000 of them, and all others are given. Rows that can not be read may be told of again.
    pub fn checkpoint(&self) -> Checkpoint {
        let now = self.pages.place();
        let (place, skip, behind) = match &self.current {
            Some(current) if !current.is_spent() => {
                let tally = now.tally.without_last_page(&current.place.tally);
                (Place { tally, ..current.place.clone() }, current.row, current.behind)
            }
            // Resumed, and not polled since: the next page is still the one to go on within.
            _ if self.skip > 0 => (now, self.skip, self.behind),
            _ => return Checkpoint::new(now),
        };
        let (tail, digest) = (self.tail.to_vec(), self.tail.digest());
        Checkpoint::new(Place { skip, tail, digest, behind, ..place })
    }

    /// What came so far, and whether it is everything.
    pub fn summary(&self) -> Summary {
        let mut summary = self.pages.summary();
        if !self.is_finished() {
            summary.completeness = super::Completeness::Unfinished;
        }
        summary
    }

    /// The provider's own count of the listing, once a page has told it.
    pub fn total(&self) -> Option<u64> {
        self.pages.summary().total
    }

    /// After an error that ended the stream: makes it try the same page again. See [`Pages::rearm`].
    pub fn rearm(&mut self) -> bool {
        self.pages.rearm()
    }

    fn is_finished(&self) -> bool {
        self.pages.is_done() && self.current.as_ref().is_none_or(Current::is_spent)
    }

    /// Takes a fetched page into use, without the rows that a resumed walk had handed out already.
    fn open(&mut self, page: Page<P::Item, P::Cursor>, place: Place) {
        let (skip, behind) = (mem::take(&mut self.skip), mem::take(&mut self.behind));
        let mut current = Current {
            items: page.items.into_iter(),
            rejected: page.rejected.into_iter().peekable(),
            row: 0,
            behind: 0,
            told: HashSet::new(),
            place,
        };
        if skip == 0 {
            self.tail.clear();
        } else {
            let tail = self.tail.to_vec();
            if !self.pages.paginator().keeps_order() {
                self.skip_told(&mut current, tail.into_iter().collect(), skip);
            } else if tail.is_empty() {
                self.skip_by_count(&mut current, skip);
            } else {
                self.skip_through(&mut current, &tail, behind);
            }
        }
        self.current = Some(current);
    }

    /// Skips `rows` rows, if the items among them are those that were handed out: `told`, or, of more than are
    /// remembered, those that have their digest. If not, the page has changed: then only what was told is left out,
    /// wherever it stands now.
    fn skip_told(&self, current: &mut Current<P::Item>, told: HashSet<String>, rows: usize) {
        let paginator = self.pages.paginator();
        let is_told = |item: &P::Item| paginator.item_id(item).is_some_and(|id| told.contains(&*id));
        let bad = current.rejected.clone().take_while(|row| row.index < rows).count();
        let items = current.items.as_slice().get(..rows.saturating_sub(bad));
        let same = |items: &[P::Item]| {
            let ids = items.iter().filter_map(|item| paginator.item_id(item));
            self.tail.digest() == Some(Digest::of(ids))
        };
        if items.is_some_and(|items| items.len() == told.len() && items.iter().all(is_told) || same(items)) {
            while current.row < rows && (current.next_rejected().is_some() || current.next_item().is_some()) {
            }
        } else {
            current.told = told;
        }
    }

    /// Skips `rows` rows. If items have ids, all of those rows could not be read, or an id were remembered;
    /// so only such rows are skipped, and an item that now stands in the place of one is not.
    fn skip_by_count(&self, current: &mut Current<P::Item>, rows: usize) {
        let paginator = self.pages.paginator();
        while current.row < rows && !current.is_spent() {
            if current.next_rejected().is_some() {
                continue;
            }
            let next = current.items.as_slice().first();
            if next.is_some_and(|item| paginator.item_id(item).is_some()) {
                break;
            }
            current.next_item();
        }
    }

    /// Skips through the newest id of `tail` that the page still holds, and through the rows `behind` the newest
    /// of all that could not be read. If the page holds none, nothing is skipped: better an item twice than an
    /// item lost.
    fn skip_through(&self, current: &mut Current<P::Item>, tail: &[String], behind: usize) {
        let paginator = self.pages.paginator();
        let place = |(age, id): (usize, &String)| {
            let is_it = |item: &P::Item| paginator.item_id(item).is_some_and(|found| *found == **id);
            Some((age, current.items.as_slice().iter().position(is_it)?))
        };
        let Some((age, last)) = tail.iter().rev().enumerate().find_map(place) else {
            return;
        };
        let mut items = last + 1;
        while items > 0 && !current.is_spent() {
            if current.next_rejected().is_none() {
                current.next_item();
                items -= 1;
            }
        }
        // Behind an older one, it is not known which were told of.
        let behind = if age == 0 { behind } else { 0 };
        while current.behind < behind && current.next_rejected().is_some() {}
    }
}

impl<P: Paginator> Stream for Items<P> {
    type Item = Result<P::Item>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(current) = &mut this.current {
                if let Some(rejected) = current.next_rejected() {
                    let tally = this.pages.tally();
                    tally.reject();
                    let error = rejected.into_error(tally.pages);
                    return Poll::Ready(Some(Err(error)));
                }
                if let Some(item) = current.next_item() {
                    if let Some(id) = this.pages.paginator().item_id(&item) {
                        if current.told.contains(&*id) {
                            continue;
                        }
                        this.tail.push(&id);
                    }
                    this.pages.tally().item();
                    return Poll::Ready(Some(Ok(item)));
                }
                this.current = None;
            }
            match ready!(this.pages.poll_page(cx)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok((page, place))) => this.open(page, place),
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let rows = |current: &Current<P::Item>| current.items.len() + current.rejected.len();
        let most = self.current.as_ref().map_or(0, rows);
        let least = self.current.as_ref().filter(|current| current.told.is_empty()).map_or(0, rows);
        (least, self.pages.is_terminated().then_some(most))
    }
}

impl<P: Paginator> FusedStream for Items<P> {
    fn is_terminated(&self) -> bool {
        self.current.as_ref().is_none_or(Current::is_spent) && self.pages.is_terminated()
    }
}

impl<P: Paginator> Unpin for Items<P> {}

impl<P: Paginator> fmt::Debug for Items<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("pages", &self.pages).finish_non_exhaustive()
    }
}
