use std::{borrow::Cow, error::Error as StdError, fmt, sync::Arc, time::Duration};

use serde::Serialize;

use crate::Provider;

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The error of every operation in this crate.
///
/// It is one pointer wide, and cloning it copies that pointer. It never contains a credential: not in its
/// text, its fields, its `Debug` output or its sources.
///
/// [`kind`](Self::kind) says what went wrong, [`retryability`](Self::retryability) whether repeating the operation
/// can help. `Display` is one line, wrapped here, with everything that a provider's support asks for:
///
/// ```text
/// sailpoint: GET https://acme.api.identitynow.com/v2025/accounts: 429: Rate Limit Exceeded
/// (request id 7f3c, retry after 10 s)
/// ```
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    retryability: Retryability,
    provider: Option<Cow<'static, str>>,
    request: Option<Box<str>>,
    status: Option<u16>,
    code: Option<Box<str>>,
    message: Box<str>,
    request_id: Option<Box<str>>,
    retry_after: Option<Duration>,
    attempts: u32,
    elapsed: Duration,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// Creates an error, for a [`Paginator`](crate::Paginator) or [`Transport`](crate::http::Transport) of
    /// your own.
    ///
    /// The kinds [`Throttled`](ErrorKind::Throttled), [`Timeout`](ErrorKind::Timeout) and
    /// [`Transport`](ErrorKind::Transport) are [`Retryable`](Retryability::Retryable), all others
    /// [`Never`](Retryability::Never), unless [set](Self::with_retryability).
    #[cold]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let retryability = match kind {
            ErrorKind::Throttled | ErrorKind::Timeout | ErrorKind::Transport => Retryability::Retryable,
            _ => Retryability::Never,
        };
        Self(Arc::new(Inner {
            kind,
            retryability,
            provider: None,
            request: None,
            status: None,
            code: None,
            message: message.into().into_boxed_str(),
            request_id: None,
            retry_after: None,
            attempts: 0,
            elapsed: Duration::ZERO,
            source: None,
        }))
    }

    fn inner(&mut self) -> &mut Inner {
        Arc::make_mut(&mut self.0)
    }

    /// Sets the error that caused this one.
    #[must_use]
    pub fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.inner().source = Some(Arc::new(source));
        self
    }

    /// Sets the HTTP status of the response.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.inner().status = Some(status);
        self
    }

    /// Sets whether repeating the operation can help.
    #[must_use]
    pub fn with_retryability(mut self, retryability: Retryability) -> Self {
        self.inner().retryability = retryability;
        self
    }

    /// Sets the wait that the provider asked for.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.inner().retry_after = wait;
        self
    }

    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    pub(crate) fn decode(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Decode, message)
    }

    pub(crate) fn with_provider(mut self, provider: impl Into<Cow<'static, str>>) -> Self {
        self.inner().provider = Some(provider.into());
        self
    }

    /// Sets the provider unless the error has one.
    pub(crate) fn or_provider(self, provider: &str) -> Self {
        if self.0.provider.is_some() { self } else { self.with_provider(provider.to_owned()) }
    }

    pub(crate) fn into_kind(mut self, kind: ErrorKind) -> Self {
        self.inner().kind = kind;
        self
    }

    pub(crate) fn with_code(mut self, code: Option<String>) -> Self {
        self.inner().code = code.map(String::into_boxed_str);
        self
    }

    pub(crate) fn with_request_id(mut self, id: Option<String>) -> Self {
        self.inner().request_id = id.map(String::into_boxed_str);
        self
    }

    /// Sets the request that failed (`GET https://host/path`, without its query), its attempts and their
    /// duration.
    pub(crate) fn with_effort(mut self, request: &str, attempts: u32, elapsed: Duration) -> Self {
        let inner = self.inner();
        inner.request = Some(request.into());
        (inner.attempts, inner.elapsed) = (attempts, elapsed);
        self
    }

    /// Returns the category of the error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns whether repeating the operation can help.
    pub fn retryability(&self) -> Retryability {
        self.0.retryability
    }

    /// Returns `true` if the same operation may succeed later and cannot be applied twice by repeating it.
    ///
    /// That is so for [`Retryability::Retryable`] and [`Retryability::Exhausted`].
    pub fn is_retryable(&self) -> bool {
        matches!(self.0.retryability, Retryability::Retryable | Retryability::Exhausted)
    }

    /// Returns `true` if the kind is [`ErrorKind::NotFound`].
    pub fn is_not_found(&self) -> bool {
        self.0.kind == ErrorKind::NotFound
    }

    /// Returns the provider, if the error comes from one of its clients or listings.
    pub fn provider(&self) -> Option<Provider> {
        self.0.provider.as_deref().map(Provider::from)
    }

    /// Returns the request that failed: its method and its URL without the query.
    pub fn request(&self) -> Option<&str> {
        self.0.request.as_deref()
    }

    /// Returns the HTTP status of an error response, or of an undocumented success.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// Returns the provider's own error code, such as `APIGW.0301` or `400.1 Bad Request Content`.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// Returns what went wrong, without the context that [`Display`](fmt::Display) adds.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the provider's id of the failed request, which its support asks for.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Returns how long the provider asked to wait before the next request.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns how many attempts were made to send the request; 0 if there were none.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Returns the time spent on the request, with all attempts and the waits between them.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        if let Some(provider) = &inner.provider {
            write!(f, "{provider}: ")?;
        }
        if let Some(request) = &inner.request {
            write!(f, "{request}: ")?;
        }
        if let Some(status) = inner.status {
            write!(f, "{status}: ")?;
        }
        f.write_str(&inner.message)?;
        let mut context = Vec::new();
        if let Some(code) = &inner.code {
            context.push(format!("code {code}"));
        }
        if let Some(id) = &inner.request_id {
            context.push(format!("request id {id}"));
        }
        if let Some(wait) = inner.retry_after {
            context.push(format!("retry after {} s", wait.as_secs()));
        }
        if inner.retryability == Retryability::MaybeApplied {
            context.push("the request may have been processed".to_owned());
        }
        if inner.attempts > 1 {
            context.push(format!("{} attempts in {:.1} s", inner.attempts, inner.elapsed.as_secs_f32()));
        }
        if context.is_empty() { Ok(()) } else { write!(f, " ({})", context.join(", ")) }
    }
}

/// Names the fields that are set.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn field<T: fmt::Debug>(debug: &mut fmt::DebugStruct<'_, '_>, name: &str, value: Option<&T>) {
            if let Some(value) = value {
                debug.field(name, value);
            }
        }
        let inner = &*self.0;
        let mut debug = f.debug_struct("Error");
        debug.field("kind", &inner.kind).field("message", &inner.message);
        field(&mut debug, "provider", inner.provider.as_ref());
        field(&mut debug, "request", inner.request.as_ref());
        field(&mut debug, "status", inner.status.as_ref());
        field(&mut debug, "code", inner.code.as_ref());
        field(&mut debug, "request_id", inner.request_id.as_ref());
        field(&mut debug, "retry_after", inner.retry_after.as_ref());
        if inner.retryability != Retryability::Never {
            debug.field("retryability", &inner.retryability);
        }
        if inner.attempts > 1 {
            debug.field("attempts", &inner.attempts).field("elapsed", &inner.elapsed);
        }
        field(&mut debug, "source", inner.source.as_ref());
        debug.finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// The category of an [`Error`].
///
/// `Display` and `Serialize` give its name in snake case, such as `not_found`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting or parameter is invalid.
    ///
    /// Nothing was sent, unless an HTTP client of your own followed a redirect.
    ///
    /// # Troubleshooting
    /// The message names the setting and what it may be.
    Config,
    /// Credentials were rejected, or could not be obtained.
    ///
    /// # Troubleshooting
    /// Check the credentials, the account they belong to, and this machine's clock.
    Auth,
    /// Authenticated, but not authorized for this operation.
    ///
    /// # Troubleshooting
    /// The tables in the provider modules name the permission that each endpoint needs: see
    /// [other requests](crate#other-requests).
    PermissionDenied,
    /// The resource does not exist, or is not visible to these credentials.
    NotFound,
    /// The provider limits the request rate, or asks for a longer wait than the client accepts.
    ///
    /// # Troubleshooting
    /// Wait for [`Error::retry_after`](crate::Error::retry_after), then call `retry()` on the stream or
    /// resume from a checkpoint.
    Throttled,
    /// There was no response in time.
    Timeout,
    /// The connection failed.
    ///
    /// # Troubleshooting
    /// If the message mentions a certificate, see "Certificates" in [`http`](crate::http).
    Transport,
    /// The provider responded with another failure.
    Api,
    /// The response is not what the provider documents: a login page, an empty body, half a document.
    ///
    /// It is never taken for an empty list.
    Decode,
    /// One record of a page could not be decoded.
    ///
    /// Other records are unaffected: a stream of items continues after this error.
    InvalidRecord,
    /// The provider returned a cursor that was already used; the listing cannot be completed.
    PaginationLoop,
    /// The listing changed during pagination and the position could not be recovered.
    ///
    /// # Troubleshooting
    /// List again from the start.
    ListingChanged,
    /// The listing ended, but is not known to be complete.
    ///
    /// Only [`Items::require_complete`](crate::Items::require_complete) and
    /// [`Items::collect_complete`](crate::Items::collect_complete) return this error.
    Incomplete,
    /// A checkpoint belongs to another listing.
    Checkpoint,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// Whether repeating an operation can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Retryability {
    /// The same operation fails in the same way.
    Never,
    /// The operation may succeed if it is repeated, and was not repeated yet.
    Retryable,
    /// The request is not idempotent and may have been processed.
    ///
    /// Check whether it was before sending it again.
    MaybeApplied,
    /// The operation was repeated as often, or for as long, as the
    /// [`RetryPolicy`](crate::http::RetryPolicy) allows.
    Exhausted,
}

/// The longest text from outside in an error, in characters.
const MAX_TEXT: usize = 500;

/// Puts a text from outside on one line and cuts it to [`MAX_TEXT`].
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(MAX_TEXT));
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if let Some((cut, _)) = line.char_indices().nth(MAX_TEXT) {
        line.truncate(cut);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throttled() -> Error {
        Error::new(ErrorKind::Throttled, "Rate Limit Exceeded")
            .with_provider("sailpoint")
            .with_status(429)
            .with_request_id(Some("abc".into()))
            .with_retry_after(Some(Duration::from_secs(10)))
            .with_effort("GET https://t.example/v3/accounts", 4, Duration::from_millis(3200))
    }

    #[test]
    fn is_one_pointer_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
        assert_eq!(size_of::<Result<()>>(), size_of::<usize>());
    }

    #[test]
    fn display_is_one_line_with_context() {
        assert_eq!(
            throttled().to_string(),
            "sailpoint: GET https://t.example/v3/accounts: 429: Rate Limit Exceeded \
             (request id abc, retry after 10 s, 4 attempts in 3.2 s)"
        );
    }

    #[test]
    fn debug_omits_unset_fields() {
        let error = Error::new(ErrorKind::Config, "invalid base URL");
        assert_eq!(format!("{error:?}"), r#"Error { kind: Config, message: "invalid base URL" }"#);
        assert_eq!(
            format!("{:?}", throttled()),
            "Error { kind: Throttled, message: \"Rate Limit Exceeded\", provider: \"sailpoint\", \
             request: \"GET https://t.example/v3/accounts\", status: 429, request_id: \"abc\", \
             retry_after: 10s, retryability: Retryable, attempts: 4, elapsed: 3.2s }"
        );
    }

    #[test]
    fn accessors_return_what_was_set() {
        let error = throttled();
        assert_eq!(error.provider(), Some(Provider::SailPoint));
        assert_eq!(error.request(), Some("GET https://t.example/v3/accounts"));
        assert_eq!((error.attempts(), error.elapsed()), (4, Duration::from_millis(3200)));
        assert!(error.is_retryable() && !error.is_not_found());
        assert!(Error::new(ErrorKind::NotFound, "").is_not_found());
        for (retryability, expected) in [
            (Retryability::Never, false),
            (Retryability::Retryable, true),
            (Retryability::MaybeApplied, false),
            (Retryability::Exhausted, true),
        ] {
            assert_eq!(error.clone().with_retryability(retryability).is_retryable(), expected);
        }
    }

    #[test]
    fn changing_a_clone_keeps_the_original() {
        let error = throttled();
        let other = error.clone().with_status(503);
        assert_eq!((error.status(), other.status()), (Some(429), Some(503)));
    }

    #[test]
    fn kind_is_named_in_snake_case() {
        assert_eq!(ErrorKind::PermissionDenied.to_string(), "permission_denied");
        assert_eq!(serde_json::to_string(&Retryability::MaybeApplied).unwrap(), r#""maybe_applied""#);
    }
}
