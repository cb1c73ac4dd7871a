//! x
mod account;
mod auth;
mod error;
pub mod http;
mod open_enum;
pub mod page;
mod record;
mod timestamp;

#[cfg(feature = "annature")]
pub mod annature;
#[cfg(feature = "fortanix")]
pub mod fortanix;
#[cfg(feature = "huawei")]
pub mod huawei;
#[cfg(feature = "sailpoint")]
pub mod sailpoint;

#[cfg(feature = "sim")]
pub mod sim;

pub use account::{Account, AlternateId, Kind, Provider, Status};
pub use error::{Error, ErrorKind, Result, Retry};
pub use open_enum::UnknownValue;
pub use page::*;
pub use record::Record;
pub use timestamp::Timestamp;
