use http::Method;

use super::{
    Account, Client, Role,
    details::Details,
    partner::{Partner, partner_setters},
};
use crate::{
    Error, Result,
    http::{Call, read_object, segment},
};

/// `PUT /v1/accounts/:id`: changes what is set here, and leaves the rest as it is.
///
/// What an account has can be changed and, as far as is documented, not be cleared: not even its group.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retry::Uncertain`](crate::Retry::Uncertain) it can be
/// sent again: the account comes to the same, unless somebody else has changed it meanwhile. A changed
/// address may get a second mail.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config), before anything is sent, if nothing is set, or if a value is empty
/// or not of its form. The provider refuses an e-mail address that another account has; with which status is
/// not documented.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct UpdateAccount {
    client: Client,
    partner: Partner,
    id: String,
    details: Details,
}

impl UpdateAccount {
    pub(super) fn new(client: Client, id: String) -> Self {
        Self { client, partner: Partner::default(), id, details: Details::default() }
    }

    /// Another name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.details.name = Some(name.into());
        self
    }

    /// Another e-mail address. It takes effect once it is confirmed by the mail that is sent to it; until
    /// then, nothing tells that it is on its way.
    pub fn email(mut self, email: impl Into<String>) -> Self {
        self.details.email = Some(email.into());
        self
    }

    /// Another phone number, free-form.
    pub fn number(mut self, number: impl Into<String>) -> Self {
        self.details.number = Some(number.into());
        self
    }

    /// Another offset from UTC, as `+10:00`: no time zone's name.
    pub fn timezone(mut self, offset: impl Into<String>) -> Self {
        self.details.timezone = Some(offset.into());
        self
    }

    /// What the person may do from now on.
    pub fn role(mut self, role: impl Into<Role>) -> Self {
        self.details.role = Some(role.into());
        self
    }

    /// Another account group.
    pub fn group_id(mut self, id: impl Into<String>) -> Self {
        self.details.group_id = Some(id.into());
        self
    }

    partner_setters!();

    /// Sends the request, and gives the account as it is then.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<Account> {
        self.client.send(&self.partner, self.call(), |answer| read_object(answer, "an account")).await
    }

    fn call(&self) -> Result<Call> {
        let path = format!("/v1/accounts/{}", segment("account id", &self.id)?);
        if self.details == Details::default() {
            return Err(Error::config(
                "there is nothing to change; expected at least one of name, email, number, timezone, role and \
                 group_id",
            ));
        }
        self.details.check()?;
        Call::change(Method::PUT, path).json(&self.details)
    }
}
