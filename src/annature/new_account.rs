//! Accounts that are made: in one's own organisation, or registered with an organisation of their own.

use std::{borrow::Cow, collections::BTreeMap};

use http::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::{
    Account, Client, NAME, Role,
    auth::{Partner, partner_setters},
    requests::{Details, given},
};
use crate::{
    Error, Result,
    http::{ApiRequest, ApiResponse, read_object},
    record::{FromRow, reason},
};

/// Somebody who is to have an account: what creating and registering one have in common.
#[derive(Clone, Debug)]
struct Newcomer {
    details: Details,
    business: Option<String>,
    password: Option<SecretString>,
    skip_verification: bool,
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
    fn new(name: impl Into<String>, email: impl Into<String>) -> Self {
        let details = Details { name: Some(name.into()), email: Some(email.into()), ..Details::default() };
        Self { details, business: None, password: None, skip_verification: false }
    }

    /// The call, which goes out as a partner's or not.
    fn request(&self, path: &str, as_partner: bool) -> Result<ApiRequest> {
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
        let mut call = ApiRequest::mutation(Method::POST, path).json(&body)?;
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

impl Client {
    /// A new account in one's own organisation, for the person of this name and e-mail address.
    pub fn create_account(&self, name: impl Into<String>, email: impl Into<String>) -> CreateAccount {
        CreateAccount {
            client: self.clone(),
            partner: Partner::default(),
            newcomer: Newcomer::new(name, email),
        }
    }
}

/// `POST /v1/accounts`: a new account in one's own organisation. That it is made there with a partner key too
/// is an assumption.
///
/// The person gets a mail by which to verify the address, and can neither log in nor send envelopes before.
/// What an account has whose number, timezone or group are not set is not documented.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), look for
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
        self.client.send(&self.partner, self.request(), |response| read_object(response, "an account")).await
    }

    fn request(&self) -> Result<ApiRequest> {
        self.newcomer.request("/v1/accounts", self.client.partner_key(&self.partner).is_some())
    }
}

impl Client {
    /// A new organisation of this business, with an account for the person of this name and e-mail address.
    /// Needs a partner key.
    pub fn register_account(
        &self,
        name: impl Into<String>,
        email: impl Into<String>,
        business: impl Into<String>,
    ) -> RegisterAccount {
        let newcomer = Newcomer { business: Some(business.into()), ..Newcomer::new(name, email) };
        RegisterAccount { client: self.clone(), partner: Partner::default(), newcomer }
    }
}

/// `POST /v1/accounts/register`: a new organisation with its first account.
///
/// For partners only: it needs a partner key, on the client or on this call. The person gets a mail by which
/// to verify the address.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), look for
/// the address with [`list_accounts`](Client::list_accounts) and the partner key. If the address counts
/// everywhere, which is an assumption, sending it again makes no second organisation. If it was made, its key
/// is lost with the answer: no endpoint tells it again, and an administrator of the organisation has to make
/// another.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config), before anything is sent, if there is no partner key, or if a value
/// is empty or not of its form; [`Decode`](crate::ErrorKind::Decode) if the answer has no credentials that
/// can be read. The provider refuses an e-mail address that another account has; with which status is not
/// documented, nor whether accounts of all organisations count.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct RegisterAccount {
    client: Client,
    partner: Partner,
    newcomer: Newcomer,
}

impl RegisterAccount {
    newcomer_setters!();

    /// Takes the address for verified, and sends no mail. Set a [`password`](Self::password) too, or there
    /// may be no way to log in. Default: false.
    pub fn skip_verification(mut self, skip: bool) -> Self {
        self.newcomer.skip_verification = skip;
        self
    }

    partner_setters!();

    /// Sends the request, and gives the account with the key of its organisation.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<RegisteredAccount> {
        self.client.send(&self.partner, self.request(), read).await
    }

    fn request(&self) -> Result<ApiRequest> {
        if self.client.partner_key(&self.partner).is_none() {
            return Err(Error::config(
                "registering is for partners; expected a partner key on the client or the call",
            ));
        }
        self.newcomer.request("/v1/accounts/register", true)
    }
}

/// An account that was registered.
#[derive(Clone, Debug)]
#[must_use = "holds the organisation's API key, which is told only once"]
#[non_exhaustive]
pub struct RegisteredAccount {
    /// The account. Its record is the answer without the credentials.
    ///
    /// [`Decode`](crate::ErrorKind::Decode) if it can not be read: it is there all the same, and so are the
    /// credentials, which no other answer tells.
    pub account: Result<Account>,
    /// The key of its new organisation.
    pub credentials: ApiKey,
}

/// A long-lived API key, with full access to its organisation. This is the only time that it is told.
///
/// It goes into [`Client::builder`]: `Client::builder(credentials.id, credentials.key)`.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct ApiKey {
    /// The public part.
    #[serde(deserialize_with = "crate::record::id")]
    pub id: String,
    /// The private key. Read it with [`ExposeSecret`](crate::secrecy::ExposeSecret).
    pub key: SecretString,
}

/// Takes the credentials out of the account before anything keeps its record, and gives them whatever the
/// account is like.
fn read(response: &ApiResponse) -> Result<RegisteredAccount> {
    let mut members: BTreeMap<Cow<'_, str>, &RawValue> =
        read_object(response, "an account with credentials")?;
    let unreadable =
        |what: &str, error: &serde_json::Error| Error::decode(format!("{what}: {}", reason(error)));
    let credentials =
        members.remove("credentials").ok_or_else(|| Error::decode("there are no credentials"))?;
    let credentials: ApiKey = serde_json::from_str(credentials.get())
        .map_err(|error| unreadable("the credentials are not id and key", &error))?;
    if credentials.key.expose_secret().is_empty() {
        return Err(Error::decode("the credentials have an empty key"));
    }
    let account = to_raw_value(&members)
        .and_then(Account::from_raw)
        .map_err(|error| unreadable("the account is none", &error).with_provider(NAME));
    Ok(RegisteredAccount { account, credentials })
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode};

    use super::*;

    fn body(newcomer: &Newcomer) -> String {
        let call = newcomer.request("/v1/accounts", true).unwrap();
        String::from_utf8(call.body.to_vec()).unwrap()
    }

    #[test]
    fn the_body_holds_what_is_set_and_nothing_else() {
        let mut newcomer = Newcomer::new("Zoë \"Z\" Ång", "zoe@example.com");
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

    fn registered(body: &str) -> Result<RegisteredAccount> {
        let body = bytes::Bytes::from(body.to_owned()).into();
        read(&ApiResponse { status: StatusCode::CREATED, headers: HeaderMap::new(), body })
    }

    #[test]
    fn the_references_example_decodes_and_only_the_credentials_keep_the_key() {
        let registered = registered(
            r#"{"id":"c64ce66b70b21c03bfd5dfa0ab14b730","name":"Ted Annature","email":"ted@annature.com.au",
            "number":"1300 000 000","timezone":"+10:00","role":"administrator","active":true,
            "group_id":"a5a885caee6286a54ad7bbd4ab5400e9","organisation_id":"62e9a87c6ed1444d9d228c4a0374017d",
            "created":"2019-12-17T05:30:00Z","verified":"2019-12-17T05:30:00Z",
            "credentials":{"id":"39e2c46c5bfa88d3d7b13f569b305436","key":"ae87dccad5f1f7ae43d3c0edb08d79fe"}}"#,
        )
        .unwrap();
        let RegisteredAccount { account, credentials } = &registered;
        let account = account.as_ref().unwrap();
        assert_eq!(account.id, "c64ce66b70b21c03bfd5dfa0ab14b730");
        assert_eq!(account.organisation_id.as_deref(), Some("62e9a87c6ed1444d9d228c4a0374017d"));
        assert_eq!(credentials.id, "39e2c46c5bfa88d3d7b13f569b305436");
        assert_eq!(credentials.key.expose_secret(), "ae87dccad5f1f7ae43d3c0edb08d79fe");
        let shared = crate::Account::from(account.clone());
        for text in [
            format!("{registered:?}"),
            account.raw().to_owned(),
            serde_json::to_string(account).unwrap(),
            shared.record().raw().to_owned(),
        ] {
            assert!(!text.contains("ae87dcc") && !text.contains("credentials\":"), "{text}");
        }
    }

    #[test]
    fn an_answer_without_its_credentials_is_an_error_that_quotes_none() {
        for body in [
            r#"{"id":"a"}"#,
            r#"{"id":"a","credentials":null}"#,
            r#"{"id":"a","credentials":{"id":"k"}}"#,
            r#"{"id":"a","credentials":{"id":"","key":"hunter2"}}"#,
            r#"{"id":"a","credentials":{"id":"k","key":""}}"#,
            r#"{"id":"a","credentials":"hunter2"}"#,
            r#"["hunter2"]"#,
        ] {
            let error = registered(body).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Decode, "{body}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }
    #[test]
    fn credentials_are_kept_if_the_account_can_not_be_read() {
        for account in [
            r#""id":"a","number":1300000000"#,
            r#""id":["hunter2"]"#,
            r#""id":"hunter2","active":"hunter2""#,
            r#""name":"hunter2""#,
        ] {
            let body = format!(r#"{{{account},"credentials":{{"id":"k","key":"0123456789abcdef"}}}}"#);
            let registered = registered(&body).unwrap();
            assert_eq!(registered.credentials.id, "k");
            assert_eq!(registered.credentials.key.expose_secret(), "0123456789abcdef");
            let error = registered.account.unwrap_err();
            assert_eq!((error.kind(), error.provider()), (crate::ErrorKind::Decode, Some("annature")));
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("hunter2") && !shown.contains("0123456789abcdef"), "{shown}");
        }
    }
}
