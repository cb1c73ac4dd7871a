use std::{borrow::Cow, collections::BTreeMap};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{Account, Client, NAME, requests::PATH};
use crate::{
    Doubt, Error, ErrorKind, Page, Paginator, Result, Scope, SortOrder,
    http::{Answer, Call, RawRows, Rows, read_object},
    open_enum::open_enum,
    page,
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

    async fn rows(&self, previous_id: Option<Uuid>, limit: u32) -> Result<Rows<Account>> {
        let call = Call::get(PATH)
            .query("scope", self.scope.as_ref())
            .query("limit", Some(limit))
            .query("previous_id", previous_id)
            .query("sort_by", self.sorting());
        self.client.send(Ok(call), read).await
    }

    /// Leaves out of `rows` what stands up to `cursor`, and says what is left.
    async fn skip_to(&self, cursor: &Cursor, rows: &mut Rows<Account>) -> Result<Rest> {
        let find = |wanted: &Uuid| rows.ids.iter().position(|id| uuid(id.as_deref()) == Some(*wanted));
        let mut held = find(&cursor.previous_id);
        if held.is_none()
            && let Some(known) = cursor.tail.iter().rev().find_map(find)
            && self.comes_again(&rows.ids).await?
        {
            held = Some(known);
        }
        let count = rows.len();
        let behind = held.map_or(0, |index| index + 1);
        let from = behind + rows.nameless_behind(behind, cursor.after);
        rows.retain(|index, _| index >= from);
        if rows.len() > 0 {
            return Ok(Rest::More);
        }
        match held {
            // Rows came, all of them before `previous_id`: the server has not looked at it.
            Some(1..) => self.end_without_paging(cursor, count).await,
            // Rows without an id fill the page. What stands behind them can not be asked for.
            _ if cursor.after > 0 && count >= self.limit as usize => Err(nothing_to_go_on_from()),
            // A page of them that is short may be the last, or all that the server gives at once.
            _ if cursor.after > 0 && count > behind => Ok(Rest::MaybeCapped(count as u64)),
            // Nothing, or `previous_id` alone: the end of a server that starts after it, or at it.
            _ => Ok(Rest::End),
        }
    }

    /// Whether a server does not look at `previous_id`, told by a page that holds accounts which came before, but
    /// not `previous_id`. They may as well have moved here, past others that did not come before. Behind the
    /// page's last row no row of the page is found, unless that is so behind every one.
    async fn comes_again(&self, page: &[Option<String>]) -> Result<bool> {
        let mut ids = page.iter().filter_map(|id| uuid(id.as_deref()));
        let Some(last) = ids.next_back() else { return Ok(false) };
        let behind = self.rows(Some(last), 2).await?;
        let behind: Vec<_> = behind.ids.iter().filter_map(|id| uuid(id.as_deref())).collect();
        Ok(ids.any(|id| behind.contains(&id)))
    }

    /// Whether `count` rows are everything that a server has which does not look at `previous_id`.
    async fn end_without_paging(&self, cursor: &Cursor, count: usize) -> Result<Rest> {
        let asked = self.limit as usize;
        if count > asked {
            return Ok(Rest::End);
        }
        let rows_at = async |limit: usize| {
            let limit = u32::try_from(limit).unwrap_or(u32::MAX);
            Ok::<_, Error>(self.rows(Some(cursor.previous_id), limit).await?.len())
        };
        if rows_at((count - 1).max(1)).await? >= count {
            // It does not look at `limit` either: it gives everything, each time.
            return Ok(Rest::End);
        }
        if count == asked && rows_at(asked + 1).await? > asked {
            let message = "the server gives the same page for every previous_id, and more than fits one \
                           page: it can not be listed to its end; raise limit above the number of accounts";
            return Err(Error::new(ErrorKind::PaginationLoop, message).with_provider(NAME));
        }
        // It looks at `limit`, so it may as well have one of its own.
        Ok(Rest::MaybeCapped(count as u64))
    }
}

fn nothing_to_go_on_from() -> Error {
    Error::decode("no row of the page has an acct_id to go on from").with_provider(NAME)
}

/// What a page holds behind the place it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    More,
    End,
    /// Nothing, but the server gives no more than so many rows, and gave as many.
    MaybeCapped(u64),
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
    let mut rows = Rows::decode(&items, |account: &Account| account.acct_id.to_string())?;
    // A bad row may have any text for an id. One that is no UUID can not be paged from: it is as good as none.
    for id in &mut rows.ids {
        id.take_if(|id| Uuid::parse_str(id).is_err());
    }
    Ok(rows)
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
        let start = self.previous_id.map(Cursor::after);
        let at = at.or(start.as_ref());
        let mut rows = self.rows(at.map(|cursor| cursor.previous_id), self.limit).await?;
        let rest = match at {
            Some(cursor) => self.skip_to(cursor, &mut rows).await?,
            None if rows.len() > 0 => Rest::More,
            None => Rest::End,
        };
        let next = match rest {
            Rest::More => Some(Cursor::behind(&rows.ids, at).ok_or_else(nothing_to_go_on_from)?),
            Rest::End | Rest::MaybeCapped(_) => None,
        };
        let capped = match rest {
            Rest::MaybeCapped(cap) => Some(Doubt::Capped { cap }),
            _ => None,
        };
        // An account that came before, and comes again behind its place, has moved: others may have moved the
        // other way, and be missing.
        let moved = at.map_or(0, |at| rows.retain(|_, id| !uuid(id).is_some_and(|id| at.knows(id))));
        let unstable = moved > 0 || self.sort_by.first().is_some_and(|(key, _)| key != "acct_id");
        let page = rows.into_page(next).with_duplicates(moved).with_doubt(capped);
        Ok(page.with_doubt(unstable.then_some(Doubt::UnstableOrder)))
    }

    fn item_id<'a>(&self, account: &'a Account) -> Option<Cow<'a, str>> {
        Some(Cow::Owned(account.acct_id.to_string()))
    }
}

/// How many accounts before `previous_id` are remembered.
const TAIL: usize = 8;

/// Where a page starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    pub(super) previous_id: Uuid,
    /// The accounts that came before it, oldest first: none of them is to come again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) tail: Vec<Uuid>,
    /// Rows behind `previous_id` that were handed out but have no id to page from.
    #[serde(default, skip_serializing_if = "page::is_zero")]
    pub(super) after: u64,
}

impl Cursor {
    /// The place behind an account of which nothing else is known.
    pub(super) fn after(previous_id: Uuid) -> Self {
        Self { previous_id, tail: Vec::new(), after: 0 }
    }

    /// The place behind the last of the rows with these ids, which stand behind `at`; `None` if no row so far has
    /// an id to go on from.
    pub(super) fn behind(ids: &[Option<String>], at: Option<&Self>) -> Option<Self> {
        let last = ids.iter().enumerate().rev().find_map(|(index, id)| Some((index, uuid(id.as_deref())?)));
        let Some((index, previous_id)) = last else {
            return at.map(|at| Self { after: at.after.saturating_add(ids.len() as u64), ..at.clone() });
        };
        // A page may bring few that are new: those before it are still needed.
        let before = at.into_iter().flat_map(|at| at.tail.iter().copied().chain([at.previous_id]));
        let here = ids[..index].iter().filter_map(|id| uuid(id.as_deref()));
        let mut tail: Vec<_> = before.filter(|id| *id != previous_id).chain(here).collect();
        tail.drain(..tail.len().saturating_sub(TAIL));
        Some(Self { previous_id, tail, after: (ids.len() - index - 1) as u64 })
    }

    /// Whether this account came before.
    pub(super) fn knows(&self, id: Uuid) -> bool {
        id == self.previous_id || self.tail.contains(&id)
    }
}

pub(super) fn uuid(id: Option<&str>) -> Option<Uuid> {
    Uuid::parse_str(id?).ok()
}
