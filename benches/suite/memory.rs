//! Memory and time by the length of a list.

use super::{
    Figures,
    child::{Measurement, run_child},
    lister::{Method, Provider},
    median,
    report::{Section, Table, Target, thousands},
    server::{Config, Server},
};

/// The lengths of the lists, and how often each is listed.
const LENGTHS: [(u64, usize); 4] = [(10_000, 9), (100_000, 5), (1_000_000, 3), (10_000_000, 1)];

pub(crate) fn run(figures: &mut Figures) {
    let mut table = Table::new(&[
        "Huawei, `items()` in a separate process",
        "peak, MiB",
        "above client only",
        "",
        "above 10,000",
        "",
        "µs per account",
    ]);
    let mut client_only = None;
    let mut shortest = None;
    for (length, times) in [(0, 5)].into_iter().chain(LENGTHS) {
        let server = Server::start(Config::new(Provider::Huawei, length.max(2000)).lazy());
        let method = if length == 0 { Method::Nothing } else { Method::Items };
        let runs: Vec<Measurement> =
            (0..times).map(|_| run_child(Provider::Huawei, method, &server.url)).collect();
        let peak_mib =
            |run: &Measurement| f64::from(u32::try_from(run.peak_kib).unwrap_or(u32::MAX)) / 1024.0;
        let peak = median(runs.iter().map(peak_mib).collect());
        let count = f64::from(u32::try_from(length).unwrap_or(u32::MAX));
        let micros = median(runs.iter().map(|run| run.seconds * 1e6 / count).collect());
        assert!(runs.iter().all(|run| run.accounts == length), "{length}");
        if length == 0 {
            client_only = Some(peak);
            table.row(
                ["a runtime and a client".to_owned(), format!("{peak:.2}")]
                    .into_iter()
                    .chain(std::iter::repeat_n(String::new(), 5)),
            );
            continue;
        }
        let more = peak - client_only.unwrap_or_default();
        let grown = peak - *shortest.get_or_insert(peak);
        table.row([
            format!("{} accounts", thousands(length)),
            format!("{peak:.2}"),
            format!("{more:.2}"),
            Target::AtMost(10.0).judge(more),
            format!("{grown:.2}"),
            Target::AtMost(1.0).judge(grown),
            format!("{micros:.2}"),
        ]);
        figures.memory.push((count, peak));
    }
    Section {
        name: "memory",
        target: "listing",
        title: "Memory and time by length",
        text: "The peak memory of the process (`VmHWM`) on one thread with 2,000 accounts per page: the median of 9, \
               5 and 3 runs, and 1 run. The server derives each page from a template on request, which takes a little \
               longer than above."
            .into(),
        tables: vec![table],
    }
    .publish();
}
