use std::{error::Error as StdError, fmt, sync::Arc, time::Duration};

/// Shorthand for a result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The one error of this crate.
///
/// It is a pointer wide and cheap to clone. It never holds a credential: not in its text, its fields,
/// its `Debug` output or its sources.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    kind: ErrorKind,
    retry: Retryability,
    provider: Option<&'static str>,
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
    /// An error of `kind`, for a [`Paginator`](crate::Paginator) or
    /// [`Transport`](crate::http::Transport) of your own.
    #[cold]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let retry = match kind {
            ErrorKind::Throttled | ErrorKind::Timeout | ErrorKind::Transport => Retryability::Retryable,
            _ => Retryability::Never,
        };
        Self(Box::new(Inner {
            kind,
            retry,
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

    /// With the error that caused this one.
    #[must_use]
    pub fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    /// With the HTTP status that was answered.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    /// With what a caller may do about it.
    #[must_use]
    pub fn with_retryability(mut self, retry: Retryability) -> Self {
        self.0.retry = retry;
        self
    }

    /// With the time that the provider asked to wait.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait;
        self
    }

    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    pub(crate) fn decode(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Decode, message)
    }

    pub(crate) fn with_provider(mut self, provider: &'static str) -> Self {
        self.0.provider = Some(provider);
        self
    }

    pub(crate) fn into_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    pub(crate) fn with_code(mut self, code: Option<String>) -> Self {
        self.0.code = code.map(String::into_boxed_str);
        self
    }

    pub(crate) fn with_request_id(mut self, id: Option<String>) -> Self {
        self.0.request_id = id.map(String::into_boxed_str);
        self
    }

    /// With the request that failed (`GET https://host/path`, no query) and what was spent on it.
    pub(crate) fn with_effort(mut self, request: &str, attempts: u32, elapsed: Duration) -> Self {
        self.0.request = Some(request.into());
        (self.0.attempts, self.0.elapsed) = (attempts, elapsed);
        self
    }

    /// The category.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether trying again can help.
    pub fn retryability(&self) -> Retryability {
        self.0.retry
    }

    /// The provider's name, where one was asked: `fortanix`, `huawei`, `annature` or `sailpoint`.
    pub fn provider(&self) -> Option<&str> {
        self.0.provider
    }

    /// The HTTP status, if an answer came.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The provider's own error code, as it spells it (`APIGW.0301`, `400.1 Bad Request Content`).
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// What happened, without the circumstances that [`Display`](fmt::Display) adds.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The provider's id of the failed request: give it to the provider's support.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// How long the provider asked to wait before the next request.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// How often the request was sent; 0 if it never was.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        if let Some(provider) = inner.provider {
            write!(f, "{provider}: ")?;
        }
        if let Some(request) = &inner.request {
            write!(f, "{request}: ")?;
        }
        if let Some(status) = inner.status {
            write!(f, "{status}: ")?;
        }
        f.write_str(&inner.message)?;
        let mut facts = Vec::new();
        if let Some(code) = &inner.code {
            facts.push(format!("code {code}"));
        }
        if let Some(id) = &inner.request_id {
            facts.push(format!("request id {id}"));
        }
        if let Some(wait) = inner.retry_after {
            facts.push(format!("retry after {} s", wait.as_secs()));
        }
        if inner.retry == Retryability::MaybeApplied {
            facts.push("it may have been carried out".to_owned());
        }
        if inner.attempts > 1 {
            facts.push(format!("{} attempts in {:.1} s", inner.attempts, inner.elapsed.as_secs_f32()));
        }
        if facts.is_empty() { Ok(()) } else { write!(f, " ({})", facts.join(", ")) }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// What went wrong, in few and stable words.
///
/// The kind says what a program should do; [`Error`](crate::Error)'s text says it to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting or parameter is wrong. Nothing was sent, unless it is a client of your own that followed a
    /// redirect.
    ///
    /// # Troubleshooting
    /// The text names the setting and what it may be.
    Config,
    /// Credentials were refused, or could not be obtained.
    ///
    /// # Troubleshooting
    /// Check the credentials, the account they belong to, and this machine's clock.
    Auth,
    /// The credentials are valid, but may not do this.
    ///
    /// # Troubleshooting
    /// The tables of the provider modules name the permission that each call needs: see
    /// [Beyond lists](crate#beyond-lists).
    PermissionDenied,
    /// The thing asked for does not exist, or these credentials may not see it.
    NotFound,
    /// The provider asked to slow down, and for longer than this client may wait.
    ///
    /// # Troubleshooting
    /// [`Error::retry_after`](crate::Error::retry_after) tells how long; then go on with `retry()` or from a
    /// checkpoint.
    Throttled,
    /// No answer came in time.
    Timeout,
    /// The connection could not be made, or it broke.
    ///
    /// # Troubleshooting
    /// If the text speaks of the certificate, see "Certificates" at [`http`](crate::http).
    Transport,
    /// The provider answered with another failure.
    Api,
    /// The answer is not what the provider's reference promises: a login page, an empty body,
    /// half a document. Never taken for an empty list.
    Decode,
    /// One row of a page could not be read. The rows around it are not affected: a stream of items
    /// goes on after this error.
    InvalidRecord,
    /// The provider's cursors go round in a circle, so the list can not be walked to its end.
    PaginationLoop,
    /// The list changed while it was walked so that the place in it is lost.
    ///
    /// # Troubleshooting
    /// List again from the start.
    ListingChanged,
    /// A checkpoint belongs to another listing, or to a newer version of this crate.
    Checkpoint,
}

/// Whether trying again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Retryability {
    /// The same call will fail the same way.
    Never,
    /// Another try may help; this crate has not made it.
    Retryable,
    /// The request creates or changes something, and may have been carried out although no good answer came:
    /// look whether it was, before you send it again.
    MaybeApplied,
    /// This crate has tried as often, or for as long, as its
    /// [`RetryPolicy`](crate::http::RetryPolicy) allows, and has given up.
    Exhausted,
}

/// How much of a text from outside goes into an error, in characters.
const MAX_TEXT: usize = 500;

/// A text from outside on one line and bounded, as it may stand in an error.
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

    #[test]
    fn an_error_is_one_word_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
        assert_eq!(size_of::<Result<()>>(), size_of::<usize>());
    }

    #[test]
    fn its_text_is_one_line_with_all_that_support_asks_for() {
        let error = Error::new(ErrorKind::Throttled, "Rate Limit Exceeded")
            .with_provider("sailpoint")
            .with_status(429)
            .with_request_id(Some("abc".into()))
            .with_retry_after(Some(Duration::from_secs(10)))
            .with_effort("GET https://t.example/v3/accounts", 4, Duration::from_millis(3200));
        assert_eq!(
            error.to_string(),
            "sailpoint: GET https://t.example/v3/accounts: 429: Rate Limit Exceeded \
             (request id abc, retry after 10 s, 4 attempts in 3.2 s)"
        );
    }
}
