use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use secrecy::ExposeSecret;
use tokio::time::Instant;

use super::token::{Fresh, Renewed, TokenCache};
use crate::{Error, ErrorKind, Result};

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
    assert_eq!(issuer.calls.load(Ordering::SeqCst), 2, "a failed renewal is not tried at every request");
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

#[tokio::test(start_paused = true)]
async fn a_token_renewed_elsewhere_lives_on_unless_another_took_its_place() {
    let issuer = Issuer::new(100);
    assert!(issuer.cache.current().is_none());
    assert_eq!(issuer.get().await.unwrap(), "1");
    let renewed = |generation, value: &str| {
        let lifetime = Some(Duration::from_secs(1000));
        issuer.cache.renewed(generation, Fresh { value: value.into(), lifetime });
    };
    tokio::time::sleep(Duration::from_secs(80)).await;
    renewed(1, "1 again");
    tokio::time::sleep(Duration::from_secs(900)).await;
    assert_eq!(issuer.get().await.unwrap(), "1 again");
    issuer.cache.refused(1);
    assert_eq!(issuer.get().await.unwrap(), "2");
    renewed(1, "late");
    assert_eq!(issuer.get().await.unwrap(), "2");
    assert_eq!(issuer.cache.current().unwrap().generation, 2);
    assert_eq!(issuer.calls.load(Ordering::SeqCst), 2);
}

/// A cache whose token of 100 s is near its end, and a renewal of it, which takes a second and gives the same
/// token.
async fn near_the_end() -> (Arc<TokenCache>, impl Future<Output = Result<u64>>) {
    let fresh = |value: &str| Fresh { value: value.into(), lifetime: Some(Duration::from_secs(100)) };
    let cache: Arc<TokenCache> = Arc::default();
    assert_eq!(cache.get(|_| async move { Ok(fresh("1")) }).await.unwrap().generation, 1);
    tokio::time::sleep(Duration::from_secs(95)).await;
    let renewal = {
        let cache = Arc::clone(&cache);
        async move {
            let renewed = cache.get(|old| async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok(Renewed::Same(fresh(old.unwrap().value.expose_secret())))
            });
            Ok(renewed.await?.generation)
        }
    };
    (cache, renewal)
}

#[tokio::test(start_paused = true)]
async fn a_token_that_only_lives_longer_keeps_its_generation() {
    let (cache, renewal) = near_the_end().await;
    assert_eq!(renewal.await.unwrap(), 1);
    tokio::time::sleep(Duration::from_secs(80)).await;
    let hanging = |_| std::future::pending::<Result<Fresh>>();
    assert_eq!(cache.get(hanging).await.unwrap().generation, 1, "it lives longer");
    cache.refused(1);
    assert!(cache.current().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_renewal_does_not_bring_back_a_token_that_was_dropped_meanwhile() {
    let (cache, renewal) = near_the_end().await;
    let dropped = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        cache.refused(1);
    };
    let (renewed, ()) = tokio::join!(renewal, dropped);
    assert_eq!(renewed.unwrap(), 1);
    assert!(cache.current().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_renewal_gives_way_to_what_was_renewed_elsewhere_meanwhile() {
    let (cache, renewal) = near_the_end().await;
    let elsewhere = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        cache.renewed(1, Fresh { value: "1 elsewhere".into(), lifetime: None });
    };
    let (renewed, ()) = tokio::join!(renewal, elsewhere);
    assert_eq!(renewed.unwrap(), 1);
    assert_eq!(cache.current().unwrap().value.expose_secret(), "1 elsewhere");
}

#[tokio::test(start_paused = true)]
async fn a_token_is_held_until_it_ends_is_refused_or_gives_way_to_another() {
    let issuer = Issuer::new(100);
    assert!(!issuer.cache.holds(1));
    issuer.get().await.unwrap();
    assert!(issuer.cache.holds(1) && !issuer.cache.holds(2));
    tokio::time::sleep(Duration::from_secs(98)).await;
    assert!(issuer.cache.holds(1), "its life began a second ago when it came");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!issuer.cache.holds(1));
    issuer.get().await.unwrap();
    assert!(issuer.cache.holds(2) && !issuer.cache.holds(1));
    issuer.cache.refused(2);
    assert!(!issuer.cache.holds(2));
}
