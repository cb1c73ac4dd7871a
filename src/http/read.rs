use std::sync::Arc;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::{
    ApiResponse, Rows,
    rows::{ReadError, Reader},
};
use crate::{
    Error, Result,
    record::{FromRow, describe_error},
};

/// Decodes a response whose body must be an object. `expected` describes it in the error.
///
/// Arrays are rejected explicitly. serde accepts an array for a struct, with its values in the order of the
/// fields, so `[[]]` would be a page without rows.
pub(crate) fn read_object<'a, T: Deserialize<'a>>(response: &'a ApiResponse, expected: &str) -> Result<T> {
    if response.body.starts_with('[') {
        return Err(unexpected_body(response, expected, "an array"));
    }
    let text = body_text(response, expected)?;
    serde_json::from_str(text).map_err(|error| {
        if is_html(response) {
            return unexpected_body(response, expected, HTML);
        }
        decode_error(response, expected, &error)
    })
}

/// Decodes a response whose body must be an array of rows. `expected` describes it in the error.
pub(crate) fn read_rows<T: FromRow, U: From<T>>(response: &ApiResponse, expected: &str) -> Result<Rows<U>> {
    read_rows_by::<T, U>(response, T::ID, expected)
}

/// Like [`read_rows`], but the member `id` identifies the records.
pub(super) fn read_rows_by<T: FromRow, U: From<T>>(
    response: &ApiResponse,
    id: Option<&str>,
    expected: &str,
) -> Result<Rows<U>> {
    read_text(response, expected, id, |reader: &mut Reader<'_>| Reader::rows::<T, U>(reader))
}

/// Decodes a response whose body must be an object. Returns the rows of its member `name`, and its other
/// members. The rows are `None` if that member is absent or not an array.
pub(crate) fn read_page<T: FromRow, U: From<T>, Rest: DeserializeOwned>(
    response: &ApiResponse,
    name: &str,
    expected: &str,
) -> Result<(Option<Rows<U>>, Rest)> {
    read_page_by::<T, U, Rest>(response, name, T::ID, expected)
}

/// Like [`read_page`], but the member `id` identifies the records.
pub(super) fn read_page_by<T: FromRow, U: From<T>, Rest: DeserializeOwned>(
    response: &ApiResponse,
    name: &str,
    id: Option<&str>,
    expected: &str,
) -> Result<(Option<Rows<U>>, Rest)> {
    if response.body.starts_with('[') {
        return Err(unexpected_body(response, expected, "an array"));
    }
    let (rows, rest) = read_text(response, expected, id, |reader| reader.envelope::<T, U>(name))?;
    let rest = serde_json::from_str(&rest).map_err(|error| decode_error(response, expected, &error))?;
    Ok((rows, rest))
}

/// Returns the error for an object that lacks the array `name`.
pub(crate) fn no_rows(response: &ApiResponse, name: &str, expected: &str) -> Error {
    unexpected_body(response, expected, &format!("an object without an array {name}"))
}

fn read_text<T>(
    response: &ApiResponse,
    expected: &str,
    id: Option<&str>,
    read: impl FnOnce(&mut Reader<'_>) -> Result<T, ReadError>,
) -> Result<T> {
    let text = body_text(response, expected)?;
    let mut reader = Reader::new(text, id);
    match read(&mut reader).and_then(|value| reader.end().map(|()| value)) {
        Ok(value) => Ok(value),
        Err(ReadError::Invalid(error)) => Err(error),
        Err(ReadError::Malformed) => Err(match serde_json::from_str::<&RawValue>(text) {
            Err(error) if !is_html(response) => decode_error(response, expected, &error),
            Err(_) => unexpected_body(response, expected, HTML),
            Ok(_) => unexpected_body(response, expected, "other JSON"),
        }),
    }
}

/// Returns the text of a response whose body must not be empty.
fn body_text<'a>(response: &'a ApiResponse, expected: &str) -> Result<&'a Arc<String>> {
    if response.status.as_u16() == 204 || response.body.is_empty() {
        return Err(unexpected_body(response, expected, "an empty body"));
    }
    let actual = if is_html(response) { HTML } else { "a body that is not UTF-8" };
    response.body.text().ok_or_else(|| unexpected_body(response, expected, actual))
}

fn decode_error(response: &ApiResponse, expected: &str, error: &serde_json::Error) -> Error {
    let message = format!("unexpected response: expected {expected}, got {}", describe_error(error));
    Error::decode(message).with_status(response.status.as_u16())
}

/// Checks a response whose success is indicated by its status alone. A body is ignored unless it is HTML,
/// which shows that the response is from another server.
pub(crate) fn expect_empty(response: &ApiResponse) -> Result<()> {
    if is_html(response) { Err(unexpected_body(response, "no body", HTML)) } else { Ok(()) }
}

const HTML: &str = "an HTML or XML page, such as a login page or a proxy's error page";

fn is_html(response: &ApiResponse) -> bool {
    response.body.starts_with('<')
}

fn unexpected_body(response: &ApiResponse, expected: &str, actual: &str) -> Error {
    Error::decode(format!("unexpected response: expected {expected}, got {actual}"))
        .with_status(response.status.as_u16())
}
