use std::{fmt, sync::Arc, time::SystemTime};

use super::{RateLimit, RetryPolicy, Transport, base_url::BaseUrl, transport::ReqwestTransport};
use crate::{Error, Result};

/// The options shared by all client builders.
#[derive(Clone)]
pub(crate) struct ClientOptions {
    pub(crate) base_url: String,
    pub(crate) allow_http: bool,
    pub(crate) transport: Option<Arc<dyn Transport>>,
    pub(crate) retry: RetryPolicy,
    pub(crate) rate_limit: Option<RateLimit>,
    pub(crate) user_agent: Option<String>,
    pub(crate) body_limit: usize,
    pub(crate) clock: Clock,
}

impl ClientOptions {
    pub(crate) fn new(base_url: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            allow_http: false,
            transport: None,
            retry: RetryPolicy::default(),
            rate_limit: None,
            user_agent: None,
            body_limit: 64 * 1024 * 1024,
            clock: Clock::system(),
        }
    }

    pub(crate) fn http_client(&mut self, client: reqwest::Client) {
        self.transport = Some(Arc::new(ReqwestTransport::from(client)));
    }

    pub(super) fn base(&self) -> Result<BaseUrl> {
        BaseUrl::parse(&self.base_url, self.allow_http)
    }

    pub(super) fn build_transport(&self, base: &BaseUrl) -> Result<Arc<dyn Transport>> {
        match &self.transport {
            Some(transport) => Ok(Arc::clone(transport)),
            None => Ok(Arc::new(ReqwestTransport::for_base(base)?)),
        }
    }

    /// Returns `headcount/x.y.z`, followed by the application's own user agent if set.
    pub(super) fn user_agent(&self) -> Result<http::HeaderValue> {
        let own = concat!("headcount/", env!("CARGO_PKG_VERSION"));
        let user_agent = match &self.user_agent {
            Some(application) => format!("{own} {application}"),
            None => own.to_owned(),
        };
        http::HeaderValue::try_from(user_agent)
            .map_err(|_| Error::config("invalid character in the user agent; expected visible ASCII"))
    }
}

impl fmt::Debug for ClientOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientOptions")
            // An invalid URL may contain a password.
            .field("base_url", &self.base().map_or("[invalid]".to_owned(), |base| base.as_str().to_owned()))
            .field("retry", &self.retry)
            .field("rate_limit", &self.rate_limit)
            .field("user_agent", &self.user_agent)
            .field("body_limit", &self.body_limit)
            .finish_non_exhaustive()
    }
}

/// A source of the current time of day.
///
/// It is used for the dates in signatures. It is also used for a `Retry-After` date if the response has no
/// `Date` header. Delays and timeouts use tokio's clock instead.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    /// Returns the system clock.
    pub fn system() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
        Self::new(SystemTime::now)
    }

    /// Creates a clock from a function, for tests or for a machine whose clock is known to be wrong.
    pub fn new(now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// Returns the current time.
    pub fn now(&self) -> SystemTime {
        (self.0)()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// Defines the setters of [`ClientOptions`] for a builder that stores them in a field named `options`.
macro_rules! client_options {
    () => {
        /// Sets the application's name and version, appended to `headcount/x.y.z` in the user agent.
        pub fn user_agent(mut self, application: impl Into<String>) -> Self {
            self.options.user_agent = Some(application.into());
            self
        }

        /// Sets how requests are retried and how long they may take.
        pub fn retry(mut self, policy: $crate::http::RetryPolicy) -> Self {
            self.options.retry = policy;
            self
        }

        /// Sets the rate limit, which this client and its clones share. `None` removes it.
        pub fn rate_limit(mut self, limit: impl Into<Option<$crate::http::RateLimit>>) -> Self {
            self.options.rate_limit = limit.into();
            self
        }

        /// Sets the [`reqwest::Client`](crate::reqwest::Client) to use, with its own proxy, TLS and
        /// connection settings.
        ///
        /// Build it with `redirect(reqwest::redirect::Policy::none())`. A followed redirect is detected and
        /// fails the request, but only after the credentials were sent to its target.
        pub fn http_client(mut self, client: ::reqwest::Client) -> Self {
            self.options.http_client(client);
            self
        }

        /// Sets a custom transport in place of reqwest.
        pub fn transport(mut self, transport: impl $crate::http::Transport) -> Self {
            self.options.transport = Some(std::sync::Arc::new(transport));
            self
        }

        /// Sets the maximum size of a response body, in bytes after decompression. Default: 64 MiB.
        pub fn body_limit(mut self, bytes: usize) -> Self {
            self.options.body_limit = bytes;
            self
        }

        /// Sets whether a base URL with `http` is allowed for hosts other than loopback. Credentials are then
        /// sent unencrypted. Default: `false`.
        pub fn allow_http(mut self, allow: bool) -> Self {
            self.options.allow_http = allow;
            self
        }

        /// Sets the source of the current time. Default: the system clock.
        pub fn clock(mut self, clock: $crate::http::Clock) -> Self {
            self.options.clock = clock;
            self
        }
    };
}
pub(crate) use client_options;
