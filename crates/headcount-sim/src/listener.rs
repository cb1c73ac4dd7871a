//! A TCP listener that can be paused, and whose connections can be closed.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Notify, mpsc, watch};

/// The delay before a failed operation is retried.
const RETRY_DELAY: Duration = Duration::from_millis(5);
/// The number of disconnects that marks a server that was shut down.
const SHUT_DOWN: u64 = u64::MAX;
/// The maximum number of pending connections.
const BACKLOG: u32 = 1024;

/// A listener that can close all of its connections.
///
/// Aborting the accept task is not sufficient. Connections run in their own tasks, so a client's connection
/// pool would still reach a server that was dropped.
pub(crate) struct Listener {
    tcp: Option<TcpListener>,
    address: SocketAddr,
    pause_requests: mpsc::UnboundedReceiver<Duration>,
    paused: Arc<AtomicBool>,
    disconnects: watch::Sender<u64>,
}

/// Closes the connections of a [`Listener`], and pauses it.
#[derive(Debug)]
pub(crate) struct ListenerHandle {
    pause_requests: mpsc::UnboundedSender<Duration>,
    paused: Arc<AtomicBool>,
    disconnects: watch::Sender<u64>,
}

impl ListenerHandle {
    /// Opens an in-memory connection. It must be closed when the returned value changes.
    ///
    /// Returns `None` if the listener is paused or shut down.
    pub(crate) fn connect(&self) -> Option<watch::Receiver<u64>> {
        let disconnects = self.disconnects.subscribe();
        let accepts = *disconnects.borrow() != SHUT_DOWN && !self.paused.load(Ordering::Relaxed);
        accepts.then_some(disconnects)
    }

    /// Closes every connection permanently.
    pub(crate) fn shutdown(&self) {
        self.disconnects.send_replace(SHUT_DOWN);
    }

    /// Stops listening for `duration`, and closes every connection once the socket is closed.
    pub(crate) async fn pause(&self, duration: Duration) {
        let mut disconnects = self.disconnects.subscribe();
        if self.pause_requests.send(duration).is_ok() {
            let _ = disconnects.changed().await;
        }
    }
}

impl Listener {
    pub(crate) fn new(tcp: TcpListener) -> io::Result<(Self, ListenerHandle)> {
        let (sender, pause_requests) = mpsc::unbounded_channel();
        let (disconnects, _) = watch::channel(0);
        let paused = Arc::<AtomicBool>::default();
        let handle = ListenerHandle {
            pause_requests: sender,
            paused: Arc::clone(&paused),
            disconnects: disconnects.clone(),
        };
        let address = tcp.local_addr()?;
        Ok((Self { tcp: Some(tcp), address, pause_requests, paused, disconnects }, handle))
    }

    /// Stops listening for `duration`. The port remains bound, so that no other process can take it.
    async fn pause(&mut self, duration: Duration) {
        self.tcp = None;
        self.paused.store(true, Ordering::Relaxed);
        let reserved = loop {
            if let Ok(socket) = bind(self.address) {
                break socket;
            }
            tokio::time::sleep(RETRY_DELAY).await;
        };
        self.disconnects.send_modify(|count| *count = count.saturating_add(1));
        tokio::time::sleep(duration).await;
        self.tcp = reserved.listen(BACKLOG).ok();
        self.paused.store(false, Ordering::Relaxed);
    }
}

impl axum::serve::Listener for Listener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let disconnects = self.disconnects.subscribe();
            if *disconnects.borrow() == SHUT_DOWN {
                // The task is being aborted.
                return std::future::pending().await;
            }
            let Some(tcp) = &self.tcp else {
                tokio::time::sleep(RETRY_DELAY).await;
                self.tcp = bind(self.address).and_then(|socket| socket.listen(BACKLOG)).ok();
                continue;
            };
            tokio::select! {
                biased;
                Some(duration) = self.pause_requests.recv() => self.pause(duration).await,
                accepted = tcp.accept() => {
                    if let Ok((stream, peer)) = accepted {
                        // Small responses must not wait for Nagle. A failure only makes them slower.
                        let _ = stream.set_nodelay(true);
                        return (Connection::new(stream, disconnects), peer);
                    }
                    // Out of file descriptors, or the peer has disconnected: the server continues.
                    tokio::time::sleep(RETRY_DELAY).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}

/// Binds a socket without listening.
fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    // Connections in TIME_WAIT still hold the port.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Resets the connection of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConnectionHandle(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// There is no socket, so everything sent has been flushed.
    in_memory: bool,
    reset: AtomicBool,
    flushed: Notify,
}

impl ConnectionHandle {
    /// Creates the handle of a connection without a socket.
    pub(crate) fn in_memory() -> Self {
        Self(Arc::new(State { in_memory: true, ..State::default() }))
    }

    /// Resets the connection (TCP RST) at its next read or write.
    pub(crate) fn reset(&self) {
        self.0.reset.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_reset(&self) -> bool {
        self.0.reset.load(Ordering::Relaxed)
    }

    /// Waits until the pending data was passed to the operating system. Call it while a body is being sent.
    pub(crate) async fn flushed(&self) {
        if !self.0.in_memory {
            self.0.flushed.notified().await;
        }
    }
}

impl Connected<IncomingStream<'_, Listener>> for ConnectionHandle {
    fn connect_info(stream: IncomingStream<'_, Listener>) -> Self {
        stream.io().handle.clone()
    }
}

/// An accepted connection. It is closed with its server, or by a fault.
pub(crate) struct Connection {
    stream: TcpStream,
    handle: ConnectionHandle,
    disconnected: Pin<Box<dyn Future<Output = ()> + Send>>,
    closed: bool,
}

impl Connection {
    /// Creates a connection that is closed when `disconnects` changes or loses its sender.
    fn new(stream: TcpStream, mut disconnects: watch::Receiver<u64>) -> Self {
        let disconnected = Box::pin(async move {
            let _ = disconnects.changed().await;
        });
        Self { stream, handle: ConnectionHandle::default(), disconnected, closed: false }
    }

    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if self.handle.is_reset() {
            // With zero linger, closing sends a RST. If setting it fails, the connection is closed normally.
            let _ = self.stream.set_zero_linger();
            self.closed = true;
        }
        self.closed = self.closed || self.disconnected.as_mut().poll(context).is_ready();
        if self.closed {
            return Err(io::Error::new(
                io::ErrorKind::ConnectionAborted,
                "the simulator closed the connection or was dropped",
            ));
        }
        Ok(())
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(context)?;
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if flushed.is_ready() {
            self.handle.0.flushed.notify_waiters();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
