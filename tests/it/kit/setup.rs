//! Client options that are common to all builders.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use headcount::http::{RetryPolicy, Transport, TransportError};
use headcount_sim::Server;

/// An address where nothing listens, for clients with their own transport.
pub(crate) const UNREACHABLE_URL: &str = "http://127.0.0.1:9";

/// Options for a builder of any provider. Without any, a client has its defaults but no rate limit.
#[derive(Clone, Default)]
pub(crate) struct Setup {
    /// The base URL, if it is not the server's.
    pub(crate) url: Option<String>,
    pub(crate) transport: Option<SharedTransport>,
    pub(crate) http: Option<reqwest::Client>,
    pub(crate) retry: Option<RetryPolicy>,
    pub(crate) body_limit: Option<usize>,
    pub(crate) agent: Option<&'static str>,
    /// Whether to set every optional credential, also those that change whose accounts are listed.
    pub(crate) all_credentials: bool,
}

impl Setup {
    pub(crate) fn over(transport: impl Transport) -> Self {
        Self { transport: Some(SharedTransport(Arc::new(transport))), ..Self::default() }
    }

    pub(crate) fn http(client: reqwest::Client) -> Self {
        Self { http: Some(client), ..Self::default() }
    }

    /// Returns the base URL for a client of this server.
    pub(super) fn url<'a>(&'a self, server: &'a Server) -> &'a str {
        self.url.as_deref().unwrap_or(server.base_url())
    }

    pub(crate) fn retry(self, policy: RetryPolicy) -> Self {
        Self { retry: Some(policy), ..self }
    }
}

/// A shared transport of any type.
#[derive(Clone)]
pub(crate) struct SharedTransport(Arc<dyn Transport>);

impl Transport for SharedTransport {
    fn send(
        &self,
        request: http::Request<Bytes>,
        body_limit: usize,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        self.0.send(request, body_limit)
    }
}

/// Applies a [`Setup`] to a builder. A macro, because the builders' common methods are not in a trait.
macro_rules! configure {
    ($builder:expr, $setup:expr) => {{
        let (mut builder, setup) = ($builder.rate_limit(None), $setup.clone());
        if let Some(transport) = setup.transport {
            builder = builder.transport(transport);
        }
        if let Some(client) = setup.http {
            builder = builder.http_client(client);
        }
        if let Some(policy) = setup.retry {
            builder = builder.retry(policy);
        }
        if let Some(bytes) = setup.body_limit {
            builder = builder.body_limit(bytes);
        }
        if let Some(agent) = setup.agent {
            builder = builder.user_agent(agent);
        }
        builder
    }};
}
pub(super) use configure;
