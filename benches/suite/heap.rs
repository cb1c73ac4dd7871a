//! Allocations, and memory of collected pages.

use super::{
    Counter,
    lister::{Lister, Method, Provider},
    report::{Section, Table, Target},
    runtime,
    server::{Config, Server},
};

const ACCOUNTS: u32 = 100_000;

pub(crate) fn run(counter: Counter) {
    let mut allocated = Table::new(&["allocations per account", "Huawei", "", "SailPoint", ""]);
    let mut held = Table::new(&["bytes held per account", "Huawei", "", "SailPoint", ""]);
    let runtime = runtime(true);
    let accounts = f64::from(ACCOUNTS);
    let servers = Provider::ALL.map(|provider| Server::start(Config::new(provider, ACCOUNTS.into())));
    let url = |provider: Provider| &servers[usize::from(provider == Provider::SailPoint)].url;
    for method in [Method::ByHand, Method::Items, Method::IntoAccounts] {
        let cells = Provider::ALL.map(|provider| {
            let lister = Lister::new(provider, method, url(provider));
            // Warms up, because some allocations happen only once.
            runtime.block_on(lister.list());
            let (before, _) = counter();
            runtime.block_on(lister.list());
            let each = f64::from(u32::try_from(counter().0 - before).unwrap_or(u32::MAX)) / accounts;
            let target = Target::AtMost(if provider == Provider::Huawei { 6.0 } else { 12.0 });
            let judged = if method == Method::ByHand { String::new() } else { target.judge(each) };
            [format!("{each:.2}"), judged]
        });
        allocated.row([method.name()].into_iter().chain(cells.into_iter().flatten()));
    }
    let mut by_hand = [0.0; 2];
    for (method, name) in [(Method::ByHand, "by hand"), (Method::Items, "`pages()`")] {
        let mut cells = vec![name.to_owned()];
        for (provider, by_hand) in Provider::ALL.into_iter().zip(&mut by_hand) {
            let lister = Lister::new(provider, method, url(provider));
            runtime.block_on(lister.list());
            let (_, before) = counter();
            let pages = runtime.block_on(lister.collect());
            let bytes = counter().1.saturating_sub(before);
            drop(pages);
            let each = f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) / accounts;
            cells.push(format!("{each:.0}"));
            if method == Method::ByHand {
                *by_hand = each;
                cells.push(String::new());
            } else {
                cells.push(Target::AtMost(by_hand.round()).judge(each.round()));
            }
        }
        held.row(cells);
    }
    Section {
        name: "heap",
        target: "heap",
        title: "Heap",
        text: "Calls of the allocator, including reallocations, while listing 100,000 accounts, and the bytes that \
               their pages hold when all of them are collected. On one thread."
            .into(),
        tables: vec![allocated, held],
    }
    .publish();
}
