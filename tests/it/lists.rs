//! Helpers that list all accounts of a provider.

use std::sync::LazyLock;

use headcount::{Account, AnyPaginator, Result, Summary, sailpoint};
use headcount_sim as sim;
use proptest::prelude::*;
use tokio::runtime::Runtime;

use crate::{
    kit::{self, Setup},
    page::support::Mode,
};

/// Configures `count` cases, or `PROPTEST_CASES` if it is set.
pub(crate) fn cases(count: u32) -> ProptestConfig {
    let from_env = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig::with_cases(from_env.unwrap_or(count))
}

pub(crate) fn mode() -> impl Strategy<Value = Mode> {
    prop_oneof![Just(Mode::Lazy), (1..4_usize).prop_map(Mode::Ahead), (1..6_usize).prop_map(Mode::Concurrent)]
}

/// Lists everything and returns the ids in order, with the summary.
pub(crate) async fn walk(list: AnyPaginator<Account>, mode: Mode) -> Result<(Vec<String>, Summary)> {
    let mut items = mode.pages(list).items();
    let mut ids = Vec::new();
    while let Some(account) = items.try_next().await? {
        ids.push(account.id);
    }
    Ok((ids, items.summary()))
}

/// Shared by all listings, because creating an HTTP client reads the system's certificates.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
});
static HTTP: LazyLock<reqwest::Client> = LazyLock::new(|| {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap()
});

pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    RUNTIME.block_on(work)
}

/// Returns a setup with the shared HTTP client, for use in [`block_on`].
pub(crate) fn setup() -> Setup {
    Setup::http(HTTP.clone())
}

pub(crate) fn sailpoint_list(server: &sim::SailPoint, limit: u32) -> sailpoint::ListAccounts {
    let client = kit::sailpoint::builder(server).http_client(HTTP.clone()).build().unwrap();
    client.list_accounts().limit(limit.clamp(2, 250))
}
