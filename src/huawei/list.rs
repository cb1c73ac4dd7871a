use super::{
    Account, Client,
    length::check_length,
    marker::{DEFAULT_LIMIT, MOST, Paging, check_limit, marker_setters, pages_by_marker},
    path,
};
use crate::{Paginator, Result, Scope, http::Call};

const MOST_WITH_CONTACT: u32 = 200;

impl Client {
    /// The accounts of the organization. Set its parameters, then take it as a
    /// [`Paginator`](crate::Paginator).
    ///
    /// For the management account and delegated administrators; IAM action `organizations:accounts:list`.
    pub fn list_accounts(&self) -> ListAccounts {
        ListAccounts {
            client: self.clone(),
            parent_id: None,
            with_register_contact_info: None,
            paging: Paging::default(),
        }
    }
}

/// `GET /v1/organizations/accounts`: the accounts of an organization, by `marker`.
///
/// The list ends when the answer's `next_marker` is null, absent or empty, and only then. A page without
/// accounts but with a marker is followed (an assumption: the reference does not speak of one). So is that an
/// empty list is told as `[]`, with `page_info`: an answer that lacks one of them, or has null in its place,
/// is an error and never an end.
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
    paging: Paging,
}

impl ListAccounts {
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

    marker_setters! {
        /// Accounts on a page: 1 to 2000, or to 200 with contact information. Default: 1000, or 200.
        ///
        /// Always sent: the provider's own default has changed over time.
    }

    fn contact(&self) -> bool {
        self.with_register_contact_info == Some(true)
    }

    fn page_size(&self) -> u32 {
        self.paging.limit.unwrap_or(if self.contact() { MOST_WITH_CONTACT } else { DEFAULT_LIMIT })
    }

    fn call(&self, at: Option<&String>) -> Result<Call> {
        if self.contact() {
            check_limit(self.page_size(), MOST_WITH_CONTACT, " with contact information")?;
        } else {
            check_limit(self.page_size(), MOST, "")?;
        }
        if let Some(id) = &self.parent_id {
            check_length("parent_id", id, 1, 100)?;
        }
        self.paging.check_marker()?;
        let call = Call::get(path::ACCOUNTS)
            .query("parent_id", self.parent_id.as_ref())
            .query("with_register_contact_info", self.with_register_contact_info);
        Ok(self.paging.query(call, self.page_size(), at))
    }
}

impl Paginator for ListAccounts {
    pages_by_marker!(Account, rows = "accounts", id = id);

    fn scope(&self) -> Scope {
        self.client.scope(
            path::ACCOUNTS,
            [
                ("parent_id", self.parent_id.as_deref().unwrap_or_default()),
                ("contact", if self.contact() { "true" } else { "" }),
                ("limit", &self.page_size().to_string()),
                ("marker", self.paging.start()),
            ],
        )
    }
}
