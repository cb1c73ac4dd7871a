use http::{Method, StatusCode};
use tracing::{Span, field};

use super::base_url::BaseUrl;
use crate::Error;

/// The span of one attempt, in OpenTelemetry's names for an HTTP client.
///
/// What is recorded is listed here, and nothing else ever is: no path and no query (they hold ids and
/// filters), no header, no body, no text of an error.
pub(super) struct AttemptSpan(Span);

impl AttemptSpan {
    pub(super) fn new(provider: &str, method: &Method, base: &BaseUrl, attempt: u32) -> Self {
        let resent = attempt.saturating_sub(1);
        Self(tracing::debug_span!(
            "request",
            otel.kind = "client",
            otel.name = method.as_str(),
            provider,
            http.request.method = method.as_str(),
            http.request.resend_count = (resent > 0).then_some(resent),
            http.response.status_code = field::Empty,
            server.address = base.host(),
            server.port = base.port(),
            error.r#type = field::Empty,
        ))
    }

    pub(super) fn span(&self) -> Span {
        self.0.clone()
    }

    pub(super) fn answered(&self, status: StatusCode) {
        self.0.record("http.response.status_code", status.as_u16());
    }

    /// As OpenTelemetry has it: the status if it tells the failure, and else a word for it.
    pub(super) fn failed(&self, error: &Error) {
        match error.status() {
            Some(status) if status >= 300 => self.0.record("error.type", field::display(status)),
            _ => self.0.record("error.type", field::debug(error.kind())),
        };
    }
}
