//! Behaviour, over real HTTP on loopback.

mod changes;
mod chaos;
mod conformance;
mod credentials;
mod faults;
mod http;
mod lists;
mod program;
mod providers;
mod requests;
mod schemas;
mod shared_account;
mod streams;
mod tenants;
mod walks;
