//! Time, compared with the hand-written loop.

use std::{sync::Arc, time::Instant};

use cpu_time::ProcessTime;
use tokio::runtime::Runtime;

use super::{
    Figures,
    lister::{Lister, Method, Provider},
    median,
    report::{Section, Table, Target, per_second, thousands},
    rows::row_length,
    runtime,
    server::{Config, Server},
};

const ACCOUNTS: u64 = 100_000;
const ROUNDS: usize = 9;

/// A method of listing, and its times in each round.
struct Row {
    method: Method,
    is_single: bool,
    lister: Arc<Lister>,
    wall: Vec<f64>,
    cpu: Vec<f64>,
}

impl Row {
    fn new(provider: Provider, method: Method, is_single: bool, url: &str) -> Self {
        let lister = Arc::new(Lister::new(provider, method, url));
        Self { method, is_single, lister, wall: Vec::new(), cpu: Vec::new() }
    }

    fn measure(&mut self, runtime: &Runtime) {
        let lister = Arc::clone(&self.lister);
        let (began, began_cpu) = (Instant::now(), ProcessTime::now());
        // Runs on a worker if there are any.
        let count = if self.is_single {
            runtime.block_on(lister.list())
        } else {
            runtime.block_on(runtime.spawn(async move { lister.list().await })).expect("a count")
        };
        self.wall.push(began.elapsed().as_secs_f64());
        self.cpu.push(began_cpu.elapsed().as_secs_f64());
        assert_eq!(count, ACCOUNTS, "{}", self.method.name());
    }

    /// Returns accounts per second.
    fn rate(&self) -> u128 {
        per_second(ACCOUNTS, median(self.wall.clone()))
    }

    /// Returns the medians of the ratios of CPU and wall time to those of `other` in the same round.
    fn ratio_to(&self, other: &Self) -> (f64, f64) {
        let ratio = |one: &[f64], other: &[f64]| median(one.iter().zip(other).map(|(a, b)| a / b).collect());
        (ratio(&self.cpu, &other.cpu), ratio(&self.wall, &other.wall))
    }
}

pub(crate) fn run(figures: &mut Figures) {
    let (single, double) = (runtime(true), runtime(false));
    let tables = Provider::ALL.map(|provider| {
        let server = Server::start(Config::new(provider, ACCOUNTS));
        let row = |method, is_single| Row::new(provider, method, is_single, &server.url);
        let mut rows = vec![
            row(Method::Bytes, true),
            row(Method::ByHand, true),
            row(Method::Items, true),
            row(Method::IntoAccounts, true),
            row(Method::ByHand, false),
            row(Method::Items, false),
            row(Method::Ahead, false),
        ];
        if provider == Provider::SailPoint {
            rows.push(row(Method::Concurrent(4), false));
        }
        // The first round opens the connections and is not counted.
        for _ in 0..=ROUNDS {
            for row in &mut rows {
                row.measure(if row.is_single { &single } else { &double });
            }
        }
        for row in &mut rows {
            row.wall.remove(0);
            row.cpu.remove(0);
        }
        let rates = rows.iter().filter(|row| row.is_single || row.method == Method::Ahead);
        let rates = rates.map(|row| (row.method, f64::from(u32::try_from(row.rate()).unwrap_or(u32::MAX))));
        figures.rates.push((provider.name(), rates.collect()));
        table(provider, &rows)
    });
    Section {
        name: "timing",
        target: "listing",
        title: "Time",
        text: format!(
            "{} accounts, medians of {ROUNDS} rounds in which all rows alternate. CPU time is that of the client's \
             process, which does not include the server. Ratios are to *by hand* on the same runtime: one thread, or \
             two workers.",
            thousands(ACCOUNTS)
        ),
        tables: tables.into(),
    }
    .publish();
}

fn table(provider: Provider, rows: &[Row]) -> Table {
    let head = format!(
        "{}: {} bytes per account, {} per page",
        provider.name(),
        thousands(row_length(provider == Provider::Huawei)),
        thousands(provider.page_size())
    );
    let mut table = Table::new(&[&head, "threads", "accounts/s", "CPU ÷ by hand", "", "wall ÷ by hand", ""]);
    for row in rows {
        let by_hand =
            rows.iter().find(|other| other.method == Method::ByHand && other.is_single == row.is_single);
        let (cpu, wall) = row.ratio_to(by_hand.unwrap_or(row));
        let (cpu_target, wall_target) = match row.method {
            Method::Items if row.is_single => (Some(Target::AtMost(1.0)), Some(Target::AtMost(1.0))),
            Method::IntoAccounts => (Some(Target::AtMost(1.1)), Some(Target::AtMost(1.1))),
            Method::Ahead => (None, Some(Target::AtMost(0.77))),
            _ => (None, None),
        };
        let judged =
            |target: Option<Target>, value| target.map_or(String::new(), |target| target.judge(value));
        table.row([
            row.method.name(),
            if row.is_single { "1" } else { "2" }.to_owned(),
            thousands(row.rate()),
            format!("{cpu:.2}"),
            judged(cpu_target, cpu),
            format!("{wall:.2}"),
            judged(wall_target, wall),
        ]);
    }
    table
}
