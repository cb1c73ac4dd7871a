//! An in-process server.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use headcount::http::{Transport, TransportError, TransportErrorKind};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use tokio::time::{Duration, Instant, sleep};

/// More requests than any listing of a model needs. A client that sends more is in an endless loop.
const MAX_REQUESTS: usize = 5000;

/// The result of a request.
#[derive(Clone, Debug)]
pub enum Reply {
    Response(Response<Bytes>),
    Fail(TransportErrorKind),
    /// No response for longer than any client waits.
    Hang,
}

/// A recorded request.
#[derive(Clone, Debug)]
pub struct RecordedRequest {
    pub at: Instant,
    pub request: Request<Bytes>,
}

/// A transport that calls a function for each request.
#[derive(Clone)]
pub struct Server(Arc<Mutex<State>>);

type Handler = dyn FnMut(&Request<Bytes>) -> Reply + Send;

struct State {
    handler: Box<Handler>,
    requests: Vec<RecordedRequest>,
}

impl Server {
    pub fn new(handler: impl FnMut(&Request<Bytes>) -> Reply + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(State { handler: Box::new(handler), requests: Vec::new() })))
    }

    /// Returns all requests so far.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.0.lock().unwrap().requests.clone()
    }

    fn reply(&self, request: Request<Bytes>) -> Reply {
        let mut state = self.0.lock().unwrap();
        assert!(
            state.requests.len() < MAX_REQUESTS,
            "endless listing: {} {}",
            request.method(),
            request.uri()
        );
        let reply = (state.handler)(&request);
        state.requests.push(RecordedRequest { at: Instant::now(), request });
        reply
    }
}

impl Transport for Server {
    fn send(
        &self,
        request: Request<Bytes>,
        _: usize,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        async move {
            match self.reply(request) {
                Reply::Response(response) => Ok(response),
                Reply::Fail(kind) => Err(TransportError::new(kind, "fault of the model")),
                Reply::Hang => {
                    sleep(Duration::from_secs(3600)).await;
                    Err(TransportError::new(TransportErrorKind::Timeout, "fault of the model"))
                }
            }
        }
        .boxed()
    }
}

/// Returns a response without headers.
pub fn response(status: u16, body: impl Into<Bytes>) -> Reply {
    with_headers(status, body, HeaderMap::new())
}

/// Returns a response with headers.
pub fn with_headers(status: u16, body: impl Into<Bytes>, headers: HeaderMap) -> Reply {
    let mut response = Response::new(body.into());
    *response.status_mut() = status_code(status);
    *response.headers_mut() = headers;
    Reply::Response(response)
}

/// Returns the status, mapped to a valid one if it is not.
pub fn status_code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).or_else(|_| StatusCode::from_u16(100 + status % 900)).unwrap_or_default()
}

/// Returns those of `headers` that are valid in HTTP.
pub fn headers<'a>(headers: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value)) {
            map.append(name, value);
        }
    }
    map
}

/// Returns the first query parameter `name` of a request. Decodes `%41` to `A`, but not `+`.
pub fn parameter(request: &Request<Bytes>, name: &str) -> Option<String> {
    let pairs = request.uri().query()?.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let (_, value) = pairs.into_iter().find(|(key, _)| *key == name)?;
    String::from_utf8(decode(value)).ok()
}

/// Percent-decodes `text`.
pub fn decode(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().iter();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(&byte) = bytes.next() {
        let digits = bytes.as_slice().get(..2).and_then(|digits| hex::decode(digits).ok());
        match digits.as_deref() {
            Some([value]) if byte == b'%' => {
                decoded.push(*value);
                bytes.nth(1);
            }
            _ => decoded.push(byte),
        }
    }
    decoded
}
