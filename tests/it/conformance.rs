//! All providers keep the promises of a paginator, and one that breaks any of them is found out.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use futures::{FutureExt, StreamExt};
use headcount::{
    Checkpoint, Continuity, Error, ErrorKind, Items, ListingId, Page, Paginator, Result, SeekPaginator,
};
use headcount_sim::{self as sim, BrokenPromise, Conformance};
use serde::{Deserialize, Serialize};

use crate::{
    kit::{Habits, PROVIDERS},
    lists::{block_on, setup},
};

#[test]
fn every_provider_keeps_every_promise() {
    block_on(check_providers());
}

async fn check_providers() {
    const ACCOUNTS: u32 = 120;
    for &provider in PROVIDERS {
        // Pages of one row more or less, of the whole list, and of more. In its own ways, a server has gaps besides.
        let usual = [11, 25, ACCOUNTS, 250].map(|limit| (limit, None, 0));
        let unusual = (1..=provider.ways()).map(|way| (25, Some(3), way));
        for (limit, gaps, way) in usual.into_iter().chain(unusual) {
            let habits = Habits { rows: limit as usize, gaps, way };
            let server = provider.start(sim::Settings::new().accounts(ACCOUNTS as usize), habits).await;
            let client = provider.client(&*server, &setup());
            let case = format!("{provider} with {habits:?}");
            for list in client.lists(limit) {
                list.promises(server.ids()).await.unwrap_or_else(|broken| panic!("{case}: {broken}"));
            }
            let any = Conformance::new(|| client.list(limit)).expecting(server.ids()).new_seekable();
            any.run().await.unwrap_or_else(|broken| panic!("{case}: {broken}"));
        }
    }
}

/// How many items there are, on pages of so many, with an empty page behind them.
const ITEMS: u32 = 12;
const PAGE: u32 = 3;

/// What a paginator does wrong.
#[derive(Clone, Copy, Debug)]
enum Flaw {
    None,
    LosesAnItem,
    GivesAnItemTwice,
    Fails,
    HasAnItemWithoutId,
    GivesAnotherPageTheSecondTime,
    LeadsElsewhereTheSecondTime,
    /// Its cursors are not the same when they are read back.
    ForgetfulCursor,
    /// Its cursors can not be read back.
    WriteOnlyCursor,
    /// Its cursors can be read back, but not from inside of something.
    DeepCursor,
    /// It gives items only to the task that it was made in.
    BoundToItsTask,
    /// It has room for two pages, and loses those that come before earlier ones are used.
    TwoBuffers,
    /// It guesses the cursor after next, and says that what comes there continues.
    WrongGuess,
    /// Where it goes on, it gives the first page again.
    RepeatsTheStart,
    /// Each that is made calls itself another.
    NameOfItsOwn,
    /// Resumed from behind the end, it begins anew.
    RestartsWhenDone,
    /// Resumed, it tries the first item, fails, and keeps that to itself.
    SwallowsAnError,
    /// From this walk on, it loses an item.
    LosesAnItemLater(u32),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Cursor {
    Page(u32),
    Forgetful {
        page: u32,
        #[serde(skip)]
        mark: bool,
    },
    #[serde(skip_deserializing)]
    WriteOnly(u32),
    Deep(u32, Nested),
}

/// Lists in lists: JSON is read to a depth of 127, of which a cursor of these has two more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Nested(Vec<Nested>);

impl Nested {
    fn deep() -> Self {
        (0..124).fold(Self(Vec::new()), |inner, _| Self(vec![inner]))
    }
}

impl Cursor {
    fn page(&self) -> u32 {
        let (Self::Page(page) | Self::Forgetful { page, .. } | Self::WriteOnly(page) | Self::Deep(page, _)) =
            self;
        *page
    }
}

/// A listing of the numbers from 0 on.
struct Numbers {
    flaw: Flaw,
    /// How many were made before it.
    nth: u32,
    /// How often the first page was fetched, by all of them.
    walks: Arc<AtomicU32>,
    fetched: Mutex<BTreeSet<u32>>,
    /// How many items were asked for their ids: those are in use.
    used: AtomicU32,
    resumed: AtomicBool,
    loses: AtomicBool,
}

impl Numbers {
    fn items(&self, page: u32, again: bool) -> Vec<u32> {
        let mut items: Vec<_> = (page * PAGE..ITEMS.min((page + 1) * PAGE)).collect();
        match self.flaw {
            Flaw::LosesAnItem => items.retain(|item| *item != 4),
            Flaw::LosesAnItemLater(_) if self.loses.load(Ordering::Relaxed) => {
                items.retain(|item| *item != 4);
            }
            Flaw::GivesAnItemTwice if page == 2 => items.push(0),
            Flaw::GivesAnotherPageTheSecondTime if again => items.reverse(),
            Flaw::BoundToItsTask if tokio::task::try_id().is_some() => items.clear(),
            Flaw::TwoBuffers if page > 1 && self.used.load(Ordering::Relaxed) < (page - 1) * PAGE => {
                items.clear();
            }
            _ => {}
        }
        items
    }

    fn cursor(&self, page: u32) -> Cursor {
        match self.flaw {
            Flaw::ForgetfulCursor => Cursor::Forgetful { page, mark: true },
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
        let own = matches!(self.flaw, Flaw::NameOfItsOwn).then_some(self.nth);
        ListingId::new("numbers", [("nth", &*format!("{own:?}"))])
    }

    async fn fetch(&self, at: Option<&Cursor>) -> Result<Page<u32, Cursor>> {
        let mut page = at.map_or(0, Cursor::page);
        if page == 0 {
            let walk = self.walks.fetch_add(1, Ordering::Relaxed) + 1;
            let loses = matches!(self.flaw, Flaw::LosesAnItemLater(from) if walk >= from);
            self.loses.store(loses, Ordering::Relaxed);
        }
        let resumed = self.resumed.load(Ordering::Relaxed);
        if matches!(self.flaw, Flaw::Fails) || (matches!(self.flaw, Flaw::SwallowsAnError) && resumed) {
            return Err(Error::new(ErrorKind::Transport, "reset"));
        }
        let mut fetched = self.fetched.lock().unwrap();
        let goes_on = fetched.is_empty() && page > 0;
        let again = !fetched.insert(page);
        let next = match self.flaw {
            Flaw::LeadsElsewhereTheSecondTime if again => page + 2,
            _ => page + 1,
        };
        let next = (page * PAGE < ITEMS).then(|| self.cursor(next));
        if matches!(self.flaw, Flaw::RepeatsTheStart) && goes_on {
            page = 0;
        }
        Ok(Page::new(self.items(page, again), next).with_total(Some(ITEMS.into())))
    }

    fn item_id<'a>(&self, item: &'a u32) -> Option<Cow<'a, str>> {
        self.used.fetch_max(item + 1, Ordering::Relaxed);
        let nameless = matches!(self.flaw, Flaw::HasAnItemWithoutId) && *item == 4;
        (!nameless).then(|| item.to_string().into())
    }

    fn resume(self, from: &Checkpoint) -> Result<Items<Self>> {
        self.resumed.store(true, Ordering::Relaxed);
        match self.flaw {
            Flaw::RestartsWhenDone if from.is_done() => Ok(self.pages().items()),
            Flaw::SwallowsAnError => {
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
        let step = if matches!(self.flaw, Flaw::WrongGuess) { 2 } else { 1 };
        let page = at.map_or(0, Cursor::page) + step;
        (u64::from(page * PAGE) < total).then(|| self.cursor(page))
    }

    fn verify(&self, at: &Cursor, predicted: &Cursor, _: &[Option<Cow<'_, str>>]) -> Continuity {
        let follows = matches!(self.flaw, Flaw::WrongGuess) || at == predicted;
        if follows { Continuity::Follows { skip: 0 } } else { Continuity::Unusable }
    }
}

/// What the checks say of a paginator with this flaw, and how many walks they took.
async fn check(flaw: Flaw) -> (Result<(), BrokenPromise>, u32) {
    let (walks, made) = (Arc::new(AtomicU32::new(0)), AtomicU32::new(0));
    let checks = Conformance::new(|| Numbers {
        flaw,
        nth: made.fetch_add(1, Ordering::Relaxed),
        walks: Arc::clone(&walks),
        fetched: Mutex::default(),
        used: AtomicU32::new(0),
        resumed: AtomicBool::new(false),
        loses: AtomicBool::new(false),
    });
    let expected = (0..ITEMS).map(|item| item.to_string());
    let outcome = checks.expecting(expected).new_seekable().run().await;
    (outcome, walks.load(Ordering::Relaxed))
}

#[tokio::test]
async fn a_paginator_that_breaks_a_promise_is_told_which_and_how() {
    let (outcome, walks) = check(Flaw::None).await;
    outcome.unwrap();
    for (flaw, promise, seen) in [
        (Flaw::LosesAnItem, "everything is listed once", "1 are missing, 0 were not expected"),
        (Flaw::GivesAnItemTwice, "everything is listed once", "an item came twice"),
        (Flaw::Fails, "everything is listed once", "reset"),
        (Flaw::HasAnItemWithoutId, "every item has an id", "an item has none"),
        (Flaw::GivesAnotherPageTheSecondTime, "a page is a function of its cursor", "two fetches at None"),
        (Flaw::LeadsElsewhereTheSecondTime, "a page is a function of its cursor", "two fetches at None"),
        (Flaw::ForgetfulCursor, "a cursor survives JSON", "\"page\":1"),
        (Flaw::WriteOnlyCursor, "a cursor survives JSON", "unknown variant"),
        (Flaw::DeepCursor, "a checkpoint survives JSON", "recursion limit"),
        (Flaw::BoundToItsTask, "looking one page ahead gives the same", "expected 12 items, got 0"),
        (Flaw::TwoBuffers, "looking three pages ahead gives the same", "expected 6, got 9 at 6"),
        (Flaw::WrongGuess, "four pages at a time give the same", "expected 6, got 9 at 6"),
        (Flaw::RepeatsTheStart, "resuming at any cut gives the rest, once", "cut at 3: expected 3, got 0"),
        (Flaw::NameOfItsOwn, "resuming at any cut gives the rest, once", "of another listing"),
        (Flaw::SwallowsAnError, "the summary says the truth", "Unfinished"),
        (Flaw::RestartsWhenDone, "done is not start", "began anew"),
        // No fetch can tell that its stream was polled, dropped and polled again: only that check's walk, the last
        // of all, differs here.
        (Flaw::LosesAnItemLater(walks), "a dropped next() loses nothing", "expected 4, got 5 at 4"),
    ] {
        let (outcome, _) = check(flaw).await;
        let broken = outcome.expect_err(&format!("{flaw:?} breaks a promise"));
        assert_eq!(broken.promise(), promise, "{flaw:?}: {broken}");
        assert!(broken.to_string().contains(seen), "{flaw:?}: {broken}");
    }
}
