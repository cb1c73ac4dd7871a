//! Behaviour, over real HTTP on loopback.

mod http;
mod program;
mod providers;
mod streams;
mod walks;
