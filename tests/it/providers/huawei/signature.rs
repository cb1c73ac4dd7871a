use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, UNIX_EPOCH},
};

use bytes::Bytes;
use chrono::TimeDelta;
use headcount::{
    ErrorKind,
    http::{Clock, RetryPolicy},
    huawei,
};
use headcount_sim::{Huawei, HuaweiBuilder};
use http::{HeaderValue, Request};

use crate::providers::support::{Canned, NOWHERE, Tampered, answer, huawei, plain, refusal, whole};

async fn start(builder: HuaweiBuilder) -> Huawei {
    builder.accounts(3).start().await.unwrap()
}

#[tokio::test]
async fn a_wrong_secret_is_an_auth_error_that_is_never_retried() {
    let server = start(Huawei::builder()).await;
    let builder = huawei::Client::builder(server.ak(), "wrong hunter2").base_url(server.base_url());
    let error = refusal(builder.build().unwrap().list_accounts()).await;
    assert_eq!((error.kind(), error.status()), (ErrorKind::Auth, Some(401)));
    assert_eq!((error.code(), error.provider()), (Some("APIGW.0301"), Some("huawei")));
    assert!(error.message().contains("verify aksk signature fail"), "{error}");
    assert_eq!(error.request_id().map(str::len), Some(32));
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    assert_eq!(server.requests().len(), 1, "more than five failures lock the key");
}

#[tokio::test]
async fn an_unknown_key_is_an_auth_error_that_is_never_retried() {
    let server = start(Huawei::builder()).await;
    let builder = huawei::Client::builder("HSTANOBODY", server.sk()).base_url(server.base_url());
    let error = refusal(builder.build().unwrap().list_accounts()).await;
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(error.message().contains("ak not exist"), "{error}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_temporary_key_goes_with_its_token_and_not_without() {
    let server = start(Huawei::builder().temporary(true).record_secrets(true)).await;
    let token = server.security_token().unwrap().to_owned();
    let client = huawei(&server).security_token(format!("{token}\n")).build().unwrap();
    assert_eq!(whole(client.list_accounts()).await.len(), 3);
    let request = &server.list_requests()[0];
    assert_eq!(request.header("x-security-token"), Some(token.as_str()));
    let authorization = request.header("authorization").unwrap();
    assert!(authorization.contains("x-security-token"), "{authorization}");

    server.clear_requests();
    let without =
        || huawei::Client::builder(server.ak(), server.sk()).base_url(server.base_url()).http_client(plain());
    for builder in [without(), without().security_token("another")] {
        let error = refusal(builder.build().unwrap().list_accounts()).await;
        assert_eq!(error.kind(), ErrorKind::Auth);
        assert!(error.message().contains("decrypt token fail"), "{error}");
    }
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn the_domain_id_is_sent_if_it_is_given_and_only_then() {
    let server = start(Huawei::builder().require_domain_id(true)).await;
    let client = huawei(&server).domain_id(server.domain_id()).build().unwrap();
    whole(client.list_accounts()).await;
    assert_eq!(server.list_requests()[0].header("x-domain-id"), Some(server.domain_id()));
    server.clear_requests();
    let error = refusal(huawei(&server).build().unwrap().list_accounts()).await;
    assert_eq!((error.status(), error.code()), (Some(404), Some("Organizations.1010")));
    assert_eq!(server.list_requests()[0].header("x-domain-id"), None);
}

#[tokio::test]
async fn a_clock_that_is_off_is_an_error_that_tells_both_clocks() {
    let now = chrono::DateTime::<chrono::Utc>::from(Clock::system().now());
    for hours in [-2, 2] {
        let server = start(Huawei::builder().clock_offset(TimeDelta::hours(hours))).await;
        let error = refusal(huawei(&server).build().unwrap().list_accounts()).await;
        assert_eq!(error.kind(), ErrorKind::Auth);
        // This machine's, as in X-Sdk-Date; the server's, as in its Date. To the hour, as time passes.
        let own = now.format("clock says %Y%m%dT%H").to_string();
        let theirs = (now + TimeDelta::hours(hours)).format("the server's %a, %d %b %Y %H:").to_string();
        let next = now + TimeDelta::minutes(1);
        let own_next = next.format("clock says %Y%m%dT%H").to_string();
        let text = error.message();
        assert!(text.contains(&own) || text.contains(&own_next), "{error}");
        assert!(text.contains(&theirs) || own != own_next, "{error}");
        assert!(text.contains("15 minutes"), "{error}");
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn the_date_is_the_clients_clock_at_each_request() {
    let server = start(Huawei::builder().clock_offset(TimeDelta::hours(2))).await;
    let clock = Clock::new(|| Clock::system().now() + Duration::from_secs(2 * 60 * 60));
    let client = huawei(&server).clock(clock).build().unwrap();
    assert_eq!(whole(client.list_accounts().limit(1)).await.len(), 3);
    for request in server.list_requests() {
        let date = request.header("x-sdk-date").unwrap();
        assert_eq!((date.len(), &date[8..9], &date[15..]), (16, "T", "Z"), "{date}");
    }
}

#[tokio::test]
async fn host_and_date_are_signed_and_what_proxies_rewrite_is_not() {
    let server = start(Huawei::builder().record_secrets(true)).await;
    whole(huawei(&server).build().unwrap().list_accounts()).await;
    let request = &server.list_requests()[0];
    let authorization = request.header("authorization").unwrap();
    let expected = format!(
        "SDK-HMAC-SHA256 Access={}, SignedHeaders=content-type;host;x-sdk-date, Signature=",
        server.ak()
    );
    assert!(authorization.starts_with(&expected), "{authorization}");
    assert_eq!(
        request.header("content-type"),
        Some("application/json"),
        "the reference requires it of reads, too"
    );
}

fn set_uri(request: &mut Request<Bytes>, change: impl Fn(&str) -> String) {
    let uri = change(&request.uri().to_string());
    *request.uri_mut() = uri.parse().unwrap();
}

/// What is changed, and how.
type Forgery = (&'static str, fn(&mut Request<Bytes>));

/// Ways to change a request, each of which a signature must show.
const FORGERIES: [Forgery; 6] = [
    ("path", |request| {
        set_uri(request, |uri| uri.replace("/accounts?", "/accounts/someone?"));
    }),
    ("query value", |request| {
        set_uri(request, |uri| uri.replace("limit=7", "limit=8"));
    }),
    ("query name added", |request| {
        set_uri(request, |uri| format!("{uri}&with_register_contact_info=true"));
    }),
    ("signed header", |request| {
        let domain = HeaderValue::from_static("another");
        request.headers_mut().insert("x-domain-id", domain);
    }),
    ("date", |request| {
        // Another second, well within what clocks may differ by.
        let date = request.headers()["x-sdk-date"].to_str().unwrap().to_owned();
        let other = if date.ends_with("0Z") { "1Z" } else { "0Z" };
        let forged = format!("{}{other}", &date[..date.len() - 2]);
        request.headers_mut().insert("x-sdk-date", HeaderValue::try_from(forged).unwrap());
    }),
    ("body", |request| *request.body_mut() = Bytes::from_static(b"{}")),
];

#[tokio::test]
async fn a_changed_byte_in_any_signed_part_is_refused() {
    let server = start(Huawei::builder()).await;
    let list = |change| {
        let builder = huawei(&server).domain_id(server.domain_id()).transport(Tampered::new(change));
        builder.build().unwrap().list_accounts().limit(7)
    };
    for (what, change) in FORGERIES {
        let error = refusal(list(change)).await;
        assert_eq!(error.kind(), ErrorKind::Auth, "{what}: {error}");
        assert!(error.message().contains("verify aksk signature fail"), "{what}");
        // A good one in between, so that the failures do not lock the key, and do not come of the transport.
        assert_eq!(whole(list(|_| ())).await.len(), 3, "{what}");
    }
    // What is not signed may be rewritten on the way.
    let agent = |request: &mut Request<Bytes>| {
        let agent = HeaderValue::from_static("a proxy");
        request.headers_mut().insert("user-agent", agent);
    };
    whole(list(agent)).await;
}

#[tokio::test]
async fn credentials_that_can_not_be_sent_are_refused_at_build() {
    let build = huawei::Client::builder;
    for (builder, word) in [
        (build("", "secret"), "access key"),
        (build("key", " \n"), "secret key"),
        (build("k\ney", "secret"), "access key"),
        (build("key", "secret").security_token(""), "security token"),
        (build("key", "secret").security_token("to\nken"), "security token"),
        (build("key", "secret").domain_id("do\nmain"), "domain id"),
    ] {
        let error = builder.build().expect_err(word);
        assert_eq!((error.kind(), error.provider()), (ErrorKind::Config, Some("huawei")));
        assert!(error.message().contains(word), "{word}: {error}");
    }
}

#[tokio::test]
async fn every_attempt_is_signed_anew_with_the_date_of_its_own() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let headers = Arc::clone(&seen);
    let transport = Canned::new(move |number, request| {
        let header = |name: &str| request.headers()[name].to_str().unwrap().to_owned();
        let signed = (header("x-sdk-date"), header("authorization"));
        headers.lock().unwrap().push(signed);
        match number {
            0 | 1 => answer(503, ""),
            _ => answer(200, r#"{"accounts":[],"page_info":{}}"#),
        }
    });
    // A second passes each time that the clock is looked at.
    let seconds = AtomicU64::new(1_700_000_000);
    let clock = Clock::new(move || UNIX_EPOCH + Duration::from_secs(seconds.fetch_add(1, Ordering::Relaxed)));
    let retry = RetryPolicy::default().backoff(Duration::ZERO, Duration::ZERO);
    let client = huawei::Client::builder("access", "secret").base_url(NOWHERE).clock(clock);
    let client = client.retry(retry).transport(transport).build().unwrap();
    assert!(whole(client.list_accounts()).await.is_empty());
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 3);
    let dates = seen.is_sorted_by(|one, next| one.0 < next.0);
    let signatures = seen.windows(2).all(|pair| pair[0].1 != pair[1].1);
    assert!(dates && signatures, "{seen:?}");
}
