//! What an error shows.

use std::{error::Error as _, fmt::Write as _};

use headcount::{Error, ErrorKind};

use crate::clients::CANARY;

/// Everything that an error shows anywhere: its texts, and those of its sources.
pub fn all_of(error: &Error) -> String {
    let mut text = format!("{error}\n{error:?}\n{error:#?}\n{}", error.message());
    let mut source = error.source();
    while let Some(cause) = source {
        let _ = write!(text, "\n{cause}\n{cause:?}");
        source = cause.source();
    }
    text
}

/// Checks what is true of every error.
pub fn check(error: &Error) {
    let text = error.to_string();
    assert!(!error.message().is_empty(), "an error without a message: {error:?}");
    assert!(!text.contains(['\n', '\r', '\0']), "more than one line: {text:?}");
    assert!(text.chars().count() < 4000, "an error of {} characters", text.len());
    let all = all_of(error);
    assert!(!all.contains(CANARY), "a secret is shown in {all}");
    if error.kind() == ErrorKind::Throttled {
        assert!(error.status().is_some(), "throttled by no answer: {text}");
    }
}
