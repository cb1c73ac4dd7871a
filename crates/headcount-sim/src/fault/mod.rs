//! Fault plans, and the application of each fault.
//!
//! The pipeline consults the plan once per request. Module `apply` changes the request or replaces the
//! response, `body` changes a complete response, and `stream` changes how the body is sent.

mod apply;
mod body;
mod cursor_loop;
mod plan;
mod serde_helpers;
mod stream;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use apply::{ResponseOverride, apply_to_request, replacement_response};
pub(crate) use body::apply_to_body;
pub(crate) use plan::Injector;
pub use plan::{Faults, FaultsError};
pub(crate) use stream::{into_http, stream_response};

/// A fault that is injected into one request, or into all requests from one on.
///
/// No fault silently removes an account from a listing. The client can detect the fault, or the next page
/// continues where the affected page ended.
///
/// # Where a fault applies
///
/// A fault that does not apply to a request has no effect and is not counted:
///
/// - Faults that change a body require a 2xx response with a body.
/// - Faults of a listing require a list request. They are [`CursorLoop`](Self::CursorLoop),
///   [`EmptyPageWithMarker`](Self::EmptyPageWithMarker), [`ShortPage`](Self::ShortPage),
///   [`BadRow`](Self::BadRow), [`UnknownEnum`](Self::UnknownEnum) and
///   [`ConcurrentChange`](Self::ConcurrentChange). Some have further conditions.
/// - [`TokenExpiredEarly`](Self::TokenExpiredEarly), [`TokenEndpointDown`](Self::TokenEndpointDown) and
///   [`ClockSkew`](Self::ClockSkew) require a provider with that feature.
///
/// # As JSON
///
/// The variant's name in `snake_case`. A variant with fields is an object with the name as its only key.
/// Durations are strings such as `"250ms"` or `"3s"`.
///
/// ```json
/// "hang"
/// {"slow_headers": "250ms"}
/// {"status": {"status": 502, "body": "html", "retry_after": {"seconds": 2}}}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Fault {
    /// Responds 429 with the provider's own body. The provider's rate limit does not count the request.
    TooManyRequests {
        /// The `Retry-After` header, if any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<RetryAfter>,
    },
    /// Responds with this status. The request is not processed.
    Status {
        /// From 200 to 599.
        #[serde(deserialize_with = "serde_helpers::status")]
        status: u16,
        /// The kind of body.
        #[serde(default)]
        body: ErrorBody,
        /// The `Retry-After` header, if any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<RetryAfter>,
    },
    /// Stops listening. Every connection is closed, including this request's, and new ones are refused
    /// (`ECONNREFUSED`). After `duration`, on tokio's clock, the server listens again on the same port.
    ///
    /// It is a duration rather than a number of requests, because a server cannot count refused connections.
    /// The port remains bound, so that no other process can take it.
    RefuseConnections {
        /// How long the server does not listen.
        #[serde(with = "serde_helpers::duration")]
        duration: Duration,
    },
    /// Resets the connection (TCP RST) before the first byte of the response. The request is not processed.
    ResetBeforeResponse,
    /// Sends the status, the headers with the full `Content-Length`, and half of the body. Then closes the
    /// connection by FIN, because a reset could discard the half that was sent.
    ResetMidBody,
    /// Truncates the JSON in the middle. The `Content-Length` is that of the truncated body.
    TruncatedJson,
    /// Sends a complete response with invalid JSON: a comma follows its first bracket.
    MalformedJson,
    /// Sends the correct JSON as `text/plain`.
    WrongContentType,
    /// Responds 200 with an HTML login page, as captive portals and proxies do. The request is not processed.
    HtmlPage,
    /// Responds 204 without a body. The request is not processed.
    NoContent,
    /// Responds 302. The request is not processed.
    Redirect {
        /// The `Location` header. Omitted if it is not a valid header value.
        to: String,
    },
    /// Sends the correct response after a delay, on tokio's clock.
    SlowHeaders(#[serde(with = "serde_helpers::duration")] Duration),
    /// Sends the status and the headers immediately, then the correct body in small chunks.
    SlowTrickle {
        /// The size of each chunk in bytes. 0 is treated as 1.
        chunk: usize,
        /// The delay before each chunk, on tokio's clock.
        #[serde(with = "serde_helpers::duration")]
        every: Duration,
    },
    /// Never responds. The connection stays open until the client or the server closes it. The request is not
    /// processed.
    Hang,
    /// Pads the correct JSON to a size, with spaces after its first bracket. The padding is generated while
    /// the body is sent, with a `Content-Length`. The body is never smaller than the correct JSON.
    OversizedBody {
        /// The size of the body.
        bytes: u64,
    },
    /// Pads the correct JSON as [`OversizedBody`](Self::OversizedBody) does, and compresses it by a factor of
    /// more than 100 with `Content-Encoding: gzip`. The stream is valid. Requires `Accept-Encoding: gzip`.
    GzipBomb {
        /// The size of the decompressed body.
        bytes: u64,
    },
    /// Sends the correct body with a false `Content-Encoding`, such as `UTF-8`, or `gzip` without
    /// compression. Does not apply if the text is not a valid header value.
    BogusContentEncoding(String),
    /// Expires the token of this request, which gets the provider's 401. A new login returns a new token.
    /// Requires Fortanix or `SailPoint`, and a valid token.
    TokenExpiredEarly,
    /// Responds 503 with the provider's own body. Applies to logins only. Requires Fortanix or `SailPoint`.
    TokenEndpointDown,
    /// Validates this request with a clock that is ahead of the server's. The `Date` header of the response
    /// is ahead, too. Requires Huawei, which rejects a signature if the clocks differ by more than 15
    /// minutes.
    ClockSkew {
        /// How far the clock is ahead, in seconds. May be negative.
        seconds: i64,
    },
    /// Makes the listing loop over `period` pages, from this list request until another plan is set.
    ///
    /// A request after the last of these pages gets the first of them again, with the same cursors. Each
    /// repeated page counts as a fault. The request that starts the loop does not. A listing that ends within
    /// the first `period` pages ends normally.
    ///
    /// Applies to the cursor of each provider: Fortanix's `previous_id`, Huawei's `marker`, the `cursor` of
    /// Annature's `/v2`, and the `offset` of `SailPoint`, which is then effectively ignored.
    CursorLoop {
        /// The number of pages in the loop. 0 is treated as 1, which repeats a single page.
        period: u32,
    },
    /// Returns a page without rows, whose cursor leads to the remaining rows. No row is lost. Requires Huawei
    /// or Annature's `/v2`. At the other providers, an empty page is the end of the listing.
    EmptyPageWithMarker,
    /// Returns a page with half of its rows. The next page starts after them, so no row is lost. Applies to
    /// every paged listing, to pages of two or more rows.
    ShortPage,
    /// Corrupts one random row of the page.
    BadRow {
        /// How the row is corrupted.
        kind: BadRow,
    },
    /// Replaces about half of the page's enum values by undocumented ones.
    UnknownEnum,
    /// Removes and inserts accounts on one side of the requested position, in the provider's default order,
    /// before the response is created.
    ///
    /// Removes at most the existing accounts. Inserts only as many as it can generate for that side. For
    /// `SailPoint` the position is the `offset`. A change before it shifts all later rows, as in any offset
    /// paging, so that a listing may skip rows that were present throughout, or yield some twice.
    ConcurrentChange {
        /// How many accounts are removed.
        #[serde(default)]
        remove: usize,
        /// How many accounts are inserted.
        #[serde(default)]
        insert: usize,
        /// The side of the requested position.
        side: Side,
    },
}

impl Fault {
    /// Returns the variant's name in JSON, such as `too_many_requests`.
    pub fn name(&self) -> String {
        match serde_json::to_value(self) {
            Ok(Value::String(name)) => name,
            Ok(Value::Object(fields)) => fields.into_iter().map(|(name, _)| name).next().unwrap_or_default(),
            _ => String::new(),
        }
    }
}

/// A `Retry-After` header. As JSON: `{"seconds": 3}`, `{"date": 30}` or `{"text": "soon"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RetryAfter {
    /// A number of seconds.
    Seconds(u64),
    /// A date, as seconds from now by the system clock. Negative for the past.
    Date(i64),
    /// Any text. Omitted if it is not a valid header value.
    Text(String),
}

/// The body of an error. As JSON: `"vendor"`, `"html"` or `"empty"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorBody {
    /// The provider's own error body and headers. If the provider does not document one for the status, the
    /// body has the form of its other errors, with the reason phrase of the status (assumption).
    #[default]
    Vendor,
    /// An HTML page, as a proxy in front of the provider sends it.
    Html,
    /// No body.
    Empty,
}

/// How a row is corrupted. As JSON: the name in `snake_case`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BadRow {
    /// The id is null.
    NullId,
    /// The id is missing.
    MissingId,
    /// The id is an empty string.
    EmptyId,
    /// The id is a number.
    NumericId,
    /// Every second field, except the id, is an array that contains an object.
    WrongType,
    /// The row is a string instead of an object.
    NotAnObject,
    /// The row is null.
    Null,
}

/// A side of the position that a list request asks for. As JSON: `"before"` or `"after"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Side {
    /// The accounts before the requested page. There are none before the first page.
    Before,
    /// The accounts of the requested page and after it.
    After,
}
