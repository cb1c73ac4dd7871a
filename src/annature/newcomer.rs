use http::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::details::{Details, given};
use crate::{Error, Result, http::Call};

/// Somebody who is to have an account: what creating and registering one have in common.
#[derive(Clone, Debug)]
pub(super) struct Newcomer {
    pub(super) details: Details,
    pub(super) business: Option<String>,
    pub(super) password: Option<SecretString>,
    pub(super) skip_verification: bool,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(flatten)]
    details: &'a Details,
    #[serde(skip_serializing_if = "Option::is_none")]
    business: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
    /// Refused by the provider if it comes from somebody else than a partner, so never sent as `false`.
    #[serde(skip_serializing_if = "Option::is_none")]
    skip_verification: Option<bool>,
}

impl Newcomer {
    pub(super) fn new(name: String, email: String) -> Self {
        let details = Details { name: Some(name), email: Some(email), ..Details::default() };
        Self { details, business: None, password: None, skip_verification: false }
    }

    /// The call, which goes out as a partner's or not.
    pub(super) fn call(&self, path: &str, as_partner: bool) -> Result<Call> {
        self.details.check()?;
        given("business", self.business.as_deref())?;
        let password = self.password.as_ref().map(ExposeSecret::expose_secret);
        if password == Some("") {
            return Err(Error::config("the password is empty; expected one, or none to be set"));
        }
        if self.skip_verification && !as_partner {
            return Err(Error::config(
                "skip_verification is for partners; expected a partner key on the client or the call",
            ));
        }
        let body = Body {
            details: &self.details,
            business: self.business.as_deref(),
            password,
            skip_verification: self.skip_verification.then_some(true),
        };
        let mut call = Call::change(Method::POST, path).json(&body)?;
        call.secrets.extend(self.password.clone());
        Ok(call)
    }
}

/// The setters that both requests have, for one that has a [`Newcomer`] in a field `newcomer`.
macro_rules! newcomer_setters {
    () => {
        /// The password. Without one, the person sets it by the mail. Which passwords are taken is not
        /// documented.
        pub fn password(mut self, password: impl Into<secrecy::SecretString>) -> Self {
            self.newcomer.password = Some(password.into());
            self
        }

        /// The phone number, free-form.
        pub fn number(mut self, number: impl Into<String>) -> Self {
            self.newcomer.details.number = Some(number.into());
            self
        }

        /// The offset from UTC, as `+10:00`: no time zone's name.
        pub fn timezone(mut self, offset: impl Into<String>) -> Self {
            self.newcomer.details.timezone = Some(offset.into());
            self
        }
    };
}
pub(super) use newcomer_setters;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::annature::Role;

    fn body(newcomer: &Newcomer) -> String {
        let call = newcomer.call("/v1/accounts", true).unwrap();
        String::from_utf8(call.body.to_vec()).unwrap()
    }

    #[test]
    fn the_body_holds_what_is_set_and_nothing_else() {
        let mut newcomer = Newcomer::new("Zoë \"Z\" Ång".into(), "zoe@example.com".into());
        assert_eq!(body(&newcomer), r#"{"name":"Zoë \"Z\" Ång","email":"zoe@example.com"}"#);
        newcomer.details.number = Some("1300 000 000".into());
        newcomer.details.timezone = Some("+10:30".into());
        newcomer.details.role = Some(Role::Administrator);
        newcomer.details.group_id = Some("g".into());
        newcomer.business = Some("Acme".into());
        newcomer.password = Some("hunter2".into());
        newcomer.skip_verification = true;
        let expected = r#"{"name":"Zoë \"Z\" Ång","email":"zoe@example.com","number":"1300 000 000","timezone":"+10:30","role":"administrator","group_id":"g","business":"Acme","password":"hunter2","skip_verification":true}"#;
        assert_eq!(body(&newcomer), expected);
    }
}
