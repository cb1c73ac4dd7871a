use super::{
    Account, Client, Role,
    newcomer::{Newcomer, newcomer_setters},
    partner::{Partner, partner_setters},
};
use crate::{
    Result,
    http::{Call, read_object},
};

/// `POST /v1/accounts`: a new account in one's own organisation. That it is made there with a partner key too
/// is an assumption.
///
/// The person gets a mail by which to verify the address, and can neither log in nor send envelopes before.
/// What an account has whose number, timezone or group are not set is not documented.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retry::Uncertain`](crate::Retry::Uncertain), look for
/// the address with [`list_accounts`](Client::list_accounts) and its
/// [`without_partner_key`](super::ListAccounts::without_partner_key): with a partner key, the list leaves out
/// the users of one's own organisation. Addresses are unique, so sending it again makes no second account.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config), before anything is sent, if a value is empty or not of its form, or
/// if verification is to be skipped without a partner key. The provider refuses an e-mail address that
/// another account has; with which status is not documented, nor whether accounts of other organisations
/// count.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct CreateAccount {
    client: Client,
    partner: Partner,
    newcomer: Newcomer,
}

impl CreateAccount {
    pub(super) fn new(client: Client, name: String, email: String) -> Self {
        Self { client, partner: Partner::default(), newcomer: Newcomer::new(name, email) }
    }

    newcomer_setters!();

    /// What the person may do. Default: [`Role::Standard`].
    pub fn role(mut self, role: impl Into<Role>) -> Self {
        self.newcomer.details.role = Some(role.into());
        self
    }

    /// The account group.
    pub fn group_id(mut self, id: impl Into<String>) -> Self {
        self.newcomer.details.group_id = Some(id.into());
        self
    }

    /// Takes the address for verified, and sends no mail; needs a partner key, on the client or on this
    /// call. Set a [`password`](Self::password) too, or there may be no way to log in. Default: false.
    pub fn skip_verification(mut self, skip: bool) -> Self {
        self.newcomer.skip_verification = skip;
        self
    }

    partner_setters!();

    /// Sends the request, and gives the account as it was made.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<Account> {
        self.client.send(&self.partner, self.call(), |answer| read_object(answer, "an account")).await
    }

    fn call(&self) -> Result<Call> {
        self.newcomer.call("/v1/accounts", self.client.partner_key(&self.partner).is_some())
    }
}
