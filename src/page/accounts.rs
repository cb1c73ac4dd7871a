use std::{borrow::Cow, fmt};

use super::{Page, Paginator, Scope, SeekPaginator};
use crate::{Account, Result};

/// A provider's listing, its records turned into shared [`Account`]s.
///
/// Has the cursors and the [`Scope`] of the listing it is made of: their checkpoints are interchangeable.
pub struct Accounts<P>(P);

impl<P> Accounts<P> {
    /// Turns the items of `listing` into accounts.
    pub fn new(listing: P) -> Self {
        Self(listing)
    }
}

impl<P> fmt::Debug for Accounts<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Accounts")
    }
}

impl<P: Paginator<Item: Into<Account>>> Paginator for Accounts<P> {
    type Item = Account;
    type Cursor = P::Cursor;

    fn scope(&self) -> Scope {
        self.0.scope()
    }

    async fn fetch(&self, at: Option<&P::Cursor>) -> Result<Page<Account, P::Cursor>> {
        Ok(self.0.fetch(at).await?.convert(Into::into, |cursor| cursor))
    }

    fn item_id<'a>(&self, account: &'a Account) -> Option<Cow<'a, str>> {
        Some(Cow::Borrowed(&account.id))
    }

    fn keeps_order(&self) -> bool {
        self.0.keeps_order()
    }
}

impl<P: SeekPaginator<Item: Into<Account>>> SeekPaginator for Accounts<P> {
    fn guess(&self, at: Option<&P::Cursor>, total: u64) -> Option<P::Cursor> {
        self.0.guess(at, total)
    }

    fn continues(&self, next: &P::Cursor, guessed: &P::Cursor, head: Option<&str>) -> Option<usize> {
        self.0.continues(next, guessed, head)
    }
}
