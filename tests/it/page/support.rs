//! An in-memory listing, and helpers to list it.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use headcount::{
    Error, ErrorKind, IncompleteReason, Items, ListingId, Page, Pages, Paginator, Rejected, Result,
    SeekPaginator,
};

/// How pages are fetched.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mode {
    Lazy,
    Ahead(usize),
    Concurrent(usize),
}

pub(crate) const MODES: [Mode; 5] =
    [Mode::Lazy, Mode::Ahead(1), Mode::Ahead(3), Mode::Concurrent(1), Mode::Concurrent(4)];

impl Mode {
    pub(crate) fn pages<P: SeekPaginator>(self, paginator: P) -> Pages<P> {
        match self {
            Self::Lazy => paginator.pages(),
            Self::Ahead(depth) => paginator.pages().ahead(depth),
            Self::Concurrent(width) => paginator.pages().concurrent(width),
        }
    }
}

/// A row: a number, or a record that cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    Good(u32),
    Bad,
}

/// A listing whose cursors are the indexes of its pages.
#[derive(Clone)]
pub(crate) struct Listing(Arc<Mutex<State>>);

pub(crate) struct State {
    pub(crate) pages: Vec<Vec<Row>>,
    /// The cursor that the last page returns. `None` ends the listing.
    pub(crate) back_to: Option<usize>,
    pub(crate) total: Option<u64>,
    pub(crate) has_ids: bool,
    /// Returned with the next page that is fetched, and with no other.
    pub(crate) incomplete: Option<IncompleteReason>,
    pub(crate) filter: &'static str,
    pub(crate) delay: Duration,
    /// The index of a page that fails, and how often.
    pub(crate) fail: Option<(usize, u32)>,
    pub(crate) fail_kind: ErrorKind,
    /// The requested pages, in order.
    pub(crate) requested: Vec<usize>,
    pub(crate) in_flight: usize,
    pub(crate) max_in_flight: usize,
    pub(crate) completed: usize,
}

impl Listing {
    pub(crate) fn new(pages: Vec<Vec<Row>>) -> Self {
        Self(Arc::new(Mutex::new(State {
            pages,
            back_to: None,
            total: None,
            has_ids: true,
            incomplete: None,
            filter: "",
            delay: Duration::ZERO,
            fail: None,
            fail_kind: ErrorKind::Transport,
            requested: Vec::new(),
            in_flight: 0,
            max_in_flight: 0,
            completed: 0,
        })))
    }

    /// Creates a listing of ascending numbers from 0, on pages of these sizes.
    pub(crate) fn of_sizes(sizes: &[usize]) -> Self {
        let mut numbers = 0..;
        Self::new(sizes.iter().map(|size| numbers.by_ref().take(*size).map(Row::Good).collect()).collect())
    }

    pub(crate) fn with(self, change: impl FnOnce(&mut State)) -> Self {
        change(&mut self.state());
        self
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Returns the numbers that the whole listing yields.
    pub(crate) fn numbers(&self) -> Vec<u32> {
        let number = |row: &Row| match row {
            Row::Good(number) => Some(*number),
            Row::Bad => None,
        };
        self.state().pages.iter().flatten().filter_map(number).collect()
    }
}

impl Paginator for Listing {
    type Item = u32;
    type Cursor = usize;

    fn listing_id(&self) -> ListingId {
        ListingId::new("listing", [("filter", self.state().filter)])
    }

    async fn fetch(&self, at: Option<&usize>) -> Result<Page<u32, usize>> {
        let page = at.copied().unwrap_or(0);
        let delay = {
            let mut state = self.state();
            state.requested.push(page);
            state.in_flight += 1;
            state.max_in_flight = state.max_in_flight.max(state.in_flight);
            state.delay
        };
        let in_flight = InFlight(self.clone());
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        drop(in_flight);
        let mut state = self.state();
        state.completed += 1;
        if let Some((failing, times)) = &mut state.fail
            && *failing == page
            && *times > 0
        {
            *times -= 1;
            return Err(Error::new(state.fail_kind, "reset"));
        }
        let rows = state.pages.get(page).cloned().unwrap_or_default();
        let items =
            rows.iter().filter_map(|row| if let Row::Good(number) = row { Some(*number) } else { None });
        let rejected = rows.iter().enumerate().filter(|(_, row)| **row == Row::Bad);
        let rejected = rejected.map(|(index, _)| Rejected::new(index, "it is bad")).collect();
        let next = if page + 1 < state.pages.len() { Some(page + 1) } else { state.back_to };
        let page = Page::new(items.collect(), next).with_rejected(rejected).with_total(state.total);
        Ok(page.with_incomplete(state.incomplete.take()))
    }

    fn item_id<'a>(&self, item: &'a u32) -> Option<Cow<'a, str>> {
        self.state().has_ids.then(|| Cow::Owned(item.to_string()))
    }
}

/// Decrements the number of requests in flight, also if the request is cancelled.
struct InFlight(Listing);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.state().in_flight -= 1;
    }
}

impl SeekPaginator for Listing {
    fn predict(&self, at: Option<&usize>, total: u64) -> Option<usize> {
        // Assumes that all pages are as long as the first, which may be wrong.
        let size = self.state().pages.first().map_or(1, |page| page.len().max(1));
        let next = at.copied().unwrap_or(0) + 1;
        ((next * size) as u64).lt(&total).then_some(next)
    }
}

/// Collects all numbers and skips rows that cannot be decoded.
pub(crate) async fn numbers(items: &mut Items<Listing>) -> Vec<u32> {
    let mut numbers = Vec::new();
    while let Some(item) = items.next().await {
        match item {
            Ok(number) => numbers.push(number),
            Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidRecord, "{error}"),
        }
    }
    numbers
}
