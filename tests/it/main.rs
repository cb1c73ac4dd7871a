//! Integration tests over real HTTP on loopback.

mod changes;
mod checkpoint_binding;
mod conformance;
mod credentials;
mod examples;
mod fault_soak;
mod faults;
mod http;
mod kit;
mod listing_identity;
mod listing_under_change;
mod lists;
mod page;
mod providers;
mod schemas;
mod shared_account;
