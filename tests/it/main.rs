//! Behaviour, over real HTTP on loopback.

mod changes;
mod chaos;
mod conformance;
mod credentials;
mod faults;
mod http;
mod identity;
mod kit;
mod lists;
mod program;
mod providers;
mod schemas;
mod shared_account;
mod streams;
mod tenants;
mod walks;
