use std::{future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use secrecy::SecretString;
use tokio::time::{Instant, timeout};
use tracing::{Instrument, Span, field};

use super::{
    Call, Clock, Problem, RetryPolicy, Settings, Transport, TransportErrorKind,
    base_url::BaseUrl,
    body::Body,
    rate_limit::Limiter,
    redact::Redactor,
    retry::{Cause, Failure},
    retry_after,
};
use crate::{Error, ErrorKind, Result, Retry, Scope};

/// What common servers take of one header, in bytes.
const LONGEST_HEADER: usize = 16 * 1024;
/// A failure with a longer body, in bytes, is told by its status and headers alone: a tree of JSON takes many times
/// the memory of its text, and an error has one line of it.
const LONGEST_PROBLEM: usize = 1024 * 1024;

/// What a provider adds to the way of a request.
pub(crate) trait Service: Send + Sync {
    /// What authorises one attempt: a token, a key, or nothing but the service itself.
    type Permit: Send + Sync;

    /// Obtains a permit, before the attempt waits for the rate limit.
    fn permit(&self) -> impl Future<Output = Result<Self::Permit>> + Send;

    /// Puts credentials on `request`, right before it is sent: a signature holds its date.
    fn authorise(&self, permit: &Self::Permit, request: &mut Request<Bytes>) -> Result<()>;

    /// Called after a 401: whether to replay the request once, with another permit.
    fn refused(&self, permit: &Self::Permit) -> bool {
        let _ = permit;
        false
    }

    /// Secrets that the request does not hold, to be kept out of its errors as well: a server may know them from
    /// another.
    fn secrets(&self, permit: &Self::Permit) -> Vec<SecretString> {
        let _ = permit;
        Vec::new()
    }

    /// Reads a failure in the provider's own shapes. The body is empty if it was a very long one.
    fn problem(&self, answer: &Answer) -> Problem;
}

/// Sends requests as they are: their credentials, if they need any, are in their headers or body. It holds what
/// reads a failure.
pub(crate) struct NoAuth(pub(crate) fn(&Answer) -> Problem);

impl Service for NoAuth {
    type Permit = ();

    async fn permit(&self) -> Result<()> {
        Ok(())
    }

    fn authorise(&self, (): &(), _: &mut Request<Bytes>) -> Result<()> {
        Ok(())
    }

    fn problem(&self, answer: &Answer) -> Problem {
        (self.0)(answer)
    }
}

/// The way to one provider: base URL, transport, limits. Shared by a client's clones.
pub(crate) struct Channel {
    provider: &'static str,
    base: BaseUrl,
    transport: Arc<dyn Transport>,
    retry: RetryPolicy,
    limiter: Option<Limiter>,
    agent: HeaderValue,
    body_limit: usize,
    clock: Clock,
}

/// A whole answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
}

impl Answer {
    fn forget_long_body(&mut self) {
        if self.body.len() > LONGEST_PROBLEM {
            self.body = Body::empty();
        }
    }
}

impl Channel {
    pub(crate) fn open(provider: &'static str, settings: &Settings) -> Result<Self> {
        let open = || {
            let base = settings.base()?;
            Ok(Self {
                provider,
                transport: settings.open_transport(&base)?,
                base,
                retry: settings.retry.clone(),
                limiter: settings.rate_limit.map(Limiter::new),
                agent: settings.agent()?,
                body_limit: settings.body_limit,
                clock: settings.clock.clone(),
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
    pub(crate) fn scope(&self, principal: &str, first: &Result<Call>, extra: &[(&str, &str)]) -> Scope {
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
        Scope::new(self.provider, facts)
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Attaches the provider to an error that was made before or after a request. Those of [`send`](Self::send) have
    /// it already.
    pub(crate) fn context<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| error.with_provider(self.provider))
    }

    /// Sends `call`, if it is one, until `read` takes the answer, or nothing more can be done.
    pub(crate) async fn send<T>(
        &self,
        service: &impl Service,
        call: Result<Call>,
        read: impl Fn(&Answer) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        let call = self.context(call)?;
        self.context(self.deliver(service, &call, &read).await)
    }

    async fn deliver<T>(
        &self,
        service: &impl Service,
        call: &Call,
        read: &(impl Fn(&Answer) -> Result<T> + Send + Sync),
    ) -> Result<T> {
        let began = Instant::now();
        // Waits that are not this client's own choice do not count against the time it has.
        let mut excused = Duration::ZERO;
        let mut attempt = 0;
        let mut replayed = false;
        loop {
            attempt += 1;
            let waits = Instant::now();
            let permit = service.permit().await?;
            if let Some(limiter) = self.limiter.as_ref().filter(|_| call.limited) {
                // The last wait before the request is sent.
                limiter.acquire().await;
            }
            excused = excused.saturating_add(waits.elapsed());
            let mut request = self.request(call)?;
            service.authorise(&permit, &mut request)?;
            check_headers(request.headers())?;
            // Made only where something is to be redacted: most attempts succeed.
            let headers = request.headers().clone();
            let redactor = || {
                let secrets = call.secrets.iter().cloned().chain(service.secrets(&permit));
                Redactor::new(&headers, secrets)
            };
            let left = self.retry.total_timeout.saturating_sub(began.elapsed().saturating_sub(excused));
            let limit = self.retry.attempt_timeout.min(left);
            let span = AttemptSpan::new(self.provider, &call.method, &self.base, attempt);
            let tried = self.attempt(service, request, &redactor, limit, read, &span);
            let failure = match tried.instrument(span.0.clone()).await {
                Ok(value) => return Ok(value),
                Err(failure) => failure,
            };
            span.failed(&failure.error);
            drop(span);
            if failure.cause == Cause::Status(401) && !replayed {
                replayed = service.refused(&permit);
                if replayed {
                    continue;
                }
            }
            let spent = began.elapsed().saturating_sub(excused);
            let asked = failure.error.retry_after().unwrap_or_default();
            match self.retry.decide(&failure, call.repeatable, attempt, spent, fastrand::f64()) {
                Ok(wait) => {
                    let kind = failure.error.kind();
                    tracing::debug!(provider = self.provider, attempt, ?kind, ?wait, "to be sent again");
                    tokio::time::sleep(wait).await;
                    excused = excused.saturating_add(asked);
                }
                Err(retry) => {
                    let mut error = failure.error.with_retry(retry);
                    if asked > self.retry.max_server_wait && matches!(retry, Retry::Safe | Retry::Exhausted) {
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
        service: &impl Service,
        request: Request<Bytes>,
        redactor: &(impl Fn() -> Redactor + Sync),
        limit: Duration,
        read: &(impl Fn(&Answer) -> Result<T> + Send + Sync),
        span: &AttemptSpan,
    ) -> Result<T, Failure> {
        let method = request.method().clone();
        let mut answer = match timeout(limit, self.transport.send(request, self.body_limit)).await {
            Err(_) => {
                let text = format!("no whole answer within {:.1} s", limit.as_secs_f32());
                return Err(Failure { cause: Cause::Lost, error: Error::new(ErrorKind::Timeout, text) });
            }
            Ok(Err(error)) => {
                let (kind, cause) = match error.kind() {
                    TransportErrorKind::Connect => (ErrorKind::Transport, Cause::NotSent),
                    TransportErrorKind::Untrusted => (ErrorKind::Transport, Cause::Unsendable),
                    TransportErrorKind::Timeout => (ErrorKind::Timeout, Cause::Lost),
                    TransportErrorKind::Broken => (ErrorKind::Transport, Cause::Lost),
                    TransportErrorKind::TooLarge => (ErrorKind::Decode, Cause::Unusable),
                    TransportErrorKind::Redirected => (ErrorKind::Config, Cause::Unusable),
                    TransportErrorKind::Unsendable => (ErrorKind::Config, Cause::Unsendable),
                };
                let text = redactor().redact(&error.to_string());
                return Err(Failure { cause, error: Error::new(kind, text).with_source(error) });
            }
            Ok(Ok(answer)) => {
                let (parts, body) = answer.into_parts();
                span.answered(parts.status);
                Answer { status: parts.status, headers: parts.headers, body: body.into() }
            }
        };
        if answer.status.is_success() {
            return check_success(&method, answer.status).and_then(|()| read(&answer)).map_err(|error| {
                answer.forget_long_body();
                let request_id = redactor().redact_some(service.problem(&answer).request_id);
                let cause = if error.kind() == ErrorKind::Decode { Cause::Lost } else { Cause::Unusable };
                Failure { cause, error: error.with_request_id(request_id) }
            });
        }
        answer.forget_long_body();
        let mut problem = service.problem(&answer);
        problem.retry_after =
            problem.retry_after.or_else(|| retry_after::read(&answer.headers, self.clock.now()));
        let cause = Cause::Status(answer.status.as_u16());
        Err(Failure { cause, error: problem.into_error(&answer, &redactor()) })
    }

    fn request(&self, call: &Call) -> Result<Request<Bytes>> {
        let url = self.base.join(&call.path, &call.query)?;
        let mut request = Request::new(call.body.clone());
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = url
            .as_str()
            .parse()
            .map_err(|error| Error::config("the request's URL can not be sent").with_source(error))?;
        let headers = request.headers_mut();
        headers.insert(header::USER_AGENT, self.agent.clone());
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
        if value.len() > LONGEST_HEADER {
            return Err(Error::config(format!(
                "the header {name} would have {} bytes, and servers refuse more than {LONGEST_HEADER}",
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

    fn answered(&self, status: StatusCode) {
        self.0.record("http.response.status_code", status.as_u16());
    }

    /// As OpenTelemetry has it: the status if it tells the failure, and else a word for it.
    fn failed(&self, error: &Error) {
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

    fn channel(provider: &'static str, base_url: &str) -> Channel {
        Channel::open(provider, &Settings::new(base_url)).unwrap()
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
        let mut settings = Settings::new("https://here.example");
        settings.transport = Some(Arc::new(Throttling));
        settings.retry = RetryPolicy::none();
        let channel = Channel::open("here", &settings).unwrap();
        let own = |_: &Answer| Problem { retry_after: Some(Duration::from_secs(5)), ..Problem::default() };
        for (service, seconds) in [(NoAuth(|_| Problem::default()), 100), (NoAuth(own), 5)] {
            let error = channel.send(&service, Ok(Call::get("/")), |_| Ok(())).await.unwrap_err();
            assert_eq!(error.retry_after(), Some(Duration::from_secs(seconds)));
            assert_eq!((error.kind(), error.provider()), (ErrorKind::Throttled, Some("here")));
        }
        let unmade = channel.send(&NoAuth(own), Err(Error::config("no")), |_| Ok(())).await;
        assert_eq!(unmade.unwrap_err().provider(), Some("here"));
    }

    #[test]
    fn a_scope_is_all_the_first_request_says() {
        let here = channel("here", "https://here.example");
        let first = || Call::get("/accounts").query("limit", Some(10)).query("name", Some("a"));
        let same = here.scope("ada", &Ok(first()), &[]);
        assert_eq!(same, here.scope("ada", &Ok(first()), &[]));
        assert_eq!(same.provider(), "here");
        let mut body = first();
        body.body = Bytes::from_static(b"{}");
        let mut method = first();
        method.method = http::Method::POST;
        let others = [
            channel("there", "https://here.example").scope("ada", &Ok(first()), &[]),
            channel("here", "https://there.example").scope("ada", &Ok(first()), &[]),
            here.scope("bob", &Ok(first()), &[]),
            here.scope("ada", &Ok(Call::get("/accounts").query("limit", Some(10))), &[]),
            here.scope(
                "ada",
                &Ok(Call::get("/others").query("limit", Some(10)).query("name", Some("a"))),
                &[],
            ),
            here.scope("ada", &Ok(first().query("overlap", Some("x"))), &[]),
            here.scope("ada", &Ok(first()), &[("overlap", "x")]),
            here.scope("ada", &Ok(method), &[]),
            here.scope("ada", &Ok(body), &[]),
            here.scope("ada", &Err(Error::config("no")), &[]),
        ];
        let different: std::collections::HashSet<_> = others.iter().chain([&same]).collect();
        assert_eq!(different.len(), others.len() + 1);
    }
}
