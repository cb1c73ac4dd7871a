use std::{future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use secrecy::SecretString;
use tokio::time::{Instant, timeout};
use tracing::Instrument;

use super::{
    Call, Clock, Problem, RetryPolicy, Settings, Transport, TransportErrorKind,
    base_url::BaseUrl,
    limit::Limiter,
    problem::Secrets,
    retry::{Facts, Failure, Verdict},
    retry_after,
    span::AttemptSpan,
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

    /// Obtains a permit, before the attempt waits for its turn at the rate limit.
    fn permit(&self) -> impl Future<Output = Result<Self::Permit>> + Send;

    /// Whether `permit` is still worth sending, after that wait: otherwise another is obtained.
    fn is_good(&self, permit: &Self::Permit) -> bool {
        let _ = permit;
        true
    }

    /// Puts credentials on `request`, right before it is sent: a signature holds its date.
    fn authorise(&self, permit: &Self::Permit, request: &mut Request<Bytes>) -> Result<()>;

    /// Told of a 401: whether to replay the request once, with another permit.
    fn refused(&self, permit: &Self::Permit) -> bool {
        let _ = permit;
        false
    }

    /// Secrets that the request does not hold, to be kept out of its errors all the same: a server may know them
    /// from another.
    fn secrets(&self, permit: &Self::Permit) -> Vec<SecretString> {
        let _ = permit;
        Vec::new()
    }

    /// Reads a failure in the provider's own shapes. The body is empty if it was a very long one.
    fn problem(&self, answer: &Answer) -> Problem;
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
    pub(crate) body: Bytes,
}

impl Answer {
    fn forget_long_body(&mut self) {
        if self.body.len() > LONGEST_PROBLEM {
            self.body.clear();
        }
    }
}

/// How one attempt failed, and the error to tell if it stays so.
struct Missed {
    error: Error,
    /// `None` if it did not come to sending.
    failure: Option<Failure>,
    asked: Option<Duration>,
    /// The answer was a 401.
    refused: bool,
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

    /// Sends `call` until `read` takes the answer, or nothing more can be done.
    pub(crate) async fn send<T>(
        &self,
        service: &impl Service,
        call: &Call,
        read: impl Fn(&Answer) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        let began = Instant::now();
        // Waits that are not this client's own choice do not count against the time it has.
        let mut excused = Duration::ZERO;
        let mut attempt = 0;
        let mut replayed = false;
        let target = format!("{} {}{}", call.method, self.base.as_str(), call.path);
        loop {
            attempt += 1;
            let waits = Instant::now();
            let permit =
                self.admit(service, call).await.map_err(|error| error.with_provider(self.provider))?;
            excused = excused.saturating_add(waits.elapsed());
            let left = self.retry.total_timeout.saturating_sub(began.elapsed().saturating_sub(excused));
            let trace = AttemptSpan::new(self.provider, &call.method, &self.base, attempt);
            let tried = self.attempt(service, &permit, call, left, &read, &trace);
            let missed = match tried.instrument(trace.span()).await {
                Ok(value) => return Ok(value),
                Err(missed) => missed,
            };
            trace.failed(&missed.error);
            drop(trace);
            if missed.refused && !replayed && service.refused(&permit) {
                replayed = true;
                continue;
            }
            let Some(failure) = missed.failure else {
                return Err(missed.error.with_provider(self.provider));
            };
            let facts = Facts {
                failure,
                repeatable: call.repeatable,
                attempt,
                spent: began.elapsed().saturating_sub(excused),
                asked: missed.asked,
                chance: fastrand::f64(),
            };
            let retry = match self.retry.judge(&facts) {
                Verdict::After(wait) => {
                    let kind = missed.error.kind();
                    tracing::debug!(provider = self.provider, attempt, ?kind, ?wait, "to be sent again");
                    tokio::time::sleep(wait).await;
                    excused = excused.saturating_add(missed.asked.unwrap_or_default().min(wait));
                    continue;
                }
                Verdict::GiveUp if attempt > 1 => Retry::Exhausted,
                Verdict::GiveUp | Verdict::TurnedAway => Retry::Safe,
                Verdict::Uncertain => Retry::Uncertain,
                Verdict::Final => Retry::Never,
            };
            let error = missed.error.with_provider(self.provider).with_retry(retry);
            return Err(error.with_effort(&target, attempt, began.elapsed()));
        }
    }

    /// Obtains a permit, and a turn at the rate limit for a request that is sent right now.
    async fn admit<S: Service>(&self, service: &S, call: &Call) -> Result<S::Permit> {
        let mut permit = service.permit().await?;
        let Some(limiter) = self.limiter.as_ref().filter(|_| call.limited) else { return Ok(permit) };
        loop {
            let turn = limiter.turn().await?;
            // It may have ended in the queue. The turn is kept meanwhile, and counts from when it is taken.
            if !service.is_good(&permit) {
                permit = service.permit().await?;
            }
            if turn.take() {
                return Ok(permit);
            }
        }
    }

    async fn attempt<S: Service, T>(
        &self,
        service: &S,
        permit: &S::Permit,
        call: &Call,
        left: Duration,
        read: &(impl Fn(&Answer) -> Result<T> + Send + Sync),
        trace: &AttemptSpan,
    ) -> Result<T, Missed> {
        let unsent = |error| Missed { error, failure: None, asked: None, refused: false };
        let mut request = self.request(call).map_err(unsent)?;
        service.authorise(permit, &mut request).map_err(unsent)?;
        check_headers(request.headers()).map_err(unsent)?;
        let secrets = Secrets::of(&request, call.secrets.iter().cloned().chain(service.secrets(permit)));
        let limit = self.retry.attempt_timeout.min(left);
        let missed = |kind, text: String, failure| Missed {
            error: Error::new(kind, secrets.blot(&text)),
            failure: Some(failure),
            asked: None,
            refused: false,
        };
        let mut answer = match timeout(limit, self.transport.send(request, self.body_limit)).await {
            Err(_) => {
                let text = format!("no whole answer within {:.1} s", limit.as_secs_f32());
                return Err(missed(ErrorKind::Timeout, text, Failure::Lost));
            }
            Ok(Err(error)) => {
                let (kind, failure) = match error.kind() {
                    TransportErrorKind::Connect => (ErrorKind::Transport, Failure::NotSent),
                    TransportErrorKind::Untrusted => (ErrorKind::Transport, Failure::Final),
                    TransportErrorKind::Timeout => (ErrorKind::Timeout, Failure::Lost),
                    TransportErrorKind::Broken => (ErrorKind::Transport, Failure::Lost),
                    TransportErrorKind::TooLarge => (ErrorKind::Decode, Failure::Unusable),
                    TransportErrorKind::Redirected => (ErrorKind::Config, Failure::Unusable),
                    TransportErrorKind::Unsendable => (ErrorKind::Config, Failure::Final),
                };
                let mut missed = missed(kind, error.to_string(), failure);
                missed.error = missed.error.with_source(error);
                return Err(missed);
            }
            Ok(Ok(answer)) => {
                let (parts, body) = answer.into_parts();
                trace.answered(parts.status);
                Answer { status: parts.status, headers: parts.headers, body }
            }
        };
        if answer.status.is_success() {
            return read(&answer).map_err(|error| {
                let garbled = error.kind() == ErrorKind::Decode;
                answer.forget_long_body();
                Missed {
                    failure: Some(if garbled { Failure::Garbled } else { Failure::Unusable }),
                    error: error.with_request_id(secrets.blot_some(service.problem(&answer).request_id)),
                    asked: None,
                    refused: false,
                }
            });
        }
        answer.forget_long_body();
        let asked = retry_after::read(&answer.headers, self.clock.now());
        let status = answer.status.as_u16();
        let mut error = service.problem(&answer).into_error(&answer, &secrets).with_retry_after(asked);
        let failure = Failure::Status(status);
        if failure.is_harmless(call.repeatable)
            && asked.is_some_and(|asked| asked > self.retry.max_server_wait)
        {
            error = error.into_kind(ErrorKind::Throttled);
        }
        Err(Missed { failure: Some(failure), refused: status == 401, error, asked })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(provider: &'static str, base_url: &str) -> Channel {
        Channel::open(provider, &Settings::new(base_url)).unwrap()
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
