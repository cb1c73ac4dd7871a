//! Heap allocations. A separate target, because counting them takes time.
//!
//! Run with `cargo bench --bench heap`.

mod suite;

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn heap_counters() -> (usize, usize) {
    let stats = ALLOCATOR.stats();
    (stats.allocations + stats.reallocations, stats.bytes_allocated - stats.bytes_deallocated)
}

fn main() {
    suite::main(&["heap"], Some(heap_counters));
}
