//! The lists that take part: of the providers in the environment, or of simulators.

use std::{
    env,
    io::{self, Write as _},
};

use headcount::{
    Account, AnyPaginator, Error, ErrorKind, Paginator, Result, annature, fortanix, huawei, sailpoint,
};
use headcount_sim as sim;

use crate::args::{AnnatureApi, Args, Provider, SailPointApi};

const AGENT: &str = concat!("list_accounts/", env!("CARGO_PKG_VERSION"));

/// Named lists, and what must live as long as they do.
pub(crate) struct Sources {
    pub(crate) lists: Vec<(&'static str, AnyPaginator<Account>)>,
    pub(crate) simulators: Option<sim::Simulators>,
}

/// One client of each provider that takes part.
#[derive(Default)]
struct Clients {
    fortanix: Option<fortanix::Client>,
    huawei: Option<huawei::Client>,
    annature: Option<annature::Client>,
    sailpoint: Option<sailpoint::Client>,
}

impl Sources {
    pub(crate) async fn open(args: &Args) -> Result<Self> {
        let is_set = |names: &[&str]| {
            names.iter().any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
        };
        let configured: Vec<Provider> = [
            (Provider::Fortanix, &["FORTANIX_CCM_EMAIL", "FORTANIX_CCM_PASSWORD", "FORTANIX_CCM_TOKEN"][..]),
            (Provider::Huawei, &["HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"]),
            (Provider::Annature, &["ANNATURE_ID", "ANNATURE_KEY"]),
            (Provider::Sailpoint, &["SAIL_CLIENT_ID", "SAIL_CLIENT_SECRET", "SAIL_BASE_URL"]),
        ]
        .into_iter()
        .filter_map(|(provider, names)| is_set(names).then_some(provider))
        .collect();
        let simulators = if configured.is_empty() {
            let _ = writeln!(
                io::stderr(),
                "no credentials in the environment: listing built-in simulators (250 accounts each)"
            );
            let started = sim::Simulators::start(250, 1).await;
            Some(started.map_err(|error| {
                let message = format!("the simulators can not start: {error}");
                Error::new(ErrorKind::Transport, message).with_source(error)
            })?)
        } else {
            None
        };
        let wanted = |provider| {
            if args.providers.is_empty() {
                simulators.is_some() || configured.contains(&provider)
            } else {
                args.providers.contains(&provider)
            }
        };
        check_used(args, wanted)?;
        let clients = match &simulators {
            Some(simulators) => Clients::of_simulators(simulators, args, wanted)?,
            None => Clients::of_environment(args, wanted)?,
        };
        Ok(Self { lists: clients.lists(args), simulators })
    }
}

/// Refuses options that are for none of the providers that take part.
fn check_used(args: &Args, wanted: impl Fn(Provider) -> bool) -> Result<()> {
    use Provider::{Annature, Fortanix, Huawei, Sailpoint};
    for (option, given, providers) in [
        ("--page-size", args.page_size.is_some(), &[Fortanix, Huawei, Sailpoint][..]),
        ("--huawei-contacts", args.huawei_contacts, &[Huawei]),
        ("--annature-api", args.annature_api.is_some(), &[Annature]),
        ("--sailpoint-api", args.sailpoint_api.is_some(), &[Sailpoint]),
    ] {
        if given && !providers.iter().any(|provider| wanted(*provider)) {
            let names: Vec<_> = providers.iter().map(|provider| format!("{provider:?}")).collect();
            let message = format!("{option} would do nothing: it is for {}", names.join(", "));
            return Err(Error::new(ErrorKind::Config, message));
        }
    }
    Ok(())
}

impl Clients {
    fn of_environment(args: &Args, wanted: impl Fn(Provider) -> bool) -> Result<Self> {
        let mut clients = Self::default();
        if wanted(Provider::Fortanix) {
            clients.fortanix = Some(fortanix::Client::builder_from_env()?.user_agent(AGENT).build()?);
        }
        if wanted(Provider::Huawei) {
            clients.huawei = Some(huawei::Client::builder_from_env()?.user_agent(AGENT).build()?);
        }
        if wanted(Provider::Annature) {
            clients.annature = Some(annature::Client::builder_from_env()?.user_agent(AGENT).build()?);
        }
        if wanted(Provider::Sailpoint) {
            let builder = sailpoint::Client::builder_from_env()?.user_agent(AGENT);
            clients.sailpoint = Some(builder.api_version(api_version(args)).build()?);
        }
        Ok(clients)
    }

    fn of_simulators(sims: &sim::Simulators, args: &Args, wanted: impl Fn(Provider) -> bool) -> Result<Self> {
        let mut clients = Self::default();
        if wanted(Provider::Fortanix) {
            let sim = &sims.fortanix;
            let builder = fortanix::Client::builder().base_url(sim.base_url());
            clients.fortanix = Some(builder.password(sim.email(), sim.password()).build()?);
        }
        if wanted(Provider::Huawei) {
            let sim = &sims.huawei;
            clients.huawei =
                Some(huawei::Client::builder(sim.ak(), sim.sk()).endpoint(sim.base_url()).build()?);
        }
        if wanted(Provider::Annature) {
            let sim = &sims.annature;
            clients.annature =
                Some(annature::Client::builder(sim.id(), sim.key()).base_url(sim.base_url()).build()?);
        }
        if wanted(Provider::Sailpoint) {
            let sim = &sims.sailpoint;
            let builder = sailpoint::Client::builder(sim.base_url());
            let builder = builder.client_credentials(sim.client_id(), sim.client_secret());
            clients.sailpoint = Some(builder.api_version(api_version(args)).build()?);
        }
        Ok(clients)
    }

    fn lists(self, args: &Args) -> Vec<(&'static str, AnyPaginator<Account>)> {
        let mut lists = Vec::new();
        if let Some(client) = self.fortanix {
            let mut list = client.list_accounts();
            if let Some(size) = args.page_size {
                list = list.limit(size);
            }
            lists.push(("fortanix", list.into_accounts()));
        }
        if let Some(client) = self.huawei {
            let mut list = client.list_accounts();
            if args.huawei_contacts {
                list = list.with_register_contact_info(true);
            }
            if let Some(size) = args.page_size {
                list = list.limit(size.min(if args.huawei_contacts { 200 } else { 2000 }));
            }
            lists.push(("huawei", list.into_accounts()));
        }
        if let Some(client) = self.annature {
            lists.push(match args.annature_api {
                Some(AnnatureApi::V1) => ("annature", client.list_accounts_v1().into_accounts()),
                Some(AnnatureApi::V2) | None => ("annature", client.list_accounts().into_accounts()),
            });
        }
        if let Some(client) = self.sailpoint {
            let mut list = client.list_accounts();
            if let Some(size) = args.page_size {
                list = list.limit(size.min(250));
            }
            lists.push(("sailpoint", list.into_accounts()));
        }
        lists
    }
}

fn api_version(args: &Args) -> sailpoint::ApiVersion {
    args.sailpoint_api.unwrap_or(SailPointApi::AccountsV1).into()
}
