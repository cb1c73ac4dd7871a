use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use secrecy::SecretString;
use tokio::time::{Instant, timeout};
use tracing::Instrument;

use crate::{Error, Result, task::AbortOnDrop};

/// How long a failed renewal is not tried again while the old token lives.
const REFRESH_RETRY_DELAY: Duration = Duration::from_secs(5);
/// How long a renewal is waited for while the old token lives.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// How early a token is renewed: so much before its end, or this share of its life before, whichever is
/// less. A fixed margin alone would renew a token of 15 s at every request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RefreshMargin {
    pub(crate) most: Duration,
    /// 10 stands for a tenth.
    pub(crate) share: u32,
}

impl Default for RefreshMargin {
    fn default() -> Self {
        Self { most: Duration::from_secs(60), share: 10 }
    }
}

impl RefreshMargin {
    fn of(self, life: Duration) -> Duration {
        self.most.min(life.checked_div(self.share).unwrap_or_default())
    }

    /// A token in use whose life began at `began`.
    fn token<T>(self, fresh: NewToken<T>, generation: u64, began: Instant) -> Token<T> {
        let end = |cut: Duration| fresh.lifetime.and_then(|life| began.checked_add(life.saturating_sub(cut)));
        let margin = fresh.lifetime.map_or(Duration::ZERO, |life| self.of(life));
        Token { refresh_at: end(margin), expires_at: end(Duration::ZERO), generation, value: fresh.value }
    }
}

/// A token that was just obtained.
pub(crate) struct NewToken<T = SecretString> {
    pub(crate) value: T,
    /// How long it lives; `None` if that is not known.
    pub(crate) lifetime: Option<Duration>,
}

/// What a renewal came to.
pub(crate) enum Refresh<T> {
    /// Another token.
    Replaced(NewToken<T>),
    /// The same token, which lives longer.
    Extended(NewToken<T>),
}

impl<T> From<NewToken<T>> for Refresh<T> {
    fn from(fresh: NewToken<T>) -> Self {
        Self::Replaced(fresh)
    }
}

/// A token in use.
pub(crate) struct Token<T = SecretString> {
    pub(crate) value: T,
    /// Tells it from the tokens before and after it; one that only lives longer keeps it.
    pub(crate) generation: u64,
    refresh_at: Option<Instant>,
    expires_at: Option<Instant>,
}

/// One token for all tasks of a client: obtained once however many wait for it, renewed before its end,
/// dropped when it is refused. What counts as a token is up to the provider.
///
/// A token is obtained under one lock, by a task of its own. So there is never more than one request for a token, and a
/// caller that nobody polls holds up no other. A caller that is dropped ends its task, and the next obtains one.
pub(crate) struct TokenCache<T = SecretString> {
    margin: RefreshMargin,
    state: Mutex<State<T>>,
    /// Held while a token is obtained, and waited for by nothing but tasks of the cache's own.
    renewing: tokio::sync::Mutex<()>,
}

struct State<T> {
    token: Option<Arc<Token<T>>>,
    generations: u64,
    /// After a failed renewal, with the old token alive.
    pause_until: Option<Instant>,
    /// How often no token was obtained, and why the last time. Whoever sees it grow while waiting shares that failure.
    failures: u64,
    failure: Option<Error>,
}

impl<T> Default for TokenCache<T> {
    fn default() -> Self {
        Self::with_margin(RefreshMargin::default())
    }
}

impl<T> Token<T> {
    fn is_alive(&self) -> bool {
        self.expires_at.is_none_or(|end| Instant::now() < end)
    }
}

impl<T> State<T> {
    /// The token, if it is not yet to be renewed.
    fn usable(&self) -> Option<Arc<Token<T>>> {
        let token = self.token.as_ref().filter(|token| token.is_alive())?;
        let now = Instant::now();
        let is_early = token.refresh_at.is_none_or(|renew| now < renew);
        (is_early || self.pause_until.is_some_and(|until| now < until)).then(|| Arc::clone(token))
    }

    fn is_current(&self, generation: u64) -> bool {
        self.token.as_ref().is_some_and(|token| token.generation == generation)
    }

    fn put(&mut self, token: Arc<Token<T>>) -> Arc<Token<T>> {
        self.generations = self.generations.max(token.generation);
        (self.pause_until, self.failure) = (None, None);
        self.token.insert(token).clone()
    }
}

impl<T> TokenCache<T> {
    /// A cache whose tokens are renewed so early.
    pub(crate) fn with_margin(margin: RefreshMargin) -> Self {
        let state = State { token: None, generations: 0, pause_until: None, failures: 0, failure: None };
        Self { margin, state: Mutex::new(state), renewing: tokio::sync::Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token in use, alive or not; none is obtained.
    pub(crate) fn current(&self) -> Option<Arc<Token<T>>> {
        self.state().token.clone()
    }

    /// The token of `generation` lives on as `fresh` says. If another is in use by now, or none, nothing is kept of
    /// that.
    pub(crate) fn extend(&self, generation: u64, fresh: NewToken<T>) -> Arc<Token<T>> {
        self.extend_from(generation, fresh, Instant::now())
    }

    fn extend_from(&self, generation: u64, fresh: NewToken<T>, began: Instant) -> Arc<Token<T>> {
        let token = Arc::new(self.margin.token(fresh, generation, began));
        let mut state = self.state();
        if state.is_current(generation) { state.put(token) } else { state.token.clone().unwrap_or(token) }
    }

    /// Drops the token of `generation`, if it is still the one in use: the server refused it.
    pub(crate) fn invalidate(&self, generation: u64) {
        let mut state = self.state();
        if state.is_current(generation) {
            (state.token, state.pause_until) = (None, None);
        }
    }
}

impl<T: Send + Sync + 'static> TokenCache<T> {
    /// The token, obtained with `obtain` if there is none that still lives. `obtain` is given the token
    /// that is to be renewed, if there is one.
    ///
    /// # Errors
    /// Those of `obtain`. While the old token lives, it is returned instead.
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
        let renewal = async move { this.refresh(failures, obtain).await };
        AbortOnDrop::spawn(renewal.in_current_span())?.join().await?
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
        let _renewing = self.renewing.lock().await;
        let began = Instant::now();
        let old = {
            let state = self.state();
            if let Some(token) = state.usable() {
                return Ok(token);
            }
            // Otherwise each of a thousand waiting callers would try for itself, one after the other.
            if let Some(error) = state.failure.as_ref().filter(|_| failures != state.failures) {
                return Err(error.clone());
            }
            state.token.clone()
        };
        let living = || old.clone().filter(|token| token.is_alive());
        let mut renewal = Box::pin(obtain(old.clone()));
        let obtained = match living() {
            Some(_) => timeout(MAX_WAIT, &mut renewal).await.ok(),
            None => Some(renewal.as_mut().await),
        };
        let obtained = match (obtained, living()) {
            (Some(obtained), _) => obtained,
            // The endpoint hangs. While the old token lives, nobody needs to wait for it.
            (None, Some(token)) => return Ok(self.keep(token)),
            (None, None) => renewal.await,
        };
        match (obtained.map(R::into), old.as_ref()) {
            // Its life began when it was requested, at the latest.
            (Ok(Refresh::Extended(fresh)), Some(old)) => Ok(self.extend_from(old.generation, fresh, began)),
            (Ok(Refresh::Extended(fresh) | Refresh::Replaced(fresh)), _) => {
                let mut state = self.state();
                let token = self.margin.token(fresh, state.generations + 1, began);
                Ok(state.put(Arc::new(token)))
            }
            (Err(error), _) => {
                if let Some(token) = living() {
                    return Ok(self.keep(token));
                }
                let mut state = self.state();
                (state.failures, state.failure) = (state.failures.wrapping_add(1), Some(error.clone()));
                Err(error)
            }
        }
    }

    /// Renews `token` later.
    fn keep(&self, token: Arc<Token<T>>) -> Arc<Token<T>> {
        self.state().pause_until = Some(Instant::now() + REFRESH_RETRY_DELAY);
        token
    }
}

/// What a token endpoint's answer must not be.
pub(crate) fn non_empty(token: &str) -> Result<()> {
    if token.is_empty() {
        return Err(Error::decode("the token endpoint answered with an empty token"));
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

    /// Gives tokens "1", "2", … of `life`, each after a second, and fails while `broken`.
    #[derive(Clone)]
    struct Issuer {
        cache: Arc<TokenCache>,
        calls: Arc<AtomicUsize>,
        broken: Arc<AtomicUsize>,
        life: Duration,
    }

    impl Issuer {
        fn new(life: u64) -> Self {
            Self {
                cache: Arc::default(),
                calls: Arc::default(),
                broken: Arc::default(),
                life: Duration::from_secs(life),
            }
        }
        async fn get(&self) -> Result<String> {
            let this = self.clone();
            let token = self.cache.get(move |_| async move {
                let call = this.calls.fetch_add(1, Ordering::SeqCst) + 1;
                tokio::time::sleep(Duration::from_secs(1)).await;
                if this.broken.load(Ordering::SeqCst) > 0 {
                    return Err(Error::new(ErrorKind::Auth, "down"));
                }
                Ok(NewToken { value: call.to_string().into(), lifetime: Some(this.life) })
            });
            Ok(token.await?.value.expose_secret().to_owned())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_is_obtained_however_many_wait() {
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
    async fn the_others_get_one_if_the_first_gives_up() {
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
        assert_eq!(issuer.calls.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_share_a_failure() {
        let issuer = Issuer::new(750);
        issuer.broken.store(1, Ordering::SeqCst);
        let began = Instant::now();
        let waiting = futures::future::join_all((0..1000).map(|_| issuer.get())).await;
        assert!(waiting.iter().all(|token| token.as_ref().is_err_and(|error| error.message() == "down")));
        assert_eq!((issuer.calls.load(Ordering::SeqCst), began.elapsed()), (1, Duration::from_secs(1)));
        assert!(issuer.get().await.is_err());
        assert_eq!(issuer.calls.load(Ordering::SeqCst), 2, "who comes later tries again");
        issuer.broken.store(0, Ordering::SeqCst);
        assert_eq!(issuer.get().await.unwrap(), "3");
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_renewed_early_by_a_margin() {
        for (life, renewed) in [(15, 13.5), (750, 690.0), (43_200, 43_140.0)] {
            let issuer = Issuer::new(life);
            let began = Instant::now();
            assert_eq!(issuer.get().await.unwrap(), "1");
            let at = |seconds| began + Duration::from_secs_f64(seconds);
            tokio::time::sleep_until(at(renewed - 0.1)).await;
            assert_eq!(issuer.get().await.unwrap(), "1", "{life}");
            tokio::time::sleep_until(at(renewed + 0.1)).await;
            assert_eq!(issuer.get().await.unwrap(), "2", "{life}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_renewal_does_no_harm_at_first() {
        let issuer = Issuer::new(100);
        assert_eq!(issuer.get().await.unwrap(), "1");
        issuer.broken.store(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_secs(91)).await;
        for _ in 0..100 {
            assert_eq!(issuer.get().await.unwrap(), "1");
        }
        assert_eq!(issuer.calls.load(Ordering::SeqCst), 2, "a failed renewal is not tried at every request");
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(issuer.get().await.unwrap_err().kind(), ErrorKind::Auth);
        issuer.broken.store(0, Ordering::SeqCst);
        assert!(issuer.get().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_renewal_that_hangs_is_not_waited_for() {
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
        assert_eq!(issuer.get().await.unwrap(), "2", "the endpoint is asked again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_drops_only_its_generation() {
        let issuer = Issuer::new(750);
        issuer.get().await.unwrap();
        issuer.cache.invalidate(1);
        assert_eq!(issuer.get().await.unwrap(), "2");
        issuer.cache.invalidate(1);
        assert_eq!(issuer.get().await.unwrap(), "2");
        assert_eq!(issuer.calls.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn one_renewed_elsewhere_lives_on() {
        let issuer = Issuer::new(100);
        assert!(issuer.cache.current().is_none());
        assert_eq!(issuer.get().await.unwrap(), "1");
        let renewed = |generation, value: &str| {
            let lifetime = Some(Duration::from_secs(1000));
            issuer.cache.extend(generation, NewToken { value: value.into(), lifetime });
        };
        tokio::time::sleep(Duration::from_secs(80)).await;
        renewed(1, "1 again");
        tokio::time::sleep(Duration::from_secs(900)).await;
        assert_eq!(issuer.get().await.unwrap(), "1 again");
        issuer.cache.invalidate(1);
        assert_eq!(issuer.get().await.unwrap(), "2");
        renewed(1, "late");
        assert_eq!(issuer.get().await.unwrap(), "2");
        assert_eq!(issuer.cache.current().unwrap().generation, 2);
        assert_eq!(issuer.calls.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_lives_longer_keeps_its_generation() {
        fn fresh(value: &str) -> NewToken {
            NewToken { value: value.into(), lifetime: Some(Duration::from_secs(100)) }
        }
        let cache: Arc<TokenCache> = Arc::default();
        assert_eq!(cache.get(|_| async move { Ok(fresh("1")) }).await.unwrap().generation, 1);
        tokio::time::sleep(Duration::from_secs(95)).await;
        let renewed = cache.get(|old| async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(Refresh::Extended(fresh(old.unwrap().value.expose_secret())))
        });
        assert_eq!(renewed.await.unwrap().generation, 1);
        tokio::time::sleep(Duration::from_secs(80)).await;
        let hanging = |_| std::future::pending::<Result<NewToken>>();
        assert_eq!(cache.get(hanging).await.unwrap().generation, 1, "it lives longer");
        cache.invalidate(1);
        assert!(cache.current().is_none());
        assert_eq!(cache.get(|_| async move { Ok(fresh("2")) }).await.unwrap().generation, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_hang_is_waited_for_once_the_old_one_died() {
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
    async fn a_caller_nobody_polls_holds_up_no_other() {
        let issuer = Issuer::new(750);
        // One obtains the token, the others wait for it; none of them is polled again.
        let mut asleep: Vec<_> = (0..3).map(|_| Box::pin(issuer.get())).collect();
        for caller in &mut asleep {
            assert!(caller.as_mut().now_or_never().is_none());
        }
        assert_eq!(issuer.get().await.unwrap(), "1");
        for caller in asleep {
            assert_eq!(caller.await.unwrap(), "1");
        }
        assert_eq!(issuer.calls.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_renewal_does_not_bring_back_a_dropped_one() {
        let issuer = Issuer::new(100);
        issuer.get().await.unwrap();
        tokio::time::sleep(Duration::from_secs(95)).await;
        let renewal = issuer.cache.get(|old| async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let value = old.unwrap().value.clone();
            Ok(Refresh::Extended(NewToken { value, lifetime: Some(Duration::from_secs(100)) }))
        });
        let refusal = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            issuer.cache.invalidate(1);
        };
        let (renewed, ()) = tokio::join!(renewal, refusal);
        assert_eq!(renewed.unwrap().generation, 1, "whoever waited finds out what became of it");
        assert!(issuer.cache.current().is_none());
    }
}
