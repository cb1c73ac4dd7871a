//! Listings as trait objects.

use std::fmt::Debug;

use futures::{FutureExt, StreamExt, future::BoxFuture};
use headcount::{Account, AnyPaginator, Checkpoint, ListingId, Paginator, Result};
use headcount_sim::{Conformance, ConformanceError};

/// A listing of any items.
pub(crate) trait List: Debug + Send + Sync {
    fn identity(&self) -> ListingId;

    /// Returns the checkpoint of the start.
    fn checkpoint(&self) -> Checkpoint;

    /// Checks that the listing can be resumed from a checkpoint.
    fn check_resume(&self, from: &Checkpoint) -> Result<()>;

    /// Polls the stream until it ends. Items and errors are ignored.
    fn run(&self) -> BoxFuture<'static, ()>;
}

impl<P: Paginator + Clone + Debug> List for P {
    fn identity(&self) -> ListingId {
        self.listing_id()
    }

    fn checkpoint(&self) -> Checkpoint {
        self.clone().items().checkpoint()
    }

    fn check_resume(&self, from: &Checkpoint) -> Result<()> {
        self.clone().resume(from).map(drop)
    }

    fn run(&self) -> BoxFuture<'static, ()> {
        self.clone().items().for_each(|_| std::future::ready(())).boxed()
    }
}

/// A listing of accounts.
pub(crate) trait AccountList: List {
    fn any(&self) -> AnyPaginator<Account>;

    /// Runs the [`Conformance`] checks on the concrete type.
    fn check_conformance(&self, ids: Vec<String>) -> BoxFuture<'_, Result<(), ConformanceError>>;
}

impl<P: Paginator<Item: Into<Account>> + Clone + Debug> AccountList for P {
    fn any(&self) -> AnyPaginator<Account> {
        self.clone().into_accounts()
    }

    fn check_conformance(&self, ids: Vec<String>) -> BoxFuture<'_, Result<(), ConformanceError>> {
        Conformance::new(|| self.clone()).expected_ids(ids).run().boxed()
    }
}

/// A listing and its setters.
pub(crate) struct ListCase {
    /// Without any setter called.
    pub(crate) default: Box<dyn List>,
    /// With one setter called each. All of these are different listings.
    pub(crate) different: Vec<(&'static str, Box<dyn List>)>,
    /// With one setter called each that does not change what is listed.
    pub(crate) equivalent: Vec<(&'static str, Box<dyn List>)>,
    /// With every setter called.
    pub(crate) full: Box<dyn List>,
    /// The names of all documented query parameters, separated by spaces.
    pub(crate) documented: &'static str,
}

/// Builds a [`ListCase`] from a listing, its documented parameters, and its setters with values that are not
/// the default.
macro_rules! list_case {
    (
        $list:expr, $documented:expr,
        [$($setter:ident($($value:expr),*)),* $(,)?] $(, equivalent: [$($alias:ident($($same:expr),*)),*])?
    ) => {{
        let list = $list;
        $crate::kit::ListCase {
            different: vec![$((stringify!($setter), Box::new(list.clone().$setter($($value),*)))),*],
            equivalent: vec![$($((stringify!($alias), Box::new(list.clone().$alias($($same),*)))),*)?],
            full: Box::new(list.clone()$(.$setter($($value),*))*$($(.$alias($($same),*))*)?),
            default: Box::new(list),
            documented: $documented,
        }
    }};
}
pub(super) use list_case;
