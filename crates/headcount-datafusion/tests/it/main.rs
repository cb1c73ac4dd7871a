//! The behaviour of the tables and snapshots on simulated tenants.

mod canary;
mod kit;
mod live;
mod push_down;
mod snapshot;
mod tenants_file;
