//! Snapshots: the accounts of many sources in Parquet files, provably complete.

mod collect;
mod diff;
mod manifest;
mod open;
mod part;
mod plan;
mod store;

pub use collect::Collect;
#[cfg(feature = "ballista")]
pub(crate) use collect::{Attempt, Collector};
pub use diff::SnapshotDiff;
pub use open::{Snapshot, SourceStatus};
pub use plan::SnapshotPlan;
#[cfg(feature = "ballista")]
pub(crate) use plan::{FORMAT, Run, check_format};
pub use store::SnapshotStore;
