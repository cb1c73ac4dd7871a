//! Behaviour, over real HTTP on loopback.

mod chaos;
mod credentials;
mod faults;
mod http;
mod program;
mod providers;
mod schemas;
mod shared_account;
mod streams;
mod tenants;
mod walks;
