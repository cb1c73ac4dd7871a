//! How lists are walked.

use std::sync::LazyLock;

use futures::TryStreamExt;
use headcount::{Account, AnyPaginator, Result, Summary, sailpoint};
use headcount_sim as sim;
use proptest::prelude::*;
use tokio::runtime::Runtime;

use crate::{
    kit::{self, Setup},
    streams::pages::Mode,
};

/// So many cases, or as many as `PROPTEST_CASES` says.
pub(crate) fn cases(count: u32) -> ProptestConfig {
    let wanted = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig::with_cases(wanted.unwrap_or(count))
}

pub(crate) fn mode() -> impl Strategy<Value = Mode> {
    prop_oneof![Just(Mode::Lazy), (1..4_usize).prop_map(Mode::Ahead), (1..6_usize).prop_map(Mode::Concurrent)]
}

/// The ids that a list gives, in its order.
pub(crate) async fn walk(list: AnyPaginator<Account>, mode: Mode) -> Result<(Vec<String>, Summary)> {
    let mut items = mode.pages(list).items();
    let mut ids = Vec::new();
    while let Some(account) = items.try_next().await? {
        ids.push(account.id);
    }
    Ok((ids, items.summary()))
}

/// One runtime and one HTTP client for all walks: making a client reads the system's certificates.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
});
static HTTP: LazyLock<reqwest::Client> = LazyLock::new(|| {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap()
});

pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    RUNTIME.block_on(work)
}

/// A client for use in [`block_on`].
pub(crate) fn setup() -> Setup {
    Setup::http(HTTP.clone())
}

pub(crate) fn sailpoint_list(server: &sim::SailPoint, limit: u32) -> sailpoint::ListAccounts {
    let client = kit::sailpoint::builder(server).http_client(HTTP.clone()).build().unwrap();
    client.list_accounts().limit(limit.clamp(2, 250))
}
