//! Sequences of arbitrary responses.

use std::sync::{Arc, Mutex};

use arbitrary::Arbitrary;
use bytes::Bytes;

use crate::{
    json::Json,
    server::{Reply, Server, headers, response, status_code, with_headers},
};

/// A response that may or may not be a page of a list.
#[derive(Arbitrary, Clone, Debug)]
pub struct RawResponse {
    status: Status,
    header: Option<(Header, Vec<u8>)>,
    body: Body,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Status {
    Ok,
    Fine,
    Good,
    Any(u16),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Header {
    Count,
    RetryAfter,
    ContentType,
    RequestId,
    Date,
}

#[derive(Arbitrary, Clone, Debug)]
enum Body {
    Bytes(Vec<u8>),
    Json(Json),
    /// A provider's envelope with arbitrary rows.
    Enveloped(Vec<Json>, u8, String),
}

impl RawResponse {
    pub fn is_success(&self) -> bool {
        status_code(self.status()).is_success()
    }

    pub fn body(&self) -> Bytes {
        match &self.body {
            Body::Bytes(bytes) => bytes.clone().into(),
            Body::Json(json) => json.0.clone().into(),
            Body::Enveloped(rows, shape, text) => {
                let rows: Vec<&str> = rows.iter().map(|row| row.0.as_str()).collect();
                let rows = format!("[{}]", rows.join(","));
                let text = serde_json::Value::from(text.as_str());
                match shape % 7 {
                    0 => rows,
                    1 => format!(r#"{{"items":{rows}}}"#),
                    2 => format!(r#"{{"accounts":{rows},"page_info":{{"next_marker":{text}}}}}"#),
                    3 => format!(r#"{{"accounts":{rows},"page_info":{{"next_marker":null}}}}"#),
                    4 => format!(r#"{{"accounts":{rows},"has_more":true,"cursor":{text}}}"#),
                    5 => format!(r#"{{"accounts":{rows},"has_more":false,"cursor":{text}}}"#),
                    _ => format!(r#"{{"accounts":{rows},"cursor":{text}}}"#),
                }
                .into()
            }
        }
    }

    /// Returns whether `X-Total-Count` is `rows`.
    pub fn has_total_count(&self, rows: usize) -> bool {
        let count = self.header.as_ref().filter(|(name, _)| matches!(name, Header::Count));
        let count = count.and_then(|(_, value)| std::str::from_utf8(value).ok()?.trim().parse().ok());
        count == Some(rows)
    }

    fn status(&self) -> u16 {
        match self.status {
            Status::Ok | Status::Fine | Status::Good => 200,
            Status::Any(status) => status,
        }
    }

    fn reply(&self) -> Reply {
        let header = self.header.iter().map(|(name, value)| {
            let name = match name {
                Header::Count => "x-total-count",
                Header::RetryAfter => "retry-after",
                Header::ContentType => "content-type",
                Header::RequestId => "x-request-id",
                Header::Date => "date",
            };
            (name, value.as_slice())
        });
        with_headers(self.status(), self.body(), headers(header))
    }
}

/// Creates a server that returns these responses in order, and 500 after the last. Also returns the last
/// response.
pub fn replay(replies: &[RawResponse]) -> (Server, LastResponse) {
    let last = LastResponse::default();
    let current = last.clone();
    let mut replies = replies.iter().take(64).cloned().collect::<Vec<_>>().into_iter();
    let server = Server::new(move |_| {
        let raw = replies.next();
        let reply = raw.as_ref().map_or_else(|| response(500, ""), RawResponse::reply);
        *current.0.lock().unwrap() = raw;
        reply
    });
    (server, last)
}

/// The last response, or `None` after all responses were used.
#[derive(Clone, Default)]
pub struct LastResponse(Arc<Mutex<Option<RawResponse>>>);

impl LastResponse {
    pub fn get(&self) -> Option<RawResponse> {
        self.0.lock().unwrap().clone()
    }
}
