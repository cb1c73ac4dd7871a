//! The socket that listens, and that may stop to for a while.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::DuplexStream;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{mpsc, watch};

use super::connection::Connection;

/// The wait before what has just failed is tried again.
const AGAIN: Duration = Duration::from_millis(5);
/// The count of breaks of a server that is no more.
const SHUT: u64 = u64::MAX;
/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// A listener whose connections can all be broken.
///
/// Aborting the task that accepts is not enough: connections live in tasks of their own, and a client's pool
/// would go on talking to a server that no longer exists.
pub(crate) struct Listener {
    tcp: Option<TcpListener>,
    address: SocketAddr,
    closings: mpsc::UnboundedReceiver<Duration>,
    /// Connections that are made in memory.
    calls: mpsc::UnboundedReceiver<DuplexStream>,
    closed: Arc<AtomicBool>,
    breaks: watch::Sender<u64>,
}

/// The handle by which a server breaks its connections and stops to listen.
#[derive(Debug)]
pub(crate) struct Door {
    closings: mpsc::UnboundedSender<Duration>,
    breaks: watch::Sender<u64>,
    bell: Bell,
}

/// The handle by which connections are made in memory.
#[derive(Clone, Debug)]
pub(crate) struct Bell {
    calls: mpsc::UnboundedSender<DuplexStream>,
    closed: Arc<AtomicBool>,
}

impl Bell {
    /// Has the other end of a connection accepted; false when nobody listens.
    pub(crate) fn ring(&self, stream: DuplexStream) -> bool {
        !self.closed.load(Ordering::Relaxed) && self.calls.send(stream).is_ok()
    }
}

impl Door {
    pub(crate) fn bell(&self) -> Bell {
        self.bell.clone()
    }

    /// Breaks every connection, for good.
    pub(crate) fn shut(&self) {
        self.breaks.send_replace(SHUT);
    }

    /// Stops to listen for so long, and breaks every connection once nobody listens any more.
    pub(crate) async fn close(&self, lasting: Duration) {
        let mut breaks = self.breaks.subscribe();
        if self.closings.send(lasting).is_ok() {
            let _ = breaks.changed().await;
        }
    }
}

impl Listener {
    pub(crate) fn new(tcp: TcpListener) -> io::Result<(Self, Door)> {
        let (send, closings) = mpsc::unbounded_channel();
        let (breaks, _) = watch::channel(0);
        let (ring, calls) = mpsc::unbounded_channel();
        let closed = Arc::<AtomicBool>::default();
        let bell = Bell { calls: ring, closed: Arc::clone(&closed) };
        let door = Door { closings: send, breaks: breaks.clone(), bell };
        let address = tcp.local_addr()?;
        let tcp = Some(tcp);
        Ok((Self { tcp, address, closings, calls, closed, breaks }, door))
    }

    /// Nobody listens for so long. The port stays bound: connections are refused, and nobody else gets it.
    async fn stay_closed(&mut self, lasting: Duration) {
        self.tcp = None;
        self.closed.store(true, Ordering::Relaxed);
        // As a socket does with what it has not accepted.
        while self.calls.try_recv().is_ok() {}
        let reserved = loop {
            if let Ok(socket) = bind(self.address) {
                break socket;
            }
            tokio::time::sleep(AGAIN).await;
        };
        break_all(&self.breaks);
        tokio::time::sleep(lasting).await;
        self.tcp = reserved.listen(BACKLOG).ok();
        self.closed.store(false, Ordering::Relaxed);
    }
}

impl axum::serve::Listener for Listener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let breaks = self.breaks.subscribe();
            if *breaks.borrow() == SHUT {
                // The task is being aborted.
                return std::future::pending().await;
            }
            let Some(tcp) = &self.tcp else {
                tokio::time::sleep(AGAIN).await;
                self.tcp = bind(self.address).and_then(|socket| socket.listen(BACKLOG)).ok();
                continue;
            };
            tokio::select! {
                biased;
                Some(lasting) = self.closings.recv() => self.stay_closed(lasting).await,
                Some(stream) = self.calls.recv() => return (Connection::new(stream, breaks), self.address),
                accepted = tcp.accept() => {
                    if let Ok((stream, peer)) = accepted {
                        // Small answers must not wait for Nagle; a failure only makes them slower.
                        let _ = stream.set_nodelay(true);
                        return (Connection::new(stream, breaks), peer);
                    }
                    // Out of file descriptors, or the peer has gone already: neither ends the server.
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}

fn break_all(breaks: &watch::Sender<u64>) {
    breaks.send_modify(|count| *count = count.saturating_add(1));
}

/// A socket that does not listen yet.
fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    // Connections that have just ended still hold the port.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}
