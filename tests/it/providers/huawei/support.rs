//! What the tests of Huawei's account endpoints have in common.

use headcount::{Error, ErrorKind, huawei::Client};
use headcount_sim::{Huawei, HuaweiBuilder};

use crate::providers::support::huawei;

/// A server, and a client of it.
pub(super) async fn start(builder: HuaweiBuilder) -> (Huawei, Client) {
    let server = builder.start().await.unwrap();
    let client = huawei(&server).build().unwrap();
    (server, client)
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
