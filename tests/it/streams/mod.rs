//! The streams over paginators in memory: no HTTP, virtual time.

mod bad_rows;
mod changed_pages;
mod checkpoints;
mod errors;
mod look_ahead;
mod loops;
mod merging;
pub(crate) mod pages;
