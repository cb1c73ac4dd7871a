use super::{Client, path};
use crate::{
    Result,
    http::{Call, read_nothing},
};

impl Client {
    /// Removes an account from the organization. It goes on as an account of its own.
    ///
    /// For the management account only; IAM action `organizations:accounts:remove`.
    pub fn remove_account(&self, id: impl Into<String>) -> RemoveAccount {
        RemoveAccount { client: self.clone(), id: id.into() }
    }
}

/// `POST /v1/organizations/accounts/{account_id}/remove`: removes an account from the organization.
///
/// The account must have what it needs to go on alone, and must not be a delegated administrator: *User
/// Guide*, "Removing a Member Account from Your Organization". All of it is left to the provider to check.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retry::Uncertain`](crate::Retry::Uncertain), ask
/// [`show_account`](Client::show_account) whether it is still there.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the id can not stand in a path;
/// [`NotFound`](crate::ErrorKind::NotFound) if there is no such account (the code is not documented);
/// [`Api`](crate::ErrorKind::Api) if it can not be removed; [`Denied`](crate::ErrorKind::Denied) if the key
/// does not belong to the management account (`Organizations.1001`).
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct RemoveAccount {
    client: Client,
    id: String,
}

impl RemoveAccount {
    /// Sends the request.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<()> {
        self.client.send(self.call(), read_nothing).await
    }

    fn call(&self) -> Result<Call> {
        Ok(path::post(path::account(&self.id, "/remove")?))
    }
}
