use serde_json::Value;

use crate::http::{ApiResponse, ErrorResponse, header_text};

/// Reads an error response. Its form is not documented: `{message, code}`, a JSON string, and plain text are
/// read.
pub(super) fn read(response: &ApiResponse) -> ErrorResponse {
    let request_id = header_text(&response.headers, &["x-request-id"]);
    let (code, message) = match response.body.json() {
        Some(Value::String(text)) => (None, Some(text)),
        Some(Value::Object(members)) => {
            let text = |name: &str| match members.get(name) {
                Some(Value::String(text)) => Some(text.clone()),
                Some(Value::Number(number)) => Some(number.to_string()),
                _ => None,
            };
            (text("code"), text("message").or_else(|| text("error")))
        }
        Some(_) => (None, None),
        None => (None, response.body.plain_text()),
    };
    ErrorResponse { code, message, request_id, ..ErrorResponse::default() }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};

    use super::*;

    #[test]
    fn each_form_of_error_is_read() {
        for (body, code, message) in [
            (r#"{"message":"no","code":"FORBIDDEN"}"#, Some("FORBIDDEN"), Some("no")),
            (r#"{"error":"no"}"#, None, Some("no")),
            (r#""no""#, None, Some("no")),
            ("no", None, Some("no")),
            ("[1]", None, None),
            ("<html>", None, None),
            ("", None, None),
        ] {
            let response = ApiResponse {
                status: StatusCode::FORBIDDEN,
                headers: HeaderMap::new(),
                body: Bytes::from(body).into(),
            };
            let error = read(&response);
            assert_eq!((error.code.as_deref(), error.message.as_deref()), (code, message), "{body}");
        }
    }
}
