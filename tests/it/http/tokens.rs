use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::{TryStreamExt, future::join_all};
use headcount::{ErrorKind, Paginator, Result, sailpoint};
use tokio::time::sleep;

use super::answers::{Act, Scripted, answer};

/// SailPoint with one account, whose tokens are numbered and only the newest is taken.
struct Issuer {
    transport: Scripted,
    /// The number of the newest token; tokens below `valid` are refused.
    valid: Arc<AtomicU64>,
    down: Arc<AtomicU64>,
}

impl Issuer {
    fn new(lifetime: u64) -> Self {
        let (issued, valid, down) =
            (AtomicU64::new(0), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let transport = Scripted::new({
            let (valid, down) = (Arc::clone(&valid), Arc::clone(&down));
            move |sent| {
                if sent.uri.path() == "/oauth/token" {
                    if down.load(Ordering::SeqCst) > 0 {
                        return answer(503, &[], r#"{"error":"unavailable"}"#);
                    }
                    let number = issued.fetch_add(1, Ordering::SeqCst) + 1;
                    let body = format!(r#"{{"access_token":"t{number}","expires_in":{lifetime}}}"#);
                    return Act::After(Duration::from_millis(100), Box::new(answer(200, &[], &body)));
                }
                let bearer = sent.headers["authorization"].to_str().unwrap();
                let number: u64 = bearer.strip_prefix("Bearer t").unwrap().parse().unwrap();
                if number < valid.load(Ordering::SeqCst) {
                    return answer(401, &[], r#"{"error":"JWT validation failed: JWT is expired"}"#);
                }
                answer(200, &[("x-total-count", "1")], r#"[{"id":"a"}]"#)
            }
        });
        Self { transport, valid, down }
    }

    fn client(&self) -> sailpoint::Client {
        sailpoint::Client::builder("https://acme.api.identitynow.com")
            .client_credentials("id", "secret")
            .transport(self.transport.clone())
            .rate_limit(None)
            .build()
            .unwrap()
    }

    fn logins(&self) -> usize {
        self.transport.sent().iter().filter(|sent| sent.uri.path() == "/oauth/token").count()
    }
}

async fn list(client: &sailpoint::Client) -> Result<usize> {
    Ok(client.list_accounts().items().try_collect::<Vec<_>>().await?.len())
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_renewed_once_for_all_and_the_request_replayed_once() {
    let issuer = Issuer::new(43_200);
    let client = issuer.client();
    list(&client).await.unwrap();
    issuer.valid.store(2, Ordering::SeqCst);
    let lists = join_all((0..100).map(|_| list(&client))).await;
    assert!(lists.iter().all(Result::is_ok));
    assert_eq!(issuer.logins(), 2);

    // Refused again and again: one replay, then the truth.
    issuer.valid.store(99, Ordering::SeqCst);
    let before = issuer.transport.sent().len();
    let error = list(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Auth, Some(401)));
    assert!(error.message().contains("JWT is expired"), "{error}");
    assert_eq!(issuer.transport.sent().len() - before, 3, "refused, renewed, refused");
}

#[tokio::test(start_paused = true)]
async fn the_shortest_and_the_longest_tokens_are_renewed_before_they_end() {
    for lifetime in [15_u32, 749, 43_200] {
        let issuer = Issuer::new(lifetime.into());
        let client = issuer.client();
        list(&client).await.unwrap();
        sleep(Duration::from_secs_f64(f64::from(lifetime) * 0.85)).await;
        list(&client).await.unwrap();
        assert_eq!(issuer.logins(), 1, "{lifetime}: not before it is time");
        sleep(Duration::from_secs_f64(f64::from(lifetime) * 0.149)).await;
        list(&client).await.unwrap();
        assert_eq!(issuer.logins(), 2, "{lifetime}: before its end");
    }
}

#[tokio::test(start_paused = true)]
async fn while_the_old_token_lives_a_token_endpoint_that_is_down_does_no_harm() {
    let issuer = Issuer::new(749);
    let client = issuer.client();
    list(&client).await.unwrap();
    issuer.down.store(1, Ordering::SeqCst);
    sleep(Duration::from_secs(700)).await;
    assert_eq!(list(&client).await.unwrap(), 1);
    sleep(Duration::from_secs(100)).await;
    let error = list(&client).await.unwrap_err();
    assert_eq!(error.status(), Some(503));
    assert!(error.to_string().contains("/oauth/token"), "{error}");
    issuer.down.store(0, Ordering::SeqCst);
    assert_eq!(list(&client).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_given_is_not_replaced() {
    let issuer = Issuer::new(749);
    issuer.valid.store(2, Ordering::SeqCst);
    let client = sailpoint::Client::builder("https://acme.api.identitynow.com")
        .token("t1")
        .transport(issuer.transport.clone())
        .build()
        .unwrap();
    assert_eq!(list(&client).await.unwrap_err().kind(), ErrorKind::Auth);
    assert_eq!((issuer.transport.sent().len(), issuer.logins()), (1, 0));
}
