use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures::stream::{FusedStream, Stream, StreamExt};

use super::{AnyPaginator, Checkpoint, Completeness, Items, Summary};
use crate::{Error, ErrorKind};

/// An event of a [`Merge`]. The merged stream itself never fails.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<T> {
    /// An item.
    Item {
        /// The name of its source.
        source: Arc<str>,
        /// The item.
        item: T,
    },
    /// A record that could not be decoded. Its source continues.
    Rejected {
        /// The name of its source.
        source: Arc<str>,
        /// The error, of kind [`InvalidRecord`](ErrorKind::InvalidRecord).
        error: Error,
    },
    /// A source ended with an error. The other sources continue.
    Failed {
        /// The name of the source.
        source: Arc<str>,
        /// The error.
        error: Error,
        /// The position to resume from.
        checkpoint: Box<Checkpoint>,
        /// What it yielded.
        summary: Summary,
    },
    /// A source was listed to its end.
    Finished {
        /// The name of the source.
        source: Arc<str>,
        /// What it yielded, and whether that is complete.
        summary: Summary,
    },
}

/// A stream of [`Event`]s from several named listings, in round-robin order.
///
/// A source that fails ends only itself.
///
/// ```no_run
/// # #[cfg(all(feature = "huawei", feature = "sailpoint"))] {
/// use headcount::{Event, Merge, huawei, sailpoint};
///
/// # async fn run() -> headcount::Result<()> {
/// let mut everyone = Merge::new([
///     ("hr", sailpoint::Client::from_env()?.list_accounts().into_accounts()),
///     ("cloud", huawei::Client::from_env()?.list_accounts().into_accounts()),
/// ]);
/// while let Some(event) = everyone.next().await {
///     match event {
///         Event::Item { source, item } => println!("{source} {}", item.id),
///         Event::Finished { source, summary } => eprintln!("{source}: {summary}"),
///         error => eprintln!("{error:?}"),
///     }
/// }
/// # Ok(()) }
/// # }
/// ```
#[must_use = "streams do nothing unless polled"]
pub struct Merge<T: Send + 'static> {
    sources: Vec<Source<T>>,
    /// The source to poll first.
    next_source: usize,
}

struct Source<T: Send + 'static> {
    name: Arc<str>,
    items: Items<AnyPaginator<T>>,
    done: bool,
}

impl<T: Send + 'static> Merge<T> {
    /// Merges `sources`, pairs of a name and an [`AnyPaginator`] or its stream.
    ///
    /// A stream may prefetch, or resume from a checkpoint.
    pub fn new<N, S>(sources: impl IntoIterator<Item = (N, S)>) -> Self
    where
        N: Into<Arc<str>>,
        S: Into<Items<AnyPaginator<T>>>,
    {
        let source = |(name, items): (N, S)| Source { name: name.into(), items: items.into(), done: false };
        Self { sources: sources.into_iter().map(source).collect(), next_source: 0 }
    }

    /// Returns the next event, or `None` when all sources have ended.
    ///
    /// The same as [`StreamExt::next`](futures::StreamExt::next), without an import.
    pub async fn next(&mut self) -> Option<Event<T>> {
        StreamExt::next(self).await
    }

    /// Returns a checkpoint of each source, in the order given. Sources that ended are included.
    ///
    /// To resume, give a new [`Merge`] a stream of each:
    ///
    /// ```no_run
    /// # use std::collections::BTreeMap;
    /// use headcount::{Account, AnyPaginator, Checkpoint, Merge, Paginator};
    ///
    /// /// Merges the listings, each from its checkpoint if it has one.
    /// fn merge(
    ///     lists: Vec<(&'static str, AnyPaginator<Account>)>,
    ///     saved: &BTreeMap<String, Checkpoint>,
    /// ) -> headcount::Result<Merge<Account>> {
    ///     let resume = |(name, list): (_, AnyPaginator<Account>)| {
    ///         let items = match saved.get(name) {
    ///             Some(checkpoint) => list.resume(checkpoint)?,
    ///             None => list.items(),
    ///         };
    ///         Ok((name, items))
    ///     };
    ///     let items: Vec<_> = lists.into_iter().map(resume).collect::<headcount::Result<_>>()?;
    ///     Ok(Merge::new(items))
    /// }
    /// ```
    pub fn checkpoints(&self) -> impl Iterator<Item = (&str, Checkpoint)> {
        self.sources.iter().map(|source| (&*source.name, source.items.checkpoint()))
    }

    /// Returns a summary of each source, in the order given.
    pub fn summaries(&self) -> impl Iterator<Item = (&str, Summary)> {
        self.sources.iter().map(|source| (&*source.name, source.items.summary()))
    }

    /// Returns a summary of each source that has neither finished nor failed.
    pub fn unfinished(&self) -> impl Iterator<Item = (&str, Summary)> {
        let open = self.sources.iter().filter(|source| !source.done);
        open.map(|source| (&*source.name, source.items.summary()))
    }
}

impl<T: Send + 'static> Source<T> {
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Event<T>> {
        Pin::new(&mut self.items).poll_next(cx).map(|next| {
            let source = Arc::clone(&self.name);
            match next {
                Some(Ok(item)) => Event::Item { source, item },
                Some(Err(error)) if error.kind() == ErrorKind::InvalidRecord => {
                    Event::Rejected { source, error }
                }
                Some(Err(error)) => {
                    self.done = true;
                    let (checkpoint, summary) = (Box::new(self.items.checkpoint()), self.items.summary());
                    Event::Failed { source, error, checkpoint, summary }
                }
                None => {
                    self.done = true;
                    match self.items.summary() {
                        summary if summary.completeness == Completeness::InProgress => {
                            let message =
                                "the stream ended with an error before it was merged; call retry() on it first";
                            let error = Error::new(ErrorKind::Config, message);
                            let checkpoint = Box::new(self.items.checkpoint());
                            Event::Failed { source, error, checkpoint, summary }
                        }
                        summary => Event::Finished { source, summary },
                    }
                }
            }
        })
    }
}

impl<T: Send + 'static> Stream for Merge<T> {
    type Item = Event<T>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event<T>>> {
        let count = self.sources.len();
        let mut open = false;
        for step in 0..count {
            let index = (self.next_source + step) % count;
            if self.sources[index].done {
                continue;
            }
            open = true;
            if let Poll::Ready(event) = self.sources[index].poll_event(cx) {
                self.next_source = (index + 1) % count;
                return Poll::Ready(Some(event));
            }
        }
        if open { Poll::Pending } else { Poll::Ready(None) }
    }
}

impl<T: Send + 'static> FusedStream for Merge<T> {
    fn is_terminated(&self) -> bool {
        self.sources.iter().all(|source| source.done)
    }
}

impl<T: Send + 'static> Unpin for Merge<T> {}

impl<T: Send + 'static> fmt::Debug for Merge<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.sources.iter().map(|source| &source.name)).finish()
    }
}
