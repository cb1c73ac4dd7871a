//! What `SailPoint` says when it refuses.

use http::StatusCode;
use serde_json::{Value, json};

use crate::exchange::Reply;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    BadRequest(String),
    OffsetPastEnd,
    NoToken,
    BadToken,
    BadClient,
    BadGrant(&'static str),
    NotFound,
    /// The token's scopes, or its user's level, do not allow it.
    Forbidden,
    /// With the media type that is expected.
    WrongMediaType(&'static str),
    /// Without the header that an experimental call takes.
    Experimental,
    WrongMethod(&'static str),
    /// With the seconds to wait.
    TooMany(u64),
    /// What no caller is to blame for.
    Trouble(StatusCode),
}

impl Refusal {
    pub(crate) fn reply(&self, request_id: &str) -> Reply {
        let full = |status, code, message, cause: &str| {
            Reply::json(status, &error_response(request_id, code, message, cause))
        };
        match self {
            Self::BadRequest(cause) => full(
                StatusCode::BAD_REQUEST,
                "400.1 Bad Request Content",
                "The request was syntactically correct but its content is semantically invalid.",
                cause,
            ),
            Self::OffsetPastEnd => Reply::json(
                StatusCode::BAD_REQUEST,
                &json!({
                    "detailMessage": "Specified offset is invalid.",
                    "stackTrace": [],
                    "suppressedExceptions": [],
                }),
            ),
            Self::NoToken => Reply::json(StatusCode::UNAUTHORIZED, &json!({"error": "JWT is required"})),
            Self::BadToken => Reply::json(
                StatusCode::UNAUTHORIZED,
                &json!({"error": "JWT validation failed: JWT is expired"}),
            ),
            Self::BadClient => Reply::json(
                StatusCode::UNAUTHORIZED,
                &json!({"error": "invalid_client", "error_description": "Bad client credentials"}),
            ),
            Self::BadGrant(error) => Reply::json(
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
                Reply::json(StatusCode::TOO_MANY_REQUESTS, &json!({"message": " Rate Limit Exceeded "}))
                    .with("retry-after", &seconds.to_string())
            }
            Self::Trouble(StatusCode::TOO_MANY_REQUESTS) => {
                Reply::json(StatusCode::TOO_MANY_REQUESTS, &json!({"message": " Rate Limit Exceeded "}))
            }
            Self::Trouble(StatusCode::INTERNAL_SERVER_ERROR) => full(
                StatusCode::INTERNAL_SERVER_ERROR,
                "500.0 Internal Fault",
                "An internal fault occurred.",
                "",
            ),
            Self::Trouble(status) => {
                full(*status, &status.to_string(), "The request could not be processed.", "")
            }
        }
    }
}

/// The error body that most answers share; the reason proper is among the causes.
fn error_response(request_id: &str, code: &str, message: &str, cause: &str) -> Value {
    let text = |text: &str| json!({"locale": "en-US", "localeOrigin": "DEFAULT", "text": text});
    let causes: Vec<Value> = Some(cause).filter(|cause| !cause.is_empty()).map(text).into_iter().collect();
    json!({"detailCode": code, "trackingId": request_id, "messages": [text(message)], "causes": causes})
}
