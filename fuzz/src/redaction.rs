//! Checks that errors contain no secrets.

use std::{error::Error as _, fmt::Write as _};

use headcount::{Error, ErrorKind};

use crate::clients::CANARY;

/// Returns all text of an error and its sources: `Display`, `Debug` and the message.
pub fn full_text(error: &Error) -> String {
    let mut text = format!("{error}\n{error:?}\n{error:#?}\n{}", error.message());
    let mut source = error.source();
    while let Some(cause) = source {
        let _ = write!(text, "\n{cause}\n{cause:?}");
        source = cause.source();
    }
    text
}

/// Checks the invariants of every error.
pub fn check(error: &Error) {
    let text = error.to_string();
    assert!(!error.message().is_empty(), "an error without a message: {error:?}");
    assert!(!text.contains(['\n', '\r', '\0']), "more than one line: {text:?}");
    assert!(text.chars().count() < 4000, "an error of {} characters", text.len());
    let all = full_text(error);
    assert!(!all.contains(CANARY), "the error contains a secret: {all}");
    if error.kind() == ErrorKind::Throttled {
        assert!(error.status().is_some(), "throttled without a status: {text}");
    }
}
