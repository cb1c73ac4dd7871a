//! The providers, a row each, and the lists that take part: at the providers in the environment, or at simulators.

use std::{
    any::Any,
    env,
    io::{self, Write as _},
};

use futures::{FutureExt as _, future::BoxFuture};
use headcount::{
    Account, AnyPaginator, Error, ErrorKind, Paginator, Result, annature, fortanix, huawei, sailpoint,
};
use headcount_sim as sim;

use crate::args::{AnnatureApi, Args, SailPointApi};

const AGENT: &str = concat!("list_accounts/", env!("CARGO_PKG_VERSION"));
/// What a simulator has.
const ACCOUNTS: usize = 250;
const SEED: u64 = 1;

type List = AnyPaginator<Account>;
/// Serves until it is dropped.
type Simulator = Box<dyn Any + Send>;
type Simulated = (List, Simulator);

/// A provider: all that this program knows of it.
pub(crate) struct Provider {
    pub(crate) name: &'static str,
    /// The environment variables of its credentials: sets, of which one is enough. It takes part when any is set.
    pub(crate) credentials: &'static [&'static [&'static str]],
    /// The options that do something for it, among those that are not for every provider.
    options: &'static [&'static str],
    /// Its list, with the credentials of the environment.
    open: fn(&Args) -> Result<List>,
    /// Its list at a simulator, and that simulator.
    simulate: for<'a> fn(&'a Args) -> BoxFuture<'a, Result<Simulated>>,
}

/// Everything that depends on the provider.
pub(crate) const PROVIDERS: &[Provider] = &[
    Provider {
        name: "fortanix",
        credentials: &[&["FORTANIX_CCM_EMAIL", "FORTANIX_CCM_PASSWORD"], &["FORTANIX_CCM_TOKEN"]],
        options: &["--page-size"],
        open: |args| fortanix(fortanix::Client::builder_from_env()?, args),
        simulate: |args| {
            let start = sim::Fortanix::builder().accounts(ACCOUNTS).seed(SEED).start();
            let list = move |sim: &sim::Fortanix| {
                let builder = fortanix::Client::builder().base_url(sim.base_url());
                fortanix(builder.password(sim.email(), sim.password()), args)
            };
            simulated(start, list).boxed()
        },
    },
    Provider {
        name: "huawei",
        credentials: &[&["HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"]],
        options: &["--page-size", "--huawei-contacts"],
        open: |args| huawei(huawei::Client::builder_from_env()?, args),
        simulate: |args| {
            let start = sim::Huawei::builder().accounts(ACCOUNTS).seed(SEED).start();
            let list = move |sim: &sim::Huawei| {
                huawei(huawei::Client::builder(sim.ak(), sim.sk()).base_url(sim.base_url()), args)
            };
            simulated(start, list).boxed()
        },
    },
    Provider {
        name: "annature",
        credentials: &[&["ANNATURE_ID", "ANNATURE_KEY"]],
        options: &["--annature-api"],
        open: |args| annature(annature::Client::builder_from_env()?, args),
        simulate: |args| {
            let start = sim::Annature::builder().accounts(ACCOUNTS).seed(SEED).start();
            let list = move |sim: &sim::Annature| {
                annature(annature::Client::builder(sim.id(), sim.key()).base_url(sim.base_url()), args)
            };
            simulated(start, list).boxed()
        },
    },
    Provider {
        name: "sailpoint",
        credentials: &[&["SAIL_BASE_URL", "SAIL_CLIENT_ID", "SAIL_CLIENT_SECRET"]],
        options: &["--page-size", "--sailpoint-api"],
        open: |args| sailpoint(sailpoint::Client::builder_from_env()?, args),
        simulate: |args| {
            let start = sim::SailPoint::builder().accounts(ACCOUNTS).seed(SEED).start();
            let list = move |sim: &sim::SailPoint| {
                let builder = sailpoint::Client::builder(sim.base_url());
                sailpoint(builder.client_credentials(sim.client_id(), sim.client_secret()), args)
            };
            simulated(start, list).boxed()
        },
    },
];

fn fortanix(builder: fortanix::ClientBuilder, args: &Args) -> Result<List> {
    let mut list = builder.user_agent(AGENT).build()?.list_accounts();
    if let Some(size) = args.page_size {
        list = list.limit(size);
    }
    Ok(list.into_accounts())
}

fn huawei(builder: huawei::ClientBuilder, args: &Args) -> Result<List> {
    let mut list = builder.user_agent(AGENT).build()?.list_accounts();
    if args.huawei_contacts {
        list = list.with_register_contact_info(true);
    }
    if let Some(size) = args.page_size {
        list = list.limit(size.min(if args.huawei_contacts { 200 } else { 2000 }));
    }
    Ok(list.into_accounts())
}

fn annature(builder: annature::ClientBuilder, args: &Args) -> Result<List> {
    let client = builder.user_agent(AGENT).build()?;
    Ok(match args.annature_api {
        Some(AnnatureApi::V1) => client.list_accounts_v1().into_accounts(),
        Some(AnnatureApi::V2) | None => client.list_accounts().into_accounts(),
    })
}

fn sailpoint(builder: sailpoint::ClientBuilder, args: &Args) -> Result<List> {
    let version = args.sailpoint_api.unwrap_or(SailPointApi::AccountsV1);
    let mut list = builder.user_agent(AGENT).api_version(version.into()).build()?.list_accounts();
    if let Some(size) = args.page_size {
        list = list.limit(size.min(250));
    }
    Ok(list.into_accounts())
}

async fn simulated<S: Send + 'static>(
    start: impl Future<Output = io::Result<S>>,
    list: impl FnOnce(&S) -> Result<List>,
) -> Result<Simulated> {
    let sim = start.await.map_err(|error| {
        Error::new(ErrorKind::Transport, format!("a simulator cannot start: {error}")).with_source(error)
    })?;
    Ok((list(&sim)?, Box::new(sim)))
}

impl Provider {
    fn is_configured(&self) -> bool {
        let is_set = |name: &&str| env::var_os(name).is_some_and(|value| !value.is_empty());
        self.credentials.iter().copied().flatten().any(is_set)
    }
}

/// Named lists, and what must live as long as they do.
#[derive(Default)]
pub(crate) struct Sources {
    pub(crate) lists: Vec<(&'static str, List)>,
    pub(crate) simulators: Vec<Simulator>,
}

impl Sources {
    pub(crate) async fn open(args: &Args) -> Result<Self> {
        let simulated = !PROVIDERS.iter().any(Provider::is_configured);
        let takes_part = |provider: &&Provider| {
            if args.providers.is_empty() {
                simulated || provider.is_configured()
            } else {
                args.providers.iter().any(|name| name == provider.name)
            }
        };
        let wanted: Vec<_> = PROVIDERS.iter().filter(takes_part).collect();
        if simulated {
            let _ = writeln!(
                io::stderr(),
                "no credentials in the environment: listing built-in simulators ({ACCOUNTS} accounts each)"
            );
        }
        check_used(args, &wanted)?;
        let mut sources = Self::default();
        for provider in wanted {
            let list = if simulated {
                let (list, simulator) = (provider.simulate)(args).await?;
                sources.simulators.push(simulator);
                list
            } else {
                (provider.open)(args)?
            };
            sources.lists.push((provider.name, list));
        }
        Ok(sources)
    }
}

/// Refuses options that are for none of the providers that take part.
fn check_used(args: &Args, wanted: &[&Provider]) -> Result<()> {
    for (option, given) in [
        ("--page-size", args.page_size.is_some()),
        ("--huawei-contacts", args.huawei_contacts),
        ("--annature-api", args.annature_api.is_some()),
        ("--sailpoint-api", args.sailpoint_api.is_some()),
    ] {
        let has = |provider: &&Provider| provider.options.contains(&option);
        if given && !wanted.iter().any(has) {
            let names: Vec<_> = PROVIDERS.iter().filter(has).map(|provider| provider.name).collect();
            let message = format!("{option} would do nothing: it is for {}", names.join(", "));
            return Err(Error::new(ErrorKind::Config, message));
        }
    }
    Ok(())
}
