//! A request's way out and back: what can be set on every client, and a transport of your own.
//!
//! Each request obtains its token, waits for the rate limit, is authorised or signed, and is sent, and its answer is
//! judged; what may be retried is sent again, newly authorised or signed, within the [`RetryPolicy`]'s limits. Nothing
//! here knows a provider.
//!
//! # What a caller sees of a fault
//!
//! Each row is tested against the simulators (`tests/it/faults`), the waits at their full length in virtual time.
//! *Retried* is within the policy's limits; what stays so is told with [`Retryability::Exhausted`](crate::Retryability::Exhausted).
//!
//! | fault | at first | if it stays |
//! |---|---|---|
//! | 408, 500, 502, 503, 504, with any body | retried | [`Api`](crate::ErrorKind::Api) |
//! | 429 | retried after the wait that `Retry-After` asks for (seconds, or a date by the server's clock; nonsense is ignored) | [`Throttled`](crate::ErrorKind::Throttled) |
//! | any of these with a wait beyond `max_retry_after` | `Throttled` at once, with [`retry_after`](crate::Error::retry_after); of a change, only 429 | |
//! | connection refused, reset before or within the answer | retried | [`Transport`](crate::ErrorKind::Transport) |
//! | a certificate for another host, out of date, or of an issuer that is not trusted (`tests/it/http/tls.rs`; with native-tls it counts as a connection refused) | `Transport` at once; nothing is sent | |
//! | truncated or malformed JSON, an HTML page with 200, 204, an empty body | retried | [`Decode`](crate::ErrorKind::Decode) |
//! | 206 Partial Content, or another success that is not documented | retried | `Decode` |
//! | right JSON with a wrong `Content-Type`, or an unknown `Content-Encoding` | read | |
//! | `Content-Encoding: gzip` on what is no gzip | retried | `Transport` |
//! | a redirect | `Api` at once; it is not followed | |
//! | slow headers, a trickle, a hang | waited for, until `attempt_timeout`; then retried | [`Timeout`](crate::ErrorKind::Timeout) |
//! | a body over `body_limit`, also once decompressed | `Decode` at once | |
//! | a token that ends early or is revoked (401) | renewed once, replayed once | [`Auth`](crate::ErrorKind::Auth) |
//! | a token endpoint that is down | retried; the old token is used while it lives | the endpoint's error |
//! | Huawei's 401, such as a clock that is off | `Auth` at once, with both clocks | |
//! | a cursor that comes back | [`PaginationLoop`](crate::ErrorKind::PaginationLoop) after its pages (at SailPoint it may be [`ListingChanged`](crate::ErrorKind::ListingChanged)) | |
//! | an empty or short page in the middle | read on | |
//! | a bad row | [`InvalidRecord`](crate::ErrorKind::InvalidRecord) in its place, and the stream goes on | |
//! | an unknown enum value | kept, as [`UnknownValue`](crate::UnknownValue) | |
//! | accounts made or removed during the walk | those that are there throughout come once | |
//!
//! A request that creates or changes something is sent again only if it surely was not sent (the connection was
//! refused) or was refused for its token, which is renewed. Where it may have been carried out, its error is
//! [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied): look before you send it again.
//!
//! # What is traced
//!
//! With [`tracing`](https://docs.rs/tracing), in spans:
//!
//! | span | level | fields |
//! |---|---|---|
//! | `listing`: from making the stream to dropping it | info | `provider`; at its end `pages`, `rows` |
//! | `page`: fetching one, with its retries | debug | `provider`, `page` (from 1), `rows`, `error.type` |
//! | `request`: one attempt, also to obtain a token | debug | `provider`, `http.request.method`, `http.request.resend_count`, `http.response.status_code`, `server.address`, `server.port`, `error.type` |
//!
//! and an event, `to be sent again`, at debug with `provider`, `attempt`, `kind` and `wait`. The names of the
//! `request` are OpenTelemetry's for an HTTP client, and `otel.kind` and `otel.name` are there for
//! `tracing-opentelemetry`. Nothing else is recorded, at any level: no path or query, which hold ids and
//! filters, no header, no body, no account. Without a subscriber nothing is computed for it.
//!
//! # Certificates
//!
//! A server must show a certificate for its host, in date, of an issuer that the operating system trusts; on Linux,
//! `SSL_CERT_FILE` and `SSL_CERT_DIR` take the place of the system's list. An application with an issuer of its own
//! can bring a `reqwest::Client` that trusts it (`http_client`); such a client refuses all else as before.

mod api_client;
mod base_url;
mod body;
mod error_response;
mod link;
mod options;
mod rate_limit;
mod read;
mod redact;
mod request;
mod retry;
mod retry_after;
mod rows;
mod transport;

pub use ::http::{HeaderMap, HeaderValue, Request, Response};
pub use bytes::Bytes;
pub use futures::future::BoxFuture;
pub use link::next_link;
pub use options::Clock;
pub use rate_limit::RateLimit;
pub use retry::RetryPolicy;
pub use transport::{Transport, TransportError, TransportErrorKind};

pub(crate) use crate::error::one_line;
pub(crate) use api_client::{ApiClient, ApiResponse, Auth, NoAuth};
pub(crate) use base_url::encode;
pub(crate) use error_response::{ErrorResponse, header};
pub(crate) use options::{ClientOptions, client_options};
pub(crate) use read::{expect_empty, no_rows, read_object, read_page, read_rows};
pub(crate) use request::{ApiRequest, path_segment};
pub(crate) use rows::Rows;
