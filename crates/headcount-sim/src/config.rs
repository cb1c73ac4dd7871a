//! The options that all builders share.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::fault::Faults;
use super::world::{RecordGenerator, World};

/// Defines the methods of [`SimConfig`], for itself or for a builder with a field of this type.
///
/// A macro rather than a generic builder, so that the docs of each builder list all of its methods.
macro_rules! config_methods {
    ($($field:ident)?) => {
        /// Sets the number of accounts to generate. Default: 100.
        pub fn accounts(mut self, accounts: usize) -> Self {
            self$(.$field)?.accounts = accounts;
            self
        }

        /// Sets the seed. The same seed generates the same accounts and credentials. Default: 0.
        pub fn seed(mut self, seed: u64) -> Self {
            self$(.$field)?.seed = seed;
            self
        }

        /// Sets the delay before each response, on tokio's clock. Default: zero.
        pub fn latency(mut self, latency: ::std::time::Duration) -> Self {
            self$(.$field)?.latency = latency;
            self
        }

        /// Sets a path prefix for all routes, such as `/gw`, as a gateway has. Requests outside of it get a
        /// 404. Default: none.
        pub fn path_prefix(mut self, prefix: &str) -> Self {
            self$(.$field)?.set_prefix(prefix);
            self
        }

        /// Sets a callback that is called before each list request is handled. It receives the number of the
        /// list request (the first is 1) and the accounts that the request reads.
        ///
        /// It is also called for list requests that are rejected. The accounts are locked during the call:
        /// change them through the argument, not through the server.
        pub fn before_list(mut self, callback: impl FnMut(usize, &mut $crate::World) + Send + 'static) -> Self {
            self$(.$field)?.before_list = Some(Box::new(callback));
            self
        }

        /// Sets whether recorded requests keep their secrets. Default: false.
        pub fn record_secrets(mut self, keep: bool) -> Self {
            self$(.$field)?.record_secrets = keep;
            self
        }

        /// Sets whether generated accounts contain only documented fields and values. Default: false, so that
        /// some contain undocumented enum values, disallowed nulls and undocumented members.
        ///
        /// With `true`, a vendor's strict SDK decodes every account. Records that a test inserts are served
        /// unchanged.
        pub fn documented_only(mut self, only: bool) -> Self {
            self$(.$field)?.documented_only = only;
            self
        }

        /// Sets the fault plan. Default: no faults.
        pub fn faults(mut self, plan: $crate::Faults) -> Self {
            self$(.$field)?.faults = plan;
            self
        }

        $(
            /// Replaces all options that are common to the providers.
            pub fn config(mut self, config: $crate::SimConfig) -> Self {
                self.$field = config;
                self
            }
        )?
    };
}
pub(crate) use config_methods;

/// The callback of `before_list`.
pub(crate) type OnList = Box<dyn FnMut(usize, &mut World) + Send>;

/// The options that are common to the simulators of all providers.
///
/// Each builder has the same methods, and [`config`](super::HuaweiBuilder::config) to replace all of them.
#[must_use = "a config does nothing until a server is started with it"]
pub struct SimConfig {
    pub(crate) accounts: usize,
    pub(crate) seed: u64,
    pub(crate) latency: Duration,
    /// Empty, or a path with a leading slash and no trailing slash.
    pub(crate) prefix: String,
    pub(crate) before_list: Option<OnList>,
    pub(crate) record_secrets: bool,
    pub(crate) documented_only: bool,
    pub(crate) faults: Faults,
}

impl SimConfig {
    config_methods!();

    /// Creates a config with the defaults of all builders.
    pub fn new() -> Self {
        Self::default()
    }

    /// Generates the accounts of a server with this config.
    pub(crate) fn world(&self, generator: Arc<dyn RecordGenerator>) -> Arc<Mutex<World>> {
        Arc::new(Mutex::new(World::new(generator, self.accounts, self.documented_only)))
    }

    pub(crate) fn set_prefix(&mut self, prefix: &str) {
        let inner = prefix.trim_matches('/');
        self.prefix = if inner.is_empty() { String::new() } else { format!("/{inner}") };
    }
}

impl Default for SimConfig {
    fn default() -> Self {
        Self {
            accounts: 100,
            seed: 0,
            latency: Duration::ZERO,
            prefix: String::new(),
            before_list: None,
            record_secrets: false,
            documented_only: false,
            faults: Faults::none(),
        }
    }
}

impl fmt::Debug for SimConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimConfig")
            .field("accounts", &self.accounts)
            .field("seed", &self.seed)
            .field("latency", &self.latency)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}
