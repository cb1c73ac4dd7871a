//! Time, memory and instructions, compared with a hand-written loop.
//!
//! `cargo bench` runs this target, `heap` and `build`. Each prints its tables and writes them to
//! `benches/RESULTS.md`. This target also draws `benches/results.svg`.
//!
//! `cargo bench --bench listing -- timing latency` runs some of the tables: `timing`, `latency`, `memory`,
//! `instructions`, `small`, `scale`. The chart needs the first three.

mod suite;

fn main() {
    suite::main(&["timing", "latency", "memory", "instructions", "small", "scale"], None);
}
