//! A transport without sockets.

use std::fmt;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;
use headcount::http::{Transport, TransportError, TransportErrorKind as Kind};
use http::header::{CONTENT_LENGTH, HOST, HeaderValue};
use http::{Request, Response, Uri};

use crate::listener::ConnectionHandle;
use crate::pipeline::Pipeline;

/// A transport that passes requests to a simulator in memory. Created by
/// [`Server::transport`](super::Server::transport).
///
/// It does no I/O, so it works in tests with a paused clock, where long waits take no real time. The server
/// validates and records requests and injects faults as it does over a socket. A closed or refused connection
/// is a [`TransportError`].
///
/// Responses are never compressed. [`GzipBomb`](super::Fault::GzipBomb) does not apply, and
/// [`BogusContentEncoding`](super::Fault::BogusContentEncoding) has no effect on the client.
///
/// ```
/// use std::time::Duration;
///
/// use futures::TryStreamExt;
/// use headcount::{Paginator, annature};
/// use headcount_sim::{self as sim, Fault, Faults};
///
/// # #[cfg(feature = "annature")]
/// #[tokio::main(flavor = "current_thread", start_paused = true)]
/// async fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let faults = Faults::new(1).on_list(1, Fault::Hang);
///     let server = sim::Annature::builder().accounts(10).faults(faults).start().await?;
///     let client = annature::Client::builder()
///         .id(server.id())
///         .key(server.key())
///         .base_url(server.base_url())
///         .transport(server.transport())
///         .build()?;
///     let start = tokio::time::Instant::now();
///     let accounts: Vec<_> = client.list_accounts().items().try_collect().await?;
///     assert_eq!(accounts.len(), 10);
///     assert!(start.elapsed() >= Duration::from_secs(30), "the first attempt timed out");
///     Ok(())
/// }
/// # #[cfg(not(feature = "annature"))]
/// # fn main() {}
/// ```
#[derive(Clone)]
pub struct InMemory(Arc<Pipeline>);

impl InMemory {
    pub(crate) fn new(pipeline: Arc<Pipeline>) -> Self {
        Self(pipeline)
    }

    async fn exchange(
        &self,
        request: Request<Bytes>,
        limit: usize,
    ) -> Result<Response<Bytes>, TransportError> {
        let Some(mut disconnects) = self.0.listener().connect() else {
            return Err(TransportError::new(Kind::Connect, "the simulator is not listening or was dropped"));
        };
        let response = Box::pin(self.receive(to_server_request(request)?, limit));
        tokio::select! {
            biased;
            _ = disconnects.changed() => Err(closed("the simulator stopped listening or was dropped")),
            response = response => response,
        }
    }

    async fn receive(&self, request: Request<Body>, limit: usize) -> Result<Response<Bytes>, TransportError> {
        let connection = ConnectionHandle::in_memory();
        let (parts, body) = Arc::clone(&self.0).handle(connection.clone(), request).await.into_parts();
        if connection.is_reset() {
            return Err(closed("reset by the server"));
        }
        let mut bytes = Vec::new();
        let mut chunks = body.into_data_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| closed(&error.to_string()).with_source(error))?;
            if chunk.len() > limit - bytes.len() {
                return Err(TransportError::new(
                    Kind::TooLarge,
                    format!("the response has more than {limit} bytes"),
                ));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Response::from_parts(parts, bytes.into()))
    }
}

impl Transport for InMemory {
    fn send(
        &self,
        request: Request<Bytes>,
        body_limit: usize,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(self.exchange(request, body_limit))
    }
}

impl fmt::Debug for InMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InMemory")
    }
}

/// Converts a client request to the form that a server receives.
///
/// Moves the host to the `Host` header, keeps only the path and the query of the URL, and sets
/// `Content-Length`.
fn to_server_request(request: Request<Bytes>) -> Result<Request<Body>, TransportError> {
    let invalid = |what| TransportError::new(Kind::InvalidRequest, format!("the URL has no {what}"));
    let (mut parts, body) = request.into_parts();
    let host = parts.uri.authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok());
    parts.headers.insert(HOST, host.ok_or_else(|| invalid("host"))?);
    if !body.is_empty() {
        parts.headers.insert(CONTENT_LENGTH, body.len().into());
    }
    let target = parts.uri.path_and_query().cloned().ok_or_else(|| invalid("path"))?;
    parts.uri = Uri::from(target);
    Ok(Request::from_parts(parts, Body::from(body)))
}

fn closed(reason: &str) -> TransportError {
    TransportError::new(Kind::Connection, format!("connection closed: {reason}"))
}
