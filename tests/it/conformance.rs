//! All providers pass the conformance checks, and the checks detect every kind of broken paginator.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use futures::FutureExt;
use headcount::{
    Checkpoint, Continuity, Error, ErrorKind, Items, ListingId, Page, Paginator, Result, SeekPaginator,
};
use headcount_sim::{self as sim, Conformance, ConformanceError};
use serde::{Deserialize, Serialize};

use crate::{
    kit::{PROVIDERS, ServerBehavior},
    lists::{block_on, setup},
};

#[test]
fn providers_conform() {
    block_on(check_providers());
}

async fn check_providers() {
    const ACCOUNTS: u32 = 60;
    for &provider in PROVIDERS {
        // Several pages of which the last is short, one full page, and one page with room for more. The
        // variants of the server also have gaps.
        let usual = [8, 25, ACCOUNTS, 250].map(|limit| (limit, None, 0));
        let variants = (1..=provider.variants()).map(|variant| (25, Some(3), variant));
        for (limit, gap_interval, variant) in usual.into_iter().chain(variants) {
            let behavior = ServerBehavior { page_size: limit as usize, gap_interval, variant };
            let server = provider.start(sim::SimConfig::new().accounts(ACCOUNTS as usize), behavior).await;
            let client = provider.client(&*server, &setup());
            let case = format!("{provider} with {behavior:?}");
            for list in client.lists(limit) {
                list.check_conformance(server.ids()).await.unwrap_or_else(|error| panic!("{case}: {error}"));
            }
            let any = Conformance::new(|| client.list(limit)).expected_ids(server.ids()).concurrent();
            any.run().await.unwrap_or_else(|error| panic!("{case}: {error}"));
        }
    }
}

/// The number of items. They fill full pages, and an empty page follows.
const ITEMS: u32 = 12;
const PAGE_SIZE: u32 = 3;

/// A defect of a paginator.
#[derive(Clone, Copy, Debug)]
enum Flaw {
    None,
    MissingItem,
    DuplicateItem,
    FailedRequest,
    ItemWithoutId,
    /// A page differs if it is fetched again.
    UnstablePage,
    /// A page has another successor if it is fetched again.
    UnstableNext,
    /// Deserialised cursors differ.
    LossyCursor,
    /// Cursors cannot be deserialised.
    WriteOnlyCursor,
    /// Cursors can be deserialised, but not within another value.
    DeepCursor,
    /// Pages are empty in any spawned task.
    TaskBound,
    /// Only two pages are buffered. Pages that are fetched earlier are empty.
    TwoBuffers,
    /// Predicts the cursor after the next one, and verifies it.
    WrongPrediction,
    /// Returns the first page again after resuming.
    RepeatedStart,
    /// Every instance has a listing id of its own.
    UniqueId,
    /// Resuming a finished listing starts again.
    RestartWhenDone,
    /// Resuming polls once and discards the error.
    DiscardedError,
    /// Loses an item in this listing and all later ones.
    LateMissingItem(u32),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Cursor {
    Page(u32),
    Lossy {
        page: u32,
        #[serde(skip)]
        mark: bool,
    },
    #[serde(skip_deserializing)]
    WriteOnly(u32),
    Deep(u32, Nested),
}

/// Nested arrays. `serde_json` reads JSON to a depth of 127, and a cursor adds two levels to these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Nested(Vec<Nested>);

impl Nested {
    fn deep() -> Self {
        (0..124).fold(Self(Vec::new()), |inner, _| Self(vec![inner]))
    }
}

impl Cursor {
    fn page(&self) -> u32 {
        let (Self::Page(page) | Self::Lossy { page, .. } | Self::WriteOnly(page) | Self::Deep(page, _)) =
            self;
        *page
    }
}

/// A listing of the numbers below [`ITEMS`].
struct Numbers {
    flaw: Flaw,
    /// The number of instances that were created before.
    nth: u32,
    /// How often any instance fetched the first page.
    starts: Arc<AtomicU32>,
    fetched: Mutex<BTreeSet<u32>>,
    /// The number of items whose ids were read, which means that they are in use.
    used: AtomicU32,
    resumed: AtomicBool,
    loses: AtomicBool,
}

impl Numbers {
    fn items(&self, page: u32, again: bool) -> Vec<u32> {
        let mut items: Vec<_> = (page * PAGE_SIZE..ITEMS.min((page + 1) * PAGE_SIZE)).collect();
        match self.flaw {
            Flaw::MissingItem => items.retain(|item| *item != 4),
            Flaw::LateMissingItem(_) if self.loses.load(Ordering::Relaxed) => {
                items.retain(|item| *item != 4);
            }
            Flaw::DuplicateItem if page == 2 => items.push(0),
            Flaw::UnstablePage if again => items.reverse(),
            Flaw::TaskBound if tokio::task::try_id().is_some() => items.clear(),
            Flaw::TwoBuffers if page > 1 && self.used.load(Ordering::Relaxed) < (page - 1) * PAGE_SIZE => {
                items.clear();
            }
            _ => {}
        }
        items
    }

    fn cursor(&self, page: u32) -> Cursor {
        match self.flaw {
            Flaw::LossyCursor => Cursor::Lossy { page, mark: true },
            Flaw::WriteOnlyCursor => Cursor::WriteOnly(page),
            Flaw::DeepCursor => Cursor::Deep(page, Nested::deep()),
            _ => Cursor::Page(page),
        }
    }
}

impl Paginator for Numbers {
    type Item = u32;
    type Cursor = Cursor;

    fn listing_id(&self) -> ListingId {
        let nth = matches!(self.flaw, Flaw::UniqueId).then_some(self.nth);
        ListingId::new("numbers", [("nth", &*format!("{nth:?}"))])
    }

    async fn fetch(&self, at: Option<&Cursor>) -> Result<Page<u32, Cursor>> {
        let mut page = at.map_or(0, Cursor::page);
        if page == 0 {
            let start = self.starts.fetch_add(1, Ordering::Relaxed) + 1;
            let loses = matches!(self.flaw, Flaw::LateMissingItem(from) if start >= from);
            self.loses.store(loses, Ordering::Relaxed);
        }
        let resumed = self.resumed.load(Ordering::Relaxed);
        if matches!(self.flaw, Flaw::FailedRequest) || (matches!(self.flaw, Flaw::DiscardedError) && resumed)
        {
            return Err(Error::new(ErrorKind::Transport, "reset"));
        }
        let mut fetched = self.fetched.lock().unwrap();
        let is_resumed = fetched.is_empty() && page > 0;
        let again = !fetched.insert(page);
        let next = match self.flaw {
            Flaw::UnstableNext if again => page + 2,
            _ => page + 1,
        };
        let next = (page * PAGE_SIZE < ITEMS).then(|| self.cursor(next));
        if matches!(self.flaw, Flaw::RepeatedStart) && is_resumed {
            page = 0;
        }
        Ok(Page::new(self.items(page, again), next).with_total(Some(ITEMS.into())))
    }

    fn item_id<'a>(&self, item: &'a u32) -> Option<Cow<'a, str>> {
        self.used.fetch_max(item + 1, Ordering::Relaxed);
        let has_no_id = matches!(self.flaw, Flaw::ItemWithoutId) && *item == 4;
        (!has_no_id).then(|| item.to_string().into())
    }

    fn resume(self, from: &Checkpoint) -> Result<Items<Self>> {
        self.resumed.store(true, Ordering::Relaxed);
        match self.flaw {
            Flaw::RestartWhenDone if from.is_done() => Ok(self.pages().items()),
            Flaw::DiscardedError => {
                let mut items = self.pages().resume(from)?;
                let _ = items.next().now_or_never();
                Ok(items)
            }
            _ => self.pages().resume(from),
        }
    }
}

impl SeekPaginator for Numbers {
    fn predict(&self, at: Option<&Cursor>, total: u64) -> Option<Cursor> {
        let step = if matches!(self.flaw, Flaw::WrongPrediction) { 2 } else { 1 };
        let page = at.map_or(0, Cursor::page) + step;
        (u64::from(page * PAGE_SIZE) < total).then(|| self.cursor(page))
    }

    fn verify(&self, at: &Cursor, predicted: &Cursor, _: &[Option<Cow<'_, str>>]) -> Continuity {
        let follows = matches!(self.flaw, Flaw::WrongPrediction) || at == predicted;
        if follows { Continuity::Follows { skip: 0 } } else { Continuity::Unusable }
    }
}

/// Checks a paginator with this flaw. Returns the result and how often the listing was started.
async fn check(flaw: Flaw) -> (Result<(), ConformanceError>, u32) {
    let (starts, created) = (Arc::new(AtomicU32::new(0)), AtomicU32::new(0));
    let checks = Conformance::new(|| Numbers {
        flaw,
        nth: created.fetch_add(1, Ordering::Relaxed),
        starts: Arc::clone(&starts),
        fetched: Mutex::default(),
        used: AtomicU32::new(0),
        resumed: AtomicBool::new(false),
        loses: AtomicBool::new(false),
    });
    let expected = (0..ITEMS).map(|item| item.to_string());
    let outcome = checks.expected_ids(expected).concurrent().run().await;
    (outcome, starts.load(Ordering::Relaxed))
}

#[tokio::test]
async fn each_flaw_is_detected() {
    let (outcome, starts) = check(Flaw::None).await;
    outcome.unwrap();
    for (flaw, requirement, details) in [
        (Flaw::MissingItem, "every item is listed once", "items missing: 1, unexpected: 0"),
        (Flaw::DuplicateItem, "every item is listed once", "an item was yielded twice"),
        (Flaw::FailedRequest, "every item is listed once", "reset"),
        (Flaw::ItemWithoutId, "every item has an id", "an item has no id"),
        (Flaw::UnstablePage, "a page is a function of its cursor", "two fetches at None"),
        (Flaw::UnstableNext, "a page is a function of its cursor", "two fetches at None"),
        (Flaw::LossyCursor, "a cursor survives JSON", "\"page\":1"),
        (Flaw::WriteOnlyCursor, "a cursor survives JSON", "unknown variant"),
        (Flaw::DeepCursor, "a checkpoint survives JSON", "recursion limit"),
        (Flaw::TaskBound, "prefetching one page yields the same items", "expected 12 items, got 0"),
        (Flaw::TwoBuffers, "prefetching three pages yields the same items", "expected 6, got 9 at index 6"),
        (
            Flaw::WrongPrediction,
            "fetching four pages concurrently yields the same items",
            "expected 6, got 9 at index 6",
        ),
        (
            Flaw::RepeatedStart,
            "resuming yields the remaining items, each once",
            "resumed after 3 items: expected 3, got 0",
        ),
        (Flaw::UniqueId, "resuming yields the remaining items, each once", "another listing"),
        (Flaw::DiscardedError, "the summary is accurate", "InProgress"),
        (Flaw::RestartWhenDone, "resuming a completed listing yields nothing", "the listing started again"),
        // A paginator cannot detect that `next()` was dropped and polled again. That check lists last, so
        // only its listing differs here.
        (Flaw::LateMissingItem(starts), "a dropped next() loses nothing", "expected 4, got 5 at index 4"),
    ] {
        let (outcome, _) = check(flaw).await;
        let error = outcome.expect_err(&format!("{flaw:?} was not detected"));
        assert_eq!(error.requirement(), requirement, "{flaw:?}: {error}");
        assert!(error.to_string().contains(details), "{flaw:?}: {error}");
    }
}
