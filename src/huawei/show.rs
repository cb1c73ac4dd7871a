use super::{Account, Client, account, path};
use crate::{Result, http::Call};

impl Client {
    /// One account of the organization, by its id.
    ///
    /// For the management account and delegated administrators; IAM action `organizations:accounts:get`.
    #[doc(alias = "get_account")]
    pub fn show_account(&self, id: impl Into<String>) -> ShowAccount {
        ShowAccount { client: self.clone(), id: id.into(), with_register_contact_info: None }
    }
}

/// `GET /v1/organizations/accounts/{account_id}`: one account. It reads, and is retried.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the id can not stand in a path;
/// [`NotFound`](crate::ErrorKind::NotFound) if there is no such account in the organization (the code is not
/// documented); [`Denied`](crate::ErrorKind::Denied) as in every list.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct ShowAccount {
    client: Client,
    id: String,
    with_register_contact_info: Option<bool>,
}

impl ShowAccount {
    /// Whether to tell the account's registered phone number and e-mail address: personal data.
    pub fn with_register_contact_info(mut self, yes: bool) -> Self {
        self.with_register_contact_info = Some(yes);
        self
    }

    /// Sends the request.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<Account> {
        self.client.send(self.call(), account::read).await
    }

    fn call(&self) -> Result<Call> {
        let call = Call::get(path::account(&self.id, "")?);
        Ok(call.query("with_register_contact_info", self.with_register_contact_info))
    }
}
