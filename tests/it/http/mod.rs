//! The way of a request, over a transport in memory and in virtual time.

mod answers;
mod limits;
mod retries;
mod secrets;
mod tokens;
mod traces;
