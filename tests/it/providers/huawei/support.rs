//! Helpers for the tests of Huawei's endpoints.

use headcount::{Error, ErrorKind, huawei::Client};
use headcount_sim::{Huawei, HuaweiBuilder};

use crate::providers::support::huawei;

/// Starts a server and returns it with a client.
pub(super) async fn start(builder: HuaweiBuilder) -> (Huawei, Client) {
    let server = builder.start().await.unwrap();
    let client = huawei(&server).build().unwrap();
    (server, client)
}

/// Asserts the kind, status and code of an error response that was not retried.
#[track_caller]
pub(super) fn assert_api_error<T: std::fmt::Debug>(
    result: Result<T, Error>,
    kind: ErrorKind,
    status: u16,
    code: &str,
) -> Error {
    let error = result.unwrap_err();
    assert_eq!((error.kind(), error.status(), error.code()), (kind, Some(status), Some(code)), "{error}");
    assert_eq!(error.attempts(), 1, "{error}");
    error
}
