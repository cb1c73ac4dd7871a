use std::time::Duration;

use futures::{StreamExt, TryStreamExt, future::join_all};
use headcount::{Paginator, http::RateLimit, sailpoint};
use tokio::time::{Instant, sleep, timeout};

use super::answers::{Act, Scripted, answer};

/// SailPoint with pages of two and endless accounts, until `pages`.
fn endless(pages: u64) -> Scripted {
    Scripted::new(move |sent| {
        if sent.uri.path() == "/oauth/token" {
            return answer(200, &[], r#"{"access_token":"token-of-the-test","expires_in":43200}"#);
        }
        let query = sent.uri.query().unwrap_or_default();
        let offset = query.split('&').find_map(|pair| pair.strip_prefix("offset=")).unwrap();
        let offset: u64 = offset.parse().unwrap();
        let total = pages + 1;
        let rows: Vec<_> =
            (offset..(offset + 2).min(total)).map(|row| format!(r#"{{"id":"{row:032}"}}"#)).collect();
        let body = format!("[{}]", rows.join(","));
        let answer = answer(200, &[("x-total-count", &total.to_string())], &body);
        Act::After(Duration::from_millis(10), Box::new(answer))
    })
}

fn client(transport: &Scripted) -> sailpoint::ClientBuilder {
    sailpoint::Client::builder("https://acme.api.identitynow.com")
        .client_credentials("id", "secret")
        .transport(transport.clone())
}

/// When the list requests went.
fn times(transport: &Scripted) -> Vec<Instant> {
    let sent = transport.sent();
    sent.iter().filter(|sent| sent.uri.path() != "/oauth/token").map(|sent| sent.at).collect()
}

#[tokio::test(start_paused = true)]
async fn a_thousand_lists_on_one_client_share_one_token_and_the_limit_and_none_starves() {
    let transport = endless(3);
    let client = client(&transport).build().unwrap();
    let began = Instant::now();
    let lists = (0..1000).map(|_| {
        let client = client.clone();
        tokio::spawn(async move {
            let accounts: Vec<_> =
                client.list_accounts().limit(2).items().try_collect().await.expect("a whole list");
            (accounts.len(), Instant::now())
        })
    });
    let ended = join_all(lists.collect::<Vec<_>>()).await;
    assert!(ended.iter().all(|list| list.as_ref().unwrap().0 == 4));

    let tokens = transport.sent().iter().filter(|sent| sent.uri.path() == "/oauth/token").count();
    assert_eq!(tokens, 1);
    let times = times(&transport);
    for window in times.windows(101) {
        assert!(window[100] - window[0] > Duration::from_secs(10), "more than 100 in 10 s");
    }
    // The first hundred go at once; from then on, at least 98 of each 100 that are allowed.
    let allowed = 100.0 + 10.0 * began.elapsed().as_secs_f64();
    let used = f64::from(u32::try_from(times.len()).unwrap()) / allowed;
    assert!(used >= 0.98, "{used} of the allowance was used");
    // In turns: every list has had its first page before any has its last.
    let first_end = ended.iter().map(|list| list.as_ref().unwrap().1).min().unwrap();
    let sent_before = times.iter().filter(|time| **time <= first_end).count();
    assert!(sent_before >= 1000, "{sent_before}");
}

#[tokio::test(start_paused = true)]
async fn the_limit_can_be_set_or_switched_off() {
    let transport = endless(300);
    let client = client(&transport).rate_limit(None).build().unwrap();
    let began = Instant::now();
    assert_eq!(client.list_accounts().limit(2).items().count().await, 301);
    assert!(began.elapsed() < Duration::from_secs(5), "300 pages of 10 ms");

    let transport = endless(30);
    let slow = RateLimit::new(1, Duration::from_secs(1));
    let client = self::client(&transport).rate_limit(slow).build().unwrap();
    let began = Instant::now();
    assert_eq!(client.list_accounts().limit(2).items().count().await, 31);
    assert!(began.elapsed() >= Duration::from_secs(29));
}

#[tokio::test(start_paused = true)]
async fn a_count_that_contradicts_its_page_does_not_end_the_list() {
    for count in ["0", "3", "nonsense"] {
        let transport = Scripted::new(move |sent| {
            let query = sent.uri.query().unwrap_or_default();
            let offset = query.split('&').find_map(|pair| pair.strip_prefix("offset=")).unwrap();
            let offset: usize = offset.parse().unwrap();
            let rows: Vec<_> =
                (0..20).skip(offset).take(5).map(|row| format!(r#"{{"id":"{row:032}"}}"#)).collect();
            answer(200, &[("x-total-count", count)], &format!("[{}]", rows.join(",")))
        });
        let builder = sailpoint::Client::builder("https://acme.example").token("t").transport(transport);
        let client = builder.rate_limit(None).build().unwrap();
        let accounts: Vec<_> = client.list_accounts().limit(5).items().try_collect().await.unwrap();
        assert_eq!(accounts.len(), 20, "{count}");
    }
}

#[tokio::test(start_paused = true)]
async fn requests_that_waited_for_a_token_together_still_keep_the_limit() {
    let transport = Scripted::new(|sent| match sent.uri.path() {
        "/oauth/token" => {
            let token = answer(200, &[], r#"{"access_token":"token-of-the-test","expires_in":43200}"#);
            Act::After(Duration::from_secs(25), Box::new(token))
        }
        _ => answer(200, &[("x-total-count", "1")], r#"[{"id":"a"}]"#),
    });
    let client = client(&transport).build().unwrap();
    let lists = (0..350).map(|_| client.list_accounts().items().count());
    assert!(join_all(lists).await.iter().all(|count| *count == 1));
    for window in times(&transport).windows(101) {
        assert!(window[100] - window[0] > Duration::from_secs(10), "more than 100 in 10 s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_is_asked_for_and_not_waited_for_holds_up_no_other_request() {
    let transport = Scripted::new(|sent| match sent.uri.path() {
        "/accounts/v1/x" => answer(200, &[], r#"{"id":"x"}"#),
        _ => answer(200, &[("x-total-count", "1")], r#"[{"id":"a"}]"#),
    });
    let builder = sailpoint::Client::builder("https://acme.example").token("t").transport(transport.clone());
    let client = builder.rate_limit(RateLimit::new(1, Duration::from_secs(10))).build().unwrap();
    client.get_account("x").send().await.unwrap();

    // The fetch of the page lives on in the stream, and nobody polls it.
    let mut items = client.list_accounts().items();
    assert!(timeout(Duration::from_secs(1), items.next()).await.is_err());
    let mut others: Vec<_> = (0..3).map(|_| client.list_accounts().items()).collect();
    for other in &mut others {
        assert!(timeout(Duration::ZERO, other.next()).await.is_err());
    }
    let hour = Duration::from_secs(3600);
    timeout(hour, client.get_account("x").send()).await.expect("its turn comes").unwrap();
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
async fn a_token_that_ends_in_the_queue_is_replaced() {
    let mut issued = Vec::new();
    let transport = Scripted::new(move |sent| {
        if sent.uri.path() == "/oauth/token" {
            issued.push(sent.at);
            let token = format!(r#"{{"access_token":"t{}","expires_in":15}}"#, issued.len());
            return Act::After(Duration::from_millis(300), Box::new(answer(200, &[], &token)));
        }
        let bearer = sent.headers["authorization"].to_str().unwrap();
        let number: usize = bearer.strip_prefix("Bearer t").unwrap().parse().unwrap();
        if sent.at - issued[number - 1] >= Duration::from_secs(15) {
            return answer(401, &[], r#"{"error":"JWT validation failed: JWT is expired"}"#);
        }
        answer(200, &[("x-total-count", "1")], r#"[{"id":"a"}]"#)
    });
    let client = client(&transport).build().unwrap();
    let first = |mut items: headcount::Items<_>| async move { items.try_next().await };
    let lists = (0..250).map(|_| first(client.list_accounts().items()));
    for account in join_all(lists).await {
        assert_eq!(account.unwrap().unwrap().id, "a");
    }
    let times = times(&transport);
    assert_eq!(times.len(), 300, "fifty were refused, and replayed once");
    assert_eq!(transport.sent().len(), 302, "there were two tokens");
    for window in times.windows(101) {
        assert!(window[100] - window[0] > Duration::from_secs(10), "more than 100 in 10 s");
    }
}
