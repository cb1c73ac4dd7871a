//! The simulators with the same faults, and what a walk through them gives.

use std::{collections::BTreeSet, time::Duration};

use futures::StreamExt;
use headcount::{
    Account, AnyPaginator, Completeness, Error, ErrorKind, Paginator, Retryability, Summary,
    http::RetryPolicy,
};
use headcount_sim::{Fault, Faults, Settings, Simulator};
use tokio::time::Instant;

use crate::kit::{Habits, PROVIDERS, Provider, Setup};

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
        .backoff(Duration::from_millis(20), Duration::from_millis(100))
        .timeouts(Duration::from_secs(10), Duration::from_secs(30))
        .max_retry_after(Duration::from_secs(2))
}

/// A simulator of each provider, all with the same faults.
pub(super) struct World {
    servers: Vec<Box<dyn Simulator>>,
    way: Way,
}

/// What a walk gave.
pub(super) struct Walk {
    pub(super) ids: Vec<String>,
    pub(super) bad_rows: Vec<Error>,
    pub(super) error: Option<Error>,
    pub(super) summary: Summary,
}

pub(super) const SIZE: usize = 60;

impl World {
    pub(super) async fn with(way: Way, faults: &Faults) -> Self {
        let mut servers = Vec::new();
        for provider in PROVIDERS {
            let settings = Settings::new().accounts(SIZE).seed(3).faults(faults.clone());
            servers.push(provider.start(settings, Habits::rows(10)).await);
        }
        Self { servers, way }
    }

    pub(super) fn server(&self, provider: &dyn Provider) -> &dyn Simulator {
        let name = provider.name();
        &**self.servers.iter().find(|server| server.provider().name() == name).unwrap()
    }

    /// A list on pages of ten.
    pub(super) fn list(&self, provider: &dyn Provider) -> AnyPaginator<Account> {
        let server = self.server(provider);
        let setup = match self.way {
            Way::Sockets { attempts } => Setup::default().retry(hasty(attempts)),
            Way::Memory => Setup::over(server.transport()),
        };
        provider.client(server, &Setup { body_limit: Some(1024 * 1024), ..setup }).list(10)
    }

    pub(super) async fn walk(&self, provider: &dyn Provider) -> Walk {
        let mut items = self.list(provider).items();
        let mut walk = Walk { ids: vec![], bad_rows: vec![], error: None, summary: items.summary() };
        while let Some(item) = items.next().await {
            match item {
                Ok(account) => walk.ids.push(account.id),
                Err(error) if error.kind() == ErrorKind::InvalidRecord => walk.bad_rows.push(error),
                Err(error) => walk.error = Some(error),
            }
        }
        walk.summary = items.summary();
        walk
    }
}

/// The fault strikes once, at the second list request: the list is whole all the same. Gives the longest time
/// that one of the lists took.
pub(super) async fn passes(
    way: Way,
    name: &str,
    fault: Fault,
    providers: &[&'static dyn Provider],
) -> Duration {
    let world = World::with(way, &Faults::new(1).on_list(2, fault)).await;
    let mut longest = Duration::ZERO;
    for &provider in providers {
        let began = Instant::now();
        let walk = world.walk(provider).await;
        longest = longest.max(began.elapsed());
        assert!(walk.error.is_none(), "{name} at {provider}: {}", walk.error.unwrap());
        let server = world.server(provider);
        assert_eq!(server.faults_injected(), 1, "{name} at {provider} did strike");
        let distinct: BTreeSet<_> = walk.ids.iter().cloned().collect();
        assert_eq!(distinct, server.ids().into_iter().collect(), "{name} at {provider}");
        assert_eq!(walk.ids.len(), distinct.len(), "{name} at {provider}: nothing twice");
        assert_eq!(walk.summary.completeness, Completeness::Complete, "{name} at {provider}");
    }
    longest
}

/// The fault strikes every list request from the second on: what the caller sees. Gives the longest time that one of the lists took.
pub(super) async fn stays(
    way: Way,
    name: &str,
    fault: Fault,
    providers: &[&'static dyn Provider],
    (kind, retry, says): (ErrorKind, Retryability, &str),
) -> Duration {
    let mut faults = Faults::new(1);
    for number in 2..40 {
        faults = faults.on_list(number, fault.clone());
    }
    let world = World::with(way, &faults).await;
    let mut longest = Duration::ZERO;
    for &provider in providers {
        let began = Instant::now();
        let walk = world.walk(provider).await;
        longest = longest.max(began.elapsed());
        let error = walk.error.unwrap_or_else(|| panic!("{name} at {provider} is an error"));
        assert_eq!((error.kind(), error.retryability()), (kind, retry), "{name} at {provider}: {error}");
        assert!(error.to_string().contains(says), "{name} at {provider}: {error}");
        assert_eq!(walk.ids.len(), 10, "{name} at {provider}: the first page came");
        assert_eq!(walk.summary.completeness, Completeness::InProgress, "{name} at {provider}");
    }
    longest
}
