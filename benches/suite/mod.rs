//! What all targets share: the accounts, the server, the loop by hand, and the tables.
//!
//! Servers, and clients whose memory or instructions are counted, are processes of their own: the same program,
//! started with another first argument.

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

/// Tells how many allocations there were, and how many bytes are held.
pub(crate) type Counter = fn() -> (usize, usize);

/// Runs those of `tables` that the command line asks for; all of them if it names none.
///
/// Only `cargo bench` runs any: `cargo test` starts benches as well, and not to wait for them.
pub(crate) fn main(tables: &[&str], counter: Option<Counter>) {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((command, arguments)) if command == "serve" => return server::serve(arguments),
        Some((command, arguments)) if command == "list" => return child::list(arguments),
        _ if arguments.iter().any(|argument| argument == "--bench") => {}
        _ => return,
    }
    let asked: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let mut figures = Figures::default();
    for table in tables {
        if !asked.is_empty() && !asked.iter().any(|asked| asked == table) {
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
            (other, _) => panic!("there is no table {other}"),
        }
    }
    figures.draw();
}

/// Waits, to a tenth of a millisecond; tokio's own timers go by whole ones.
async fn pause(time: Duration) {
    let _ = tokio::task::spawn_blocking(move || std::thread::sleep(time)).await;
}

/// A runtime with one thread, or with two workers.
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
