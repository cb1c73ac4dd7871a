use super::{Client, path};
use crate::{
    Result,
    http::{Call, read_nothing},
};

impl Client {
    /// Closes an account that was created in the organization. **This can not be undone**: what the account
    /// holds is deleted.
    ///
    /// For the management account only (the reference does not say so for this endpoint, the User Guide does
    /// for the console). IAM users need no permission under identity policies, says the reference.
    #[doc(alias = "delete_account")]
    pub fn close_account(&self, id: impl Into<String>) -> CloseAccount {
        CloseAccount { client: self.clone(), id: id.into() }
    }
}

/// `POST /v1/organizations/accounts/{account_id}/close`: closes an account.
///
/// The account is `pending_closure` at first and `suspended` once it is closed; it is listed for another 90
/// days. Accounts that were invited can not be closed. Three are closed at a time, and at most a tenth of all
/// accounts, 200 at most, within 30 days. All this is of the *User Guide*, "Closing an Account"; with which
/// codes the provider refuses what goes beyond is not documented.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retry::Uncertain`](crate::Retry::Uncertain), look for
/// the account in [`list_close_account_statuses`](Client::list_close_account_statuses). Closing an account that
/// is being closed fails with `Organizations.1325` and does no harm.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the id can not stand in a path;
/// [`NotFound`](crate::ErrorKind::NotFound) if there is no such account (the code is not documented);
/// [`Api`](crate::ErrorKind::Api) if it is being closed already (`Organizations.1325`), or can not be;
/// [`Denied`](crate::ErrorKind::Denied) if the key does not belong to the management account.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct CloseAccount {
    client: Client,
    id: String,
}

impl CloseAccount {
    /// Sends the request. That it succeeds says that the closure was taken up.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<()> {
        self.client.send(self.call(), read_nothing).await
    }

    fn call(&self) -> Result<Call> {
        Ok(path::post(path::account(&self.id, "/close")?))
    }
}
