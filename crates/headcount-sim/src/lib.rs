//! The four providers as HTTP servers inside the process, for tests and examples.
//!
//! Each simulator listens on a free port of the loopback interface, speaks the provider's wire format and
//! holds a world of accounts made from a seed: the same seed gives the same world, with the unicode, the
//! nulls, the ties and the unknown values that real listings have. The world can change while it is walked,
//! and every request is recorded (its secrets are not).
//!
//! ```no_run
//! # async fn run() -> std::io::Result<()> {
//! use headcount_sim as sim;
//!
//! let server = sim::SailPoint::builder().accounts(25_000).seed(7).start().await?;
//! for (name, value) in server.env() {
//!     println!("{name}={value}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What goes wrong is told by a plan, in code or in JSON: see [`Faults`].
//!
//! The simulators are written from what the vendors publish, never from a client. Where the vendors are
//! silent, the behaviour chosen is written down as an **assumption** at the item concerned, and where two
//! behaviours are plausible the builder switches between them.
//!
//! Time: what a client only feels (token lifetimes, rate windows, lock-outs, latency) runs on tokio's clock
//! and so obeys `tokio::time::pause`; what a client reads (dates in bodies, headers and signatures) is the
//! system's clock. Sockets do not go with a paused clock; [`Server::transport`] needs none.

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
