#![doc = include_str!("../README.md")]
//!
//! # Generated accounts
//!
//! The same seed generates the same accounts. They include the non-ASCII text, nulls, ties and unknown values
//! that real listings contain. Every request is recorded, without its secrets.
//!
//! # Time
//!
//! Token lifetimes, rate limit windows, lockouts and latency use tokio's clock, so `tokio::time::pause`
//! applies. Dates in bodies, headers and signatures use the system clock. Sockets are unreliable with a paused
//! clock; use [`Server::transport`] instead.
//!
//! # Undocumented behaviour
//!
//! The simulators are written from the vendors' published documentation, never from a client. Where a vendor
//! does not document a behaviour, the choice is listed as an **assumption** in the docs of the item
//! concerned. Where two behaviours are plausible, the builder has an option for it.

mod annature;
mod clock;
mod config;
mod conformance;
mod fault;
mod fortanix;
mod huawei;
mod in_memory;
mod listener;
mod message;
mod names;
mod page;
mod pipeline;
mod rate_limit;
mod request_log;
mod rng;
mod sailpoint;
mod server;
mod simulators;
mod world;

pub use annature::{Annature, AnnatureBuilder, AnnatureErrors, LastCursor};
pub use config::SimConfig;
pub use conformance::{Conformance, ConformanceError};
pub use fault::{BadRow, ErrorBody, Fault, Faults, FaultsError, RetryAfter, Side};
pub use fortanix::{
    Fortanix, FortanixBuilder, FortanixErrors, FortanixHeader, FortanixPaging, FortanixUnknownId,
};
pub use huawei::{Huawei, HuaweiBuilder, HuaweiSite, LastMarker};
pub use in_memory::InMemory;
pub use request_log::Request;
pub use sailpoint::{BeyondEnd, SailPoint, SailPointBuilder};
pub use server::Server;
pub use simulators::{PROVIDERS, Provider, Simulator, Simulators};
pub use world::World;
