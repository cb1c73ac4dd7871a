use std::{borrow::Cow, collections::BTreeMap};

use serde::de::IgnoredAny;
use uuid::Uuid;

use super::{
    Account, Client, Cursor,
    paging::{self, Batch, Row, Source},
    requests::PATH,
};
use crate::{
    Error, ListingId, Page, Paginator, Result, SortOrder,
    http::{ApiRequest, ApiResponse, Rows, no_rows, read_page},
    open_enum::open_enum,
    record::HasId,
};

/// Well below what similar lists of the same API give: a row may hold a logo of 128 KiB.
const DEFAULT_LIMIT: u32 = 100;

open_enum! {
    /// Whose accounts to list.
    pub enum AccountScope {
        /// Those of the user.
        User = "USER",
        /// All of the instance; presumably for system administrators only.
        System = "SYSTEM",
    }
}

/// `GET /v1/accounts`: the accounts that the user may see, by `previous_id`.
///
/// Little of this paging is documented, and little is assumed. Each page is asked for from the account *before* the
/// last one listed, so that it has to show a row that was listed. What is not accepted is asked for from further back.
/// Whether a page starts *after* `previous_id` or *at* it, what the server answers to the id of a deleted account, and
/// what the server's own maximum is, from 3 on, makes no difference. In an order in which no account moves, every
/// account that is there from the first request to the last is listed exactly once, or the list ends with an error or a reason in its summary. An
/// empty page is never the end: the end is a page that shows its place and holds nothing new. An empty list is asked
/// for three times.
///
/// If neither the ids nor the dates of creation kept one direction over more than one page, the
/// [`Summary`](crate::Summary) says [`UnstableOrder`](crate::IncompleteReason::UnstableOrder): an account that moved in that order
/// may be missing. A server that sends everything each time, whatever it is asked for, is listed whole.
///
/// # Errors
/// Besides those of every list: [`ListingChanged`](crate::ErrorKind::ListingChanged) if the place in the list is lost, for example because
/// the accounts listed last were all deleted; [`PaginationLoop`](crate::ErrorKind::PaginationLoop) from a server that
/// ignores `previous_id` and fills a page. One that fills no page, or whose page changes meanwhile, is listed with the
/// reason [`Truncated`](crate::IncompleteReason::Truncated). Statuses and bodies of errors are not documented by the provider: 400 and 404 to a
/// page that is not the first say that `previous_id` is unknown.
#[derive(Clone, Debug)]
#[must_use = "a list does nothing until its stream is polled"]
pub struct ListAccounts {
    client: Client,
    scope: Option<AccountScope>,
    limit: u32,
    previous_id: Option<Uuid>,
    sort_by: Vec<(String, SortOrder)>,
}

impl ListAccounts {
    pub(super) fn new(client: Client) -> Self {
        Self { client, scope: None, limit: DEFAULT_LIMIT, previous_id: None, sort_by: Vec::new() }
    }

    /// Whose accounts to list. What the server does without is not documented.
    pub fn account_scope(mut self, scope: AccountScope) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Accounts on a page, 3 or more. Default: 100. The server's own limits are not documented.
    ///
    /// A page repeats one or two accounts of the page before it. 1 and 2 are refused, because nothing new would fit.
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = limit;
        self
    }

    /// Starts after this account. It is taken to be there: what a server answers to any other id is not documented.
    pub fn previous_id(mut self, id: Uuid) -> Self {
        self.previous_id = Some(id);
        self
    }

    /// Sorts by `key`; call it again for further keys. Only `acct_id` is known to be a key.
    ///
    /// The server finds its place by the account's id alone. With a first key that can change, such as the name,
    /// accounts can be missed: a list of more than one page then says [`UnstableOrder`](crate::IncompleteReason::UnstableOrder).
    pub fn sort_by(mut self, key: impl Into<String>, order: SortOrder) -> Self {
        self.sort_by.push((key.into(), order));
        self
    }

    /// `key1:ASC,key2:DESC`.
    fn sorting(&self) -> Option<String> {
        let keys: Vec<_> = self
            .sort_by
            .iter()
            .map(|(key, order)| match order {
                SortOrder::Ascending => format!("{key}:ASC"),
                SortOrder::Descending => format!("{key}:DESC"),
            })
            .collect();
        (!keys.is_empty()).then(|| keys.join(","))
    }

    fn check(&self) -> Result<()> {
        let refuse = |message: String| Err(Error::config(message));
        if self.limit < 3 {
            return refuse(format!("limit is {}; expected 3 or more", self.limit));
        }
        match self.sort_by.iter().find(|(key, _)| key.is_empty() || key.contains([':', ','])) {
            Some((key, _)) => {
                refuse(format!("the sort key {key:?} is empty or holds ':' or ','; expected a member's name"))
            }
            None => Ok(()),
        }
    }

    fn request(&self, place: Option<Uuid>, limit: u32) -> ApiRequest {
        ApiRequest::get(PATH)
            .query("scope", self.scope.as_ref())
            .query("limit", Some(limit))
            .query("previous_id", place)
            .query("sort_by", self.sorting())
    }

    /// The place before the first account.
    fn start(&self) -> Cursor {
        let fixed =
            self.sort_by.first().is_none_or(|(key, _)| matches!(key.as_str(), "acct_id" | "created_at"));
        self.previous_id.map_or_else(|| Cursor::start(fixed), |id| Cursor::behind(id, fixed))
    }
}

impl Source for ListAccounts {
    type Content = Rows<Account>;

    async fn get(&self, place: Option<Uuid>, limit: u32) -> Result<Batch<Rows<Account>>> {
        let content = self.client.send(Ok(self.request(place, limit)), read).await?;
        let mut items = content.items.iter().peekable();
        let rows = content.ids().map(|id| {
            let id = uuid(id.as_deref());
            // A rejected row is no item, and may have the id of one.
            let item = items.next_if(|item| Some(item.acct_id) == id);
            Row { id, created_at: item.and_then(|item| item.created_at) }
        });
        Ok(Batch { rows: rows.collect(), content })
    }
}

fn read(response: &ApiResponse) -> Result<Rows<Account>> {
    const EXPECTED: &str = "an object with items";
    let (rows, others): (_, BTreeMap<String, Option<IgnoredAny>>) = read_page(response, "items", EXPECTED)?;
    // The reference calls `items` optional. An object of something else is no empty list, though.
    match rows {
        Some(rows) => Ok(rows),
        None if others.iter().all(|(name, value)| name == "items" && value.is_none()) => Ok(Rows::empty()),
        None => Err(no_rows(response, "items", EXPECTED)),
    }
}

impl Paginator for ListAccounts {
    type Item = Account;
    type Cursor = Cursor;

    fn listing_id(&self) -> ListingId {
        let first = self.request(self.previous_id, self.limit);
        self.client.api().listing_id(self.client.user(), &Ok(first), &[])
    }

    async fn fetch(&self, at: Option<&Cursor>) -> Result<Page<Account, Cursor>> {
        self.client.api().context(self.check())?;
        let start = self.start();
        let found = paging::find(self, at.unwrap_or(&start), self.limit).await;
        let found = self.client.api().context(found)?;
        let mut rows = found.content;
        rows.retain(|index, _| found.new.get(index).is_some_and(|new| *new));
        let page = rows.into_page(found.next).starting_at(Some(found.at)).with_duplicates(found.moved);
        Ok(found.doubts.into_iter().fold(page, |page, doubt| page.with_doubt(Some(doubt))))
    }

    fn item_id<'a>(&self, account: &'a Account) -> Option<Cow<'a, str>> {
        Some(account.row_id())
    }

    fn advance(&self, cursor: &mut Option<Cursor>, id: Option<&str>) -> bool {
        cursor.get_or_insert_with(|| self.start()).advance(uuid(id));
        true
    }
}

/// The text as an id that can be paged from: a bad row may have any text for one.
fn uuid(id: Option<&str>) -> Option<Uuid> {
    Uuid::parse_str(id?).ok()
}
