use std::{
    fmt,
    future::{Future, poll_fn},
    panic,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{runtime::Handle, task::JoinHandle};

use crate::{Error, ErrorKind, Result};

/// A spawned task that makes progress without being polled, and is aborted on drop.
pub(crate) struct AbortOnDrop<T>(JoinHandle<T>);

impl<T: Send + 'static> AbortOnDrop<T> {
    /// Spawns `future`.
    ///
    /// # Errors
    /// If called outside of a tokio runtime.
    pub(crate) fn spawn(future: impl Future<Output = T> + Send + 'static) -> Result<Self> {
        let runtime = Handle::try_current()
            .map_err(|error| Error::config("not within a tokio runtime").with_source(error))?;
        Ok(Self(runtime.spawn(future)))
    }

    /// Waits for the task and returns its output. Resumes its panic, if it panicked.
    ///
    /// # Errors
    /// If the runtime is shut down first.
    pub(crate) async fn join(mut self) -> Result<T> {
        poll_fn(|cx| self.poll(cx)).await
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T>> {
        Pin::new(&mut self.0).poll(cx).map(|result| match result {
            Ok(value) => Ok(value),
            Err(error) if error.is_panic() => panic::resume_unwind(error.into_panic()),
            Err(error) => {
                Err(Error::new(ErrorKind::Transport, "the tokio runtime was shut down").with_source(error))
            }
        })
    }
}

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<T> fmt::Debug for AbortOnDrop<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AbortOnDrop")
    }
}
