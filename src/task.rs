use std::{
    fmt,
    future::{Future, poll_fn},
    panic,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{runtime::Handle, task::JoinHandle};

use crate::{Error, ErrorKind, Result};

/// Work on a task of its own, so that it goes on while nobody polls for it. Dies with its owner.
pub(crate) struct AbortOnDrop<T>(JoinHandle<T>);

impl<T: Send + 'static> AbortOnDrop<T> {
    /// Starts `work`.
    pub(crate) fn spawn(work: impl Future<Output = T> + Send + 'static) -> Result<Self> {
        let runtime = Handle::try_current()
            .map_err(|error| Error::config("this needs a tokio runtime").with_source(error))?;
        Ok(Self(runtime.spawn(work)))
    }

    /// The outcome of the work.
    pub(crate) async fn join(mut self) -> Result<T> {
        poll_fn(|cx| self.poll(cx)).await
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T>> {
        Pin::new(&mut self.0).poll(cx).map(|ended| match ended {
            Ok(value) => Ok(value),
            Err(error) if error.is_panic() => panic::resume_unwind(error.into_panic()),
            Err(error) => {
                Err(Error::new(ErrorKind::Transport, "the runtime was shut down").with_source(error))
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
