use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;

use super::{
    Account, Client, Role,
    auth::{Partner, partner_setters},
};
use crate::{
    Error, ListingId, Page, Paginator, Result,
    http::{ApiRequest, ApiResponse, Rows, no_rows, read_page},
    record::HasId,
};

/// What both versions of the list can be narrowed by. All filters match exactly.
#[derive(Clone, Debug, Default)]
pub(super) struct Filters {
    pub(super) name: Option<String>,
    pub(super) email: Option<String>,
    pub(super) role: Option<Role>,
    pub(super) active: Option<bool>,
    pub(super) group_id: Option<String>,
    pub(super) created_before: Option<DateTime<Utc>>,
    pub(super) created_after: Option<DateTime<Utc>>,
}

impl Filters {
    /// Refuses filters without a value: whether the provider ignores them and lists everything is not
    /// documented.
    fn check(&self) -> Result<()> {
        match self
            .pairs()
            .iter()
            .find(|(_, value)| value.as_ref().is_some_and(|value| value.trim().is_empty()))
        {
            Some((name, _)) => {
                Err(Error::config(format!("the filter {name} is empty; expected a value to match")))
            }
            None => Ok(()),
        }
    }

    /// The filters as query parameters, in a fixed order.
    fn pairs(&self) -> [(&'static str, Option<String>); 7] {
        [
            ("name", self.name.clone()),
            ("email", self.email.clone()),
            ("role", self.role.as_ref().map(|role| role.as_str().to_owned())),
            ("active", self.active.map(|active| active.to_string())),
            ("group_id", self.group_id.clone()),
            ("created_before", self.created_before.map(date)),
            ("created_after", self.created_after.map(date)),
        ]
    }

    pub(super) fn request(&self, path: &str) -> Result<ApiRequest> {
        self.check()?;
        let call = ApiRequest::get(path);
        Ok(self.pairs().into_iter().fold(call, |call, (name, value)| call.query(name, value)))
    }
}

/// In UTC, as `…Z`: the provider silently ignores dates that it can not read.
fn date(date: DateTime<Utc>) -> String {
    let fraction =
        if date.timestamp_subsec_nanos() == 0 { SecondsFormat::Secs } else { SecondsFormat::Millis };
    date.to_rfc3339_opts(fraction, true)
}

/// The setters of [`Filters`], for a list that has them in a field `filters`.
macro_rules! filter_setters {
    () => {
        /// Only accounts of exactly this name.
        pub fn name(mut self, name: impl Into<String>) -> Self {
            self.filters.name = Some(name.into());
            self
        }

        /// Only the account of exactly this e-mail address.
        pub fn email(mut self, email: impl Into<String>) -> Self {
            self.filters.email = Some(email.into());
            self
        }

        /// Only accounts of this role.
        pub fn role(mut self, role: impl Into<$crate::annature::Role>) -> Self {
            self.filters.role = Some(role.into());
            self
        }

        /// Only active accounts, or only deactivated ones.
        pub fn active(mut self, active: bool) -> Self {
            self.filters.active = Some(active);
            self
        }

        /// Only accounts of this account group.
        pub fn group_id(mut self, id: impl Into<String>) -> Self {
            self.filters.group_id = Some(id.into());
            self
        }

        /// Only accounts made before this moment. Whether one made at this very moment is among them is
        /// not documented. Sent with whole milliseconds.
        pub fn created_before(mut self, moment: chrono::DateTime<chrono::Utc>) -> Self {
            self.filters.created_before = Some(moment);
            self
        }

        /// Only accounts made after this moment. Whether one made at this very moment is among them is
        /// not documented. Sent with whole milliseconds.
        pub fn created_after(mut self, moment: chrono::DateTime<chrono::Utc>) -> Self {
            self.filters.created_after = Some(moment);
            self
        }
    };
}
pub(super) use filter_setters;

const PATH: &str = "/v2/accounts";

impl Client {
    /// All accounts, page by page (version 2 of the endpoint). Set its filters, then take it as a
    /// [`Paginator`](crate::Paginator).
    pub fn list_accounts(&self) -> ListAccounts {
        ListAccounts {
            client: self.clone(),
            partner: Partner::default(),
            filters: Filters::default(),
            cursor: None,
        }
    }
}

/// `GET /v2/accounts`: all accounts, newest first, by `cursor`.
///
/// With a partner key, the accounts of the organisations that were provisioned with it; without one, those of
/// one's own organisation.
///
/// The list ends when `has_more` is false. What the last page's `cursor` is, is not documented, and it is
/// not looked at. `has_more` without a cursor is an error, never an end. A cursor is assumed to go with
/// the same filters only. The size of a page is the provider's choice.
///
/// # Errors
/// Those of every list. Neither statuses nor bodies of errors are documented by the provider.
#[derive(Clone, Debug)]
#[must_use = "a list does nothing until its stream is polled"]
pub struct ListAccounts {
    client: Client,
    partner: Partner,
    filters: Filters,
    cursor: Option<String>,
}

impl ListAccounts {
    filter_setters!();
    partner_setters!();

    /// Starts at the page of this cursor.
    pub fn cursor(mut self, cursor: impl Into<String>) -> Self {
        self.cursor = Some(cursor.into());
        self
    }

    fn request(&self, at: Option<&String>) -> Result<ApiRequest> {
        Ok(self.filters.request(PATH)?.query("cursor", at.or(self.cursor.as_ref())))
    }
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    cursor: Option<String>,
    #[serde(default)]
    has_more: Option<bool>,
}

fn read(response: &ApiResponse) -> Result<Page<Account, String>> {
    const EXPECTED: &str = "an object with accounts, cursor and has_more";
    let (rows, envelope): (_, Envelope) = read_page(response, "accounts", EXPECTED)?;
    let rows: Rows<Account> = rows.ok_or_else(|| no_rows(response, "accounts", EXPECTED))?;
    let cursor = envelope.cursor.filter(|cursor| !cursor.is_empty());
    let next = match (envelope.has_more, cursor) {
        (Some(false), _) => None,
        (_, Some(cursor)) => Some(cursor),
        (Some(true), None) => {
            return Err(Error::decode("has_more is true, and there is no cursor to go on by"));
        }
        (None, None) => return Err(Error::decode("the page tells neither has_more nor a cursor")),
    };
    Ok(rows.into_page(next))
}

impl Paginator for ListAccounts {
    type Item = Account;
    type Cursor = String;

    fn listing_id(&self) -> ListingId {
        self.client.listing_id(&self.partner, &self.request(None), &[])
    }

    async fn fetch(&self, at: Option<&String>) -> Result<Page<Account, String>> {
        self.client.send(&self.partner, self.request(at), read).await
    }

    fn item_id<'a>(&self, account: &'a Account) -> Option<Cow<'a, str>> {
        Some(account.row_id())
    }
}
