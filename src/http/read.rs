use serde::Deserialize;

use super::{Answer, RawRows};
use crate::{Error, Result, record::reason};

/// Reads an answer that has to be an object, and says what came instead if it is none.
///
/// serde takes an array for one too, its values in the order of the fields: `[[]]` would be a page without
/// rows.
pub(crate) fn read_object<'a, T: Deserialize<'a>>(answer: &'a Answer, expected: &str) -> Result<T> {
    if answer.body.trim_ascii_start().starts_with(b"[") {
        return Err(instead(answer, expected, "an array"));
    }
    read_json(answer, expected)
}

/// Reads an answer that has to be an array, its elements as they came, and says what came instead if it is none.
pub(crate) fn read_array<'a>(answer: &'a Answer, expected: &str) -> Result<RawRows<'a>> {
    read_json(answer, expected)
}

fn read_json<'a, T: Deserialize<'a>>(answer: &'a Answer, expected: &str) -> Result<T> {
    if answer.status.as_u16() == 204 || answer.body.is_empty() {
        return Err(instead(answer, expected, "an empty body"));
    }
    serde_json::from_slice(&answer.body).map_err(|error| {
        if is_markup(answer) {
            return instead(answer, expected, MARKUP);
        }
        let message = format!("expected {expected}, and something else came: {}", reason(&error));
        Error::decode(message).with_status(answer.status.as_u16())
    })
}

/// Reads an answer that says by its status alone that something was done. A body is passed over, unless it
/// shows that somebody else has answered.
pub(crate) fn read_nothing(answer: &Answer) -> Result<()> {
    if is_markup(answer) { Err(instead(answer, "no body", MARKUP)) } else { Ok(()) }
}

const MARKUP: &str = "an HTML or XML page, such as a login page or a proxy's,";

fn is_markup(answer: &Answer) -> bool {
    answer.body.trim_ascii_start().starts_with(b"<")
}

fn instead(answer: &Answer, expected: &str, came: &str) -> Error {
    Error::decode(format!("expected {expected}, and {came} came")).with_status(answer.status.as_u16())
}
