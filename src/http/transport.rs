use std::{error::Error as StdError, sync::Arc};

use bytes::Bytes;
use futures::future::BoxFuture;

/// Sends a request and gives the answer: reqwest unless you bring your own.
///
/// The client above it does everything else (limits, tokens, signatures, retries, time limits), so a
/// transport sends once and must not follow redirects, which would carry credentials to another host.
/// Headers marked [sensitive](http::HeaderValue::is_sensitive) must not be logged.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use headcount::http::{BoxFuture, Bytes, Request, Response, Transport, TransportError};
///
/// /// Counts the bytes that go out.
/// struct Counting<T>(T, AtomicU64);
///
/// impl<T: Transport> Transport for Counting<T> {
///     fn send(
///         &self,
///         request: Request<Bytes>,
///         body_limit: usize,
///     ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
///         self.1.fetch_add(request.body().len() as u64, Ordering::Relaxed);
///         self.0.send(request, body_limit)
///     }
/// }
/// ```
pub trait Transport: Send + Sync + 'static {
    /// Sends `request` and reads the whole answer. A body of more than `body_limit` bytes, counted after
    /// decompression, is an error of kind [`TooLarge`](TransportErrorKind::TooLarge).
    fn send(
        &self,
        request: http::Request<Bytes>,
        body_limit: usize,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>>;
}

/// Why no whole answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// No connection could be made: the request was surely not sent.
    Connect,
    /// The server's certificate is not to be trusted: the request was surely not sent, and another attempt
    /// would meet the same certificate.
    Untrusted,
    /// The transport's own time limit passed.
    Timeout,
    /// The connection broke, before or within the answer, or the answer was no HTTP.
    Broken,
    /// The answer is larger than allowed.
    TooLarge,
    /// A redirect was followed, which a transport must not do.
    Redirected,
    /// The request can not be sent at all, as it is.
    Unsendable,
}

/// No whole answer came.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct TransportError {
    kind: TransportErrorKind,
    message: Box<str>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl TransportError {
    /// An error of `kind`. `message` must hold no credential.
    pub fn new(kind: TransportErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into().into_boxed_str(), source: None }
    }

    /// With the error that caused this one. It must hold no credential, nor a URL with one.
    #[must_use]
    pub fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Why no answer came.
    pub fn kind(&self) -> TransportErrorKind {
        self.kind
    }
}
