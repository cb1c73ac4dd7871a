use std::{borrow::Cow, collections::BTreeMap};

use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{
    Account, Client, Cursor, NAME,
    paging::{self, Batch, Row, Source},
    requests::PATH,
};
use crate::{
    Error, Page, Paginator, Result, Scope, SortOrder,
    http::{Answer, Call, RawRows, Rows, read_object},
    open_enum::open_enum,
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
/// The end is an empty page. Whether a page starts *after* `previous_id` or *at* it is not documented for
/// accounts: where the page holds `previous_id`, the rows up to it are left out, which serves both. That the
/// server keeps to one order, whatever it is, is an assumption. An account that comes again all the same, because
/// it moved in that order, is left out alone; the [`Summary`](crate::Summary) then says
/// [`UnstableOrder`](Doubt::UnstableOrder). Older servers know no parameters and send everything each time; that is
/// noticed, and the list ends whole. A server that honours `limit` but not `previous_id` can not be listed to its
/// end: that is an error.
///
/// # Errors
/// Besides those of every list, [`PaginationLoop`](ErrorKind::PaginationLoop) from a server that gives the
/// same page for every `previous_id`. Statuses and bodies of errors are not documented by the provider.
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

    /// Accounts on a page, 2 or more. Default: 100. The server's own limits are not documented.
    ///
    /// 1 is refused: a page that starts at `previous_id` would then hold nothing else.
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = limit;
        self
    }

    /// Starts after this account.
    pub fn previous_id(mut self, id: Uuid) -> Self {
        self.previous_id = Some(id);
        self
    }

    /// Sorts by `key`; call it again for further keys. Only `acct_id` is known to be a key.
    ///
    /// The server finds its place by the account's id alone, so with any other first key accounts can be
    /// missed: the [`Summary`](crate::Summary) then says [`UnstableOrder`](Doubt::UnstableOrder).
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
        let refuse = |message: String| Err(Error::config(message).with_provider(NAME));
        if self.limit < 2 {
            return refuse(format!("limit is {}; expected 2 or more", self.limit));
        }
        match self.sort_by.iter().find(|(key, _)| key.is_empty() || key.contains([':', ','])) {
            Some((key, _)) => {
                refuse(format!("the sort key {key:?} is empty or holds ':' or ','; expected a member's name"))
            }
            None => Ok(()),
        }
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
        let call = Call::get(PATH)
            .query("scope", self.scope.as_ref())
            .query("limit", Some(limit))
            .query("previous_id", place)
            .query("sort_by", self.sorting());
        let content = self.client.send(Ok(call), read).await?;
        let mut items = content.items.iter().peekable();
        let rows = content.ids.iter().map(|id| {
            let id = uuid(id.as_deref());
            // A rejected row is no item, and may have the id of one.
            let item = items.next_if(|item| Some(item.acct_id) == id);
            Row { id, created_at: item.and_then(|item| item.created_at) }
        });
        Ok(Batch { rows: rows.collect(), content })
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    items: Option<RawRows<'a>>,
}

fn read(answer: &Answer) -> Result<Rows<Account>> {
    const EXPECTED: &str = "an object with items";
    let envelope: Envelope<'_> = read_object(answer, EXPECTED)?;
    let Some(items) = envelope.items else {
        // The reference calls `items` optional. An object of something else is no empty list, though.
        let members: BTreeMap<String, &RawValue> = read_object(answer, EXPECTED)?;
        return if members.keys().all(|name| name == "items") {
            Ok(Rows::none())
        } else {
            Err(Error::decode(format!("expected {EXPECTED}, and an object with other members came")))
        };
    };
    Rows::decode(&items, |account: &Account| account.acct_id.to_string())
}

impl Paginator for ListAccounts {
    type Item = Account;
    type Cursor = Cursor;

    fn scope(&self) -> Scope {
        Scope::new(
            NAME,
            [
                ("base_url", self.client.channel().base_url()),
                ("path", PATH),
                ("user", self.client.user()),
                ("scope", self.scope.as_ref().map_or("", AccountScope::as_str)),
                ("limit", &self.limit.to_string()),
                ("previous_id", &self.previous_id.map_or(String::new(), |id| id.to_string())),
                ("sort_by", &self.sorting().unwrap_or_default()),
            ],
        )
    }

    async fn fetch(&self, at: Option<&Cursor>) -> Result<Page<Account, Cursor>> {
        self.check()?;
        let start = self.start();
        let found = paging::find(self, at.unwrap_or(&start), self.limit).await?;
        let mut rows = found.content;
        rows.retain(|index, _| found.new.get(index).is_some_and(|new| *new));
        let page = rows.into_page(found.next).with_duplicates(found.moved);
        Ok(found.doubts.into_iter().fold(page, |page, doubt| page.with_doubt(Some(doubt))))
    }

    fn item_id<'a>(&self, account: &'a Account) -> Option<Cow<'a, str>> {
        Some(Cow::Owned(account.acct_id.to_string()))
    }
}

fn uuid(id: Option<&str>) -> Option<Uuid> {
    Uuid::parse_str(id?).ok()
}
