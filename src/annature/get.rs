use super::{
    Account, Client,
    partner::{Partner, partner_setters},
};
use crate::{
    Result,
    http::{Call, read_object, segment},
};

/// `GET /v1/accounts/:id`: one account of one's organisation. It reads, and is retried.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the id can not be one. The provider documents no errors; of an
/// account that is not there, 404 and [`NotFound`](crate::ErrorKind::NotFound) is assumed.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct GetAccount {
    client: Client,
    partner: Partner,
    id: String,
}

impl GetAccount {
    pub(super) fn new(client: Client, id: String) -> Self {
        Self { client, partner: Partner::default(), id }
    }

    partner_setters!();

    /// Sends the request, and gives the account.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<Account> {
        self.client.send(&self.partner, self.call(), |answer| read_object(answer, "an account")).await
    }

    fn call(&self) -> Result<Call> {
        Ok(Call::get(format!("/v1/accounts/{}", segment("account id", &self.id)?)))
    }
}
