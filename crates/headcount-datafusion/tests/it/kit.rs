//! Simulated tenants and sessions.

use std::{collections::BTreeSet, sync::Arc};

use datafusion::{
    arrow::util::pretty::pretty_format_batches,
    error::{DataFusionError, Result},
    prelude::SessionContext,
};
use headcount_datafusion::{AccountsTable, SnapshotStore, Tenants, session_config};
use headcount_sim::{Faults, SimConfig};
use tempfile::TempDir;

pub(crate) use simulated_tenants::{SimulatedTenants, free_port};

/// The names of the providers.
pub(crate) const PROVIDERS: [&str; 4] = ["annature", "fortanix", "huawei", "sailpoint"];

/// Starts one tenant `acme` with one source for each provider, named after it.
pub(crate) async fn acme(accounts: usize) -> SimulatedTenants {
    acme_with(accounts, |_| Faults::none()).await
}

pub(crate) async fn acme_with(accounts: usize, faults: impl Fn(&str) -> Faults) -> SimulatedTenants {
    let mut simulated = SimulatedTenants::default();
    for (seed, provider) in PROVIDERS.iter().enumerate() {
        let config = SimConfig::new().accounts(accounts).seed(seed as u64).faults(faults(provider));
        simulated.add("acme", provider, provider, config).await.unwrap();
    }
    simulated
}

/// Starts one tenant `acme` with one source.
pub(crate) async fn one(provider: &str, config: SimConfig) -> SimulatedTenants {
    let mut simulated = SimulatedTenants::default();
    simulated.add("acme", provider, provider, config).await.unwrap();
    simulated
}

pub(crate) fn shared(simulated: &SimulatedTenants) -> Arc<dyn Tenants> {
    Arc::new(simulated.tenants().unwrap())
}

/// Returns a session with the live tables of the tenants.
pub(crate) fn session(simulated: &SimulatedTenants) -> SessionContext {
    let ctx = SessionContext::new_with_config(session_config());
    AccountsTable::new(shared(simulated)).register(&ctx).unwrap();
    ctx
}

/// Returns the rows of a query, with their values separated by `|`.
pub(crate) async fn query(ctx: &SessionContext, sql: &str) -> Result<Vec<String>> {
    let batches = ctx.sql(sql).await?.collect().await?;
    let table = pretty_format_batches(&batches)?.to_string();
    let rows = table.lines().filter(|line| line.starts_with('|')).skip(1);
    let cells = |row: &str| row.trim_matches('|').split(" | ").map(str::trim).collect::<Vec<_>>().join("|");
    Ok(rows.map(cells).collect())
}

pub(crate) async fn query_error(ctx: &SessionContext, sql: &str) -> String {
    let error: DataFusionError = query(ctx, sql).await.unwrap_err();
    error.to_string()
}

/// Returns the ids that a query on the column `id` yields.
pub(crate) async fn ids(ctx: &SessionContext, sql: &str) -> BTreeSet<String> {
    let rows = query(ctx, sql).await.unwrap();
    let ids: BTreeSet<_> = rows.iter().cloned().collect();
    assert_eq!(ids.len(), rows.len(), "an account was listed twice");
    ids
}

/// Returns a new folder for snapshots in the local file system.
pub(crate) fn local_store() -> (TempDir, SnapshotStore) {
    let folder = TempDir::new().unwrap();
    let runtime = SessionContext::new().runtime_env();
    let store = SnapshotStore::open(&runtime, folder.path().to_str().unwrap()).unwrap();
    (folder, store)
}
