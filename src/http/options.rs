use std::{fmt, sync::Arc, time::SystemTime};

use super::{RateLimit, RetryPolicy, Transport, base_url::BaseUrl, transport::ReqwestTransport};
use crate::{Error, Result};

/// What every provider's builder can set.
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
        self.transport = Some(Arc::new(ReqwestTransport::with(client)));
    }

    pub(super) fn base(&self) -> Result<BaseUrl> {
        BaseUrl::parse(&self.base_url, self.allow_http)
    }

    pub(super) fn open_transport(&self, base: &BaseUrl) -> Result<Arc<dyn Transport>> {
        match &self.transport {
            Some(transport) => Ok(Arc::clone(transport)),
            None => Ok(Arc::new(ReqwestTransport::build(base)?)),
        }
    }

    /// `headcount/version`, and the application's own behind it.
    pub(super) fn user_agent(&self) -> Result<http::HeaderValue> {
        let own = concat!("headcount/", env!("CARGO_PKG_VERSION"));
        let agent = match &self.user_agent {
            Some(application) => format!("{own} {application}"),
            None => own.to_owned(),
        };
        http::HeaderValue::try_from(agent).map_err(|_| {
            Error::config("the user agent holds characters that no header may: expected visible ASCII")
        })
    }
}

impl fmt::Debug for ClientOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientOptions")
            // The URL as given may hold a password; it is refused later, and must not be shown before.
            .field("base_url", &self.base().map_or("[unusable]".to_owned(), |base| base.as_str().to_owned()))
            .field("retry", &self.retry)
            .field("rate_limit", &self.rate_limit)
            .field("user_agent", &self.user_agent)
            .field("body_limit", &self.body_limit)
            .finish_non_exhaustive()
    }
}

/// What tells the time of day: for the dates in signatures, and for a `Retry-After` that is a date where the
/// answer does not tell its own.
///
/// Waiting does not go by it, but by tokio's clock.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
        Self::new(SystemTime::now)
    }

    /// A clock of your own, for tests or for a machine whose clock is known to be off.
    pub fn new(now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The time now.
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

/// The setters of [`ClientOptions`], for a builder that has them in a field `options`.
macro_rules! client_options {
    () => {
        /// The application's name and version, put behind `headcount/x.y.z` in the user agent.
        pub fn user_agent(mut self, application: impl Into<String>) -> Self {
            self.options.user_agent = Some(application.into());
            self
        }

        /// How requests are retried, and how long they may take.
        pub fn retry(mut self, policy: $crate::http::RetryPolicy) -> Self {
            self.options.retry = policy;
            self
        }

        /// At most so many requests within any window of so long, for this client and its clones
        /// together; `None` for no limit.
        pub fn rate_limit(mut self, limit: impl Into<Option<$crate::http::RateLimit>>) -> Self {
            self.options.rate_limit = limit.into();
            self
        }

        /// A [`reqwest::Client`](crate::reqwest::Client) of your own: its proxy, TLS and connection options
        /// are used as they are.
        ///
        /// Build it with `redirect(reqwest::redirect::Policy::none())`: this crate notices a redirect that
        /// it followed and fails, but only after the credentials have gone there.
        pub fn http_client(mut self, client: ::reqwest::Client) -> Self {
            self.options.http_client(client);
            self
        }

        /// A transport of your own in place of reqwest.
        pub fn transport(mut self, transport: impl $crate::http::Transport) -> Self {
            self.options.transport = Some(std::sync::Arc::new(transport));
            self
        }

        /// The largest answer taken, in bytes after decompression. Default: 64 MiB.
        pub fn body_limit(mut self, bytes: usize) -> Self {
            self.options.body_limit = bytes;
            self
        }

        /// Takes a base URL with `http` although it is not on this machine: the credentials can then be
        /// read by everyone on the way. Default: `https` only, except on loopback.
        pub fn allow_http(mut self, allow: bool) -> Self {
            self.options.allow_http = allow;
            self
        }

        /// What tells the time of day. Default: the system's clock.
        pub fn clock(mut self, clock: $crate::http::Clock) -> Self {
            self.options.clock = clock;
            self
        }
    };
}
pub(crate) use client_options;
