//! Answers as they are sent.

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
use crate::exchange::Reply;
use crate::listener::Line;

/// How many blanks are sent at once.
const BLANKS: usize = 1 << 16;

/// An answer sent as it is.
pub(crate) fn respond(reply: Reply) -> http::Response<Body> {
    let body = Body::from(reply.body);
    with_body(reply.status, reply.headers, body)
}

/// An answer sent in another way; `None` when the fault is none of these, or does not apply.
pub(crate) fn send(
    fault: &Fault,
    asked: &HeaderMap,
    reply: &Reply,
    line: &Line,
) -> Option<http::Response<Body>> {
    if reply.body.is_empty() || !reply.status.is_success() {
        return None;
    }
    let mut headers = reply.headers.clone();
    let body = reply.body.clone();
    let size = u64::try_from(body.len()).unwrap_or(u64::MAX);
    let body = match *fault {
        Fault::ResetMidBody => {
            headers.insert(CONTENT_LENGTH, size.into());
            Body::from_stream(half(&body, line.clone()))
        }
        Fault::SlowTrickle { chunk, every } => {
            headers.insert(CONTENT_LENGTH, size.into());
            Body::from_stream(trickle(body, chunk.max(1), every))
        }
        Fault::OversizedBody { bytes } => {
            headers.insert(CONTENT_LENGTH, bytes.max(size).into());
            Body::from_stream(stream::iter(padded(body, bytes)).map(Ok::<_, io::Error>))
        }
        Fault::GzipBomb { bytes } if takes_gzip(asked) => {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            Body::from_stream(stream::iter(packed(padded(body, bytes))))
        }
        _ => return None,
    };
    Some(with_body(reply.status, headers, body))
}

fn with_body(status: http::StatusCode, headers: HeaderMap, body: Body) -> http::Response<Body> {
    let mut response = http::Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

fn takes_gzip(asked: &HeaderMap) -> bool {
    let mut values = asked.get_all(ACCEPT_ENCODING).iter();
    values.any(|value| value.to_str().is_ok_and(|value| value.contains("gzip")))
}

/// The first half, and an error once that has gone out.
fn half(body: &Bytes, line: Line) -> impl Stream<Item = io::Result<Bytes>> + use<> {
    let half = body.slice(..body.len() / 2);
    let cut = async move {
        line.flushed().await;
        Err(io::ErrorKind::ConnectionAborted.into())
    };
    stream::iter([Ok(half)]).chain(stream::once(cut))
}

/// Pieces of a body, each after a wait.
fn trickle(body: Bytes, chunk: usize, every: Duration) -> impl Stream<Item = io::Result<Bytes>> {
    stream::unfold(body, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        tokio::time::sleep(every).await;
        let piece = rest.split_to(chunk.min(rest.len()));
        Some((Ok(piece), rest))
    })
}

/// A body with blanks behind its first bracket, or in front if it has none, up to a size.
fn padded(mut body: Bytes, bytes: u64) -> impl Iterator<Item = Bytes> + Send {
    let size = u64::try_from(body.len()).unwrap_or(u64::MAX);
    let bracket = body.first().is_some_and(|first| b"[{".contains(first));
    let first = body.split_to(usize::from(bracket));
    let mut left = bytes.saturating_sub(size);
    let blanks = Bytes::from(vec![b' '; BLANKS]);
    let blanks = std::iter::from_fn(move || {
        let piece = blanks.slice(..usize::try_from(left).unwrap_or(BLANKS).min(BLANKS));
        left -= u64::try_from(piece.len()).unwrap_or(left);
        Some(piece).filter(|piece| !piece.is_empty())
    });
    [first].into_iter().chain(blanks).chain([body])
}

/// Pieces packed as they come, as one gzip stream.
fn packed(pieces: impl Iterator<Item = Bytes>) -> impl Iterator<Item = io::Result<Bytes>> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    pieces.map(Some).chain([None]).map(move |piece| {
        match piece {
            Some(piece) => packer.write_all(&piece)?,
            None => packer.try_finish()?,
        }
        Ok(mem::take(packer.get_mut()).into())
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn a_bomb_is_small_and_whole() {
        let body = Bytes::from_static(b"[{\"id\":1}]");
        let packed: Vec<Bytes> = packed(padded(body, 1 << 22)).collect::<Result<_, _>>().expect("packed");
        let packed = packed.concat();
        assert!(packed.len() < (1 << 22) / 100, "{}", packed.len());
        let mut text = String::new();
        GzDecoder::new(&packed[..]).read_to_string(&mut text).expect("a whole stream");
        assert_eq!((text.len(), text.replace(' ', "").as_str()), (1 << 22, "[{\"id\":1}]"));
    }
}
