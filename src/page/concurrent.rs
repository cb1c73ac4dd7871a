use std::{
    borrow::Cow,
    collections::VecDeque,
    task::{Context, Poll, ready},
};

use super::{
    Continuity, Page, Paginator, SeekPaginator,
    pages::{Fetched, Traced},
};
use crate::{Result, task::AbortOnDrop};

/// Pages fetched several at a time at predicted cursors, and handed over in order.
///
/// A predicted page is handed over only if [`SeekPaginator::verify`] accepts it. Whatever else is needed is
/// fetched at the stream's own cursor, as without prediction.
pub(super) struct Concurrent<P: Paginator> {
    width: usize,
    seek: Seek<P>,
    /// The page at the stream's own cursor.
    exact: Option<AbortOnDrop<Fetched<P>>>,
    /// In the order of the listing.
    predicted: VecDeque<Predicted<P>>,
}

/// A page at a predicted cursor.
struct Predicted<P: Paginator> {
    at: P::Cursor,
    page: Fetch<P>,
}

enum Fetch<P: Paginator> {
    Pending(AbortOnDrop<Fetched<P>>),
    /// It is kept until the gap before it is fetched.
    Done(Page<P::Item, P::Cursor>),
}

/// The methods of a [`SeekPaginator`], for where only [`Paginator`] is known of the type.
pub(super) struct Seek<P: Paginator> {
    pub(super) predict: Predict<P>,
    pub(super) join: JoinFn<P>,
}

type CursorOf<P> = <P as Paginator>::Cursor;
type Predict<P> = fn(&P, Option<&CursorOf<P>>, u64) -> Option<CursorOf<P>>;
type JoinFn<P> = fn(&P, &CursorOf<P>, &CursorOf<P>, &[Option<Cow<'_, str>>]) -> Continuity;

impl<P: SeekPaginator> Seek<P> {
    pub(super) fn of() -> Self {
        Self { predict: P::predict, join: P::verify }
    }
}

impl<P: Paginator> Concurrent<P> {
    pub(super) fn new(width: usize) -> Self
    where
        P: SeekPaginator,
    {
        Self { width, seek: Seek::of(), exact: None, predicted: VecDeque::new() }
    }

    pub(super) fn reset(&mut self) {
        self.exact = None;
        self.predicted.clear();
    }

    pub(super) fn poll(
        &mut self,
        traced: &Traced<P>,
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
            let (Some(at), Some(Predicted { at: predicted, page })) = (at, self.predicted.pop_front()) else {
                self.exact = Some(AbortOnDrop::spawn(traced.clone().fetch(at.cloned(), number))?);
                continue;
            };
            let fetched = match page {
                Fetch::Done(page) => Ok(page),
                Fetch::Pending(mut flight) => match flight.poll(cx) {
                    Poll::Ready(fetched) => fetched.and_then(|fetched| fetched),
                    Poll::Pending => {
                        self.predicted.push_front(Predicted { at: predicted, page: Fetch::Pending(flight) });
                        return Poll::Pending;
                    }
                },
            };
            let join = match &fetched {
                Ok(page) => {
                    (self.seek.join)(traced.paginator(), at, &predicted, &page.ids(traced.paginator()))
                }
                // The same request would fail again.
                Err(_) if predicted == *at => return Poll::Ready(fetched),
                Err(_) => Continuity::Unusable,
            };
            match (join, fetched) {
                (Continuity::Follows { skip }, Ok(mut page)) => {
                    page.drop_front(skip);
                    page.at = None;
                    return Poll::Ready(Ok(page));
                }
                (Continuity::Known, _) => continue,
                (Continuity::Gap, Ok(page)) => {
                    self.predicted.push_front(Predicted { at: predicted, page: Fetch::Done(page) });
                }
                _ => {}
            }
            self.exact = Some(AbortOnDrop::spawn(traced.clone().fetch(Some(at.clone()), number))?);
        }
    }

    /// Starts the requests that there is room for, once a page that leads to `next`, the `number`th, is handed
    /// over.
    pub(super) fn refill(
        &mut self,
        traced: &Traced<P>,
        next: Option<&P::Cursor>,
        total: Option<u64>,
        number: u64,
    ) -> Result<()> {
        let Some(next) = next else {
            self.reset();
            return Ok(());
        };
        if self.predicted.is_empty() {
            self.exact = Some(AbortOnDrop::spawn(traced.clone().fetch(Some(next.clone()), number))?);
        }
        let Some(total) = total else { return Ok(()) };
        loop {
            let under_way = self.predicted.len() + usize::from(self.exact.is_some());
            let last = self.predicted.back().map_or(next, |predicted| &predicted.at);
            let predicted = (self.seek.predict)(traced.paginator(), Some(last), total);
            let Some(at) = predicted.filter(|_| under_way < self.width) else { return Ok(()) };
            let number = number.saturating_add(under_way as u64);
            let flight = AbortOnDrop::spawn(traced.clone().fetch(Some(at.clone()), number))?;
            self.predicted.push_back(Predicted { at, page: Fetch::Pending(flight) });
        }
    }
}
