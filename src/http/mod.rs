//! HTTP options shared by all clients, and the [`ApiClient`] for listings of your own.
//!
//! Every client builder has setters for these options: [`RetryPolicy`] for retries and time limits,
//! [`RateLimit`], [`Clock`], and [`Transport`] to replace reqwest.
//!
//! A [`Paginator`](crate::Paginator) of your own sends its requests with an [`ApiClient`]. [`next_link`]
//! reads the `Link` header for it.
//!
//! For each attempt, a client obtains a token, waits for the rate limit, authorises or signs the request, and
//! sends it. Retryable failures are retried within the limits of the [`RetryPolicy`]. Each retry is
//! authorised or signed again. This module is independent of the providers.
//!
//! # Errors and retries
//!
//! Each row is tested against the simulators (`tests/it/faults`). Delays are tested at full length in virtual
//! time. *Retried* means within the policy's limits. If all attempts fail, the error has the kind in the last
//! column, with [`Retryability::Exhausted`](crate::Retryability::Exhausted).
//!
//! | fault | handling | error if it persists |
//! |---|---|---|
//! | 408, 500, 502, 503, 504, with any body | retried | [`Api`](crate::ErrorKind::Api) |
//! | 429 | retried after `Retry-After` (seconds, or a date by the server's clock; invalid values are ignored) | [`Throttled`](crate::ErrorKind::Throttled) |
//! | any of these with a `Retry-After` over `max_retry_after` | fails immediately with `Throttled` and [`retry_after`](crate::Error::retry_after); for mutations, only 429 does | |
//! | connection refused, or reset before or during the response | retried | [`Transport`](crate::ErrorKind::Transport) |
//! | a certificate for another host, expired, or of an untrusted issuer (`tests/it/http/tls.rs`; with native-tls it counts as a failure to connect) | fails immediately with `Transport`; nothing is sent | |
//! | truncated or malformed JSON, an HTML page with 200, 204, an empty body | retried | [`Decode`](crate::ErrorKind::Decode) |
//! | 206 Partial Content, or another undocumented success status | retried | `Decode` |
//! | valid JSON with a wrong `Content-Type` or an unknown `Content-Encoding` | decoded | |
//! | `Content-Encoding: gzip` on a body that is not gzip | retried | `Transport` |
//! | a redirect | fails immediately with `Api`; not followed | |
//! | slow headers, a slow body, a hang | retried after `attempt_timeout` | [`Timeout`](crate::ErrorKind::Timeout) |
//! | a body over `body_limit`, before or after decompression | fails immediately with `Decode` | |
//! | a token that expires early or is revoked (401) | refreshed once, and the request is replayed once | [`Auth`](crate::ErrorKind::Auth) |
//! | a token endpoint that is down | retried; the old token is used until it expires | the endpoint's error |
//! | Huawei's 401, for example because of a wrong clock | fails immediately with `Auth`, with both times in the message | |
//! | a repeated cursor | [`PaginationLoop`](crate::ErrorKind::PaginationLoop) after its pages (at SailPoint it may be [`ListingChanged`](crate::ErrorKind::ListingChanged)) | |
//! | an empty or short page before the end | the listing continues | |
//! | an invalid row | [`InvalidRecord`](crate::ErrorKind::InvalidRecord) in its place; the stream continues | |
//! | an unknown enum value | kept as [`UnknownValue`](crate::UnknownValue) | |
//! | accounts created or removed during a listing (`tests/it/listing_under_change.rs`) | at Fortanix and SailPoint, accounts that exist throughout are yielded once, or the listing fails, or its summary says that they may not be; at Huawei and Annature, this depends on the provider's cursors | |
//!
//! A request that creates or changes something is treated as not idempotent. It is retried only if it never
//! reached the server (the connection was refused) or if its token was rejected, after the token is
//! refreshed. If it may have been processed, its error is
//! [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied): check the result before sending it
//! again.
//!
//! # Tracing
//!
//! The spans, recorded with [`tracing`](https://docs.rs/tracing):
//!
//! | span | level | fields |
//! |---|---|---|
//! | `listing`: from creating the stream to dropping it | info | `provider`; at its end `pages`, `rows` |
//! | `page`: fetching one page, with its retries | debug | `provider`, `page` (from 1), `rows`, `error.type` |
//! | `request`: one attempt, including those for tokens | debug | `provider`, `http.request.method`, `http.request.resend_count`, `http.response.status_code`, `body_bytes` (of the response, after decompression), `server.address`, `server.port`, `error.type` |
//!
//! The events, at debug level:
//!
//! | event | fields |
//! |---|---|
//! | `retrying request`: before a wait and another attempt | `provider`, `attempt`, `kind`, `http.response.status_code`, `http.request.method`, `server.address`, `wait_ms` |
//! | `waiting for the rate limit` | `provider`, `wait_ms` |
//!
//! To print them, include when spans close:
//!
//! ```
//! use tracing_subscriber::fmt::format::FmtSpan;
//!
//! let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG);
//! subscriber.with_span_events(FmtSpan::CLOSE).init();
//! ```
//!
//! With the feature `env-filter` of `tracing-subscriber`, the filter `headcount=debug` hides those of other crates.
//!
//! Most fields of `request` have OpenTelemetry's names for HTTP clients. `otel.kind` and `otel.name` are for
//! `tracing-opentelemetry`. The [cookbook](crate::guide::cookbook#count-requests-retries-waits-and-bytes-from-tracing)
//! has a layer that counts them.
//!
//! Nothing else is recorded at any level: no paths or queries, which contain ids and filters, and no headers,
//! bodies or accounts. Without a subscriber, nothing is computed for it.
//!
//! # Certificates
//!
//! A server needs a certificate that is valid for its host and date, and whose issuer the operating system
//! trusts. On Linux, `SSL_CERT_FILE` and `SSL_CERT_DIR` replace the system's list of issuers. To trust
//! another issuer, pass a `reqwest::Client` that does (`http_client`). Such a client still rejects all other
//! certificates.

mod api_client;
mod base_url;
mod bearer_token;
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

pub use ::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
pub use bytes::Bytes;
pub use futures::future::BoxFuture;

pub use api_client::{ApiClient, ApiClientBuilder, ApiResponse, Auth, NoAuth};
pub use bearer_token::{AccessToken, BearerCredential, BearerToken};
pub use error_response::ErrorResponse;
pub use link::next_link;
pub use options::Clock;
pub use rate_limit::RateLimit;
pub use request::{ApiRequest, path_segment};
pub use retry::RetryPolicy;
pub use rows::Rows;
pub use transport::{ReqwestTransport, Transport, TransportError, TransportErrorKind};

pub(crate) use crate::error::one_line;
pub(crate) use base_url::encode;
pub(crate) use error_response::header_text;
pub(crate) use options::{ClientOptions, client_options};
pub(crate) use read::{expect_empty, no_rows, read_object, read_page, read_rows};
