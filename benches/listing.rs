//! What the crate costs in time, memory and instructions, against a loop by hand.
//!
//! `cargo bench` runs everything: this target, `heap` and `build`. Each prints its tables and puts them into
//! `benches/RESULTS.md`; this one draws `benches/results.svg` as well.
//!
//! `cargo bench --bench listing -- timing latency` runs some of the tables: `timing`, `latency`, `memory`,
//! `instructions`, `small`, `scale`. The picture needs the first three.

mod suite;

fn main() {
    suite::main(&["timing", "latency", "memory", "instructions", "small", "scale"], None);
}
