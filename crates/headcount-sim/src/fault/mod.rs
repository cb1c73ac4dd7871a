//! Faults: what a plan of them is, and how each is carried out.
//!
//! A plan is asked by the gate, once per request. What a fault does before the provider answers, or in its place,
//! is in `prepare`. What it makes of the answer is in `spoil` (the body as a whole) and `stream` (the body as it is
//! sent).

mod forms;
mod plan;
mod prepare;
mod spoil;
mod stream;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use plan::Injector;
pub use plan::{Faults, FaultsError};
pub(crate) use prepare::{Tweak, instead, prepare};
pub(crate) use spoil::spoil;
pub(crate) use stream::{respond, send};

/// Something that goes wrong with one request, or from one request on.
///
/// The simulators keep their word: no fault silently leaves an account out of a listing. Whatever is done to
/// an answer, a client can see it, or the next page goes on where this one ended.
///
/// # Where a fault applies
///
/// A fault that makes no sense where the plan puts it does nothing and is not counted:
///
/// - faults of a body need an answer of 2xx that has one; a refused request is refused as ever;
/// - faults of a listing ([`RepeatedMarker`](Self::RepeatedMarker),
///   [`EmptyPageWithMarker`](Self::EmptyPageWithMarker), [`ShortPage`](Self::ShortPage),
///   [`BadRow`](Self::BadRow), [`UnknownEnum`](Self::UnknownEnum), [`WorldChange`](Self::WorldChange)) need a
///   list request, and what else is said there;
/// - [`TokenExpiredEarly`](Self::TokenExpiredEarly), [`TokenEndpointDown`](Self::TokenEndpointDown) and
///   [`ClockSkew`](Self::ClockSkew) need a provider that has such a thing.
///
/// # As JSON
///
/// The variant's name in `snake_case`; with fields, an object of that one key. Durations are text, such as
/// `"250ms"` or `"3s"`.
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
    /// 429, with the provider's own body. The provider's limit does not count it.
    TooManyRequests {
        /// The `Retry-After` header, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<RetryAfter>,
    },
    /// This status in place of the answer; nothing is done for the request.
    Status {
        /// From 200 to 599.
        #[serde(deserialize_with = "forms::status")]
        status: u16,
        /// What the body holds.
        #[serde(default)]
        body: ErrorBody,
        /// The `Retry-After` header, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<RetryAfter>,
    },
    /// The server stops listening: every connection is closed, this request's own without an answer, and new
    /// ones are refused (`ECONNREFUSED`). After the time given, on tokio's clock, it listens again on the
    /// same port.
    ///
    /// A time and not a number of requests, because a server cannot count what it refuses in this way. The
    /// port stays bound meanwhile, so that nobody else takes it.
    RefuseConnections {
        /// How long nobody listens.
        #[serde(with = "forms::duration")]
        lasting: Duration,
    },
    /// The connection is reset (TCP RST) before the first byte of an answer. Nothing is done for the request.
    ResetBeforeAnswer,
    /// Status, headers and half of the real body, with the `Content-Length` of all of it; then the connection
    /// is closed. (By FIN, because a reset may take the half away that was sent.)
    ResetMidBody,
    /// A valid answer whose JSON is cut in the middle; the `Content-Length` is that of the half.
    TruncatedJson,
    /// A complete answer that is no JSON: a comma stands behind its first bracket.
    MalformedJson,
    /// The right JSON, as `text/plain`.
    WrongContentType,
    /// 200 with a login page in HTML, as captive portals and proxies have it. Nothing is done for the request.
    HtmlOk,
    /// 204 without a body. Nothing is done for the request.
    NoContent,
    /// 302 to elsewhere. Nothing is done for the request.
    Redirect {
        /// The `Location`; left out if no header can hold it.
        to: String,
    },
    /// The right answer, late: nothing is sent before this time is over, on tokio's clock.
    SlowHeaders(#[serde(with = "forms::duration")] Duration),
    /// Status and headers at once, then the right body a few bytes at a time.
    SlowTrickle {
        /// The bytes of each piece; 0 is taken for 1.
        chunk: usize,
        /// The wait before each piece, on tokio's clock.
        #[serde(with = "forms::duration")]
        every: Duration,
    },
    /// No answer, ever; the connection stays open until the client or the server ends it. Nothing is done
    /// for the request.
    Hang,
    /// The right JSON with so many blanks behind its first bracket that the body has this size. It is sent
    /// as it goes, with its `Content-Length`, and never held. No less than the real body.
    OversizedBody {
        /// The size of the body.
        bytes: u64,
    },
    /// The right JSON with blanks, as in [`OversizedBody`](Self::OversizedBody), compressed more than 100 times
    /// and sent as it goes, with `Content-Encoding: gzip`. It is valid to its end. Not for a client that did
    /// not send `Accept-Encoding: gzip`.
    GzipBomb {
        /// The size of the body once it is unpacked.
        bytes: u64,
    },
    /// The right body under a `Content-Encoding` that is not true: `UTF-8`, or `gzip` without gzip. Left out
    /// if no header can hold it.
    BogusContentEncoding(String),
    /// The token of this request is dead from now on: this answer is the provider's 401. A new login gives a
    /// new token. Fortanix and `SailPoint`, with a token that was good until then.
    TokenExpiredEarly,
    /// 503 with the provider's own body, to logins only. Fortanix and `SailPoint`.
    TokenEndpointDown,
    /// This request is judged by a clock that is this much ahead of the server's; its `Date` header tells it.
    /// Huawei, where more than fifteen minutes make the signature expired.
    ClockSkew {
        /// How far the clock is ahead; negative for behind.
        seconds: i64,
    },
    /// From this list request on, until another plan is set, the listing goes round in a circle of so many
    /// pages: the first page that is asked for behind them is the first of them again, and so are its cursors.
    /// Each page that is told again is counted, the request that began it is not. A walk that ends within the
    /// circle ends as ever.
    ///
    /// All providers (Fortanix's `previous_id`, Huawei's `marker`, Annature's `cursor` in its second version;
    /// `SailPoint`'s `offset`, which is then as good as ignored).
    RepeatedMarker {
        /// The pages of the circle; 0 is taken for 1: the same page again and again.
        period: u32,
    },
    /// A page without rows although more follow: its cursor leads on, and nothing is lost. Huawei, and
    /// Annature's second version; elsewhere an empty page is the end.
    EmptyPageWithMarker,
    /// A page of half its rows; the next page begins behind them, and nothing is lost. Every listing with
    /// pages, where the page has two rows or more.
    ShortPage,
    /// One row of the page, a random one, is spoiled; the others are as ever.
    BadRow {
        /// How it is spoiled.
        kind: BadRow,
    },
    /// About half of the values in the page that belong to enumerations are words that no reference knows.
    UnknownEnum,
    /// Before the answer, accounts come and go at one side of the place that the request asks for, in the
    /// default order of the provider. As many as there are to go; new ones as far as some are found that fall
    /// there. For `SailPoint` the place is the `offset`; a change before it moves all rows behind it, as offset
    /// paging has it, so that a walk passes over rows that were there all along, or meets them twice.
    WorldChange {
        /// How many accounts go.
        #[serde(default)]
        remove: usize,
        /// How many new ones come.
        #[serde(default)]
        insert: usize,
        /// Among those told already, or among those to come.
        side: Side,
    },
}

impl Fault {
    /// The variant's name as it stands in JSON, such as `too_many_requests`.
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
    /// A date, so many seconds from now by the system's clock; negative for the past.
    Date(i64),
    /// Anything; left out if no header can hold it.
    Text(String),
}

/// The body of an error. As JSON: `"vendor"`, `"html"` or `"empty"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorBody {
    /// What the provider itself says, with its headers. Where it documents nothing, this is the shape of its
    /// other errors with the status's own words (assumption).
    #[default]
    Vendor,
    /// A page in HTML, as a proxy in front of the provider has it.
    Html,
    /// Nothing.
    Empty,
}

/// How a row is spoiled. As JSON: the name in `snake_case`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BadRow {
    /// Its id is null.
    NullId,
    /// It has no id.
    MissingId,
    /// Its id is the empty text.
    EmptyId,
    /// Its id is a number.
    NumericId,
    /// Every second of its fields, but not the id, holds an array with an object in it.
    WrongType,
    /// It is text, not an object.
    NotAnObject,
    /// It is null.
    Null,
}

/// A side of the place in the listing that a request asks for. As JSON: `"before"` or `"after"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Side {
    /// Where the walk has been. There is nothing before the first page.
    Before,
    /// Where the walk has yet to go, the page asked for included.
    After,
}
