//! Instructions per account, as counted by valgrind.

use std::process::Command;

use super::{
    child::arguments,
    lister::{Method, Provider},
    report::{Section, Table, thousands},
    server::{Config, Server},
};

const METHODS: [Method; 3] = [Method::ByHand, Method::Items, Method::IntoAccounts];

pub(crate) fn run() {
    let mut table =
        Table::new(&["instructions per account", "Huawei", "÷ by hand", "SailPoint", "÷ by hand"]);
    let measured = Provider::ALL.map(|provider| {
        let few: u64 = if provider == Provider::Huawei { 10_000 } else { 5_000 };
        let servers = [few, 3 * few].map(|accounts| Server::start(Config::new(provider, accounts)));
        METHODS.map(|method| {
            let counted = servers.each_ref().map(|server| count(provider, method, &server.url));
            let [short, long] = counted;
            Some((long?.checked_sub(short?)?, 2 * few))
        })
    });
    for (row, method) in METHODS.into_iter().enumerate() {
        let cells = measured.each_ref().map(|of_provider| match (of_provider[row], of_provider[0]) {
            (Some((counted, accounts)), Some((by_hand, _))) => {
                let percent = 100 * counted / by_hand.max(1);
                [thousands(counted / accounts), format!("{}.{:02}", percent / 100, percent % 100)]
            }
            _ => ["valgrind not found".to_owned(), String::new()],
        });
        table.row([method.name()].into_iter().chain(cells.into_iter().flatten()));
    }
    Section {
        name: "instructions",
        target: "listing",
        title: "Instructions",
        text: "Of a process that lists on one thread, counted by `valgrind --tool=callgrind` for 20,000 additional \
               Huawei accounts and 10,000 additional SailPoint accounts, which excludes the start. Instructions of \
               the kernel are not counted."
            .into(),
        tables: vec![table],
    }
    .publish();
}

/// Counts the instructions of a process that lists all accounts. Returns `None` without valgrind.
fn count(provider: Provider, method: Method, url: &str) -> Option<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().ok()?)
        .args(arguments(provider, method, url))
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let count = text.lines().find_map(|line| line.split_once("Collected :"))?.1;
    count.trim().parse().ok()
}
