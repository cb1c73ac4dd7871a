use uuid::Uuid;

use super::{Account, Client, create::PATH};
use crate::{
    Result,
    http::{Call, read_object},
};

/// `GET /v1/accounts/{account-id}`: one account.
///
/// Permission: the user must belong to the account. Retried like every read.
///
/// # Errors
/// Statuses are not documented: an account that does not exist, or that the user does not belong to, is
/// presumably [`NotFound`](crate::ErrorKind::NotFound) or [`Denied`](crate::ErrorKind::Denied).
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct GetAccount {
    client: Client,
    id: Uuid,
    with_totals: Option<bool>,
}

impl GetAccount {
    pub(super) fn new(client: Client, id: Uuid) -> Self {
        Self { client, id, with_totals: None }
    }

    /// Whether [`totals`](Account::totals) are told. The server's default is false.
    pub fn with_totals(mut self, with: bool) -> Self {
        self.with_totals = Some(with);
        self
    }

    /// Gets the account.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<Account> {
        let call = Call::get(format!("{PATH}/{}", self.id)).query("with_totals", self.with_totals);
        self.client.send(Ok(call), |answer| read_object(answer, "an account")).await
    }
}
