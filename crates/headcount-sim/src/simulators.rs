//! What all simulators have in common, and the list of them.

use std::any::Any;
use std::fmt;
use std::io;
use std::ops::Deref;

use futures::future::BoxFuture;

use super::server::Server;
use super::settings::Settings;
use super::{annature, fortanix, huawei, sailpoint};

/// A running simulator of some provider. It dereferences to its [`Server`].
///
/// ```
/// use headcount_sim::{self as sim, Settings};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// for provider in sim::PROVIDERS {
///     let server = provider.start(Settings::new().accounts(60).seed(3)).await?;
///     assert_eq!(server.ids().len(), 60, "{} at {}", provider.name(), server.base_url());
/// }
/// # Ok(())
/// # }
/// ```
pub trait Simulator: Any + fmt::Debug + Send + Sync + sealed::Sealed {
    /// The provider.
    fn provider(&self) -> &'static Provider;

    /// The running server.
    fn server(&self) -> &Server;

    /// Credentials that a client has, and what it makes of them; no error, log or record may show one.
    ///
    /// The first one stands in a client's first request as it is.
    fn secrets(&self) -> Vec<String>;
}

pub(crate) mod sealed {
    /// Only the simulators of this crate are some.
    pub trait Sealed {}
}

impl dyn Simulator {
    /// The simulator as what it is, if that is `T`.
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

/// A provider that this crate simulates: a row of [`PROVIDERS`].
pub struct Provider {
    pub(crate) name: &'static str,
    pub(crate) id_field: &'static str,
    pub(crate) start: fn(Settings) -> Started,
    pub(crate) page: fn(&str, usize, Option<&str>) -> String,
}

/// A simulator that is being started.
type Started = BoxFuture<'static, io::Result<Box<dyn Simulator>>>;

/// The providers that this crate simulates, each with its name, its page and a way to start its simulator.
pub static PROVIDERS: &[&Provider] =
    &[&fortanix::PROVIDER, &huawei::PROVIDER, &annature::PROVIDER, &sailpoint::PROVIDER];

impl Provider {
    /// The name that `headcount` has for it, such as `huawei`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The member of a row that holds the account's id.
    pub fn id_field(&self) -> &'static str {
        self.id_field
    }

    /// Starts its simulator.
    ///
    /// # Errors
    ///
    /// When the loopback interface gives no port to listen on.
    pub async fn start(&self, settings: Settings) -> io::Result<Box<dyn Simulator>> {
        (self.start)(settings).await
    }

    /// The body of a page of the account listing that has these rows, each of them JSON text, as its server would
    /// write it. `next` is the cursor of the page that follows; a listing whose pages tell of none leaves it out.
    ///
    /// The rows may be anything: it is for tests that serve odd rows.
    pub fn page(&self, rows: &[&str], next: Option<&str>) -> String {
        (self.page)(&format!("[{}]", rows.join(",")), rows.len(), next)
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Provider").field(&self.name).finish()
    }
}

/// Running simulators, at most one of each provider.
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
/// let huawei = simulators.get::<sim::Huawei>().expect("all are started");
/// assert_eq!(simulators.named("huawei").map(|server| server.base_url()), Some(huawei.base_url()));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Simulators {
    list: Vec<Box<dyn Simulator>>,
}

impl Simulators {
    /// Starts one of each, with so many accounts.
    ///
    /// # Errors
    ///
    /// When the loopback interface gives no port to listen on.
    pub async fn start(accounts: usize, seed: u64) -> io::Result<Self> {
        Self::start_with(|_| Settings::new().accounts(accounts).seed(seed)).await
    }

    /// Starts one of each, with the settings that `settings` gives for it.
    ///
    /// # Errors
    ///
    /// When the loopback interface gives no port to listen on.
    pub async fn start_with(mut settings: impl FnMut(&Provider) -> Settings + Send) -> io::Result<Self> {
        let mut list = Vec::new();
        for provider in PROVIDERS {
            list.push(provider.start(settings(provider)).await?);
        }
        Ok(Self { list })
    }

    /// The simulators, in the order of [`PROVIDERS`] unless they were collected in another one.
    pub fn iter(&self) -> impl Iterator<Item = &dyn Simulator> {
        self.list.iter().map(|simulator| &**simulator)
    }

    /// The simulator of the provider with this name.
    pub fn named(&self, name: &str) -> Option<&dyn Simulator> {
        self.iter().find(|simulator| simulator.provider().name == name)
    }

    /// The simulator of this type.
    pub fn get<T: Simulator>(&self) -> Option<&T> {
        self.iter().find_map(<dyn Simulator>::downcast_ref)
    }

    /// The environment variables that make clients talk to these servers.
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

/// Makes a type with the field `server` a simulator, and `PROVIDER` its row.
macro_rules! simulator {
    (
        $simulator:ident, $builder:ident,
        name: $name:literal, id_field: $id_field:literal, page: $page:path,
        secrets: |$this:ident| $secrets:expr
    ) => {
        pub(crate) static PROVIDER: $crate::simulators::Provider = $crate::simulators::Provider {
            name: $name,
            id_field: $id_field,
            start: |settings| {
                ::std::boxed::Box::pin(async move {
                    let started = $builder::default().settings(settings).start().await?;
                    Ok(::std::boxed::Box::new(started) as ::std::boxed::Box<dyn $crate::Simulator>)
                })
            },
            page: $page,
        };

        impl $simulator {
            /// A server yet to be started.
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
    fn every_provider_has_a_page_of_its_own() {
        for provider in PROVIDERS {
            let page = provider.page(&["{\"n\":1}", "null"], Some("on"));
            assert!(page.contains("[{\"n\":1},null]"), "{page}");
            let last = provider.page(&[], None);
            assert!(serde_json::from_str::<serde_json::Value>(&last).is_ok(), "{last}");
            assert!(!last.contains("on\""), "{last}");
        }
    }

    #[tokio::test]
    async fn a_simulator_is_found_by_name_and_by_type() {
        let simulators = Simulators::start(7, 1).await.expect("servers");
        assert_eq!(simulators.iter().count(), PROVIDERS.len());
        for simulator in &simulators {
            let name = simulator.provider().name();
            let named = simulators.named(name).expect(name);
            assert_eq!((named.base_url(), named.ids().len()), (simulator.base_url(), 7));
            let secrets = simulator.secrets();
            assert!(secrets.iter().all(|secret| !format!("{simulator:?}").contains(secret)), "{name}");
        }
        assert!(simulators.named("nobody").is_none());
        assert!(simulators.get::<Huawei>().is_some());
        let some: Simulators =
            simulators.into_iter().filter(|one| one.provider().name() != "huawei").collect();
        assert!(some.get::<Huawei>().is_none() && some.get::<Annature>().is_some());
        assert!(!some.env().iter().any(|(name, _)| name.starts_with("HUAWEI")));
    }
}
