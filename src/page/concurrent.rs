use std::{
    borrow::Cow,
    collections::VecDeque,
    task::{Context, Poll, ready},
};

use super::{
    Continuity, Page, Paginator, SeekPaginator,
    pages::{Fetched, TracedPaginator},
};
use crate::{Result, task::AbortOnDrop};

/// Fetches several pages concurrently at predicted cursors, and yields them in order.
///
/// A predicted page is yielded only if [`SeekPaginator::verify`] accepts it. Every other page is fetched at
/// the stream's own cursor, as without prediction.
pub(super) struct Concurrent<P: Paginator> {
    width: usize,
    seek: Seek<P>,
    /// The page at the stream's own cursor.
    exact: Option<AbortOnDrop<Fetched<P>>>,
    /// In the order of the listing.
    predicted: VecDeque<PendingPage<P>>,
}

/// A page at a predicted cursor.
struct PendingPage<P: Paginator> {
    at: P::Cursor,
    page: Fetch<P>,
}

enum Fetch<P: Paginator> {
    Pending(AbortOnDrop<Fetched<P>>),
    /// Kept until the gap before it is fetched.
    Done(Page<P::Item, P::Cursor>),
}

/// The methods of a [`SeekPaginator`], for code that is generic over [`Paginator`].
pub(super) struct Seek<P: Paginator> {
    pub(super) predict: Predict<P>,
    pub(super) verify: Verify<P>,
}

type CursorOf<P> = <P as Paginator>::Cursor;
type Predict<P> = fn(&P, Option<&CursorOf<P>>, u64) -> Option<CursorOf<P>>;
type Verify<P> = fn(&P, &CursorOf<P>, &CursorOf<P>, &[Option<Cow<'_, str>>]) -> Continuity;

impl<P: SeekPaginator> Seek<P> {
    pub(super) fn new() -> Self {
        Self { predict: P::predict, verify: P::verify }
    }
}

impl<P: Paginator> Concurrent<P> {
    pub(super) fn new(width: usize) -> Self
    where
        P: SeekPaginator,
    {
        Self { width, seek: Seek::new(), exact: None, predicted: VecDeque::new() }
    }

    pub(super) fn reset(&mut self) {
        self.exact = None;
        self.predicted.clear();
    }

    pub(super) fn poll(
        &mut self,
        paginator: &TracedPaginator<P>,
        at: Option<&P::Cursor>,
        number: u64,
        cx: &mut Context<'_>,
    ) -> Poll<Fetched<P>> {
        loop {
            if let Some(exact) = &mut self.exact {
                let fetched = ready!(exact.poll(cx)).and_then(|fetched| fetched);
                self.exact = None;
                return Poll::Ready(fetched);
            }
            let (Some(at), Some(PendingPage { at: predicted, page })) = (at, self.predicted.pop_front())
            else {
                self.exact = Some(AbortOnDrop::spawn(paginator.clone().fetch(at.cloned(), number))?);
                continue;
            };
            let fetched = match page {
                Fetch::Done(page) => Ok(page),
                Fetch::Pending(mut task) => match task.poll(cx) {
                    Poll::Ready(fetched) => fetched.and_then(|fetched| fetched),
                    Poll::Pending => {
                        self.predicted.push_front(PendingPage { at: predicted, page: Fetch::Pending(task) });
                        return Poll::Pending;
                    }
                },
            };
            let continuity = match &fetched {
                Ok(page) => {
                    (self.seek.verify)(paginator.inner(), at, &predicted, &page.ids(paginator.inner()))
                }
                // The same request would fail again.
                Err(_) if predicted == *at => return Poll::Ready(fetched),
                Err(_) => Continuity::Unusable,
            };
            match (continuity, fetched) {
                (Continuity::Follows { skip }, Ok(mut page)) => {
                    page.truncate_front(skip);
                    page.at = None;
                    return Poll::Ready(Ok(page));
                }
                (Continuity::Repeat, _) => continue,
                (Continuity::Gap, Ok(page)) => {
                    self.predicted.push_front(PendingPage { at: predicted, page: Fetch::Done(page) });
                }
                _ => {}
            }
            self.exact = Some(AbortOnDrop::spawn(paginator.clone().fetch(Some(at.clone()), number))?);
        }
    }

    /// Starts requests up to the width, after a page whose next cursor is `next`, that of page `number`.
    pub(super) fn fill(
        &mut self,
        paginator: &TracedPaginator<P>,
        next: Option<&P::Cursor>,
        total: Option<u64>,
        number: u64,
    ) -> Result<()> {
        let Some(next) = next else {
            self.reset();
            return Ok(());
        };
        if self.predicted.is_empty() {
            self.exact = Some(AbortOnDrop::spawn(paginator.clone().fetch(Some(next.clone()), number))?);
        }
        let Some(total) = total else { return Ok(()) };
        loop {
            let in_flight = self.predicted.len() + usize::from(self.exact.is_some());
            let last = self.predicted.back().map_or(next, |predicted| &predicted.at);
            let predicted = (self.seek.predict)(paginator.inner(), Some(last), total);
            let Some(at) = predicted.filter(|_| in_flight < self.width) else { return Ok(()) };
            let number = number.saturating_add(in_flight as u64);
            let task = AbortOnDrop::spawn(paginator.clone().fetch(Some(at.clone()), number))?;
            self.predicted.push_back(PendingPage { at, page: Fetch::Pending(task) });
        }
    }
}
