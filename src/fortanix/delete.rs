use http::Method;
use uuid::Uuid;

use super::{Client, create::PATH};
use crate::{
    Result,
    http::{Call, read_nothing},
};

/// `DELETE /v1/accounts/{account-id}`: removes an account.
///
/// Permission: the reference says none, presumably by mistake; the user may have to be its manager. If the
/// account was [selected](Client::select_account), a new login does not select it again.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retry::Uncertain`](crate::Retry::Uncertain)
/// [get](Client::get_account) the account: if it is not found, it was removed.
///
/// # Errors
/// Statuses are not documented: an account that does not exist is presumably
/// [`NotFound`](crate::ErrorKind::NotFound).
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct DeleteAccount {
    client: Client,
    id: Uuid,
}

impl DeleteAccount {
    pub(super) fn new(client: Client, id: Uuid) -> Self {
        Self { client, id }
    }

    /// Removes the account.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<()> {
        let call = Call::change(Method::DELETE, format!("{PATH}/{}", self.id));
        self.client.send(Ok(call), read_nothing).await?;
        self.client.session().forget(self.id);
        Ok(())
    }
}
