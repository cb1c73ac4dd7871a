//! Fortanix error responses.

use http::StatusCode;
use serde_json::{Value, json};

use super::FortanixErrors;
use crate::message::SimResponse;

/// The reason why a request is rejected.
///
/// The codes are those of the API's audit log events. That error responses contain them is an assumption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ApiError {
    BadLogin,
    NoToken,
    UnknownSession,
    ExpiredSession,
    BadQuery(String),
    BadBody(String),
    BadHeader(&'static str),
    /// The user does not have the required role.
    Forbidden,
    NoAccountSelected,
    NotUnique,
    NotFound,
    /// With the methods that the path allows.
    WrongMethod(&'static str),
    /// Injected by a fault.
    Injected(StatusCode),
}

impl ApiError {
    pub(crate) fn response(&self, errors: FortanixErrors) -> SimResponse {
        let (status, code, message) = match self {
            Self::BadLogin => (StatusCode::UNAUTHORIZED, "AUTH_FAILED", "Authentication failed"),
            Self::NoToken => (StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "No session token"),
            Self::UnknownSession => (StatusCode::UNAUTHORIZED, "INVALID_SESSION", "Invalid session"),
            Self::ExpiredSession => (StatusCode::UNAUTHORIZED, "SESSION_EXPIRED", "Session has expired"),
            Self::BadQuery(message) => (StatusCode::BAD_REQUEST, "INVALID_QUERY_PARAMETER", message.as_str()),
            Self::BadBody(message) => (StatusCode::BAD_REQUEST, "INVALID_BODY_PARAMETER", message.as_str()),
            Self::BadHeader(message) => (StatusCode::BAD_REQUEST, "INVALID_HEADER", *message),
            Self::Forbidden => {
                (StatusCode::FORBIDDEN, "FORBIDDEN", "The user is not a manager of this account")
            }
            Self::NoAccountSelected => {
                (StatusCode::FORBIDDEN, "NO_ACCOUNT_SELECTED", "No account is selected")
            }
            Self::NotUnique => {
                (StatusCode::BAD_REQUEST, "UNIQUE_VIOLATION", "An account with this name already exists")
            }
            Self::NotFound => (StatusCode::NOT_FOUND, "NOT_FOUND", "Not found"),
            Self::WrongMethod(_) => {
                (StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "Method not allowed")
            }
            Self::Injected(status) => {
                let reason = status.canonical_reason().unwrap_or("Error");
                (*status, "SERVER_ERROR", reason)
            }
        };
        let response = match errors {
            FortanixErrors::Text => SimResponse::text(status, message),
            FortanixErrors::JsonString => SimResponse::json(status, &Value::from(message)),
            FortanixErrors::Object => SimResponse::json(status, &json!({"message": message, "code": code})),
        };
        match self {
            Self::WrongMethod(allowed) => response.with("allow", allowed),
            _ => response,
        }
    }
}
