//! The trait that all simulators implement, and the list of providers.

use std::any::Any;
use std::fmt;
use std::io;
use std::ops::Deref;

use futures::future::BoxFuture;

use super::config::SimConfig;
use super::server::Server;
use super::{annature, fortanix, huawei, sailpoint};

/// A running simulator. Dereferences to its [`Server`].
///
/// ```
/// use headcount_sim::{self as sim, SimConfig};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// for provider in sim::PROVIDERS {
///     let server = provider.start(SimConfig::new().accounts(60).seed(3)).await?;
///     assert_eq!(server.ids().len(), 60, "{} at {}", provider.name(), server.base_url());
/// }
/// # Ok(())
/// # }
/// ```
pub trait Simulator: Any + fmt::Debug + Send + Sync + sealed::Sealed {
    /// Returns the provider.
    fn provider(&self) -> &'static Provider;

    /// Returns the running server.
    fn server(&self) -> &Server;

    /// Returns the client's credentials and values derived from them. None may appear in an error, a log or a
    /// recorded request.
    ///
    /// A client's first request contains the first one verbatim.
    fn secrets(&self) -> Vec<String>;
}

pub(crate) mod sealed {
    /// Prevents implementations outside of this crate.
    pub trait Sealed {}
}

impl dyn Simulator {
    /// Downcasts to a concrete simulator.
    pub fn downcast_ref<T: Simulator>(&self) -> Option<&T> {
        (self as &dyn Any).downcast_ref()
    }
}

impl Deref for dyn Simulator {
    type Target = Server;

    fn deref(&self) -> &Server {
        self.server()
    }
}

/// A provider that this crate simulates. Listed in [`PROVIDERS`].
pub struct Provider {
    pub(crate) name: &'static str,
    pub(crate) id_field: &'static str,
    pub(crate) start: fn(SimConfig) -> StartFuture,
    pub(crate) page: fn(&str, usize, Option<&str>) -> String,
}

/// The future that starts a simulator.
type StartFuture = BoxFuture<'static, io::Result<Box<dyn Simulator>>>;

/// The providers that this crate simulates.
pub static PROVIDERS: &[&Provider] =
    &[&fortanix::PROVIDER, &huawei::PROVIDER, &annature::PROVIDER, &sailpoint::PROVIDER];

impl Provider {
    /// Returns the provider's name in `headcount`, such as `huawei`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the member of a row that holds the account's id.
    pub fn id_field(&self) -> &'static str {
        self.id_field
    }

    /// Starts a simulator of this provider.
    ///
    /// # Errors
    ///
    /// Fails if no port can be bound on the loopback interface.
    pub async fn start(&self, config: SimConfig) -> io::Result<Box<dyn Simulator>> {
        (self.start)(config).await
    }

    /// Formats a page of the account listing, as the simulator does, from rows that are JSON text.
    ///
    /// `next` is the cursor of the next page. Listings whose pages contain no cursor ignore it. The rows may
    /// be any text, for tests that serve invalid rows.
    pub fn page(&self, rows: &[&str], next: Option<&str>) -> String {
        (self.page)(&format!("[{}]", rows.join(",")), rows.len(), next)
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Provider").field(&self.name).finish()
    }
}

/// A collection of running simulators, at most one of each provider.
///
/// ```
/// use headcount_sim::{self as sim, Simulators};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let simulators = Simulators::start(250, 1).await?;
/// for simulator in &simulators {
///     assert_eq!(simulator.ids().len(), 250);
/// }
/// let huawei = simulators.get::<sim::Huawei>().expect("every simulator was started");
/// assert_eq!(
///     simulators.by_name("huawei").map(|server| server.base_url()),
///     Some(huawei.base_url())
/// );
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Simulators {
    list: Vec<Box<dyn Simulator>>,
}

impl Simulators {
    /// Starts one simulator of each provider, with this number of accounts.
    ///
    /// # Errors
    ///
    /// Fails if no port can be bound on the loopback interface.
    pub async fn start(accounts: usize, seed: u64) -> io::Result<Self> {
        Self::start_with(|_| SimConfig::new().accounts(accounts).seed(seed)).await
    }

    /// Starts one simulator of each provider, with the config that `config` returns for it.
    ///
    /// # Errors
    ///
    /// Fails if no port can be bound on the loopback interface.
    pub async fn start_with(mut config: impl FnMut(&Provider) -> SimConfig + Send) -> io::Result<Self> {
        let mut list = Vec::new();
        for provider in PROVIDERS {
            list.push(provider.start(config(provider)).await?);
        }
        Ok(Self { list })
    }

    /// Iterates over the simulators, in the order of [`PROVIDERS`] or in which they were collected.
    pub fn iter(&self) -> impl Iterator<Item = &dyn Simulator> {
        self.list.iter().map(|simulator| &**simulator)
    }

    /// Returns the simulator of the provider with this name.
    pub fn by_name(&self, name: &str) -> Option<&dyn Simulator> {
        self.iter().find(|simulator| simulator.provider().name == name)
    }

    /// Returns the simulator of this type.
    pub fn get<T: Simulator>(&self) -> Option<&T> {
        self.iter().find_map(<dyn Simulator>::downcast_ref)
    }

    /// Returns the environment variables that configure clients for these servers.
    pub fn env(&self) -> Vec<(&'static str, String)> {
        self.iter().flat_map(|simulator| simulator.env()).collect()
    }
}

impl FromIterator<Box<dyn Simulator>> for Simulators {
    fn from_iter<I: IntoIterator<Item = Box<dyn Simulator>>>(simulators: I) -> Self {
        Self { list: simulators.into_iter().collect() }
    }
}

impl<'a> IntoIterator for &'a Simulators {
    type Item = &'a Box<dyn Simulator>;
    type IntoIter = std::slice::Iter<'a, Box<dyn Simulator>>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

impl IntoIterator for Simulators {
    type Item = Box<dyn Simulator>;
    type IntoIter = std::vec::IntoIter<Box<dyn Simulator>>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}

/// Implements [`Simulator`] for a type with the field `server`, and defines its `PROVIDER`.
macro_rules! simulator {
    (
        $simulator:ident, $builder:ident,
        name: $name:literal, id_field: $id_field:literal, page: $page:path,
        secrets: |$this:ident| $secrets:expr
    ) => {
        pub(crate) static PROVIDER: $crate::simulators::Provider = $crate::simulators::Provider {
            name: $name,
            id_field: $id_field,
            start: |config| {
                ::std::boxed::Box::pin(async move {
                    let simulator = $builder::default().config(config).start().await?;
                    Ok(::std::boxed::Box::new(simulator) as ::std::boxed::Box<dyn $crate::Simulator>)
                })
            },
            page: $page,
        };

        impl $simulator {
            /// Creates a builder with the default options.
            pub fn builder() -> $builder {
                $builder::default()
            }
        }

        impl $crate::Simulator for $simulator {
            fn provider(&self) -> &'static $crate::simulators::Provider {
                &PROVIDER
            }

            fn server(&self) -> &$crate::Server {
                &self.server
            }

            fn secrets(&self) -> ::std::vec::Vec<::std::string::String> {
                let $this = self;
                $secrets
            }
        }

        impl $crate::simulators::sealed::Sealed for $simulator {}

        impl ::std::ops::Deref for $simulator {
            type Target = $crate::Server;

            fn deref(&self) -> &$crate::Server {
                &self.server
            }
        }

        impl ::std::fmt::Debug for $simulator {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                let base_url = self.server.base_url();
                f.debug_struct(stringify!($simulator)).field("base_url", &base_url).finish_non_exhaustive()
            }
        }
    };
}
pub(crate) use simulator;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Annature, Huawei};

    #[test]
    fn pages_contain_their_rows() {
        for provider in PROVIDERS {
            let page = provider.page(&["{\"n\":1}", "null"], Some("on"));
            assert!(page.contains("[{\"n\":1},null]"), "{page}");
            let last = provider.page(&[], None);
            assert!(serde_json::from_str::<serde_json::Value>(&last).is_ok(), "{last}");
            assert!(!last.contains("on\""), "{last}");
        }
    }

    #[tokio::test]
    async fn find_by_name_and_by_type() {
        let simulators = Simulators::start(7, 1).await.expect("servers");
        assert_eq!(simulators.iter().count(), PROVIDERS.len());
        for simulator in &simulators {
            let name = simulator.provider().name();
            let found = simulators.by_name(name).expect(name);
            assert_eq!((found.base_url(), found.ids().len()), (simulator.base_url(), 7));
            let secrets = simulator.secrets();
            assert!(secrets.iter().all(|secret| !format!("{simulator:?}").contains(secret)), "{name}");
        }
        assert!(simulators.by_name("unknown").is_none());
        assert!(simulators.get::<Huawei>().is_some());
        let some: Simulators =
            simulators.into_iter().filter(|one| one.provider().name() != "huawei").collect();
        assert!(some.get::<Huawei>().is_none() && some.get::<Annature>().is_some());
        assert!(!some.env().iter().any(|(name, _)| name.starts_with("HUAWEI")));
    }
}
