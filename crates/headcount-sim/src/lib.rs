#![doc = include_str!("../README.md")]
//!
//! # The worlds
//!
//! The same seed gives the same world, with the unicode, the nulls, the ties and the unknown values that real
//! listings have. Every request is recorded, without its secrets.
//!
//! The simulators are written from what the vendors publish, never from a client. Where the vendors are
//! silent, the behaviour chosen is written down as an **assumption** at the item concerned, and where two
//! behaviours are plausible the builder switches between them.
//!
//! # Time
//!
//! What a client only feels (token lifetimes, rate windows, lock-outs, latency) runs on tokio's clock and so obeys
//! `tokio::time::pause`. What a client reads (dates in bodies, headers and signatures) is the system's clock.
//! Sockets do not go with a paused clock; [`Server::transport`] needs none.

mod annature;
mod clock;
mod conformance;
mod exchange;
mod fault;
mod fortanix;
mod gate;
mod huawei;
mod in_memory;
mod listener;
mod names;
mod page;
mod rate;
mod request;
mod sailpoint;
mod seed;
mod server;
mod settings;
mod simulators;
mod world;

pub use annature::{Annature, AnnatureBuilder, AnnatureErrors, AnnatureLastCursor};
pub use conformance::{BrokenPromise, Conformance};
pub use fault::{BadRow, ErrorBody, Fault, Faults, FaultsError, RetryAfter, Side};
pub use fortanix::{
    Fortanix, FortanixBuilder, FortanixErrors, FortanixHeader, FortanixPaging, FortanixUnknownId,
};
pub use huawei::{Huawei, HuaweiBuilder, HuaweiLastMarker, HuaweiSite};
pub use in_memory::InMemory;
pub use request::Request;
pub use sailpoint::{SailPoint, SailPointBuilder, SailPointPastEnd};
pub use server::Server;
pub use settings::Settings;
pub use simulators::{PROVIDERS, Provider, Simulator, Simulators};
pub use world::World;
