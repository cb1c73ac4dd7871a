//! Time: the crate against the loop by hand.

use std::{sync::Arc, time::Instant};

use cpu_time::ProcessTime;
use tokio::runtime::Runtime;

use super::{
    Figures,
    lister::{Lister, Provider, Way},
    median,
    report::{Bar, Section, Table, per_second, thousands},
    rows::row_length,
    runtime,
    server::{Plan, Server},
};

const ACCOUNTS: u64 = 100_000;
const ROUNDS: usize = 9;

/// One way to list, and what it took in each round.
struct Row {
    way: Way,
    is_single: bool,
    lister: Arc<Lister>,
    wall: Vec<f64>,
    cpu: Vec<f64>,
}

impl Row {
    fn new(provider: Provider, way: Way, is_single: bool, url: &str) -> Self {
        let lister = Arc::new(Lister::new(provider, way, url));
        Self { way, is_single, lister, wall: Vec::new(), cpu: Vec::new() }
    }

    fn measure(&mut self, runtime: &Runtime) {
        let lister = Arc::clone(&self.lister);
        let (began, began_cpu) = (Instant::now(), ProcessTime::now());
        // On a worker, where there are any.
        let count = if self.is_single {
            runtime.block_on(lister.list())
        } else {
            runtime.block_on(runtime.spawn(async move { lister.list().await })).expect("a count")
        };
        self.wall.push(began.elapsed().as_secs_f64());
        self.cpu.push(began_cpu.elapsed().as_secs_f64());
        assert_eq!(count, ACCOUNTS, "{}", self.way.name());
    }

    /// Accounts a second.
    fn rate(&self) -> u128 {
        per_second(ACCOUNTS, median(self.wall.clone()))
    }

    /// What each round took more than `other` in the same round: the median of the ratios.
    fn against(&self, other: &Self) -> (f64, f64) {
        let ratio = |one: &[f64], other: &[f64]| median(one.iter().zip(other).map(|(a, b)| a / b).collect());
        (ratio(&self.cpu, &other.cpu), ratio(&self.wall, &other.wall))
    }
}

pub(crate) fn run(figures: &mut Figures) {
    let (single, double) = (runtime(true), runtime(false));
    let tables = Provider::ALL.map(|provider| {
        let server = Server::start(Plan::new(provider, ACCOUNTS));
        let row = |way, is_single| Row::new(provider, way, is_single, &server.url);
        let mut rows = vec![
            row(Way::Bytes, true),
            row(Way::ByHand, true),
            row(Way::Items, true),
            row(Way::IntoAccounts, true),
            row(Way::ByHand, false),
            row(Way::Items, false),
            row(Way::Ahead, false),
        ];
        if provider == Provider::SailPoint {
            rows.push(row(Way::Concurrent(4), false));
        }
        // The first round is not counted: it makes the connections.
        for _ in 0..=ROUNDS {
            for row in &mut rows {
                row.measure(if row.is_single { &single } else { &double });
            }
        }
        for row in &mut rows {
            row.wall.remove(0);
            row.cpu.remove(0);
        }
        let rates = rows.iter().filter(|row| row.is_single || row.way == Way::Ahead);
        let rates = rates.map(|row| (row.way, f64::from(u32::try_from(row.rate()).unwrap_or(u32::MAX))));
        figures.rates.push((provider.name(), rates.collect()));
        table(provider, &rows)
    });
    Section {
        name: "timing",
        target: "listing",
        title: "Time",
        text: format!(
            "{} accounts, medians of {ROUNDS} rounds in which all rows take turns. CPU time is that of the \
             client's process; the server is another. Ratios are to *by hand* on the same runtime: one thread, \
             or two workers.",
            thousands(ACCOUNTS)
        ),
        tables: tables.into(),
    }
    .publish();
}

fn table(provider: Provider, rows: &[Row]) -> Table {
    let head = format!(
        "{}: {} bytes an account, {} a page",
        provider.name(),
        thousands(row_length(provider == Provider::Huawei)),
        thousands(provider.page())
    );
    let mut table = Table::new(&[&head, "threads", "accounts/s", "CPU ÷ by hand", "", "wall ÷ by hand", ""]);
    for row in rows {
        let by_hand = rows.iter().find(|other| other.way == Way::ByHand && other.is_single == row.is_single);
        let (cpu, wall) = row.against(by_hand.unwrap_or(row));
        let (cpu_bar, wall_bar) = match row.way {
            Way::Items if row.is_single => (Some(Bar::AtMost(1.0)), Some(Bar::AtMost(1.0))),
            Way::IntoAccounts => (Some(Bar::AtMost(1.1)), Some(Bar::AtMost(1.1))),
            Way::Ahead => (None, Some(Bar::AtMost(0.77))),
            _ => (None, None),
        };
        let judged = |bar: Option<Bar>, value| bar.map_or(String::new(), |bar| bar.judge(value));
        table.row([
            row.way.name(),
            if row.is_single { "1" } else { "2" }.to_owned(),
            thousands(row.rate()),
            format!("{cpu:.2}"),
            judged(cpu_bar, cpu),
            format!("{wall:.2}"),
            judged(wall_bar, wall),
        ]);
    }
    table
}
