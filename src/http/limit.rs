use std::{
    collections::VecDeque,
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::FutureExt;
use tokio::{
    sync::Notify,
    task::coop::unconstrained,
    time::{Instant, timeout},
};

use crate::{Result, flight::Flight};

/// At most so many requests within any window of so long.
///
/// A *sliding* window: unlike a token bucket, it never lets two bursts meet within one window.
///
/// Waiting requests go in the order in which they came. One that nobody polls does not hold up the others, as
/// long as the runtime runs in which it was begun: its turn is kept for it as long as the window is, and is then
/// another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    requests: NonZeroU32,
    window: Duration,
}

impl RateLimit {
    /// At most `requests` (0 is taken for 1) in any `window`.
    pub fn new(requests: u32, window: Duration) -> Self {
        Self { requests: NonZeroU32::new(requests).unwrap_or(NonZeroU32::MIN), window }
    }
}

/// Lets requests through at a [`RateLimit`]; shared by a client's clones.
#[derive(Debug)]
pub(super) struct Limiter(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    requests: usize,
    window: Duration,
    /// Held by the call that is the next to have a turn, until it has it. The lock is fair: waiting calls go in
    /// order, and one that is dropped leaves its place without having used anything.
    next: tokio::sync::Mutex<()>,
    /// The turns within the last window, oldest first: when the request went, or, before that, when the turn
    /// came.
    turns: Mutex<VecDeque<Instant>>,
    /// A turn was given back.
    room: Notify,
}

impl Limiter {
    pub(super) fn new(limit: RateLimit) -> Self {
        // The provider counts when requests arrive, which is not as evenly as they leave: 1 % of slack.
        let window = limit.window.saturating_add(limit.window / 100);
        let requests = limit.requests.get() as usize;
        Self(Arc::new(Shared {
            requests,
            window,
            next: tokio::sync::Mutex::default(),
            turns: Mutex::default(),
            room: Notify::new(),
        }))
    }

    /// Waits for the turn of one request.
    ///
    /// # Errors
    /// If the runtime is shut down.
    pub(super) async fn turn(&self) -> Result<Turn> {
        let mut turn = Box::pin(Shared::turn(Arc::clone(&self.0)));
        // Polled here, so that it has its place in the order. What it waits for, it waits for on a task of its own:
        // the others wait behind it, also while nobody polls the one that it is for.
        match unconstrained(turn.as_mut()).now_or_never() {
            Some(turn) => Ok(turn),
            None => Flight::launch(turn)?.landed().await,
        }
    }
}

impl Shared {
    async fn turn(self: Arc<Self>) -> Turn {
        let next = self.next.lock().await;
        let came = loop {
            match self.enter() {
                Ok(came) => break came,
                // Until one ends, or is given back.
                Err(wait) => drop(timeout(wait, self.room.notified()).await),
            }
        };
        drop(next);
        Turn { shared: self, came: Some(came) }
    }

    /// A turn that comes now, or how long there is none at least.
    fn enter(&self) -> Result<Instant, Duration> {
        let mut turns = self.turns();
        let now = self.now(&mut turns);
        match turns.front() {
            Some(oldest) if turns.len() >= self.requests => Err(self.window.saturating_sub(now - *oldest)),
            _ => {
                turns.push_back(now);
                Ok(now)
            }
        }
    }

    fn turns(&self) -> MutexGuard<'_, VecDeque<Instant>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time, in whose window are all `turns` that are left.
    fn now(&self, turns: &mut VecDeque<Instant>) -> Instant {
        let now = Instant::now();
        while turns.front().is_some_and(|turn| now.duration_since(*turn) >= self.window) {
            turns.pop_front();
        }
        now
    }
}

/// Room for one request, which is another's again if this is dropped unused.
#[derive(Debug)]
pub(super) struct Turn {
    shared: Arc<Shared>,
    /// `None` once it is taken.
    came: Option<Instant>,
}

impl Turn {
    /// Takes the turn, for a request that is sent right now. `false` if it is too late for that: a whole window has
    /// passed since it came.
    ///
    /// It counts as of now from here on. Until here it has counted as of when it came, so the window that ends now
    /// holds as many as before.
    #[must_use]
    pub(super) fn take(mut self) -> bool {
        let mut turns = self.shared.turns();
        let now = self.shared.now(&mut turns);
        let kept = self.came.take().is_some_and(|came| remove(&mut turns, came));
        if kept {
            turns.push_back(now);
        }
        kept
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(came) = self.came {
            remove(&mut self.shared.turns(), came);
            self.shared.room.notify_one();
        }
    }
}

/// Removes one of the turns that came at `came`, if there still is one: they are all alike.
fn remove(turns: &mut VecDeque<Instant>, came: Instant) -> bool {
    turns.binary_search(&came).is_ok_and(|place| turns.remove(place).is_some())
}
