//! A request's way out and back: what can be set on every client, and a transport of your own.
//!
//! Each request goes through the rate limit, is given its token or signature, is sent, and its answer
//! is judged; what may be retried goes round again with a new token or signature, within the
//! [`RetryPolicy`]'s limits. Nothing here knows a provider.

mod base_url;
mod channel;
mod clock;
mod limit;
mod problem;
mod reqwest_transport;
mod retry;
mod retry_after;
mod rows;
mod settings;
mod transport;

pub use clock::Clock;
pub use limit::RateLimit;
pub use retry::RetryPolicy;
pub use transport::{Transport, TransportError, TransportErrorKind};

pub(crate) use base_url::encode;
pub(crate) use channel::{Answer, Call, Channel, Service};
pub(crate) use problem::{Problem, header, plain_text};
pub(crate) use rows::{Rows, read_json};
pub(crate) use settings::{Settings, shared_settings};
