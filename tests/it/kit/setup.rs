//! What all builders of clients can be set to.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use headcount::http::{RetryPolicy, Transport, TransportError};
use headcount_sim::Server;

/// A host where nothing listens: a transport of the test's own is in between.
pub(crate) const NOWHERE: &str = "http://127.0.0.1:9";

/// Settings for a builder of any provider. The default is the client's own, but for a rate limit, which there is none.
#[derive(Clone, Default)]
pub(crate) struct Setup {
    /// Where the server is, if the client is to go elsewhere.
    pub(crate) url: Option<String>,
    pub(crate) transport: Option<Shared>,
    pub(crate) http: Option<reqwest::Client>,
    pub(crate) retry: Option<RetryPolicy>,
    pub(crate) body_limit: Option<usize>,
    pub(crate) agent: Option<&'static str>,
    /// Whether the client has every credential that one can have, also those that make it another's.
    pub(crate) every_credential: bool,
}

impl Setup {
    pub(crate) fn over(transport: impl Transport) -> Self {
        Self { transport: Some(Shared(Arc::new(transport))), ..Self::default() }
    }

    pub(crate) fn http(client: reqwest::Client) -> Self {
        Self { http: Some(client), ..Self::default() }
    }

    /// Where a client of this server goes.
    pub(super) fn url<'a>(&'a self, server: &'a Server) -> &'a str {
        self.url.as_deref().unwrap_or(server.base_url())
    }

    pub(crate) fn retry(self, policy: RetryPolicy) -> Self {
        Self { retry: Some(policy), ..self }
    }
}

/// A transport of any type.
#[derive(Clone)]
pub(crate) struct Shared(Arc<dyn Transport>);

impl Transport for Shared {
    fn send(
        &self,
        request: http::Request<Bytes>,
        body_limit: usize,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        self.0.send(request, body_limit)
    }
}

/// A builder with the settings of a [`Setup`]. The methods of all builders are the same, and no trait has them.
macro_rules! set_up {
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
pub(super) use set_up;
