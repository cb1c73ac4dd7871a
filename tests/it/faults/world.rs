//! The four simulators with the same faults, and what a walk through them gives.

use std::{collections::BTreeSet, time::Duration};

use futures::StreamExt;
use headcount::{
    Account, AnyPaginator, Completeness, Error, ErrorKind, Paginator, Retry, Summary, annature, fortanix,
    http::RetryPolicy,
    huawei, sailpoint,
    sim::{self, Fault, Faults},
};

/// How often, and for how long, a request is tried.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) attempts: u32,
    pub(super) attempt: Duration,
}

impl Default for Patience {
    /// As many attempts as by default, each with time enough on a busy machine.
    fn default() -> Self {
        Self { attempts: 4, attempt: Duration::from_secs(10) }
    }
}

/// Hasty, so that real time hardly passes.
fn hasty(patience: Patience) -> RetryPolicy {
    RetryPolicy::default()
        .attempts(patience.attempts)
        .delays(Duration::from_millis(20), Duration::from_millis(100))
        .timeouts(patience.attempt, Duration::from_secs(30))
        .server_wait(Duration::from_secs(2))
}

/// The four simulators with the same faults, and a list at each.
pub(super) struct World {
    pub(super) fortanix: sim::Fortanix,
    pub(super) huawei: sim::Huawei,
    pub(super) annature: sim::Annature,
    pub(super) sailpoint: sim::SailPoint,
    patience: Patience,
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
    pub(super) async fn with(faults: &Faults) -> Self {
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
            patience: Patience::default(),
        }
    }

    pub(super) fn list(&self, provider: &str) -> (AnyPaginator<Account>, &sim::Server) {
        const LIMIT: usize = 1024 * 1024;
        match provider {
            "fortanix" => {
                let server = &self.fortanix;
                let builder = fortanix::Client::builder().base_url(server.base_url());
                let builder = builder.password(server.email(), server.password());
                let client = builder.retry(hasty(self.patience)).body_limit(LIMIT).build().unwrap();
                (client.list_accounts().limit(10).into_accounts(), server)
            }
            "huawei" => {
                let server = &self.huawei;
                let builder = huawei::Client::builder(server.ak(), server.sk()).endpoint(server.base_url());
                let client = builder.retry(hasty(self.patience)).body_limit(LIMIT).build().unwrap();
                (client.list_accounts().limit(10).into_accounts(), server)
            }
            "annature" => {
                let server = &self.annature;
                let builder =
                    annature::Client::builder(server.id(), server.key()).base_url(server.base_url());
                let client = builder.retry(hasty(self.patience)).body_limit(LIMIT).build().unwrap();
                (client.list_accounts().into_accounts(), server)
            }
            _ => {
                let server = &self.sailpoint;
                let builder = sailpoint::Client::builder(server.base_url());
                let builder = builder.client_credentials(server.client_id(), server.client_secret());
                let client =
                    builder.retry(hasty(self.patience)).body_limit(LIMIT).rate_limit(None).build().unwrap();
                (client.list_accounts().limit(10).into_accounts(), server)
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

/// The fault strikes once, at the second list request: the list is whole all the same.
pub(super) async fn passes(name: &str, fault: Fault, providers: &[&str]) {
    passes_within(Patience::default(), name, fault, providers).await;
}

/// The same within this patience.
pub(super) async fn passes_within(patience: Patience, name: &str, fault: Fault, providers: &[&str]) {
    let mut world = World::with(&Faults::new(1).on_list(2, fault)).await;
    world.patience = patience;
    for provider in providers {
        let walk = world.walk(provider).await;
        assert!(walk.error.is_none(), "{name} at {provider}: {}", walk.error.unwrap());
        let server = world.list(provider).1;
        assert_eq!(server.faults_injected(), 1, "{name} at {provider} did strike");
        let distinct: BTreeSet<_> = walk.ids.iter().cloned().collect();
        assert_eq!(distinct, server.ids().into_iter().collect(), "{name} at {provider}");
        assert_eq!(walk.ids.len(), distinct.len(), "{name} at {provider}: nothing twice");
        assert_eq!(walk.summary.completeness, Completeness::Whole, "{name} at {provider}");
    }
}

/// The fault strikes every list request from the second on: what the caller sees.
pub(super) async fn stays(
    name: &str,
    fault: Fault,
    providers: &[&str],
    kind: ErrorKind,
    retry: Retry,
    says: &str,
) {
    stays_within(Patience::default(), name, fault, providers, (kind, retry, says)).await;
}

/// The same within this patience.
pub(super) async fn stays_within(
    patience: Patience,
    name: &str,
    fault: Fault,
    providers: &[&str],
    (kind, retry, says): (ErrorKind, Retry, &str),
) {
    let mut faults = Faults::new(1);
    for number in 2..40 {
        faults = faults.on_list(number, fault.clone());
    }
    let mut world = World::with(&faults).await;
    world.patience = patience;
    for provider in providers {
        let walk = world.walk(provider).await;
        let error = walk.error.unwrap_or_else(|| panic!("{name} at {provider} is an error"));
        assert_eq!((error.kind(), error.retry()), (kind, retry), "{name} at {provider}: {error}");
        assert!(error.to_string().contains(says), "{name} at {provider}: {error}");
        assert_eq!(walk.ids.len(), 10, "{name} at {provider}: the first page came");
        assert_eq!(walk.summary.completeness, Completeness::Unfinished, "{name} at {provider}");
    }
}
