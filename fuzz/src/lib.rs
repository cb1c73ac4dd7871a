//! Code shared by the fuzz targets: in-process servers, models of listings, and invariants of every listing.
//!
//! A model is built from the fuzzer's bytes with [`arbitrary`]. Most inputs are therefore complete listings
//! with something unusual in them, not text that is invalid from its first byte.

pub mod canary_free;
pub mod checkpoint_mutation;
pub mod clients;
pub mod cursor_model;
pub mod error_echo;
pub mod fault;
pub mod filter_text;
pub mod fortanix_model;
pub mod json;
pub mod oracle;
pub mod raw_response;
pub mod redaction;
pub mod rows;
pub mod runtime;
pub mod sailpoint_model;
pub mod server;
pub mod sign;
pub mod walk;
