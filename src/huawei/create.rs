use http::Method;
use serde::Serialize;

use super::{Client, CreateAccountStatus, create_status, path, tag::Tag};
use crate::{Error, Result, http::Call};

impl Client {
    /// Creates an account in the organization, with an e-mail address or phone number of its own.
    ///
    /// The account is made later: [`wait_for_account`](Self::wait_for_account) with the id of the answer.
    ///
    /// For the management account only; IAM action `organizations:accounts:create`, and
    /// `organizations:resources:tag` for tags.
    pub fn create_account(&self, name: impl Into<String>) -> CreateAccount {
        CreateAccount { client: self.clone(), profile: Profile::new(name), email: None, phone: None }
    }

    /// Creates an account in the organization without e-mail address and phone number, which is what the
    /// reference recommends.
    ///
    /// The account is made later: [`wait_for_account`](Self::wait_for_account) with the id of the answer.
    ///
    /// For the management account only. The reference names no IAM action.
    pub fn create_resource_account(&self, name: impl Into<String>) -> CreateResourceAccount {
        CreateResourceAccount { client: self.clone(), profile: Profile::new(name) }
    }
}

/// What both ways of creating an account have in common.
#[derive(Clone, Debug, Serialize)]
struct Profile {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    agency_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Tag>,
}

impl Profile {
    fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), agency_name: None, description: None, tags: Vec::new() }
    }

    fn check(&self) -> Result<()> {
        if self.name.is_empty() {
            return Err(Error::config("name is empty; expected the name of the new account"));
        }
        Tag::check_all(&self.tags)
    }
}

macro_rules! profile_setters {
    () => {
        /// The agency that gives the management account access to the new one. The provider's default is
        /// not documented.
        pub fn agency_name(mut self, name: impl Into<String>) -> Self {
            self.profile.agency_name = Some(name.into());
            self
        }

        /// A description.
        pub fn description(mut self, text: impl Into<String>) -> Self {
            self.profile.description = Some(text.into());
            self
        }

        /// Attaches a tag; at most 20, each with another key (*User Guide*, "Overview of a Tag"). Keys have 1
        /// to 128 characters, values at most 255 (*API Reference* of 2024, `TagDto`).
        pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
            self.profile.tags.push(Tag::new(key, value));
            self
        }
    };
}

/// `POST /v1/organizations/accounts`: creates an account.
///
/// The name must be another than that of any account there is (*User Guide*, "Creating an Account"). It is
/// left to the provider how long it may be: the reference says only of the names in its answers that they
/// have at most 64 characters. By default an organization has 10 member accounts at most, and 5 are created
/// at a time (*Service Overview*); with which code more are refused is not documented.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retry::Uncertain`](crate::Retry::Uncertain), look for
/// the name in [`list_create_account_statuses`](Client::list_create_account_statuses) before sending it again:
/// there is nothing by which the provider could tell a repetition.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the name is empty, a tag is too long or has no key, or there are
/// too many tags; [`Denied`](crate::ErrorKind::Denied) if the key does not belong to the management account
/// (`Organizations.1001`) or a policy does not allow it (`.1007`); [`Api`](crate::ErrorKind::Api) with
/// [`Retry::Safe`](crate::Retry::Safe) after a concurrent modification (`.1003`).
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct CreateAccount {
    client: Client,
    profile: Profile,
    email: Option<String>,
    phone: Option<String>,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(flatten)]
    profile: &'a Profile,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'a str>,
}

impl CreateAccount {
    /// The account's e-mail address: mandatory on the international site.
    ///
    /// Whether a key belongs to that site can not be told from it, so this is left for the provider to check.
    pub fn email(mut self, address: impl Into<String>) -> Self {
        self.email = Some(address.into());
        self
    }

    /// The account's mobile number: mandatory on the site of the Chinese mainland. See
    /// [`email`](Self::email).
    pub fn phone(mut self, number: impl Into<String>) -> Self {
        self.phone = Some(number.into());
        self
    }

    profile_setters!();

    /// Sends the request. The answer says only that it was taken up: its state tells how far it has come.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<CreateAccountStatus> {
        self.client.send(self.call(), create_status::read).await
    }

    fn call(&self) -> Result<Call> {
        self.profile.check()?;
        let body =
            Body { profile: &self.profile, email: self.email.as_deref(), phone: self.phone.as_deref() };
        Call::change(Method::POST, path::ACCOUNTS).json(&body)
    }
}

/// `POST /v2/organizations/accounts`: creates an account without e-mail address and phone number.
///
/// Name and limits are those of [`CreateAccount`].
///
/// # Retries
/// As [`CreateAccount`].
///
/// # Errors
/// Those of [`CreateAccount`].
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct CreateResourceAccount {
    client: Client,
    profile: Profile,
}

impl CreateResourceAccount {
    profile_setters!();

    /// Sends the request. The answer says only that it was taken up: its state tells how far it has come.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<CreateAccountStatus> {
        self.client.send(self.call(), create_status::read).await
    }

    fn call(&self) -> Result<Call> {
        self.profile.check()?;
        Call::change(Method::POST, path::RESOURCE_ACCOUNTS).json(&self.profile)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn body(call: Result<Call>) -> Value {
        serde_json::from_slice(&call.unwrap().body).unwrap()
    }

    #[test]
    fn bodies_hold_what_was_set_and_nothing_else() {
        let client = Client::builder("access", "secret").build().unwrap();
        assert_eq!(body(client.create_account("账号").call()), json!({"name": "账号"}));
        let full = client.create_account("a").email("e@example.com").phone("+49 1").agency_name("agency");
        let full = full.description("").tag("k", "v").tag("l", "");
        let tags = json!([{"key": "k", "value": "v"}, {"key": "l", "value": ""}]);
        let common = json!({"name": "a", "agency_name": "agency", "description": "", "tags": tags});
        let mut expected = common.clone();
        expected["email"] = "e@example.com".into();
        expected["phone"] = "+49 1".into();
        assert_eq!(body(full.call()), expected);
        let resource = client.create_resource_account("a").agency_name("agency").description("");
        assert_eq!(body(resource.tag("k", "v").tag("l", "").call()), common);
    }
}
