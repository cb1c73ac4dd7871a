//! Annature error responses.

use http::{Method, StatusCode};
use serde_json::json;

use super::AnnatureErrors;
use crate::message::SimResponse;

/// The reason why a request is rejected.
#[derive(Clone, Debug)]
pub(crate) enum ApiError {
    BadKeys,
    BadPartnerKey,
    BadCursor,
    NotFound,
    /// With the methods that the path allows.
    WrongMethod(&'static [Method]),
    /// The `Content-Type` is not JSON.
    NotJson,
    BadBody,
    /// A member of the body is invalid.
    Invalid(String),
    EmailTaken,
    RegisterNeedsPartner,
    SkipNeedsPartner,
    AlreadyVerified,
    /// Injected by a fault.
    Injected(StatusCode),
}

impl ApiError {
    pub(crate) fn response(&self, errors: AnnatureErrors) -> SimResponse {
        let status = self.status();
        let reason = status.canonical_reason().unwrap_or("Error");
        let body = match errors {
            AnnatureErrors::Message => json!({"message": self.message()}),
            AnnatureErrors::Rails => json!({"status": status.as_u16(), "error": reason}),
        };
        let response = SimResponse::json(status, &body);
        match self {
            Self::WrongMethod(methods) => {
                let names: Vec<_> = methods.iter().map(Method::as_str).collect();
                response.with("allow", &names.join(", "))
            }
            _ => response,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::BadKeys | Self::BadPartnerKey => StatusCode::UNAUTHORIZED,
            Self::RegisterNeedsPartner | Self::SkipNeedsPartner => StatusCode::FORBIDDEN,
            Self::BadCursor | Self::BadBody => StatusCode::BAD_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::WrongMethod(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Invalid(_) | Self::EmailTaken | Self::AlreadyVerified => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Injected(status) => *status,
        }
    }

    fn message(&self) -> &str {
        match self {
            Self::BadKeys => "The supplied API credentials are invalid.",
            Self::BadPartnerKey => "The supplied partner key is invalid.",
            Self::BadCursor => "The supplied cursor is invalid.",
            Self::NotFound => "The requested resource could not be found.",
            Self::WrongMethod(_) => "The method is not allowed.",
            Self::NotJson => "The content type must be application/json.",
            Self::BadBody => "The body must be a JSON object.",
            Self::Invalid(message) => message,
            Self::EmailTaken => "The supplied email is already associated with an existing account.",
            Self::RegisterNeedsPartner => "This endpoint is only available to partners.",
            Self::SkipNeedsPartner => "skip_verification is only available to partners.",
            Self::AlreadyVerified => "The account is already verified.",
            Self::Injected(status) => status.canonical_reason().unwrap_or("Error"),
        }
    }
}
