//! Connections that end when their server does.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A listener whose connections all break when the sender of `stop` is gone.
///
/// Aborting the task that accepts is not enough: connections live in tasks of their own, and a client's pool
/// would go on talking to a server that no longer exists.
pub(crate) struct Listener {
    tcp: TcpListener,
    stop: watch::Receiver<()>,
}

impl Listener {
    pub(crate) fn new(tcp: TcpListener, stop: watch::Receiver<()>) -> Self {
        Self { tcp, stop }
    }
}

impl axum::serve::Listener for Listener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            match self.tcp.accept().await {
                Ok((stream, address)) => {
                    // Small answers must not wait for Nagle; a failure only makes them slower.
                    let _ = stream.set_nodelay(true);
                    return (Connection::new(stream, self.stop.clone()), address);
                }
                // Out of file descriptors, or the peer has gone already: neither ends the server.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}

/// One accepted connection.
pub(crate) struct Connection {
    stream: TcpStream,
    stopped: Pin<Box<dyn Future<Output = ()> + Send>>,
    over: bool,
}

impl Connection {
    fn new(stream: TcpStream, mut stop: watch::Receiver<()>) -> Self {
        // Nothing is ever sent: `changed` fails when the sender is dropped, and that is the signal.
        let stopped = Box::pin(async move { while stop.changed().await.is_ok() {} });
        Self {
            stream,
            stopped,
            over: false,
        }
    }

    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        self.over = self.over || self.stopped.as_mut().poll(context).is_ready();
        if self.over {
            return Err(io::Error::new(
                io::ErrorKind::ConnectionAborted,
                "the simulator was dropped",
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
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
