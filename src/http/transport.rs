use std::{error::Error as StdError, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;

use super::base_url::BaseUrl;
use crate::{Error, Result};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How much memory is reserved for a body before any of it came.
const MAX_RESERVED: usize = 4 * 1024 * 1024;

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
    Certificate,
    /// The transport's own time limit passed.
    Timeout,
    /// The connection broke, before or within the response, or the answer was no HTTP.
    Connection,
    /// The answer is larger than allowed.
    TooLarge,
    /// A redirect was followed, which a transport must not do.
    Redirected,
    /// The request can not be sent at all, as it is.
    InvalidRequest,
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

/// The default transport.
pub(super) struct ReqwestTransport(reqwest::Client);

impl ReqwestTransport {
    /// A client of this crate's own: no redirects, a limit on connecting, proxies as the environment
    /// says (none for loopback).
    pub(super) fn build(base: &BaseUrl) -> Result<Self> {
        check_tls(base)?;
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT);
        if base.is_loopback() {
            builder = builder.no_proxy();
        }
        match builder.build() {
            Ok(client) => Ok(Self(client)),
            Err(error) => {
                Err(Error::config(format!("the HTTP client can not be built: {}", error_chain(&error))))
            }
        }
    }

    /// The application's client, as it is.
    pub(super) fn with(client: reqwest::Client) -> Self {
        Self(client)
    }
}

/// reqwest notices a missing TLS only when it sends, and panics without a provider of cryptography.
fn check_tls(base: &BaseUrl) -> Result<()> {
    let has_tls = cfg!(any(feature = "rustls", feature = "native-tls", feature = "rustls-no-provider"));
    if base.is_https() && !has_tls {
        return Err(Error::config(
            "https needs one of the features rustls, native-tls or rustls-no-provider, \
             or a client of your own (http_client)",
        ));
    }
    #[cfg(all(feature = "rustls-no-provider", not(feature = "rustls")))]
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        return Err(Error::config(
            "the feature rustls-no-provider leaves the choice of a CryptoProvider to the application: \
             call install_default() on one before building a client",
        ));
    }
    Ok(())
}

impl Transport for ReqwestTransport {
    fn send(
        &self,
        request: http::Request<Bytes>,
        body_limit: usize,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let request = reqwest::Request::try_from(request).map_err(failure)?;
            let asked = request.url().clone();
            let mut response = self.0.execute(request).await.map_err(failure)?;
            if *response.url() != asked {
                return Err(TransportError::new(
                    TransportErrorKind::Redirected,
                    "the HTTP client that the application gave followed a redirect; build it with \
                     redirect(Policy::none()), or credentials go where the redirect leads",
                ));
            }
            let too_large = || {
                TransportError::new(
                    TransportErrorKind::TooLarge,
                    format!("the answer has more than {body_limit} bytes"),
                )
            };
            let length = response.content_length().unwrap_or_default();
            if length > body_limit as u64 {
                return Err(too_large());
            }
            // As much as is promised, so that it is not moved while it grows; a promise costs nobody much memory.
            let promised = usize::try_from(length).unwrap_or(usize::MAX).min(MAX_RESERVED);
            let mut body = BytesMut::with_capacity(promised);
            while let Some(chunk) = response.chunk().await.map_err(failure)? {
                if body.len() + chunk.len() > body_limit {
                    return Err(too_large());
                }
                body.extend_from_slice(&chunk);
            }
            let mut response = http::Response::new(body.freeze());
            *response.status_mut() = response.status();
            *response.headers_mut() = std::mem::take(response.headers_mut());
            Ok(response)
        })
    }
}

fn failure(error: reqwest::Error) -> TransportError {
    let kind = match &error {
        error if is_untrusted(error) => TransportErrorKind::Certificate,
        error if error.is_connect() => TransportErrorKind::Connect,
        error if error.is_timeout() => TransportErrorKind::Timeout,
        error if error.is_builder() => TransportErrorKind::InvalidRequest,
        _ => TransportErrorKind::Connection,
    };
    // The URL's query may hold personal data.
    let error = error.without_url();
    let text = match kind {
        TransportErrorKind::Certificate => {
            format!("the server's certificate is refused, so nothing was sent: {}", error_chain(&error))
        }
        _ => error_chain(&error),
    };
    TransportError::new(kind, text).with_source(error)
}

/// Whether it was for the server's certificate that no connection was made. Only rustls tells that apart from
/// other failures; with native-tls, or another TLS in the application's own client, it is never true.
#[cfg(any(feature = "rustls", feature = "rustls-no-provider"))]
fn is_untrusted(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return matches!(
                error,
                rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented
            );
        }
        // An I/O error counts the one that it carries as itself, and so leaves it out of its sources.
        cause = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    false
}

#[cfg(not(any(feature = "rustls", feature = "rustls-no-provider")))]
fn is_untrusted(_: &reqwest::Error) -> bool {
    false
}

/// The error with its causes in one line: reqwest's own text stops at "error sending request".
fn error_chain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
