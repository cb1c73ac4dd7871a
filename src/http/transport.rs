use std::{error::Error as StdError, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;

use super::base_url::BaseUrl;
use crate::{Error, Result};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The maximum memory to reserve for a body before receiving it, in bytes.
const MAX_RESERVED_BYTES: usize = 4 * 1024 * 1024;

/// Sends HTTP requests. The default implementation uses reqwest.
///
/// The client does everything else: rate limits, tokens, signatures, retries and timeouts. A transport
/// therefore sends each request once. It must not follow redirects, which would send credentials to another
/// host. It must not log headers marked [sensitive](http::HeaderValue::is_sensitive).
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// use headcount::http::{BoxFuture, Bytes, Request, Response, Transport, TransportError};
///
/// /// Counts the bytes of bodies.
/// struct Counting<T> {
///     inner: T,
///     sent: AtomicUsize,
///     received: AtomicUsize,
/// }
///
/// impl<T: Transport> Transport for Counting<T> {
///     fn send(
///         &self,
///         request: Request<Bytes>,
///         body_limit: usize,
///     ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
///         self.sent.fetch_add(request.body().len(), Ordering::Relaxed);
///         Box::pin(async move {
///             let response = self.inner.send(request, body_limit).await?;
///             self.received.fetch_add(response.body().len(), Ordering::Relaxed);
///             Ok(response)
///         })
///     }
/// }
/// ```
///
/// To read the counts, keep an [`Arc`] of it: that is a transport, too.
pub trait Transport: Send + Sync + 'static {
    /// Sends `request` and returns the complete response.
    ///
    /// # Errors
    /// [`TooLarge`](TransportErrorKind::TooLarge) if the body has more than `body_limit` bytes after
    /// decompression.
    fn send(
        &self,
        request: http::Request<Bytes>,
        body_limit: usize,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>>;
}

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn send(
        &self,
        request: http::Request<Bytes>,
        body_limit: usize,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        (**self).send(request, body_limit)
    }
}

/// Why a request failed without a complete response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// No connection could be established. The request was not sent.
    Connect,
    /// The server's certificate is invalid or not trusted. The request was not sent, and another attempt
    /// would fail in the same way.
    Certificate,
    /// The transport's own time limit was exceeded.
    Timeout,
    /// The connection broke before or during the response, or the response is not valid HTTP.
    Connection,
    /// The response is larger than allowed.
    TooLarge,
    /// A redirect was followed, which a transport must not do.
    Redirected,
    /// The request is invalid and cannot be sent.
    InvalidRequest,
}

/// A request failed without a complete response.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct TransportError {
    kind: TransportErrorKind,
    message: Box<str>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl TransportError {
    /// Creates an error of `kind`. `message` must not contain credentials.
    pub fn new(kind: TransportErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into().into_boxed_str(), source: None }
    }

    /// Sets the cause. It must not contain credentials or a URL with credentials.
    #[must_use]
    pub fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> TransportErrorKind {
        self.kind
    }
}

/// The default transport, which sends requests with a [`reqwest::Client`].
///
/// It can be wrapped by a [`Transport`] of your own:
///
/// ```
/// # #[cfg(all(feature = "annature", feature = "rustls"))] {
/// use headcount::annature;
/// use headcount::http::{
///     BoxFuture, Bytes, Request, ReqwestTransport, Response, Transport, TransportError,
/// };
///
/// struct Logged(ReqwestTransport);
///
/// impl Transport for Logged {
///     fn send(
///         &self,
///         request: Request<Bytes>,
///         body_limit: usize,
///     ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
///         eprintln!("{} {}", request.method(), request.uri().path());
///         self.0.send(request, body_limit)
///     }
/// }
///
/// # fn main() -> headcount::Result<()> {
/// let transport = Logged(ReqwestTransport::new("https://api.annature.com.au")?);
/// let client =
///     annature::Client::builder().id("id").key("key").transport(transport).build()?;
/// # Ok(()) }
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ReqwestTransport(reqwest::Client);

impl ReqwestTransport {
    /// Creates the transport that clients use by default for the host of `base_url`.
    ///
    /// It does not follow redirects, connects within 10 seconds, and uses the proxies of the environment
    /// unless the host is a loopback address.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::Config`](crate::ErrorKind::Config) if the URL is invalid or TLS is not
    /// available.
    pub fn new(base_url: &str) -> Result<Self> {
        Self::for_base(&BaseUrl::parse(base_url, true)?)
    }

    pub(super) fn for_base(base: &BaseUrl) -> Result<Self> {
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
                Err(Error::config(format!("failed to build the HTTP client: {}", error_chain(&error))))
            }
        }
    }
}

/// Uses the application's client unchanged.
impl From<reqwest::Client> for ReqwestTransport {
    fn from(client: reqwest::Client) -> Self {
        Self(client)
    }
}

/// Checks that TLS is available. reqwest detects missing TLS only when it sends, and panics without a
/// `CryptoProvider`.
fn check_tls(base: &BaseUrl) -> Result<()> {
    let has_tls = cfg!(any(feature = "rustls", feature = "native-tls", feature = "rustls-no-provider"));
    if base.is_https() && !has_tls {
        return Err(Error::config(
            "https requires one of the features rustls, native-tls or rustls-no-provider, \
             or a custom client (http_client)",
        ));
    }
    #[cfg(all(feature = "rustls-no-provider", not(feature = "rustls")))]
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        return Err(Error::config(
            "no CryptoProvider is installed, which the feature rustls-no-provider requires: \
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
            let request = reqwest::Request::try_from(request).map_err(transport_error)?;
            let url = request.url().clone();
            let mut response = self.0.execute(request).await.map_err(transport_error)?;
            if *response.url() != url {
                return Err(TransportError::new(
                    TransportErrorKind::Redirected,
                    "the application's HTTP client followed a redirect; build it with \
                     redirect(Policy::none()), so that credentials are not sent to the redirect's target",
                ));
            }
            let too_large = || {
                TransportError::new(
                    TransportErrorKind::TooLarge,
                    format!("the response has more than {body_limit} bytes"),
                )
            };
            let length = response.content_length().unwrap_or_default();
            if length > body_limit as u64 {
                return Err(too_large());
            }
            // Avoids moving the body as it grows. Bounded, because a server may announce any length.
            let capacity = usize::try_from(length).unwrap_or(usize::MAX).min(MAX_RESERVED_BYTES);
            let mut body = BytesMut::with_capacity(capacity);
            while let Some(chunk) = response.chunk().await.map_err(transport_error)? {
                if body.len() + chunk.len() > body_limit {
                    return Err(too_large());
                }
                body.extend_from_slice(&chunk);
            }
            let mut complete = http::Response::new(body.freeze());
            *complete.status_mut() = response.status();
            *complete.headers_mut() = std::mem::take(response.headers_mut());
            Ok(complete)
        })
    }
}

fn transport_error(error: reqwest::Error) -> TransportError {
    let kind = match &error {
        error if is_certificate_error(error) => TransportErrorKind::Certificate,
        error if error.is_connect() => TransportErrorKind::Connect,
        error if error.is_timeout() => TransportErrorKind::Timeout,
        error if error.is_builder() => TransportErrorKind::InvalidRequest,
        _ => TransportErrorKind::Connection,
    };
    // The URL's query may contain personal data.
    let error = error.without_url();
    let message = match kind {
        TransportErrorKind::Certificate => {
            format!("invalid server certificate, so nothing was sent: {}", error_chain(&error))
        }
        _ => error_chain(&error),
    };
    TransportError::new(kind, message).with_source(error)
}

/// Returns whether the connection failed because of the server's certificate. Only rustls reports this. With
/// native-tls, or with another TLS library in the application's own client, it is always `false`.
#[cfg(any(feature = "rustls", feature = "rustls-no-provider"))]
fn is_certificate_error(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return matches!(
                error,
                rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented
            );
        }
        // `source` of an I/O error skips the error that it wraps.
        cause = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    false
}

#[cfg(not(any(feature = "rustls", feature = "rustls-no-provider")))]
fn is_certificate_error(_: &reqwest::Error) -> bool {
    false
}

/// Returns the texts of the error and its causes on one line. reqwest's own text ends at "error sending
/// request".
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
