use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use secrecy::SecretString;
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

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
///
/// Everything happens under one lock, which is held while a token is obtained. So there is never more than one request
/// for a token, and nothing can happen to the old one meanwhile. A caller that is dropped while it obtains one gives
/// up the lock, and the next obtains it.
pub(crate) struct TokenCache<T = SecretString> {
    margin: Margin,
    state: Mutex<State<T>>,
    /// How often no token was obtained. Whoever sees it grow while waiting for the lock shares that failure.
    failures: AtomicU64,
}

struct State<T> {
    token: Option<Arc<Token<T>>>,
    generations: u64,
    /// After a failed renewal, with the old token alive.
    pause_until: Option<Instant>,
    failure: Option<Error>,
}

impl<T> Default for TokenCache<T> {
    fn default() -> Self {
        Self::with_margin(Margin::default())
    }
}

impl<T> Token<T> {
    fn lives(&self) -> bool {
        self.dies_at.is_none_or(|end| Instant::now() < end)
    }
}

impl<T> State<T> {
    fn holds(&self, generation: u64) -> bool {
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
    pub(crate) fn with_margin(margin: Margin) -> Self {
        let state = State { token: None, generations: 0, pause_until: None, failure: None };
        Self { margin, state: Mutex::new(state), failures: AtomicU64::new(0) }
    }
}

impl<T: Send + Sync> TokenCache<T> {
    /// The token, obtained with `obtain` if there is none that still lives. `obtain` is given the token
    /// that is to be renewed, if there is one. It must not use this cache, which is locked.
    ///
    /// # Errors
    /// Those of `obtain`. While the old token lives, it is returned instead.
    pub(crate) async fn get<F, R>(
        &self,
        obtain: impl FnOnce(Option<Arc<Token<T>>>) -> F,
    ) -> Result<Arc<Token<T>>>
    where
        F: Future<Output = Result<R>> + Send,
        R: Into<Renewed<T>>,
    {
        let failures = self.failures.load(Ordering::SeqCst);
        let mut state = self.state.lock().await;
        let began = Instant::now();
        let old = state.token.clone();
        let living = old.clone().filter(|token| token.lives());
        match &living {
            Some(token) => {
                let paused = state.pause_until.is_some_and(|until| began < until);
                if paused || token.renew_at.is_none_or(|renew| began < renew) {
                    return Ok(Arc::clone(token));
                }
            }
            None => {
                // Otherwise each of a thousand waiting callers would try for itself, one after the other.
                if failures != self.failures.load(Ordering::SeqCst)
                    && let Some(error) = &state.failure
                {
                    return Err(error.clone());
                }
            }
        }
        let mut renewal = Box::pin(obtain(old.clone()));
        let obtained = match &living {
            Some(token) => match timeout(LONGEST_WAIT, &mut renewal).await {
                Ok(obtained) => obtained,
                // The endpoint hangs. While the old token lives, nobody needs to wait for it.
                Err(_) if token.lives() => {
                    state.pause_until = Some(Instant::now() + RENEWAL_PAUSE);
                    return Ok(Arc::clone(token));
                }
                Err(_) => renewal.await,
            },
            None => renewal.await,
        };
        let (fresh, same) = match obtained.map(R::into) {
            Ok(Renewed::Other(fresh)) => (fresh, None),
            Ok(Renewed::Same(fresh)) => (fresh, old),
            Err(error) => {
                if let Some(token) = living.filter(|token| token.lives()) {
                    state.pause_until = Some(Instant::now() + RENEWAL_PAUSE);
                    return Ok(token);
                }
                state.failure = Some(error.clone());
                self.failures.fetch_add(1, Ordering::SeqCst);
                return Err(error);
            }
        };
        let generation = same.map_or(state.generations + 1, |old| old.generation);
        // Its life began when it was requested, at the latest.
        Ok(state.put(Arc::new(self.margin.token(fresh, generation, began))))
    }

    /// The token in use, alive or not; none is obtained.
    pub(crate) async fn current(&self) -> Option<Arc<Token<T>>> {
        self.state.lock().await.token.clone()
    }

    /// The token of `generation` lives on as `fresh` says: it was renewed without this cache. Nothing is kept of
    /// that if another is in use, or none.
    pub(crate) async fn renewed(&self, generation: u64, fresh: Fresh<T>) -> Arc<Token<T>> {
        let mut state = self.state.lock().await;
        let token = Arc::new(self.margin.token(fresh, generation, Instant::now()));
        if state.holds(generation) { state.put(token) } else { token }
    }

    /// Drops the token of `generation`, if it is still the one in use: the server refused it.
    pub(crate) async fn refused(&self, generation: u64) {
        let mut state = self.state.lock().await;
        if state.holds(generation) {
            (state.token, state.pause_until) = (None, None);
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

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
                Ok(Fresh { value: call.to_string().into(), lifetime: Some(this.life) })
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
        let hanging = || issuer.cache.get(|_| std::future::pending::<Result<Fresh>>());
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
        issuer.cache.refused(1).await;
        assert_eq!(issuer.get().await.unwrap(), "2");
        issuer.cache.refused(1).await;
        assert_eq!(issuer.get().await.unwrap(), "2");
        assert_eq!(issuer.calls.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn one_renewed_elsewhere_lives_on() {
        let issuer = Issuer::new(100);
        assert!(issuer.cache.current().await.is_none());
        assert_eq!(issuer.get().await.unwrap(), "1");
        let renewed = async |generation, value: &str| {
            let lifetime = Some(Duration::from_secs(1000));
            issuer.cache.renewed(generation, Fresh { value: value.into(), lifetime }).await;
        };
        tokio::time::sleep(Duration::from_secs(80)).await;
        renewed(1, "1 again").await;
        tokio::time::sleep(Duration::from_secs(900)).await;
        assert_eq!(issuer.get().await.unwrap(), "1 again");
        issuer.cache.refused(1).await;
        assert_eq!(issuer.get().await.unwrap(), "2");
        renewed(1, "late").await;
        assert_eq!(issuer.get().await.unwrap(), "2");
        assert_eq!(issuer.cache.current().await.unwrap().generation, 2);
        assert_eq!(issuer.calls.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_lives_longer_keeps_its_generation() {
        let fresh = |value: &str| Fresh { value: value.into(), lifetime: Some(Duration::from_secs(100)) };
        let cache: TokenCache = TokenCache::default();
        assert_eq!(cache.get(|_| async move { Ok(fresh("1")) }).await.unwrap().generation, 1);
        tokio::time::sleep(Duration::from_secs(95)).await;
        let renewed = cache.get(|old| async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(Renewed::Same(fresh(old.unwrap().value.expose_secret())))
        });
        assert_eq!(renewed.await.unwrap().generation, 1);
        tokio::time::sleep(Duration::from_secs(80)).await;
        let hanging = |_| std::future::pending::<Result<Fresh>>();
        assert_eq!(cache.get(hanging).await.unwrap().generation, 1, "it lives longer");
        cache.refused(1).await;
        assert!(cache.current().await.is_none());
        assert_eq!(cache.get(|_| async move { Ok(fresh("2")) }).await.unwrap().generation, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_hang_is_waited_for_once_the_old_one_died() {
        let issuer = Issuer::new(20);
        assert_eq!(issuer.get().await.unwrap(), "1");
        tokio::time::sleep(Duration::from_secs(17)).await;
        let slow = issuer.cache.get(|_| async {
            tokio::time::sleep(Duration::from_secs(8)).await;
            Ok(Fresh { value: "slow".into(), lifetime: None })
        });
        assert_eq!(slow.await.unwrap().value.expose_secret(), "slow");
    }
}
