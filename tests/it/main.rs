//! Behaviour, over real HTTP on loopback.

mod providers;
mod streams;
