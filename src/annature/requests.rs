//! Requests about one account: get, update, deactivate, restore, and resend the verification mail.

use http::Method;
use serde::Serialize;

use super::{
    Account, Client, Role,
    auth::{PartnerKey, partner_setters},
};
use crate::{
    Error, Result,
    http::{ApiRequest, expect_empty, path_segment, read_object},
};

impl Client {
    /// Fetches an account.
    pub fn get_account(&self, id: impl Into<String>) -> GetAccount {
        GetAccount { client: self.clone(), partner_key: PartnerKey::default(), id: id.into() }
    }
}

/// `GET /v1/accounts/:id`: fetches an account of the organisation.
///
/// # Retries
/// Idempotent: retried.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the id is invalid. The provider documents no errors. For an
/// account that does not exist, status 404 and [`NotFound`](crate::ErrorKind::NotFound) are assumed.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct GetAccount {
    client: Client,
    partner_key: PartnerKey,
    id: String,
}

impl GetAccount {
    partner_setters!();

    /// Sends the request and returns the account.
    pub async fn send(self) -> Result<Account> {
        self.client
            .send(&self.partner_key, self.request(), |response| read_object(response, "an account"))
            .await
    }

    fn request(&self) -> Result<ApiRequest> {
        Ok(ApiRequest::get(format!("/v1/accounts/{}", path_segment("account id", &self.id)?)))
    }
}

/// The account members that requests can set; `None` is not sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct AccountFields {
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

impl AccountFields {
    pub(super) fn check(&self) -> Result<()> {
        check_not_blank("name", self.name.as_deref())?;
        check_not_blank("number", self.number.as_deref())?;
        check_not_blank("role", self.role.as_ref().map(Role::as_str))?;
        check_not_blank("group_id", self.group_id.as_deref())?;
        if self.email.as_ref().is_some_and(|email| !is_email_address(email)) {
            return Err(Error::config("invalid email: expected name@host"));
        }
        if self.timezone.as_ref().is_some_and(|timezone| !is_utc_offset(timezone)) {
            return Err(Error::config(
                "invalid timezone: expected an offset from UTC as ±HH:MM, such as +10:00, not a zone name",
            ));
        }
        Ok(())
    }
}

/// Rejects a blank value: whether the provider treats it as unset is not documented.
pub(super) fn check_not_blank(name: &str, value: Option<&str>) -> Result<()> {
    if value.is_some_and(|value| value.trim().is_empty()) {
        return Err(Error::config(format!("the {name} is empty; set a value or leave it unset")));
    }
    Ok(())
}

/// Whether `text` has the form `name@host`. Which addresses the provider accepts is not documented.
fn is_email_address(text: &str) -> bool {
    let is_forbidden = |c: char| c.is_whitespace() || c.is_control();
    !text.contains(is_forbidden)
        && text.rsplit_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
}

/// Whether `text` is an offset in the reference's form: a sign, two digits, a colon, two digits.
///
/// The largest offset in use is 14 hours.
fn is_utc_offset(text: &str) -> bool {
    let part = |digits: &str| match digits.as_bytes() {
        [b'0'..=b'9', b'0'..=b'9'] => digits.parse::<u8>().ok(),
        _ => None,
    };
    let unsigned = text.strip_prefix(['+', '-']).and_then(|rest| rest.split_once(':'));
    let parts = unsigned.and_then(|(hours, minutes)| Some((part(hours)?, part(minutes)?)));
    parts.is_some_and(|(hours, minutes)| minutes < 60 && (hours < 14 || (hours, minutes) == (14, 0)))
}

impl Client {
    /// Updates the members of an account that are set on the request.
    pub fn update_account(&self, id: impl Into<String>) -> UpdateAccount {
        UpdateAccount {
            client: self.clone(),
            partner_key: PartnerKey::default(),
            id: id.into(),
            fields: AccountFields::default(),
        }
    }
}

/// `PUT /v1/accounts/:id`: updates the members that are set and leaves the others unchanged.
///
/// Members can be changed but, as far as is documented, not cleared. That includes the account group.
///
/// # Retries
/// Not idempotent: retried only if the request never reached the server.
///
/// After [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), the request can be sent again.
/// The result is the same unless another client changed the account in between. A changed address may receive
/// a second mail.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config), before anything is sent, if the id is invalid, if no member is set,
/// or if a value is empty or malformed. The provider rejects an e-mail address that another account has; the
/// status is not documented.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct UpdateAccount {
    client: Client,
    partner_key: PartnerKey,
    id: String,
    fields: AccountFields,
}

impl UpdateAccount {
    /// Sets the name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.fields.name = Some(name.into());
        self
    }

    /// Sets the e-mail address.
    ///
    /// The change takes effect once it is confirmed through the mail that is sent to the new address. Until
    /// then, no response indicates that a change is pending.
    pub fn email(mut self, email: impl Into<String>) -> Self {
        self.fields.email = Some(email.into());
        self
    }

    /// Sets the phone number, free-form.
    pub fn number(mut self, number: impl Into<String>) -> Self {
        self.fields.number = Some(number.into());
        self
    }

    /// Sets the offset from UTC, such as `+10:00`; not the name of a time zone.
    pub fn timezone(mut self, offset: impl Into<String>) -> Self {
        self.fields.timezone = Some(offset.into());
        self
    }

    /// Sets the role.
    pub fn role(mut self, role: impl Into<Role>) -> Self {
        self.fields.role = Some(role.into());
        self
    }

    /// Sets the account group.
    pub fn group_id(mut self, id: impl Into<String>) -> Self {
        self.fields.group_id = Some(id.into());
        self
    }

    partner_setters!();

    /// Sends the request and returns the updated account.
    pub async fn send(self) -> Result<Account> {
        self.client
            .send(&self.partner_key, self.request(), |response| read_object(response, "an account"))
            .await
    }

    fn request(&self) -> Result<ApiRequest> {
        let path = format!("/v1/accounts/{}", path_segment("account id", &self.id)?);
        if self.fields == AccountFields::default() {
            return Err(Error::config(
                "nothing to update; set at least one of name, email, number, timezone, role and group_id",
            ));
        }
        self.fields.check()?;
        ApiRequest::new(Method::PUT, path).json(&self.fields)
    }
}

impl Client {
    /// Resends the mail that verifies the address of a new account.
    pub fn resend_verification(&self, id: impl Into<String>) -> ResendVerification {
        ResendVerification { client: self.clone(), partner_key: PartnerKey::default(), id: id.into() }
    }
}

/// `POST /v1/accounts/:id/verification`: resends the mail that verifies an address.
///
/// Only for accounts whose [`verified`](super::Account::verified) is `None`.
///
/// # Retries
/// Not idempotent: retried only if the request never reached the server.
///
/// After [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), the request can be sent again. At
/// worst, the person receives two mails.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the id is invalid. The provider rejects an account that is already
/// verified; the status is not documented.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct ResendVerification {
    client: Client,
    partner_key: PartnerKey,
    id: String,
}

impl ResendVerification {
    partner_setters!();

    /// Sends the request. Any 2xx status is a success; the content of the response is not documented.
    pub async fn send(self) -> Result<()> {
        self.client.send(&self.partner_key, self.request(), expect_empty).await
    }

    fn request(&self) -> Result<ApiRequest> {
        let id = path_segment("account id", &self.id)?;
        Ok(ApiRequest::new(Method::POST, format!("/v1/accounts/{id}/verification")))
    }
}

impl Client {
    /// Deactivates an account. [`restore_account`](Self::restore_account) reverses it.
    ///
    /// The person is signed out everywhere immediately. Accounts cannot be deleted.
    #[doc(alias = "disable_account")]
    pub fn deactivate_account(&self, id: impl Into<String>) -> SetAccountState {
        SetAccountState {
            client: self.clone(),
            partner_key: PartnerKey::default(),
            id: id.into(),
            action: "deactivate",
        }
    }

    /// Restores a deactivated account.
    #[doc(alias = "enable_account")]
    pub fn restore_account(&self, id: impl Into<String>) -> SetAccountState {
        SetAccountState {
            client: self.clone(),
            partner_key: PartnerKey::default(),
            id: id.into(),
            action: "restore",
        }
    }
}

/// `POST /v1/accounts/:id/deactivate` and `…/restore`: deactivates an account, or restores it with all its
/// previous permissions.
///
/// On deactivation, the person is signed out everywhere immediately, and can neither log in nor send
/// envelopes. Envelopes that were sent earlier stay in progress. Lists still include the account, with
/// [`active`](super::Account::active) false.
///
/// # Retries
/// Not idempotent: retried only if the request never reached the server.
///
/// After [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), check `active` with
/// [`get_account`](Client::get_account).
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the id is invalid. The provider documents no errors, nor its
/// response for an account that is already in the requested state.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct SetAccountState {
    client: Client,
    partner_key: PartnerKey,
    id: String,
    action: &'static str,
}

impl SetAccountState {
    partner_setters!();

    /// Sends the request. Any 2xx status is a success; the content of the response is not documented.
    pub async fn send(self) -> Result<()> {
        self.client.send(&self.partner_key, self.request(), expect_empty).await
    }

    fn request(&self) -> Result<ApiRequest> {
        let id = path_segment("account id", &self.id)?;
        Ok(ApiRequest::new(Method::POST, format!("/v1/accounts/{id}/{}", self.action)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timezone_is_utc_offset() {
        for good in ["+10:00", "+10:30", "-03:30", "+05:45", "+00:00", "-00:00", "+14:00", "-12:00"] {
            assert!(is_utc_offset(good), "{good}");
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
            assert!(!is_utc_offset(bad), "{bad}");
        }
    }

    #[test]
    fn email_has_name_and_host() {
        for good in ["ted@annature.com.au", "a+b&c@x", "\"a@b\"@example.com", "zoë@exämple.de"] {
            assert!(is_email_address(good), "{good}");
        }
        for bad in ["", "ted", "@host", "ted@", "ted @host", "ted@ho\nst", "ted@host\u{0}"] {
            assert!(!is_email_address(bad), "{bad}");
        }
    }

    #[test]
    fn unset_fields_are_not_serialized() {
        let json = |fields: &AccountFields| serde_json::to_string(fields).unwrap();
        assert_eq!(json(&AccountFields::default()), "{}");
        let fields = AccountFields {
            number: Some("1300 000 000".into()),
            role: Some(Role::ReadOnly),
            ..AccountFields::default()
        };
        assert_eq!(json(&fields), r#"{"number":"1300 000 000","role":"read-only"}"#);
    }
}
