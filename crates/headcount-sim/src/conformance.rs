use std::{collections::BTreeSet, fmt};

use futures::{StreamExt, TryStreamExt};

use headcount::{Checkpoint, Completeness, Items, Pages, Paginator, SeekPaginator, page::Position};

/// How many cuts of a listing are resumed at. Long listings are cut at as many places, spread evenly.
const MOST_CUTS: usize = 12;

/// Checks what every [`Paginator`] promises: those of `headcount`, and one of your own.
///
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use headcount::sailpoint;
/// use headcount_sim as sim;
///
/// let server = sim::SailPoint::builder().accounts(1_000).start().await?;
/// let client = sailpoint::Client::builder(server.base_url())
///     .client_credentials(server.client_id(), server.client_secret())
///     .build()?;
/// sim::Conformance::new(|| client.list_accounts())
///     .expecting(server.ids())
///     .new_seekable()
///     .run()
///     .await?;
/// # Ok(())
/// # }
/// ```
///
/// The promises: everything is listed once; a page is a function of its cursor; a cursor and a checkpoint survive
/// JSON; pages and items, looking ahead and fetching several pages at a time give the same; resuming at any cut
/// gives the rest, once; *done* is not *start*; a dropped `next()` loses nothing; the summary says the truth.
/// The listing must not change while it is checked, and its items must have ids
/// ([`Paginator::item_id`]).
#[must_use = "nothing is checked until run() is awaited"]
pub struct Conformance<P: Paginator, F> {
    make: F,
    expected: Option<BTreeSet<String>>,
    concurrent: Option<Concurrent<P>>,
}

/// [`Pages::concurrent`], for where only [`Paginator`] is known of the type.
type Concurrent<P> = fn(Pages<P>, usize) -> Pages<P>;

/// A promise that a paginator broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenPromise {
    promise: &'static str,
    seen: String,
}

impl BrokenPromise {
    /// What was promised.
    pub fn promise(&self) -> &str {
        self.promise
    }
}

impl fmt::Display for BrokenPromise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.promise, self.seen)
    }
}

impl std::error::Error for BrokenPromise {}

impl<P: Paginator, F> fmt::Debug for Conformance<P, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conformance")
            .field("expected", &self.expected.as_ref().map(BTreeSet::len))
            .field("seeking", &self.concurrent.is_some())
            .finish_non_exhaustive()
    }
}

type Checked<T = ()> = Result<T, BrokenPromise>;

fn hold(holds: bool, promise: &'static str, seen: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(BrokenPromise { promise, seen: seen() }) }
}

fn expect<T, E: fmt::Display>(result: Result<T, E>, promise: &'static str) -> Checked<T> {
    result.map_err(|error| BrokenPromise { promise, seen: error.to_string() })
}

impl<P: Paginator, F: Fn() -> P + Send + Sync> Conformance<P, F> {
    /// Checks the listing that `make` gives, a new one each time.
    pub fn new(make: F) -> Self {
        Self { make, expected: None, concurrent: None }
    }

    /// What should be listed: these ids, in any order.
    pub fn expecting(mut self, ids: impl IntoIterator<Item = String>) -> Self {
        self.expected = Some(ids.into_iter().collect());
        self
    }

    /// Checks fetching several pages at a time too.
    pub fn new_seekable(mut self) -> Self
    where
        P: SeekPaginator,
    {
        self.concurrent = Some(Pages::concurrent);
        self
    }

    /// Runs all checks.
    ///
    /// # Errors
    /// The first promise that does not hold.
    pub async fn run(self) -> Result<(), BrokenPromise> {
        let all = self.everything_once().await?;
        self.pages_are_functions_of_their_cursors(&all).await?;
        for (promise, pages) in self.other_ways() {
            let (ids, _) = self.walk(pages.items(), promise).await?;
            hold(ids == all, promise, || difference(&all, &ids))?;
        }
        self.cuts(&all).await?;
        self.done_is_not_start().await?;
        self.a_dropped_next_loses_nothing(&all).await
    }

    fn pages(&self) -> Pages<P> {
        (self.make)().pages()
    }

    fn other_ways(&self) -> Vec<(&'static str, Pages<P>)> {
        let mut ways = vec![
            ("looking one page ahead gives the same", self.pages().ahead(1)),
            ("looking three pages ahead gives the same", self.pages().ahead(3)),
        ];
        if let Some(concurrent) = self.concurrent {
            ways.push(("four pages at a time give the same", concurrent(self.pages(), 4)));
        }
        ways
    }

    /// The ids of all items, and the checkpoint at the end.
    async fn walk(&self, mut items: Items<P>, promise: &'static str) -> Checked<(Vec<String>, Checkpoint)> {
        let namer = (self.make)();
        let mut ids = Vec::new();
        while let Some(item) = expect(items.try_next().await, promise)? {
            let id = namer.item_id(&item).map(std::borrow::Cow::into_owned);
            ids.push(expect(id.ok_or("an item has none"), "every item has an id")?);
        }
        let (summary, checkpoint) = (items.summary(), items.checkpoint());
        hold(summary.items == checkpoint.items(), "the summary says the truth", || format!("{summary:?}"))?;
        let ended = summary.completeness != Completeness::InProgress && checkpoint.is_done();
        hold(ended, "the summary says the truth", || format!("at the end, {summary:?}"))?;
        Ok((ids, checkpoint))
    }

    async fn everything_once(&self) -> Checked<Vec<String>> {
        let promise = "everything is listed once";
        let (ids, _) = self.walk(self.pages().items(), promise).await?;
        let distinct: BTreeSet<_> = ids.iter().cloned().collect();
        hold(distinct.len() == ids.len(), promise, || "an item came twice".into())?;
        if let Some(expected) = &self.expected {
            let missing = expected.difference(&distinct).count();
            let others = distinct.difference(expected).count();
            hold(missing + others == 0, promise, || {
                format!("{missing} are missing, {others} were not expected")
            })?;
        }
        Ok(ids)
    }

    async fn pages_are_functions_of_their_cursors(&self, all: &[String]) -> Checked {
        let promise = "a page is a function of its cursor";
        let paginator = (self.make)();
        let ids = |items: &[P::Item]| -> Vec<String> {
            items
                .iter()
                .filter_map(|item| paginator.item_id(item))
                .map(std::borrow::Cow::into_owned)
                .collect()
        };
        let (mut at, mut seen) = (None::<P::Cursor>, Vec::new());
        loop {
            let page = expect(paginator.fetch(at.as_ref()).await, promise)?;
            let again = expect(paginator.fetch(at.as_ref()).await, promise)?;
            let same = ids(&page.items) == ids(&again.items) && page.next == again.next;
            hold(same, promise, || format!("two fetches at {at:?} differ"))?;
            seen.extend(ids(&page.items));
            let Some(next) = page.next else { break };
            let json = expect(serde_json::to_string(&next), "a cursor survives JSON")?;
            let back: P::Cursor = expect(serde_json::from_str(&json), "a cursor survives JSON")?;
            hold(back == next, "a cursor survives JSON", || json)?;
            at = Some(next);
        }
        hold(seen == all, promise, || difference(all, &seen))
    }

    async fn cuts(&self, all: &[String]) -> Checked {
        let promise = "resuming at any cut gives the rest, once";
        let step = (all.len() / MOST_CUTS).max(1);
        for cut in (0..=all.len()).step_by(step) {
            let mut items = self.pages().items();
            for _ in 0..cut {
                expect(items.try_next().await, promise)?;
            }
            let checkpoint = items.checkpoint();
            drop(items);
            let json = expect(serde_json::to_string(&checkpoint), "a checkpoint survives JSON")?;
            let saved: Checkpoint = expect(serde_json::from_str(&json), "a checkpoint survives JSON")?;
            hold(saved == checkpoint, "a checkpoint survives JSON", || json)?;
            let rest = expect((self.make)().resume(&saved), promise)?;
            let (ids, _) = self.walk(rest, promise).await?;
            hold(ids == all[cut..], promise, || format!("cut at {cut}: {}", difference(&all[cut..], &ids)))?;
        }
        Ok(())
    }

    async fn done_is_not_start(&self) -> Checked {
        let promise = "done is not start";
        let (_, done) = self.walk(self.pages().items(), promise).await?;
        hold(*done.position() == Position::Done, promise, || format!("{done:?}"))?;
        let mut again = expect((self.make)().resume(&done), promise)?;
        let next = expect(again.try_next().await, promise)?;
        hold(next.is_none(), promise, || "a list that was done began anew".into())
    }

    async fn a_dropped_next_loses_nothing(&self, all: &[String]) -> Checked {
        let promise = "a dropped next() loses nothing";
        let mut items = self.pages().items();
        let namer = (self.make)();
        let mut ids = Vec::new();
        loop {
            // Polled once and dropped, unless it is ready.
            let next = tokio::select! {
                biased;
                next = items.next() => next,
                () = std::future::ready(()) => {
                    tokio::task::yield_now().await;
                    items.next().await
                }
            };
            let Some(item) = expect(next.transpose(), promise)? else {
                break;
            };
            ids.extend(namer.item_id(&item).map(std::borrow::Cow::into_owned));
        }
        hold(ids == all, promise, || difference(all, &ids))
    }
}

fn difference(expected: &[String], got: &[String]) -> String {
    let at = expected.iter().zip(got).position(|(one, other)| one != other);
    match at {
        Some(at) => format!("expected {}, got {} at {at}", expected[at], got[at]),
        None => format!("expected {} items, got {}", expected.len(), got.len()),
    }
}
