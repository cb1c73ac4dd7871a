//! Concurrent listings with one client.

use std::time::Instant;

use futures::{StreamExt, TryStreamExt, stream};
use headcount::Paginator;

use super::{
    lister::{Provider, huawei_client, sailpoint_client},
    median,
    report::{Section, Table, per_second, thousands},
    runtime,
    server::{Config, Server},
};

const LISTINGS: u64 = 100;
const ROUNDS: usize = 3;

pub(crate) fn run() {
    let runtime = runtime(false);
    let mut table = Table::new(&["concurrent listings", "Huawei, accounts/s", "SailPoint, accounts/s"]);
    let huawei_server = Server::start(Config::new(Provider::Huawei, 10_000));
    let sailpoint_server = Server::start(Config::new(Provider::SailPoint, 5_000));
    for concurrency in [1, 10, 100] {
        let rate = |accounts: u64, list: &dyn Fn() -> f64| {
            thousands(per_second(LISTINGS * accounts, median((0..ROUNDS).map(|_| list()).collect())))
        };
        let huawei = rate(10_000, &|| {
            let client = huawei_client(&huawei_server.url);
            runtime.block_on(list_many(concurrency, move || client.list_accounts().limit(2000)))
        });
        let sailpoint = rate(5_000, &|| {
            let client = sailpoint_client(&sailpoint_server.url);
            runtime.block_on(list_many(concurrency, move || client.list_accounts()))
        });
        table.row([concurrency.to_string(), huawei, sailpoint]);
    }
    Section {
        name: "scale",
        target: "listing",
        title: "Concurrent listings",
        text: "100 listings with `items()` and one client, of 10,000 accounts (Huawei) and 5,000 (SailPoint) each, on \
               two workers. Medians of 3."
            .into(),
        tables: vec![table],
    }
    .publish();
}

/// Returns the seconds to list [`LISTINGS`] times, `concurrency` at a time.
async fn list_many<P: Paginator>(concurrency: usize, list: impl Fn() -> P + Send + Sync) -> f64 {
    let began = Instant::now();
    let listings = (0..LISTINGS).map(|_| {
        let items = list().items();
        let count = items.try_fold(0_u64, |count, _| std::future::ready(Ok(count + 1)));
        async move { tokio::spawn(count).await.expect("a count").expect("a complete list") }
    });
    let counts: Vec<u64> = stream::iter(listings).buffer_unordered(concurrency).collect().await;
    assert!(counts.iter().all(|count| *count == counts[0]));
    began.elapsed().as_secs_f64()
}
