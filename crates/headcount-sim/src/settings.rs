//! The settings that all builders share.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::fault::Faults;
use super::world::{Recipe, World};

/// The methods of [`Settings`], for itself or for a builder with a field of this type.
///
/// A macro, and not a generic builder, so that each builder's page lists all of its methods.
macro_rules! shared_settings {
    ($($field:ident)?) => {
        /// How many accounts the world starts with. Default 100.
        pub fn accounts(mut self, accounts: usize) -> Self {
            self$(.$field)?.accounts = accounts;
            self
        }

        /// What the world is made from: the same seed gives the same accounts and credentials. Default 0.
        pub fn seed(mut self, seed: u64) -> Self {
            self$(.$field)?.seed = seed;
            self
        }

        /// How long each request waits for its answer, on tokio's clock. Default zero.
        pub fn latency(mut self, latency: ::std::time::Duration) -> Self {
            self$(.$field)?.latency = latency;
            self
        }

        /// Puts every route below a path, such as `/gw`, as behind a gateway. Requests outside of it are
        /// answered 404. Default none.
        pub fn path_prefix(mut self, prefix: &str) -> Self {
            self$(.$field)?.set_prefix(prefix);
            self
        }

        /// Calls a function before each list request is answered, with the number of the list request (the
        /// first is 1) and the world that it will be answered from.
        ///
        /// It is called for refused list requests as well. The world is locked meanwhile: change it through
        /// the handle, not through the server.
        pub fn before_list(mut self, hook: impl FnMut(usize, &mut $crate::World) + Send + 'static) -> Self {
            self$(.$field)?.hook = Some(Box::new(hook));
            self
        }

        /// Whether recorded requests keep the secrets they carried. Default false.
        pub fn record_secrets(mut self, keep: bool) -> Self {
            self$(.$field)?.record_secrets = keep;
            self
        }

        /// Whether generated accounts hold only what the vendor's reference has. Default false: some hold words
        /// that no reference knows, nulls where none is allowed, and members that are not announced.
        ///
        /// A vendor's strict SDK lists such a world whole. Records that a test puts in are served as they are.
        pub fn documented_only(mut self, only: bool) -> Self {
            self$(.$field)?.documented_only = only;
            self
        }

        /// What goes wrong. Default nothing.
        pub fn faults(mut self, plan: $crate::Faults) -> Self {
            self$(.$field)?.faults = plan;
            self
        }

        $(
            /// Takes all that is set for servers of any provider.
            pub fn settings(mut self, settings: $crate::Settings) -> Self {
                self.$field = settings;
                self
            }
        )?
    };
}
pub(crate) use shared_settings;

/// A function that may change the world before a list request is answered.
pub(crate) type Hook = Box<dyn FnMut(usize, &mut World) + Send>;

/// What every simulator can be started with, whatever its provider.
///
/// Each builder has the same methods, and [`settings`](super::HuaweiBuilder::settings) to take all of them at once.
#[must_use = "settings do nothing until a server has them"]
pub struct Settings {
    pub(crate) accounts: usize,
    pub(crate) seed: u64,
    pub(crate) latency: Duration,
    /// Empty, or a path that starts with a slash and does not end with one.
    pub(crate) prefix: String,
    pub(crate) hook: Option<Hook>,
    pub(crate) record_secrets: bool,
    pub(crate) documented_only: bool,
    pub(crate) faults: Faults,
}

impl Settings {
    shared_settings!();

    /// The defaults of all builders.
    pub fn new() -> Self {
        Self::default()
    }

    /// The accounts of a server with these settings.
    pub(crate) fn world(&self, recipe: Arc<dyn Recipe>) -> Arc<Mutex<World>> {
        Arc::new(Mutex::new(World::new(recipe, self.accounts, self.documented_only)))
    }

    pub(crate) fn set_prefix(&mut self, prefix: &str) {
        let inner = prefix.trim_matches('/');
        self.prefix = if inner.is_empty() { String::new() } else { format!("/{inner}") };
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            accounts: 100,
            seed: 0,
            latency: Duration::ZERO,
            prefix: String::new(),
            hook: None,
            record_secrets: false,
            documented_only: false,
            faults: Faults::none(),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("accounts", &self.accounts)
            .field("seed", &self.seed)
            .field("latency", &self.latency)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}
