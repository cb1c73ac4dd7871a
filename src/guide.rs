//! Guides: how the crate behaves, and recipes.
//!
//! | | |
//! |---|---|
//! | [Pagination and completeness](pagination) | streams, summaries, checkpoints, several sources |
//! | [Errors and retries](errors) | what each error means, what is retried, what may have been processed |
//! | [Testing your code](testing) | simulators, faults, paused time |
//! | [Security](security) | credentials, TLS, untrusted text |
//! | [Scale](scale) | many tasks, many tenants, memory, rate limits, WebAssembly |
//! | [Cookbook](cookbook) | a question and an answer each; inventories and what changed between two |
//!
//! The modules of the providers are guides, too: authentication, permissions, limits, fields and what is not documented.

#[doc = include_str!("guide/pagination.md")]
pub mod pagination {}

#[doc = include_str!("guide/errors.md")]
pub mod errors {}

#[doc = include_str!("guide/testing.md")]
pub mod testing {}

#[doc = include_str!("guide/security.md")]
pub mod security {}

#[doc = include_str!("guide/scale.md")]
pub mod scale {}

#[doc = include_str!("guide/cookbook.md")]
pub mod cookbook {}
