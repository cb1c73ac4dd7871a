//! A server inside the process.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use headcount::http::{Transport, TransportError, TransportErrorKind};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use tokio::time::{Duration, Instant, sleep};

/// More requests than any walk of a model needs: what sends more would not come to an end.
const MOST_REQUESTS: usize = 5000;

/// What a request gets.
#[derive(Clone, Debug)]
pub enum Reply {
    Answer(Response<Bytes>),
    Fail(TransportErrorKind),
    /// No answer for longer than any client waits.
    Hang,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    pub at: Instant,
    pub request: Request<Bytes>,
}

/// A transport whose answers a function makes of the requests.
#[derive(Clone)]
pub struct Server(Arc<Mutex<State>>);

type Answer = dyn FnMut(&Request<Bytes>) -> Reply + Send;

struct State {
    answer: Box<Answer>,
    seen: Vec<Seen>,
}

impl Server {
    pub fn new(answer: impl FnMut(&Request<Bytes>) -> Reply + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(State { answer: Box::new(answer), seen: Vec::new() })))
    }

    /// The requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.0.lock().unwrap().seen.clone()
    }

    fn reply(&self, request: Request<Bytes>) -> Reply {
        let mut state = self.0.lock().unwrap();
        assert!(state.seen.len() < MOST_REQUESTS, "an endless walk: {} {}", request.method(), request.uri());
        let reply = (state.answer)(&request);
        state.seen.push(Seen { at: Instant::now(), request });
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
                Reply::Answer(answer) => Ok(answer),
                Reply::Fail(kind) => Err(TransportError::new(kind, "as the model says")),
                Reply::Hang => {
                    sleep(Duration::from_secs(3600)).await;
                    Err(TransportError::new(TransportErrorKind::Timeout, "as the model says"))
                }
            }
        }
        .boxed()
    }
}

/// An answer without headers.
pub fn answer(status: u16, body: impl Into<Bytes>) -> Reply {
    with_headers(status, body, HeaderMap::new())
}

pub fn with_headers(status: u16, body: impl Into<Bytes>, headers: HeaderMap) -> Reply {
    let mut response = Response::new(body.into());
    *response.status_mut() = status_code(status);
    *response.headers_mut() = headers;
    Reply::Answer(response)
}

/// The status itself if it is one, or one that is made of it.
pub fn status_code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).or_else(|_| StatusCode::from_u16(100 + status % 900)).unwrap_or_default()
}

/// Those of `headers` that HTTP can carry.
pub fn headers<'a>(headers: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value)) {
            map.append(name, value);
        }
    }
    map
}

/// The first query parameter `name` of a request, decoded by hand: `%41` is `A`, and `+` is `+`.
pub fn parameter(request: &Request<Bytes>, name: &str) -> Option<String> {
    let pairs = request.uri().query()?.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let (_, value) = pairs.into_iter().find(|(key, _)| *key == name)?;
    String::from_utf8(decode(value)).ok()
}

/// `text` with its `%41` read.
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
