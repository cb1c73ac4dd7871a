//! The way to a server without sockets.

use std::error::Error as StdError;
use std::fmt;

use axum::body::Body;
use bytes::Bytes;
use futures::future::{BoxFuture, Either, select};
use http::header::{HOST, HeaderValue};
use http::{Request, Response, Uri};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use super::listener::Bell;
use headcount::http::{Transport, TransportError, TransportErrorKind as Kind};

/// What is sent and not yet read, in bytes, either way; as much as a socket's.
const BUFFER: usize = 64 * 1024;

/// A transport that speaks HTTP/1.1 with a simulator in memory; see [`Server::transport`](super::Server::transport).
///
/// Nothing of it happens outside of the runtime, so it is for tests with a paused clock, in which half an hour of
/// waiting takes no time. To the server it is a connection as any other, one for each request: it checks, records
/// and injects the same. Only what is a matter of sockets or of compression differs: a reset is a mere close, and
/// nothing is compressed, so that [`GzipBomb`](super::Fault::GzipBomb) does not apply and
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
pub struct InMemory(Bell);

impl InMemory {
    pub(crate) fn new(bell: Bell) -> Self {
        Self(bell)
    }

    async fn exchange(
        &self,
        request: Request<Bytes>,
        limit: usize,
    ) -> Result<Response<Bytes>, TransportError> {
        let (here, there) = tokio::io::duplex(BUFFER);
        if !self.0.ring(there) {
            return Err(TransportError::new(Kind::Connect, "the simulator does not listen, or was dropped"));
        }
        let (mut sender, connection) = http1::handshake(TokioIo::new(here)).await.map_err(broken)?;
        let answer = Box::pin(async move {
            let answer = sender.send_request(to_server(request)?).await.map_err(broken)?;
            let (parts, body) = answer.into_parts();
            let body = axum::body::to_bytes(Body::new(body), limit)
                .await
                .map_err(|error| too_large(error, limit))?;
            Ok(Response::from_parts(parts, body))
        });
        match select(answer, connection).await {
            Either::Left((answer, _)) => answer,
            // The connection has told the answer what happened, if it failed, or has all of it.
            Either::Right((_, answer)) => answer.await,
        }
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

/// The request as it goes over a connection: the host in a header, and only the rest as its target.
fn to_server(request: Request<Bytes>) -> Result<Request<Body>, TransportError> {
    let unsendable = |what| TransportError::new(Kind::Unsendable, format!("the URL has no {what} to send"));
    let (mut parts, body) = request.into_parts();
    let host = parts.uri.authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok());
    parts.headers.insert(HOST, host.ok_or_else(|| unsendable("host"))?);
    let target = parts.uri.path_and_query().cloned().ok_or_else(|| unsendable("path"))?;
    parts.uri = Uri::from(target);
    Ok(Request::from_parts(parts, Body::from(body)))
}

fn too_large(error: axum::Error, limit: usize) -> TransportError {
    // Where the reader stopped, there is no error of the connection.
    let mut cause: Option<&(dyn StdError + 'static)> = Some(&error);
    while let Some(inner) = cause {
        if inner.is::<hyper::Error>() {
            return broken(error);
        }
        cause = inner.source();
    }
    TransportError::new(Kind::TooLarge, format!("the answer has more than {limit} bytes")).with_source(error)
}

fn broken(error: impl StdError + Send + Sync + 'static) -> TransportError {
    TransportError::new(Kind::Broken, format!("the connection broke: {error}")).with_source(error)
}
