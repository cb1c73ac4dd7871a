//! Requests about one account: looking at it, changing it, shutting it, and verifying its address again.

use http::Method;
use serde::Serialize;

use super::{
    Account, Client, Role,
    auth::{Partner, partner_setters},
};
use crate::{
    Error, Result,
    http::{ApiRequest, expect_empty, path_segment, read_object},
};

impl Client {
    /// One account.
    pub fn get_account(&self, id: impl Into<String>) -> GetAccount {
        GetAccount { client: self.clone(), partner: Partner::default(), id: id.into() }
    }
}

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
    partner_setters!();

    /// Sends the request, and gives the account.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<Account> {
        self.client.send(&self.partner, self.request(), |response| read_object(response, "an account")).await
    }

    fn request(&self) -> Result<ApiRequest> {
        Ok(ApiRequest::get(format!("/v1/accounts/{}", path_segment("account id", &self.id)?)))
    }
}

/// What can be told of a person; what is `None` is not sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Details {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) timezone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) group_id: Option<String>,
}

impl Details {
    pub(super) fn check(&self) -> Result<()> {
        given("name", self.name.as_deref())?;
        given("number", self.number.as_deref())?;
        given("role", self.role.as_ref().map(Role::as_str))?;
        given("group_id", self.group_id.as_deref())?;
        if self.email.as_ref().is_some_and(|email| !is_address(email)) {
            return Err(Error::config("the email is no e-mail address; expected name@host"));
        }
        if self.timezone.as_ref().is_some_and(|timezone| !is_offset(timezone)) {
            return Err(Error::config(
                "the timezone is no offset from UTC; expected ±HH:MM, such as +10:00, and no name of a zone",
            ));
        }
        Ok(())
    }
}

/// Refuses an empty value: whether the provider takes it for none is not documented.
pub(super) fn given(name: &str, value: Option<&str>) -> Result<()> {
    if value.is_some_and(|value| value.trim().is_empty()) {
        return Err(Error::config(format!("the {name} is empty; expected some text, or none to be set")));
    }
    Ok(())
}

/// As much as can be said of an address without knowing which ones the provider takes.
fn is_address(text: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || c.is_control();
    !text.contains(odd)
        && text.rsplit_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
}

/// An offset as the reference has it: a sign, two digits, a colon, two digits. Clocks on Earth are at most 14
/// hours away from UTC.
fn is_offset(text: &str) -> bool {
    let part = |digits: &str| match digits.as_bytes() {
        [b'0'..=b'9', b'0'..=b'9'] => digits.parse::<u8>().ok(),
        _ => None,
    };
    let unsigned = text.strip_prefix(['+', '-']).and_then(|rest| rest.split_once(':'));
    let parts = unsigned.and_then(|(hours, minutes)| Some((part(hours)?, part(minutes)?)));
    parts.is_some_and(|(hours, minutes)| minutes < 60 && (hours < 14 || (hours, minutes) == (14, 0)))
}

impl Client {
    /// Changes what is set on the request, and nothing else.
    pub fn update_account(&self, id: impl Into<String>) -> UpdateAccount {
        UpdateAccount {
            client: self.clone(),
            partner: Partner::default(),
            id: id.into(),
            details: Details::default(),
        }
    }
}

/// `PUT /v1/accounts/:id`: changes what is set here, and leaves the rest as it is.
///
/// What an account has can be changed and, as far as is documented, not be cleared: not even its group.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied) it can be
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
        self.client.send(&self.partner, self.request(), |response| read_object(response, "an account")).await
    }

    fn request(&self) -> Result<ApiRequest> {
        let path = format!("/v1/accounts/{}", path_segment("account id", &self.id)?);
        if self.details == Details::default() {
            return Err(Error::config(
                "there is nothing to change; expected at least one of name, email, number, timezone, role and \
                 group_id",
            ));
        }
        self.details.check()?;
        ApiRequest::mutation(Method::PUT, path).json(&self.details)
    }
}

impl Client {
    /// Sends the mail again by which a new account's address is verified.
    pub fn resend_verification(&self, id: impl Into<String>) -> ResendVerification {
        ResendVerification { client: self.clone(), partner: Partner::default(), id: id.into() }
    }
}

/// `POST /v1/accounts/:id/verification`: sends the mail again by which an address is verified.
///
/// Only for accounts whose [`verified`](super::Account::verified) is `None`.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied) it can be
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
    partner_setters!();

    /// Sends the request. Any 2xx is taken for success: what the answer holds is not documented.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<()> {
        self.client.send(&self.partner, self.request(), expect_empty).await
    }

    fn request(&self) -> Result<ApiRequest> {
        let id = path_segment("account id", &self.id)?;
        Ok(ApiRequest::mutation(Method::POST, format!("/v1/accounts/{id}/verification")))
    }
}

impl Client {
    /// Shuts an account, at once and everywhere; [`restore_account`](Self::restore_account) undoes it.
    /// Accounts can not be deleted.
    #[doc(alias = "disable_account")]
    pub fn deactivate_account(&self, id: impl Into<String>) -> SetAccountState {
        SetAccountState {
            client: self.clone(),
            partner: Partner::default(),
            id: id.into(),
            verb: "deactivate",
        }
    }

    /// Opens a deactivated account again.
    #[doc(alias = "enable_account")]
    pub fn restore_account(&self, id: impl Into<String>) -> SetAccountState {
        SetAccountState { client: self.clone(), partner: Partner::default(), id: id.into(), verb: "restore" }
    }
}

/// `POST /v1/accounts/:id/deactivate` and `…/restore`: shuts an account, or opens it again with all that it
/// could do before.
///
/// When it is shut, the person is signed out everywhere at once, and can neither log in nor send envelopes.
/// Envelopes that were sent before go on. Lists still have the account, with
/// [`active`](super::Account::active) false.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied),
/// [`get_account`](Client::get_account) tells by `active` whether it was carried out.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the id can not be one. The provider documents no errors, nor what
/// it says of an account that is in that state already.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct SetAccountState {
    client: Client,
    partner: Partner,
    id: String,
    verb: &'static str,
}

impl SetAccountState {
    partner_setters!();

    /// Sends the request. Any 2xx is taken for success: what the answer holds is not documented.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<()> {
        self.client.send(&self.partner, self.request(), expect_empty).await
    }

    fn request(&self) -> Result<ApiRequest> {
        let id = path_segment("account id", &self.id)?;
        Ok(ApiRequest::mutation(Method::POST, format!("/v1/accounts/{id}/{}", self.verb)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timezone_is_an_offset_and_no_name() {
        for good in ["+10:00", "+10:30", "-03:30", "+05:45", "+00:00", "-00:00", "+14:00", "-12:00"] {
            assert!(is_offset(good), "{good}");
        }
        for bad in [
            "",
            "Z",
            "10:00",
            "+10",
            "+1000",
            "+10:0",
            "+10:60",
            "+14:01",
            "+99:00",
            "+1:000",
            "+10:+1",
            "Australia/Brisbane",
            " +10:00",
            "+10:00 ",
            "−10:00",
            "+１０:00",
            "++1:00",
        ] {
            assert!(!is_offset(bad), "{bad}");
        }
    }

    #[test]
    fn an_address_has_a_name_and_a_host() {
        for good in ["ted@annature.com.au", "a+b&c@x", "\"a@b\"@example.com", "zoë@exämple.de"] {
            assert!(is_address(good), "{good}");
        }
        for bad in ["", "ted", "@host", "ted@", "ted @host", "ted@ho\nst", "ted@host\u{0}"] {
            assert!(!is_address(bad), "{bad}");
        }
    }

    #[test]
    fn only_what_is_set_is_sent() {
        let json = |details: &Details| serde_json::to_string(details).unwrap();
        assert_eq!(json(&Details::default()), "{}");
        let details =
            Details { number: Some("1300 000 000".into()), role: Some(Role::ReadOnly), ..Details::default() };
        assert_eq!(json(&details), r#"{"number":"1300 000 000","role":"read-only"}"#);
    }
}
