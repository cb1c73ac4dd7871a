use std::borrow::Cow;

use super::{
    Account, Client, Cursor, Field, Filter,
    offset_pager::{self, OffsetListing, Order, PageResponse, Paging, offset_setters},
};
use crate::{
    AnyPaginator, Continuity, Error, ListingId, Page, Paginator, Result, SeekPaginator, SortOrder,
    http::ApiRequest, open_enum::open_enum, page::IntoAccounts, record::HasId,
};

open_enum! {
    /// How much detail the provider returns for each account.
    pub enum DetailLevel {
        /// Less: without `authoritative`, `systemAccount`, `uncorrelated`, `features` and others. The exact
        /// set of omitted members is not documented.
        Slim = "SLIM",
        /// All members. The provider's default.
        Full = "FULL",
    }
}

/// `GET …/accounts`: lists the accounts on all sources, by `offset`.
///
/// The list is sorted by `id`, or by the fields of [`sort_by`](Self::sort_by) and then by `id`. The provider
/// documents no default order, and paging by offset needs one.
///
/// # Consistency
///
/// In the default order, *every account that exists from the first request to the last is listed exactly
/// once*. This holds regardless of concurrent changes, and for sequential and
/// [`concurrent`](crate::Pages::concurrent) listings and listings resumed from checkpoints.
///
/// Plain paging by offset skips accounts when others are removed, because the following accounts move to
/// lower offsets. This list therefore fetches each page from the last account listed on. A page is accepted
/// only if it begins with an account at or before that one. Otherwise, the list searches for the position at
/// lower or higher offsets by comparing ids. A response is a snapshot: the rows after a known account on a
/// page are all rows that followed it at that moment.
///
/// This costs one row in each page and one request at the end.
///
/// # End of the list
///
/// A short page is not the end: pages with 246 of 250 rows have been observed before the end. The provider's
/// count alone is not the end either. The list ends at a page that shows the last account listed and no
/// account after it, if the count agrees. If it does not agree, or was not requested, that page is fetched
/// three times, and then the offset after it.
///
/// # Custom orders
///
/// With [`sort_by`](Self::sort_by), ids cannot be compared, and a page must contain the last account listed.
/// If it does not, the list continues at the offset: an account may then be listed twice rather than skipped.
/// The [`Summary`](crate::Summary) reports
/// [`BoundariesUnverified`](crate::IncompleteReason::BoundariesUnverified). It reports the same if pages
/// cannot contain that account because they are too short or have too many rows without an id.
///
/// Sorted by a mutable field such as `modified`, that is by any other than `created` and `id`, accounts can
/// move during the listing. An account that moves can be missed or listed twice. If the last account listed
/// moves, others can too. The summary of such a list therefore reports
/// [`UnstableOrder`](crate::IncompleteReason::UnstableOrder) if it has more than one page.
///
/// A list that is not sorted by ascending `id` first is always fetched sequentially, even with
/// [`concurrent`](crate::Pages::concurrent).
///
/// # Assumptions
///
/// How the provider compares ids is not documented. The list assumes a comparison by bytes. The ids of the
/// provider's examples have only digits and letters of one case. If the ids on a page do not ascend by bytes,
/// the page must contain the last account listed.
///
/// # Errors
/// In addition to the errors of every list: [`ListingChanged`](crate::ErrorKind::ListingChanged) if the
/// position is not found within 1,000 requests, and [`PaginationLoop`](crate::ErrorKind::PaginationLoop) if
/// the server returns rows for every offset. A 400 for an offset after the first is treated as the end of the
/// list, unless earlier pages contained rows at that offset.
#[derive(Clone, Debug)]
#[must_use = "a list does nothing until its stream is polled"]
pub struct ListAccounts {
    client: Client,
    detail_level: Option<DetailLevel>,
    paging: Paging,
    filter: Option<Filter>,
    sorters: Vec<(Field, SortOrder)>,
    email_attributes: Vec<String>,
}

impl ListAccounts {
    pub(super) fn new(client: Client) -> Self {
        Self {
            client,
            detail_level: None,
            paging: Paging::default(),
            filter: None,
            sorters: Vec::new(),
            email_attributes: Vec::new(),
        }
    }

    /// Sets how much detail is returned for each account. Default: the provider's, which is
    /// [`DetailLevel::Full`].
    pub fn detail_level(mut self, level: DetailLevel) -> Self {
        self.detail_level = Some(level);
        self
    }

    offset_setters!("accounts");

    /// Lists only accounts that match `filter` and all filters set before.
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = Some(match self.filter.take() {
            Some(previous) => previous.and(filter),
            None => filter,
        });
        self
    }

    /// Sorts by `field`. Call it again for further fields. `id` is always the last.
    pub fn sort_by(mut self, field: Field, order: SortOrder) -> Self {
        self.sorters.push((field, order));
        self
    }

    /// Reads the e-mail address of accounts from the attribute `name`, such as `mail`.
    ///
    /// It fills [`Account::email`](super::Account::email) and the shared
    /// [`Account::email`](crate::Account::email). Call it again for further attributes: the first one that is a text
    /// and not blank is used. By default, no e-mail addresses are read: the schema has no member for them, and each
    /// source names its attributes differently.
    pub fn email_attribute(mut self, name: impl Into<String>) -> Self {
        self.email_attributes.push(name.into());
        self
    }

    /// Returns the value of `sorters`, such as `type,-modified,id`.
    fn sorters(&self) -> String {
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
            .query("sorters", Some(self.sorters()))
    }

    fn check(&self) -> Result<()> {
        let version = self.client.api_version();
        self.paging.check()?;
        if let Some((field, _)) = self.sorters.iter().find(|(field, _)| !field.sorts(version)) {
            let message = format!("sorting by {} is not supported in {}", field.as_str(), version.path());
            return Err(Error::config(message));
        }
        self.filter.as_ref().map_or(Ok(()), |filter| filter.check(version))
    }
}

impl OffsetListing for ListAccounts {
    type Row = Account;

    fn paging(&self) -> &Paging {
        &self.paging
    }

    fn order(&self) -> Order {
        // Fields after the id do not affect the order.
        let mut before_id = self.sorters.iter().take_while(|(field, _)| *field != Field::Id);
        match self.sorters.first() {
            None | Some((Field::Id, SortOrder::Ascending)) => Order::Id,
            Some(_) if before_id.all(|(field, _)| *field == Field::Created) => Order::Immutable,
            Some(_) => Order::Mutable,
        }
    }

    async fn request(&self, offset: u64, limit: u64, count: bool) -> Result<PageResponse<Account>> {
        let read = |response: &_| offset_pager::read(response, "an array of accounts");
        self.client.send(Ok(self.request(offset, limit, count)), read).await
    }
}

crate::page::inherent_streams!(ListAccounts, accounts);

impl Paginator for ListAccounts {
    type Item = Account;
    type Cursor = Cursor;

    fn listing_id(&self) -> ListingId {
        self.client.listing_id(&Ok(self.request(self.paging.offset, self.paging.limit.into(), false)))
    }

    async fn fetch(&self, at: Option<&Cursor>) -> Result<Page<Account, Cursor>> {
        self.client.context(self.check())?;
        let mut page = self.client.context(offset_pager::fetch(self, at).await)?;
        page.items.iter_mut().for_each(|account| account.read_email(&self.email_attributes));
        Ok(page)
    }

    fn item_id<'a>(&self, account: &'a Account) -> Option<Cow<'a, str>> {
        Some(account.row_id())
    }

    fn advance(&self, cursor: &mut Option<Cursor>, id: Option<&str>) -> bool {
        self.paging.advance(self.order(), cursor, id)
    }

    fn into_accounts(self) -> AnyPaginator<crate::Account> {
        AnyPaginator::new_seekable(IntoAccounts::new(self))
    }
}

impl SeekPaginator for ListAccounts {
    fn predict(&self, at: Option<&Cursor>, total: u64) -> Option<Cursor> {
        // In other orders, ids cannot show that two pages are contiguous.
        if self.order() == Order::Id { offset_pager::predict(&self.paging, at, total) } else { None }
    }

    fn verify(&self, at: &Cursor, predicted: &Cursor, ids: &[Option<Cow<'_, str>>]) -> Continuity {
        offset_pager::verify(at, predicted, ids)
    }
}
