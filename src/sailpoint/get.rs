use super::{Account, Client, version::Root};
use crate::{
    Result,
    http::{Call, read_object, segment},
};

/// `GET …/accounts/{id}`: one account, in full.
///
/// Permission: the scope `idn:accounts:read` or `idn:accounts:manage`, and a user level of `ORG_ADMIN`,
/// `SOURCE_ADMIN`, `SOURCE_SUBADMIN` or `HELPDESK`. It reads, and is retried.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the id can not be one, [`NotFound`](crate::ErrorKind::NotFound) if
/// there is no such account, [`Denied`](crate::ErrorKind::Denied) without the permission.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct GetAccount {
    client: Client,
    id: String,
}

impl GetAccount {
    pub(super) fn new(client: Client, id: String) -> Self {
        Self { client, id }
    }

    /// Asks for the account.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<Account> {
        self.client.send(self.call(), |answer| read_object(answer, "an account")).await
    }

    fn call(&self) -> Result<Call> {
        let id = segment("account id", &self.id)?;
        Ok(Call::get(self.client.api_version().path_to(Root::Accounts, &[&id])))
    }
}
