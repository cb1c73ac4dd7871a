//! SQL over accounts.

#[cfg(feature = "ballista")]
pub mod ballista;
mod config;
mod listing;
mod providers;
mod request;
mod schema;
mod snapshot;
mod sources;
mod table;
mod tenants;
mod tenants_file;

pub use config::{HeadcountConfig, Require, session_config};
pub use request::{Condition, ListRequest};
pub use schema::{accounts_batch, accounts_schema};
pub use snapshot::{Collect, Snapshot, SnapshotDiff, SnapshotPlan, SnapshotStore, SourceStatus};
pub use sources::sources_schema;
pub use table::AccountsTable;
pub use tenants::{Listing, Tenants};
pub use tenants_file::TenantsFile;
