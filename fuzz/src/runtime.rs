//! One runtime for many runs of a process.

use std::{cell::RefCell, future::Future};

use tokio::runtime::{Builder, Runtime};

/// Virtual time only goes on, by years where a model waits for years, and its milliseconds have to fit a `u64`.
const RUNS_OF_A_RUNTIME: u32 = 10_000;

thread_local! {
    static RUNTIME: RefCell<(Runtime, u32)> = RefCell::new((fresh(), 0));
}

fn fresh() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without I/O needs nothing from outside")
}

/// Runs `work` to its end, in virtual time: waits cost nothing.
pub fn run<T>(work: impl Future<Output = T>) -> T {
    RUNTIME.with_borrow_mut(|(runtime, runs)| {
        *runs += 1;
        if *runs > RUNS_OF_A_RUNTIME {
            (*runtime, *runs) = (fresh(), 1);
        }
        runtime.block_on(work)
    })
}
