//! Streams over in-memory paginators, without HTTP and in virtual time.

mod checkpoints;
mod completeness;
mod cycles;
mod errors;
mod invalid_records;
mod merge;
mod prefetch;
mod resume_changed_page;
pub(crate) mod support;
