use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};
use secrecy::SecretString;
use tokio::time::{Instant, timeout};

use crate::{Error, Result};

/// How long a failed renewal is not tried again while the old token lives.
const RENEWAL_PAUSE: Duration = Duration::from_secs(5);
/// How long a renewal is waited for while the old token lives.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How early a token is renewed: so much before its end, or this share of its life before, whichever is
/// less. A fixed margin alone would renew a token of 15 s at every request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Margin {
    pub(crate) most: Duration,
    /// 10 stands for a tenth.
    pub(crate) share: u32,
}

impl Default for Margin {
    fn default() -> Self {
        Self { most: Duration::from_secs(60), share: 10 }
    }
}

impl Margin {
    fn of(self, life: Duration) -> Duration {
        self.most.min(life.checked_div(self.share).unwrap_or_default())
    }

    /// A token in use whose life began at `began`.
    fn token<T>(self, fresh: Fresh<T>, generation: u64, began: Instant) -> Token<T> {
        let end = |cut: Duration| fresh.lifetime.and_then(|life| began.checked_add(life.saturating_sub(cut)));
        let margin = fresh.lifetime.map_or(Duration::ZERO, |life| self.of(life));
        Token { renew_at: end(margin), dies_at: end(Duration::ZERO), generation, value: fresh.value }
    }
}

/// A token that was just obtained.
pub(crate) struct Fresh<T = SecretString> {
    pub(crate) value: T,
    /// How long it lives; `None` if that is not known.
    pub(crate) lifetime: Option<Duration>,
}

/// What a renewal came to.
pub(crate) enum Renewed<T> {
    /// Another token.
    Other(Fresh<T>),
    /// The same token, which lives longer.
    Same(Fresh<T>),
}

impl<T> From<Fresh<T>> for Renewed<T> {
    fn from(fresh: Fresh<T>) -> Self {
        Self::Other(fresh)
    }
}

/// A token in use.
pub(crate) struct Token<T = SecretString> {
    pub(crate) value: T,
    /// Tells it from the tokens before and after it; one that only lives longer keeps it.
    pub(crate) generation: u64,
    renew_at: Option<Instant>,
    dies_at: Option<Instant>,
}

/// One token for all tasks of a client: obtained once however many wait for it, renewed before its end,
/// dropped when it is refused. What counts as a token is up to the provider.
pub(crate) struct TokenCache<T = SecretString> {
    margin: Margin,
    state: Mutex<State<T>>,
}

type Obtained<T> = Result<Arc<Token<T>>>;

struct State<T> {
    token: Option<Arc<Token<T>>>,
    generations: u64,
    /// The one renewal under way. All who wait hold it, and any of them drives it: if one is cancelled,
    /// the others go on; if all are, it ends.
    renewal: Option<WeakShared<BoxFuture<'static, Obtained<T>>>>,
    /// After a failed renewal, with the old token alive.
    pause_until: Option<Instant>,
}

impl<T> Default for TokenCache<T> {
    fn default() -> Self {
        Self::with_margin(Margin::default())
    }
}

impl<T> TokenCache<T> {
    /// A cache whose tokens are renewed so early.
    pub(crate) fn with_margin(margin: Margin) -> Self {
        Self {
            margin,
            state: Mutex::new(State { token: None, generations: 0, renewal: None, pause_until: None }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send + Sync + 'static> TokenCache<T> {
    /// The token, obtained with `obtain` if there is none that still lives. `obtain` is given the token
    /// that is to be renewed, if there is one.
    pub(crate) async fn get<F, R>(
        self: &Arc<Self>,
        obtain: impl FnOnce(Option<Arc<Token<T>>>) -> F,
    ) -> Obtained<T>
    where
        F: Future<Output = Result<R>> + Send + 'static,
        R: Into<Renewed<T>>,
    {
        let (old, renewal) = {
            let mut state = self.lock();
            let now = Instant::now();
            let alive = |token: &&Arc<Token<T>>| token.dies_at.is_none_or(|end| now < end);
            let old = state.token.as_ref().filter(alive).map(Arc::clone);
            if let Some(token) = &old {
                let paused = state.pause_until.is_some_and(|until| now < until);
                if paused || token.renew_at.is_none_or(|renew| now < renew) {
                    return Ok(Arc::clone(token));
                }
            }
            let renewal = if let Some(renewal) = state.renewal.as_ref().and_then(WeakShared::upgrade) {
                renewal
            } else {
                let renewal = Self::renewal(self, state.token.clone(), obtain(state.token.clone()));
                state.renewal = renewal.downgrade();
                renewal
            };
            (old, renewal)
        };
        let Some(old) = old else { return renewal.await };
        if let Ok(obtained) = timeout(LONGEST_WAIT, renewal).await {
            return obtained;
        }
        // The endpoint hangs. While the old token lives, nobody needs to wait for it.
        self.lock().pause_until = Some(Instant::now() + RENEWAL_PAUSE);
        Ok(old)
    }

    fn renewal<R: Into<Renewed<T>>>(
        this: &Arc<Self>,
        old: Option<Arc<Token<T>>>,
        obtain: impl Future<Output = Result<R>> + Send + 'static,
    ) -> Shared<BoxFuture<'static, Obtained<T>>> {
        let this = Arc::clone(this);
        async move {
            let began = Instant::now();
            let obtained = obtain.await;
            let mut state = this.lock();
            state.renewal = None;
            let now = Instant::now();
            match obtained.map(R::into) {
                Ok(renewed) => {
                    let (fresh, same) = match renewed {
                        Renewed::Other(fresh) => (fresh, None),
                        Renewed::Same(fresh) => (fresh, old),
                    };
                    let generation = same.as_ref().map_or(state.generations + 1, |old| old.generation);
                    // Its life began when it was asked for, at the latest.
                    let token = Arc::new(this.margin.token(fresh, generation, began));
                    if let Some(old) = &same
                        && !state.token.as_ref().is_some_and(|token| Arc::ptr_eq(token, old))
                    {
                        // In between it was dropped, or renewed without this cache: that counts. Who waited
                        // is to find out what became of a token that was dropped.
                        return Ok(state.token.clone().unwrap_or(token));
                    }
                    state.generations = state.generations.max(generation);
                    state.token = Some(Arc::clone(&token));
                    state.pause_until = None;
                    Ok(token)
                }
                Err(error) => match &state.token {
                    Some(token) if token.dies_at.is_none_or(|end| now < end) => {
                        let token = Arc::clone(token);
                        state.pause_until = Some(now + RENEWAL_PAUSE);
                        Ok(token)
                    }
                    _ => Err(error),
                },
            }
        }
        .boxed()
        .shared()
    }

    /// The token in use, alive or not; none is obtained.
    pub(crate) fn current(&self) -> Option<Arc<Token<T>>> {
        self.lock().token.clone()
    }

    /// Whether the token of `generation` is the one in use, and lives.
    pub(crate) fn holds(&self, generation: u64) -> bool {
        self.lock().token.as_ref().is_some_and(|token| {
            token.generation == generation && token.dies_at.is_none_or(|end| Instant::now() < end)
        })
    }

    /// The token of `generation` lives on as `fresh` says: it was renewed without this cache. Nothing is kept of
    /// that if another is in use, or none.
    pub(crate) fn renewed(&self, generation: u64, fresh: Fresh<T>) -> Arc<Token<T>> {
        let token = Arc::new(self.margin.token(fresh, generation, Instant::now()));
        let mut state = self.lock();
        if state.token.as_ref().is_some_and(|token| token.generation == generation) {
            state.token = Some(Arc::clone(&token));
            state.pause_until = None;
        }
        token
    }

    /// Drops the token of `generation`, if it is still the one in use: the server refused it.
    pub(crate) fn refused(&self, generation: u64) {
        let mut state = self.lock();
        if state.token.as_ref().is_some_and(|token| token.generation == generation) {
            state.token = None;
            state.pause_until = None;
        }
    }
}

/// What a token endpoint's answer must not be.
pub(crate) fn refuse_empty(token: &str) -> Result<()> {
    if token.is_empty() {
        return Err(Error::decode("the token endpoint answered with an empty token"));
    }
    Ok(())
}
