//! A runtime with virtual time, reused for many runs.

use std::{cell::RefCell, future::Future};

use tokio::runtime::{Builder, Runtime};

/// The runs after which the runtime is replaced. Virtual time never goes back, a model may wait for years,
/// and the runtime's milliseconds must fit a `u64`.
const MAX_RUNS: u32 = 10_000;

thread_local! {
    static RUNTIME: RefCell<(Runtime, u32)> = RefCell::new((new_runtime(), 0));
}

fn new_runtime() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().expect("a runtime without I/O can always be created")
}

/// Runs `work` to completion in virtual time, so that waits take no real time.
pub fn run<T>(work: impl Future<Output = T>) -> T {
    RUNTIME.with_borrow_mut(|(runtime, runs)| {
        *runs += 1;
        if *runs > MAX_RUNS {
            (*runtime, *runs) = (new_runtime(), 1);
        }
        runtime.block_on(work)
    })
}
