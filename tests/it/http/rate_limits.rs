use std::time::Duration;

use futures::{StreamExt, TryStreamExt, future::join_all};
use headcount::{http::RateLimit, sailpoint};
use tokio::time::{Instant, sleep, timeout};

use super::scripted_transport::{Outcome, ScriptedTransport, respond};

/// A SailPoint tenant with `pages` + 1 accounts, listed two by two.
fn tenant(pages: u64) -> ScriptedTransport {
    ScriptedTransport::new(move |sent| {
        if sent.uri.path() == "/oauth/token" {
            return respond(200, &[], r#"{"access_token":"token-of-the-test","expires_in":43200}"#);
        }
        let query = sent.uri.query().unwrap_or_default();
        let offset = query.split('&').find_map(|pair| pair.strip_prefix("offset=")).unwrap();
        let offset: u64 = offset.parse().unwrap();
        let total = pages + 1;
        let rows: Vec<_> =
            (offset..(offset + 2).min(total)).map(|row| format!(r#"{{"id":"{row:032}"}}"#)).collect();
        let body = format!("[{}]", rows.join(","));
        let page = respond(200, &[("x-total-count", &total.to_string())], &body);
        Outcome::Delay(Duration::from_millis(10), Box::new(page))
    })
}

fn client(transport: &ScriptedTransport) -> sailpoint::ClientBuilder {
    sailpoint::Client::builder()
        .base_url("https://acme.api.identitynow.com")
        .client_credentials("id", "secret")
        .transport(transport.clone())
}

/// Returns the send times of the requests, except for token requests.
fn times(transport: &ScriptedTransport) -> Vec<Instant> {
    let sent = transport.sent();
    sent.iter().filter(|sent| sent.uri.path() != "/oauth/token").map(|sent| sent.at).collect()
}

#[tokio::test(start_paused = true)]
async fn concurrent_listings_share_token_and_limit() {
    let transport = tenant(3);
    let client = client(&transport).build().unwrap();
    let began = Instant::now();
    let lists = (0..1000).map(|_| {
        let client = client.clone();
        tokio::spawn(async move {
            let accounts: Vec<_> =
                client.list_accounts().limit(2).items().try_collect().await.expect("a complete listing");
            (accounts.len(), Instant::now())
        })
    });
    let finished = join_all(lists.collect::<Vec<_>>()).await;
    assert!(finished.iter().all(|list| list.as_ref().unwrap().0 == 4));

    let tokens = transport.sent().iter().filter(|sent| sent.uri.path() == "/oauth/token").count();
    assert_eq!(tokens, 1);
    let times = times(&transport);
    for window in times.windows(101) {
        assert!(window[100] - window[0] > Duration::from_secs(10), "more than 100 in 10 s");
    }
    // The first hundred are sent immediately; then at least 98 % of the allowance is used.
    let allowed = 100.0 + 10.0 * began.elapsed().as_secs_f64();
    let used = f64::from(u32::try_from(times.len()).unwrap()) / allowed;
    assert!(used >= 0.98, "{used} of the allowance was used");
    // Fairness: every listing gets its first page before any gets its last.
    let first_end = finished.iter().map(|list| list.as_ref().unwrap().1).min().unwrap();
    let sent_before = times.iter().filter(|time| **time <= first_end).count();
    assert!(sent_before >= 1000, "{sent_before}");
}

#[tokio::test(start_paused = true)]
async fn limit_can_be_set_or_disabled() {
    let transport = tenant(300);
    let client = client(&transport).rate_limit(None).build().unwrap();
    let began = Instant::now();
    assert_eq!(client.list_accounts().limit(2).items().count().await, 301);
    assert!(began.elapsed() < Duration::from_secs(5), "300 pages of 10 ms");

    let transport = tenant(30);
    let slow = RateLimit::new(1, Duration::from_secs(1));
    let client = self::client(&transport).rate_limit(slow).build().unwrap();
    let began = Instant::now();
    assert_eq!(client.list_accounts().limit(2).items().count().await, 31);
    assert!(began.elapsed() >= Duration::from_secs(29));
}

#[tokio::test(start_paused = true)]
async fn wrong_total_count_does_not_end_listing() {
    for count in ["0", "3", "nonsense"] {
        let transport = ScriptedTransport::new(move |sent| {
            let query = sent.uri.query().unwrap_or_default();
            let offset = query.split('&').find_map(|pair| pair.strip_prefix("offset=")).unwrap();
            let offset: usize = offset.parse().unwrap();
            let rows: Vec<_> =
                (0..20).skip(offset).take(5).map(|row| format!(r#"{{"id":"{row:032}"}}"#)).collect();
            respond(200, &[("x-total-count", count)], &format!("[{}]", rows.join(",")))
        });
        let builder =
            sailpoint::Client::builder().base_url("https://acme.example").token("t").transport(transport);
        let client = builder.rate_limit(None).build().unwrap();
        let accounts: Vec<_> = client.list_accounts().limit(5).items().try_collect().await.unwrap();
        assert_eq!(accounts.len(), 20, "{count}");
    }
}

#[tokio::test(start_paused = true)]
async fn limit_is_enforced_after_token_wait() {
    let transport = ScriptedTransport::new(|sent| match sent.uri.path() {
        "/oauth/token" => {
            let token = respond(200, &[], r#"{"access_token":"token-of-the-test","expires_in":43200}"#);
            Outcome::Delay(Duration::from_secs(25), Box::new(token))
        }
        _ => respond(200, &[("x-total-count", "1")], r#"[{"id":"a"}]"#),
    });
    let client = client(&transport).build().unwrap();
    let lists = (0..350).map(|_| client.list_accounts().items().count());
    assert!(join_all(lists).await.iter().all(|count| *count == 1));
    for window in times(&transport).windows(101) {
        assert!(window[100] - window[0] > Duration::from_secs(10), "more than 100 in 10 s");
    }
}

#[tokio::test(start_paused = true)]
async fn unpolled_page_delays_no_other_request() {
    let transport = ScriptedTransport::new(|sent| match sent.uri.path() {
        "/accounts/v1/x" => respond(200, &[], r#"{"id":"x"}"#),
        _ => respond(200, &[("x-total-count", "1")], r#"[{"id":"a"}]"#),
    });
    let builder =
        sailpoint::Client::builder().base_url("https://acme.example").token("t").transport(transport.clone());
    let client = builder.rate_limit(RateLimit::new(1, Duration::from_secs(10))).build().unwrap();
    client.get_account("x").send().await.unwrap();

    // The pending fetch stays in the stream, which is not polled.
    let mut items = client.list_accounts().items();
    assert!(timeout(Duration::from_secs(1), items.next()).await.is_err());
    let mut others: Vec<_> = (0..3).map(|_| client.list_accounts().items()).collect();
    for other in &mut others {
        assert!(timeout(Duration::ZERO, other.next()).await.is_err());
    }
    let hour = Duration::from_secs(3600);
    timeout(hour, client.get_account("x").send()).await.expect("it is not delayed").unwrap();
    sleep(hour).await;
    assert_eq!(items.next().await.unwrap().unwrap().id, "a");
    for other in &mut others {
        assert_eq!(other.next().await.unwrap().unwrap().id, "a");
    }
    for pair in times(&transport).windows(2) {
        assert!(pair[1] - pair[0] > Duration::from_secs(10), "more than 1 in 10 s");
    }
}

#[tokio::test(start_paused = true)]
async fn token_expired_while_queued_is_replaced() {
    let mut issued = Vec::new();
    let transport = ScriptedTransport::new(move |sent| {
        if sent.uri.path() == "/oauth/token" {
            issued.push(sent.at);
            let token = format!(r#"{{"access_token":"t{}","expires_in":15}}"#, issued.len());
            return Outcome::Delay(Duration::from_millis(300), Box::new(respond(200, &[], &token)));
        }
        let bearer = sent.headers["authorization"].to_str().unwrap();
        let number: usize = bearer.strip_prefix("Bearer t").unwrap().parse().unwrap();
        if sent.at - issued[number - 1] >= Duration::from_secs(15) {
            return respond(401, &[], r#"{"error":"JWT validation failed: JWT is expired"}"#);
        }
        respond(200, &[("x-total-count", "1")], r#"[{"id":"a"}]"#)
    });
    let client = client(&transport).build().unwrap();
    let first = |mut items: headcount::Items<_>| async move { items.try_next().await };
    let lists = (0..250).map(|_| first(client.list_accounts().items()));
    for account in join_all(lists).await {
        assert_eq!(account.unwrap().unwrap().id, "a");
    }
    let times = times(&transport);
    assert_eq!(times.len(), 300, "fifty were rejected and replayed once");
    assert_eq!(transport.sent().len(), 302, "two tokens were obtained");
    for window in times.windows(101) {
        assert!(window[100] - window[0] > Duration::from_secs(10), "more than 100 in 10 s");
    }
}
