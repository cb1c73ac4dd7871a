use serde_json::Value;

use crate::http::{ApiResponse, ErrorResponse, header_text};

/// Parses an error response.
///
/// The shape of errors is not documented. Looks for `message`, `error` (text or `{message}`), `errors` and
/// plain text, in this order.
pub(super) fn parse(response: &ApiResponse) -> ErrorResponse {
    let body = response.body.json::<Value>();
    let message = match &body {
        Some(body) => ["message", "error", "errors"].iter().find_map(|name| text(body.get(name)?)),
        None => response.body.plain_text(),
    };
    ErrorResponse {
        message,
        request_id: header_text(&response.headers, &["x-request-id"]),
        ..ErrorResponse::default()
    }
}

/// Returns the text of an error member: a string, `{message}`, a list, or `{field: [texts]}`.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(values) => {
            let texts: Vec<_> = values.iter().filter_map(text).collect();
            (!texts.is_empty()).then(|| texts.join("; "))
        }
        Value::Object(members) => members.get("message").and_then(text).or_else(|| {
            let texts: Vec<_> = members
                .iter()
                .filter_map(|(field, value)| Some(format!("{field}: {}", text(value)?)))
                .collect();
            (!texts.is_empty()).then(|| texts.join("; "))
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};

    use super::*;

    #[test]
    fn reads_each_error_shape() {
        for (body, message) in [
            (r#"{"message":"No such account"}"#, Some("No such account")),
            (r#"{"status":404,"error":"Not Found"}"#, Some("Not Found")),
            (r#"{"error":{"message":"bad"}}"#, Some("bad")),
            (r#"{"errors":["a","b"]}"#, Some("a; b")),
            (r#"{"errors":{"email":["is taken"]}}"#, Some("email: is taken")),
            ("plain", Some("plain")),
            ("{}", None),
            ("<html></html>", None),
        ] {
            let headers = HeaderMap::from_iter([(
                http::HeaderName::from_static("x-request-id"),
                http::HeaderValue::from_static("r-1"),
            )]);
            let response =
                ApiResponse { status: StatusCode::NOT_FOUND, headers, body: Bytes::from(body).into() };
            let error = parse(&response);
            assert_eq!(error.message.as_deref(), message, "{body}");
            assert_eq!(error.request_id.as_deref(), Some("r-1"));
        }
    }
}
