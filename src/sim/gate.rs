//! The one way that all requests of all servers take.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use http::StatusCode;

use super::exchange::{Incoming, Reply};
use super::request::{Log, Request};
use super::setup::{Hook, Setup};
use super::world::World;

/// The largest request body that is read, in bytes. Account requests are far smaller.
const MAX_BODY: usize = 1 << 20;

/// What a provider answers.
pub(crate) trait Vendor: Send + Sync + 'static {
    /// True for a request to the account listing.
    fn is_list(&self, incoming: &Incoming) -> bool;
    /// True for a request whose query and body carry credentials.
    fn is_login(&self, incoming: &Incoming) -> bool {
        let _ = incoming;
        false
    }
    /// The accounts that a list request is about.
    fn world(&self, incoming: &Incoming) -> &Mutex<World>;
    /// The answer.
    fn answer(&self, incoming: &Incoming) -> Reply;
}

/// Records a request, delays it, lets the world change, and has the provider answer it.
pub(crate) struct Gate {
    vendor: Arc<dyn Vendor>,
    log: Mutex<Log>,
    hook: Mutex<Option<Hook>>,
    prefix: String,
    latency: Duration,
    record_secrets: bool,
}

impl Gate {
    pub(crate) fn new(vendor: Arc<dyn Vendor>, setup: Setup) -> Self {
        Self {
            vendor,
            log: Mutex::default(),
            hook: Mutex::new(setup.hook),
            prefix: setup.prefix,
            latency: setup.latency,
            record_secrets: setup.record_secrets,
        }
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        lock(&self.log)
    }

    pub(crate) async fn pass(self: Arc<Self>, request: axum::extract::Request) -> http::Response<Body> {
        let (parts, body) = request.into_parts();
        let Ok(body) = axum::body::to_bytes(body, MAX_BODY).await else {
            return respond(Reply::text(
                StatusCode::PAYLOAD_TOO_LARGE,
                "the body is too large, or broke off",
            ));
        };
        let incoming = Incoming::new(&parts, &self.prefix, body);
        let list = self.vendor.is_list(&incoming);
        let login = self.vendor.is_login(&incoming);
        let (number, nth) = self
            .log()
            .note(Request::new(&incoming, list, login, self.record_secrets));
        if !self.latency.is_zero() {
            tokio::time::sleep(self.latency).await;
        }
        // A plan of faults belongs here: it sees the request and its number, and may answer in its place.
        if let Some(nth) = nth {
            self.call_hook(nth, &incoming);
        }
        let reply = self.vendor.answer(&incoming);
        self.log().answered(number, reply.status.as_u16());
        respond(reply)
    }

    fn call_hook(&self, nth: usize, incoming: &Incoming) {
        if let Some(hook) = lock(&self.hook).as_mut() {
            hook(nth, &mut lock(self.vendor.world(incoming)));
        }
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// Locks, whatever a panicking hook or test has left behind.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn respond(reply: Reply) -> http::Response<Body> {
    let mut response = http::Response::new(Body::from(reply.body));
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    response
}
