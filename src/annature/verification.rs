use http::Method;

use super::{
    Client,
    partner::{Partner, partner_setters},
};
use crate::{
    Result,
    http::{Call, read_nothing, segment},
};

/// `POST /v1/accounts/:id/verification`: sends the mail again by which an address is verified.
///
/// Only for accounts whose [`verified`](super::Account::verified) is `None`.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retry::Uncertain`](crate::Retry::Uncertain) it can be
/// sent again: at worst, the person gets two mails.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the id can not be one. The provider refuses an account that is
/// verified; with which status is not documented.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct ResendVerification {
    client: Client,
    partner: Partner,
    id: String,
}

impl ResendVerification {
    pub(super) fn new(client: Client, id: String) -> Self {
        Self { client, partner: Partner::default(), id }
    }

    partner_setters!();

    /// Sends the request. Any 2xx is taken for success: what the answer holds is not documented.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<()> {
        self.client.send(&self.partner, self.call(), read_nothing).await
    }

    fn call(&self) -> Result<Call> {
        let id = segment("account id", &self.id)?;
        Ok(Call::change(Method::POST, format!("/v1/accounts/{id}/verification")))
    }
}
