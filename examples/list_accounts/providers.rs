//! The table of providers, and the lists of this run: at the configured providers, or at simulators.

use std::{
    any::Any,
    env,
    io::{self, Write as _},
};

use futures::{FutureExt as _, future::BoxFuture};
use headcount::{
    Account, AnyPaginator, Error, ErrorKind, ListingReport, Result, Source, annature, fortanix, huawei,
    sailpoint,
};
use headcount_sim as sim;

use crate::args::{AnnatureApi, Args, SailPointApi};

const USER_AGENT: &str = concat!("list_accounts/", env!("CARGO_PKG_VERSION"));
/// The number of accounts of each simulator.
const SIMULATED_ACCOUNTS: usize = 250;
const SEED: u64 = 1;

/// A list, and what it is of.
pub(crate) struct List {
    pub(crate) accounts: AnyPaginator<Account>,
    /// The request, such as `GET https://acme.api.identitynow.com/accounts/v1`.
    endpoint: String,
    /// The parameters that select fields.
    filter: Option<String>,
}

/// A simulator, which serves requests until it is dropped.
type Simulator = Box<dyn Any + Send>;
type Simulated = (List, Simulator);

/// A row of [`PROVIDERS`].
pub(crate) struct Provider {
    pub(crate) name: &'static str,
    /// The prefix of all its environment variables.
    prefix: &'static str,
    /// Sets of environment variables, each of which is sufficient to log in. The provider is included if any
    /// variable is set.
    credentials: &'static [&'static [&'static str]],
    /// The provider-specific options that apply to this provider.
    options: &'static [&'static str],
    /// Creates the list with the credentials in the environment.
    open: fn(&Args) -> Result<List>,
    /// Starts a simulator and creates a list of its accounts.
    simulate: for<'a> fn(&'a Args) -> BoxFuture<'a, Result<Simulated>>,
}

/// All providers.
pub(crate) const PROVIDERS: &[Provider] = &[
    Provider {
        name: "fortanix",
        prefix: "FORTANIX_CCM_",
        credentials: &[&["FORTANIX_CCM_EMAIL", "FORTANIX_CCM_PASSWORD"], &["FORTANIX_CCM_TOKEN"]],
        options: &["--page-size"],
        open: |args| fortanix(fortanix::Client::builder_from_env()?, args),
        simulate: |args| {
            let start = sim::Fortanix::builder().accounts(SIMULATED_ACCOUNTS).seed(SEED).start();
            let list = move |sim: &sim::Fortanix| {
                let builder = fortanix::Client::builder().base_url(sim.base_url());
                fortanix(builder.password(sim.email(), sim.password()), args)
            };
            simulated(start, list).boxed()
        },
    },
    Provider {
        name: "huawei",
        prefix: "HUAWEICLOUD_SDK_",
        credentials: &[&["HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"]],
        options: &["--page-size", "--huawei-contacts"],
        open: |args| huawei(huawei::Client::builder_from_env()?, args),
        simulate: |args| {
            let start = sim::Huawei::builder().accounts(SIMULATED_ACCOUNTS).seed(SEED).start();
            let list = move |sim: &sim::Huawei| {
                huawei(
                    huawei::Client::builder()
                        .access_key(sim.ak())
                        .secret_key(sim.sk())
                        .base_url(sim.base_url()),
                    args,
                )
            };
            simulated(start, list).boxed()
        },
    },
    Provider {
        name: "annature",
        prefix: "ANNATURE_",
        credentials: &[&["ANNATURE_ID", "ANNATURE_KEY"]],
        options: &["--annature-api"],
        open: |args| annature(annature::Client::builder_from_env()?, args),
        simulate: |args| {
            let start = sim::Annature::builder().accounts(SIMULATED_ACCOUNTS).seed(SEED).start();
            let list = move |sim: &sim::Annature| {
                annature(
                    annature::Client::builder().id(sim.id()).key(sim.key()).base_url(sim.base_url()),
                    args,
                )
            };
            simulated(start, list).boxed()
        },
    },
    Provider {
        name: "sailpoint",
        prefix: "SAIL_",
        credentials: &[&["SAIL_BASE_URL", "SAIL_CLIENT_ID", "SAIL_CLIENT_SECRET"]],
        options: &["--page-size", "--sailpoint-api", "--sailpoint-email-attribute"],
        open: |args| sailpoint(sailpoint::Client::builder_from_env()?, args, None),
        simulate: |args| {
            let start = sim::SailPoint::builder().accounts(SIMULATED_ACCOUNTS).seed(SEED).start();
            let list = move |sim: &sim::SailPoint| {
                let builder = sailpoint::Client::builder().base_url(sim.base_url());
                sailpoint(
                    builder.client_credentials(sim.client_id(), sim.client_secret()),
                    args,
                    Some("mail"),
                )
            };
            simulated(start, list).boxed()
        },
    },
];

fn fortanix(builder: fortanix::ClientBuilder, args: &Args) -> Result<List> {
    let client = builder.user_agent(USER_AGENT).build()?;
    let mut list = client.list_accounts();
    if let Some(size) = args.page_size {
        list = list.limit(size);
    }
    let endpoint = format!("GET {}/v1/accounts", client.base_url());
    Ok(List { accounts: list.into_accounts(), endpoint, filter: None })
}

fn huawei(builder: huawei::ClientBuilder, args: &Args) -> Result<List> {
    let client = builder.user_agent(USER_AGENT).build()?;
    let mut list = client.list_accounts();
    let mut filter = None;
    if args.huawei_contacts {
        list = list.with_register_contact_info(true);
        filter = Some("with_register_contact_info=true".to_owned());
    }
    if let Some(size) = args.page_size {
        list = list.limit(size.min(if args.huawei_contacts { 200 } else { 2000 }));
    }
    let endpoint = format!("GET {}/v1/organizations/accounts", client.base_url());
    Ok(List { accounts: list.into_accounts(), endpoint, filter })
}

fn annature(builder: annature::ClientBuilder, args: &Args) -> Result<List> {
    let client = builder.user_agent(USER_AGENT).build()?;
    let (accounts, path) = match args.annature_api {
        Some(AnnatureApi::V1) => (client.list_accounts_v1().into_accounts(), "/v1/accounts"),
        Some(AnnatureApi::V2) | None => (client.list_accounts().into_accounts(), "/v2/accounts"),
    };
    // It selects other accounts, and only the environment may contain it.
    let has_partner_key =
        !args.simulate && env::var_os("ANNATURE_PARTNER_KEY").is_some_and(|key| !key.is_empty());
    let filter = has_partner_key.then(|| "with a partner key".to_owned());
    Ok(List { accounts, endpoint: format!("GET {}{path}", client.base_url()), filter })
}

fn sailpoint(builder: sailpoint::ClientBuilder, args: &Args, default_email: Option<&str>) -> Result<List> {
    let version = args.sailpoint_api.unwrap_or(SailPointApi::AccountsV1);
    let client = builder.user_agent(USER_AGENT).api_version(version.into()).build()?;
    let mut list = client.list_accounts();
    let emails = args.sailpoint_email_attributes.iter().map(String::as_str);
    let default_email = default_email.filter(|_| args.sailpoint_email_attributes.is_empty());
    let emails: Vec<_> = emails.chain(default_email).collect();
    for attribute in &emails {
        list = list.email_attribute(*attribute);
    }
    let filter = (!emails.is_empty()).then(|| format!("email_attribute={}", emails.join(",")));
    if let Some(size) = args.page_size {
        list = list.limit(size.min(250));
    }
    let endpoint = format!("GET {}{}", client.base_url(), client.api_version().path());
    Ok(List { accounts: list.into_accounts(), endpoint, filter })
}

async fn simulated<S: Send + 'static>(
    start: impl Future<Output = io::Result<S>>,
    list: impl FnOnce(&S) -> Result<List>,
) -> Result<Simulated> {
    let sim = start.await.map_err(|error| {
        Error::new(ErrorKind::Transport, format!("cannot start a simulator: {error}")).with_source(error)
    })?;
    Ok((list(&sim)?, Box::new(sim)))
}

impl Provider {
    fn is_configured(&self) -> bool {
        let is_set = |name: &&str| env::var_os(name).is_some_and(|value| !value.is_empty());
        self.credentials.iter().copied().flatten().any(is_set)
    }

    /// Returns the names of the credentials as text.
    pub(crate) fn credentials_text(&self) -> String {
        let sets: Vec<_> = self.credentials.iter().map(|set| set.join(" and ")).collect();
        sets.join(", or ")
    }

    /// Returns the first variable of this provider that is set, even if it is empty.
    fn variable(&self) -> Option<String> {
        let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        names.filter(|name| name.starts_with(self.prefix)).min()
    }

    /// Fails if the environment mentions the provider and has no credentials for it: it would be missing from the
    /// output, or replaced by a simulator.
    fn check_environment(&self) -> Result<()> {
        let Some(variable) = self.variable().filter(|_| !self.is_configured()) else { return Ok(()) };
        let state =
            if env::var_os(&variable).is_some_and(|value| value.is_empty()) { "empty" } else { "set" };
        let message = format!(
            "{variable} is {state}, but {} has no credentials: set {}; or unset {variable}; or select other providers \
             with --provider",
            self.name,
            self.credentials_text()
        );
        Err(Error::new(ErrorKind::Config, message))
    }
}

/// The lists and their reports, and the simulators that must outlive them.
#[derive(Default)]
pub(crate) struct Sources {
    pub(crate) lists: Vec<(ListingReport, AnyPaginator<Account>)>,
    pub(crate) simulators: Vec<Simulator>,
    pub(crate) simulated: bool,
}

impl Sources {
    pub(crate) async fn open(args: &Args) -> Result<Self> {
        let use_simulators = args.simulate
            || PROVIDERS.iter().all(|provider| provider.variable().is_none() && !provider.is_configured());
        let is_named = |provider: &&Provider| args.providers.iter().any(|name| name == provider.name);
        let is_candidate = |provider: &&Provider| args.providers.is_empty() || is_named(provider);
        if !use_simulators {
            PROVIDERS.iter().filter(is_candidate).try_for_each(Provider::check_environment)?;
        }
        let is_selected = |provider: &&Provider| {
            is_named(provider) || args.providers.is_empty() && (use_simulators || provider.is_configured())
        };
        let selected: Vec<_> = PROVIDERS.iter().filter(is_selected).collect();
        if use_simulators {
            let _ = writeln!(
                io::stderr(),
                "{}: listing built-in simulators ({SIMULATED_ACCOUNTS} accounts each)",
                if args.simulate { "--simulate" } else { "no credentials in the environment" }
            );
        }
        check_options(args, &selected)?;
        if use_simulators && !args.simulate && args.tenant.is_some() {
            let message = "--tenant names a tenant, but no credentials are set; set them, or add --simulate";
            return Err(Error::new(ErrorKind::Config, message));
        }
        let tenant = match &args.tenant {
            Some(tenant) => tenant,
            None if use_simulators => "simulated",
            None => "default",
        };
        let mut sources = Self { simulated: use_simulators, ..Self::default() };
        for provider in selected {
            let list = if use_simulators {
                let (list, simulator) = (provider.simulate)(args).await?;
                sources.simulators.push(simulator);
                list
            } else {
                (provider.open)(args)?
            };
            let source = Source::new(tenant, provider.name, provider.name.into())?;
            let mut report = ListingReport::start(source);
            report.endpoint = Some(list.endpoint);
            report.filter = list.filter;
            sources.lists.push((report, list.accounts));
        }
        Ok(sources)
    }
}

/// Rejects options that apply to none of the selected providers.
fn check_options(args: &Args, selected: &[&Provider]) -> Result<()> {
    for (option, is_set) in [
        ("--page-size", args.page_size.is_some()),
        ("--huawei-contacts", args.huawei_contacts),
        ("--annature-api", args.annature_api.is_some()),
        ("--sailpoint-api", args.sailpoint_api.is_some()),
        ("--sailpoint-email-attribute", !args.sailpoint_email_attributes.is_empty()),
    ] {
        let supports = |provider: &&Provider| provider.options.contains(&option);
        if is_set && !selected.iter().any(supports) {
            let names: Vec<_> = PROVIDERS.iter().filter(supports).map(|provider| provider.name).collect();
            let message = format!("{option} has no effect: it applies only to {}", names.join(", "));
            return Err(Error::new(ErrorKind::Config, message));
        }
    }
    Ok(())
}
