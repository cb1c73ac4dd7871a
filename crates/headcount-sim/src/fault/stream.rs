//! Faults that change how a response body is sent.

use std::io::Write as _;
use std::time::Duration;
use std::{io, mem};

use axum::body::Body;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::stream::{self, Stream, StreamExt};
use http::HeaderMap;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, HeaderValue};

use super::Fault;
use crate::listener::ConnectionHandle;
use crate::message::SimResponse;

/// The number of spaces in a chunk of padding.
const PADDING_CHUNK: usize = 1 << 16;

/// Converts a response without changing it.
pub(crate) fn into_http(response: SimResponse) -> http::Response<Body> {
    let body = Body::from(response.body);
    with_body(response.status, response.headers, body)
}

/// Applies a fault to the sending of a response. Returns `None` if the fault does not change the sending, or
/// does not apply here.
pub(crate) fn stream_response(
    fault: &Fault,
    request_headers: &HeaderMap,
    response: &SimResponse,
    connection: &ConnectionHandle,
) -> Option<http::Response<Body>> {
    if response.body.is_empty() || !response.status.is_success() {
        return None;
    }
    let mut headers = response.headers.clone();
    let body = response.body.clone();
    let size = u64::try_from(body.len()).unwrap_or(u64::MAX);
    let body = match *fault {
        Fault::ResetMidBody => {
            headers.insert(CONTENT_LENGTH, size.into());
            Body::from_stream(first_half(&body, connection.clone()))
        }
        Fault::SlowTrickle { chunk, every } => {
            headers.insert(CONTENT_LENGTH, size.into());
            Body::from_stream(trickle(body, chunk.max(1), every))
        }
        Fault::OversizedBody { bytes } => {
            headers.insert(CONTENT_LENGTH, bytes.max(size).into());
            Body::from_stream(stream::iter(padded(body, bytes)).map(Ok::<_, io::Error>))
        }
        Fault::GzipBomb { bytes } if accepts_gzip(request_headers) => {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            Body::from_stream(stream::iter(gzipped(padded(body, bytes))))
        }
        _ => return None,
    };
    Some(with_body(response.status, headers, body))
}

fn with_body(status: http::StatusCode, headers: HeaderMap, body: Body) -> http::Response<Body> {
    let mut response = http::Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(ACCEPT_ENCODING).iter();
    values.any(|value| value.to_str().is_ok_and(|value| value.contains("gzip")))
}

/// Yields the first half of a body, and an error once the half was sent.
fn first_half(body: &Bytes, connection: ConnectionHandle) -> impl Stream<Item = io::Result<Bytes>> + use<> {
    let half = body.slice(..body.len() / 2);
    let abort = async move {
        connection.flushed().await;
        Err(io::ErrorKind::ConnectionAborted.into())
    };
    stream::iter([Ok(half)]).chain(stream::once(abort))
}

/// Yields a body in chunks, each after a delay.
fn trickle(body: Bytes, chunk_size: usize, every: Duration) -> impl Stream<Item = io::Result<Bytes>> {
    stream::unfold(body, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        tokio::time::sleep(every).await;
        let chunk = rest.split_to(chunk_size.min(rest.len()));
        Some((Ok(chunk), rest))
    })
}

/// Pads a body with spaces to a size, after its first bracket or, if it has none, at the start.
fn padded(mut body: Bytes, bytes: u64) -> impl Iterator<Item = Bytes> + Send {
    let size = u64::try_from(body.len()).unwrap_or(u64::MAX);
    let bracket = body.first().is_some_and(|first| b"[{".contains(first));
    let first = body.split_to(usize::from(bracket));
    let mut remaining = bytes.saturating_sub(size);
    let spaces = Bytes::from(vec![b' '; PADDING_CHUNK]);
    let padding = std::iter::from_fn(move || {
        let chunk = spaces.slice(..usize::try_from(remaining).unwrap_or(PADDING_CHUNK).min(PADDING_CHUNK));
        remaining -= u64::try_from(chunk.len()).unwrap_or(remaining);
        Some(chunk).filter(|chunk| !chunk.is_empty())
    });
    [first].into_iter().chain(padding).chain([body])
}

/// Compresses chunks lazily, as one gzip stream.
fn gzipped(chunks: impl Iterator<Item = Bytes>) -> impl Iterator<Item = io::Result<Bytes>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    chunks.map(Some).chain([None]).map(move |chunk| {
        match chunk {
            Some(chunk) => encoder.write_all(&chunk)?,
            None => encoder.try_finish()?,
        }
        Ok(mem::take(encoder.get_mut()).into())
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn gzip_bomb_is_small_and_valid() {
        let body = Bytes::from_static(b"[{\"id\":1}]");
        let chunks: Vec<Bytes> = gzipped(padded(body, 1 << 22)).collect::<Result<_, _>>().expect("gzip");
        let compressed = chunks.concat();
        assert!(compressed.len() < (1 << 22) / 100, "{}", compressed.len());
        let mut text = String::new();
        GzDecoder::new(&compressed[..]).read_to_string(&mut text).expect("a complete gzip stream");
        assert_eq!((text.len(), text.replace(' ', "").as_str()), (1 << 22, "[{\"id\":1}]"));
    }
}
