//! Failures that pass.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use arbitrary::{Arbitrary, Result, Unstructured};
use bytes::Bytes;
use headcount::http::TransportErrorKind;
use http::Request;

use crate::server::{Reply, Server, answer, headers, with_headers};

/// What happens to a request, mostly nothing.
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
            0 => answer(503, "<html>hunter2</html>"),
            1 => with_headers(429, "", headers([("retry-after", b"3".as_slice())])),
            2 => with_headers(429, "", headers([("retry-after", b"9999".as_slice())])),
            3 => Reply::Fail(TransportErrorKind::Connect),
            4 => Reply::Fail(TransportErrorKind::Connection),
            5 => Reply::Hang,
            6 => answer(200, ""),
            7 => answer(200, "<!DOCTYPE html><p>Log in as hunter2"),
            8 => answer(200, r#"{"accounts":[{"id":"hunter2"#),
            9 => answer(204, "[]"),
            10 => answer(200, "null"),
            11 => answer(500, r#"{"message":7,"error":["x"]}"#),
            12 => answer(401, r#"{"error_code":"APIGW.0301","error_msg":"no","code":1}"#),
            13 => answer(302, ""),
            _ => return None,
        })
    }
}

/// How many faults have happened, and how many answers were those of a model.
#[derive(Clone, Default)]
pub struct Happened {
    faults: Arc<AtomicUsize>,
    answers: Arc<AtomicUsize>,
}

impl Happened {
    pub fn faults(&self) -> usize {
        self.faults.load(Ordering::Relaxed)
    }

    pub fn answers(&self) -> usize {
        self.answers.load(Ordering::Relaxed)
    }
}

/// A server to whose first requests `faults` happen, and which answers the others by `answer`.
pub fn failing(
    faults: &[Fault],
    mut answer: impl FnMut(&Request<Bytes>) -> Reply + Send + 'static,
) -> (Server, Happened) {
    let happened = Happened::default();
    let count = happened.clone();
    let mut faults = faults.iter().copied().take(64).collect::<Vec<_>>().into_iter();
    let server = Server::new(move |request| match faults.next().and_then(Fault::reply) {
        Some(reply) => {
            count.faults.fetch_add(1, Ordering::Relaxed);
            reply
        }
        None => {
            count.answers.fetch_add(1, Ordering::Relaxed);
            answer(request)
        }
    });
    (server, happened)
}
