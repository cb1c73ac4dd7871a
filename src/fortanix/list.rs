use std::{borrow::Cow, collections::BTreeMap};

use serde::de::IgnoredAny;
use uuid::Uuid;

use super::{
    Account, Client, Cursor,
    paging::{self, Batch, PageSource, Row},
    requests::ACCOUNTS_PATH,
};
use crate::{
    Error, ListingId, Page, Paginator, Result, SortOrder,
    http::{ApiRequest, ApiResponse, Rows, no_rows, read_page},
    open_enum::open_enum,
    record::HasId,
};

/// Well below the page sizes of similar lists of the same API, because a row may contain a logo of 128 KiB.
const DEFAULT_LIMIT: u32 = 100;

open_enum! {
    /// Whose accounts to list.
    pub enum AccountScope {
        /// The accounts of the user.
        User = "USER",
        /// All accounts of the instance. Probably for system administrators only; this is not documented.
        System = "SYSTEM",
    }
}

/// `GET /v1/accounts`: lists the accounts that the user may see, paged by `previous_id`.
///
/// In an order in which no account moves, every account that exists from the first request to the last is
/// listed exactly once, or the list ends with an error or with a reason in its [`Summary`](crate::Summary).
///
/// Each page is requested from the account *before* the last one listed, so that it has to contain a row that
/// was listed. If it does not, the page is requested from further back. An empty page is never the end. The
/// end is a page that overlaps the listed rows and has no new ones. An empty list is requested three times.
///
/// If neither the ids nor the dates of creation keep one direction over more than one page, the summary has
/// the reason [`UnstableOrder`](crate::IncompleteReason::UnstableOrder): accounts that moved in that order
/// may be missing. A server that returns every account in each response, whatever is requested, is listed
/// completely.
///
/// # Errors
/// In addition to those of every list:
///
/// - [`ListingChanged`](crate::ErrorKind::ListingChanged) if the position in the list is lost, for example
///   because the accounts that were listed last were all deleted.
/// - [`PaginationLoop`](crate::ErrorKind::PaginationLoop) if the server ignores `previous_id` and returns
///   full pages. If it ignores `previous_id` and its page is not full, or changes during the list, the
///   summary has the reason [`Truncated`](crate::IncompleteReason::Truncated) instead.
///
/// # Not documented
/// The provider documents little of this paging. The list does not depend on whether a page starts *after*
/// `previous_id` or *at* it, on the response to the id of a deleted account, or on the server's own maximum,
/// if that is 3 or more. Statuses and bodies of errors are not documented either. Status 400 or 404 for a
/// page that is not the first is taken to mean that `previous_id` is unknown.
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

    /// Sets whose accounts to list. The server's default is not documented.
    pub fn account_scope(mut self, scope: AccountScope) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Sets the number of accounts per page, 3 or more. Default: 100. The server's own limits are not
    /// documented.
    ///
    /// A page repeats one or two accounts of the page before it, so a page of 1 or 2 would have no new ones.
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = limit;
        self
    }

    /// Starts the list after this account. The account must exist: the server's response to any other id is
    /// not documented.
    ///
    /// If the first page has one account, and another is created before that one while the list is read, the list
    /// fails with [`ListingChanged`](crate::ErrorKind::ListingChanged).
    pub fn previous_id(mut self, id: Uuid) -> Self {
        self.previous_id = Some(id);
        self
    }

    /// Sorts by `key`. Call it again to add further keys. Valid keys are not documented; the sibling
    /// API DSM accepts only `acct_id`.
    ///
    /// The server locates a page by the account's id alone. With a first key that can change, such as the
    /// name, accounts can be missed. A list of more than one page then has the reason
    /// [`UnstableOrder`](crate::IncompleteReason::UnstableOrder) in its summary.
    pub fn sort_by(mut self, key: impl Into<String>, order: SortOrder) -> Self {
        self.sort_by.push((key.into(), order));
        self
    }

    /// Returns `key1:ASC,key2:DESC`.
    fn sort_param(&self) -> Option<String> {
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

    fn validate(&self) -> Result<()> {
        let invalid = |message: String| Err(Error::config(message));
        if self.limit < 3 {
            return invalid(format!("limit is {}; expected 3 or more", self.limit));
        }
        match self.sort_by.iter().find(|(key, _)| key.is_empty() || key.contains([':', ','])) {
            Some((key, _)) => invalid(format!(
                "invalid sort key {key:?}: expected the name of a member, without ':' and ','"
            )),
            None => Ok(()),
        }
    }

    fn request(&self, previous_id: Option<Uuid>, limit: u32) -> ApiRequest {
        ApiRequest::get(ACCOUNTS_PATH)
            .query("scope", self.scope.as_ref())
            .query("limit", Some(limit))
            .query("previous_id", previous_id)
            .query("sort_by", self.sort_param())
    }

    /// Returns the position before the first account.
    fn start(&self) -> Cursor {
        let maybe_stable =
            self.sort_by.first().is_none_or(|(key, _)| matches!(key.as_str(), "acct_id" | "created_at"));
        self.previous_id.map_or_else(|| Cursor::start(maybe_stable), |id| Cursor::after(id, maybe_stable))
    }
}

impl PageSource for ListAccounts {
    type Content = Rows<Account>;

    async fn fetch_rows(&self, previous_id: Option<Uuid>, limit: u32) -> Result<Batch<Rows<Account>>> {
        let content = self.client.send(Ok(self.request(previous_id, limit)), read_accounts).await?;
        let mut items = content.items.iter().peekable();
        let rows = content.ids().map(|id| {
            let id = parse_id(id.as_deref());
            // A rejected row is not an item, and may have the id of one.
            let item = items.next_if(|item| Some(item.acct_id) == id);
            Row { id, created_at: item.and_then(|item| item.created_at) }
        });
        Ok(Batch { rows: rows.collect(), content })
    }
}

fn read_accounts(response: &ApiResponse) -> Result<Rows<Account>> {
    const EXPECTED: &str = "an object with items";
    let (rows, other_members): (_, BTreeMap<String, Option<IgnoredAny>>) =
        read_page(response, "items", EXPECTED)?;
    // The reference calls `items` optional, but an object with other members is not an empty list.
    match rows {
        Some(rows) => Ok(rows),
        None if other_members.iter().all(|(name, value)| name == "items" && value.is_none()) => {
            Ok(Rows::empty())
        }
        None => Err(no_rows(response, "items", EXPECTED)),
    }
}

crate::page::inherent_streams!(ListAccounts, accounts);

impl Paginator for ListAccounts {
    type Item = Account;
    type Cursor = Cursor;

    fn listing_id(&self) -> ListingId {
        let first = self.request(self.previous_id, self.limit);
        self.client.api().listing_id(self.client.user(), &first)
    }

    async fn fetch(&self, cursor: Option<&Cursor>) -> Result<Page<Account, Cursor>> {
        self.client.api().context(self.validate())?;
        let start = self.start();
        let found = paging::fetch_page(self, cursor.unwrap_or(&start), self.limit).await;
        let found = self.client.api().context(found)?;
        let mut rows = found.content;
        rows.retain(|index, _| found.is_new.get(index).is_some_and(|is_new| *is_new));
        let page = rows.into_page(found.next).starting_at(Some(found.start)).with_duplicates(found.moved);
        Ok(found.reasons.into_iter().fold(page, |page, reason| page.with_incomplete(Some(reason))))
    }

    fn item_id<'a>(&self, account: &'a Account) -> Option<Cow<'a, str>> {
        Some(account.row_id())
    }

    fn advance(&self, cursor: &mut Option<Cursor>, id: Option<&str>) -> bool {
        cursor.get_or_insert_with(|| self.start()).advance(parse_id(id));
        true
    }
}

/// Parses an id that can be sent as `previous_id`. An invalid row may have any text as its id.
fn parse_id(id: Option<&str>) -> Option<Uuid> {
    Uuid::parse_str(id?).ok()
}
