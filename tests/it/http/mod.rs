//! The way of a request: over a transport in memory and in virtual time, but for TLS.

mod answers;
mod large;
mod limits;
mod retries;
mod secrets;
mod secrets_of_changes;
#[cfg(all(feature = "rustls", not(feature = "native-tls")))]
mod tls;
#[cfg(all(feature = "rustls", not(feature = "native-tls")))]
mod tls_front;
mod tokens;
mod traces;
