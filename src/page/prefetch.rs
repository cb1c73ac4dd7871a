use std::task::{Context, Poll, ready};

use tokio::sync::mpsc;

use super::{
    Paginator,
    pages::{Fetched, TracedPaginator},
};
use crate::{Error, ErrorKind, Result, task::AbortOnDrop};

/// Fetches pages before they are polled, one after the other.
///
/// At most `depth` pages are in memory or in flight.
pub(super) struct Prefetch<P: Paginator> {
    depth: usize,
    task: Option<PrefetchTask<P>>,
}

struct PrefetchTask<P: Paginator> {
    pages: mpsc::Receiver<Fetched<P>>,
    handle: AbortOnDrop<()>,
}

impl<P: Paginator> Prefetch<P> {
    pub(super) fn new(depth: usize) -> Self {
        Self { depth, task: None }
    }

    pub(super) fn reset(&mut self) {
        self.task = None;
    }

    pub(super) fn poll(
        &mut self,
        paginator: &TracedPaginator<P>,
        at: Option<&P::Cursor>,
        number: u64,
        cx: &mut Context<'_>,
    ) -> Poll<Fetched<P>> {
        if self.task.is_none() {
            self.task = Some(PrefetchTask::start(paginator.clone(), at.cloned(), number, self.depth)?);
        }
        let Some(task) = &mut self.task else {
            return Poll::Ready(Err(Error::new(ErrorKind::Transport, "the prefetch task stopped")));
        };
        if let Some(fetched) = ready!(task.pages.poll_recv(cx)) {
            return Poll::Ready(fetched);
        }
        // The task stops only after an error or the last page, both of which were received.
        let ended = ready!(task.handle.poll(cx));
        self.task = None;
        Poll::Ready(Err(ended
            .err()
            .unwrap_or_else(|| Error::new(ErrorKind::Transport, "the prefetch task stopped"))))
    }
}

impl<P: Paginator> PrefetchTask<P> {
    fn start(
        paginator: TracedPaginator<P>,
        mut at: Option<P::Cursor>,
        mut number: u64,
        depth: usize,
    ) -> Result<Self> {
        let (sender, pages) = mpsc::channel(depth);
        let handle = AbortOnDrop::spawn(async move {
            // The permit comes before the request, so that at most `depth` pages exist.
            while let Ok(permit) = sender.reserve().await {
                let fetched = paginator.clone().fetch(at, number).await;
                let next = fetched.as_ref().ok().and_then(|page| page.next.clone());
                permit.send(fetched);
                match next {
                    Some(next) => (at, number) = (Some(next), number.saturating_add(1)),
                    None => break,
                }
            }
        })?;
        Ok(Self { pages, handle })
    }
}
