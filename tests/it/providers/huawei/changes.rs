//! What all changes have in common: who may make them, that they are signed, and when they may be repeated.

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

use super::support::{assert_refused, start};
use crate::kit::huawei::{changes, reads};
use crate::providers::support::{Answer, Canned, NOWHERE, Tampered, answer, huawei, refusal};

/// A client that retries as often as ever, but at once.
fn eager(transport: Canned) -> Client {
    let retry = RetryPolicy::default().backoff(Duration::ZERO, Duration::ZERO);
    let builder = Client::builder("access", "secret").base_url(NOWHERE).retry(retry);
    builder.transport(transport).build().unwrap()
}

#[tokio::test]
async fn a_read_is_retried_where_a_change_is_not() {
    let transport = Canned::new(|number, _| match number % 2 {
        0 => answer(503, ""),
        _ => answer(200, r#"{"account":{"id":"a"},"create_account_status":{"id":"a"}}"#),
    });
    for (name, sent) in reads(&eager(transport.clone()), "a") {
        sent.await.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    assert_eq!(transport.seen().len(), 4);
}

#[tokio::test]
async fn what_met_another_change_may_be_sent_again_by_the_caller() {
    let conflict = r#"{"error_code":"Organizations.1003","error_msg":"Concurrent modification."}"#;
    let transport = Canned::new(move |_, _| answer(409, conflict));
    let changes = changes(&eager(transport.clone()), "a");
    let count = changes.len();
    for (name, sent) in changes {
        let error = sent.await.unwrap_err();
        let seen = (error.kind(), error.retryability(), error.status(), error.attempts());
        assert_eq!(seen, (ErrorKind::Api, Retryability::Retryable, Some(409), 1), "{name}: {error}");
    }
    assert_eq!(transport.seen().len(), count);
}

#[tokio::test]
async fn a_401_is_never_sent_again_by_reads_nor_changes() {
    for (code, kind) in [
        ("APIGW.0301", ErrorKind::Auth),
        ("Organizations.1001", ErrorKind::PermissionDenied),
        ("Organizations.1015", ErrorKind::NotFound),
    ] {
        let body = format!(r#"{{"error_code":"{code}","error_msg":"no"}}"#);
        let transport = Canned::new(move |_, _| answer(401, body.as_str()));
        let client = eager(transport.clone());
        let all = changes(&client, "a").into_iter().chain(reads(&client, "a"));
        let mut count = 0;
        for (name, sent) in all {
            let error = sent.await.unwrap_err();
            assert_eq!((error.kind(), error.retryability()), (kind, Retryability::Never), "{name}: {error}");
            count += 1;
        }
        assert_eq!(transport.seen().len(), count);
    }
}

#[tokio::test]
async fn changes_are_for_the_management_account_and_reads_for_delegates_too() {
    let (server, delegate) = start(Huawei::builder().accounts(30).delegated_administrator(true)).await;
    let id = server.ids()[0].clone();
    let before = server.records();
    for (name, sent) in changes(&delegate, &id) {
        let error = assert_refused(sent.await, ErrorKind::PermissionDenied, 401, "Organizations.1001");
        assert!(error.message().contains("management account"), "{name}: {error}");
    }
    assert_eq!(server.records(), before);
    assert!(delegate.get_account(&id).send().await.is_ok());

    let (server, other) = start(Huawei::builder().accounts(3).not_management_account(true)).await;
    for (_, sent) in reads(&other, &server.ids()[0]) {
        assert_refused(sent.await, ErrorKind::PermissionDenied, 401, "Organizations.1002");
    }
    let error = refusal(other.list_entities()).await;
    assert_eq!((error.kind(), error.code()), (ErrorKind::PermissionDenied, Some("Organizations.1002")));
}

#[tokio::test]
async fn each_endpoint_needs_the_permission_that_its_documentation_names() {
    // For closing, and for creating a resource account, the reference names none.
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
        for (other, sent) in changes(&client, id).into_iter().chain(reads(&client, id)) {
            let code = sent.await.err().and_then(|error| error.code().map(str::to_owned));
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
            0 => refusal(client.list_create_account_statuses()).await,
            1 => refusal(client.list_close_account_statuses()).await,
            2 => refusal(client.list_entities()).await,
            _ => refusal(client.list_delegated_services(&server.ids()[0])).await,
        };
        assert_eq!(
            (error.kind(), error.code()),
            (ErrorKind::PermissionDenied, Some("Organizations.1007")),
            "{action}"
        );
    }
}

#[tokio::test]
async fn after_a_conflict_the_same_change_goes_through() {
    let (server, client) = start(Huawei::builder().accounts(3).conflicts(1)).await;
    let id = server.ids()[0].clone();
    let update = client.update_account(&id).description("second try");
    let error = assert_refused(update.clone().send().await, ErrorKind::Api, 409, "Organizations.1003");
    assert_eq!(error.retryability(), Retryability::Retryable);
    let account = update.send().await.unwrap();
    assert_eq!(account.description.as_deref(), Some("second try"));
}

/// A network that can not be reached for the first few attempts.
#[derive(Clone)]
struct Unreachable {
    left: Arc<AtomicU32>,
    behind: Canned,
}

impl Transport for Unreachable {
    fn send(
        &self,
        request: http::Request<bytes::Bytes>,
        body_limit: usize,
    ) -> BoxFuture<'_, Result<Answer, TransportError>> {
        let less = |left: u32| left.checked_sub(1);
        if self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok() {
            let error = TransportError::new(TransportErrorKind::Connect, "nobody listens");
            return Box::pin(std::future::ready(Err(error)));
        }
        self.behind.send(request, body_limit)
    }
}

#[tokio::test]
async fn a_change_that_surely_was_not_sent_is_tried_again() {
    let behind = Canned::new(|_, _| answer(200, r#"{"account":{"id":"a"}}"#));
    let transport = Unreachable { left: Arc::new(AtomicU32::new(3)), behind: behind.clone() };
    let retry = RetryPolicy::default().backoff(Duration::ZERO, Duration::ZERO);
    let builder = Client::builder("access", "secret").base_url(NOWHERE).retry(retry);
    let client = builder.transport(transport).build().unwrap();
    let account = client.update_account("a").description("made it").send().await.unwrap();
    assert_eq!((account.id.as_str(), behind.seen().len()), ("a", 1));
}

#[tokio::test]
async fn the_body_and_its_type_are_signed() {
    let (server, client) = start(Huawei::builder().accounts(30).record_secrets(true)).await;
    let id = server.ids()[0].clone();
    for (_, sent) in changes(&client, &id) {
        // Some can not be done to this account; the gateway in front has taken the signature.
        if let Err(error) = sent.await {
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
        // To another API under the same path.
        |request| *request.method_mut() = http::Method::GET,
    ];
    // The first one is removed by now.
    let id = server.ids()[0].clone();
    for forge in forgeries {
        let forger = huawei(&server).transport(Tampered::new(forge)).build().unwrap();
        let error = forger.update_account(&id).description("honest").send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Auth, "{error}");
        // A good one in between, so that the failures do not lock the key.
        client.update_account(&id).description("honest").send().await.unwrap();
    }
}

#[tokio::test]
async fn no_secret_shows_in_a_request_or_its_error() {
    let transport = Canned::new(|_, request| {
        // A server that echoes what it was sent.
        let authorization = request.headers()["authorization"].to_str().unwrap();
        let token = request.headers()["x-security-token"].to_str().unwrap();
        answer(400, format!(r#"{{"error_code":"X.1","error_msg":"{authorization} {token}"}}"#))
    });
    let builder = Client::builder("access", "secret-hunter2").security_token("token-hunter2");
    let client = builder.base_url(NOWHERE).transport(transport).build().unwrap();
    let shown = format!(
        "{:?} {:?} {:?} {:?}",
        client.create_account("a").email("e@example.com"),
        client.wait_for_account("car-1"),
        client.close_account("a"),
        client.list_entities()
    );
    assert!(!shown.contains("hunter2"), "{shown}");
    for (name, sent) in changes(&client, "a").into_iter().chain(reads(&client, "a")) {
        let error = sent.await.unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(!text.contains("hunter2") && !text.contains("Signature="), "{name}: {text}");
    }
}
