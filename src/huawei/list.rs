use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Account, Client, NAME};
use crate::{
    Error, Page, Paginator, Result, Scope,
    http::{Answer, Call, Rows, read_json},
};

const PATH: &str = "/v1/organizations/accounts";
const DEFAULT_LIMIT: u32 = 1000;
const MOST: u32 = 2000;
const MOST_WITH_CONTACT: u32 = 200;

/// `GET /v1/organizations/accounts`: the accounts of an organization, by `marker`.
///
/// The list ends when the answer's `next_marker` is null, absent or empty, and only then. A page without
/// accounts but with a marker is followed (an assumption: the reference does not speak of one).
///
/// # Errors
/// Besides those of every list, [`Denied`](crate::ErrorKind::Denied) if the key belongs neither to the
/// management account nor to a delegated administrator (`Organizations.1001`, `.1002`). A 401 is never
/// retried, because five in a row lock the key for five minutes.
#[derive(Clone, Debug)]
#[must_use = "a list does nothing until its stream is polled"]
pub struct ListAccounts {
    client: Client,
    parent_id: Option<String>,
    with_register_contact_info: Option<bool>,
    limit: Option<u32>,
    marker: Option<String>,
}

impl ListAccounts {
    pub(super) fn new(client: Client) -> Self {
        Self { client, parent_id: None, with_register_contact_info: None, limit: None, marker: None }
    }

    /// Only the direct children of a root (`r-…`) or organizational unit (`ou-…`). At most 100 characters.
    pub fn parent_id(mut self, id: impl Into<String>) -> Self {
        self.parent_id = Some(id.into());
        self
    }

    /// Whether to tell each account's registered phone number and e-mail address: personal data. With
    /// them, a page has at most 200 accounts.
    pub fn with_register_contact_info(mut self, yes: bool) -> Self {
        self.with_register_contact_info = Some(yes);
        self
    }

    /// Accounts on a page: 1 to 2000, or to 200 with contact information. Default: 1000, or 200.
    ///
    /// Always sent: the provider's own default has changed over time.
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Starts at the page of this marker, a `next_marker` of 4 to 400 characters.
    pub fn marker(mut self, marker: impl Into<String>) -> Self {
        self.marker = Some(marker.into());
        self
    }

    fn contact(&self) -> bool {
        self.with_register_contact_info == Some(true)
    }

    fn page_size(&self) -> u32 {
        self.limit.unwrap_or(if self.contact() { MOST_WITH_CONTACT } else { DEFAULT_LIMIT })
    }

    fn check(&self) -> Result<()> {
        let refuse = |message: String| Err(Error::config(message).with_provider(NAME));
        let most = if self.contact() { MOST_WITH_CONTACT } else { MOST };
        let limit = self.page_size();
        if !(1..=most).contains(&limit) {
            let contact = if self.contact() { " with contact information" } else { "" };
            return refuse(format!("limit is {limit}; expected 1 to {most}{contact}"));
        }
        if let Some(id) = &self.parent_id
            && !(1..=100).contains(&id.chars().count())
        {
            return refuse(format!("parent_id has {} characters; expected 1 to 100", id.chars().count()));
        }
        if let Some(marker) = &self.marker
            && !(4..=400).contains(&marker.chars().count())
        {
            return refuse(format!("marker has {} characters; expected 4 to 400", marker.chars().count()));
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    accounts: Vec<&'a RawValue>,
    page_info: PageInfo,
}

#[derive(Deserialize)]
struct PageInfo {
    #[serde(default)]
    next_marker: Option<String>,
}

fn read(answer: &Answer) -> Result<Page<Account, String>> {
    let envelope: Envelope<'_> = read_json(answer, "an object with accounts and page_info")?;
    let next = envelope.page_info.next_marker.filter(|marker| !marker.is_empty());
    Ok(Rows::decode(&envelope.accounts, |account: &Account| account.id.clone()).into_page(next))
}

impl Paginator for ListAccounts {
    type Item = Account;
    type Cursor = String;

    fn scope(&self) -> Scope {
        Scope::new(
            NAME,
            [
                ("base_url", self.client.channel().base_url()),
                ("path", PATH),
                ("tenant", self.client.tenant()),
                ("parent_id", self.parent_id.as_deref().unwrap_or_default()),
                ("contact", if self.contact() { "true" } else { "" }),
                ("limit", &self.page_size().to_string()),
                ("marker", self.marker.as_deref().unwrap_or_default()),
            ],
        )
    }

    async fn fetch(&self, at: Option<&String>) -> Result<Page<Account, String>> {
        self.check()?;
        let call = Call::get(PATH)
            .query("parent_id", self.parent_id.as_ref())
            .query("with_register_contact_info", self.with_register_contact_info)
            .query("limit", Some(self.page_size()))
            .query("marker", at.or(self.marker.as_ref()));
        self.client.channel().send(self.client.service(), &call, read).await
    }

    fn item_id<'a>(&self, account: &'a Account) -> Option<Cow<'a, str>> {
        Some(Cow::Borrowed(&account.id))
    }
}
