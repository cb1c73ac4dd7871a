use std::{
    collections::VecDeque,
    task::{Context, Poll, ready},
};

use super::{Paginator, SeekPaginator, pages::Fetched, traced::Traced};
use crate::{Result, flight::Flight};

/// Pages fetched several at a time at guessed cursors, and handed over in order.
pub(super) struct Concurrent<P: Paginator> {
    width: usize,
    seek: Seek<P>,
    /// In the order of the listing.
    flights: VecDeque<PageFlight<P>>,
}

/// A page under way, or waiting to be used.
struct PageFlight<P: Paginator> {
    at: Option<P::Cursor>,
    flight: Flight<Fetched<P>>,
}

/// The methods of a [`SeekPaginator`], for where only [`Paginator`] is known of the type.
pub(super) struct Seek<P: Paginator> {
    pub(super) guess: Guess<P>,
    pub(super) continues: Continues<P>,
}

type CursorOf<P> = <P as Paginator>::Cursor;
type Guess<P> = fn(&P, Option<&CursorOf<P>>, u64) -> Option<CursorOf<P>>;
type Continues<P> = fn(&P, &CursorOf<P>, &CursorOf<P>, Option<&str>) -> Option<usize>;

impl<P: SeekPaginator> Seek<P> {
    pub(super) fn of() -> Self {
        Self { guess: P::guess, continues: P::continues }
    }
}

impl<P: Paginator> Concurrent<P> {
    pub(super) fn new(width: usize) -> Self
    where
        P: SeekPaginator,
    {
        Self { width: width.max(1), seek: Seek::of(), flights: VecDeque::new() }
    }

    pub(super) fn reset(&mut self) {
        self.flights.clear();
    }

    pub(super) fn poll(
        &mut self,
        traced: &Traced<P>,
        at: Option<&P::Cursor>,
        number: u64,
        cx: &mut Context<'_>,
    ) -> Poll<Fetched<P>> {
        loop {
            if self.flights.is_empty() {
                self.launch(traced, at.cloned(), number)?;
            }
            let Some(front) = self.flights.front_mut() else {
                continue;
            };
            let fetched = ready!(front.flight.poll(cx)).and_then(|fetched| fetched);
            let cursor = front.at.take();
            self.flights.pop_front();
            let exact = cursor.as_ref() == at;
            match (fetched, cursor, at) {
                (fetched, _, _) if exact => return Poll::Ready(fetched),
                (Ok(mut page), Some(guessed), Some(next)) => {
                    let head = page.items.first().and_then(|item| traced.paginator().item_id(item));
                    // A rejected row in front of the first item is not what `head` speaks of.
                    let head = head.filter(|_| page.rejected.first().is_none_or(|row| row.index > 0));
                    if let Some(count) =
                        (self.seek.continues)(traced.paginator(), next, &guessed, head.as_deref())
                    {
                        drop(head);
                        page.drop_front(count);
                        return Poll::Ready(Ok(page));
                    }
                }
                _ => {}
            }
            // A wrong guess, and so are those behind it: the page is fetched where it really starts.
            self.reset();
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
        while self.flights.len() < self.width {
            let cursor = match (self.flights.back(), total) {
                (None, _) => Some(next.clone()),
                (Some(last), Some(total)) => (self.seek.guess)(traced.paginator(), last.at.as_ref(), total),
                (Some(_), None) => None,
            };
            let Some(cursor) = cursor else { break };
            self.launch(traced, Some(cursor), number.saturating_add(self.flights.len() as u64))?;
        }
        Ok(())
    }

    fn launch(&mut self, traced: &Traced<P>, at: Option<P::Cursor>, number: u64) -> Result<()> {
        let flight = Flight::launch(traced.clone().fetch(at.clone(), number))?;
        self.flights.push_back(PageFlight { at, flight });
        Ok(())
    }
}
