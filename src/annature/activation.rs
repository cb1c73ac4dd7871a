use http::Method;

use super::{
    Client,
    partner::{Partner, partner_setters},
};
use crate::{
    Result,
    http::{Call, read_nothing, segment},
};

/// `POST /v1/accounts/:id/deactivate` and `…/restore`: shuts an account, or opens it again with all that it
/// could do before.
///
/// When it is shut, the person is signed out everywhere at once, and can neither log in nor send envelopes.
/// Envelopes that were sent before go on. Lists still have the account, with
/// [`active`](super::Account::active) false.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retry::Uncertain`](crate::Retry::Uncertain),
/// [`get_account`](Client::get_account) tells by `active` whether it was carried out.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the id can not be one. The provider documents no errors, nor what
/// it says of an account that is in that state already.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct ToggleAccount {
    client: Client,
    partner: Partner,
    id: String,
    verb: &'static str,
}

impl ToggleAccount {
    pub(super) fn new(client: Client, id: String, verb: &'static str) -> Self {
        Self { client, partner: Partner::default(), id, verb }
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
        Ok(Call::change(Method::POST, format!("/v1/accounts/{id}/{}", self.verb)))
    }
}
