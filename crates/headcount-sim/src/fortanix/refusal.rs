//! What a Fortanix server says when it refuses.

use http::StatusCode;
use serde_json::{Value, json};

use super::FortanixErrors;
use crate::exchange::Reply;

/// Why a request is refused. The codes are those of the API's audit events; that errors carry them is an
/// assumption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    BadLogin,
    NoToken,
    UnknownSession,
    ExpiredSession,
    BadQuery(String),
    BadBody(String),
    BadHeader(&'static str),
    /// The user may not do this.
    Forbidden,
    NoAccountSelected,
    NotUnique,
    NotFound,
    WrongMethod(&'static str),
    /// What no caller is to blame for.
    Trouble(StatusCode),
}

impl Refusal {
    pub(crate) fn reply(&self, errors: FortanixErrors) -> Reply {
        let (status, code, message) = match self {
            Self::BadLogin => (StatusCode::UNAUTHORIZED, "AUTH_FAILED", "Authentication failed"),
            Self::NoToken => (StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "No session token"),
            Self::UnknownSession => (StatusCode::UNAUTHORIZED, "INVALID_SESSION", "Invalid session"),
            Self::ExpiredSession => (StatusCode::UNAUTHORIZED, "SESSION_EXPIRED", "Session has expired"),
            Self::BadQuery(why) => (StatusCode::BAD_REQUEST, "INVALID_QUERY_PARAMETER", why.as_str()),
            Self::BadBody(why) => (StatusCode::BAD_REQUEST, "INVALID_BODY_PARAMETER", why.as_str()),
            Self::BadHeader(why) => (StatusCode::BAD_REQUEST, "INVALID_HEADER", *why),
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
            Self::Trouble(status) => {
                let reason = status.canonical_reason().unwrap_or("Error");
                (*status, "SERVER_ERROR", reason)
            }
        };
        let reply = match errors {
            FortanixErrors::Text => Reply::text(status, message),
            FortanixErrors::JsonString => Reply::json(status, &Value::from(message)),
            FortanixErrors::Object => Reply::json(status, &json!({"message": message, "code": code})),
        };
        match self {
            Self::WrongMethod(allowed) => reply.with("allow", allowed),
            _ => reply,
        }
    }
}
