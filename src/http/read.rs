use std::sync::Arc;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::{
    Answer, Rows,
    rows::{Reader, Unreadable},
};
use crate::{
    Error, Result,
    record::{FromRow, reason},
};

/// Reads an answer that has to be an object, and says what came instead if it is none.
///
/// serde takes an array for one too, its values in the order of the fields: `[[]]` would be a page without
/// rows.
pub(crate) fn read_object<'a, T: Deserialize<'a>>(answer: &'a Answer, expected: &str) -> Result<T> {
    if answer.body.starts_with('[') {
        return Err(instead(answer, expected, "an array"));
    }
    let text = text(answer, expected)?;
    serde_json::from_str(text).map_err(|error| {
        if is_markup(answer) {
            return instead(answer, expected, MARKUP);
        }
        something_else(answer, expected, &error)
    })
}

/// Reads an answer that has to be an array of rows, and says what came instead if it is none.
pub(crate) fn read_rows<T: FromRow>(answer: &Answer, expected: &str) -> Result<Rows<T>> {
    read_text(answer, expected, |reader: &mut Reader<'_>| Reader::rows(reader))
}

/// Reads an answer that has to be an object: the rows of its member `name`, and its other members. `None` if that
/// member is absent or no array.
pub(crate) fn read_page<T: FromRow, Rest: DeserializeOwned>(
    answer: &Answer,
    name: &str,
    expected: &str,
) -> Result<(Option<Rows<T>>, Rest)> {
    if answer.body.starts_with('[') {
        return Err(instead(answer, expected, "an array"));
    }
    let (rows, rest) = read_text(answer, expected, |reader| reader.envelope(name))?;
    let rest = serde_json::from_str(&rest).map_err(|error| something_else(answer, expected, &error))?;
    Ok((rows, rest))
}

/// What is in `answer` instead of the array `name`.
pub(crate) fn no_rows(answer: &Answer, name: &str, expected: &str) -> Error {
    instead(answer, expected, &format!("an object without an array {name}"))
}

fn read_text<T>(
    answer: &Answer,
    expected: &str,
    read: impl FnOnce(&mut Reader<'_>) -> Result<T, Unreadable>,
) -> Result<T> {
    let text = text(answer, expected)?;
    let mut reader = Reader::new(text);
    match read(&mut reader).and_then(|value| reader.end().map(|()| value)) {
        Ok(value) => Ok(value),
        Err(Unreadable::Refused(error)) => Err(error),
        Err(Unreadable::Malformed) => Err(match serde_json::from_str::<&RawValue>(text) {
            Err(error) if !is_markup(answer) => something_else(answer, expected, &error),
            Err(_) => instead(answer, expected, MARKUP),
            Ok(_) => instead(answer, expected, "other JSON"),
        }),
    }
}

/// The text of an answer that has to have some.
fn text<'a>(answer: &'a Answer, expected: &str) -> Result<&'a Arc<String>> {
    if answer.status.as_u16() == 204 || answer.body.is_empty() {
        return Err(instead(answer, expected, "an empty body"));
    }
    let came = if is_markup(answer) { MARKUP } else { "a body that is not UTF-8" };
    answer.body.text().ok_or_else(|| instead(answer, expected, came))
}

fn something_else(answer: &Answer, expected: &str, error: &serde_json::Error) -> Error {
    let message = format!("expected {expected}, and something else came: {}", reason(error));
    Error::decode(message).with_status(answer.status.as_u16())
}

/// Reads an answer that says by its status alone that something was done. A body is passed over, unless it
/// shows that somebody else has answered.
pub(crate) fn read_nothing(answer: &Answer) -> Result<()> {
    if is_markup(answer) { Err(instead(answer, "no body", MARKUP)) } else { Ok(()) }
}

const MARKUP: &str = "an HTML or XML page, such as a login page or a proxy's,";

fn is_markup(answer: &Answer) -> bool {
    answer.body.starts_with('<')
}

fn instead(answer: &Answer, expected: &str, came: &str) -> Error {
    Error::decode(format!("expected {expected}, and {came} came")).with_status(answer.status.as_u16())
}
