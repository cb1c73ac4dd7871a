use std::time::Duration;

use http::HeaderMap;

use super::{ApiResponse, redact::Redactor};
use crate::{Error, ErrorKind};

/// An error response, parsed from the format of the API.
///
/// Texts are redacted and shortened when it becomes an [`Error`].
#[derive(Clone, Debug, Default)]
pub struct ErrorResponse {
    /// The kind of error, if the API's code is more specific than the status.
    pub kind: Option<ErrorKind>,
    /// The API's own error code.
    pub code: Option<String>,
    /// The message. If `None`, the reason phrase of the status is used.
    pub message: Option<String>,
    /// The API's id of the request.
    pub request_id: Option<String>,
    /// The requested wait, if the provider sends it elsewhere than in `Retry-After`. If `None`, that header
    /// is read.
    pub retry_after: Option<Duration>,
}

impl ErrorResponse {
    /// Converts the response to an error whose texts are redacted and limited in length.
    pub(super) fn into_error(self, response: &ApiResponse, redactor: &Redactor) -> Error {
        let status = response.status.as_u16();
        let kind = self.kind.unwrap_or(match status {
            401 => ErrorKind::Auth,
            403 => ErrorKind::PermissionDenied,
            404 => ErrorKind::NotFound,
            429 => ErrorKind::Throttled,
            _ => ErrorKind::Api,
        });
        let message = redactor.redact_opt(self.message).unwrap_or_else(|| {
            if response.status.is_redirection() {
                "redirects are not followed, so that credentials are sent only to the configured host".into()
            } else {
                response.status.canonical_reason().unwrap_or("the request failed").to_owned()
            }
        });
        Error::new(kind, message)
            .with_status(status)
            .with_code(redactor.redact_opt(self.code))
            .with_request_id(redactor.redact_opt(self.request_id))
            .with_retry_after(self.retry_after)
    }
}

/// Returns the first of the named headers that is present and is text.
pub(crate) fn header_text(headers: &HeaderMap, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| Some(headers.get(*name)?.to_str().ok()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_texts_fall_back_to_status() {
        let response = ApiResponse {
            status: http::StatusCode::NOT_FOUND,
            headers: HeaderMap::new(),
            body: bytes::Bytes::new().into(),
        };
        let blank = || Some("\0 \u{7}\n".to_owned());
        let error_response = ErrorResponse {
            kind: None,
            code: blank(),
            message: blank(),
            request_id: blank(),
            ..ErrorResponse::default()
        };
        let error = error_response.into_error(&response, &Redactor::new(&HeaderMap::new(), []));
        assert_eq!((error.message(), error.code(), error.request_id()), ("Not Found", None, None));
    }
}
