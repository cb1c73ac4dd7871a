//! What Annature says when it refuses.

use http::{Method, StatusCode};
use serde_json::json;

use super::AnnatureErrors;
use crate::exchange::Reply;

/// Why a request is refused.
#[derive(Clone, Debug)]
pub(crate) enum Refusal {
    BadKeys,
    BadPartnerKey,
    BadCursor,
    NotFound,
    /// The methods that the path has.
    WrongMethod(&'static [Method]),
    /// The body is not said to be JSON.
    NoJson,
    BadBody,
    /// A member of the body is not what it may be.
    Invalid(String),
    EmailTaken,
    RegisterNeedsPartner,
    SkipNeedsPartner,
    Verified,
    /// What no caller is to blame for.
    Trouble(StatusCode),
}

impl Refusal {
    pub(crate) fn reply(&self, errors: AnnatureErrors) -> Reply {
        let status = self.status();
        let reason = status.canonical_reason().unwrap_or("Error");
        let body = match errors {
            AnnatureErrors::Message => json!({"message": self.message()}),
            AnnatureErrors::Rails => json!({"status": status.as_u16(), "error": reason}),
        };
        let reply = Reply::json(status, &body);
        match self {
            Self::WrongMethod(methods) => {
                let names: Vec<_> = methods.iter().map(Method::as_str).collect();
                reply.with("allow", &names.join(", "))
            }
            _ => reply,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::BadKeys | Self::BadPartnerKey => StatusCode::UNAUTHORIZED,
            Self::RegisterNeedsPartner | Self::SkipNeedsPartner => StatusCode::FORBIDDEN,
            Self::BadCursor | Self::BadBody => StatusCode::BAD_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::WrongMethod(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::NoJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Invalid(_) | Self::EmailTaken | Self::Verified => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Trouble(status) => *status,
        }
    }

    fn message(&self) -> &str {
        match self {
            Self::BadKeys => "The supplied API credentials are invalid.",
            Self::BadPartnerKey => "The supplied partner key is invalid.",
            Self::BadCursor => "The supplied cursor is invalid.",
            Self::NotFound => "The requested resource could not be found.",
            Self::WrongMethod(_) => "The method is not allowed.",
            Self::NoJson => "The content type must be application/json.",
            Self::BadBody => "The body must be a JSON object.",
            Self::Invalid(why) => why,
            Self::EmailTaken => "The supplied email is already associated with an existing account.",
            Self::RegisterNeedsPartner => "This endpoint is only available to partners.",
            Self::SkipNeedsPartner => "skip_verification is only available to partners.",
            Self::Verified => "The account is already verified.",
            Self::Trouble(status) => status.canonical_reason().unwrap_or("Error"),
        }
    }
}
