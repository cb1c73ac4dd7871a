//! The behaviour of the tables and snapshots on simulated tenants.

mod canary;
#[cfg(feature = "ballista")]
mod cluster;
mod kit;
mod live;
mod push_down;
mod s3;
mod snapshot;
mod tenants_file;
