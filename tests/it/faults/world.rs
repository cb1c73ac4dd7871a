//! The four simulators with the same faults, and what a walk through them gives.

use std::{collections::BTreeSet, time::Duration};

use futures::StreamExt;
use headcount::{
    Account, AnyPaginator, Completeness, Error, ErrorKind, Paginator, Retry, Summary, annature, fortanix,
    http::RetryPolicy, huawei, sailpoint,
};
use headcount_sim::{self as sim, Fault, Faults};
use tokio::time::Instant;

/// How the clients reach the simulators.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    /// Over sockets, in real time, of which as little as possible shall pass.
    Sockets { attempts: u32 },
    /// In memory and in virtual time, with the waits and the time limits that applications have.
    Memory,
}

/// As many attempts as by default.
pub(super) const SOCKETS: Way = Way::Sockets { attempts: 4 };

/// Short waits between attempts, each with time enough on a busy machine.
fn hasty(attempts: u32) -> RetryPolicy {
    RetryPolicy::default()
        .attempts(attempts)
        .delays(Duration::from_millis(20), Duration::from_millis(100))
        .timeouts(Duration::from_secs(10), Duration::from_secs(30))
        .server_wait(Duration::from_secs(2))
}

/// The four simulators with the same faults, and a list at each.
pub(super) struct World {
    pub(super) fortanix: sim::Fortanix,
    pub(super) huawei: sim::Huawei,
    pub(super) annature: sim::Annature,
    pub(super) sailpoint: sim::SailPoint,
    pub(super) way: Way,
}

/// What a walk gave.
pub(super) struct Walk {
    pub(super) ids: Vec<String>,
    pub(super) bad_rows: Vec<Error>,
    pub(super) error: Option<Error>,
    pub(super) summary: Summary,
}

pub(super) const SIZE: usize = 60;
pub(super) const PROVIDERS: [&str; 4] = ["fortanix", "huawei", "annature", "sailpoint"];

impl World {
    pub(super) async fn with(way: Way, faults: &Faults) -> Self {
        macro_rules! start {
            ($builder:expr) => {
                $builder.accounts(SIZE).seed(3).faults(faults.clone()).start().await.unwrap()
            };
        }
        Self {
            fortanix: start!(sim::Fortanix::builder()),
            huawei: start!(sim::Huawei::builder()),
            annature: start!(sim::Annature::builder().page_size(10)),
            sailpoint: start!(sim::SailPoint::builder().rate_limit(None)),
            way,
        }
    }

    pub(super) fn list(&self, provider: &str) -> (AnyPaginator<Account>, &sim::Server) {
        const LIMIT: usize = 1024 * 1024;
        macro_rules! client {
            ($server:ident, $builder:expr) => {{
                let builder = $builder.body_limit(LIMIT);
                let builder = match self.way {
                    Way::Sockets { attempts } => builder.retry(hasty(attempts)),
                    Way::Memory => builder.transport($server.transport()),
                };
                builder.build().unwrap()
            }};
        }
        match provider {
            "fortanix" => {
                let server = &self.fortanix;
                let builder = fortanix::Client::builder().base_url(server.base_url());
                let client = client!(server, builder.password(server.email(), server.password()));
                (client.list_accounts().limit(10).into_accounts(), server)
            }
            "huawei" => {
                let server = &self.huawei;
                let builder = huawei::Client::builder(server.ak(), server.sk());
                let client = client!(server, builder.endpoint(server.base_url()));
                (client.list_accounts().limit(10).into_accounts(), server)
            }
            "annature" => {
                let server = &self.annature;
                let builder = annature::Client::builder(server.id(), server.key());
                let client = client!(server, builder.base_url(server.base_url()));
                (client.list_accounts().into_accounts(), server)
            }
            _ => {
                let server = &self.sailpoint;
                let builder = sailpoint::Client::builder(server.base_url()).rate_limit(None);
                let builder = builder.client_credentials(server.client_id(), server.client_secret());
                (client!(server, builder).list_accounts().limit(10).into_accounts(), server)
            }
        }
    }

    pub(super) async fn walk(&self, provider: &str) -> Walk {
        let mut items = self.list(provider).0.items();
        let mut walk = Walk { ids: vec![], bad_rows: vec![], error: None, summary: items.summary() };
        while let Some(item) = items.next().await {
            match item {
                Ok(account) => walk.ids.push(account.id),
                Err(error) if error.kind() == ErrorKind::Record => walk.bad_rows.push(error),
                Err(error) => walk.error = Some(error),
            }
        }
        walk.summary = items.summary();
        walk
    }
}

/// The fault strikes once, at the second list request: the list is whole all the same. Gives the longest time
/// that one of the lists took.
pub(super) async fn passes(way: Way, name: &str, fault: Fault, providers: &[&str]) -> Duration {
    let world = World::with(way, &Faults::new(1).on_list(2, fault)).await;
    let mut longest = Duration::ZERO;
    for provider in providers {
        let began = Instant::now();
        let walk = world.walk(provider).await;
        longest = longest.max(began.elapsed());
        assert!(walk.error.is_none(), "{name} at {provider}: {}", walk.error.unwrap());
        let server = world.list(provider).1;
        assert_eq!(server.faults_injected(), 1, "{name} at {provider} did strike");
        let distinct: BTreeSet<_> = walk.ids.iter().cloned().collect();
        assert_eq!(distinct, server.ids().into_iter().collect(), "{name} at {provider}");
        assert_eq!(walk.ids.len(), distinct.len(), "{name} at {provider}: nothing twice");
        assert_eq!(walk.summary.completeness, Completeness::Whole, "{name} at {provider}");
    }
    longest
}

/// The fault strikes every list request from the second on: what the caller sees. Gives the longest time that one of the lists took.
pub(super) async fn stays(
    way: Way,
    name: &str,
    fault: Fault,
    providers: &[&str],
    (kind, retry, says): (ErrorKind, Retry, &str),
) -> Duration {
    let mut faults = Faults::new(1);
    for number in 2..40 {
        faults = faults.on_list(number, fault.clone());
    }
    let world = World::with(way, &faults).await;
    let mut longest = Duration::ZERO;
    for provider in providers {
        let began = Instant::now();
        let walk = world.walk(provider).await;
        longest = longest.max(began.elapsed());
        let error = walk.error.unwrap_or_else(|| panic!("{name} at {provider} is an error"));
        assert_eq!((error.kind(), error.retry()), (kind, retry), "{name} at {provider}: {error}");
        assert!(error.to_string().contains(says), "{name} at {provider}: {error}");
        assert_eq!(walk.ids.len(), 10, "{name} at {provider}: the first page came");
        assert_eq!(walk.summary.completeness, Completeness::Unfinished, "{name} at {provider}");
    }
    longest
}
