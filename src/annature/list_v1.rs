use std::{borrow::Cow, collections::HashSet};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{
    Account, Client,
    auth::{Partner, partner_setters},
    list::{Filters, filter_setters},
};
use crate::{
    Error, ErrorKind, IncompleteReason, ListingId, Page, Paginator, Result,
    http::{Rows, read_rows},
    record::HasId,
};

const PATH: &str = "/v1/accounts";
/// What one answer holds at most.
const CAP: usize = 1000;

impl Client {
    /// The newest accounts, at most 1,000, in one array (version 1 of the endpoint). It too is a
    /// [`Paginator`](crate::Paginator).
    pub fn list_accounts_v1(&self) -> ListAccountsV1 {
        ListAccountsV1 {
            client: self.clone(),
            partner: Partner::default(),
            filters: Filters::default(),
            follow_by_date: false,
        }
    }
}

/// `GET /v1/accounts`: the newest accounts in one array, at most 1,000.
///
/// With a partner key, the accounts of the organisations that were provisioned with it; without one, those of
/// one's own organisation.
///
/// The endpoint does not page. Exactly 1,000 accounts are therefore reported as possibly truncated, in the
/// [`Summary`](crate::Summary); [`follow_by_date`](Self::follow_by_date) goes on to the older ones.
///
/// # Errors
/// Those of every list. Neither statuses nor bodies of errors are documented by the provider.
#[derive(Clone, Debug)]
#[must_use = "a list does nothing until its stream is polled"]
pub struct ListAccountsV1 {
    client: Client,
    partner: Partner,
    filters: Filters,
    follow_by_date: bool,
}

/// Where a window of a [follow_by_date](ListAccountsV1::follow_by_date) list starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatedBefore {
    before: DateTime<Utc>,
    /// What the windows before it gave of the accounts that this one may give again.
    seen: Vec<String>,
}

impl ListAccountsV1 {
    filter_setters!();
    partner_setters!();

    /// Goes on behind the first 1,000 accounts, with `created_before` a second after the oldest of them,
    /// and leaves out what came before.
    ///
    /// Assumes that the endpoint sorts by `created`, newest first, as it documents, and that an account's
    /// `created` does not change. Accounts made while the list is walked may be missing, as in any list.
    ///
    /// # Errors
    /// [`Api`](ErrorKind::Api) if 1,000 accounts were made within the same two seconds: the endpoint can
    /// not go past them.
    pub fn follow_by_date(mut self, yes: bool) -> Self {
        self.follow_by_date = yes;
        self
    }

    /// The window after the one at `at`, which has these rows.
    fn next_window(&self, at: Option<&CreatedBefore>, rows: &Rows<Account>) -> Result<Option<CreatedBefore>> {
        if rows.len() < CAP || !self.follow_by_date {
            return Ok(None);
        }
        let created = |account: &Account| account.created.as_ref()?.utc();
        let oldest = rows
            .items
            .iter()
            .filter_map(created)
            .min()
            .ok_or_else(|| Error::decode("no account of the window has a created date to go on from"))?;
        // Dates come with whole seconds, or with fractions that the filter may or may not look at.
        let second = TimeDelta::seconds(1);
        let end = |date: DateTime<Utc>| date.checked_add_signed(second);
        let before = oldest.duration_trunc(second).ok().and_then(end);
        let (before, margin) = before
            .and_then(|before| Some((before, end(before)?)))
            .ok_or_else(|| Error::decode(format!("{oldest} is no date to go on from")))?;
        let before = self.filters.created_before.map_or(before, |most| before.min(most));
        let seen = rows
            .items
            .iter()
            .filter(|account| created(account).is_none_or(|date| date <= margin))
            .map(|account| account.id.clone())
            .chain(rows.rejected.iter().filter_map(|row| row.id.clone()))
            .collect();
        // Each window ends earlier than the one before it, or there would be no end.
        if at.is_some_and(|at| before >= at.before) {
            let message = format!(
                "at least {CAP} accounts were made at about {before}, and the endpoint gives no more than \
                 that: use list_accounts, which pages"
            );
            return Err(Error::new(ErrorKind::Api, message));
        }
        Ok(Some(CreatedBefore { before, seen }))
    }
}

impl Paginator for ListAccountsV1 {
    type Item = Account;
    type Cursor = CreatedBefore;

    fn listing_id(&self) -> ListingId {
        let follow_by_date = [("follow_by_date", if self.follow_by_date { "true" } else { "" })];
        self.client.listing_id(&self.partner, &self.filters.request(PATH), &follow_by_date)
    }

    async fn fetch(&self, at: Option<&CreatedBefore>) -> Result<Page<Account, CreatedBefore>> {
        let mut filters = self.filters.clone();
        if let Some(window) = at {
            filters.created_before = Some(window.before);
        }
        let read = |response: &_| read_rows(response, "an array of accounts");
        let mut rows: Rows<Account> = self.client.send(&self.partner, filters.request(PATH), read).await?;
        let full = rows.len() >= CAP;
        // A set: a window may hold as many rows as there are accounts within its seconds.
        let seen: HashSet<&str> = at.iter().flat_map(|window| &window.seen).map(String::as_str).collect();
        let is_fresh = |id: Option<&str>| id.is_none_or(|id| !seen.contains(id));
        let next = self.client.context(self.next_window(at, &rows))?;
        rows.retain(|_, id| is_fresh(id));
        let doubt = (full && !self.follow_by_date).then_some(IncompleteReason::Truncated { cap: CAP as u64 });
        Ok(rows.into_page(next).with_doubt(doubt))
    }

    fn item_id<'a>(&self, account: &'a Account) -> Option<Cow<'a, str>> {
        Some(account.row_id())
    }
}
