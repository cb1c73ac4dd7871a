//! What it costs to build the crate.
//!
//! `cargo bench --bench build`. It builds offline, from what cargo has fetched before.

mod suite;

fn main() {
    suite::main(&["build"], None);
}
