//! The socket that listens, that may stop to for a while, and whose connections can all be broken.

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
    closed: Arc<AtomicBool>,
    breaks: watch::Sender<u64>,
}

/// The handle by which a server breaks its connections and stops to listen.
#[derive(Debug)]
pub(crate) struct Door {
    closings: mpsc::UnboundedSender<Duration>,
    closed: Arc<AtomicBool>,
    breaks: watch::Sender<u64>,
}

impl Door {
    /// What changes when the connection that begins here is to break; `None` when nobody listens.
    pub(crate) fn enter(&self) -> Option<watch::Receiver<u64>> {
        let breaks = self.breaks.subscribe();
        let open = *breaks.borrow() != SHUT && !self.closed.load(Ordering::Relaxed);
        open.then_some(breaks)
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
        let closed = Arc::<AtomicBool>::default();
        let door = Door { closings: send, closed: Arc::clone(&closed), breaks: breaks.clone() };
        let address = tcp.local_addr()?;
        Ok((Self { tcp: Some(tcp), address, closings, closed, breaks }, door))
    }

    /// Nobody listens for so long. The port stays bound: connections are refused, and nobody else gets it.
    async fn stay_closed(&mut self, lasting: Duration) {
        self.tcp = None;
        self.closed.store(true, Ordering::Relaxed);
        let reserved = loop {
            if let Ok(socket) = bind(self.address) {
                break socket;
            }
            tokio::time::sleep(AGAIN).await;
        };
        self.breaks.send_modify(|count| *count = count.saturating_add(1));
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

/// A socket that does not listen yet.
fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    // Connections that have just ended still hold the port.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// The handle by which a request can break its connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// There is no socket: what is sent has arrived.
    in_memory: bool,
    reset: AtomicBool,
    flushed: Notify,
}

impl Line {
    /// The line of a request that comes without a socket.
    pub(crate) fn in_memory() -> Self {
        Self(Arc::new(State { in_memory: true, ..State::default() }))
    }

    /// Breaks the connection by TCP RST as soon as anything else would be sent.
    pub(crate) fn reset(&self) {
        self.0.reset.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_reset(&self) -> bool {
        self.0.reset.load(Ordering::Relaxed)
    }

    /// Waits until all that is to be sent has been handed to the system. Wait for it while a body is sent.
    pub(crate) async fn flushed(&self) {
        if !self.0.in_memory {
            self.0.flushed.notified().await;
        }
    }
}

impl Connected<IncomingStream<'_, Listener>> for Line {
    fn connect_info(stream: IncomingStream<'_, Listener>) -> Self {
        stream.io().line.clone()
    }
}

/// One accepted connection, which ends when its server does, or when a fault ends it.
pub(crate) struct Connection {
    stream: TcpStream,
    line: Line,
    broken: Pin<Box<dyn Future<Output = ()> + Send>>,
    over: bool,
}

impl Connection {
    /// A connection that breaks when `breaks` changes or loses its sender.
    fn new(stream: TcpStream, mut breaks: watch::Receiver<u64>) -> Self {
        let broken = Box::pin(async move {
            let _ = breaks.changed().await;
        });
        Self { stream, line: Line::default(), broken, over: false }
    }

    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if self.line.is_reset() {
            // Without lingering, closing is resetting; failing that, it is merely closed.
            let _ = self.stream.set_zero_linger();
            self.over = true;
        }
        self.over = self.over || self.broken.as_mut().poll(context).is_ready();
        if self.over {
            return Err(io::Error::new(
                io::ErrorKind::ConnectionAborted,
                "the simulator broke the connection, or was dropped",
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
            self.line.0.flushed.notify_waiters();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
