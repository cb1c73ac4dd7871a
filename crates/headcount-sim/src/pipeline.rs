//! Handles requests: records them, injects faults, and passes them to the provider.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use http::StatusCode;

use crate::config::{OnList, SimConfig};
use crate::fault::{self, Fault, Faults, Injector};
use crate::listener::{ConnectionHandle, ListenerHandle};
use crate::message::{SimRequest, SimResponse};
use crate::request_log::{Request, RequestLog, SecretFields};
use crate::world::World;

/// The maximum size of a request body in bytes. Account requests are far smaller.
const MAX_BODY_BYTES: usize = 1 << 20;

/// The provider-specific part of a simulator.
pub(crate) trait ProviderSim: Send + Sync + 'static {
    /// Returns whether this is a request to the account listing.
    fn is_list(&self, request: &SimRequest) -> bool;
    /// Returns whether the query and the body carry credentials.
    fn is_login(&self, request: &SimRequest) -> bool {
        let _ = request;
        false
    }
    /// Returns the accounts that a list request reads.
    fn world(&self, request: &SimRequest) -> &Mutex<World>;
    /// Handles a request.
    fn respond(&self, request: &SimRequest) -> SimResponse;

    /// Returns the query parameter that holds the cursor of a list request, if the listing is paged.
    fn cursor_parameter(&self, request: &SimRequest) -> Option<&'static str>;
    /// Returns whether a page of the listing can be empty and have a next page.
    fn has_empty_pages(&self, request: &SimRequest) -> bool {
        let _ = request;
        false
    }
    /// Returns the position in the default order at which a list request starts.
    fn start_position(&self, request: &SimRequest, world: &World) -> usize;
    /// Returns the fields of a record that hold enum values, as paths with slashes.
    fn enum_fields(&self) -> &'static [&'static str];
    /// Returns the first member of a page object, which holds the rows. Returns `None` if a page is an array.
    fn rows_member(&self) -> Option<&'static str>;
    /// Returns which fields of a request are secret.
    fn secret_fields(&self) -> SecretFields;
    /// Expires the token of a request. Returns whether there was a valid one.
    fn expire_token(&self, request: &SimRequest) -> bool {
        let _ = request;
        false
    }
}

/// Records a request, delays it, calls the `before_list` callback, and passes it to the provider.
///
/// A fault may change the request or the response, or replace the response.
pub(crate) struct Pipeline {
    provider: Arc<dyn ProviderSim>,
    log: Mutex<RequestLog>,
    before_list: Mutex<Option<OnList>>,
    prefix: String,
    latency: Duration,
    record_secrets: bool,
    injector: Mutex<Injector>,
    listener: ListenerHandle,
}

impl Pipeline {
    pub(crate) fn new(provider: Arc<dyn ProviderSim>, config: SimConfig, listener: ListenerHandle) -> Self {
        Self {
            provider,
            log: Mutex::default(),
            before_list: Mutex::new(config.before_list),
            prefix: config.prefix,
            latency: config.latency,
            record_secrets: config.record_secrets,
            injector: Mutex::new(Injector::new(config.faults)),
            listener,
        }
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, RequestLog> {
        lock(&self.log)
    }

    pub(crate) fn set_faults(&self, plan: Faults) {
        lock(&self.injector).set(plan);
    }

    pub(crate) fn faults_injected(&self) -> u64 {
        lock(&self.injector).injected()
    }

    pub(crate) fn listener(&self) -> &ListenerHandle {
        &self.listener
    }

    pub(crate) async fn handle(
        self: Arc<Self>,
        connection: ConnectionHandle,
        request: axum::extract::Request,
    ) -> http::Response<Body> {
        let (parts, body) = request.into_parts();
        let Ok(body) = axum::body::to_bytes(body, MAX_BODY_BYTES).await else {
            return fault::into_http(SimResponse::text(
                StatusCode::PAYLOAD_TOO_LARGE,
                "the request body is too large or incomplete",
            ));
        };
        let mut request = SimRequest::new(&parts, &self.prefix, body);
        let list = self.provider.is_list(&request);
        let login = self.provider.is_login(&request);
        let secrets = (!self.record_secrets).then(|| self.provider.secret_fields());
        let (number, list_number) = self.log().record(Request::new(&request, list, login, secrets));
        let picked = lock(&self.injector).pick(list, login, &request.path);
        if !self.latency.is_zero() {
            tokio::time::sleep(self.latency).await;
        }
        if let Some(list_number) = list_number {
            self.call_before_list(list_number, &request);
        }
        let picked = picked.filter(|(fault, _)| !matches!(fault, Fault::TokenEndpointDown) || login);
        if list {
            self.apply_cursor_loop(picked.as_ref(), number, &mut request);
        }
        match picked {
            None => {
                let response = self.provider.respond(&request);
                self.log().set_status(number, response.status.as_u16());
                fault::into_http(response)
            }
            Some((fault, seed)) => self.inject(&fault, seed, number, request, &connection).await,
        }
    }

    /// Handles a request with a fault.
    async fn inject(
        &self,
        fault: &Fault,
        seed: u64,
        number: usize,
        mut request: SimRequest,
        connection: &ConnectionHandle,
    ) -> http::Response<Body> {
        match fault {
            Fault::Hang => {
                self.record_fault(number, fault);
                std::future::pending::<()>().await;
            }
            Fault::ResetBeforeResponse => {
                self.record_fault(number, fault);
                connection.reset();
                return fault::into_http(SimResponse::empty(StatusCode::OK));
            }
            Fault::RefuseConnections { duration } => {
                self.record_fault(number, fault);
                self.listener.pause(*duration).await;
                // This connection is closed too, which drops this future.
                std::future::pending::<()>().await;
            }
            Fault::SlowHeaders(wait) => {
                self.record_fault(number, fault);
                tokio::time::sleep(*wait).await;
            }
            _ => {}
        }
        let provider = &*self.provider;
        let (mut response, mut applied) =
            if let Some(response) = fault::replacement_response(fault, provider, &mut request) {
                (response, true)
            } else {
                let applied = fault::apply_to_request(fault, provider, &mut request, seed);
                let response = provider.respond(&request);
                (response, applied || request.overrides.is_applied())
            };
        applied = applied || fault::apply_to_body(fault, provider, &request, seed, &mut response);
        let streamed = fault::stream_response(fault, &request.headers, &response, connection);
        if applied || streamed.is_some() {
            self.record_fault(number, fault);
        }
        self.log().set_status(number, response.status.as_u16());
        streamed.unwrap_or_else(|| fault::into_http(response))
    }

    /// Replaces the cursor of a list request while a cursor loop is active.
    fn apply_cursor_loop(&self, picked: Option<&(Fault, u64)>, number: usize, request: &mut SimRequest) {
        let Some(name) = self.provider.cursor_parameter(request) else {
            return;
        };
        let cursor = request.value(name).unwrap_or("").to_owned();
        let looped = {
            let mut injector = lock(&self.injector);
            if let Some((Fault::CursorLoop { period }, _)) = picked {
                injector.start_loop(*period);
            }
            injector.looped_cursor(&cursor)
        };
        if let Some(cursor) = looped {
            request.set_value(name, cursor);
            self.record_fault(number, &Fault::CursorLoop { period: 0 });
        }
    }

    /// Counts and records a fault that was applied.
    fn record_fault(&self, number: usize, fault: &Fault) {
        lock(&self.injector).count();
        self.log().set_fault(number, fault.name());
    }

    fn call_before_list(&self, number: usize, request: &SimRequest) {
        if let Some(before_list) = lock(&self.before_list).as_mut() {
            before_list(number, &mut lock(self.provider.world(request)));
        }
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// Locks a mutex, even if a callback or a test panicked while it held the lock.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
