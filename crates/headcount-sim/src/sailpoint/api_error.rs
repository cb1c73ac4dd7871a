//! `SailPoint` error responses.

use http::StatusCode;
use serde_json::{Value, json};

use crate::message::SimResponse;

/// The reason why a request is rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ApiError {
    BadRequest(String),
    OffsetBeyondEnd,
    NoToken,
    BadToken,
    BadClient,
    BadGrant(&'static str),
    NotFound,
    /// The token's scopes or the user's level do not allow the request.
    Forbidden,
    /// With the expected media type.
    WrongMediaType(&'static str),
    /// The header of experimental endpoints is missing.
    Experimental,
    /// With the methods that the path allows.
    WrongMethod(&'static str),
    /// With the number of seconds to wait.
    TooMany(u64),
    /// Injected by a fault.
    Injected(StatusCode),
}

impl ApiError {
    pub(crate) fn response(&self, request_id: &str) -> SimResponse {
        let full = |status, code, message, cause: &str| {
            SimResponse::json(status, &error_response(request_id, code, message, cause))
        };
        match self {
            Self::BadRequest(cause) => full(
                StatusCode::BAD_REQUEST,
                "400.1 Bad Request Content",
                "The request was syntactically correct but its content is semantically invalid.",
                cause,
            ),
            Self::OffsetBeyondEnd => SimResponse::json(
                StatusCode::BAD_REQUEST,
                &json!({
                    "detailMessage": "Specified offset is invalid.",
                    "stackTrace": [],
                    "suppressedExceptions": [],
                }),
            ),
            Self::NoToken => {
                SimResponse::json(StatusCode::UNAUTHORIZED, &json!({"error": "JWT is required"}))
            }
            Self::BadToken => SimResponse::json(
                StatusCode::UNAUTHORIZED,
                &json!({"error": "JWT validation failed: JWT is expired"}),
            ),
            Self::BadClient => SimResponse::json(
                StatusCode::UNAUTHORIZED,
                &json!({"error": "invalid_client", "error_description": "Bad client credentials"}),
            ),
            Self::BadGrant(error) => SimResponse::json(
                StatusCode::BAD_REQUEST,
                &json!({"error": error, "error_description": "The token request is not understood"}),
            ),
            Self::NotFound => full(
                StatusCode::NOT_FOUND,
                "404 Not found",
                "The server did not find a current representation for the target resource.",
                "",
            ),
            Self::Forbidden => full(
                StatusCode::FORBIDDEN,
                "403 Forbidden",
                "The server understood the request but refuses to authorize it.",
                "",
            ),
            Self::WrongMediaType(expected) => full(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "415 Unsupported Media Type",
                "The body's media type is not supported.",
                &format!("the Content-Type must be {expected}"),
            ),
            Self::Experimental => full(
                StatusCode::BAD_REQUEST,
                "400.1 Bad Request Content",
                "The endpoint is in preview status.",
                "the header X-SailPoint-Experimental must be true",
            ),
            Self::WrongMethod(allowed) => full(
                StatusCode::METHOD_NOT_ALLOWED,
                "405 Method Not Allowed",
                "The method is not supported for this resource.",
                "",
            )
            .with("allow", allowed),
            Self::TooMany(seconds) => {
                SimResponse::json(StatusCode::TOO_MANY_REQUESTS, &json!({"message": " Rate Limit Exceeded "}))
                    .with("retry-after", &seconds.to_string())
            }
            Self::Injected(StatusCode::TOO_MANY_REQUESTS) => {
                SimResponse::json(StatusCode::TOO_MANY_REQUESTS, &json!({"message": " Rate Limit Exceeded "}))
            }
            Self::Injected(StatusCode::INTERNAL_SERVER_ERROR) => full(
                StatusCode::INTERNAL_SERVER_ERROR,
                "500.0 Internal Fault",
                "An internal fault occurred.",
                "",
            ),
            Self::Injected(status) => {
                full(*status, &status.to_string(), "The request could not be processed.", "")
            }
        }
    }
}

/// Returns the body of most error responses. `cause` has the specific reason.
fn error_response(request_id: &str, code: &str, message: &str, cause: &str) -> Value {
    let text = |text: &str| json!({"locale": "en-US", "localeOrigin": "DEFAULT", "text": text});
    let causes: Vec<Value> = Some(cause).filter(|cause| !cause.is_empty()).map(text).into_iter().collect();
    json!({"detailCode": code, "trackingId": request_id, "messages": [text(message)], "causes": causes})
}
