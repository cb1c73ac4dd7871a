//! Simulators of all providers with the same faults, and assertions on listings of them.

use std::{collections::BTreeSet, time::Duration};

use headcount::{
    Account, AnyPaginator, Completeness, Error, ErrorKind, Retryability, Summary, http::RetryPolicy,
};
use headcount_sim::{Fault, Faults, SimConfig, Simulator};
use tokio::time::Instant;

use crate::kit::{PROVIDERS, Provider, ServerBehavior, Setup};

/// How the clients reach the simulators.
#[derive(Clone, Copy, Debug)]
pub(super) enum Connection {
    /// Over sockets, in real time, with short delays.
    Sockets { attempts: u32 },
    /// In memory and in virtual time, with the default delays and timeouts.
    InMemory,
}

/// Sockets with the default number of attempts.
pub(super) const SOCKETS: Connection = Connection::Sockets { attempts: 4 };

/// Returns a policy with short delays, and timeouts that are long enough for a busy machine.
fn short_delays(attempts: u32) -> RetryPolicy {
    RetryPolicy::default()
        .attempts(attempts)
        .backoff(Duration::from_millis(20), Duration::from_millis(100))
        .timeouts(Duration::from_secs(10), Duration::from_secs(30))
        .max_retry_after(Duration::from_secs(2))
}

/// A simulator of each provider, all with the same faults.
pub(super) struct Fixture {
    servers: Vec<Box<dyn Simulator>>,
    connection: Connection,
}

/// The result of a listing.
pub(super) struct Listing {
    pub(super) ids: Vec<String>,
    pub(super) invalid_rows: Vec<Error>,
    pub(super) error: Option<Error>,
    pub(super) summary: Summary,
}

pub(super) const SIZE: usize = 60;

impl Fixture {
    pub(super) async fn new(connection: Connection, faults: &Faults) -> Self {
        let mut servers = Vec::new();
        for provider in PROVIDERS {
            let settings = SimConfig::new().accounts(SIZE).seed(3).faults(faults.clone());
            servers.push(provider.start(settings, ServerBehavior::with_page_size(10)).await);
        }
        Self { servers, connection }
    }

    pub(super) fn server(&self, provider: &dyn Provider) -> &dyn Simulator {
        let name = provider.name();
        &**self.servers.iter().find(|server| server.provider().name() == name).unwrap()
    }

    /// Returns a paginator of the provider's accounts, in pages of ten.
    pub(super) fn list(&self, provider: &dyn Provider) -> AnyPaginator<Account> {
        let server = self.server(provider);
        let setup = match self.connection {
            Connection::Sockets { attempts } => Setup::default().retry(short_delays(attempts)),
            Connection::InMemory => Setup::over(server.transport()),
        };
        provider.client(server, &Setup { body_limit: Some(1024 * 1024), ..setup }).list(10)
    }

    /// Lists all accounts of the provider.
    pub(super) async fn list_all(&self, provider: &dyn Provider) -> Listing {
        let mut items = self.list(provider).items();
        let mut listing =
            Listing { ids: vec![], invalid_rows: vec![], error: None, summary: items.summary() };
        while let Some(item) = items.next().await {
            match item {
                Ok(account) => listing.ids.push(account.id),
                Err(error) if error.kind() == ErrorKind::InvalidRecord => listing.invalid_rows.push(error),
                Err(error) => listing.error = Some(error),
            }
        }
        listing.summary = items.summary();
        listing
    }
}

/// Asserts that the listing is complete if the fault is injected once, at the second list request. Returns
/// the longest duration of a listing.
pub(super) async fn assert_recovers(
    connection: Connection,
    name: &str,
    fault: Fault,
    providers: &[&'static dyn Provider],
) -> Duration {
    let fixture = Fixture::new(connection, &Faults::new(1).on_list(2, fault)).await;
    let mut longest = Duration::ZERO;
    for &provider in providers {
        let began = Instant::now();
        let listing = fixture.list_all(provider).await;
        longest = longest.max(began.elapsed());
        assert!(listing.error.is_none(), "{name} at {provider}: {}", listing.error.unwrap());
        let server = fixture.server(provider);
        assert_eq!(server.faults_injected(), 1, "{name} at {provider} was injected");
        let distinct: BTreeSet<_> = listing.ids.iter().cloned().collect();
        assert_eq!(distinct, server.ids().into_iter().collect(), "{name} at {provider}");
        assert_eq!(listing.ids.len(), distinct.len(), "{name} at {provider}: duplicates");
        assert_eq!(listing.summary.completeness, Completeness::Complete, "{name} at {provider}");
    }
    longest
}

/// Asserts the error if the fault is injected at every list request from the second on. Returns the longest
/// duration of a listing.
pub(super) async fn assert_fails(
    connection: Connection,
    name: &str,
    fault: Fault,
    providers: &[&'static dyn Provider],
    (kind, retry, message): (ErrorKind, Retryability, &str),
) -> Duration {
    let mut faults = Faults::new(1);
    for number in 2..40 {
        faults = faults.on_list(number, fault.clone());
    }
    let fixture = Fixture::new(connection, &faults).await;
    let mut longest = Duration::ZERO;
    for &provider in providers {
        let began = Instant::now();
        let listing = fixture.list_all(provider).await;
        longest = longest.max(began.elapsed());
        let error = listing.error.unwrap_or_else(|| panic!("{name} at {provider} is an error"));
        assert_eq!((error.kind(), error.retryability()), (kind, retry), "{name} at {provider}: {error}");
        assert!(error.to_string().contains(message), "{name} at {provider}: {error}");
        assert_eq!(listing.ids.len(), 10, "{name} at {provider}: the first page is yielded");
        assert_eq!(listing.summary.completeness, Completeness::InProgress, "{name} at {provider}");
    }
    longest
}
