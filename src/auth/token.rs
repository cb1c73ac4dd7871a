use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use secrecy::SecretString;
use tokio::time::{Instant, timeout};
use tracing::Instrument;

use crate::{Error, Result, task::AbortOnDrop};

/// The delay before a failed refresh is tried again while the old token is valid.
const REFRESH_RETRY_DELAY: Duration = Duration::from_secs(5);
/// The longest wait for a refresh while the old token is valid.
const MAX_REFRESH_WAIT: Duration = Duration::from_secs(5);

/// How long before its expiry a token is refreshed: `max`, or its lifetime divided by `divisor`, whichever is
/// less.
///
/// A fixed margin alone would refresh a token with a lifetime of 15 s at every request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RefreshMargin {
    pub(crate) max: Duration,
    /// 10 means a tenth of the lifetime.
    pub(crate) divisor: u32,
}

impl Default for RefreshMargin {
    fn default() -> Self {
        Self { max: Duration::from_secs(60), divisor: 10 }
    }
}

impl RefreshMargin {
    fn of(self, lifetime: Duration) -> Duration {
        self.max.min(lifetime.checked_div(self.divisor).unwrap_or_default())
    }

    /// Creates a token whose lifetime starts at `start`.
    fn token<T>(self, new: NewToken<T>, generation: u64, start: Instant) -> Token<T> {
        let end = |margin: Duration| {
            new.lifetime.and_then(|lifetime| start.checked_add(lifetime.saturating_sub(margin)))
        };
        let margin = new.lifetime.map_or(Duration::ZERO, |lifetime| self.of(lifetime));
        Token { refresh_at: end(margin), expires_at: end(Duration::ZERO), generation, value: new.value }
    }
}

/// A newly obtained token.
pub(crate) struct NewToken<T = SecretString> {
    pub(crate) value: T,
    /// The lifetime, or `None` if unknown.
    pub(crate) lifetime: Option<Duration>,
}

/// The result of a refresh.
pub(crate) enum Refresh<T> {
    /// Another token.
    Replaced(NewToken<T>),
    /// The same token with a later expiry.
    Extended(NewToken<T>),
}

impl<T> From<NewToken<T>> for Refresh<T> {
    fn from(new: NewToken<T>) -> Self {
        Self::Replaced(new)
    }
}

/// A cached token.
pub(crate) struct Token<T = SecretString> {
    pub(crate) value: T,
    /// The number of the token within its cache. An extended token keeps its generation.
    pub(crate) generation: u64,
    refresh_at: Option<Instant>,
    expires_at: Option<Instant>,
}

/// A token shared by all tasks of a client. It is obtained once for all callers, refreshed before its expiry,
/// and dropped when the server rejects it. The provider defines what a token is.
///
/// A token is obtained under one lock in a spawned task, so there is at most one token request at a time, and
/// a caller that is not polled does not block others. If a caller is dropped, its task is aborted and the
/// next caller obtains the token.
pub(crate) struct TokenCache<T = SecretString> {
    margin: RefreshMargin,
    state: Mutex<State<T>>,
    /// Held while a token is obtained. Only the cache's own tasks wait for it.
    refresh_lock: tokio::sync::Mutex<()>,
}

struct State<T> {
    token: Option<Arc<Token<T>>>,
    last_generation: u64,
    /// Set after a failed refresh while the old token is valid: no refresh is attempted before this time.
    retry_refresh_at: Option<Instant>,
    /// How often obtaining a token has failed. Callers that see it change while waiting share the last
    /// failure.
    failures: u64,
    last_failure: Option<Error>,
}

impl<T> Default for TokenCache<T> {
    fn default() -> Self {
        Self::with_margin(RefreshMargin::default())
    }
}

impl<T> Token<T> {
    fn is_valid(&self) -> bool {
        self.expires_at.is_none_or(|expires_at| Instant::now() < expires_at)
    }
}

impl<T> State<T> {
    /// Returns the token, unless it has to be refreshed.
    fn usable(&self) -> Option<Arc<Token<T>>> {
        let token = self.token.as_ref().filter(|token| token.is_valid())?;
        let now = Instant::now();
        let is_fresh = token.refresh_at.is_none_or(|refresh_at| now < refresh_at);
        (is_fresh || self.retry_refresh_at.is_some_and(|retry_at| now < retry_at)).then(|| Arc::clone(token))
    }

    fn is_current(&self, generation: u64) -> bool {
        self.token.as_ref().is_some_and(|token| token.generation == generation)
    }

    fn store(&mut self, token: Arc<Token<T>>) -> Arc<Token<T>> {
        self.last_generation = self.last_generation.max(token.generation);
        (self.retry_refresh_at, self.last_failure) = (None, None);
        self.token.insert(token).clone()
    }
}

impl<T> TokenCache<T> {
    /// Creates a cache that refreshes its tokens by `margin` before their expiry.
    pub(crate) fn with_margin(margin: RefreshMargin) -> Self {
        let state = State {
            token: None,
            last_generation: 0,
            retry_refresh_at: None,
            failures: 0,
            last_failure: None,
        };
        Self { margin, state: Mutex::new(state), refresh_lock: tokio::sync::Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the cached token, expired or not, without obtaining one.
    pub(crate) fn current(&self) -> Option<Arc<Token<T>>> {
        self.state().token.clone()
    }

    /// Extends the token of `generation` to the lifetime of `new`. The cache is unchanged if it holds another
    /// token by now, or none.
    pub(crate) fn extend(&self, generation: u64, new: NewToken<T>) -> Arc<Token<T>> {
        self.extend_from(generation, new, Instant::now())
    }

    fn extend_from(&self, generation: u64, new: NewToken<T>, start: Instant) -> Arc<Token<T>> {
        let token = Arc::new(self.margin.token(new, generation, start));
        let mut state = self.state();
        if state.is_current(generation) { state.store(token) } else { state.token.clone().unwrap_or(token) }
    }

    /// Drops the token of `generation`, which the server has rejected, if it is still the cached one.
    pub(crate) fn invalidate(&self, generation: u64) {
        let mut state = self.state();
        if state.is_current(generation) {
            (state.token, state.retry_refresh_at) = (None, None);
        }
    }
}

impl<T: Send + Sync + 'static> TokenCache<T> {
    /// Returns the cached token. If it is missing or has to be refreshed, calls `obtain` with the old token,
    /// if any.
    ///
    /// # Errors
    /// Those of `obtain`. While the old token is valid, it is returned instead.
    pub(crate) async fn get<F, R>(
        self: &Arc<Self>,
        obtain: impl FnOnce(Option<Arc<Token<T>>>) -> F + Send + 'static,
    ) -> Result<Arc<Token<T>>>
    where
        F: Future<Output = Result<R>> + Send,
        R: Into<Refresh<T>> + Send,
    {
        let failures = {
            let state = self.state();
            if let Some(token) = state.usable() {
                return Ok(token);
            }
            state.failures
        };
        let this = Arc::clone(self);
        let refresh = async move { this.refresh(failures, obtain).await };
        AbortOnDrop::spawn(refresh.in_current_span())?.join().await?
    }

    async fn refresh<F, R>(
        &self,
        failures: u64,
        obtain: impl FnOnce(Option<Arc<Token<T>>>) -> F,
    ) -> Result<Arc<Token<T>>>
    where
        F: Future<Output = Result<R>>,
        R: Into<Refresh<T>>,
    {
        let _guard = self.refresh_lock.lock().await;
        let start = Instant::now();
        let old = {
            let state = self.state();
            if let Some(token) = state.usable() {
                return Ok(token);
            }
            // Otherwise each of a thousand waiting callers would send its own token request, one after the
            // other.
            if let Some(error) = state.last_failure.as_ref().filter(|_| failures != state.failures) {
                return Err(error.clone());
            }
            state.token.clone()
        };
        let valid = || old.clone().filter(|token| token.is_valid());
        let mut refresh = Box::pin(obtain(old.clone()));
        let result = match valid() {
            Some(_) => timeout(MAX_REFRESH_WAIT, &mut refresh).await.ok(),
            None => Some(refresh.as_mut().await),
        };
        let result = match (result, valid()) {
            (Some(result), _) => result,
            // The endpoint hangs. Callers do not wait for it while the old token is valid.
            (None, Some(token)) => return Ok(self.postpone_refresh(token)),
            (None, None) => refresh.await,
        };
        match (result.map(R::into), old.as_ref()) {
            // The lifetime is counted from the request, since the server may have started it then.
            (Ok(Refresh::Extended(new)), Some(old)) => Ok(self.extend_from(old.generation, new, start)),
            (Ok(Refresh::Extended(new) | Refresh::Replaced(new)), _) => {
                let mut state = self.state();
                let token = self.margin.token(new, state.last_generation + 1, start);
                Ok(state.store(Arc::new(token)))
            }
            (Err(error), _) => {
                if let Some(token) = valid() {
                    return Ok(self.postpone_refresh(token));
                }
                let mut state = self.state();
                (state.failures, state.last_failure) = (state.failures.wrapping_add(1), Some(error.clone()));
                Err(error)
            }
        }
    }

    /// Postpones the next refresh and returns `token`, which is still valid.
    fn postpone_refresh(&self, token: Arc<Token<T>>) -> Arc<Token<T>> {
        self.state().retry_refresh_at = Some(Instant::now() + REFRESH_RETRY_DELAY);
        token
    }
}

/// Rejects an empty token in the response of a token endpoint.
pub(crate) fn non_empty(token: &str) -> Result<()> {
    if token.is_empty() {
        return Err(Error::decode("the token endpoint returned an empty token"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::FutureExt;

    use secrecy::ExposeSecret;

    use super::*;
    use crate::ErrorKind;

    /// Issues tokens "1", "2", … with `lifetime`, each after a second. Fails while `broken` is not 0.
    #[derive(Clone)]
    struct Issuer {
        cache: Arc<TokenCache>,
        requests: Arc<AtomicUsize>,
        broken: Arc<AtomicUsize>,
        lifetime: Duration,
    }

    impl Issuer {
        fn new(lifetime: u64) -> Self {
            Self {
                cache: Arc::default(),
                requests: Arc::default(),
                broken: Arc::default(),
                lifetime: Duration::from_secs(lifetime),
            }
        }
        async fn get(&self) -> Result<String> {
            let this = self.clone();
            let token = self.cache.get(move |_| async move {
                let number = this.requests.fetch_add(1, Ordering::SeqCst) + 1;
                tokio::time::sleep(Duration::from_secs(1)).await;
                if this.broken.load(Ordering::SeqCst) > 0 {
                    return Err(Error::new(ErrorKind::Auth, "down"));
                }
                Ok(NewToken { value: number.to_string().into(), lifetime: Some(this.lifetime) })
            });
            Ok(token.await?.value.expose_secret().to_owned())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn concurrent_callers_share_one_token() {
        let issuer = Issuer::new(750);
        let tasks: Vec<_> = (0..1000)
            .map(|_| {
                let issuer = issuer.clone();
                tokio::spawn(async move { issuer.get().await.unwrap() })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), "1");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn next_caller_obtains_token_if_first_is_aborted() {
        let issuer = Issuer::new(750);
        let first = tokio::spawn({
            let issuer = issuer.clone();
            async move { issuer.get().await }
        });
        tokio::time::sleep(Duration::from_millis(500)).await;
        let second = tokio::spawn({
            let issuer = issuer.clone();
            async move { issuer.get().await }
        });
        tokio::time::sleep(Duration::from_millis(100)).await;
        first.abort();
        assert_eq!(second.await.unwrap().unwrap(), "2");
        assert_eq!(issuer.get().await.unwrap(), "2");
        assert_eq!(issuer.requests.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_callers_share_a_failure() {
        let issuer = Issuer::new(750);
        issuer.broken.store(1, Ordering::SeqCst);
        let began = Instant::now();
        let waiting = futures::future::join_all((0..1000).map(|_| issuer.get())).await;
        assert!(waiting.iter().all(|token| token.as_ref().is_err_and(|error| error.message() == "down")));
        assert_eq!((issuer.requests.load(Ordering::SeqCst), began.elapsed()), (1, Duration::from_secs(1)));
        assert!(issuer.get().await.is_err());
        assert_eq!(issuer.requests.load(Ordering::SeqCst), 2, "later callers try again");
        issuer.broken.store(0, Ordering::SeqCst);
        assert_eq!(issuer.get().await.unwrap(), "3");
    }

    #[tokio::test(start_paused = true)]
    async fn refreshes_before_expiry_by_margin() {
        for (lifetime, refreshed) in [(15, 13.5), (750, 690.0), (43_200, 43_140.0)] {
            let issuer = Issuer::new(lifetime);
            let start = Instant::now();
            assert_eq!(issuer.get().await.unwrap(), "1");
            let at = |seconds| start + Duration::from_secs_f64(seconds);
            tokio::time::sleep_until(at(refreshed - 0.1)).await;
            assert_eq!(issuer.get().await.unwrap(), "1", "{lifetime}");
            tokio::time::sleep_until(at(refreshed + 0.1)).await;
            assert_eq!(issuer.get().await.unwrap(), "2", "{lifetime}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn failed_refresh_keeps_valid_token() {
        let issuer = Issuer::new(100);
        assert_eq!(issuer.get().await.unwrap(), "1");
        issuer.broken.store(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_secs(91)).await;
        for _ in 0..100 {
            assert_eq!(issuer.get().await.unwrap(), "1");
        }
        assert_eq!(
            issuer.requests.load(Ordering::SeqCst),
            2,
            "a failed refresh is not tried at every request"
        );
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(issuer.get().await.unwrap_err().kind(), ErrorKind::Auth);
        issuer.broken.store(0, Ordering::SeqCst);
        assert!(issuer.get().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn hanging_refresh_keeps_valid_token() {
        let issuer = Issuer::new(600);
        assert_eq!(issuer.get().await.unwrap(), "1");
        tokio::time::sleep(Duration::from_secs(550)).await;
        let hanging = || issuer.cache.get(|_| std::future::pending::<Result<NewToken>>());
        let began = Instant::now();
        for _ in 0..100 {
            assert_eq!(hanging().await.unwrap().generation, 1);
        }
        assert!(began.elapsed() <= Duration::from_secs(6), "{:?}", began.elapsed());
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(issuer.get().await.unwrap(), "2", "the refresh is tried again");
    }

    #[tokio::test(start_paused = true)]
    async fn invalidate_drops_only_its_generation() {
        let issuer = Issuer::new(750);
        issuer.get().await.unwrap();
        issuer.cache.invalidate(1);
        assert_eq!(issuer.get().await.unwrap(), "2");
        issuer.cache.invalidate(1);
        assert_eq!(issuer.get().await.unwrap(), "2");
        assert_eq!(issuer.requests.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn extend_affects_only_current_token() {
        let issuer = Issuer::new(100);
        assert!(issuer.cache.current().is_none());
        assert_eq!(issuer.get().await.unwrap(), "1");
        let extend = |generation, value: &str| {
            let lifetime = Some(Duration::from_secs(1000));
            issuer.cache.extend(generation, NewToken { value: value.into(), lifetime });
        };
        tokio::time::sleep(Duration::from_secs(80)).await;
        extend(1, "1 again");
        tokio::time::sleep(Duration::from_secs(900)).await;
        assert_eq!(issuer.get().await.unwrap(), "1 again");
        issuer.cache.invalidate(1);
        assert_eq!(issuer.get().await.unwrap(), "2");
        extend(1, "late");
        assert_eq!(issuer.get().await.unwrap(), "2");
        assert_eq!(issuer.cache.current().unwrap().generation, 2);
        assert_eq!(issuer.requests.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn extended_token_keeps_generation() {
        fn token(value: &str) -> NewToken {
            NewToken { value: value.into(), lifetime: Some(Duration::from_secs(100)) }
        }
        let cache: Arc<TokenCache> = Arc::default();
        assert_eq!(cache.get(|_| async move { Ok(token("1")) }).await.unwrap().generation, 1);
        tokio::time::sleep(Duration::from_secs(95)).await;
        let extended = cache.get(|old| async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(Refresh::Extended(token(old.unwrap().value.expose_secret())))
        });
        assert_eq!(extended.await.unwrap().generation, 1);
        tokio::time::sleep(Duration::from_secs(80)).await;
        let hanging = |_| std::future::pending::<Result<NewToken>>();
        assert_eq!(cache.get(hanging).await.unwrap().generation, 1, "its expiry was extended");
        cache.invalidate(1);
        assert!(cache.current().is_none());
        assert_eq!(cache.get(|_| async move { Ok(token("2")) }).await.unwrap().generation, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn waits_for_slow_refresh_after_expiry() {
        let issuer = Issuer::new(20);
        assert_eq!(issuer.get().await.unwrap(), "1");
        tokio::time::sleep(Duration::from_secs(17)).await;
        let slow = issuer.cache.get(|_| async {
            tokio::time::sleep(Duration::from_secs(8)).await;
            Ok(NewToken { value: "slow".into(), lifetime: None })
        });
        assert_eq!(slow.await.unwrap().value.expose_secret(), "slow");
    }

    #[tokio::test(start_paused = true)]
    async fn unpolled_caller_does_not_block_others() {
        let issuer = Issuer::new(750);
        // One obtains the token and the others wait for it. None of them is polled again.
        let mut unpolled: Vec<_> = (0..3).map(|_| Box::pin(issuer.get())).collect();
        for caller in &mut unpolled {
            assert!(caller.as_mut().now_or_never().is_none());
        }
        assert_eq!(issuer.get().await.unwrap(), "1");
        for caller in unpolled {
            assert_eq!(caller.await.unwrap(), "1");
        }
        assert_eq!(issuer.requests.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn refresh_does_not_restore_invalidated_token() {
        let issuer = Issuer::new(100);
        issuer.get().await.unwrap();
        tokio::time::sleep(Duration::from_secs(95)).await;
        let refresh = issuer.cache.get(|old| async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let value = old.unwrap().value.clone();
            Ok(Refresh::Extended(NewToken { value, lifetime: Some(Duration::from_secs(100)) }))
        });
        let invalidate = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            issuer.cache.invalidate(1);
        };
        let (refreshed, ()) = tokio::join!(refresh, invalidate);
        assert_eq!(refreshed.unwrap().generation, 1, "the waiting caller gets the extended token");
        assert!(issuer.cache.current().is_none());
    }
}
