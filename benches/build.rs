//! Build time and number of dependencies.
//!
//! Run with `cargo bench --bench build`. It builds offline, so cargo must have fetched the dependencies
//! before.

mod suite;

fn main() {
    suite::main(&["build"], None);
}
