//! What the crate costs over a loop written by hand, as a ratio within one run.
//!
//! `cargo bench --bench listing`: both list the same simulated accounts over loopback, in turns, and the medians
//! are compared. The hand-written loop has no retries, no checks of seams, no raw records: it is the floor.

use std::time::{Duration, Instant};

use futures::TryStreamExt;
use headcount::{Paginator, huawei, sailpoint};
use headcount_sim as sim;
use serde::Deserialize;

const ACCOUNTS: usize = 50_000;
const ROUNDS: usize = 7;

/// As much of an account as an inventory takes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    id: String,
    name: Option<String>,
    disabled: Option<bool>,
    native_identity: Option<String>,
    source_id: Option<String>,
}

async fn by_hand(http: &reqwest::Client, server: &sim::SailPoint) -> usize {
    let (token, mut offset) = (server.token(), 0);
    loop {
        let url = format!("{}/accounts/v1?limit=250&offset={offset}&sorters=id", server.base_url());
        let answer = http.get(url).bearer_auth(&token).send().await.expect("an answer");
        let rows: Vec<Row> =
            serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("accounts");
        if rows.is_empty() {
            return offset;
        }
        // Looked at, or the compiler would read them for nothing.
        assert!(rows.iter().all(|row| {
            !row.id.is_empty()
                && (row.name.is_some() || row.native_identity.is_some())
                && row.source_id.is_some()
                && row.disabled.is_some()
        }));
        offset += rows.len();
    }
}

async fn count(list: impl Paginator) -> usize {
    let mut items = list.items();
    let mut count = 0;
    while items.try_next().await.expect("a whole list").is_some() {
        count += 1;
    }
    count
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

#[tokio::main]
async fn main() {
    let server = sim::SailPoint::builder().accounts(ACCOUNTS).rate_limit(None).start().await.expect("a port");
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let builder = sailpoint::Client::builder(server.base_url()).token(server.token()).rate_limit(None);
    let client = builder.build().expect("a client");
    let (mut hand, mut lazy, mut concurrent) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let began = Instant::now();
        assert_eq!(by_hand(&http, &server).await, ACCOUNTS);
        hand.push(began.elapsed());
        let began = Instant::now();
        assert_eq!(count(client.list_accounts()).await, ACCOUNTS);
        lazy.push(began.elapsed());
        let began = Instant::now();
        let pages = client.list_accounts().pages().concurrent(4).items();
        assert_eq!(pages.try_fold(0, |count, _| async move { Ok(count + 1) }).await.expect("all"), ACCOUNTS);
        concurrent.push(began.elapsed());
    }
    let huawei = sim::Huawei::builder().accounts(ACCOUNTS).start().await.expect("a port");
    let builder = huawei::Client::builder(huawei.ak(), huawei.sk()).endpoint(huawei.base_url());
    let client = builder.build().expect("a client");
    let began = Instant::now();
    assert_eq!(count(client.list_accounts()).await, ACCOUNTS);
    let signed = began.elapsed();

    let floor = median(hand);
    let ratio = |time: Duration| time.as_secs_f64() / floor.as_secs_f64();
    println!("SailPoint, {ACCOUNTS} accounts, 250 a page, medians of {ROUNDS}");
    println!("  by hand            {floor:>10.2?}  1.00");
    let lazy = median(lazy);
    println!("  items()            {lazy:>10.2?}  {:.2}", ratio(lazy));
    let concurrent = median(concurrent);
    println!("  concurrent(4)      {concurrent:>10.2?}  {:.2}", ratio(concurrent));
    println!("Huawei, {ACCOUNTS} accounts, 1000 a page: {signed:.2?}");
}
