//! Behavior of all mutations: permissions, signatures and retries.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use futures::future::BoxFuture;
use headcount::{
    ErrorKind, Retryability,
    http::{RetryPolicy, Transport, TransportError, TransportErrorKind},
    huawei::Client,
};
use headcount_sim::Huawei;
use http::{HeaderValue, header};

use super::support::{assert_api_error, start};
use crate::kit::huawei::{mutations, reads};
use crate::providers::support::{
    Canned, HttpResponse, Tampered, UNREACHABLE_URL, huawei, list_error, respond,
};

/// Returns a client with the default number of retries, without delays.
fn client_without_backoff(transport: Canned) -> Client {
    let retry = RetryPolicy::default().backoff(Duration::ZERO, Duration::ZERO);
    let builder =
        Client::builder().access_key("access").secret_key("secret").base_url(UNREACHABLE_URL).retry(retry);
    builder.transport(transport).build().unwrap()
}

#[tokio::test]
async fn reads_are_retried() {
    let transport = Canned::new(|number, _| match number % 2 {
        0 => respond(503, ""),
        _ => respond(200, r#"{"account":{"id":"a"},"create_account_status":{"id":"a"}}"#),
    });
    for (name, request) in reads(&client_without_backoff(transport.clone()), "a") {
        request.await.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    assert_eq!(transport.urls().len(), 4);
}

#[tokio::test]
async fn conflict_is_retryable_by_the_caller() {
    let conflict = r#"{"error_code":"Organizations.1003","error_msg":"Concurrent modification."}"#;
    let transport = Canned::new(move |_, _| respond(409, conflict));
    let requests = mutations(&client_without_backoff(transport.clone()), "a");
    let count = requests.len();
    for (name, request) in requests {
        let error = request.await.unwrap_err();
        let actual = (error.kind(), error.retryability(), error.status(), error.attempts());
        assert_eq!(actual, (ErrorKind::Api, Retryability::Retryable, Some(409), 1), "{name}: {error}");
    }
    assert_eq!(transport.urls().len(), count);
}

#[tokio::test]
async fn status_401_is_never_retried() {
    for (code, kind) in [
        ("APIGW.0301", ErrorKind::Auth),
        ("Organizations.1001", ErrorKind::PermissionDenied),
        ("Organizations.1015", ErrorKind::NotFound),
    ] {
        let body = format!(r#"{{"error_code":"{code}","error_msg":"no"}}"#);
        let transport = Canned::new(move |_, _| respond(401, body.as_str()));
        let client = client_without_backoff(transport.clone());
        let all = mutations(&client, "a").into_iter().chain(reads(&client, "a"));
        let mut count = 0;
        for (name, request) in all {
            let error = request.await.unwrap_err();
            assert_eq!((error.kind(), error.retryability()), (kind, Retryability::Never), "{name}: {error}");
            count += 1;
        }
        assert_eq!(transport.urls().len(), count);
    }
}

#[tokio::test]
async fn delegates_can_only_read() {
    let (server, delegate) = start(Huawei::builder().accounts(30).delegated_administrator(true)).await;
    let id = server.ids()[0].clone();
    let before = server.records();
    for (name, request) in mutations(&delegate, &id) {
        let error = assert_api_error(request.await, ErrorKind::PermissionDenied, 401, "Organizations.1001");
        assert!(error.message().contains("management account"), "{name}: {error}");
    }
    assert_eq!(server.records(), before);
    assert!(delegate.get_account(&id).send().await.is_ok());

    let (server, other) = start(Huawei::builder().accounts(3).not_management_account(true)).await;
    for (_, request) in reads(&other, &server.ids()[0]) {
        assert_api_error(request.await, ErrorKind::PermissionDenied, 401, "Organizations.1002");
    }
    let error = list_error(other.list_entities()).await;
    assert_eq!((error.kind(), error.code()), (ErrorKind::PermissionDenied, Some("Organizations.1002")));
}

#[tokio::test]
async fn documented_permissions() {
    // The reference does not name permissions for closing and for creating a resource account.
    for (name, action) in [
        ("create", "organizations:accounts:create"),
        ("update", "organizations:accounts:update"),
        ("move", "organizations:accounts:move"),
        ("remove", "organizations:accounts:remove"),
        ("invite", "organizations:accounts:invite"),
        ("show", "organizations:accounts:get"),
        ("show creation", "organizations:createAccountStatuses:get"),
    ] {
        let (server, client) = start(Huawei::builder().accounts(3).deny_action(action)).await;
        let id = &server.ids()[0];
        for (other, request) in mutations(&client, id).into_iter().chain(reads(&client, id)) {
            let code = request.await.err().and_then(|error| error.code().map(str::to_owned));
            assert_eq!(code.as_deref() == Some("Organizations.1007"), other == name, "{action}: {other}");
        }
    }
    for (action, list) in [
        ("organizations:createAccountStatuses:list", 0),
        ("organizations:closeAccountStatuses:list", 1),
        ("organizations:entities:list", 2),
        ("organizations:delegatedServices:list", 3),
    ] {
        let (server, client) = start(Huawei::builder().accounts(3).deny_action(action)).await;
        let error = match list {
            0 => list_error(client.list_create_account_statuses()).await,
            1 => list_error(client.list_close_account_statuses()).await,
            2 => list_error(client.list_entities()).await,
            _ => list_error(client.list_delegated_services(&server.ids()[0])).await,
        };
        assert_eq!(
            (error.kind(), error.code()),
            (ErrorKind::PermissionDenied, Some("Organizations.1007")),
            "{action}"
        );
    }
}

#[tokio::test]
async fn mutation_succeeds_after_conflict() {
    let (server, client) = start(Huawei::builder().accounts(3).conflicts(1)).await;
    let id = server.ids()[0].clone();
    let update = client.update_account(&id).description("second try");
    let error = assert_api_error(update.clone().send().await, ErrorKind::Api, 409, "Organizations.1003");
    assert_eq!(error.retryability(), Retryability::Retryable);
    let account = update.send().await.unwrap();
    assert_eq!(account.description.as_deref(), Some("second try"));
}

/// Fails to connect for the first attempts, then uses `inner`.
#[derive(Clone)]
struct Unreachable {
    failures_left: Arc<AtomicU32>,
    inner: Canned,
}

impl Transport for Unreachable {
    fn send(
        &self,
        request: http::Request<bytes::Bytes>,
        body_limit: usize,
    ) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        let decrement = |left: u32| left.checked_sub(1);
        if self.failures_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, decrement).is_ok() {
            let error = TransportError::new(TransportErrorKind::Connect, "connection refused");
            return Box::pin(std::future::ready(Err(error)));
        }
        self.inner.send(request, body_limit)
    }
}

#[tokio::test]
async fn unsent_mutation_is_retried() {
    let inner = Canned::new(|_, _| respond(200, r#"{"account":{"id":"a"}}"#));
    let transport = Unreachable { failures_left: Arc::new(AtomicU32::new(3)), inner: inner.clone() };
    let retry = RetryPolicy::default().backoff(Duration::ZERO, Duration::ZERO);
    let builder =
        Client::builder().access_key("access").secret_key("secret").base_url(UNREACHABLE_URL).retry(retry);
    let client = builder.transport(transport).build().unwrap();
    let account = client.update_account("a").description("made it").send().await.unwrap();
    assert_eq!((account.id.as_str(), inner.urls().len()), ("a", 1));
}

#[tokio::test]
async fn the_body_and_its_type_are_signed() {
    let (server, client) = start(Huawei::builder().accounts(30).record_secrets(true)).await;
    let id = server.ids()[0].clone();
    for (_, request) in mutations(&client, &id) {
        // Some requests are invalid for this account, but the gateway accepted their signatures.
        if let Err(error) = request.await {
            assert!(error.code().unwrap().starts_with("Organizations."), "{error}");
        }
    }
    for request in server.requests() {
        let authorization = request.header("authorization").unwrap();
        assert!(authorization.contains("SignedHeaders=content-type;host;x-sdk-date,"), "{request:?}");
        assert_eq!(request.header("content-type"), Some("application/json"), "{request:?}");
        assert!(request.body().is_empty() || request.body().starts_with('{'), "{request:?}");
    }
    let forgeries: [fn(&mut http::Request<bytes::Bytes>); 3] = [
        |request| *request.body_mut() = r#"{"description":"forged"}"#.into(),
        |request| {
            let other = HeaderValue::from_static("application/json; charset=utf-8");
            request.headers_mut().insert(header::CONTENT_TYPE, other);
        },
        // Another endpoint with the same path.
        |request| *request.method_mut() = http::Method::GET,
    ];
    // The first account has been removed.
    let id = server.ids()[0].clone();
    for forge in forgeries {
        let forger = huawei(&server).transport(Tampered::new(forge)).build().unwrap();
        let error = forger.update_account(&id).description("honest").send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Auth, "{error}");
        // A valid request in between, so that consecutive failures do not lock the key.
        client.update_account(&id).description("honest").send().await.unwrap();
    }
}

#[tokio::test]
async fn secrets_are_redacted() {
    let transport = Canned::new(|_, request| {
        // A server that echoes the request headers.
        let authorization = request.headers()["authorization"].to_str().unwrap();
        let token = request.headers()["x-security-token"].to_str().unwrap();
        respond(400, format!(r#"{{"error_code":"X.1","error_msg":"{authorization} {token}"}}"#))
    });
    let builder =
        Client::builder().access_key("access").secret_key("secret-hunter2").security_token("token-hunter2");
    let client = builder.base_url(UNREACHABLE_URL).transport(transport).build().unwrap();
    let shown = format!(
        "{:?} {:?} {:?} {:?}",
        client.create_account("a").email("e@example.com"),
        client.wait_for_account("car-1"),
        client.close_account("a"),
        client.list_entities()
    );
    assert!(!shown.contains("hunter2"), "{shown}");
    for (name, request) in mutations(&client, "a").into_iter().chain(reads(&client, "a")) {
        let error = request.await.unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(!text.contains("hunter2") && !text.contains("Signature="), "{name}: {text}");
    }
}
