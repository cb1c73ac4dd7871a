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
        Self {
            most: Duration::from_secs(60),
            share: 10,
        }
    }
}

impl Margin {
    fn of(self, life: Duration) -> Duration {
        self.most.min(life.checked_div(self.share).unwrap_or_default())
    }
}

/// A token that was just obtained.
pub(crate) struct Fresh<T = SecretString> {
    pub(crate) value: T,
    /// How long it lives; `None` if that is not known.
    pub(crate) lifetime: Option<Duration>,
}

/// A token in use.
pub(crate) struct Token<T = SecretString> {
    pub(crate) value: T,
    /// Tells it from the tokens before and after it.
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
            state: Mutex::new(State {
                token: None,
                generations: 0,
                renewal: None,
                pause_until: None,
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send + Sync + 'static> TokenCache<T> {
    /// The token, obtained with `obtain` if there is none that still lives. `obtain` is given the token
    /// that is to be renewed, if there is one.
    pub(crate) async fn get<F>(
        self: &Arc<Self>,
        obtain: impl FnOnce(Option<Arc<Token<T>>>) -> F,
    ) -> Obtained<T>
    where
        F: Future<Output = Result<Fresh<T>>> + Send + 'static,
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
                let renewal = Self::renewal(self, obtain(state.token.clone()));
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

    fn renewal(
        this: &Arc<Self>,
        obtain: impl Future<Output = Result<Fresh<T>>> + Send + 'static,
    ) -> Shared<BoxFuture<'static, Obtained<T>>> {
        let this = Arc::clone(this);
        async move {
            let began = Instant::now();
            let obtained = obtain.await;
            let mut state = this.lock();
            state.renewal = None;
            let now = Instant::now();
            match obtained {
                Ok(fresh) => {
                    state.generations += 1;
                    // Its life began when it was asked for, at the latest.
                    let end = |cut: Duration| {
                        fresh
                            .lifetime
                            .and_then(|life| began.checked_add(life.saturating_sub(cut)))
                    };
                    let margin = fresh.lifetime.map_or(Duration::ZERO, |life| this.margin.of(life));
                    let token = Arc::new(Token {
                        renew_at: end(margin),
                        dies_at: end(Duration::ZERO),
                        generation: state.generations,
                        value: fresh.value,
                    });
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

    /// Drops the token of `generation`, if it is still the one in use: the server refused it.
    pub(crate) fn refused(&self, generation: u64) {
        let mut state = self.lock();
        if state
            .token
            .as_ref()
            .is_some_and(|token| token.generation == generation)
        {
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

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
                Ok(Fresh {
                    value: call.to_string().into(),
                    lifetime: Some(this.life),
                })
            });
            Ok(token.await?.value.expose_secret().to_owned())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn however_many_wait_one_token_is_obtained() {
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
    async fn when_the_first_to_wait_gives_up_the_others_still_get_the_token() {
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
        assert_eq!(second.await.unwrap().unwrap(), "1");
        assert_eq!(issuer.calls.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_renewed_early_by_a_margin_that_fits_its_life() {
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
    async fn a_failed_renewal_does_not_matter_while_the_old_token_lives() {
        let issuer = Issuer::new(100);
        assert_eq!(issuer.get().await.unwrap(), "1");
        issuer.broken.store(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_secs(91)).await;
        for _ in 0..100 {
            assert_eq!(issuer.get().await.unwrap(), "1");
        }
        assert_eq!(
            issuer.calls.load(Ordering::SeqCst),
            2,
            "a failed renewal is not tried at every request"
        );
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(issuer.get().await.unwrap_err().kind(), ErrorKind::Auth);
        issuer.broken.store(0, Ordering::SeqCst);
        assert!(issuer.get().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_renewal_that_hangs_is_not_waited_for_while_the_old_token_lives() {
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
    async fn a_refusal_drops_only_the_generation_that_was_refused() {
        let issuer = Issuer::new(750);
        issuer.get().await.unwrap();
        issuer.cache.refused(1);
        assert_eq!(issuer.get().await.unwrap(), "2");
        issuer.cache.refused(1);
        assert_eq!(issuer.get().await.unwrap(), "2");
        assert_eq!(issuer.calls.load(Ordering::SeqCst), 2);
    }
}
