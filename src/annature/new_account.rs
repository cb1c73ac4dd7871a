//! Creates accounts in the caller's organisation, and registers accounts with new organisations.

use std::{borrow::Cow, collections::BTreeMap};

use http::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::{
    Account, Client, NAME, Role,
    auth::{PartnerKey, partner_setters},
    requests::{AccountFields, check_not_blank},
};
use crate::{
    Error, Result,
    http::{ApiRequest, ApiResponse, read_object},
    record::{FromRow, describe_error},
};

/// The parameters that creating and registering an account have in common.
#[derive(Clone, Debug)]
struct NewAccount {
    fields: AccountFields,
    business: Option<String>,
    password: Option<SecretString>,
    skip_verification: bool,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(flatten)]
    fields: &'a AccountFields,
    #[serde(skip_serializing_if = "Option::is_none")]
    business: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
    /// Never sent as `false`: the provider rejects it without a partner key.
    #[serde(skip_serializing_if = "Option::is_none")]
    skip_verification: Option<bool>,
}

impl NewAccount {
    fn new(name: impl Into<String>, email: impl Into<String>) -> Self {
        let fields =
            AccountFields { name: Some(name.into()), email: Some(email.into()), ..AccountFields::default() };
        Self { fields, business: None, password: None, skip_verification: false }
    }

    /// Builds the request. `has_partner_key`: whether it is sent with a partner key.
    fn request(&self, path: &str, has_partner_key: bool) -> Result<ApiRequest> {
        self.fields.check()?;
        check_not_blank("business", self.business.as_deref())?;
        let password = self.password.as_ref().map(ExposeSecret::expose_secret);
        if password == Some("") {
            return Err(Error::config("the password is empty; set a value or leave it unset"));
        }
        if self.skip_verification && !has_partner_key {
            return Err(Error::config(
                "skip_verification requires a partner key; set one on the client or the request",
            ));
        }
        let body = Body {
            fields: &self.fields,
            business: self.business.as_deref(),
            password,
            skip_verification: self.skip_verification.then_some(true),
        };
        let mut request = ApiRequest::new(Method::POST, path).json(&body)?;
        request.secrets.extend(self.password.clone());
        Ok(request)
    }
}

/// Defines the setters that both requests have, for a request with a field `new_account`.
macro_rules! new_account_setters {
    () => {
        /// Sets the password. Without one, the person sets it through the verification mail.
        ///
        /// Which passwords the provider accepts is not documented.
        pub fn password(mut self, password: impl Into<secrecy::SecretString>) -> Self {
            self.new_account.password = Some(password.into());
            self
        }

        /// Sets the phone number, free-form.
        pub fn number(mut self, number: impl Into<String>) -> Self {
            self.new_account.fields.number = Some(number.into());
            self
        }

        /// Sets the offset from UTC, such as `+10:00`; not the name of a time zone.
        pub fn timezone(mut self, offset: impl Into<String>) -> Self {
            self.new_account.fields.timezone = Some(offset.into());
            self
        }
    };
}

impl Client {
    /// Creates an account in the caller's organisation, for a person with this name and e-mail address.
    pub fn create_account(&self, name: impl Into<String>, email: impl Into<String>) -> CreateAccount {
        CreateAccount {
            client: self.clone(),
            partner_key: PartnerKey::default(),
            new_account: NewAccount::new(name, email),
        }
    }
}

/// `POST /v1/accounts`: creates an account in the caller's organisation.
///
/// The person receives a mail that verifies the address, and can neither log in nor send envelopes until
/// then. That a request with a partner key also creates the account in the caller's organisation is an
/// assumption. The defaults of number, timezone and group are not documented.
///
/// # Retries
/// Not idempotent: retried only if the request never reached the server.
///
/// After [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), look up the address with
/// [`list_accounts`](Client::list_accounts) and its
/// [`without_partner_key`](super::ListAccounts::without_partner_key): with a partner key, the list excludes
/// the users of the caller's organisation. Addresses are unique, so sending the request again creates no
/// second account.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config), before anything is sent, if a value is empty or malformed, or if
/// verification is to be skipped without a partner key. The provider rejects an e-mail address that another
/// account has. The status is not documented, nor whether accounts of other organisations count.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct CreateAccount {
    client: Client,
    partner_key: PartnerKey,
    new_account: NewAccount,
}

impl CreateAccount {
    new_account_setters!();

    /// Sets the role. Default: [`Role::Standard`].
    pub fn role(mut self, role: impl Into<Role>) -> Self {
        self.new_account.fields.role = Some(role.into());
        self
    }

    /// Sets the account group.
    pub fn group_id(mut self, id: impl Into<String>) -> Self {
        self.new_account.fields.group_id = Some(id.into());
        self
    }

    /// Marks the address as verified, so that no mail is sent. Default: false.
    ///
    /// Requires a partner key, on the client or on this request. Also set a [`password`](Self::password);
    /// otherwise the person may be unable to log in.
    pub fn skip_verification(mut self, skip: bool) -> Self {
        self.new_account.skip_verification = skip;
        self
    }

    partner_setters!();

    /// Sends the request and returns the created account.
    pub async fn send(self) -> Result<Account> {
        self.client
            .send(&self.partner_key, self.request(), |response| read_object(response, "an account"))
            .await
    }

    fn request(&self) -> Result<ApiRequest> {
        self.new_account.request("/v1/accounts", self.client.resolve_partner_key(&self.partner_key).is_some())
    }
}

impl Client {
    /// Registers an organisation for this business, with an account for a person with this name and e-mail
    /// address. Requires a partner key.
    pub fn register_account(
        &self,
        name: impl Into<String>,
        email: impl Into<String>,
        business: impl Into<String>,
    ) -> RegisterAccount {
        let new_account = NewAccount { business: Some(business.into()), ..NewAccount::new(name, email) };
        RegisterAccount { client: self.clone(), partner_key: PartnerKey::default(), new_account }
    }
}

/// `POST /v1/accounts/register`: creates an organisation and its first account.
///
/// Requires a partner key, on the client or on this request. The person receives a mail that verifies the
/// address.
///
/// # Retries
/// Not idempotent: retried only if the request never reached the server.
///
/// After [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), look up the address with
/// [`list_accounts`](Client::list_accounts) and the partner key. If addresses are unique across
/// organisations, which is an assumption, sending the request again creates no second organisation. If the
/// organisation was created, its API key is lost with the response. No endpoint returns the key again, so an
/// administrator of the organisation has to create another.
///
/// # Errors
/// - [`Config`](crate::ErrorKind::Config), before anything is sent, if there is no partner key, or if a value
///   is empty or malformed.
/// - [`Decode`](crate::ErrorKind::Decode) if the response has no readable API key.
///
/// The provider rejects an e-mail address that another account has. The status is not documented, nor whether
/// accounts of all organisations count.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct RegisterAccount {
    client: Client,
    partner_key: PartnerKey,
    new_account: NewAccount,
}

impl RegisterAccount {
    new_account_setters!();

    /// Marks the address as verified, so that no mail is sent. Default: false.
    ///
    /// Also set a [`password`](Self::password); otherwise the person may be unable to log in.
    pub fn skip_verification(mut self, skip: bool) -> Self {
        self.new_account.skip_verification = skip;
        self
    }

    partner_setters!();

    /// Sends the request and returns the account with the API key of its organisation.
    pub async fn send(self) -> Result<RegisteredAccount> {
        self.client.send(&self.partner_key, self.request(), read).await
    }

    fn request(&self) -> Result<ApiRequest> {
        if self.client.resolve_partner_key(&self.partner_key).is_none() {
            return Err(Error::config(
                "registering an account requires a partner key; set one on the client or the request",
            ));
        }
        self.new_account.request("/v1/accounts/register", true)
    }
}

/// A registered account, with the API key of its organisation.
#[derive(Clone, Debug)]
#[must_use = "holds the organisation's API key, which is returned only once"]
#[non_exhaustive]
pub struct RegisteredAccount {
    /// The account. Its record is the response without the member `credentials`.
    ///
    /// An error of kind [`Decode`](crate::ErrorKind::Decode) if the account cannot be decoded. The account
    /// exists even then, and `api_key`, which no other response contains, is still available.
    pub account: Result<Account>,
    /// The API key of the new organisation.
    pub api_key: ApiKey,
}

/// A long-lived API key with full access to its organisation. The provider returns it only once.
///
/// To use it: `Client::builder().id(api_key.id).key(api_key.key)`.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct ApiKey {
    /// The public part.
    #[serde(deserialize_with = "crate::record::id")]
    pub id: String,
    /// The private key. Read it with [`ExposeSecret`](crate::secrecy::ExposeSecret).
    pub key: SecretString,
}

/// Removes the API key before the record is stored in the account, and returns it even if the account cannot
/// be decoded.
fn read(response: &ApiResponse) -> Result<RegisteredAccount> {
    let mut members: BTreeMap<Cow<'_, str>, &RawValue> =
        read_object(response, "an account with credentials")?;
    let decode_error =
        |what: &str, error: &serde_json::Error| Error::decode(format!("{what}: {}", describe_error(error)));
    let credentials =
        members.remove("credentials").ok_or_else(|| Error::decode("the response has no credentials"))?;
    let api_key: ApiKey = serde_json::from_str(credentials.get())
        .map_err(|error| decode_error("invalid credentials, expected id and key", &error))?;
    if api_key.key.expose_secret().is_empty() {
        return Err(Error::decode("invalid credentials: the key is empty"));
    }
    let account = to_raw_value(&members)
        .and_then(Account::from_raw)
        .map_err(|error| decode_error("failed to decode the account", &error).with_provider(NAME));
    Ok(RegisteredAccount { account, api_key })
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode};

    use super::*;

    fn body(new_account: &NewAccount) -> String {
        let request = new_account.request("/v1/accounts", true).unwrap();
        String::from_utf8(request.body.to_vec()).unwrap()
    }

    #[test]
    fn body_holds_only_set_members() {
        let mut new_account = NewAccount::new("Zoë \"Z\" Ång", "zoe@example.com");
        assert_eq!(body(&new_account), r#"{"name":"Zoë \"Z\" Ång","email":"zoe@example.com"}"#);
        new_account.fields.number = Some("1300 000 000".into());
        new_account.fields.timezone = Some("+10:30".into());
        new_account.fields.role = Some(Role::Administrator);
        new_account.fields.group_id = Some("g".into());
        new_account.business = Some("Acme".into());
        new_account.password = Some("hunter2".into());
        new_account.skip_verification = true;
        let expected = r#"{"name":"Zoë \"Z\" Ång","email":"zoe@example.com","number":"1300 000 000","timezone":"+10:30","role":"administrator","group_id":"g","business":"Acme","password":"hunter2","skip_verification":true}"#;
        assert_eq!(body(&new_account), expected);
    }

    fn read_body(body: &str) -> Result<RegisteredAccount> {
        let body = bytes::Bytes::from(body.to_owned()).into();
        read(&ApiResponse { status: StatusCode::CREATED, headers: HeaderMap::new(), body })
    }

    #[test]
    fn reference_example_keeps_key_out_of_account() {
        let registered = read_body(
            r#"{"id":"c64ce66b70b21c03bfd5dfa0ab14b730","name":"Ted Annature","email":"ted@annature.com.au",
            "number":"1300 000 000","timezone":"+10:00","role":"administrator","active":true,
            "group_id":"a5a885caee6286a54ad7bbd4ab5400e9","organisation_id":"62e9a87c6ed1444d9d228c4a0374017d",
            "created":"2019-12-17T05:30:00Z","verified":"2019-12-17T05:30:00Z",
            "credentials":{"id":"39e2c46c5bfa88d3d7b13f569b305436","key":"ae87dccad5f1f7ae43d3c0edb08d79fe"}}"#,
        )
        .unwrap();
        let RegisteredAccount { account, api_key } = &registered;
        let account = account.as_ref().unwrap();
        assert_eq!(account.id, "c64ce66b70b21c03bfd5dfa0ab14b730");
        assert_eq!(account.organisation_id.as_deref(), Some("62e9a87c6ed1444d9d228c4a0374017d"));
        assert_eq!(api_key.id, "39e2c46c5bfa88d3d7b13f569b305436");
        assert_eq!(api_key.key.expose_secret(), "ae87dccad5f1f7ae43d3c0edb08d79fe");
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
    fn missing_credentials_are_an_error() {
        for body in [
            r#"{"id":"a"}"#,
            r#"{"id":"a","credentials":null}"#,
            r#"{"id":"a","credentials":{"id":"k"}}"#,
            r#"{"id":"a","credentials":{"id":"","key":"hunter2"}}"#,
            r#"{"id":"a","credentials":{"id":"k","key":""}}"#,
            r#"{"id":"a","credentials":"hunter2"}"#,
            r#"["hunter2"]"#,
        ] {
            let error = read_body(body).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Decode, "{body}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn api_key_survives_undecodable_account() {
        for account in [
            r#""id":"a","number":1300000000"#,
            r#""id":["hunter2"]"#,
            r#""id":"hunter2","active":"hunter2""#,
            r#""name":"hunter2""#,
        ] {
            let body = format!(r#"{{{account},"credentials":{{"id":"k","key":"0123456789abcdef"}}}}"#);
            let registered = read_body(&body).unwrap();
            assert_eq!(registered.api_key.id, "k");
            assert_eq!(registered.api_key.key.expose_secret(), "0123456789abcdef");
            let error = registered.account.unwrap_err();
            assert_eq!(
                (error.kind(), error.provider()),
                (crate::ErrorKind::Decode, Some(crate::Provider::Annature))
            );
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("hunter2") && !shown.contains("0123456789abcdef"), "{shown}");
        }
    }
}
