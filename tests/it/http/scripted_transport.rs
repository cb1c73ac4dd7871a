//! A transport with scripted responses.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use headcount::{
    annature,
    http::{Transport, TransportError, TransportErrorKind},
};
use http::{Request, Response};
use tokio::time::{Instant, sleep};

/// The outcome of one request.
pub(crate) enum Outcome {
    Respond(Response<Bytes>),
    Fail(TransportErrorKind),
    /// Waits, then has the inner outcome.
    Delay(Duration, Box<Outcome>),
}

/// Calls a script for the outcome of each request, and records the requests.
#[derive(Clone)]
pub(crate) struct ScriptedTransport(Arc<State>);

type Script = Box<dyn FnMut(&SentRequest) -> Outcome + Send>;

struct State {
    script: Mutex<Script>,
    sent: Mutex<Vec<SentRequest>>,
}

#[derive(Clone, Debug)]
pub(crate) struct SentRequest {
    /// The number of the request, from 1.
    pub(crate) number: usize,
    pub(crate) at: Instant,
    pub(crate) method: http::Method,
    pub(crate) uri: http::Uri,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Bytes,
}

impl ScriptedTransport {
    pub(crate) fn new(script: impl FnMut(&SentRequest) -> Outcome + Send + 'static) -> Self {
        Self(Arc::new(State { script: Mutex::new(Box::new(script)), sent: Mutex::default() }))
    }

    /// Returns the requests so far.
    pub(crate) fn sent(&self) -> Vec<SentRequest> {
        self.0.sent.lock().unwrap().clone()
    }

    /// Returns a builder of an Annature client, the simplest one, with this transport.
    pub(crate) fn annature(&self) -> annature::ClientBuilder {
        annature::Client::builder().id("id").key("key").transport(self.clone())
    }
}

impl Transport for ScriptedTransport {
    fn send(
        &self,
        request: Request<Bytes>,
        _: usize,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        async move {
            let (parts, body) = request.into_parts();
            let mut outcome = {
                let mut all = self.0.sent.lock().unwrap();
                let sent = SentRequest {
                    number: all.len() + 1,
                    at: Instant::now(),
                    method: parts.method,
                    uri: parts.uri,
                    headers: parts.headers,
                    body,
                };
                all.push(sent.clone());
                drop(all);
                (self.0.script.lock().unwrap())(&sent)
            };
            loop {
                outcome = match outcome {
                    Outcome::Respond(response) => return Ok(response),
                    Outcome::Fail(kind) => return Err(TransportError::new(kind, "scripted failure")),
                    Outcome::Delay(time, then) => {
                        sleep(time).await;
                        *then
                    }
                };
            }
        }
        .boxed()
    }
}

pub(crate) fn respond(status: u16, headers: &[(&str, &str)], body: &str) -> Outcome {
    let mut response = Response::new(Bytes::from(body.to_owned()));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
    for (name, value) in headers {
        response.headers_mut().append(http::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
    }
    Outcome::Respond(response)
}

/// Returns the last page of an Annature listing, with one account.
pub(crate) fn single_account_page() -> Outcome {
    respond(200, &[], r#"{"accounts":[{"id":"a"}],"has_more":false}"#)
}
