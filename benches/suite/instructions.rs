//! Instructions an account, as valgrind counts them.

use std::process::Command;

use super::{
    child::arguments,
    lister::{Provider, Way},
    report::{Section, Table, thousands},
    server::{Plan, Server},
};

const WAYS: [Way; 3] = [Way::ByHand, Way::Items, Way::IntoAccounts];

pub(crate) fn run() {
    let mut table = Table::new(&["instructions an account", "Huawei", "÷ by hand", "SailPoint", "÷ by hand"]);
    let measured = Provider::ALL.map(|provider| {
        let few: u64 = if provider == Provider::Huawei { 10_000 } else { 5_000 };
        let servers = [few, 3 * few].map(|accounts| Server::start(Plan::new(provider, accounts)));
        WAYS.map(|way| {
            let counted = servers.each_ref().map(|server| count(provider, way, &server.url));
            let [once, thrice] = counted;
            Some((thrice?.checked_sub(once?)?, 2 * few))
        })
    });
    for (row, way) in WAYS.into_iter().enumerate() {
        let cells = measured.each_ref().map(|of_provider| match (of_provider[row], of_provider[0]) {
            (Some((counted, accounts)), Some((by_hand, _))) => {
                let percent = 100 * counted / by_hand.max(1);
                [thousands(counted / accounts), format!("{}.{:02}", percent / 100, percent % 100)]
            }
            _ => ["no valgrind here".to_owned(), String::new()],
        });
        table.row([way.name()].into_iter().chain(cells.into_iter().flatten()));
    }
    Section {
        name: "instructions",
        target: "listing",
        title: "Instructions",
        text: "Of a process that lists on one thread, by `valgrind --tool=callgrind`: what 20,000 more accounts \
               of Huawei take, and 10,000 more of SailPoint, so without start-up. The kernel's are not counted."
            .into(),
        tables: vec![table],
    }
    .publish();
}

/// How many instructions a process takes that lists; `None` without valgrind.
fn count(provider: Provider, way: Way, url: &str) -> Option<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().ok()?)
        .args(arguments(provider, way, url))
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let count = text.lines().find_map(|line| line.split_once("Collected :"))?.1;
    count.trim().parse().ok()
}
