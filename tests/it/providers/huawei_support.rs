//! What the tests of Huawei's account endpoints have in common.

use headcount::{
    Error, ErrorKind,
    huawei::Client,
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
