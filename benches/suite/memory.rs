//! Memory and time against the length of a list.

use super::{
    Figures,
    child::{Ran, run_child},
    lister::{Provider, Way},
    median,
    report::{Bar, Section, Table, thousands},
    server::{Plan, Server},
};

/// How long the lists are, and how often each is listed.
const LENGTHS: [(u64, usize); 4] = [(10_000, 9), (100_000, 5), (1_000_000, 3), (10_000_000, 1)];

pub(crate) fn run(figures: &mut Figures) {
    let mut table = Table::new(&[
        "Huawei, `items()` in a process of its own",
        "peak, MiB",
        "more than without a list",
        "",
        "more than 10,000",
        "",
        "µs an account",
    ]);
    let mut bare = None;
    let mut shortest = None;
    for (length, times) in [(0, 5)].into_iter().chain(LENGTHS) {
        let server = Server::start(Plan::new(Provider::Huawei, length.max(2000)).patched());
        let way = if length == 0 { Way::Nothing } else { Way::Items };
        let ran: Vec<Ran> = (0..times).map(|_| run_child(Provider::Huawei, way, &server.url)).collect();
        let mebibytes = |ran: &Ran| f64::from(u32::try_from(ran.peak).unwrap_or(u32::MAX)) / 1024.0;
        let peak = median(ran.iter().map(mebibytes).collect());
        let count = f64::from(u32::try_from(length).unwrap_or(u32::MAX));
        let micros = median(ran.iter().map(|ran| ran.seconds * 1e6 / count).collect());
        assert!(ran.iter().all(|ran| ran.accounts == length), "{length}");
        if length == 0 {
            bare = Some(peak);
            table.row(
                ["a runtime and a client".to_owned(), format!("{peak:.2}")]
                    .into_iter()
                    .chain(std::iter::repeat_n(String::new(), 5)),
            );
            continue;
        }
        let more = peak - bare.unwrap_or_default();
        let grown = peak - *shortest.get_or_insert(peak);
        table.row([
            format!("{} accounts", thousands(length)),
            format!("{peak:.2}"),
            format!("{more:.2}"),
            Bar::AtMost(10.0).judge(more),
            format!("{grown:.2}"),
            Bar::AtMost(1.0).judge(grown),
            format!("{micros:.2}"),
        ]);
        figures.memory.push((count, peak));
    }
    Section {
        name: "memory",
        target: "listing",
        title: "Memory and time against length",
        text: "The most memory the process had (`VmHWM`), on one thread, 2,000 a page: the median of 9, 5, 3 runs and \
               of 1. The server makes each page of another when it is asked for, so it takes a little longer than \
               above."
            .into(),
        tables: vec![table],
    }
    .publish();
}
