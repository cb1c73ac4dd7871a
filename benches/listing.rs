//! What the crate costs, measured against a loop by hand, a server that is slow, and its own length.
//!
//! `cargo bench` runs everything, prints it, and writes `benches/RESULTS.md` and `benches/results.svg`.
//! `cargo bench --bench listing -- timing` runs one table. Those of this target are `timing`.

mod suite;

fn main() {
    suite::main(&["timing"]);
}
