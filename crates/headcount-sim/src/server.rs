//! A running simulator.

use std::fmt;
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::ConnectInfo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::config::SimConfig;
use super::fault::Faults;
use super::in_memory::InMemory;
use super::listener::{ConnectionHandle, Listener};
use super::pipeline::{Pipeline, ProviderSim, lock};
use super::request_log::Request;
use super::world::World;

/// The environment variables that configure a client.
pub(crate) type Env = Vec<(&'static str, String)>;

/// A simulated provider that listens on 127.0.0.1.
///
/// All simulators dereference to this type, so a test can be written once for all of them. Dropping it stops
/// the server and closes its connections.
pub struct Server {
    base_url: String,
    env: Env,
    world: Arc<Mutex<World>>,
    pipeline: Arc<Pipeline>,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Starts listening on a free port.
    pub(crate) async fn start(
        config: SimConfig,
        world: Arc<Mutex<World>>,
        provider: Arc<dyn ProviderSim>,
        env: impl FnOnce(&str) -> Env + Send,
    ) -> io::Result<Self> {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let base_url = format!("http://{}{}", tcp.local_addr()?, config.prefix);
        let (listener, handle) = Listener::new(tcp)?;
        let pipeline = Arc::new(Pipeline::new(provider, config, handle));
        let handler = Arc::clone(&pipeline);
        let router = Router::new()
            .fallback(move |ConnectInfo(connection), request| {
                Arc::clone(&handler).handle(connection, request)
            })
            .into_make_service_with_connect_info::<ConnectionHandle>();
        let serve = axum::serve(listener, router);
        let accepting = tokio::spawn(async move {
            // Runs until it is aborted: `accept` retries forever.
            let _ = serve.await;
        });
        Ok(Self { env: env(&base_url), base_url, world, pipeline, accepting })
    }

    /// Returns the base URL, such as `http://127.0.0.1:40123`, with the path prefix and no trailing slash.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Creates a transport to this server without a socket. It also works while tokio's clock is paused.
    pub fn transport(&self) -> InMemory {
        InMemory::new(Arc::clone(&self.pipeline))
    }

    /// Returns the environment variables that configure a client for this server, including credentials.
    pub fn env(&self) -> Vec<(&'static str, String)> {
        self.env.clone()
    }

    /// Returns the ids of the current accounts, in the provider's default order.
    pub fn ids(&self) -> Vec<String> {
        self.world(|world| world.ids())
    }

    /// Returns the current accounts with all their fields, in the provider's default order.
    pub fn records(&self) -> Vec<Value> {
        self.world(|world| world.records())
    }

    /// Inserts a record, or replaces the one with the same id. See [`World::insert`].
    pub fn insert(&self, record: Value) {
        self.world(|world| world.insert(record));
    }

    /// Updates the record with this id. Returns whether it exists. See [`World::update`].
    pub fn update(&self, id: &str, change: impl FnOnce(&mut Value)) -> bool {
        self.world(|world| world.update(id, change))
    }

    /// Removes the account with this id. Returns whether it existed.
    pub fn remove(&self, id: &str) -> bool {
        self.world(|world| world.remove(id))
    }

    /// Adds `n` generated accounts at their positions in the default order. Returns their ids.
    pub fn generate(&self, n: usize) -> Vec<String> {
        self.world(|world| world.generate(n))
    }

    /// Locks the accounts, to read them or to make several changes atomically.
    pub fn world<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut lock(&self.world))
    }

    /// Returns the recorded requests in the order received, without their secrets.
    pub fn requests(&self) -> Vec<Request> {
        self.pipeline.log().requests().to_vec()
    }

    /// Returns the recorded requests to the account listing.
    pub fn list_requests(&self) -> Vec<Request> {
        self.pipeline.log().requests().iter().filter(|request| request.is_list()).cloned().collect()
    }

    /// Returns the number of requests received, including those that `clear_requests` removed.
    pub fn request_count(&self) -> usize {
        self.pipeline.log().count()
    }

    /// Replaces the fault plan. Its request numbers start at 1 again, and a cursor loop ends.
    pub fn set_faults(&self, plan: Faults) {
        self.pipeline.set_faults(plan);
    }

    /// Returns the number of faults that were applied, by all plans.
    pub fn faults_injected(&self) -> u64 {
        self.pipeline.faults_injected()
    }

    /// Clears the recorded requests. The numbers that `before_list` receives continue.
    pub fn clear_requests(&self) {
        self.pipeline.log().clear();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
        self.pipeline.listener().shutdown();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}
