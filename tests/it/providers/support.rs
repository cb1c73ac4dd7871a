//! Clients of the simulators, test transports, and shared assertions.

use std::{
    fmt::Debug,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures::future::BoxFuture;
use headcount::{
    Completeness, Error, ErrorKind, Paginator, Retryability, Summary, annature, fortanix,
    http::{Transport, TransportError, TransportErrorKind},
    huawei, sailpoint,
};
use headcount_sim::{self as sim, Request, Server};

use crate::kit;
pub(super) use crate::kit::UNREACHABLE_URL;

/// Characters that must be encoded in a URL, and that implementations encode differently.
pub(super) const STRANGE: &str = "a b\"c+d&e=f%20/?#;'\\~é名🚀";

/// Returns a client without the system's certificates: all connections are loopback, and loading certificates
/// takes longer than a test. The clients in `request_format.rs` use the default transport instead.
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

/// The outcome of polling a list to its end.
#[derive(Debug)]
pub(super) struct Walk<T> {
    pub(super) items: Vec<T>,
    /// The errors of single rows, and the error that ended the stream, if any.
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

/// Returns the items of a list. Panics if the list has errors or is not reported as complete.
pub(super) async fn list_all<P: Paginator>(list: P) -> Vec<P::Item> {
    let walk = walk(list).await;
    assert!(walk.errors.is_empty(), "{:?}", walk.errors);
    assert_eq!(walk.summary.completeness, Completeness::Complete, "{:?}", walk.summary);
    walk.items
}

/// Returns the only error of a list. Panics if the list yields any items.
pub(super) async fn list_error<P: Paginator>(list: P) -> Error {
    let mut walk = walk(list).await;
    assert!(walk.items.is_empty(), "{} items", walk.items.len());
    assert_eq!(walk.errors.len(), 1, "{:?}", walk.errors);
    assert_eq!(walk.summary.completeness, Completeness::InProgress, "a failed list is not finished");
    walk.errors.remove(0)
}

/// Asserts that a request was rejected before anything was sent to the server, with a message that contains
/// all of `words`.
#[track_caller]
pub(super) fn assert_unsent<T: Debug>(server: &Server, result: Result<T, Error>, words: &[&str]) -> Error {
    let error = result.unwrap_err();
    assert_eq!((error.kind(), error.retryability()), (ErrorKind::Config, Retryability::Never), "{error}");
    assert!(error.attempts() == 0 && error.provider().is_some(), "{error}");
    for word in words {
        assert!(error.message().contains(word), "{word:?} is not in: {error}");
    }
    assert!(server.requests().is_empty(), "{:?}", server.requests());
    error
}

/// Asserts that a list was rejected before anything was sent, like [`assert_unsent`].
pub(super) async fn assert_list_unsent<P: Paginator>(server: &Server, list: P, words: &[&str]) {
    assert_unsent::<()>(server, Err(list_error(list).await), words);
}

/// Returns the value of a query parameter in each request.
pub(super) fn values(requests: &[Request], name: &str) -> Vec<Option<String>> {
    requests.iter().map(|request| request.query_value(name).map(str::to_owned)).collect()
}

/// Returns the last path segment and the status of each request.
pub(super) fn steps(server: &Server) -> Vec<String> {
    let steps = server.requests().into_iter().map(|request| {
        let last = request.path().rsplit('/').next().unwrap_or_default().to_owned();
        format!("{last} {}", request.status().unwrap_or_default())
    });
    steps.collect()
}

/// The response of a test transport.
pub(super) type HttpResponse = http::Response<Bytes>;

pub(super) fn respond(status: u16, body: impl Into<String>) -> HttpResponse {
    let mut response = http::Response::new(Bytes::from(body.into()));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
    response
}

/// Returns the response to a request, given the number of earlier requests.
type Responder = dyn Fn(usize, &http::Request<Bytes>) -> HttpResponse + Send + Sync;

/// A transport that responds from a function and records the URLs of requests.
#[derive(Clone)]
pub(super) struct Canned {
    responder: Arc<Responder>,
    urls: Arc<Mutex<Vec<String>>>,
}

impl Canned {
    /// `responder` receives the number of earlier requests, and the request.
    pub(super) fn new(
        responder: impl Fn(usize, &http::Request<Bytes>) -> HttpResponse + Send + Sync + 'static,
    ) -> Self {
        Self { responder: Arc::new(responder), urls: Arc::default() }
    }

    /// Returns the URLs of the requests so far.
    pub(super) fn urls(&self) -> Vec<String> {
        self.urls.lock().unwrap().clone()
    }
}

impl Transport for Canned {
    fn send(
        &self,
        request: http::Request<Bytes>,
        _body_limit: usize,
    ) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        let number = {
            let mut urls = self.urls.lock().unwrap();
            urls.push(request.uri().to_string());
            urls.len() - 1
        };
        let response = (self.responder)(number, &request);
        Box::pin(async move { Ok(response) })
    }
}

/// A reqwest transport that modifies each request before it is sent.
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
    ) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        (self.change)(&mut request);
        Box::pin(async move {
            let failed = |_| TransportError::new(TransportErrorKind::Connection, "the test transport failed");
            let request = reqwest::Request::try_from(request).map_err(failed)?;
            let received = self.client.execute(request).await.map_err(failed)?;
            let mut response = http::Response::new(Bytes::new());
            *response.status_mut() = received.status();
            *response.headers_mut() = received.headers().clone();
            *response.body_mut() = received.bytes().await.map_err(failed)?;
            Ok(response)
        })
    }
}

/// Clients with a [`Canned`] transport, placeholder credentials and no retries.
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
