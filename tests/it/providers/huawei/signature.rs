//! Signatures and credentials.

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

use crate::providers::support::{
    Canned, Tampered, UNREACHABLE_URL, huawei, list_all, list_error, plain, respond,
};

async fn start(builder: HuaweiBuilder) -> Huawei {
    builder.accounts(3).start().await.unwrap()
}

#[tokio::test]
async fn wrong_secret_key_is_not_retried() {
    let server = start(Huawei::builder()).await;
    let builder = huawei::Client::builder()
        .access_key(server.ak())
        .secret_key("wrong hunter2")
        .base_url(server.base_url());
    let error = list_error(builder.build().unwrap().list_accounts()).await;
    assert_eq!((error.kind(), error.status()), (ErrorKind::Auth, Some(401)));
    assert_eq!((error.code(), error.provider()), (Some("APIGW.0301"), Some(headcount::Provider::Huawei)));
    assert!(error.message().contains("verify aksk signature fail"), "{error}");
    assert_eq!(error.request_id().map(str::len), Some(32));
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    assert_eq!(server.requests().len(), 1, "more than five failures lock the key");
}

#[tokio::test]
async fn unknown_access_key_is_not_retried() {
    let server = start(Huawei::builder()).await;
    let builder = huawei::Client::builder()
        .access_key("HSTANOBODY")
        .secret_key(server.sk())
        .base_url(server.base_url());
    let error = list_error(builder.build().unwrap().list_accounts()).await;
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(error.message().contains("ak not exist"), "{error}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn temporary_key_requires_its_token() {
    let server = start(Huawei::builder().temporary(true).record_secrets(true)).await;
    let token = server.security_token().unwrap().to_owned();
    let client = huawei(&server).security_token(format!("{token}\n")).build().unwrap();
    assert_eq!(list_all(client.list_accounts()).await.len(), 3);
    let request = &server.list_requests()[0];
    assert_eq!(request.header("x-security-token"), Some(token.as_str()));
    let authorization = request.header("authorization").unwrap();
    assert!(authorization.contains("x-security-token"), "{authorization}");

    server.clear_requests();
    let without = || {
        huawei::Client::builder()
            .access_key(server.ak())
            .secret_key(server.sk())
            .base_url(server.base_url())
            .http_client(plain())
    };
    for builder in [without(), without().security_token("another")] {
        let error = list_error(builder.build().unwrap().list_accounts()).await;
        assert_eq!(error.kind(), ErrorKind::Auth);
        assert!(error.message().contains("decrypt token fail"), "{error}");
    }
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn domain_id_is_sent_if_set() {
    let server = start(Huawei::builder().require_domain_id(true)).await;
    let client = huawei(&server).domain_id(server.domain_id()).build().unwrap();
    list_all(client.list_accounts()).await;
    assert_eq!(server.list_requests()[0].header("x-domain-id"), Some(server.domain_id()));
    server.clear_requests();
    let error = list_error(huawei(&server).build().unwrap().list_accounts()).await;
    assert_eq!((error.status(), error.code()), (Some(404), Some("Organizations.1010")));
    assert_eq!(server.list_requests()[0].header("x-domain-id"), None);
}

#[tokio::test]
async fn clock_skew_error_has_both_clocks() {
    let now = chrono::DateTime::<chrono::Utc>::from(Clock::system().now());
    for hours in [-2, 2] {
        let server = start(Huawei::builder().clock_offset(TimeDelta::hours(hours))).await;
        let error = list_error(huawei(&server).build().unwrap().list_accounts()).await;
        assert_eq!(error.kind(), ErrorKind::Auth);
        // In the formats of X-Sdk-Date and of Date, compared to the hour because time passes.
        let local = now.format("clock says %Y%m%dT%H").to_string();
        let remote = (now + TimeDelta::hours(hours)).format("the server's %a, %d %b %Y %H:").to_string();
        let next = now + TimeDelta::minutes(1);
        let local_next = next.format("clock says %Y%m%dT%H").to_string();
        let text = error.message();
        assert!(text.contains(&local) || text.contains(&local_next), "{error}");
        assert!(text.contains(&remote) || local != local_next, "{error}");
        assert!(text.contains("15 minutes"), "{error}");
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn date_is_from_the_configured_clock() {
    let server = start(Huawei::builder().clock_offset(TimeDelta::hours(2))).await;
    let clock = Clock::new(|| Clock::system().now() + Duration::from_secs(2 * 60 * 60));
    let client = huawei(&server).clock(clock).build().unwrap();
    assert_eq!(list_all(client.list_accounts().limit(1)).await.len(), 3);
    for request in server.list_requests() {
        let date = request.header("x-sdk-date").unwrap();
        assert_eq!((date.len(), &date[8..9], &date[15..]), (16, "T", "Z"), "{date}");
    }
}

#[tokio::test]
async fn signed_headers() {
    let server = start(Huawei::builder().record_secrets(true)).await;
    list_all(huawei(&server).build().unwrap().list_accounts()).await;
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
        "the reference also requires it for reads"
    );
}

fn set_uri(request: &mut Request<Bytes>, change: impl Fn(&str) -> String) {
    let uri = change(&request.uri().to_string());
    *request.uri_mut() = uri.parse().unwrap();
}

/// The name and the effect of a modification.
type Forgery = (&'static str, fn(&mut Request<Bytes>));

/// Modifications of a request that must invalidate its signature.
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
        // Another second, well within the tolerated clock skew.
        let date = request.headers()["x-sdk-date"].to_str().unwrap().to_owned();
        let other = if date.ends_with("0Z") { "1Z" } else { "0Z" };
        let forged = format!("{}{other}", &date[..date.len() - 2]);
        request.headers_mut().insert("x-sdk-date", HeaderValue::try_from(forged).unwrap());
    }),
    ("body", |request| *request.body_mut() = Bytes::from_static(b"{}")),
];

#[tokio::test]
async fn tampered_requests_are_rejected() {
    let server = start(Huawei::builder()).await;
    let list = |change| {
        let builder = huawei(&server).domain_id(server.domain_id()).transport(Tampered::new(change));
        builder.build().unwrap().list_accounts().limit(7)
    };
    for (name, change) in FORGERIES {
        let error = list_error(list(change)).await;
        assert_eq!(error.kind(), ErrorKind::Auth, "{name}: {error}");
        assert!(error.message().contains("verify aksk signature fail"), "{name}");
        // A valid request in between, so that consecutive failures do not lock the key. It also shows that
        // the transport is not the cause.
        assert_eq!(list_all(list(|_| ())).await.len(), 3, "{name}");
    }
    // Unsigned headers may be rewritten by proxies.
    let agent = |request: &mut Request<Bytes>| {
        let agent = HeaderValue::from_static("a proxy");
        request.headers_mut().insert("user-agent", agent);
    };
    list_all(list(agent)).await;
}

#[tokio::test]
async fn invalid_credentials_are_rejected_at_build() {
    let build = |access: &str, secret: &str| huawei::Client::builder().access_key(access).secret_key(secret);
    for (builder, word) in [
        (build("", "secret"), "access key"),
        (build("key", " \n"), "secret key"),
        (build("k\ney", "secret"), "access key"),
        (build("key", "secret").security_token(""), "security token"),
        (build("key", "secret").security_token("to\nken"), "security token"),
        (build("key", "secret").domain_id("do\nmain"), "domain id"),
    ] {
        let error = builder.build().expect_err(word);
        assert_eq!((error.kind(), error.provider()), (ErrorKind::Config, Some(headcount::Provider::Huawei)));
        assert!(error.message().contains(word), "{word}: {error}");
    }
}

#[tokio::test]
async fn each_attempt_has_its_own_signature() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let headers = Arc::clone(&seen);
    let transport = Canned::new(move |number, request| {
        let header = |name: &str| request.headers()[name].to_str().unwrap().to_owned();
        let signed = (header("x-sdk-date"), header("authorization"));
        headers.lock().unwrap().push(signed);
        match number {
            0 | 1 => respond(503, ""),
            _ => respond(200, r#"{"accounts":[],"page_info":{}}"#),
        }
    });
    // The clock advances by a second with each reading.
    let seconds = AtomicU64::new(1_700_000_000);
    let clock = Clock::new(move || UNIX_EPOCH + Duration::from_secs(seconds.fetch_add(1, Ordering::Relaxed)));
    let retry = RetryPolicy::default().backoff(Duration::ZERO, Duration::ZERO);
    let client = huawei::Client::builder()
        .access_key("access")
        .secret_key("secret")
        .base_url(UNREACHABLE_URL)
        .clock(clock);
    let client = client.retry(retry).transport(transport).build().unwrap();
    assert!(list_all(client.list_accounts()).await.is_empty());
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 3);
    let dates = seen.is_sorted_by(|one, next| one.0 < next.0);
    let signatures = seen.windows(2).all(|pair| pair[0].1 != pair[1].1);
    assert!(dates && signatures, "{seen:?}");
}
