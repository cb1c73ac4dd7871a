use std::time::{Duration, SystemTime};

use futures::TryStreamExt;
use headcount::{
    Error, ErrorKind, Retryability, annature,
    http::{Clock, RetryPolicy, TransportErrorKind},
    sailpoint,
};
use tokio::time::Instant;

use super::scripted_transport::{Outcome, ScriptedTransport, respond, single_account_page};

type MakeOutcome = fn() -> Outcome;

const SECOND: Duration = Duration::from_secs(1);

async fn list(client: annature::ClientBuilder) -> Result<Vec<annature::Account>, Error> {
    client.build()?.list_accounts().items().try_collect().await
}

/// Returns a transport whose first `times` requests have this outcome. The others get a page.
fn failing(times: usize, outcome: impl Fn() -> Outcome + Send + 'static) -> ScriptedTransport {
    ScriptedTransport::new(move |sent| if sent.number <= times { outcome() } else { single_account_page() })
}

#[tokio::test(start_paused = true)]
async fn transient_failures_are_tried_four_times() {
    let cases: [(&str, MakeOutcome); 11] = [
        ("408", || respond(408, &[], "")),
        ("429", || respond(429, &[], "")),
        ("500", || respond(500, &[], "{}")),
        ("502", || respond(502, &[], "<html>Bad Gateway</html>")),
        ("503", || respond(503, &[], "")),
        ("504", || respond(504, &[], "")),
        ("connect", || Outcome::Fail(TransportErrorKind::Connect)),
        ("broken", || Outcome::Fail(TransportErrorKind::Connection)),
        ("cut JSON", || respond(200, &[], r#"{"accounts":[{"id":"a"#)),
        ("login page", || respond(200, &[("content-type", "text/html")], "<html>Log in</html>")),
        ("hang", || Outcome::Delay(Duration::from_secs(3600), Box::new(single_account_page()))),
    ];
    for (name, outcome) in cases {
        let transient = failing(3, outcome);
        assert_eq!(list(transient.annature()).await.unwrap().len(), 1, "{name}");
        assert_eq!(transient.sent().len(), 4, "{name}");

        let persistent = failing(99, outcome);
        let error = list(persistent.annature()).await.unwrap_err();
        assert_eq!((error.retryability(), error.attempts()), (Retryability::Exhausted, 4), "{name}: {error}");
        assert_eq!(persistent.sent().len(), 4, "{name}");
        assert!(error.to_string().contains("GET https://api.annature.com.au/v2/accounts"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn permanent_failures_are_not_retried() {
    let cases: [(&str, ErrorKind, MakeOutcome); 8] = [
        ("400", ErrorKind::Api, || respond(400, &[], r#"{"message":"no"}"#)),
        ("401", ErrorKind::Auth, || respond(401, &[], "{}")),
        ("403", ErrorKind::PermissionDenied, || respond(403, &[], "{}")),
        ("404", ErrorKind::NotFound, || respond(404, &[], "{}")),
        ("302", ErrorKind::Api, || respond(302, &[("location", "https://evil.example/")], "")),
        ("untrusted", ErrorKind::Transport, || Outcome::Fail(TransportErrorKind::Certificate)),
        ("too large", ErrorKind::Decode, || Outcome::Fail(TransportErrorKind::TooLarge)),
        ("unsendable", ErrorKind::Config, || Outcome::Fail(TransportErrorKind::InvalidRequest)),
    ];
    for (name, kind, outcome) in cases {
        let transport = failing(99, outcome);
        let error = list(transport.annature()).await.unwrap_err();
        assert_eq!((error.kind(), error.retryability()), (kind, Retryability::Never), "{name}: {error}");
        assert_eq!(transport.sent().len(), 1, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn undocumented_success_status_is_an_error() {
    // Each page would otherwise be valid.
    for status in [201, 202, 203, 205, 206, 226] {
        let page = move || respond(status, &[], r#"{"accounts":[{"id":"a"}],"has_more":false}"#);
        let persistent = failing(99, page);
        let error = list(persistent.annature()).await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Decode, Some(status)), "{error}");
        assert_eq!(persistent.sent().len(), 4, "it is retried");
        let transient = failing(1, page);
        assert_eq!(list(transient.annature()).await.unwrap().len(), 1);

        let documented = matches!(status, 201 | 202);
        let client = failing(99, page).annature().build().unwrap();
        let result = client.deactivate_account("a").send().await;
        assert_eq!(result.is_ok(), documented, "{status}");
        if let Err(error) = result {
            assert_eq!((error.kind(), error.retryability()), (ErrorKind::Decode, Retryability::MaybeApplied));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn waits_at_least_retry_after() {
    let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
    for (header, seconds) in [("7", 7), ("100", 100), ("Sun, 06 Nov 1994 08:50:37 GMT", 60)] {
        let transport = failing(1, move || respond(429, &[("retry-after", header)], ""));
        list(transport.annature().clock(Clock::new(move || now))).await.unwrap();
        let sent = transport.sent();
        let waited = sent[1].at - sent[0].at;
        assert!(waited >= seconds * SECOND && waited <= (seconds + 1) * SECOND, "{header}: {waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn retry_after_date_uses_server_clock() {
    let server_time = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
    let headers =
        [("date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT")];
    for client_time in [server_time + 120 * SECOND, server_time - 120 * SECOND] {
        let transport = failing(1, move || respond(429, &headers, ""));
        list(transport.annature().clock(Clock::new(move || client_time))).await.unwrap();
        let sent = transport.sent();
        let waited = sent[1].at - sent[0].at;
        assert!(waited >= 60 * SECOND && waited <= 61 * SECOND, "{waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn retry_after_over_limit_fails_immediately() {
    let each = [408, 429, 500, 502, 503, 504].map(|status| (status, "121"));
    for (status, header) in each.into_iter().chain([(503, "99999999999999999999"), (429, "1200")]) {
        let transport = failing(99, move || respond(status, &[("retry-after", header)], ""));
        let began = Instant::now();
        let error = list(transport.annature()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Throttled);
        assert!(error.retry_after().unwrap() >= 121 * SECOND);
        assert_eq!(error.retryability(), Retryability::Retryable, "it was not retried");
        assert_eq!((began.elapsed(), transport.sent().len()), (Duration::ZERO, 1));
    }
    let policy = RetryPolicy::default().max_retry_after(Duration::from_secs(1200));
    let transport = failing(2, || respond(429, &[("retry-after", "1200")], ""));
    let began = Instant::now();
    assert_eq!(list(transport.annature().retry(policy)).await.unwrap().len(), 1);
    assert!(began.elapsed() >= 2400 * SECOND, "Retry-After does not count against the total timeout");
}

#[tokio::test(start_paused = true)]
async fn mutation_maybe_applied_is_not_throttled() {
    for (status, kind, retry) in [
        (429, ErrorKind::Throttled, Retryability::Retryable),
        (500, ErrorKind::Api, Retryability::MaybeApplied),
        (503, ErrorKind::Api, Retryability::MaybeApplied),
        (504, ErrorKind::Api, Retryability::MaybeApplied),
    ] {
        let transport = failing(99, move || respond(status, &[("retry-after", "121")], ""));
        let client = transport.annature().build().unwrap();
        let error = client.deactivate_account("a").send().await.unwrap_err();
        assert_eq!((error.kind(), error.retryability()), (kind, retry), "{status}");
        assert!(error.retry_after().unwrap() >= 121 * SECOND, "Retry-After is still reported");
        assert_eq!(transport.sent().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn unlimited_retry_after_does_not_overflow() {
    let policy = RetryPolicy::default().max_retry_after(Duration::MAX);
    let transport = failing(2, || respond(429, &[("retry-after", "99999999999999999999")], ""));
    assert_eq!(list(transport.annature().retry(policy)).await.unwrap().len(), 1);
    assert_eq!(transport.sent().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn attempt_and_total_timeouts_apply() {
    let transport =
        failing(99, || Outcome::Delay(Duration::from_secs(3600), Box::new(single_account_page())));
    let policy = RetryPolicy::default().attempts(99).timeouts(10 * SECOND, 35 * SECOND);
    let began = Instant::now();
    let error = list(transport.annature().retry(policy)).await.unwrap_err();
    assert_eq!((error.kind(), error.retryability()), (ErrorKind::Timeout, Retryability::Exhausted));
    assert!(began.elapsed() <= 35 * SECOND, "{:?}", began.elapsed());
    let sent = transport.sent();
    assert!(sent.len() >= 3);
    assert!(sent[1].at - sent[0].at >= 10 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn policy_none_makes_one_attempt() {
    let transport = failing(1, || respond(503, &[], ""));
    let error = list(transport.annature().retry(RetryPolicy::none())).await.unwrap_err();
    assert_eq!(
        (error.retryability(), error.attempts(), transport.sent().len()),
        (Retryability::Retryable, 1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn stream_resumes_at_failed_page() {
    let transport = ScriptedTransport::new(|sent| {
        let second = sent.uri.query().is_some_and(|query| query == "cursor=c1");
        match (second, sent.number) {
            (false, _) => respond(200, &[], r#"{"accounts":[{"id":"a"}],"cursor":"c1","has_more":true}"#),
            (true, 2..=5) => respond(503, &[], ""),
            (true, _) => respond(200, &[], r#"{"accounts":[{"id":"b"}],"has_more":false}"#),
        }
    });
    let mut items = transport.annature().build().unwrap().list_accounts().items();
    assert_eq!(items.try_next().await.unwrap().unwrap().id, "a");
    assert_eq!(items.try_next().await.unwrap_err().status(), Some(503));
    assert!(items.retry());
    assert_eq!(items.try_next().await.unwrap().unwrap().id, "b");
    assert!(items.try_next().await.unwrap().is_none());
    assert_eq!(transport.sent().len(), 6);
}

#[tokio::test(start_paused = true)]
async fn each_attempt_is_signed_again() {
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_323_045);
    let transport = ScriptedTransport::new(|sent| match sent.number {
        1 => Outcome::Delay(20 * SECOND, Box::new(respond(503, &[], ""))),
        _ => respond(200, &[], r#"{"accounts":[],"page_info":{"next_marker":null}}"#),
    });
    let began = Instant::now();
    let client = headcount::huawei::Client::builder()
        .access_key("AK")
        .secret_key("secret-key")
        .transport(transport.clone())
        .clock(Clock::new(move || start + began.elapsed()))
        .build()
        .unwrap();
    let accounts: Vec<_> = client.list_accounts().items().try_collect().await.unwrap();
    assert!(accounts.is_empty());
    let sent = transport.sent();
    let header = |index: usize, name: &str| sent[index].headers[name].to_str().unwrap().to_owned();
    assert_eq!(header(0, "x-sdk-date"), "20260102T030405Z");
    assert!(header(1, "x-sdk-date").as_str() >= "20260102T030425Z");
    assert_ne!(header(0, "authorization"), header(1, "authorization"));
}

#[test]
fn base_url_requires_https_or_loopback() {
    let build = |url: &str| annature::Client::builder().id("id").key("key").base_url(url).build();
    assert!(build("http://127.0.0.1:1").is_ok());
    let error = build("http://api.annature.com.au").unwrap_err();
    assert_eq!((error.kind(), error.provider()), (ErrorKind::Config, Some(headcount::Provider::Annature)));
    let allowed =
        annature::Client::builder().id("id").key("key").base_url("http://10.0.0.1").allow_http(true);
    assert!(allowed.build().is_ok());
}

#[tokio::test]
async fn oversized_header_is_rejected_unsent() {
    let transport = ScriptedTransport::new(|_| respond(200, &[("x-total-count", "0")], "[]"));
    let token = |length: usize| {
        let client = sailpoint::Client::builder().base_url("https://acme.example").token("t".repeat(length));
        client.transport(transport.clone()).build().unwrap().list_accounts().items()
    };
    assert!(token(16 * 1024 - "Bearer ".len()).try_next().await.is_ok());
    let sent = transport.sent().len();
    let error = token(16 * 1024).try_next().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Config, 0), "{error}");
    assert!(error.message().contains("authorization has 16391 bytes"), "{error}");
    assert_eq!(transport.sent().len(), sent);
}
