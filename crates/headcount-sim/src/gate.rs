//! The one way that all requests of all servers take.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use http::StatusCode;

use crate::exchange::{Incoming, Reply};
use crate::fault::{self, Fault, Faults, Injector};
use crate::listener::{Door, Line};
use crate::request::{Log, Request, Secrets};
use crate::settings::{Hook, Settings};
use crate::world::World;

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

    /// The query parameter that tells a list request where to go on, if its listing has pages.
    fn cursor(&self, incoming: &Incoming) -> Option<&'static str>;
    /// Whether a page of a list request can be empty and lead on.
    fn has_empty_pages(&self, incoming: &Incoming) -> bool {
        let _ = incoming;
        false
    }
    /// The position in the default order that a list request goes on from.
    fn place(&self, incoming: &Incoming, world: &World) -> usize;
    /// The fields of a record that hold words of an enumeration, as paths with slashes.
    fn enums(&self) -> &'static [&'static str];
    /// The member of a page that holds its rows, the first of its object; `None` where a page is its rows.
    fn rows_member(&self) -> Option<&'static str>;
    /// What is secret in its requests.
    fn secrets(&self) -> Secrets;
    /// Ends the life of a request's token; true when there is one that was good.
    fn expire(&self, incoming: &Incoming) -> bool {
        let _ = incoming;
        false
    }
}

/// Records a request, delays it, lets the world change, and has the provider answer it, if no fault does.
pub(crate) struct Gate {
    vendor: Arc<dyn Vendor>,
    log: Mutex<Log>,
    hook: Mutex<Option<Hook>>,
    prefix: String,
    latency: Duration,
    record_secrets: bool,
    injector: Mutex<Injector>,
    door: Door,
}

impl Gate {
    pub(crate) fn new(vendor: Arc<dyn Vendor>, settings: Settings, door: Door) -> Self {
        Self {
            vendor,
            log: Mutex::default(),
            hook: Mutex::new(settings.hook),
            prefix: settings.prefix,
            latency: settings.latency,
            record_secrets: settings.record_secrets,
            injector: Mutex::new(Injector::new(settings.faults)),
            door,
        }
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        lock(&self.log)
    }

    pub(crate) fn set_faults(&self, plan: Faults) {
        lock(&self.injector).set(plan);
    }

    pub(crate) fn faults_injected(&self) -> u64 {
        lock(&self.injector).injected()
    }

    pub(crate) fn door(&self) -> &Door {
        &self.door
    }

    pub(crate) async fn pass(
        self: Arc<Self>,
        line: Line,
        request: axum::extract::Request,
    ) -> http::Response<Body> {
        let (parts, body) = request.into_parts();
        let Ok(body) = axum::body::to_bytes(body, MAX_BODY).await else {
            return fault::respond(Reply::text(
                StatusCode::PAYLOAD_TOO_LARGE,
                "the body is too large, or broke off",
            ));
        };
        let mut incoming = Incoming::new(&parts, &self.prefix, body);
        let list = self.vendor.is_list(&incoming);
        let login = self.vendor.is_login(&incoming);
        let hidden = (!self.record_secrets).then(|| self.vendor.secrets());
        let (number, nth) = self.log().note(Request::new(&incoming, list, login, hidden));
        let picked = lock(&self.injector).pick(list, login, &incoming.path);
        if !self.latency.is_zero() {
            tokio::time::sleep(self.latency).await;
        }
        if let Some(nth) = nth {
            self.call_hook(nth, &incoming);
        }
        let picked = picked.filter(|(fault, _)| !matches!(fault, Fault::TokenEndpointDown) || login);
        if list {
            self.go_round(picked.as_ref(), number, &mut incoming);
        }
        match picked {
            None => {
                let reply = self.vendor.answer(&incoming);
                self.log().answered(number, reply.status.as_u16());
                fault::respond(reply)
            }
            Some((fault, draw)) => self.inject(&fault, draw, number, incoming, &line).await,
        }
    }

    /// Answers a request that a fault hits.
    async fn inject(
        &self,
        fault: &Fault,
        draw: u64,
        number: usize,
        mut incoming: Incoming,
        line: &Line,
    ) -> http::Response<Body> {
        match fault {
            Fault::Hang => {
                self.injected(number, fault);
                std::future::pending::<()>().await;
            }
            Fault::ResetBeforeAnswer => {
                self.injected(number, fault);
                line.reset();
                return fault::respond(Reply::empty(StatusCode::OK));
            }
            Fault::RefuseConnections { lasting } => {
                self.injected(number, fault);
                self.door.close(*lasting).await;
                // This connection breaks too, and ends this.
                std::future::pending::<()>().await;
            }
            Fault::SlowHeaders(wait) => {
                self.injected(number, fault);
                tokio::time::sleep(*wait).await;
            }
            _ => {}
        }
        let vendor = &*self.vendor;
        let (mut reply, mut done) = if let Some(reply) = fault::instead(fault, vendor, &mut incoming) {
            (reply, true)
        } else {
            let done = fault::prepare(fault, vendor, &mut incoming, draw);
            let reply = vendor.answer(&incoming);
            (reply, done || incoming.tweak.is_done())
        };
        done = done || fault::spoil(fault, vendor, &incoming, draw, &mut reply);
        let sent = fault::send(fault, &incoming.headers, &reply, line);
        if done || sent.is_some() {
            self.injected(number, fault);
        }
        self.log().answered(number, reply.status.as_u16());
        sent.unwrap_or_else(|| fault::respond(reply))
    }

    /// Has a list request answered as if it had asked for another page, once the listing goes round.
    fn go_round(&self, picked: Option<&(Fault, u64)>, number: usize, incoming: &mut Incoming) {
        let Some(name) = self.vendor.cursor(incoming) else {
            return;
        };
        let cursor = incoming.value(name).unwrap_or("").to_owned();
        let turned = {
            let mut injector = lock(&self.injector);
            if let Some((Fault::RepeatedMarker { period }, _)) = picked {
                injector.go_round(*period);
            }
            injector.turn(&cursor)
        };
        if let Some(cursor) = turned {
            incoming.set_value(name, cursor);
            self.injected(number, &Fault::RepeatedMarker { period: 0 });
        }
    }

    /// Counts a fault that has done something.
    fn injected(&self, number: usize, fault: &Fault) {
        lock(&self.injector).count();
        self.log().injected(number, fault.name());
    }

    fn call_hook(&self, nth: usize, incoming: &Incoming) {
        if let Some(hook) = lock(&self.hook).as_mut() {
            hook(nth, &mut lock(self.vendor.world(incoming)));
        }
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// Locks, whatever a panicking hook or test has left behind.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
