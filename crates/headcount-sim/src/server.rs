//! A running server.

use std::fmt;
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::ConnectInfo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::fault::Faults;
use super::gate::{Gate, Vendor, lock};
use super::in_memory::InMemory;
use super::listener::{Line, Listener};
use super::request::Request;
use super::settings::Settings;
use super::world::World;

/// What a client needs to know, by the names of environment variables.
pub(crate) type Env = Vec<(&'static str, String)>;

/// A simulated provider that listens on 127.0.0.1 until it is dropped.
///
/// All simulators dereference to this type, so that a test can be written once for all of them.
/// Dropping it stops the server and breaks its connections.
pub struct Server {
    base_url: String,
    env: Env,
    world: Arc<Mutex<World>>,
    gate: Arc<Gate>,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Listens on a free port.
    pub(crate) async fn start(
        settings: Settings,
        world: Arc<Mutex<World>>,
        vendor: Arc<dyn Vendor>,
        env: impl FnOnce(&str) -> Env + Send,
    ) -> io::Result<Self> {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let base_url = format!("http://{}{}", tcp.local_addr()?, settings.prefix);
        let (listener, door) = Listener::new(tcp)?;
        let gate = Arc::new(Gate::new(vendor, settings, door));
        let passing = Arc::clone(&gate);
        let router = Router::new()
            .fallback(move |ConnectInfo(line), request| Arc::clone(&passing).pass(line, request))
            .into_make_service_with_connect_info::<Line>();
        let serve = axum::serve(listener, router);
        let accepting = tokio::spawn(async move {
            // Never ends of itself: accepting retries for ever.
            let _ = serve.await;
        });
        Ok(Self { env: env(&base_url), base_url, world, gate, accepting })
    }

    /// Where the server listens, such as `http://127.0.0.1:40123`, with the path prefix and without a slash
    /// at the end.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// A transport that reaches this server without a socket, and so also while tokio's clock is paused.
    pub fn transport(&self) -> InMemory {
        InMemory::new(Arc::clone(&self.gate))
    }

    /// The environment variables that make a client talk to this server, credentials included.
    pub fn env(&self) -> Vec<(&'static str, String)> {
        self.env.clone()
    }

    /// The ids of the accounts that are there now, in the provider's default order.
    pub fn ids(&self) -> Vec<String> {
        self.world(|world| world.ids())
    }

    /// The accounts that are there now, in the provider's default order, as full as the server would tell.
    pub fn records(&self) -> Vec<Value> {
        self.world(|world| world.records())
    }

    /// Puts a record in, or replaces the one with its id; see [`World::insert`].
    pub fn insert(&self, record: Value) {
        self.world(|world| world.insert(record));
    }

    /// Changes the record with this id; see [`World::update`]. False when there is none.
    pub fn update(&self, id: &str, change: impl FnOnce(&mut Value)) -> bool {
        self.world(|world| world.update(id, change))
    }

    /// Takes the account with this id away. False when there is none.
    pub fn remove(&self, id: &str) -> bool {
        self.world(|world| world.remove(id))
    }

    /// Adds `n` new generated accounts at the places where they fall, and gives their ids.
    pub fn generate(&self, n: usize) -> Vec<String> {
        self.world(|world| world.generate(n))
    }

    /// Looks at the accounts, or changes several at once.
    pub fn world<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut lock(&self.world))
    }

    /// Every request so far, in the order they arrived, without their secrets.
    pub fn requests(&self) -> Vec<Request> {
        self.gate.log().requests().to_vec()
    }

    /// The requests so far to the account listing.
    pub fn list_requests(&self) -> Vec<Request> {
        self.gate.log().requests().iter().filter(|request| request.is_list()).cloned().collect()
    }

    /// How many requests came so far, those included that were forgotten.
    pub fn request_count(&self) -> usize {
        self.gate.log().count()
    }

    /// Begins another plan of faults. It counts requests from here on; a circle of pages ends.
    pub fn set_faults(&self, plan: Faults) {
        self.gate.set_faults(plan);
    }

    /// How many faults were injected so far, by all plans: those that have done something.
    pub fn faults_injected(&self) -> u64 {
        self.gate.faults_injected()
    }

    /// Forgets the requests so far. The numbering that `before_list` sees goes on.
    pub fn clear_requests(&self) {
        self.gate.log().clear();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
        self.gate.door().shut();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}
