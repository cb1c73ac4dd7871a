//! Time against a server with latency.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use headcount::{Pages, Paginator, sailpoint};

use super::{
    Figures, by_hand,
    lister::{Provider, huawei_client, sailpoint_client},
    median, pause,
    report::{Section, Table, Target},
    runtime,
    server::{Config, QUOTA, Server, WINDOW},
};

/// The time per page of the server and of the consumer.
const PAGE_TIME: Duration = Duration::from_millis(50);
/// The consumer's time per page in the chart, and the latencies of the servers.
const CONSUMER_TIME: Duration = Duration::from_millis(10);
const LATENCIES: [u64; 4] = [0, 10, 25, 50];

pub(crate) fn run(figures: &mut Figures) {
    let runtime = runtime(false);
    let tables = vec![
        runtime.block_on(spawned(prefetch())),
        runtime.block_on(spawned(concurrency())),
        runtime.block_on(spawned(rate_limit_use())),
        runtime.block_on(spawned(chart_points())).into_table(figures),
    ];
    Section {
        name: "latency",
        target: "listing",
        title: "Latency",
        text:
            "The server waits before each response and the consumer after each page, where indicated. On two \
               workers."
                .into(),
        tables,
    }
    .publish();
}

/// Runs `work` on a worker of the runtime.
async fn spawned<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    tokio::spawn(work).await.expect("a result")
}

/// Visits all items of a list and waits after each page that has any. Returns the seconds.
async fn walk<P: Paginator>(mut pages: Pages<P>, consumer_time: Duration) -> f64 {
    let began = Instant::now();
    while let Some(page) = pages.try_next().await.expect("a complete list") {
        let is_empty = page.items.is_empty();
        for item in page.items {
            black_box(&item);
        }
        if !is_empty && !consumer_time.is_zero() {
            pause(consumer_time).await;
        }
    }
    began.elapsed().as_secs_f64()
}

async fn prefetch() -> Table {
    let server = Server::start(Config::new(Provider::Huawei, 100_000).latency(PAGE_TIME));
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let list = || huawei_client(&server.url).list_accounts().limit(2000).pages();
    let began = Instant::now();
    let mut pages = 0;
    by_hand::huawei(&http, &server.url, |accounts| {
        pages += 1;
        by_hand::visit(accounts);
    })
    .await;
    let server_only = began.elapsed().as_secs_f64();
    let began = Instant::now();
    for _ in 0..pages {
        pause(PAGE_TIME).await;
    }
    let consumer_only = began.elapsed().as_secs_f64();
    let slower_side = server_only.max(consumer_only);
    let head = format!("Huawei, {pages} pages, 50 ms at the server and 50 ms in the consumer");
    let mut table = Table::new(&[&head, "s", "÷ the slower side", ""]);
    let lazy = walk(list(), PAGE_TIME).await;
    let ahead = walk(list().ahead(1), PAGE_TIME).await;
    for (name, seconds, target) in [
        ("server only, by hand", server_only, None),
        ("consumer only", consumer_only, None),
        ("`pages()`", lazy, None),
        ("`pages().ahead(1)`", ahead, Some(Target::AtMost(1.05))),
    ] {
        let ratio = seconds / slower_side;
        let judged = target.map_or(String::new(), |target| target.judge(ratio));
        table.row([name.to_owned(), format!("{seconds:.2}"), format!("{ratio:.2}"), judged]);
    }
    table
}

async fn concurrency() -> Table {
    let server = Server::start(Config::new(Provider::SailPoint, 25_000).latency(PAGE_TIME));
    let client = sailpoint_client(&server.url);
    let mut table =
        Table::new(&["SailPoint, 100 pages, 50 ms at the server", "s", "÷ pages × 50 ms ÷ width", ""]);
    let mut row = |width: usize, times: Vec<f64>, target: Option<Target>| {
        let seconds = median(times);
        let ratio = seconds / 5.0 * f64::from(u32::try_from(width).unwrap_or(u32::MAX));
        let name = if width == 1 { "`pages()`".to_owned() } else { format!("`pages().concurrent({width})`") };
        let judged = target.map_or(String::new(), |target| target.judge(ratio));
        table.row([name, format!("{seconds:.2}"), format!("{ratio:.2}"), judged]);
    };
    row(1, vec![walk(client.list_accounts().pages(), Duration::ZERO).await], None);
    let mut times = Vec::new();
    for _ in 0..5 {
        times.push(walk(client.list_accounts().pages().concurrent(8), Duration::ZERO).await);
    }
    row(8, times, Some(Target::AtMost(1.15)));
    table
}

/// Measures how much of the provider's rate limit a client with the default limit uses.
async fn rate_limit_use() -> Table {
    let windows = 3;
    let server = Server::start(Config::new(Provider::SailPoint, 100_000).with_quota());
    let client = sailpoint::Client::builder().base_url(&server.url).token("token").build().expect("a client");
    let mut pages = client.list_accounts().pages();
    let expected = windows * QUOTA + 1;
    let mut stats = server.stats().await;
    while stats.accepted.len() < expected && pages.try_next().await.expect("a page").is_some() {
        // Only near the end, because each query takes time.
        if pages.summary().pages >= expected as u64 {
            stats = server.stats().await;
        }
    }
    // The minimum time for this many requests.
    let min_seconds = WINDOW.as_secs_f64() * f64::from(u32::try_from(windows).unwrap_or(u32::MAX));
    let share = 100.0 * min_seconds / stats.accepted.get(expected - 1).copied().unwrap_or(f64::INFINITY);
    let rejected = stats.rejected;
    let mut table = Table::new(&["SailPoint, 100 requests in 10 s, the client's own limit, 30 s", "", ""]);
    let share_cell = format!("{share:.2} %");
    table.row(["of the allowed rate".to_owned(), share_cell, Target::AtLeast(98.0).judge(share)]);
    let judged = Target::AtMost(0.0).judge(f64::from(u32::try_from(rejected).unwrap_or(u32::MAX)));
    table.row(["429 responses".to_owned(), rejected.to_string(), judged]);
    table
}

/// Times for the chart, by latency: lazy, ahead, concurrent.
struct ChartPoints(Vec<(u64, [f64; 3])>);

const METHODS: [&str; 3] = ["pages()", "ahead(1)", "concurrent(8)"];

async fn chart_points() -> ChartPoints {
    let mut points = Vec::new();
    for latency in LATENCIES {
        let config = Config::new(Provider::SailPoint, 10_000).latency(Duration::from_millis(latency));
        let server = Server::start(config);
        let client = sailpoint_client(&server.url);
        let list = || client.list_accounts().pages();
        let times = [
            walk(list(), CONSUMER_TIME).await,
            walk(list().ahead(1), CONSUMER_TIME).await,
            walk(list().concurrent(8), CONSUMER_TIME).await,
        ];
        points.push((latency, times));
    }
    ChartPoints(points)
}

impl ChartPoints {
    /// Returns the table and adds the points to the chart.
    fn into_table(self, figures: &mut Figures) -> Table {
        let head =
            ["SailPoint, 40 pages, 10 ms in the consumer: at the server", METHODS[0], METHODS[1], METHODS[2]];
        let mut table = Table::new(&head);
        for (latency, times) in &self.0 {
            let times = times.map(|seconds| format!("{seconds:.2} s"));
            table.row([format!("{latency} ms")].into_iter().chain(times));
        }
        for (index, name) in METHODS.into_iter().enumerate() {
            let points = self.0.iter().map(|(latency, times)| {
                (f64::from(u32::try_from(*latency).unwrap_or(u32::MAX)), times[index])
            });
            figures.latency.push((name, points.collect()));
        }
        table
    }
}
