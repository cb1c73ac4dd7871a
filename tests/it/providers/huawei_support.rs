//! What the tests of Huawei's account endpoints have in common.

use futures::future::BoxFuture;
use headcount::{
    Error, ErrorKind,
    huawei::{Client, InviteTarget},
    sim::{Huawei, HuaweiBuilder, Server},
};

use super::support::huawei;

/// A server, and a client of it.
pub(super) async fn start(builder: HuaweiBuilder) -> (Huawei, Client) {
    let server = builder.start().await.unwrap();
    let client = huawei(&server).build().unwrap();
    (server, client)
}

/// Asserts that a request was refused before anything was sent, with a text that holds all of `words`.
#[track_caller]
pub(super) fn assert_unsent<T: std::fmt::Debug>(server: &Server, sent: Result<T, Error>, words: &[&str]) {
    let error = sent.unwrap_err();
    assert_eq!((error.kind(), error.provider()), (ErrorKind::Config, Some("huawei")), "{error}");
    for word in words {
        assert!(error.message().contains(word), "{word:?} is not in: {error}");
    }
    assert!(server.requests().is_empty(), "{:?}", server.requests());
}

/// Asserts kind, status and code of the provider's refusal.
#[track_caller]
pub(super) fn assert_refused<T: std::fmt::Debug>(
    sent: Result<T, Error>,
    kind: ErrorKind,
    status: u16,
    code: &str,
) -> Error {
    let error = sent.unwrap_err();
    assert_eq!((error.kind(), error.status(), error.code()), (kind, Some(status), Some(code)), "{error}");
    assert_eq!(error.attempts(), 1, "{error}");
    error
}

/// A request, ready to be awaited.
pub(super) type Sent = BoxFuture<'static, Result<(), Error>>;

macro_rules! sent {
    ($($name:literal: $request:expr,)+) => {
        vec![$(($name, {
            let request = $request;
            Box::pin(async move { request.send().await.map(drop) }) as Sent
        })),+]
    };
}

/// Every request that changes something, of an account with this id.
pub(super) fn changes(client: &Client, id: &str) -> Vec<(&'static str, Sent)> {
    let target = InviteTarget::Name("somebody".into());
    sent! {
        "create": client.create_account("new").email("new@example.com"),
        "create resource account": client.create_resource_account("newer"),
        "update": client.update_account(id).description("text"),
        "close": client.close_account(id),
        "move": client.move_account(id, "r-source", "ou-destination"),
        "remove": client.remove_account(id),
        "invite": client.invite_account(target, "notes"),
    }
}

/// Every request that reads one thing.
pub(super) fn reads(client: &Client, id: &str) -> Vec<(&'static str, Sent)> {
    sent! {
        "show": client.show_account(id),
        "show creation": client.show_create_account_status(id),
    }
}
