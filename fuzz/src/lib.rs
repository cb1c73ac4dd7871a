//! What the fuzz targets share: servers inside the process, models of listings, and walks that check what every
//! walk promises.
//!
//! A model is built from the fuzzer's bytes with [`arbitrary`], so that most inputs are whole listings with
//! something odd in them, not text that fails at its first byte.

pub mod book;
pub mod clean;
pub mod clients;
pub mod echo;
pub mod fault;
pub mod filter_text;
pub mod json;
pub mod oracle;
pub mod place;
pub mod raw;
pub mod rows;
pub mod runtime;
pub mod server;
pub mod shown;
pub mod sign;
pub mod sources;
pub mod tenants;
pub mod walk;
