//! Lists whose types are hidden.

use std::fmt::Debug;

use futures::{FutureExt, StreamExt, future::BoxFuture};
use headcount::{Account, AnyPaginator, Checkpoint, ListingId, Paginator, Result};
use headcount_sim::{BrokenPromise, Conformance};

/// A list of anything.
pub(crate) trait List: Debug + Send + Sync {
    fn identity(&self) -> ListingId;

    /// Of its start.
    fn checkpoint(&self) -> Checkpoint;

    fn resumed(&self, from: &Checkpoint) -> Result<()>;

    /// Polls it until it ends, whatever comes.
    fn run(&self) -> BoxFuture<'static, ()>;
}

impl<P: Paginator + Clone + Debug> List for P {
    fn identity(&self) -> ListingId {
        self.listing_id()
    }

    fn checkpoint(&self) -> Checkpoint {
        self.clone().items().checkpoint()
    }

    fn resumed(&self, from: &Checkpoint) -> Result<()> {
        self.clone().resume(from).map(drop)
    }

    fn run(&self) -> BoxFuture<'static, ()> {
        self.clone().items().for_each(|_| std::future::ready(())).boxed()
    }
}

/// A list of accounts.
pub(crate) trait Accounts: List {
    fn any(&self) -> AnyPaginator<Account>;

    /// What [`Conformance`] says of it, as the type that it is.
    fn promises(&self, ids: Vec<String>) -> BoxFuture<'_, Result<(), BrokenPromise>>;
}

impl<P: Paginator<Item: Into<Account>> + Clone + Debug> Accounts for P {
    fn any(&self) -> AnyPaginator<Account> {
        self.clone().into_accounts()
    }

    fn promises(&self, ids: Vec<String>) -> BoxFuture<'_, Result<(), BrokenPromise>> {
        Conformance::new(|| self.clone()).expecting(ids).run().boxed()
    }
}

/// A list, and what can be set of it.
pub(crate) struct Settable {
    /// As the client makes it.
    pub(crate) plain: Box<dyn List>,
    /// With one setter called, each of them: all these are other listings.
    pub(crate) others: Vec<(&'static str, Box<dyn List>)>,
    /// The same for setters that do not change what is listed.
    pub(crate) alike: Vec<(&'static str, Box<dyn List>)>,
    /// With all setters called.
    pub(crate) full: Box<dyn List>,
    /// The names of all query parameters that its provider documents.
    pub(crate) documented: &'static str,
}

/// A list, the parameters that its provider documents, and its setters with a value that is not the default.
macro_rules! settable {
    (
        $list:expr, $documented:expr,
        [$($other:ident($($value:expr),*)),* $(,)?] $(, alike: [$($alike:ident($($same:expr),*)),*])?
    ) => {{
        let list = $list;
        $crate::kit::Settable {
            others: vec![$((stringify!($other), Box::new(list.clone().$other($($value),*)))),*],
            alike: vec![$($((stringify!($alike), Box::new(list.clone().$alike($($same),*)))),*)?],
            full: Box::new(list.clone()$(.$other($($value),*))*$($(.$alike($($same),*))*)?),
            plain: Box::new(list),
            documented: $documented,
        }
    }};
}
pub(super) use settable;
