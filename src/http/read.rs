use std::sync::Arc;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::{
    ApiResponse, Rows,
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
pub(crate) fn read_object<'a, T: Deserialize<'a>>(response: &'a ApiResponse, expected: &str) -> Result<T> {
    if response.body.starts_with('[') {
        return Err(unexpected_body(response, expected, "an array"));
    }
    let text = text(response, expected)?;
    serde_json::from_str(text).map_err(|error| {
        if is_html(response) {
            return unexpected_body(response, expected, HTML);
        }
        something_else(response, expected, &error)
    })
}

/// Reads an answer that has to be an array of rows, and says what came instead if it is none.
pub(crate) fn read_rows<T: FromRow>(response: &ApiResponse, expected: &str) -> Result<Rows<T>> {
    read_text(response, expected, |reader: &mut Reader<'_>| Reader::rows(reader))
}

/// Reads an answer that has to be an object: the rows of its member `name`, and its other members. `None` if that
/// member is absent or no array.
pub(crate) fn read_page<T: FromRow, Rest: DeserializeOwned>(
    response: &ApiResponse,
    name: &str,
    expected: &str,
) -> Result<(Option<Rows<T>>, Rest)> {
    if response.body.starts_with('[') {
        return Err(unexpected_body(response, expected, "an array"));
    }
    let (rows, rest) = read_text(response, expected, |reader| reader.envelope(name))?;
    let rest = serde_json::from_str(&rest).map_err(|error| something_else(response, expected, &error))?;
    Ok((rows, rest))
}

/// What is in `answer` instead of the array `name`.
pub(crate) fn no_rows(response: &ApiResponse, name: &str, expected: &str) -> Error {
    unexpected_body(response, expected, &format!("an object without an array {name}"))
}

fn read_text<T>(
    response: &ApiResponse,
    expected: &str,
    read: impl FnOnce(&mut Reader<'_>) -> Result<T, Unreadable>,
) -> Result<T> {
    let text = text(response, expected)?;
    let mut reader = Reader::new(text);
    match read(&mut reader).and_then(|value| reader.end().map(|()| value)) {
        Ok(value) => Ok(value),
        Err(Unreadable::Refused(error)) => Err(error),
        Err(Unreadable::Malformed) => Err(match serde_json::from_str::<&RawValue>(text) {
            Err(error) if !is_html(response) => something_else(response, expected, &error),
            Err(_) => unexpected_body(response, expected, HTML),
            Ok(_) => unexpected_body(response, expected, "other JSON"),
        }),
    }
}

/// The text of an answer that has to have some.
fn text<'a>(response: &'a ApiResponse, expected: &str) -> Result<&'a Arc<String>> {
    if response.status.as_u16() == 204 || response.body.is_empty() {
        return Err(unexpected_body(response, expected, "an empty body"));
    }
    let came = if is_html(response) { HTML } else { "a body that is not UTF-8" };
    response.body.text().ok_or_else(|| unexpected_body(response, expected, came))
}

fn something_else(response: &ApiResponse, expected: &str, error: &serde_json::Error) -> Error {
    let message = format!("expected {expected}, and something else came: {}", reason(error));
    Error::decode(message).with_status(response.status.as_u16())
}

/// Reads an answer that says by its status alone that something was done. A body is passed over, unless it
/// shows that somebody else has answered.
pub(crate) fn expect_empty(response: &ApiResponse) -> Result<()> {
    if is_html(response) { Err(unexpected_body(response, "no body", HTML)) } else { Ok(()) }
}

const HTML: &str = "an HTML or XML page, such as a login page or a proxy's,";

fn is_html(response: &ApiResponse) -> bool {
    response.body.starts_with('<')
}

fn unexpected_body(response: &ApiResponse, expected: &str, came: &str) -> Error {
    Error::decode(format!("expected {expected}, and {came} came")).with_status(response.status.as_u16())
}
