use std::borrow::Cow;

use super::{
    Account, Client, Cursor, Field, Filter, NAME,
    paging::{self, Answered, OffsetList, Order, Paging, offset_setters},
    walk,
};
use crate::{
    AnyPaginator, Error, Join, Page, Paginator, Result, Scope, SeekPaginator, SortOrder, http::Call,
    open_enum::open_enum, page::Accounts,
};

open_enum! {
    /// How much is told of each account.
    pub enum DetailLevel {
        /// Less: without `authoritative`, `systemAccount`, `uncorrelated`, `features` and others. The exact
        /// set is not documented.
        Slim = "SLIM",
        /// Everything; what the provider does by default.
        Full = "FULL",
    }
}

/// `GET …/accounts`: the accounts on all sources, by `offset`.
///
/// The list is sorted by `id`, or by what [`sort_by`](Self::sort_by) says and then by `id`: without an
/// order of its own the provider documents none, and paging by offset has nothing to stand on.
///
/// A short page proves nothing (246 rows of 250 have been seen with more to come): the list ends at an empty
/// page, or where the provider's count says so. Should the count promise more than an empty page has, that page is
/// asked for once again, and the [`Summary`](crate::Summary) says that the count was not met.
///
/// # What is certain to be listed
///
/// Paging by offset loses accounts when others are removed during the walk: all behind them move up, past
/// the walker. So each page is fetched from the last row of the page before on. If that row is where it was,
/// the two pages join. If not, its place is looked for, further up or down.
///
/// *Every account that is there from the first request to the last is listed exactly once*, whatever is made
/// or removed meanwhile. The place is known by the last eight rows; if all of them vanish before the next page is
/// fetched, it is found by comparing ids byte by byte, as far as the pages show that the provider does so too. If
/// they show that it does not, the list ends with an error of kind [`Drift`](crate::ErrorKind::Drift), not
/// silently.
///
/// Should the provider's pages be so short that none reaches beyond the row before it, the next page is taken
/// without that check, and the [`Summary`](crate::Summary) says so.
///
/// With an order of your own, ids can not be compared, so the loss of all eight is such an error. And by anything
/// but `created` and `id`, accounts can move: one that does, such as by `modified`, can be missed or come twice;
/// *those that stay where they are come at least once*. For that, the place is known only by rows that are sorted by
/// the same values as before, or, where the record does not show a value by the field's name, that have not changed
/// at all. It is an assumption that the provider sorts by the values that it shows. If rows do not stand where they
/// stood, the [`Summary`](crate::Summary) says [`UnstableOrder`](crate::Doubt::UnstableOrder). Such a list is fetched
/// one page after the other, also [`concurrent`](crate::Pages::concurrent)ly.
///
/// It costs one row in each page. [`overlap(false)`](Self::overlap) saves it, and the
/// [`Summary`](crate::Summary) says that the seams were not checked.
///
/// # Errors
/// Besides those of every list, [`Drift`](crate::ErrorKind::Drift) as said. A 400 for an offset behind the first is
/// taken for the end of the list, unless a page has shown that there are rows.
#[derive(Clone, Debug)]
#[must_use = "a list does nothing until its stream is polled"]
pub struct ListAccounts {
    client: Client,
    detail_level: Option<DetailLevel>,
    paging: Paging,
    filter: Option<Filter>,
    sorters: Vec<(Field, SortOrder)>,
}

impl ListAccounts {
    pub(super) fn new(client: Client) -> Self {
        Self { client, detail_level: None, paging: Paging::default(), filter: None, sorters: Vec::new() }
    }

    /// How much is told of each account. Default: the provider's, which is [`DetailLevel::Full`].
    pub fn detail_level(mut self, level: DetailLevel) -> Self {
        self.detail_level = Some(level);
        self
    }

    offset_setters!(
        /// Accounts on a page: 2 to 250, or 1 without [`overlap`](Self::overlap). Default: 250.
        ///
        /// The provider also takes 0, which lists nothing: see [`total`](Self::total).
        rows = "accounts"
    );

    /// Only accounts that meet `filter`, and any filter given before.
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = Some(match self.filter.take() {
            Some(earlier) => earlier.and(filter),
            None => filter,
        });
        self
    }

    /// Sorts by `field`; call it again for further fields. `id` is always the last.
    pub fn sort_by(mut self, field: Field, order: SortOrder) -> Self {
        self.sorters.push((field, order));
        self
    }

    /// `type,-modified,id`.
    fn sorting(&self) -> String {
        let by_id = self.sorters.iter().any(|(field, _)| *field == Field::Id);
        let last = (!by_id).then_some((Field::Id, SortOrder::Ascending));
        let sorters = self.sorters.iter().copied().chain(last).map(|(field, order)| match order {
            SortOrder::Ascending => field.as_str().to_owned(),
            SortOrder::Descending => format!("-{}", field.as_str()),
        });
        sorters.collect::<Vec<_>>().join(",")
    }

    fn check(&self) -> Result<()> {
        let version = self.client.api_version();
        let checked = self.paging.check().and_then(|()| {
            if let Some((field, _)) = self.sorters.iter().find(|(field, _)| !field.sorts(version)) {
                let message = format!("{} does not sort in {}", field.as_str(), version.path());
                return Err(Error::config(message));
            }
            self.filter.as_ref().map_or(Ok(()), |filter| filter.check(version))
        });
        checked.map_err(|error| error.with_provider(NAME))
    }
}

impl OffsetList for ListAccounts {
    type Row = Account;

    fn paging(&self) -> &Paging {
        &self.paging
    }

    fn order(&self) -> Order {
        // What stands behind the id decides nothing.
        let mut before_id = self.sorters.iter().take_while(|(field, _)| *field != Field::Id);
        match self.sorters.first() {
            None | Some((Field::Id, SortOrder::Ascending)) => Order::ById,
            Some(_) if before_id.all(|(field, _)| *field == Field::Created) => Order::Lasting,
            Some(_) => Order::Asked,
        }
    }

    async fn request(&self, offset: u64, limit: u64, count: bool) -> Result<Answered<Account>> {
        let call = Call::get(self.client.api_version().path())
            .query("detailLevel", self.detail_level.as_ref())
            .query("limit", Some(limit))
            .query("offset", Some(offset))
            .query("count", count.then_some(true))
            .query("filters", self.filter.as_ref())
            .query("sorters", Some(self.sorting()));
        let moves = self.order() == Order::Asked;
        let movable: Vec<Field> = self.sorters.iter().filter(|_| moves).map(|(field, _)| *field).collect();
        let read = |answer: &_| {
            paging::read(answer, "an array of accounts", |account: &Account| account.id.clone(), &movable)
        };
        self.client.send(Ok(call), read).await
    }
}

impl Paginator for ListAccounts {
    type Item = Account;
    type Cursor = Cursor;

    fn scope(&self) -> Scope {
        Scope::new(
            NAME,
            [
                ("base_url", self.client.base_url()),
                ("path", self.client.api_version().path()),
                ("client id", self.client.client_id()),
                ("detail_level", self.detail_level.as_ref().map_or("", DetailLevel::as_str)),
                ("limit", &self.paging.limit.to_string()),
                ("offset", &self.paging.offset.to_string()),
                ("filters", &self.filter.as_ref().map_or(String::new(), Filter::to_string)),
                ("sorters", &self.sorting()),
                ("overlap", if self.paging.overlap { "true" } else { "" }),
            ],
        )
    }

    async fn fetch(&self, at: Option<&Cursor>) -> Result<Page<Account, Cursor>> {
        self.check()?;
        walk::fetch(self, at).await
    }

    fn item_id<'a>(&self, account: &'a Account) -> Option<Cow<'a, str>> {
        Some(Cow::Borrowed(&account.id))
    }

    fn into_accounts(self) -> AnyPaginator<crate::Account> {
        AnyPaginator::seeking(Accounts::new(self))
    }
}

impl SeekPaginator for ListAccounts {
    fn predict(&self, at: Option<&Cursor>, total: u64) -> Option<Cursor> {
        // By its id alone, a row that may have moved does not show that two pages join.
        if self.order() == Order::Asked { None } else { self.paging.guess(at, total) }
    }

    fn join(&self, at: &Cursor, predicted: &Cursor, ids: &[Option<Cow<'_, str>>]) -> Join {
        let head = ids.first().and_then(Option::as_deref);
        match self.paging.continues(self.order(), at, predicted, head) {
            Some(skip) => Join::Follows { skip },
            None => Join::Unusable,
        }
    }
}
