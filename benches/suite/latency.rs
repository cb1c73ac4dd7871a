//! Time against a server that takes its own.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use futures::TryStreamExt;
use headcount::{Pages, Paginator, sailpoint};

use super::{
    Figures, by_hand,
    lister::{Provider, huawei_client, sailpoint_client},
    median, pause,
    report::{Bar, Section, Table},
    runtime,
    server::{Plan, QUOTA, Server, WINDOW},
};

/// What the server and the consumer take for a page.
const PAGE: Duration = Duration::from_millis(50);
/// What the consumer takes for a page in the picture, whose servers take these.
const WORK: Duration = Duration::from_millis(10);
const LATENCIES: [u64; 4] = [0, 10, 25, 50];

pub(crate) fn run(figures: &mut Figures) {
    let runtime = runtime(false);
    let tables = vec![
        runtime.block_on(spawned(look_ahead())),
        runtime.block_on(spawned(concurrency())),
        runtime.block_on(spawned(allowance())),
        runtime.block_on(spawned(picture())).draw(figures),
    ];
    Section {
        name: "latency",
        target: "listing",
        title: "Latency",
        text:
            "The server waits before each answer, and the consumer after each page, where it says so. On two \
               workers."
                .into(),
        tables,
    }
    .publish();
}

/// On a worker of the runtime.
async fn spawned<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    tokio::spawn(work).await.expect("a result")
}

/// Looks at all items of a list, and waits after each page that has any. In seconds.
async fn walk<P: Paginator>(mut pages: Pages<P>, work: Duration) -> f64 {
    let began = Instant::now();
    while let Some(page) = pages.try_next().await.expect("a whole list") {
        let is_empty = page.items.is_empty();
        for item in page.items {
            black_box(&item);
        }
        if !is_empty && !work.is_zero() {
            pause(work).await;
        }
    }
    began.elapsed().as_secs_f64()
}

async fn look_ahead() -> Table {
    let server = Server::start(Plan::new(Provider::Huawei, 100_000).latency(PAGE));
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let list = || huawei_client(&server.url).list_accounts().limit(2000).pages();
    let began = Instant::now();
    let mut pages = 0;
    by_hand::huawei(&http, &server.url, |accounts| {
        pages += 1;
        by_hand::visit(accounts);
    })
    .await;
    let alone = began.elapsed().as_secs_f64();
    let began = Instant::now();
    for _ in 0..pages {
        pause(PAGE).await;
    }
    let consumer = began.elapsed().as_secs_f64();
    let limit = alone.max(consumer);
    let head = format!("Huawei, {pages} pages, 50 ms at the server and 50 ms in the consumer");
    let mut table = Table::new(&[&head, "s", "÷ the slower side", ""]);
    let lazy = walk(list(), PAGE).await;
    let ahead = walk(list().ahead(1), PAGE).await;
    for (name, seconds, bar) in [
        ("the server alone, by hand", alone, None),
        ("the consumer alone", consumer, None),
        ("`pages()`", lazy, None),
        ("`pages().ahead(1)`", ahead, Some(Bar::AtMost(1.05))),
    ] {
        let ratio = seconds / limit;
        let judged = bar.map_or(String::new(), |bar| bar.judge(ratio));
        table.row([name.to_owned(), format!("{seconds:.2}"), format!("{ratio:.2}"), judged]);
    }
    table
}

async fn concurrency() -> Table {
    let server = Server::start(Plan::new(Provider::SailPoint, 25_000).latency(PAGE));
    let client = sailpoint_client(&server.url);
    let mut table =
        Table::new(&["SailPoint, 100 pages, 50 ms at the server", "s", "÷ pages × 50 ms ÷ width", ""]);
    let mut row = |width: usize, times: Vec<f64>, bar: Option<Bar>| {
        let seconds = median(times);
        let ratio = seconds / 5.0 * f64::from(u32::try_from(width).unwrap_or(u32::MAX));
        let name = if width == 1 { "`pages()`".to_owned() } else { format!("`pages().concurrent({width})`") };
        let judged = bar.map_or(String::new(), |bar| bar.judge(ratio));
        table.row([name, format!("{seconds:.2}"), format!("{ratio:.2}"), judged]);
    };
    row(1, vec![walk(client.list_accounts().pages(), Duration::ZERO).await], None);
    let mut times = Vec::new();
    for _ in 0..5 {
        times.push(walk(client.list_accounts().pages().concurrent(8), Duration::ZERO).await);
    }
    row(8, times, Some(Bar::AtMost(1.15)));
    table
}

/// How much of what a provider allows is used, by a client with its own rate limit.
async fn allowance() -> Table {
    let windows = 3;
    let server = Server::start(Plan::new(Provider::SailPoint, 100_000).quota());
    let client = sailpoint::Client::builder(&server.url).token("token").build().expect("a client");
    let mut pages = client.list_accounts().pages();
    let wanted = windows * QUOTA + 1;
    let mut seen = server.seen().await;
    while seen.came.len() < wanted && pages.try_next().await.expect("a page").is_some() {
        // Only near the end, for it takes time to ask.
        if pages.summary().pages >= wanted as u64 {
            seen = server.seen().await;
        }
    }
    // So many requests can not come sooner: each window has to pass.
    let least = WINDOW.as_secs_f64() * f64::from(u32::try_from(windows).unwrap_or(u32::MAX));
    let share = 100.0 * least / seen.came.get(wanted - 1).copied().unwrap_or(f64::INFINITY);
    let refused = seen.refused;
    let mut table = Table::new(&["SailPoint, 100 requests in 10 s, the client's own limit, 30 s", "", ""]);
    let share_cell = format!("{share:.2} %");
    table.row(["of what is allowed".to_owned(), share_cell, Bar::AtLeast(98.0).judge(share)]);
    let judged = Bar::AtMost(0.0).judge(f64::from(u32::try_from(refused).unwrap_or(u32::MAX)));
    table.row(["answers 429".to_owned(), refused.to_string(), judged]);
    table
}

/// Times for the picture: lazy, ahead, concurrent.
struct Picture(Vec<(u64, [f64; 3])>);

const WAYS: [&str; 3] = ["pages()", "ahead(1)", "concurrent(8)"];

async fn picture() -> Picture {
    let mut points = Vec::new();
    for latency in LATENCIES {
        let plan = Plan::new(Provider::SailPoint, 10_000).latency(Duration::from_millis(latency));
        let server = Server::start(plan);
        let client = sailpoint_client(&server.url);
        let list = || client.list_accounts().pages();
        let times = [
            walk(list(), WORK).await,
            walk(list().ahead(1), WORK).await,
            walk(list().concurrent(8), WORK).await,
        ];
        points.push((latency, times));
    }
    Picture(points)
}

impl Picture {
    /// As a table; and into the picture.
    fn draw(self, figures: &mut Figures) -> Table {
        let head = ["SailPoint, 40 pages, 10 ms in the consumer: at the server", WAYS[0], WAYS[1], WAYS[2]];
        let mut table = Table::new(&head);
        for (latency, times) in &self.0 {
            let times = times.map(|seconds| format!("{seconds:.2} s"));
            table.row([format!("{latency} ms")].into_iter().chain(times));
        }
        for (way, name) in WAYS.into_iter().enumerate() {
            let points = self
                .0
                .iter()
                .map(|(latency, times)| (f64::from(u32::try_from(*latency).unwrap_or(u32::MAX)), times[way]));
            figures.latency.push((name, points.collect()));
        }
        table
    }
}
