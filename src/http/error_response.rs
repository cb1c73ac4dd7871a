use std::time::Duration;

use http::HeaderMap;

use super::{ApiResponse, redact::Redactor};
use crate::{Error, ErrorKind};

/// What a provider says of a failure, in its own terms.
#[derive(Debug, Default)]
pub(crate) struct ErrorResponse {
    /// Where the provider's code says more than the status.
    pub(crate) kind: Option<ErrorKind>,
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) request_id: Option<String>,
    /// The wait that the provider asks for, where it is not in `Retry-After`: that header is read if this is `None`.
    pub(crate) retry_after: Option<Duration>,
}

impl ErrorResponse {
    /// The error, its texts bounded and redacted.
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
                "a redirect, which is never followed: credentials belong to the host they were given for"
                    .into()
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

/// The first of some headers that is there, as text.
pub(crate) fn header(headers: &HeaderMap, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| Some(headers.get(*name)?.to_str().ok()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_that_says_nothing_visible_is_told_by_its_status() {
        let response = ApiResponse {
            status: http::StatusCode::NOT_FOUND,
            headers: HeaderMap::new(),
            body: bytes::Bytes::new().into(),
        };
        let blank = || Some("\0 \u{7}\n".to_owned());
        let problem = ErrorResponse {
            kind: None,
            code: blank(),
            message: blank(),
            request_id: blank(),
            ..ErrorResponse::default()
        };
        let error = problem.into_error(&response, &Redactor::new(&HeaderMap::new(), []));
        assert_eq!((error.message(), error.code(), error.request_id()), ("Not Found", None, None));
    }
}
