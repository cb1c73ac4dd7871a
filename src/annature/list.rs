use std::borrow::Cow;

use serde::Deserialize;

use super::{
    Account, Client, NAME,
    filters::{Filters, filter_setters},
    partner::{Partner, partner_setters},
};
use crate::{
    Error, Page, Paginator, Result, Scope,
    http::{Answer, RawRows, Rows, read_object},
};

const PATH: &str = "/v2/accounts";

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
    pub(super) fn new(client: Client) -> Self {
        Self { client, partner: Partner::default(), filters: Filters::default(), cursor: None }
    }

    filter_setters!();
    partner_setters!();

    /// Starts at the page of this cursor.
    pub fn cursor(mut self, cursor: impl Into<String>) -> Self {
        self.cursor = Some(cursor.into());
        self
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    accounts: RawRows<'a>,
    #[serde(default)]
    cursor: Option<String>,
    #[serde(default)]
    has_more: Option<bool>,
}

fn read(answer: &Answer) -> Result<Page<Account, String>> {
    let envelope: Envelope<'_> = read_object(answer, "an object with accounts, cursor and has_more")?;
    let cursor = envelope.cursor.filter(|cursor| !cursor.is_empty());
    let next = match (envelope.has_more, cursor) {
        (Some(false), _) => None,
        (_, Some(cursor)) => Some(cursor),
        (Some(true), None) => {
            return Err(Error::decode("has_more is true, and there is no cursor to go on by"));
        }
        (None, None) => return Err(Error::decode("the page tells neither has_more nor a cursor")),
    };
    Ok(Rows::decode(&envelope.accounts, |account: &Account| account.id.clone())?.into_page(next))
}

impl Paginator for ListAccounts {
    type Item = Account;
    type Cursor = String;

    fn scope(&self) -> Scope {
        let filters = self.filters.facts();
        let facts = [
            ("base_url", self.client.base_url()),
            ("path", PATH),
            ("id", self.client.id()),
            ("audience", self.client.partner_key(&self.partner).unwrap_or_default()),
            ("cursor", self.cursor.as_deref().unwrap_or_default()),
        ];
        Scope::new(NAME, facts.into_iter().chain(filters.iter().map(|(name, value)| (*name, value.as_str()))))
    }

    async fn fetch(&self, at: Option<&String>) -> Result<Page<Account, String>> {
        let call = self.filters.call(PATH).map(|call| call.query("cursor", at.or(self.cursor.as_ref())));
        self.client.send(&self.partner, call, read).await
    }

    fn item_id<'a>(&self, account: &'a Account) -> Option<Cow<'a, str>> {
        Some(Cow::Borrowed(&account.id))
    }
}
