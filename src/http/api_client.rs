use std::{fmt, future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use secrecy::SecretString;
use serde::{Deserialize, de::DeserializeOwned};
use tokio::time::{Instant, timeout};
use tracing::{Instrument, Span, field};
use url::Url;

use super::{
    ApiRequest, ClientOptions, Clock, ErrorResponse, RetryPolicy, Rows, Transport, TransportErrorKind,
    base_url::BaseUrl,
    body::Body,
    client_options, no_rows,
    rate_limit::RateLimiter,
    read::{read_page_by, read_rows_by},
    read_object,
    redact::Redactor,
    retry::{Cause, Failure},
    retry_after,
};
use crate::{Error, ErrorKind, ListingId, Result, Retryability};

/// The longest header value that common servers accept, in bytes.
const MAX_HEADER_BYTES: usize = 16 * 1024;
/// The longest error body that is parsed, in bytes. Of a longer one only the status and headers are reported:
/// a JSON tree takes many times the memory of its text, and an error shows one line of it.
const MAX_ERROR_BODY: usize = 1024 * 1024;

/// How an API authorises requests and reports errors.
///
/// [`BearerToken`](super::BearerToken) and [`NoAuth`] implement it for common cases.
pub trait Auth: Send + Sync {
    /// What authorises one attempt, such as a token or a key.
    type Credential: Send + Sync;

    /// Obtains a credential. Called before the attempt waits for the rate limit.
    ///
    /// # Errors
    /// An error fails the request. It is not retried.
    fn credential(&self) -> impl Future<Output = Result<Self::Credential>> + Send;

    /// Adds the credential to `request`. Called right before sending, because a signature contains the date.
    ///
    /// Headers with credentials must be marked [sensitive](HeaderValue::set_sensitive), so that they are
    /// redacted.
    ///
    /// # Errors
    /// An error fails the request. It is not retried.
    fn apply(&self, credential: &Self::Credential, request: &mut Request<Bytes>) -> Result<()>;

    /// Handles a 401. Returns whether to replay the request once with another credential.
    fn on_unauthorized(&self, credential: &Self::Credential) -> bool {
        let _ = credential;
        false
    }

    /// Returns secrets to redact from errors in addition to those in the request. The server may know them
    /// from another request.
    fn secrets(&self, credential: &Self::Credential) -> Vec<SecretString> {
        let _ = credential;
        Vec::new()
    }

    /// Parses an error response in the format of the API. A body over 1 MiB is passed as empty.
    ///
    /// By default nothing is read: the error has the status and its standard reason, such as `401: Unauthorized`.
    ///
    /// It is also called for a successful response that cannot be decoded, for its request id.
    fn parse_error(&self, response: &ApiResponse) -> ErrorResponse {
        let _ = response;
        ErrorResponse::default()
    }
}

/// Sends requests unchanged. Credentials, if needed, are already in the request's headers or body.
#[derive(Clone, Copy, Debug)]
pub struct NoAuth(pub(crate) fn(&ApiResponse) -> ErrorResponse);

impl NoAuth {
    /// Sets the function that parses error responses: see [`Auth::parse_error`].
    #[must_use]
    pub fn with_parse_error(mut self, parse: fn(&ApiResponse) -> ErrorResponse) -> Self {
        self.0 = parse;
        self
    }
}

impl Default for NoAuth {
    fn default() -> Self {
        Self(|_| ErrorResponse::default())
    }
}

impl Auth for NoAuth {
    type Credential = ();

    async fn credential(&self) -> Result<()> {
        Ok(())
    }

    fn apply(&self, (): &(), _: &mut Request<Bytes>) -> Result<()> {
        Ok(())
    }

    fn parse_error(&self, response: &ApiResponse) -> ErrorResponse {
        (self.0)(response)
    }
}

/// A client for one HTTP API, with retries, a rate limit, authentication and redacted errors.
///
/// The clients of all providers are built on it, and a [`Paginator`](crate::Paginator) of your own can be
/// too. Clones share the connections and the rate limit.
///
/// ```no_run
/// use std::time::Duration;
///
/// use headcount::{ListingId, Page, Paginator, Result};
/// use headcount::http::{ApiClient, ApiRequest, BearerToken, RateLimit};
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Badge {
///     id: String,
/// }
///
/// /// `GET /badges?cursor=…` returns `{"badges": […], "next": "…"}`.
/// struct Badges {
///     client: ApiClient,
///     auth: BearerToken,
/// }
///
/// impl Badges {
///     fn new(base_url: &str, token: String) -> Result<Self> {
///         let limit = RateLimit::new(100, Duration::from_secs(10));
///         let client =
///             ApiClient::builder("doors").base_url(base_url).rate_limit(limit).build()?;
///         Ok(Self { client, auth: BearerToken::new(token) })
///     }
///
///     fn request(&self, cursor: Option<&String>) -> ApiRequest {
///         ApiRequest::get("/badges").query("limit", Some(100)).query("cursor", cursor)
///     }
/// }
///
/// impl Paginator for Badges {
///     type Item = Badge;
///     type Cursor = String;
///
///     fn listing_id(&self) -> ListingId {
///         self.client.listing_id("tenant 7", &self.request(None))
///     }
///
///     async fn fetch(&self, at: Option<&String>) -> Result<Page<Badge, String>> {
///         #[derive(Deserialize)]
///         struct Envelope {
///             next: Option<String>,
///         }
///         // Called for each attempt: a response that cannot be decoded is retried.
///         let read = |response: &headcount::http::ApiResponse| {
///             response.page::<Badge, Envelope>("badges", "id")
///         };
///         let (rows, envelope) =
///             self.client.send(&self.auth, self.request(at), read).await?;
///         Ok(rows.into_page(envelope.next))
///     }
///
///     fn item_id<'a>(&self, badge: &'a Badge) -> Option<std::borrow::Cow<'a, str>> {
///         Some(badge.id.as_str().into())
///     }
/// }
///
/// # async fn run() -> Result<()> {
/// let badges = Badges::new("https://doors.example", "token".into())?
///     .items()
///     .collect_complete()
///     .await?;
/// # Ok(()) }
/// ```
///
/// The example `custom_provider` is a complete program.
#[derive(Clone)]
pub struct ApiClient {
    provider: &'static str,
    base: BaseUrl,
    transport: Arc<dyn Transport>,
    retry: RetryPolicy,
    limiter: Option<Arc<RateLimiter>>,
    user_agent: HeaderValue,
    body_limit: usize,
    clock: Clock,
}

/// A complete response.
#[derive(Clone)]
pub struct ApiResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
}

impl ApiResponse {
    /// Returns the status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the body, or `None` if it is not UTF-8.
    pub fn text(&self) -> Option<&str> {
        self.body.text().map(|text| text.as_str())
    }

    /// Decodes a body that is a JSON object.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::Decode`] for any other body, such as HTML. The error contains no values of the
    /// body.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        read_object(self, "an object")
    }

    /// Decodes a body that is an array of records.
    ///
    /// A record that cannot be decoded is [`Rejected`](crate::Rejected) and does not affect the others. Its error and
    /// checkpoints identify it by the member `id`, if that is a text.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::Decode`] for any other body.
    pub fn rows<T: DeserializeOwned>(&self, id: &str) -> Result<Rows<T>> {
        read_rows_by(self, Some(id), "an array").map(Rows::untyped)
    }

    /// Decodes a body that is an object with an array of records in `member`, and returns the other members as `Rest`.
    ///
    /// A record that cannot be decoded is [`Rejected`](crate::Rejected) and does not affect the others. Its error and
    /// checkpoints identify it by the member `id`, if that is a text.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::Decode`] for any other body.
    pub fn page<T: DeserializeOwned, Rest: DeserializeOwned>(
        &self,
        member: &str,
        id: &str,
    ) -> Result<(Rows<T>, Rest)> {
        let expected = format!("an object with {member}");
        let (rows, rest) = read_page_by(self, member, Some(id), &expected)?;
        Ok((rows.map(Rows::untyped).ok_or_else(|| no_rows(self, member, &expected))?, rest))
    }

    fn clear_large_body(&mut self) {
        if self.body.len() > MAX_ERROR_BODY {
            self.body = Body::empty();
        }
    }
}

/// Prints the status and the length of the body. Headers and body may contain credentials.
impl fmt::Debug for ApiResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiResponse")
            .field("status", &self.status)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl ApiClient {
    /// Returns a builder. `provider` is the name in errors, traces and listing ids.
    pub fn builder(provider: &'static str) -> ApiClientBuilder {
        ApiClientBuilder { provider, options: ClientOptions::new("") }
    }

    pub(crate) fn new(provider: &'static str, options: &ClientOptions) -> Result<Self> {
        let build = || {
            let base = options.base()?;
            Ok(Self {
                provider,
                transport: options.build_transport(&base)?,
                base,
                retry: options.retry.clone(),
                limiter: options.rate_limit.map(RateLimiter::new).map(Arc::new),
                user_agent: options.user_agent()?,
                body_limit: options.body_limit,
                clock: options.clock.clone(),
            })
        };
        build().map_err(|error: Error| error.with_provider(provider))
    }

    /// Creates the client of a provider whose requests have a version in their paths.
    pub(crate) fn versioned(provider: &'static str, options: &ClientOptions) -> Result<Self> {
        let api = Self::new(provider, options)?;
        api.context(api.base.reject_version())?;
        Ok(api)
    }

    /// Returns the base URL.
    pub fn base_url(&self) -> &str {
        self.base.as_str()
    }

    /// Returns the URL of a request. It is the base for [`next_link`](super::next_link).
    ///
    /// # Errors
    /// Fails with [`ErrorKind::Config`] if the URL has more than 8 KiB.
    pub fn url(&self, request: &ApiRequest) -> Result<Url> {
        self.context(self.base.join(&request.path, request.query_string().as_deref()))
    }

    /// Creates a GET request for a URL under the base URL, such as a [`next_link`](super::next_link).
    ///
    /// Its query is sent unchanged. Headers of an earlier request have to be added again.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::Decode`] if the URL is elsewhere: it would receive the credentials.
    pub fn get(&self, url: &Url) -> Result<ApiRequest> {
        let elsewhere = || Error::decode(format!("expected a URL under {}, got another", self.base.as_str()));
        let path = self.context(self.base.path_of(url).ok_or_else(elsewhere))?;
        let mut request = ApiRequest::get(path);
        request.raw_query = url.query().map(str::to_owned);
        Ok(request)
    }

    /// Returns the id of the listing that starts with the request `first`, as seen by `principal`.
    ///
    /// `principal` is whatever determines which items are visible, such as a tenant or a client id. It must not be
    /// secret. The base URL and every part of the request are included, except sensitive headers, so no filter can
    /// be missed. A header that differs in each run, such as a date, must not be in `first`.
    pub fn listing_id(&self, principal: &str, first: &ApiRequest) -> ListingId {
        self.try_listing_id(principal, Ok(first), &[])
    }

    /// Like [`listing_id`](Self::listing_id), for a request that may be invalid.
    ///
    /// The message of the error then takes its place. `extra` distinguishes listings that have the same
    /// request, such as by a client option.
    pub(crate) fn try_listing_id(
        &self,
        principal: &str,
        first: Result<&ApiRequest, &Error>,
        extra: &[(&str, &str)],
    ) -> ListingId {
        let (body, query, headers);
        let mut parts = vec![("base_url", self.base.as_str()), ("principal", principal)];
        match first {
            Ok(request) => {
                (body, query) = (request.body.escape_ascii().to_string(), request.query_string());
                parts.extend([
                    ("method", request.method.as_str()),
                    ("path", &*request.path),
                    ("body", &*body),
                ]);
                parts.push(("query", query.as_deref().unwrap_or_default()));
                // Such as the one of a tenant. A credential must not be part of the id.
                let public = request.headers.iter().filter(|(_, value)| !value.is_sensitive());
                headers = public
                    .map(|(name, value)| (name.as_str(), value.as_bytes().escape_ascii().to_string()))
                    .collect::<Vec<_>>();
                parts.extend(headers.iter().map(|(name, value)| (*name, value.as_str())));
            }
            Err(error) => parts.push(("error", error.message())),
        }
        // A separator, so that `extra` cannot be mistaken for headers of the same names.
        parts.push(("extra", ""));
        parts.extend_from_slice(extra);
        ListingId::new(self.provider, parts)
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Attaches the provider to an error from outside a request. Errors of [`send`](Self::send) already have
    /// it.
    pub(crate) fn context<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| error.with_provider(self.provider))
    }

    /// Sends `request` with retries until `read` accepts the response or the [`RetryPolicy`] gives up.
    ///
    /// `read` is called with each successful response. Its [`ErrorKind::Decode`] errors are retried like a
    /// broken connection.
    ///
    /// # Errors
    /// Those of the module's [table](super#errors-and-retries), and other errors of `read`.
    pub async fn send<T>(
        &self,
        auth: &impl Auth,
        request: ApiRequest,
        read: impl Fn(&ApiResponse) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        self.context(self.send_with_retries(auth, &request, &read).await)
    }

    /// Like [`send`](Self::send), for a request that may be invalid.
    pub(crate) async fn try_send<T>(
        &self,
        auth: &impl Auth,
        request: Result<ApiRequest>,
        read: impl Fn(&ApiResponse) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        self.send(auth, self.context(request)?, read).await
    }

    async fn send_with_retries<T>(
        &self,
        auth: &impl Auth,
        request: &ApiRequest,
        read: &(impl Fn(&ApiResponse) -> Result<T> + Send + Sync),
    ) -> Result<T> {
        let start = Instant::now();
        // Waits for a token, the rate limit or a `Retry-After` do not count against the total timeout.
        let mut excluded = Duration::ZERO;
        let mut attempt = 0;
        let mut replayed = false;
        loop {
            attempt += 1;
            let wait_start = Instant::now();
            let credential = auth.credential().await?;
            if let Some(limiter) = self.limiter.as_ref().filter(|_| request.rate_limited) {
                // Last, because the limiter records the time at which it returns as the time of sending.
                let provider = self.provider;
                limiter
                    .acquire(|wait| {
                        tracing::debug!(provider, wait_ms = millis(wait), "waiting for the rate limit");
                    })
                    .await;
            }
            excluded = excluded.saturating_add(wait_start.elapsed());
            let mut http_request = self.http_request(request)?;
            auth.apply(&credential, &mut http_request)?;
            check_headers(http_request.headers())?;
            // Lazy, because most attempts succeed and redact nothing.
            let headers = http_request.headers().clone();
            let redactor = || {
                let secrets = request.secrets.iter().cloned().chain(auth.secrets(&credential));
                Redactor::new(&headers, secrets)
            };
            let remaining = self.retry.total_timeout.saturating_sub(start.elapsed().saturating_sub(excluded));
            let limit = self.retry.attempt_timeout.min(remaining);
            let span = AttemptSpan::new(self.provider, &request.method, &self.base, attempt);
            let outcome = self.attempt(auth, http_request, &redactor, limit, read, &span);
            let failure = match outcome.instrument(span.0.clone()).await {
                Ok(value) => return Ok(value),
                Err(failure) => failure,
            };
            span.record_error(&failure.error);
            drop(span);
            if failure.cause == Cause::Status(401) && !replayed {
                replayed = auth.on_unauthorized(&credential);
                if replayed {
                    continue;
                }
            }
            let elapsed = start.elapsed().saturating_sub(excluded);
            let retry_after = failure.error.retry_after().unwrap_or_default();
            match self.retry.decide(&failure, request.idempotent, attempt, elapsed, fastrand::f64()) {
                Ok(wait) => {
                    let kind = failure.error.kind();
                    tracing::debug!(
                        provider = self.provider,
                        attempt,
                        ?kind,
                        http.response.status_code = failure.error.status(),
                        http.request.method = request.method.as_str(),
                        server.address = self.base.host(),
                        wait_ms = millis(wait),
                        "retrying request"
                    );
                    tokio::time::sleep(wait).await;
                    excluded = excluded.saturating_add(retry_after);
                }
                Err(retryability) => {
                    let mut error = failure.error.with_retryability(retryability);
                    if retry_after > self.retry.max_retry_after
                        && matches!(retryability, Retryability::Retryable | Retryability::Exhausted)
                    {
                        error = error.into_kind(ErrorKind::Throttled);
                    }
                    let target = format!("{} {}{}", request.method, self.base.as_str(), request.path);
                    return Err(error.with_effort(&target, attempt, start.elapsed()));
                }
            }
        }
    }

    async fn attempt<T>(
        &self,
        auth: &impl Auth,
        request: Request<Bytes>,
        redactor: &(impl Fn() -> Redactor + Sync),
        limit: Duration,
        read: &(impl Fn(&ApiResponse) -> Result<T> + Send + Sync),
        span: &AttemptSpan,
    ) -> Result<T, Failure> {
        let method = request.method().clone();
        let mut response = match timeout(limit, self.transport.send(request, self.body_limit)).await {
            Err(_) => {
                let message = format!("timed out after {:.1} s", limit.as_secs_f32());
                return Err(Failure {
                    cause: Cause::NoResponse,
                    error: Error::new(ErrorKind::Timeout, message),
                });
            }
            Ok(Err(error)) => {
                let (kind, cause) = match error.kind() {
                    TransportErrorKind::Connect => (ErrorKind::Transport, Cause::NotSent),
                    TransportErrorKind::Certificate => (ErrorKind::Transport, Cause::InvalidRequest),
                    TransportErrorKind::Timeout => (ErrorKind::Timeout, Cause::NoResponse),
                    TransportErrorKind::Connection => (ErrorKind::Transport, Cause::NoResponse),
                    TransportErrorKind::TooLarge => (ErrorKind::Decode, Cause::InvalidResponse),
                    TransportErrorKind::Redirected => (ErrorKind::Config, Cause::InvalidResponse),
                    TransportErrorKind::InvalidRequest => (ErrorKind::Config, Cause::InvalidRequest),
                };
                let message = redactor().redact(&error.to_string());
                return Err(Failure { cause, error: Error::new(kind, message).with_source(error) });
            }
            Ok(Ok(response)) => {
                let (parts, body) = response.into_parts();
                span.record_response(parts.status, body.len());
                ApiResponse { status: parts.status, headers: parts.headers, body: body.into() }
            }
        };
        if response.status.is_success() {
            return check_success(&method, response.status).and_then(|()| read(&response)).map_err(|error| {
                response.clear_large_body();
                let request_id = redactor().redact_opt(auth.parse_error(&response).request_id);
                let cause = if error.kind() == ErrorKind::Decode {
                    Cause::NoResponse
                } else {
                    Cause::InvalidResponse
                };
                Failure { cause, error: error.with_request_id(request_id) }
            });
        }
        response.clear_large_body();
        let mut error_response = auth.parse_error(&response);
        error_response.retry_after =
            error_response.retry_after.or_else(|| retry_after::read(&response.headers, self.clock.now()));
        let cause = Cause::Status(response.status.as_u16());
        Err(Failure { cause, error: error_response.into_error(&response, &redactor()) })
    }

    fn http_request(&self, request: &ApiRequest) -> Result<Request<Bytes>> {
        let url = self.url(request)?;
        let mut http_request = Request::new(request.body.clone());
        *http_request.method_mut() = request.method.clone();
        *http_request.uri_mut() =
            url.as_str().parse().map_err(|error| Error::config("invalid request URL").with_source(error))?;
        let headers = http_request.headers_mut();
        headers.insert(header::USER_AGENT, self.user_agent.clone());
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        for (name, value) in &request.headers {
            headers.insert(name, value.clone());
        }
        Ok(http_request)
    }
}

impl fmt::Debug for ApiClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiClient")
            .field("provider", &self.provider)
            .field("base_url", &self.base.as_str())
            .finish_non_exhaustive()
    }
}

/// Builds an [`ApiClient`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until build() is called"]
pub struct ApiClientBuilder {
    provider: &'static str,
    options: ClientOptions,
}

impl ApiClientBuilder {
    /// Sets the base URL, with or without a path prefix. Required.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.options.base_url = url.into();
        self
    }

    client_options!();

    /// Builds the client. Sends no requests.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::Config`] if the base URL or an option is invalid.
    pub fn build(self) -> Result<ApiClient> {
        ApiClient::new(self.provider, &self.options)
    }
}

/// Rejects successes that no provider documents. A 206, for example, is part of a page and would be read as a
/// whole one.
fn check_success(method: &Method, status: StatusCode) -> Result<()> {
    match status.as_u16() {
        // Readers that need a body reject an empty one.
        200 | 204 => Ok(()),
        201 | 202 | 207 if *method != Method::GET => Ok(()),
        other => Err(Error::decode(format!(
            "unexpected status {status}: not a documented success for this request"
        ))
        .with_status(other)),
    }
}

/// Rejects headers that are too long. Servers reject them in various ways, mostly without naming the header.
fn check_headers(headers: &HeaderMap) -> Result<()> {
    for (name, value) in headers {
        if value.len() > MAX_HEADER_BYTES {
            return Err(Error::config(format!(
                "header {name} has {} bytes; servers reject more than {MAX_HEADER_BYTES}",
                value.len()
            )));
        }
    }
    Ok(())
}

/// Returns whole milliseconds, which a subscriber can add.
fn millis(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)
}

/// The span of one attempt, with OpenTelemetry's field names for HTTP clients.
///
/// It records the fields listed here and nothing else. Paths and queries contain ids and filters, so they are
/// left out, as are headers, bodies and error texts.
struct AttemptSpan(Span);

impl AttemptSpan {
    fn new(provider: &str, method: &Method, base: &BaseUrl, attempt: u32) -> Self {
        let resend_count = attempt.saturating_sub(1);
        Self(tracing::debug_span!(
            "request",
            otel.kind = "client",
            otel.name = method.as_str(),
            provider,
            http.request.method = method.as_str(),
            http.request.resend_count = (resend_count > 0).then_some(resend_count),
            http.response.status_code = field::Empty,
            body_bytes = field::Empty,
            server.address = base.host(),
            server.port = base.port(),
            error.r#type = field::Empty,
        ))
    }

    fn record_response(&self, status: StatusCode, body_bytes: usize) {
        self.0.record("http.response.status_code", status.as_u16());
        self.0.record("body_bytes", body_bytes);
    }

    /// Records `error.type` as OpenTelemetry defines it: the status if the response has an error status,
    /// otherwise the error kind.
    fn record_error(&self, error: &Error) {
        match error.status() {
            Some(status) if status >= 300 => self.0.record("error.type", field::display(status)),
            _ => self.0.record("error.type", field::debug(error.kind())),
        };
    }
}

#[cfg(test)]
mod tests {
    use futures::future::BoxFuture;

    use super::*;
    use crate::http::TransportError;

    fn api(provider: &'static str, base_url: &str) -> ApiClient {
        ApiClient::new(provider, &ClientOptions::new(base_url)).unwrap()
    }

    /// Responds to every request with 429 and a `Retry-After` of 100 s.
    struct Throttling;

    impl Transport for Throttling {
        fn send(
            &self,
            _: Request<Bytes>,
            _: usize,
        ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
            let mut response = http::Response::new(Bytes::new());
            *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("100"));
            Box::pin(std::future::ready(Ok(response)))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn provider_retry_after_overrides_header() {
        let mut options = ClientOptions::new("https://here.example");
        options.transport = Some(Arc::new(Throttling));
        options.retry = RetryPolicy::none();
        let api = ApiClient::new("here", &options).unwrap();
        let parse_error = |_: &ApiResponse| ErrorResponse {
            retry_after: Some(Duration::from_secs(5)),
            ..ErrorResponse::default()
        };
        for (auth, seconds) in [(NoAuth(|_| ErrorResponse::default()), 100), (NoAuth(parse_error), 5)] {
            let error = api.try_send(&auth, Ok(ApiRequest::get("/")), |_| Ok(())).await.unwrap_err();
            assert_eq!(error.retry_after(), Some(Duration::from_secs(seconds)));
            assert_eq!((error.kind(), error.provider()), (ErrorKind::Throttled, Some("here".into())));
        }
        let invalid = api.try_send(&NoAuth(parse_error), Err(Error::config("no")), |_| Ok(())).await;
        assert_eq!(invalid.unwrap_err().provider(), Some("here".into()));
    }

    #[test]
    fn listing_id_covers_whole_request() {
        let here = api("here", "https://here.example");
        let first = || ApiRequest::get("/accounts").query("limit", Some(10)).query("name", Some("a"));
        let same = here.try_listing_id("ada", Ok(&first()), &[]);
        assert_eq!(same, here.try_listing_id("ada", Ok(&first()), &[]));
        assert_eq!(same.provider(), "here");
        let mut body = first();
        body.body = Bytes::from_static(b"{}");
        let mut method = first();
        method.method = http::Method::POST;
        let others = [
            api("there", "https://here.example").try_listing_id("ada", Ok(&first()), &[]),
            api("here", "https://there.example").try_listing_id("ada", Ok(&first()), &[]),
            here.try_listing_id("bob", Ok(&first()), &[]),
            here.try_listing_id("ada", Ok(&ApiRequest::get("/accounts").query("limit", Some(10))), &[]),
            here.try_listing_id(
                "ada",
                Ok(&ApiRequest::get("/others").query("limit", Some(10)).query("name", Some("a"))),
                &[],
            ),
            here.try_listing_id("ada", Ok(&first().query("overlap", Some("x"))), &[]),
            here.try_listing_id("ada", Ok(&first()), &[("overlap", "x")]),
            here.try_listing_id("ada", Ok(&method), &[]),
            here.try_listing_id("ada", Ok(&body), &[]),
            here.try_listing_id("ada", Err(&Error::config("no")), &[]),
        ];
        let different: std::collections::HashSet<_> = others.iter().chain([&same]).collect();
        assert_eq!(different.len(), others.len() + 1);
    }
}
