//! Faults: what a plan of them is, and how each is carried out.
//!
//! A plan is asked by the gate, once per request. What a fault needs before the provider answers is in
//! `prepare`, what it makes of the answer in `spoil` (the body as a whole) and `stream` (the body as it is
//! sent), what takes the answer's place in `instead`.

mod circle;
mod forms;
mod injector;
mod instead;
mod kinds;
mod plan;
mod prepare;
mod rows;
mod spoil;
mod stream;
mod tweak;

pub(crate) use injector::Injector;
pub(crate) use instead::instead;
pub use kinds::{BadRow, ErrorBody, Fault, RetryAfter, Side};
pub use plan::{Faults, FaultsError};
pub(crate) use prepare::prepare;
pub(crate) use spoil::spoil;
pub(crate) use stream::{respond, send};
pub(crate) use tweak::Tweak;
