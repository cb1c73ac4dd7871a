//! Connections that end when their server does, or when a fault ends them.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};

use super::listener::Listener;

/// What a connection goes over.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {
    /// Has closing it break it off, where that is more than to close it.
    fn set_reset(&self);
}

impl Stream for TcpStream {
    fn set_reset(&self) {
        // Without lingering, closing is resetting; failing that, it is merely closed.
        let _ = self.set_zero_linger();
    }
}

impl Stream for DuplexStream {
    fn set_reset(&self) {}
}

/// One accepted connection.
pub(crate) struct Connection {
    stream: Box<dyn Stream>,
    line: Line,
    broken: Pin<Box<dyn Future<Output = ()> + Send>>,
    over: bool,
}

/// The handle by which a request can break its connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line(Arc<State>);

#[derive(Debug, Default)]
struct State {
    reset: AtomicBool,
    flushed: Notify,
}

impl Line {
    /// Breaks the connection by TCP RST as soon as anything else would be sent.
    pub(crate) fn reset(&self) {
        self.0.reset.store(true, Ordering::Relaxed);
    }

    /// Waits until all that is to be sent has been handed to the system. Wait for it while a body is sent.
    pub(crate) async fn flushed(&self) {
        self.0.flushed.notified().await;
    }
}

impl Connected<IncomingStream<'_, Listener>> for Line {
    fn connect_info(stream: IncomingStream<'_, Listener>) -> Self {
        stream.io().line.clone()
    }
}

impl Connection {
    /// A connection that breaks when `breaks` changes or loses its sender.
    pub(crate) fn new(stream: impl Stream, mut breaks: watch::Receiver<u64>) -> Self {
        Self {
            stream: Box::new(stream),
            line: Line::default(),
            broken: Box::pin(async move {
                let _ = breaks.changed().await;
            }),
            over: false,
        }
    }

    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if self.line.0.reset.load(Ordering::Relaxed) {
            self.stream.set_reset();
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
