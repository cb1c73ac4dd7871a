use std::{collections::BTreeSet, fmt};

use headcount::{Checkpoint, Completeness, Items, Pages, Paginator, Position, SeekPaginator};

/// Roughly how many positions of a listing are resumed from. They are spread evenly over long listings.
const RESUME_POSITIONS: usize = 12;

/// Checks that a [`Paginator`] satisfies its contract. Works for those of `headcount` and for your own.
///
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use headcount::sailpoint;
/// use headcount_sim as sim;
///
/// let server = sim::SailPoint::builder().accounts(1_000).start().await?;
/// let client = sailpoint::Client::builder()
///     .base_url(server.base_url())
///     .client_credentials(server.client_id(), server.client_secret())
///     .build()?;
/// sim::Conformance::new(|| client.list_accounts())
///     .expected_ids(server.ids())
///     .concurrent()
///     .run()
///     .await?;
/// # Ok(())
/// # }
/// ```
///
/// The requirements:
///
/// - Every item is listed exactly once.
/// - A page is a function of its cursor.
/// - Cursors and checkpoints survive a JSON round trip.
/// - `pages()` and `items()` yield the same items, and so do prefetching, concurrent and sequential fetching.
/// - Resuming at any position yields the remaining items, each once.
/// - Resuming a completed listing yields nothing.
/// - Dropping a `next()` future loses no item.
/// - The summary is accurate.
///
/// Without [`expected_ids`](Self::expected_ids), rows that the paginator leaves out, and a listing that ends early, are
/// not noticed.
///
/// The listing must not change while it is checked, and its items must have ids ([`Paginator::item_id`]).
#[must_use = "nothing is checked until run() is awaited"]
pub struct Conformance<P: Paginator, F> {
    new_paginator: F,
    expected_ids: Option<BTreeSet<String>>,
    fetch_concurrently: Option<Concurrent<P>>,
}

/// [`Pages::concurrent`] as a function pointer, because `Conformance` only requires [`Paginator`].
type Concurrent<P> = fn(Pages<P>, usize) -> Pages<P>;

/// A requirement of the [`Paginator`] contract that a paginator violates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConformanceError {
    requirement: &'static str,
    details: String,
}

impl ConformanceError {
    /// Returns the violated requirement, such as `every item is listed once`.
    pub fn requirement(&self) -> &str {
        self.requirement
    }
}

impl fmt::Display for ConformanceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.requirement, self.details)
    }
}

impl std::error::Error for ConformanceError {}

impl<P: Paginator, F> fmt::Debug for Conformance<P, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conformance")
            .field("expected_ids", &self.expected_ids.as_ref().map(BTreeSet::len))
            .field("concurrent", &self.fetch_concurrently.is_some())
            .finish_non_exhaustive()
    }
}

type Result<T = (), E = ConformanceError> = std::result::Result<T, E>;

fn ensure(condition: bool, requirement: &'static str, details: impl FnOnce() -> String) -> Result {
    if condition { Ok(()) } else { Err(ConformanceError { requirement, details: details() }) }
}

fn require<T, E: fmt::Display>(result: Result<T, E>, requirement: &'static str) -> Result<T> {
    result.map_err(|error| ConformanceError { requirement, details: error.to_string() })
}

impl<P: Paginator, F: Fn() -> P + Send + Sync> Conformance<P, F> {
    /// Creates the checks for the paginators that `new_paginator` returns. Each check calls it again.
    pub fn new(new_paginator: F) -> Self {
        Self { new_paginator, expected_ids: None, fetch_concurrently: None }
    }

    /// Sets the ids that the listing must yield, in any order.
    pub fn expected_ids(mut self, ids: impl IntoIterator<Item = String>) -> Self {
        self.expected_ids = Some(ids.into_iter().collect());
        self
    }

    /// Also checks fetching several pages concurrently.
    pub fn concurrent(mut self) -> Self
    where
        P: SeekPaginator,
    {
        self.fetch_concurrently = Some(Pages::concurrent);
        self
    }

    /// Runs all checks.
    ///
    /// # Errors
    ///
    /// Returns the first violated requirement.
    pub async fn run(self) -> Result<(), ConformanceError> {
        let all = self.check_each_item_once().await?;
        self.check_pages(&all).await?;
        for (requirement, pages) in self.fetch_modes() {
            let (ids, _) = self.collect(pages.items(), requirement).await?;
            ensure(ids == all, requirement, || difference(&all, &ids))?;
        }
        self.check_resume(&all).await?;
        self.check_resume_when_done().await?;
        self.check_dropped_next(&all).await
    }

    fn pages(&self) -> Pages<P> {
        (self.new_paginator)().pages()
    }

    fn fetch_modes(&self) -> Vec<(&'static str, Pages<P>)> {
        let mut modes = vec![
            ("prefetching one page yields the same items", self.pages().ahead(1)),
            ("prefetching three pages yields the same items", self.pages().ahead(3)),
        ];
        if let Some(concurrent) = self.fetch_concurrently {
            modes.push((
                "fetching four pages concurrently yields the same items",
                concurrent(self.pages(), 4),
            ));
        }
        modes
    }

    /// Returns the ids of all items, and the final checkpoint.
    async fn collect(
        &self,
        mut items: Items<P>,
        requirement: &'static str,
    ) -> Result<(Vec<String>, Checkpoint)> {
        let paginator = (self.new_paginator)();
        let mut ids = Vec::new();
        while let Some(item) = require(items.try_next().await, requirement)? {
            let id = paginator.item_id(&item).map(std::borrow::Cow::into_owned);
            ids.push(require(id.ok_or("an item has no id"), "every item has an id")?);
        }
        let (summary, checkpoint) = (items.summary(), items.checkpoint());
        ensure(summary.items == checkpoint.items(), "the summary is accurate", || format!("{summary:?}"))?;
        let ended = summary.completeness != Completeness::InProgress && checkpoint.is_done();
        ensure(ended, "the summary is accurate", || format!("at the end, {summary:?}"))?;
        Ok((ids, checkpoint))
    }

    async fn check_each_item_once(&self) -> Result<Vec<String>> {
        let requirement = "every item is listed once";
        let (ids, _) = self.collect(self.pages().items(), requirement).await?;
        let distinct: BTreeSet<_> = ids.iter().cloned().collect();
        ensure(distinct.len() == ids.len(), requirement, || "an item was yielded twice".into())?;
        if let Some(expected) = &self.expected_ids {
            let missing = expected.difference(&distinct).count();
            let unexpected = distinct.difference(expected).count();
            ensure(missing + unexpected == 0, requirement, || {
                format!("items missing: {missing}, unexpected: {unexpected}")
            })?;
        }
        Ok(ids)
    }

    async fn check_pages(&self, all: &[String]) -> Result {
        let requirement = "a page is a function of its cursor";
        let paginator = (self.new_paginator)();
        let ids = |items: &[P::Item]| -> Vec<String> {
            items
                .iter()
                .filter_map(|item| paginator.item_id(item))
                .map(std::borrow::Cow::into_owned)
                .collect()
        };
        let (mut cursor, mut listed) = (None::<P::Cursor>, Vec::new());
        loop {
            let page = require(paginator.fetch(cursor.as_ref()).await, requirement)?;
            let again = require(paginator.fetch(cursor.as_ref()).await, requirement)?;
            let same = ids(&page.items) == ids(&again.items) && page.next == again.next;
            ensure(same, requirement, || format!("two fetches at {cursor:?} differ"))?;
            listed.extend(ids(&page.items));
            let Some(next) = page.next else { break };
            let json = require(serde_json::to_string(&next), "a cursor survives JSON")?;
            let decoded: P::Cursor = require(serde_json::from_str(&json), "a cursor survives JSON")?;
            ensure(decoded == next, "a cursor survives JSON", || json)?;
            cursor = Some(next);
        }
        ensure(listed == all, requirement, || difference(all, &listed))
    }

    async fn check_resume(&self, all: &[String]) -> Result {
        let requirement = "resuming yields the remaining items, each once";
        let step = (all.len() / RESUME_POSITIONS).max(1);
        for count in (0..=all.len()).step_by(step) {
            let mut items = self.pages().items();
            for _ in 0..count {
                require(items.try_next().await, requirement)?;
            }
            let checkpoint = items.checkpoint();
            drop(items);
            let json = require(serde_json::to_string(&checkpoint), "a checkpoint survives JSON")?;
            let decoded: Checkpoint = require(serde_json::from_str(&json), "a checkpoint survives JSON")?;
            ensure(decoded == checkpoint, "a checkpoint survives JSON", || json)?;
            let rest = require((self.new_paginator)().resume(&decoded), requirement)?;
            let (ids, _) = self.collect(rest, requirement).await?;
            ensure(ids == all[count..], requirement, || {
                format!("resumed after {count} items: {}", difference(&all[count..], &ids))
            })?;
        }
        Ok(())
    }

    async fn check_resume_when_done(&self) -> Result {
        let requirement = "resuming a completed listing yields nothing";
        let (_, done) = self.collect(self.pages().items(), requirement).await?;
        ensure(*done.position() == Position::Done, requirement, || format!("{done:?}"))?;
        let mut resumed = require((self.new_paginator)().resume(&done), requirement)?;
        let next = require(resumed.try_next().await, requirement)?;
        ensure(next.is_none(), requirement, || "the listing started again".into())
    }

    async fn check_dropped_next(&self, all: &[String]) -> Result {
        let requirement = "a dropped next() loses nothing";
        let mut items = self.pages().items();
        let paginator = (self.new_paginator)();
        let mut ids = Vec::new();
        loop {
            // Polls the future once and drops it unless it is ready.
            let next = tokio::select! {
                biased;
                next = items.next() => next,
                () = std::future::ready(()) => {
                    tokio::task::yield_now().await;
                    items.next().await
                }
            };
            let Some(item) = require(next.transpose(), requirement)? else {
                break;
            };
            ids.extend(paginator.item_id(&item).map(std::borrow::Cow::into_owned));
        }
        ensure(ids == all, requirement, || difference(all, &ids))
    }
}

fn difference(expected: &[String], actual: &[String]) -> String {
    let index = expected.iter().zip(actual).position(|(one, other)| one != other);
    match index {
        Some(index) => format!("expected {}, got {} at index {index}", expected[index], actual[index]),
        None => format!("expected {} items, got {}", expected.len(), actual.len()),
    }
}
