//! Clients of the simulators, transports of a test's own, and what most tests look at.

use std::{
    fmt::Debug,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures::{StreamExt, future::BoxFuture};
use headcount::{
    Completeness, Error, ErrorKind, Paginator, Retryability, Summary, annature, fortanix,
    http::{Transport, TransportError, TransportErrorKind},
    huawei, sailpoint,
};
use headcount_sim::{self as sim, Request, Server};

use crate::kit;
pub(super) use crate::kit::NOWHERE;

/// Everything that must be encoded in a URL, and is not encoded alike by all.
pub(super) const STRANGE: &str = "a b\"c+d&e=f%20/?#;'\\~é名🚀";

/// A client that reads no certificates of the system: all is loopback, and reading them takes longer than
/// a test. The clients of `wire.rs` have the transport that applications have.
pub(super) fn plain() -> reqwest::Client {
    let builder = reqwest::Client::builder().no_proxy();
    #[cfg(any(feature = "rustls", feature = "native-tls", feature = "rustls-no-provider"))]
    let builder = builder.tls_certs_only([]);
    builder.redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

pub(super) fn fortanix(server: &sim::Fortanix) -> fortanix::ClientBuilder {
    kit::fortanix::builder(server).http_client(plain())
}

pub(super) fn huawei(server: &sim::Huawei) -> huawei::ClientBuilder {
    kit::huawei::builder(server).http_client(plain())
}

pub(super) fn annature(server: &sim::Annature) -> annature::ClientBuilder {
    kit::annature::builder(server).http_client(plain())
}

pub(super) fn sailpoint(server: &sim::SailPoint) -> sailpoint::ClientBuilder {
    kit::sailpoint::builder(server).http_client(plain())
}

/// All that a list gave.
#[derive(Debug)]
pub(super) struct Walk<T> {
    pub(super) items: Vec<T>,
    /// Those of single rows, and the one that ended the stream if there was one.
    pub(super) errors: Vec<Error>,
    pub(super) summary: Summary,
}

/// Polls a list until it ends.
pub(super) async fn walk<P: Paginator>(list: P) -> Walk<P::Item> {
    let mut stream = list.items();
    let (mut items, mut errors) = (Vec::new(), Vec::new());
    while let Some(next) = stream.next().await {
        match next {
            Ok(item) => items.push(item),
            Err(error) => errors.push(error),
        }
    }
    let summary = stream.summary();
    assert_eq!(summary.items, items.len() as u64);
    Walk { items, errors, summary }
}

/// The items of a list that must be whole, and say so.
pub(super) async fn whole<P: Paginator>(list: P) -> Vec<P::Item> {
    let walk = walk(list).await;
    assert!(walk.errors.is_empty(), "{:?}", walk.errors);
    assert_eq!(walk.summary.completeness, Completeness::Complete, "{:?}", walk.summary);
    walk.items
}

/// The error of a list that must give nothing else.
pub(super) async fn refusal<P: Paginator>(list: P) -> Error {
    let mut walk = walk(list).await;
    assert!(walk.items.is_empty(), "{} items came", walk.items.len());
    assert_eq!(walk.errors.len(), 1, "{:?}", walk.errors);
    assert_eq!(walk.summary.completeness, Completeness::InProgress, "a failed list is not finished");
    walk.errors.remove(0)
}

/// Asserts that a request was refused before anything was sent to the server, with a text that holds all of
/// `words`.
#[track_caller]
pub(super) fn assert_unsent<T: Debug>(server: &Server, sent: Result<T, Error>, words: &[&str]) -> Error {
    let error = sent.unwrap_err();
    assert_eq!((error.kind(), error.retryability()), (ErrorKind::Config, Retryability::Never), "{error}");
    assert!(error.attempts() == 0 && error.provider().is_some(), "{error}");
    for word in words {
        assert!(error.message().contains(word), "{word:?} is not in: {error}");
    }
    assert!(server.requests().is_empty(), "{:?}", server.requests());
    error
}

/// The same of a list.
pub(super) async fn refused_unsent<P: Paginator>(server: &Server, list: P, words: &[&str]) {
    assert_unsent::<()>(server, Err(refusal(list).await), words);
}

/// What a query parameter was in each request.
pub(super) fn values(requests: &[Request], name: &str) -> Vec<Option<String>> {
    requests.iter().map(|request| request.query_value(name).map(str::to_owned)).collect()
}

/// Method, last part of the path and status of each request, in short.
pub(super) fn steps(server: &Server) -> Vec<String> {
    let steps = server.requests().into_iter().map(|request| {
        let last = request.path().rsplit('/').next().unwrap_or_default().to_owned();
        format!("{last} {}", request.status().unwrap_or_default())
    });
    steps.collect()
}

/// An answer of a test's own.
pub(super) type Answer = http::Response<Bytes>;

pub(super) fn answer(status: u16, body: impl Into<String>) -> Answer {
    let mut answer = http::Response::new(Bytes::from(body.into()));
    *answer.status_mut() = http::StatusCode::from_u16(status).unwrap();
    answer
}

/// Makes the answer to a request, given the number of those before it.
type Answers = dyn Fn(usize, &http::Request<Bytes>) -> Answer + Send + Sync;

/// A transport that asks a function for every answer, and remembers the requests.
#[derive(Clone)]
pub(super) struct Canned {
    answers: Arc<Answers>,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Canned {
    /// `answers` is given the number of requests before this one.
    pub(super) fn new(
        answers: impl Fn(usize, &http::Request<Bytes>) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self { answers: Arc::new(answers), seen: Arc::default() }
    }

    /// The URLs asked for.
    pub(super) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

impl Transport for Canned {
    fn send(
        &self,
        request: http::Request<Bytes>,
        _body_limit: usize,
    ) -> BoxFuture<'_, Result<Answer, TransportError>> {
        let number = {
            let mut seen = self.seen.lock().unwrap();
            seen.push(request.uri().to_string());
            seen.len() - 1
        };
        let answer = (self.answers)(number, &request);
        Box::pin(async move { Ok(answer) })
    }
}

/// reqwest, with a function that changes each request behind the client's back.
pub(super) struct Tampered {
    pub(super) client: reqwest::Client,
    pub(super) change: fn(&mut http::Request<Bytes>),
}

impl Tampered {
    pub(super) fn new(change: fn(&mut http::Request<Bytes>)) -> Self {
        Self { client: plain(), change }
    }
}

impl Transport for Tampered {
    fn send(
        &self,
        mut request: http::Request<Bytes>,
        _body_limit: usize,
    ) -> BoxFuture<'_, Result<Answer, TransportError>> {
        (self.change)(&mut request);
        Box::pin(async move {
            let broken =
                |_| TransportError::new(TransportErrorKind::Connection, "the test's transport broke");
            let request = reqwest::Request::try_from(request).map_err(broken)?;
            let came = self.client.execute(request).await.map_err(broken)?;
            let mut answer = http::Response::new(Bytes::new());
            *answer.status_mut() = came.status();
            *answer.headers_mut() = came.headers().clone();
            *answer.body_mut() = came.bytes().await.map_err(broken)?;
            Ok(answer)
        })
    }
}

/// Clients that talk to a transport of the test's own, with ready tokens and no retries.
pub(super) mod canned {
    use headcount::{annature, fortanix, http::RetryPolicy, huawei, sailpoint};

    use super::Canned;
    use crate::kit;

    pub(in super::super) fn fortanix(transport: &Canned) -> fortanix::Client {
        let builder = kit::fortanix::builder_over().retry(RetryPolicy::none());
        builder.transport(transport.clone()).build().unwrap()
    }

    pub(in super::super) fn huawei(transport: &Canned) -> huawei::Client {
        let builder = kit::huawei::builder_over().retry(RetryPolicy::none());
        builder.transport(transport.clone()).build().unwrap()
    }

    pub(in super::super) fn annature(transport: &Canned) -> annature::Client {
        let builder = kit::annature::builder_over().retry(RetryPolicy::none());
        builder.transport(transport.clone()).build().unwrap()
    }

    pub(in super::super) fn sailpoint(transport: &Canned) -> sailpoint::Client {
        let builder = kit::sailpoint::builder_over().retry(RetryPolicy::none());
        builder.transport(transport.clone()).build().unwrap()
    }
}
