use std::time::{Duration, SystemTime};

use futures::TryStreamExt;
use headcount::{
    Error, ErrorKind, Paginator, Retryability, annature,
    http::{Clock, RetryPolicy, TransportErrorKind},
    sailpoint,
};
use tokio::time::Instant;

use super::answers::{Act, Scripted, answer, one_account};

type Make = fn() -> Act;

const SECOND: Duration = Duration::from_secs(1);

async fn list(client: annature::ClientBuilder) -> Result<Vec<annature::Account>, Error> {
    client.build()?.list_accounts().items().try_collect().await
}

/// Fails so often in this way, and answers then.
fn failing(times: usize, act: impl Fn() -> Act + Send + 'static) -> Scripted {
    Scripted::new(move |sent| if sent.number <= times { act() } else { one_account() })
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_tried_four_times_and_then_told() {
    let cases: [(&str, Make); 11] = [
        ("408", || answer(408, &[], "")),
        ("429", || answer(429, &[], "")),
        ("500", || answer(500, &[], "{}")),
        ("502", || answer(502, &[], "<html>Bad Gateway</html>")),
        ("503", || answer(503, &[], "")),
        ("504", || answer(504, &[], "")),
        ("connect", || Act::Fail(TransportErrorKind::Connect)),
        ("broken", || Act::Fail(TransportErrorKind::Connection)),
        ("cut JSON", || answer(200, &[], r#"{"accounts":[{"id":"a"#)),
        ("login page", || answer(200, &[("content-type", "text/html")], "<html>Log in</html>")),
        ("hang", || Act::After(Duration::from_secs(3600), Box::new(one_account()))),
    ];
    for (name, act) in cases {
        let passing = failing(3, act);
        assert_eq!(list(passing.annature()).await.unwrap().len(), 1, "{name}");
        assert_eq!(passing.sent().len(), 4, "{name}");

        let lasting = failing(99, act);
        let error = list(lasting.annature()).await.unwrap_err();
        assert_eq!((error.retryability(), error.attempts()), (Retryability::Exhausted, 4), "{name}: {error}");
        assert_eq!(lasting.sent().len(), 4, "{name}");
        assert!(error.to_string().contains("GET https://api.annature.com.au/v2/accounts"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_can_not_pass_is_told_at_once() {
    let cases: [(&str, ErrorKind, Make); 8] = [
        ("400", ErrorKind::Api, || answer(400, &[], r#"{"message":"no"}"#)),
        ("401", ErrorKind::Auth, || answer(401, &[], "{}")),
        ("403", ErrorKind::PermissionDenied, || answer(403, &[], "{}")),
        ("404", ErrorKind::NotFound, || answer(404, &[], "{}")),
        ("302", ErrorKind::Api, || answer(302, &[("location", "https://evil.example/")], "")),
        ("untrusted", ErrorKind::Transport, || Act::Fail(TransportErrorKind::Certificate)),
        ("too large", ErrorKind::Decode, || Act::Fail(TransportErrorKind::TooLarge)),
        ("unsendable", ErrorKind::Config, || Act::Fail(TransportErrorKind::InvalidRequest)),
    ];
    for (name, kind, act) in cases {
        let transport = failing(99, act);
        let error = list(transport.annature()).await.unwrap_err();
        assert_eq!((error.kind(), error.retryability()), (kind, Retryability::Never), "{name}: {error}");
        assert_eq!(transport.sent().len(), 1, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn partial_content_is_an_error() {
    // Some pages, each with all that it needs to be taken for a whole one.
    for status in [201, 202, 203, 205, 206, 226] {
        let page = move || answer(status, &[], r#"{"accounts":[{"id":"a"}],"has_more":false}"#);
        let lasting = failing(99, page);
        let error = list(lasting.annature()).await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Decode, Some(status)), "{error}");
        assert_eq!(lasting.sent().len(), 4, "it may be another the next time");
        let passing = failing(1, page);
        assert_eq!(list(passing.annature()).await.unwrap().len(), 1);

        let documented = matches!(status, 201 | 202);
        let client = failing(99, page).annature().build().unwrap();
        let changed = client.deactivate_account("a").send().await;
        assert_eq!(changed.is_ok(), documented, "{status}");
        if let Err(error) = changed {
            assert_eq!((error.kind(), error.retryability()), (ErrorKind::Decode, Retryability::MaybeApplied));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_the_server_asks_for_is_never_undercut() {
    let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
    for (header, seconds) in [("7", 7), ("100", 100), ("Sun, 06 Nov 1994 08:50:37 GMT", 60)] {
        let transport = failing(1, move || answer(429, &[("retry-after", header)], ""));
        list(transport.annature().clock(Clock::new(move || now))).await.unwrap();
        let sent = transport.sent();
        let waited = sent[1].at - sent[0].at;
        assert!(waited >= seconds * SECOND && waited <= (seconds + 1) * SECOND, "{header}: {waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_date_to_wait_for_is_one_of_the_servers_clock() {
    let theirs = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
    let asked = [("date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT")];
    for ours in [theirs + 120 * SECOND, theirs - 120 * SECOND] {
        let transport = failing(1, move || answer(429, &asked, ""));
        list(transport.annature().clock(Clock::new(move || ours))).await.unwrap();
        let sent = transport.sent();
        let waited = sent[1].at - sent[0].at;
        assert!(waited >= 60 * SECOND && waited <= 61 * SECOND, "{waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_beyond_the_limit_is_told_at_once() {
    let each = [408, 429, 500, 502, 503, 504].map(|status| (status, "121"));
    for (status, header) in each.into_iter().chain([(503, "99999999999999999999"), (429, "1200")]) {
        let transport = failing(99, move || answer(status, &[("retry-after", header)], ""));
        let began = Instant::now();
        let error = list(transport.annature()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Throttled);
        assert!(error.retry_after().unwrap() >= 121 * SECOND);
        assert_eq!(error.retryability(), Retryability::Retryable, "this crate has not tried again");
        assert_eq!((began.elapsed(), transport.sent().len()), (Duration::ZERO, 1));
    }
    let patient = RetryPolicy::default().max_retry_after(Duration::from_secs(1200));
    let transport = failing(2, || answer(429, &[("retry-after", "1200")], ""));
    let began = Instant::now();
    assert_eq!(list(transport.annature().retry(patient)).await.unwrap().len(), 1);
    assert!(began.elapsed() >= 2400 * SECOND, "the server's waits do not count against the time limit");
}

#[tokio::test(start_paused = true)]
async fn a_change_that_may_have_been_carried_out_is_not_told_as_throttled() {
    for (status, kind, retry) in [
        (429, ErrorKind::Throttled, Retryability::Retryable),
        (500, ErrorKind::Api, Retryability::MaybeApplied),
        (503, ErrorKind::Api, Retryability::MaybeApplied),
        (504, ErrorKind::Api, Retryability::MaybeApplied),
    ] {
        let transport = failing(99, move || answer(status, &[("retry-after", "121")], ""));
        let client = transport.annature().build().unwrap();
        let error = client.deactivate_account("a").send().await.unwrap_err();
        assert_eq!((error.kind(), error.retryability()), (kind, retry), "{status}");
        assert!(error.retry_after().unwrap() >= 121 * SECOND, "it is told all the same");
        assert_eq!(transport.sent().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn endless_waits_that_are_all_obeyed_do_no_harm() {
    let patient = RetryPolicy::default().max_retry_after(Duration::MAX);
    let transport = failing(2, || answer(429, &[("retry-after", "99999999999999999999")], ""));
    assert_eq!(list(transport.annature().retry(patient)).await.unwrap().len(), 1);
    assert_eq!(transport.sent().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_and_all_attempts_have_their_time() {
    let transport = failing(99, || Act::After(Duration::from_secs(3600), Box::new(one_account())));
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
async fn without_retries_there_is_one_attempt() {
    let transport = failing(1, || answer(503, &[], ""));
    let error = list(transport.annature().retry(RetryPolicy::none())).await.unwrap_err();
    assert_eq!(
        (error.retryability(), error.attempts(), transport.sent().len()),
        (Retryability::Retryable, 1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_failed_page_can_be_taken_up_where_it_failed() {
    let transport = Scripted::new(|sent| {
        let second = sent.uri.query().is_some_and(|query| query == "cursor=c1");
        match (second, sent.number) {
            (false, _) => answer(200, &[], r#"{"accounts":[{"id":"a"}],"cursor":"c1","has_more":true}"#),
            (true, 2..=5) => answer(503, &[], ""),
            (true, _) => answer(200, &[], r#"{"accounts":[{"id":"b"}],"has_more":false}"#),
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
async fn a_signature_is_made_anew_for_every_attempt() {
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_323_045);
    let transport = Scripted::new(|sent| match sent.number {
        1 => Act::After(20 * SECOND, Box::new(answer(503, &[], ""))),
        _ => answer(200, &[], r#"{"accounts":[],"page_info":{"next_marker":null}}"#),
    });
    let began = Instant::now();
    let client = headcount::huawei::Client::builder("AK", "secret-key")
        .transport(transport.clone())
        .clock(Clock::new(move || start + began.elapsed()))
        .build()
        .unwrap();
    let none: Vec<_> = client.list_accounts().items().try_collect().await.unwrap();
    assert!(none.is_empty());
    let sent = transport.sent();
    let header = |index: usize, name: &str| sent[index].headers[name].to_str().unwrap().to_owned();
    assert_eq!(header(0, "x-sdk-date"), "20260102T030405Z");
    assert!(header(1, "x-sdk-date").as_str() >= "20260102T030425Z");
    assert_ne!(header(0, "authorization"), header(1, "authorization"));
}

#[test]
fn https_or_loopback_is_required_unless_http_is_allowed() {
    let build = |url: &str| annature::Client::builder("id", "key").base_url(url).build();
    assert!(build("http://127.0.0.1:1").is_ok());
    let error = build("http://api.annature.com.au").unwrap_err();
    assert_eq!((error.kind(), error.provider()), (ErrorKind::Config, Some("annature")));
    let allowed = annature::Client::builder("id", "key").base_url("http://10.0.0.1").allow_http(true);
    assert!(allowed.build().is_ok());
}

#[tokio::test]
async fn a_header_that_servers_would_refuse_is_refused_before_it_is_sent() {
    let transport = Scripted::new(|_| answer(200, &[("x-total-count", "0")], "[]"));
    let token = |length: usize| {
        let client = sailpoint::Client::builder("https://acme.example").token("t".repeat(length));
        client.transport(transport.clone()).build().unwrap().list_accounts().items()
    };
    assert!(token(16 * 1024 - "Bearer ".len()).try_next().await.is_ok());
    let sent = transport.sent().len();
    let error = token(16 * 1024).try_next().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Config, 0), "{error}");
    assert!(error.message().contains("authorization would have 16391 bytes"), "{error}");
    assert_eq!(transport.sent().len(), sent);
}
