use std::{borrow::Cow, collections::HashSet};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{
    Account, Client,
    auth::{PartnerKey, partner_setters},
    list::{Filters, filter_setters},
};
use crate::{
    Error, ErrorKind, IncompleteReason, ListingId, Page, Paginator, Result,
    http::{Rows, read_rows},
    record::HasId,
};

const PATH: &str = "/v1/accounts";
/// The documented maximum of accounts in one response.
const MAX_ROWS: usize = 1000;

impl Client {
    /// Lists the newest accounts, at most 1,000, in one array (version 1 of the endpoint). Use it as a
    /// [`Paginator`](crate::Paginator).
    pub fn list_accounts_v1(&self) -> ListAccountsV1 {
        ListAccountsV1 {
            client: self.clone(),
            partner_key: PartnerKey::default(),
            filters: Filters::default(),
            follow_by_date: false,
        }
    }
}

/// `GET /v1/accounts`: lists the newest accounts in one array, at most 1,000.
///
/// With a partner key, lists the accounts of the organisations that were provisioned with it. Without one,
/// lists those of the caller's organisation.
///
/// The endpoint does not page. The [`Summary`](crate::Summary) therefore reports a response with 1,000
/// accounts or more as possibly truncated. [`follow_by_date`](Self::follow_by_date) continues with the older
/// accounts.
///
/// # Errors
/// The errors of every list. The provider documents neither statuses nor bodies of errors.
#[derive(Clone, Debug)]
#[must_use = "a list does nothing until its stream is polled"]
pub struct ListAccountsV1 {
    client: Client,
    partner_key: PartnerKey,
    filters: Filters,
    follow_by_date: bool,
}

/// The cursor of a list that [follows by date](ListAccountsV1::follow_by_date).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatedBefore {
    before: DateTime<Utc>,
    previous_ids: Vec<String>,
}

impl ListAccountsV1 {
    filter_setters!();
    partner_setters!();

    /// Sets whether to continue after the first 1,000 accounts. Default: false.
    ///
    /// Each further request sets `created_before` to a second after the oldest account so far, and accounts
    /// that were already listed are skipped. Assumes that the endpoint sorts by `created`, newest first, as
    /// documented, and that an account's `created` does not change. Accounts created during the listing may
    /// be missing, as in any list.
    ///
    /// # Errors
    /// [`Api`](ErrorKind::Api) if 1,000 accounts were created within the same two seconds: the endpoint
    /// cannot return more of them.
    pub fn follow_by_date(mut self, follow: bool) -> Self {
        self.follow_by_date = follow;
        self
    }

    /// Returns the cursor after the page at `at`, which has these rows.
    fn next_cursor(&self, at: Option<&CreatedBefore>, rows: &Rows<Account>) -> Result<Option<CreatedBefore>> {
        if rows.len() < MAX_ROWS || !self.follow_by_date {
            return Ok(None);
        }
        let created = |account: &Account| account.created.as_ref()?.utc();
        let oldest = rows.items.iter().filter_map(created).min().ok_or_else(|| {
            Error::decode("no account of the page has a created date; cannot continue by date")
        })?;
        // Dates may have fractions of a second; whether the filter compares them is not documented.
        let second = TimeDelta::seconds(1);
        let end = |date: DateTime<Utc>| date.checked_add_signed(second);
        let before = oldest.duration_trunc(second).ok().and_then(end);
        let (before, margin) = before
            .and_then(|before| Some((before, end(before)?)))
            .ok_or_else(|| Error::decode(format!("cannot continue by date: {oldest} is out of range")))?;
        let before = self.filters.created_before.map_or(before, |limit| before.min(limit));
        let previous_ids = rows
            .items
            .iter()
            .filter(|account| created(account).is_none_or(|date| date <= margin))
            .map(|account| account.id.clone())
            .chain(rows.rejected.iter().filter_map(|row| row.id.clone()))
            .collect();
        // Without progress, the listing would never end.
        if at.is_some_and(|at| before >= at.before) {
            let message = format!(
                "at least {MAX_ROWS} accounts were created at about {before}, and the endpoint \
                 returns no more than that; use list_accounts, which pages"
            );
            return Err(Error::new(ErrorKind::Api, message));
        }
        Ok(Some(CreatedBefore { before, previous_ids }))
    }
}

crate::page::inherent_streams!(ListAccountsV1, accounts);

impl Paginator for ListAccountsV1 {
    type Item = Account;
    type Cursor = CreatedBefore;

    fn listing_id(&self) -> ListingId {
        let follow_by_date = [("follow_by_date", if self.follow_by_date { "true" } else { "" })];
        self.client.listing_id(&self.partner_key, &self.filters.request(PATH), &follow_by_date)
    }

    async fn fetch(&self, at: Option<&CreatedBefore>) -> Result<Page<Account, CreatedBefore>> {
        let mut filters = self.filters.clone();
        if let Some(cursor) = at {
            filters.created_before = Some(cursor.before);
        }
        let read = |response: &_| read_rows(response, "an array of accounts");
        let mut rows: Rows<Account> =
            self.client.send(&self.partner_key, filters.request(PATH), read).await?;
        let full = rows.len() >= MAX_ROWS;
        // A set, because the number of accounts created within two seconds is not bounded.
        let previous_ids: HashSet<&str> =
            at.iter().flat_map(|cursor| &cursor.previous_ids).map(String::as_str).collect();
        let next = self.client.context(self.next_cursor(at, &rows))?;
        rows.retain(|_, id| id.is_none_or(|id| !previous_ids.contains(id)));
        let reason =
            (full && !self.follow_by_date).then_some(IncompleteReason::Truncated { cap: MAX_ROWS as u64 });
        Ok(rows.into_page(next).with_incomplete(reason))
    }

    fn item_id<'a>(&self, account: &'a Account) -> Option<Cow<'a, str>> {
        Some(account.row_id())
    }
}
