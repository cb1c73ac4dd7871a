//! SQL over the accounts that [`headcount`] lists, and snapshots of them that are provably complete.
//!
//! Many tenants, each with accounts at several providers, become two tables of
//! [DataFusion](https://datafusion.apache.org/): `accounts`, and `sources`, which says for each credential how its
//! listing ended.
//!
//! - [`AccountsTable`] lists the accounts when a query reads them. A listing that is not complete fails the query.
//! - [`Collect`] lists them into Parquet files. A [`Snapshot`] is complete if the manifests of all its sources say so.
//!   [`SnapshotDiff`] compares two of them.
//! - With the feature `ballista`, a cluster collects a snapshot: see the module `ballista`.
//!
//! Which tenants there are says a [`TenantsFile`], which names environment variables and contains no credential, or
//! your own implementation of [`Tenants`].
//!
//! ```no_run
//! use std::sync::Arc;
//! use datafusion::prelude::SessionContext;
//! use headcount_datafusion::{AccountsTable, TenantsFile, session_config};
//!
//! # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let tenants = TenantsFile::read("tenants.toml")?;
//! let ctx = SessionContext::new_with_config(session_config());
//! AccountsTable::new(Arc::new(tenants)).register(&ctx)?;
//! ctx.sql("select source, status, count(*) from accounts group by 1, 2").await?.show().await?;
//! # Ok(()) }
//! ```
//!
//! # Versions
//!
//! The interface contains types of DataFusion and of its Arrow and `object_store`, which
//! [`datafusion`] re-exports. Each release of this crate is for one major version of DataFusion.
//!
//! # Personal data
//!
//! Parquet files contain accounts. [`SnapshotPlan::with_columns`] leaves out what is not needed: without `email`,
//! contact details are not requested from Huawei. Manifests, plans and reports contain the names of tenants and sources,
//! counts and error messages, and no account.

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

pub use datafusion;
pub use headcount;

pub use config::{HeadcountConfig, Require, session_config};
pub use request::{Condition, ListRequest};
pub use schema::{accounts_batch, accounts_schema};
pub use snapshot::{Collect, Snapshot, SnapshotDiff, SnapshotPlan, SnapshotStore, SourceStatus};
pub use sources::sources_schema;
pub use table::AccountsTable;
pub use tenants::{Listing, Tenants};
pub use tenants_file::TenantsFile;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
