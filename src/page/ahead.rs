use std::task::{Context, Poll, ready};

use tokio::sync::mpsc;

use super::{
    Paginator,
    pages::{Fetched, Traced},
};
use crate::{Error, ErrorKind, Result, task::AbortOnDrop};

/// Pages fetched one after the other ahead of use, at most `depth` of them in memory or under way.
pub(super) struct Ahead<P: Paginator> {
    depth: usize,
    worker: Option<Worker<P>>,
}

struct Worker<P: Paginator> {
    pages: mpsc::Receiver<Fetched<P>>,
    task: AbortOnDrop<()>,
}

impl<P: Paginator> Ahead<P> {
    pub(super) fn new(depth: usize) -> Self {
        Self { depth, worker: None }
    }

    pub(super) fn reset(&mut self) {
        self.worker = None;
    }

    pub(super) fn poll(
        &mut self,
        traced: &Traced<P>,
        at: Option<&P::Cursor>,
        number: u64,
        cx: &mut Context<'_>,
    ) -> Poll<Fetched<P>> {
        if self.worker.is_none() {
            self.worker = Some(Worker::start(traced.clone(), at.cloned(), number, self.depth)?);
        }
        let Some(worker) = &mut self.worker else {
            return Poll::Ready(Err(Error::new(ErrorKind::Transport, "the worker is gone")));
        };
        if let Some(fetched) = ready!(worker.pages.poll_recv(cx)) {
            return Poll::Ready(fetched);
        }
        // It never stops before an error or the last page, which were handed over already.
        let ended = ready!(worker.task.poll(cx));
        self.worker = None;
        Poll::Ready(Err(ended
            .err()
            .unwrap_or_else(|| Error::new(ErrorKind::Transport, "the worker is gone"))))
    }
}

impl<P: Paginator> Worker<P> {
    fn start(traced: Traced<P>, mut at: Option<P::Cursor>, mut number: u64, depth: usize) -> Result<Self> {
        let (sender, pages) = mpsc::channel(depth);
        let task = AbortOnDrop::spawn(async move {
            // Room first, then the request: so at most `depth` pages exist at once.
            while let Ok(room) = sender.reserve().await {
                let fetched = traced.clone().fetch(at, number).await;
                let next = fetched.as_ref().ok().and_then(|page| page.next.clone());
                room.send(fetched);
                match next {
                    Some(next) => (at, number) = (Some(next), number.saturating_add(1)),
                    None => break,
                }
            }
        })?;
        Ok(Self { pages, task })
    }
}
