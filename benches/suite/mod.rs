//! Code shared by all targets: the accounts, the server, the hand-written loop, and the tables.
//!
//! Servers run in separate processes, and so do clients whose memory or instructions are measured. These are
//! the same program, started with another first argument.

mod build;
mod by_hand;
mod chart;
mod child;
mod heap;
mod instructions;
mod latency;
mod lister;
mod machine;
mod memory;
mod report;
mod rows;
mod scale;
mod server;
mod small;
mod timing;

use std::time::Duration;

use chart::Figures;

/// Returns the number of allocations so far and the number of allocated bytes.
pub(crate) type Counter = fn() -> (usize, usize);

/// Runs those of `tables` that the command line names, or all if it names none.
///
/// Does nothing without `--bench`, because `cargo test` also starts benches.
pub(crate) fn main(tables: &[&str], counter: Option<Counter>) {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((command, arguments)) if command == "serve" => return server::serve(arguments),
        Some((command, arguments)) if command == "list" => return child::list(arguments),
        _ if arguments.iter().any(|argument| argument == "--bench") => {}
        _ => return,
    }
    let selected: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let mut figures = Figures::default();
    for table in tables {
        if !selected.is_empty() && !selected.iter().any(|name| name == table) {
            continue;
        }
        match (*table, counter) {
            ("timing", _) => timing::run(&mut figures),
            ("latency", _) => latency::run(&mut figures),
            ("memory", _) => memory::run(&mut figures),
            ("instructions", _) => instructions::run(),
            ("small", _) => small::run(),
            ("scale", _) => scale::run(),
            ("build", _) => build::run(),
            ("heap", Some(counter)) => heap::run(counter),
            (other, _) => panic!("unknown table {other}"),
        }
    }
    figures.draw();
}

/// Waits with a precision of 0.1 ms. tokio's timers have a precision of 1 ms.
async fn pause(time: Duration) {
    let _ = tokio::task::spawn_blocking(move || std::thread::sleep(time)).await;
}

/// Creates a runtime with one thread, or with two workers.
fn runtime(is_single: bool) -> tokio::runtime::Runtime {
    let mut builder = if is_single {
        tokio::runtime::Builder::new_current_thread()
    } else {
        tokio::runtime::Builder::new_multi_thread()
    };
    builder.worker_threads(2).enable_all().build().expect("a runtime")
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
