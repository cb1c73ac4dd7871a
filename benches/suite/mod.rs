//! What all targets share: the accounts, the server, the loop by hand, and the tables.
//!
//! Servers, and clients whose memory or instructions are counted, are processes of their own: the same program,
//! started with another first argument.

mod by_hand;
mod lister;
mod machine;
mod report;
mod rows;
mod server;
mod timing;

use std::time::Duration;

/// Runs those of `tables` that the command line asks for; all of them if it names none.
///
/// Only `cargo bench` runs any: `cargo test` starts benches as well, and not to wait for them.
pub(crate) fn main(tables: &[&str]) {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some((command, arguments)) = arguments.split_first()
        && command == "serve"
    {
        return server::serve(arguments);
    }
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let asked: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    for table in tables {
        if asked.is_empty() || asked.iter().any(|asked| asked == table) {
            run(table);
        }
    }
}

fn run(table: &str) {
    match table {
        "timing" => timing::run(),
        other => panic!("there is no table {other}"),
    }
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
