use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;

use super::{
    Account, Client, Role,
    auth::{PartnerKey, partner_setters},
};
use crate::{
    AnyPaginator, Error, ListingId, Page, Paginator, Result,
    http::{ApiRequest, ApiResponse, no_rows, read_page},
    page::{DecodedAccounts, FetchAs},
    record::HasId,
};

/// The filters of both versions of the list. All filters match exactly.
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
    /// Rejects blank filters: whether the provider ignores them and lists everything is not documented.
    fn check(&self) -> Result<()> {
        match self
            .query_pairs()
            .iter()
            .find(|(_, value)| value.as_ref().is_some_and(|value| value.trim().is_empty()))
        {
            Some((name, _)) => {
                Err(Error::config(format!("the filter {name} is empty; expected a value to match")))
            }
            None => Ok(()),
        }
    }

    /// Returns the filters as query parameters, in a fixed order.
    fn query_pairs(&self) -> [(&'static str, Option<String>); 7] {
        [
            ("name", self.name.clone()),
            ("email", self.email.clone()),
            ("role", self.role.as_ref().map(|role| role.as_str().to_owned())),
            ("active", self.active.map(|active| active.to_string())),
            ("group_id", self.group_id.clone()),
            ("created_before", self.created_before.map(format_date)),
            ("created_after", self.created_after.map(format_date)),
        ]
    }

    pub(super) fn request(&self, path: &str) -> Result<ApiRequest> {
        self.check()?;
        let request = ApiRequest::get(path);
        Ok(self.query_pairs().into_iter().fold(request, |request, (name, value)| request.query(name, value)))
    }
}

/// Formats a date in UTC, with a `Z`: the provider silently ignores dates that it cannot parse.
fn format_date(date: DateTime<Utc>) -> String {
    let fraction =
        if date.timestamp_subsec_nanos() == 0 { SecondsFormat::Secs } else { SecondsFormat::Millis };
    date.to_rfc3339_opts(fraction, true)
}

/// Defines the setters of [`Filters`] for a list with a field `filters`.
macro_rules! filter_setters {
    () => {
        /// Lists only accounts with exactly this name.
        pub fn name(mut self, name: impl Into<String>) -> Self {
            self.filters.name = Some(name.into());
            self
        }

        /// Lists only the account with exactly this e-mail address.
        pub fn email(mut self, email: impl Into<String>) -> Self {
            self.filters.email = Some(email.into());
            self
        }

        /// Lists only accounts with this role.
        pub fn role(mut self, role: impl Into<$crate::annature::Role>) -> Self {
            self.filters.role = Some(role.into());
            self
        }

        /// Lists only active accounts, or only deactivated ones.
        pub fn active(mut self, active: bool) -> Self {
            self.filters.active = Some(active);
            self
        }

        /// Lists only accounts in this account group.
        pub fn group_id(mut self, id: impl Into<String>) -> Self {
            self.filters.group_id = Some(id.into());
            self
        }

        /// Lists only accounts created before this date, which is sent with millisecond precision.
        ///
        /// Whether an account created exactly then is included is not documented.
        pub fn created_before(mut self, date: chrono::DateTime<chrono::Utc>) -> Self {
            self.filters.created_before = Some(date);
            self
        }

        /// Lists only accounts created after this date, which is sent with millisecond precision.
        ///
        /// Whether an account created exactly then is included is not documented.
        pub fn created_after(mut self, date: chrono::DateTime<chrono::Utc>) -> Self {
            self.filters.created_after = Some(date);
            self
        }
    };
}
pub(super) use filter_setters;

const PATH: &str = "/v2/accounts";

impl Client {
    /// Lists all accounts in pages (version 2 of the endpoint). Set filters, then use it as a
    /// [`Paginator`](crate::Paginator).
    pub fn list_accounts(&self) -> ListAccounts {
        ListAccounts {
            client: self.clone(),
            partner_key: PartnerKey::default(),
            filters: Filters::default(),
            cursor: None,
        }
    }
}

/// `GET /v2/accounts`: lists all accounts, newest first, paged by `cursor`.
///
/// With a partner key, lists the accounts of the organisations that were provisioned with it. Without one,
/// lists those of the caller's organisation.
///
/// The listing ends when `has_more` is false. The `cursor` of the last page is not documented, and is
/// ignored.
/// `has_more` without a cursor is an error, never the end. A cursor is assumed to be valid only with the same
/// filters. The provider chooses the page size.
///
/// # Errors
/// The errors of every list. The provider documents neither statuses nor bodies of errors.
#[derive(Clone, Debug)]
#[must_use = "a list does nothing until its stream is polled"]
pub struct ListAccounts {
    client: Client,
    partner_key: PartnerKey,
    filters: Filters,
    cursor: Option<String>,
}

impl ListAccounts {
    filter_setters!();
    partner_setters!();

    /// Starts the listing at this cursor.
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

fn read<U: From<Account>>(response: &ApiResponse) -> Result<Page<U, String>> {
    const EXPECTED: &str = "an object with accounts, cursor and has_more";
    let (rows, envelope) = read_page::<Account, U, Envelope>(response, "accounts", EXPECTED)?;
    let rows = rows.ok_or_else(|| no_rows(response, "accounts", EXPECTED))?;
    let cursor = envelope.cursor.filter(|cursor| !cursor.is_empty());
    let next = match (envelope.has_more, cursor) {
        (Some(false), _) => None,
        (_, Some(cursor)) => Some(cursor),
        (Some(true), None) => {
            return Err(Error::decode("has_more is true, but there is no cursor for the next page"));
        }
        (None, None) => return Err(Error::decode("the page has neither has_more nor a cursor")),
    };
    Ok(rows.into_page(next))
}

crate::page::inherent_streams!(ListAccounts, accounts);

impl Paginator for ListAccounts {
    type Item = Account;
    type Cursor = String;

    fn listing_id(&self) -> ListingId {
        self.client.listing_id(&self.partner_key, &self.request(None), &[])
    }

    async fn fetch(&self, at: Option<&String>) -> Result<Page<Account, String>> {
        self.fetch_as(at).await
    }

    fn item_id<'a>(&self, account: &'a Account) -> Option<Cow<'a, str>> {
        Some(account.row_id())
    }

    fn into_accounts(self) -> AnyPaginator<crate::Account> {
        AnyPaginator::new(DecodedAccounts(self))
    }
}

impl FetchAs for ListAccounts {
    async fn fetch_as<U: From<Account> + Send>(&self, at: Option<&String>) -> Result<Page<U, String>> {
        self.client.send(&self.partner_key, self.request(at), read).await
    }
}
