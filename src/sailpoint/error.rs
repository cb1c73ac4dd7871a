use serde_json::Value;

use crate::http::{ApiResponse, ErrorResponse, header_text};

/// Parses an error response: `{detailCode, trackingId, messages, causes}`, `{error, error_description}`,
/// `{message}`, and undocumented forms that have been observed. The specific reason is usually in `causes`.
pub(super) fn read(response: &ApiResponse) -> ErrorResponse {
    let body = response.body.json::<Value>();
    let tracking_id = member(body.as_ref(), "trackingId");
    let request_id = header_text(&response.headers, &["slpt-request-id", "x-request-id"]).or(tracking_id);
    let message = match &body {
        Some(body) => message(body),
        None => response.body.plain_text(),
    };
    ErrorResponse {
        code: member(body.as_ref(), "detailCode"),
        message,
        request_id,
        ..ErrorResponse::default()
    }
}

fn member(body: Option<&Value>, name: &str) -> Option<String> {
    body?.get(name)?.as_str().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn message(body: &Value) -> Option<String> {
    let text = |name: &str| member(Some(body), name);
    if let Some(error) = text("error") {
        return Some(match text("error_description") {
            Some(description) => format!("{error}: {description}"),
            None => error,
        });
    }
    // The first text: further entries may repeat it under the locale "und".
    let first = |name: &str| body.get(name)?.as_array()?.iter().find_map(|entry| member(Some(entry), "text"));
    let (general, cause) = (first("messages"), first("causes"));
    text("message")
        .or_else(|| match (general, cause) {
            (Some(general), Some(cause)) if general != cause => Some(format!("{general} {cause}")),
            (general, cause) => general.or(cause),
        })
        .or_else(|| ["formatted_msg", "errorMessage", "detailMessage"].into_iter().find_map(text))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};

    use super::*;

    #[test]
    fn every_error_format_is_parsed() {
        let full = r#"{"detailCode":"400.1 Bad Request Content","trackingId":"e7eab6",
            "messages":[{"locale":"en-US","localeOrigin":"DEFAULT","text":"It was wrong."}],
            "causes":[{"locale":null,"text":"limit must be less than or equal to 250"}]}"#;
        for (body, message) in [
            (full, Some("It was wrong. limit must be less than or equal to 250")),
            (
                r#"{"error":"JWT validation failed: JWT is expired"}"#,
                Some("JWT validation failed: JWT is expired"),
            ),
            (r#"{"error":"invalid_client","error_description":"no"}"#, Some("invalid_client: no")),
            (r#"{"message":" Rate Limit Exceeded "}"#, Some("Rate Limit Exceeded")),
            (
                r#"{"detailMessage":"Specified offset is invalid.","stackTrace":[]}"#,
                Some("Specified offset is invalid."),
            ),
            ("<html>Bad Gateway</html>", None),
            ("[]", None),
        ] {
            let response = ApiResponse {
                status: StatusCode::BAD_REQUEST,
                headers: HeaderMap::new(),
                body: Bytes::from(body).into(),
            };
            assert_eq!(read(&response).message.as_deref(), message, "{body}");
        }
        let response = ApiResponse {
            status: StatusCode::BAD_REQUEST,
            headers: HeaderMap::new(),
            body: Bytes::from(full).into(),
        };
        let error = read(&response);
        assert_eq!(error.code.as_deref(), Some("400.1 Bad Request Content"));
        assert_eq!(error.request_id.as_deref(), Some("e7eab6"));
    }
}
