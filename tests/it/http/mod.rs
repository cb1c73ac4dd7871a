//! Requests: retries, rate limits, tokens, tracing and redaction. In memory and in virtual time, except for
//! TLS.

mod api_client;
mod large_bodies;
mod rate_limits;
mod redaction;
mod redaction_mutations;
mod retries;
mod scripted_transport;
#[cfg(all(feature = "rustls", not(feature = "native-tls")))]
mod tls;
#[cfg(all(feature = "rustls", not(feature = "native-tls")))]
mod tls_server;
mod tokens;
mod traces;
