use std::{future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use secrecy::SecretString;
use tokio::time::{Instant, timeout};
use tracing::{Instrument, Span, field};

use super::{
    ApiRequest, ClientOptions, Clock, ErrorResponse, RetryPolicy, Transport, TransportErrorKind,
    base_url::BaseUrl,
    body::Body,
    rate_limit::RateLimiter,
    redact::Redactor,
    retry::{Cause, Failure},
    retry_after,
};
use crate::{Error, ErrorKind, ListingId, Result, Retryability};

/// What common servers take of one header, in bytes.
const MAX_HEADER: usize = 16 * 1024;
/// A failure with a longer body, in bytes, is told by its status and headers alone: a tree of JSON takes many times
/// the memory of its text, and an error has one line of it.
const MAX_PROBLEM: usize = 1024 * 1024;

/// What a provider adds to the way of a request.
pub(crate) trait Auth: Send + Sync {
    /// What authorises one attempt: a token, a key, or nothing but the service itself.
    type Credential: Send + Sync;

    /// Obtains a credential, before the attempt waits for the rate limit.
    fn credential(&self) -> impl Future<Output = Result<Self::Credential>> + Send;

    /// Puts credentials on `request`, right before it is sent: a signature holds its date.
    fn apply(&self, credential: &Self::Credential, request: &mut Request<Bytes>) -> Result<()>;

    /// Called after a 401: whether to replay the request once, with another credential.
    fn on_unauthorized(&self, credential: &Self::Credential) -> bool {
        let _ = credential;
        false
    }

    /// Secrets that the request does not hold, to be kept out of its errors as well: a server may know them from
    /// another.
    fn secrets(&self, credential: &Self::Credential) -> Vec<SecretString> {
        let _ = credential;
        Vec::new()
    }

    /// Reads a failure in the provider's own shapes. The body is empty if it was a very long one.
    fn parse_error(&self, response: &ApiResponse) -> ErrorResponse;
}

/// Sends requests as they are: their credentials, if they need any, are in their headers or body. It holds what
/// reads a failure.
pub(crate) struct NoAuth(pub(crate) fn(&ApiResponse) -> ErrorResponse);

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

/// The way to one provider: base URL, transport, limits. Shared by a client's clones.
pub(crate) struct ApiClient {
    provider: &'static str,
    base: BaseUrl,
    transport: Arc<dyn Transport>,
    retry: RetryPolicy,
    limiter: Option<RateLimiter>,
    user_agent: HeaderValue,
    body_limit: usize,
    clock: Clock,
}

/// A whole answer.
pub(crate) struct ApiResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
}

impl ApiResponse {
    fn clear_large_body(&mut self) {
        if self.body.len() > MAX_PROBLEM {
            self.body = Body::empty();
        }
    }
}

impl ApiClient {
    pub(crate) fn new(provider: &'static str, options: &ClientOptions) -> Result<Self> {
        let open = || {
            let base = options.base()?;
            Ok(Self {
                provider,
                transport: options.open_transport(&base)?,
                base,
                retry: options.retry.clone(),
                limiter: options.rate_limit.map(RateLimiter::new),
                user_agent: options.user_agent()?,
                body_limit: options.body_limit,
                clock: options.clock.clone(),
            })
        };
        open().map_err(|error: Error| error.with_provider(provider))
    }

    pub(crate) fn base_url(&self) -> &str {
        self.base.as_str()
    }

    /// The identity of the listing whose first request is `first`, as `principal` may see it. Everything that
    /// the request says is part of it, so no filter can be left out. `extra`: what else tells listings apart,
    /// such as an option of the client that changes what is listed and not the request.
    ///
    /// A request that could not be made lists nothing: its listing is named by the error.
    pub(crate) fn listing_id(
        &self,
        principal: &str,
        first: &Result<ApiRequest>,
        extra: &[(&str, &str)],
    ) -> ListingId {
        let body;
        let mut facts = vec![("base_url", self.base.as_str()), ("principal", principal)];
        match first {
            Ok(call) => {
                body = String::from_utf8_lossy(&call.body);
                facts.extend([("method", call.method.as_str()), ("path", &*call.path), ("body", &*body)]);
                facts.extend(call.query.iter().map(|(name, value)| (*name, value.as_str())));
            }
            Err(error) => facts.push(("error", error.message())),
        }
        // Told from the query's parameters, whatever they are called.
        facts.push(("extra", ""));
        facts.extend_from_slice(extra);
        ListingId::new(self.provider, facts)
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Attaches the provider to an error that was made before or after a request. Those of [`send`](Self::send) have
    /// it already.
    pub(crate) fn context<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| error.with_provider(self.provider))
    }

    /// Sends `call`, if it is one, until `read` takes the response, or nothing more can be done.
    pub(crate) async fn send<T>(
        &self,
        auth: &impl Auth,
        call: Result<ApiRequest>,
        read: impl Fn(&ApiResponse) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        let call = self.context(call)?;
        self.context(self.deliver(auth, &call, &read).await)
    }

    async fn deliver<T>(
        &self,
        auth: &impl Auth,
        call: &ApiRequest,
        read: &(impl Fn(&ApiResponse) -> Result<T> + Send + Sync),
    ) -> Result<T> {
        let began = Instant::now();
        // Waits that are not this client's own choice do not count against the time it has.
        let mut excused = Duration::ZERO;
        let mut attempt = 0;
        let mut replayed = false;
        loop {
            attempt += 1;
            let waits = Instant::now();
            let credential = auth.credential().await?;
            if let Some(limiter) = self.limiter.as_ref().filter(|_| call.limited) {
                // The last wait before the request is sent.
                limiter.acquire().await;
            }
            excused = excused.saturating_add(waits.elapsed());
            let mut request = self.request(call)?;
            auth.apply(&credential, &mut request)?;
            check_headers(request.headers())?;
            // Made only where something is to be redacted: most attempts succeed.
            let headers = request.headers().clone();
            let redactor = || {
                let secrets = call.secrets.iter().cloned().chain(auth.secrets(&credential));
                Redactor::new(&headers, secrets)
            };
            let left = self.retry.total_timeout.saturating_sub(began.elapsed().saturating_sub(excused));
            let limit = self.retry.attempt_timeout.min(left);
            let span = AttemptSpan::new(self.provider, &call.method, &self.base, attempt);
            let tried = self.attempt(auth, request, &redactor, limit, read, &span);
            let failure = match tried.instrument(span.0.clone()).await {
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
            let spent = began.elapsed().saturating_sub(excused);
            let asked = failure.error.retry_after().unwrap_or_default();
            match self.retry.decide(&failure, call.idempotent, attempt, spent, fastrand::f64()) {
                Ok(wait) => {
                    let kind = failure.error.kind();
                    tracing::debug!(provider = self.provider, attempt, ?kind, ?wait, "to be sent again");
                    tokio::time::sleep(wait).await;
                    excused = excused.saturating_add(asked);
                }
                Err(retry) => {
                    let mut error = failure.error.with_retryability(retry);
                    if asked > self.retry.max_retry_after
                        && matches!(retry, Retryability::Retryable | Retryability::Exhausted)
                    {
                        error = error.into_kind(ErrorKind::Throttled);
                    }
                    let target = format!("{} {}{}", call.method, self.base.as_str(), call.path);
                    return Err(error.with_effort(&target, attempt, began.elapsed()));
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
                let text = format!("no whole answer within {:.1} s", limit.as_secs_f32());
                return Err(Failure {
                    cause: Cause::NoResponse,
                    error: Error::new(ErrorKind::Timeout, text),
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
                let text = redactor().redact(&error.to_string());
                return Err(Failure { cause, error: Error::new(kind, text).with_source(error) });
            }
            Ok(Ok(response)) => {
                let (parts, body) = response.into_parts();
                span.record_status(parts.status);
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
        let mut problem = auth.parse_error(&response);
        problem.retry_after =
            problem.retry_after.or_else(|| retry_after::read(&response.headers, self.clock.now()));
        let cause = Cause::Status(response.status.as_u16());
        Err(Failure { cause, error: problem.into_error(&response, &redactor()) })
    }

    fn request(&self, call: &ApiRequest) -> Result<Request<Bytes>> {
        let url = self.base.join(&call.path, &call.query)?;
        let mut request = Request::new(call.body.clone());
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = url
            .as_str()
            .parse()
            .map_err(|error| Error::config("the request's URL can not be sent").with_source(error))?;
        let headers = request.headers_mut();
        headers.insert(header::USER_AGENT, self.user_agent.clone());
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        for (name, value) in &call.headers {
            headers.insert(name, value.clone());
        }
        Ok(request)
    }
}

/// Refuses a success that no provider documents: a 206 is a part of a page, which would be read as the whole.
fn check_success(method: &Method, status: StatusCode) -> Result<()> {
    match status.as_u16() {
        // Whoever reads a body refuses an empty one.
        200 | 204 => Ok(()),
        201 | 202 | 207 if *method != Method::GET => Ok(()),
        other => Err(Error::decode(format!(
            "the status {status} is none of those that this request is answered with"
        ))
        .with_status(other)),
    }
}

/// Servers refuse longer headers, each in its own way, and mostly without saying which one it was.
fn check_headers(headers: &HeaderMap) -> Result<()> {
    for (name, value) in headers {
        if value.len() > MAX_HEADER {
            return Err(Error::config(format!(
                "the header {name} would have {} bytes, and servers refuse more than {MAX_HEADER}",
                value.len()
            )));
        }
    }
    Ok(())
}

/// The span of one attempt, in OpenTelemetry's names for an HTTP client.
///
/// What is recorded is listed here, and nothing else ever is: no path and no query (they hold ids and
/// filters), no header, no body, no text of an error.
struct AttemptSpan(Span);

impl AttemptSpan {
    fn new(provider: &str, method: &Method, base: &BaseUrl, attempt: u32) -> Self {
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

    fn record_status(&self, status: StatusCode) {
        self.0.record("http.response.status_code", status.as_u16());
    }

    /// As OpenTelemetry has it: the status if it tells the failure, and else a word for it.
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

    /// Answers every request with 429 and a `Retry-After` of 100 s.
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
    async fn a_wait_of_the_providers_own_goes_first() {
        let mut options = ClientOptions::new("https://here.example");
        options.transport = Some(Arc::new(Throttling));
        options.retry = RetryPolicy::none();
        let api = ApiClient::new("here", &options).unwrap();
        let own = |_: &ApiResponse| ErrorResponse {
            retry_after: Some(Duration::from_secs(5)),
            ..ErrorResponse::default()
        };
        for (auth, seconds) in [(NoAuth(|_| ErrorResponse::default()), 100), (NoAuth(own), 5)] {
            let error = api.send(&auth, Ok(ApiRequest::get("/")), |_| Ok(())).await.unwrap_err();
            assert_eq!(error.retry_after(), Some(Duration::from_secs(seconds)));
            assert_eq!((error.kind(), error.provider()), (ErrorKind::Throttled, Some("here")));
        }
        let unmade = api.send(&NoAuth(own), Err(Error::config("no")), |_| Ok(())).await;
        assert_eq!(unmade.unwrap_err().provider(), Some("here"));
    }

    #[test]
    fn a_scope_is_all_the_first_request_says() {
        let here = api("here", "https://here.example");
        let first = || ApiRequest::get("/accounts").query("limit", Some(10)).query("name", Some("a"));
        let same = here.listing_id("ada", &Ok(first()), &[]);
        assert_eq!(same, here.listing_id("ada", &Ok(first()), &[]));
        assert_eq!(same.provider(), "here");
        let mut body = first();
        body.body = Bytes::from_static(b"{}");
        let mut method = first();
        method.method = http::Method::POST;
        let others = [
            api("there", "https://here.example").listing_id("ada", &Ok(first()), &[]),
            api("here", "https://there.example").listing_id("ada", &Ok(first()), &[]),
            here.listing_id("bob", &Ok(first()), &[]),
            here.listing_id("ada", &Ok(ApiRequest::get("/accounts").query("limit", Some(10))), &[]),
            here.listing_id(
                "ada",
                &Ok(ApiRequest::get("/others").query("limit", Some(10)).query("name", Some("a"))),
                &[],
            ),
            here.listing_id("ada", &Ok(first().query("overlap", Some("x"))), &[]),
            here.listing_id("ada", &Ok(first()), &[("overlap", "x")]),
            here.listing_id("ada", &Ok(method), &[]),
            here.listing_id("ada", &Ok(body), &[]),
            here.listing_id("ada", &Err(Error::config("no")), &[]),
        ];
        let different: std::collections::HashSet<_> = others.iter().chain([&same]).collect();
        assert_eq!(different.len(), others.len() + 1);
    }
}
