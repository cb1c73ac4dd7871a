use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::{TryStreamExt, future::join_all};
use headcount::{ErrorKind, Result, sailpoint};
use tokio::time::sleep;

use super::scripted_transport::{Outcome, ScriptedTransport, respond};

/// A SailPoint tenant with one account and numbered tokens, of which old ones can be revoked.
struct Issuer {
    transport: ScriptedTransport,
    /// The lowest valid token number. Lower ones are rejected.
    first_valid: Arc<AtomicU64>,
    down: Arc<AtomicU64>,
}

impl Issuer {
    fn new(lifetime: u64) -> Self {
        let (issued, first_valid, down) =
            (AtomicU64::new(0), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let transport = ScriptedTransport::new({
            let (first_valid, down) = (Arc::clone(&first_valid), Arc::clone(&down));
            move |sent| {
                if sent.uri.path() == "/oauth/token" {
                    if down.load(Ordering::SeqCst) > 0 {
                        return respond(503, &[], r#"{"error":"unavailable"}"#);
                    }
                    let number = issued.fetch_add(1, Ordering::SeqCst) + 1;
                    let body = format!(r#"{{"access_token":"t{number}","expires_in":{lifetime}}}"#);
                    return Outcome::Delay(Duration::from_millis(100), Box::new(respond(200, &[], &body)));
                }
                let bearer = sent.headers["authorization"].to_str().unwrap();
                let number: u64 = bearer.strip_prefix("Bearer t").unwrap().parse().unwrap();
                if number < first_valid.load(Ordering::SeqCst) {
                    return respond(401, &[], r#"{"error":"JWT validation failed: JWT is expired"}"#);
                }
                respond(200, &[("x-total-count", "1")], r#"[{"id":"a"}]"#)
            }
        });
        Self { transport, first_valid, down }
    }

    fn client(&self) -> sailpoint::Client {
        sailpoint::Client::builder()
            .base_url("https://acme.api.identitynow.com")
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
async fn rejected_token_is_refreshed_once() {
    let issuer = Issuer::new(43_200);
    let client = issuer.client();
    list(&client).await.unwrap();
    issuer.first_valid.store(2, Ordering::SeqCst);
    let lists = join_all((0..100).map(|_| list(&client))).await;
    assert!(lists.iter().all(Result::is_ok));
    assert_eq!(issuer.logins(), 2);

    // If every token is rejected, the request is replayed once and then fails.
    issuer.first_valid.store(99, Ordering::SeqCst);
    let before = issuer.transport.sent().len();
    let error = list(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Auth, Some(401)));
    assert!(error.message().contains("JWT is expired"), "{error}");
    assert_eq!(issuer.transport.sent().len() - before, 3, "rejected, refreshed, rejected");
}

#[tokio::test(start_paused = true)]
async fn tokens_are_refreshed_before_expiry() {
    for lifetime in [15_u32, 749, 43_200] {
        let issuer = Issuer::new(lifetime.into());
        let client = issuer.client();
        list(&client).await.unwrap();
        sleep(Duration::from_secs_f64(f64::from(lifetime) * 0.85)).await;
        list(&client).await.unwrap();
        assert_eq!(issuer.logins(), 1, "{lifetime}: not refreshed too early");
        sleep(Duration::from_secs_f64(f64::from(lifetime) * 0.149)).await;
        list(&client).await.unwrap();
        assert_eq!(issuer.logins(), 2, "{lifetime}: refreshed before expiry");
    }
}

#[tokio::test(start_paused = true)]
async fn endpoint_outage_keeps_valid_token() {
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
async fn static_token_is_not_replaced() {
    let issuer = Issuer::new(749);
    issuer.first_valid.store(2, Ordering::SeqCst);
    let client = sailpoint::Client::builder()
        .base_url("https://acme.api.identitynow.com")
        .token("t1")
        .transport(issuer.transport.clone())
        .build()
        .unwrap();
    assert_eq!(list(&client).await.unwrap_err().kind(), ErrorKind::Auth);
    assert_eq!((issuer.transport.sent().len(), issuer.logins()), (1, 0));
}
