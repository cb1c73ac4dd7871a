//! A transport that answers as a test says.

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

/// What happens to one request.
pub(crate) enum Act {
    Answer(Response<Bytes>),
    Fail(TransportErrorKind),
    /// Takes so long, and then this.
    After(Duration, Box<Act>),
}

/// Asks `script` what happens to each request, and keeps them all.
#[derive(Clone)]
pub(crate) struct Scripted(Arc<State>);

type Script = Box<dyn FnMut(&Sent) -> Act + Send>;

struct State {
    script: Mutex<Script>,
    sent: Mutex<Vec<Sent>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// Counted from 1.
    pub(crate) number: usize,
    pub(crate) at: Instant,
    pub(crate) method: http::Method,
    pub(crate) uri: http::Uri,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Bytes,
}

impl Scripted {
    pub(crate) fn new(script: impl FnMut(&Sent) -> Act + Send + 'static) -> Self {
        Self(Arc::new(State { script: Mutex::new(Box::new(script)), sent: Mutex::default() }))
    }

    /// The requests so far.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.0.sent.lock().unwrap().clone()
    }

    /// A client of Annature, the simplest of all, with this transport.
    pub(crate) fn annature(&self) -> annature::ClientBuilder {
        annature::Client::builder("id", "key").transport(self.clone())
    }
}

impl Transport for Scripted {
    fn send(
        &self,
        request: Request<Bytes>,
        _: usize,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        async move {
            let (parts, body) = request.into_parts();
            let mut act = {
                let mut all = self.0.sent.lock().unwrap();
                let sent = Sent {
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
                act = match act {
                    Act::Answer(answer) => return Ok(answer),
                    Act::Fail(kind) => return Err(TransportError::new(kind, "as the test says")),
                    Act::After(time, then) => {
                        sleep(time).await;
                        *then
                    }
                };
            }
        }
        .boxed()
    }
}

pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Act {
    let mut response = Response::new(Bytes::from(body.to_owned()));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
    for (name, value) in headers {
        response.headers_mut().append(http::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
    }
    Act::Answer(response)
}

/// A page of Annature with one account, the last.
pub(crate) fn one_account() -> Act {
    answer(200, &[], r#"{"accounts":[{"id":"a"}],"has_more":false}"#)
}
