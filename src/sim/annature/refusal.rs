//! What Annature says when it refuses.

use http::StatusCode;
use serde_json::json;

use super::builder::AnnatureErrors;
use crate::sim::exchange::Reply;

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    BadKeys,
    BadPartnerKey,
    BadCursor,
    NotFound,
    WrongMethod,
    /// What no caller is to blame for.
    Trouble(StatusCode),
}

impl Refusal {
    pub(crate) fn reply(self, errors: AnnatureErrors) -> Reply {
        let (status, message) = match self {
            Self::BadKeys => (StatusCode::UNAUTHORIZED, "The supplied API credentials are invalid."),
            Self::BadPartnerKey => (StatusCode::UNAUTHORIZED, "The supplied partner key is invalid."),
            Self::BadCursor => (StatusCode::BAD_REQUEST, "The supplied cursor is invalid."),
            Self::NotFound => (StatusCode::NOT_FOUND, "The requested resource could not be found."),
            Self::WrongMethod => (StatusCode::METHOD_NOT_ALLOWED, "The method is not allowed."),
            Self::Trouble(status) => (status, status.canonical_reason().unwrap_or("Error")),
        };
        let body = match errors {
            AnnatureErrors::Message => json!({"message": message}),
            AnnatureErrors::Rails => {
                json!({"status": status.as_u16(), "error": status.canonical_reason().unwrap_or("Error")})
            }
        };
        let reply = Reply::json(status, &body);
        if self == Self::WrongMethod { reply.with("allow", "GET") } else { reply }
    }
}
