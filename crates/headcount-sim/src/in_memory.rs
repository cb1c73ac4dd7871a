//! The way to a server without sockets.

use std::fmt;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;
use headcount::http::{Transport, TransportError, TransportErrorKind as Kind};
use http::header::{CONTENT_LENGTH, HOST, HeaderValue};
use http::{Request, Response, Uri};

use crate::gate::Gate;
use crate::listener::Line;

/// A transport that hands requests to a simulator in memory; see [`Server::transport`](super::Server::transport).
///
/// Nothing of it happens outside of the runtime, so it is for tests with a paused clock, in which half an hour of
/// waiting takes no time. The server checks, records and injects as for a request over a socket. What breaks or
/// refuses a connection is a [`TransportError`]. Only compression differs: there is none, so that
/// [`GzipBomb`](super::Fault::GzipBomb) does not apply and
/// [`BogusContentEncoding`](super::Fault::BogusContentEncoding) does no harm.
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
///     let client = annature::Client::builder(server.id(), server.key())
///         .base_url(server.base_url())
///         .transport(server.transport())
///         .build()?;
///     let began = tokio::time::Instant::now();
///     let accounts: Vec<_> = client.list_accounts().items().try_collect().await?;
///     assert_eq!(accounts.len(), 10);
///     assert!(began.elapsed() >= Duration::from_secs(30), "the first attempt was given its time");
///     Ok(())
/// }
/// # #[cfg(not(feature = "annature"))]
/// # fn main() {}
/// ```
#[derive(Clone)]
pub struct InMemory(Arc<Gate>);

impl InMemory {
    pub(crate) fn new(gate: Arc<Gate>) -> Self {
        Self(gate)
    }

    async fn exchange(
        &self,
        request: Request<Bytes>,
        limit: usize,
    ) -> Result<Response<Bytes>, TransportError> {
        let Some(mut breaks) = self.0.door().enter() else {
            return Err(TransportError::new(Kind::Connect, "the simulator does not listen, or was dropped"));
        };
        let answer = Box::pin(self.answer(to_server(request)?, limit));
        tokio::select! {
            biased;
            _ = breaks.changed() => Err(broken("the simulator stopped to listen, or was dropped")),
            answer = answer => answer,
        }
    }

    async fn answer(&self, request: Request<Body>, limit: usize) -> Result<Response<Bytes>, TransportError> {
        let line = Line::in_memory();
        let (parts, body) = Arc::clone(&self.0).pass(line.clone(), request).await.into_parts();
        if line.is_reset() {
            return Err(broken("it was reset"));
        }
        let mut whole = Vec::new();
        let mut pieces = body.into_data_stream();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|error| broken(&error.to_string()).with_source(error))?;
            if piece.len() > limit - whole.len() {
                return Err(TransportError::new(
                    Kind::TooLarge,
                    format!("the answer has more than {limit} bytes"),
                ));
            }
            whole.extend_from_slice(&piece);
        }
        Ok(Response::from_parts(parts, whole.into()))
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

/// The request as a server reads it: the host in a header, only the rest as its target, and its length in another.
fn to_server(request: Request<Bytes>) -> Result<Request<Body>, TransportError> {
    let unsendable =
        |what| TransportError::new(Kind::InvalidRequest, format!("the URL has no {what} to send"));
    let (mut parts, body) = request.into_parts();
    let host = parts.uri.authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok());
    parts.headers.insert(HOST, host.ok_or_else(|| unsendable("host"))?);
    if !body.is_empty() {
        parts.headers.insert(CONTENT_LENGTH, body.len().into());
    }
    let target = parts.uri.path_and_query().cloned().ok_or_else(|| unsendable("path"))?;
    parts.uri = Uri::from(target);
    Ok(Request::from_parts(parts, Body::from(body)))
}

fn broken(why: &str) -> TransportError {
    TransportError::new(Kind::Connection, format!("the connection broke: {why}"))
}
