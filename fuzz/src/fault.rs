//! Transient faults.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use arbitrary::{Arbitrary, Result, Unstructured};
use bytes::Bytes;
use headcount::http::TransportErrorKind;
use http::Request;

use crate::server::{Reply, Server, headers, response, with_headers};

/// A fault of a request. Most values are no fault.
#[derive(Clone, Copy, Debug)]
pub struct Fault(u8);

impl<'a> Arbitrary<'a> for Fault {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        u8::arbitrary(input).map(Self)
    }
}

impl Fault {
    fn reply(self) -> Option<Reply> {
        Some(match self.0 {
            0 => response(503, "<html>hunter2</html>"),
            1 => with_headers(429, "", headers([("retry-after", b"3".as_slice())])),
            2 => with_headers(429, "", headers([("retry-after", b"9999".as_slice())])),
            3 => Reply::Fail(TransportErrorKind::Connect),
            4 => Reply::Fail(TransportErrorKind::Connection),
            5 => Reply::Hang,
            6 => response(200, ""),
            7 => response(200, "<!DOCTYPE html><p>Log in as hunter2"),
            8 => response(200, r#"{"accounts":[{"id":"hunter2"#),
            9 => response(204, "[]"),
            10 => response(200, "null"),
            11 => response(500, r#"{"message":7,"error":["x"]}"#),
            12 => response(401, r#"{"error_code":"APIGW.0301","error_msg":"no","code":1}"#),
            13 => response(302, ""),
            _ => return None,
        })
    }
}

/// Counts the injected faults and the responses of the model.
#[derive(Clone, Default)]
pub struct FaultCounter {
    faults: Arc<AtomicUsize>,
    responses: Arc<AtomicUsize>,
}

impl FaultCounter {
    pub fn faults(&self) -> usize {
        self.faults.load(Ordering::Relaxed)
    }

    pub fn responses(&self) -> usize {
        self.responses.load(Ordering::Relaxed)
    }
}

/// Creates a server that injects `faults` into its first requests, and passes all others to `handler`.
pub fn with_faults(
    faults: &[Fault],
    mut handler: impl FnMut(&Request<Bytes>) -> Reply + Send + 'static,
) -> (Server, FaultCounter) {
    let counter = FaultCounter::default();
    let count = counter.clone();
    let mut faults = faults.iter().copied().take(64).collect::<Vec<_>>().into_iter();
    let server = Server::new(move |request| match faults.next().and_then(Fault::reply) {
        Some(reply) => {
            count.faults.fetch_add(1, Ordering::Relaxed);
            reply
        }
        None => {
            count.responses.fetch_add(1, Ordering::Relaxed);
            handler(request)
        }
    });
    (server, counter)
}
