use std::borrow::Cow;

use super::{
    Account, Client, Cursor, Field, Filter,
    offset_pager::{self, Answered, OffsetList, Order, Paging, offset_setters},
};
use crate::{
    AnyPaginator, Continuity, Error, ListingId, Page, Paginator, Result, SeekPaginator, SortOrder,
    http::ApiRequest, open_enum::open_enum, page::Accounts, record::HasId,
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
/// A short page proves nothing (246 rows of 250 have been seen with more to come), nor does the provider's count. The
/// list ends at a page that shows the last account listed and none after it, if the count agrees. If it does not, or
/// none was asked for, that page is looked at three times, and then the offset after it.
///
/// # What is certain to be listed
///
/// Paging by offset loses accounts when others are removed during the walk: all after them move up, past
/// the walker. So each page is fetched from the last account listed on, and is accepted only if it begins with an
/// account at or before that one. If it does not, the place is looked for, further up or down, by comparing ids.
///
/// *Every account that is there from the first request to the last is listed exactly once*, whatever is created
/// or removed meanwhile, and whether the list is walked page by page, [`concurrent`](crate::Pages::concurrent)ly or
/// over checkpoints. The proof is one sentence: one response shows one moment, so what follows a known account on a
/// page is all that followed it then.
///
/// That takes ids that the provider compares as bytes are compared; those of the samples have digits and letters of
/// one case. If a page shows ids that do not ascend so, the last account listed has to be on it.
///
/// With an order of your own, ids cannot be compared, and the last account listed has to be on the page too.
/// If it is not, the list goes on at the offset, rather with accounts twice than without some, and the
/// [`Summary`](crate::Summary) says [`BoundariesUnverified`](crate::IncompleteReason::BoundariesUnverified). It says so too if pages are so
/// short, or so full of rows without an id, that they cannot show that account.
///
/// By anything but `created` and `id`, accounts can move while they are listed, such as by `modified`: one that does can
/// be missed or be listed twice, and if the last one listed does, so can others. So the summary of such a list says
/// [`UnstableOrder`](crate::IncompleteReason::UnstableOrder) if it has more than one page. It is fetched one page after the
/// other, also [`concurrent`](crate::Pages::concurrent)ly, and so is a list by `created`.
///
/// It costs one row in each page, and one request at the end.
///
/// # Errors
/// Besides those of every list, [`ListingChanged`](crate::ErrorKind::ListingChanged) if the place is not found within 1,000 requests,
/// and [`PaginationLoop`](crate::ErrorKind::PaginationLoop) if the server returns rows for every offset. A 400 for an
/// offset after the first is taken for the end of the list, unless pages show that there are rows.
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

    offset_setters!("accounts");

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

    fn request(&self, offset: u64, limit: u64, count: bool) -> ApiRequest {
        ApiRequest::get(self.client.api_version().path())
            .query("detailLevel", self.detail_level.as_ref())
            .query("limit", Some(limit))
            .query("offset", Some(offset))
            .query("count", count.then_some(true))
            .query("filters", self.filter.as_ref())
            .query("sorters", Some(self.sorting()))
    }

    fn check(&self) -> Result<()> {
        let version = self.client.api_version();
        self.paging.check()?;
        if let Some((field, _)) = self.sorters.iter().find(|(field, _)| !field.sorts(version)) {
            let message = format!("{} does not sort in {}", field.as_str(), version.path());
            return Err(Error::config(message));
        }
        self.filter.as_ref().map_or(Ok(()), |filter| filter.check(version))
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
            Some(_) => Order::Lookup,
        }
    }

    async fn request(&self, offset: u64, limit: u64, count: bool) -> Result<Answered<Account>> {
        let read = |response: &_| offset_pager::read(response, "an array of accounts");
        self.client.send(Ok(self.request(offset, limit, count)), read).await
    }
}

impl Paginator for ListAccounts {
    type Item = Account;
    type Cursor = Cursor;

    fn listing_id(&self) -> ListingId {
        self.client.listing_id(&Ok(self.request(self.paging.offset, self.paging.limit.into(), false)))
    }

    async fn fetch(&self, at: Option<&Cursor>) -> Result<Page<Account, Cursor>> {
        self.client.context(self.check())?;
        self.client.context(offset_pager::fetch(self, at).await)
    }

    fn item_id<'a>(&self, account: &'a Account) -> Option<Cow<'a, str>> {
        Some(account.row_id())
    }

    fn advance(&self, cursor: &mut Option<Cursor>, id: Option<&str>) -> bool {
        self.paging.advance(self.order(), cursor, id)
    }

    fn into_accounts(self) -> AnyPaginator<crate::Account> {
        AnyPaginator::new_seekable(Accounts::new(self))
    }
}

impl SeekPaginator for ListAccounts {
    fn predict(&self, at: Option<&Cursor>, total: u64) -> Option<Cursor> {
        // In another order, ids do not show that two pages join.
        if self.order() == Order::ById { offset_pager::predict(&self.paging, at, total) } else { None }
    }

    fn verify(&self, at: &Cursor, predicted: &Cursor, ids: &[Option<Cow<'_, str>>]) -> Continuity {
        offset_pager::verify(at, predicted, ids)
    }
}
