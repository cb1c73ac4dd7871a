//! The way of a request: over a transport in memory and in virtual time, but for TLS.

mod answers;
mod limits;
mod retries;
mod secrets;
#[cfg(feature = "rustls")]
mod tls;
#[cfg(feature = "rustls")]
mod tls_front;
mod tokens;
mod traces;
