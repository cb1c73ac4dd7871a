use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures::stream::{FusedStream, Stream};

use super::{AnyPaginator, Checkpoint, Completeness, Items, Summary};
use crate::{Error, ErrorKind};

/// What comes out of a [`Merge`]. The merged stream itself never fails.
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
    /// A row that could not be read; its source goes on.
    Rejected {
        /// The name of its source.
        source: Arc<str>,
        /// What is wrong with it; of kind [`InvalidRecord`](ErrorKind::InvalidRecord).
        error: Error,
    },
    /// A source gave up; the others go on.
    Failed {
        /// Its name.
        source: Arc<str>,
        /// Why.
        error: Error,
        /// Where to take it up again.
        checkpoint: Box<Checkpoint>,
        /// What it gave so far.
        summary: Summary,
    },
    /// A source was listed to its end.
    Finished {
        /// Its name.
        source: Arc<str>,
        /// What it gave, and whether that is everything.
        summary: Summary,
    },
}

/// Several named listings as one stream of [`Event`]s, a row from each in turn.
///
/// One source failing ends only that source.
///
/// ```no_run
/// # #[cfg(all(feature = "huawei", feature = "sailpoint"))] {
/// use futures::StreamExt;
/// use headcount::{Event, Merge, Paginator, huawei, sailpoint};
///
/// # async fn run() -> headcount::Result<()> {
/// let mut everyone = Merge::new([
///     ("hr", sailpoint::Client::from_env()?.list_accounts().into_accounts()),
///     ("cloud", huawei::Client::from_env()?.list_accounts().into_accounts()),
/// ]);
/// while let Some(event) = everyone.next().await {
///     match event {
///         Event::Item { source, item } => println!("{source} {}", item.id),
///         Event::Finished { source, summary } => eprintln!("{source}: {:?}", summary.completeness),
///         problem => eprintln!("{problem:?}"),
///     }
/// }
/// # Ok(()) }
/// # }
/// ```
#[must_use = "streams do nothing unless polled"]
pub struct Merge<T: Send + 'static> {
    sources: Vec<Source<T>>,
    /// Whose turn it is.
    turn: usize,
}

struct Source<T: Send + 'static> {
    name: Arc<str>,
    items: Items<AnyPaginator<T>>,
    over: bool,
}

impl<T: Send + 'static> Merge<T> {
    /// Merges `sources`: pairs of a name and an [`AnyPaginator`], or a stream made of one that looks
    /// ahead or goes on from a checkpoint.
    pub fn new<N, S>(sources: impl IntoIterator<Item = (N, S)>) -> Self
    where
        N: Into<Arc<str>>,
        S: Into<Items<AnyPaginator<T>>>,
    {
        let source = |(name, items): (N, S)| Source { name: name.into(), items: items.into(), over: false };
        Self { sources: sources.into_iter().map(source).collect(), turn: 0 }
    }

    /// Where each source stands, in the order given; also of those that ended. To go on from there, give the new
    /// [`Merge`] a stream of each:
    ///
    /// ```no_run
    /// # use std::collections::BTreeMap;
    /// use headcount::{Account, AnyPaginator, Checkpoint, Merge, Paginator};
    ///
    /// /// The lists as one stream, each from its saved place if it has one.
    /// fn merge(
    ///     lists: Vec<(&'static str, AnyPaginator<Account>)>,
    ///     saved: &BTreeMap<String, Checkpoint>,
    /// ) -> headcount::Result<Merge<Account>> {
    ///     let place = |(name, list): (_, AnyPaginator<Account>)| {
    ///         let items = match saved.get(name) {
    ///             Some(checkpoint) => list.resume(checkpoint)?,
    ///             None => list.items(),
    ///         };
    ///         Ok((name, items))
    ///     };
    ///     let items: Vec<_> = lists.into_iter().map(place).collect::<headcount::Result<_>>()?;
    ///     Ok(Merge::new(items))
    /// }
    /// ```
    pub fn checkpoints(&self) -> impl Iterator<Item = (&str, Checkpoint)> {
        self.sources.iter().map(|source| (&*source.name, source.items.checkpoint()))
    }

    /// What each source gave so far, in the order given.
    pub fn summaries(&self) -> impl Iterator<Item = (&str, Summary)> {
        self.sources.iter().map(|source| (&*source.name, source.items.summary()))
    }

    /// The same of the sources that have neither finished nor failed.
    pub fn unfinished(&self) -> impl Iterator<Item = (&str, Summary)> {
        let open = self.sources.iter().filter(|source| !source.over);
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
                    self.over = true;
                    let (checkpoint, summary) = (Box::new(self.items.checkpoint()), self.items.summary());
                    Event::Failed { source, error, checkpoint, summary }
                }
                None => {
                    self.over = true;
                    match self.items.summary() {
                        summary if summary.completeness == Completeness::InProgress => {
                            let message =
                                "the stream had ended with an error before it was merged; retry() it";
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
            let index = (self.turn + step) % count;
            if self.sources[index].over {
                continue;
            }
            open = true;
            if let Poll::Ready(event) = self.sources[index].poll_event(cx) {
                self.turn = (index + 1) % count;
                return Poll::Ready(Some(event));
            }
        }
        if open { Poll::Pending } else { Poll::Ready(None) }
    }
}

impl<T: Send + 'static> FusedStream for Merge<T> {
    fn is_terminated(&self) -> bool {
        self.sources.iter().all(|source| source.over)
    }
}

impl<T: Send + 'static> Unpin for Merge<T> {}

impl<T: Send + 'static> fmt::Debug for Merge<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.sources.iter().map(|source| &source.name)).finish()
    }
}
