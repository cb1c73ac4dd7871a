use http::Method;
use serde_json::Value;

use super::{
    AccountPath, Client,
    attributes::texts,
    patch::{Op, Operation},
    version::Root,
};
use crate::{
    Error, Result,
    http::{Call, read_nothing, segment},
};

const JSON_PATCH: &str = "application/json-patch+json";

/// `PATCH …/accounts/{id}`: correlates an account to another identity or to none, or changes attributes of an
/// account on a source of delimited files.
///
/// The changes are made in the order in which they are given, all or none (so says the standard that the
/// reference refers to).
///
/// ```no_run
/// # async fn run(client: headcount::sailpoint::Client) -> headcount::Result<()> {
/// use headcount::sailpoint::AccountPath;
///
/// client
///     .update_account("2c9180867c184ff6017c2a2fbf031667")
///     .replace(AccountPath::IdentityId, "2c9180857725c14301772a93bb77242d")
///     .add(AccountPath::attribute("familyName"), "Smith")
///     .send()
///     .await?;
/// # Ok(()) }
/// ```
///
/// An account that is given to another identity becomes manually correlated, unless you say otherwise. If it
/// was provisioned by the provider, a new one may be made for the identity that it had. If its source is
/// authoritative, that identity becomes uncorrelated, and may even be deleted.
///
/// Permission: the scope `idn:accounts:manage`, and a user level of `ORG_ADMIN`, `SOURCE_ADMIN` or
/// `SOURCE_SUBADMIN`.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retry::Uncertain`](crate::Retry::Uncertain), see with
/// [`get_account`](Client::get_account) what the account is now.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the id can not be one, nothing is to be changed, or a value is not
/// of its place; [`Api`](crate::ErrorKind::Api) with status 400 if the provider refuses a change;
/// [`NotFound`](crate::ErrorKind::NotFound) if there is no such account; [`Denied`](crate::ErrorKind::Denied)
/// without the permission. Errors do not quote the values, unless they have fewer
/// than four characters.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct UpdateAccount {
    client: Client,
    id: String,
    operations: Vec<Operation>,
}

impl UpdateAccount {
    pub(super) fn new(client: Client, id: String) -> Self {
        Self { client, id, operations: Vec::new() }
    }

    /// Sets what may not be there yet.
    pub fn add(self, path: AccountPath, value: impl Into<Value>) -> Self {
        self.with(Op::Add, path, Some(value.into()))
    }

    /// Sets what is there. By the standard, the provider refuses it if it is not.
    pub fn replace(self, path: AccountPath, value: impl Into<Value>) -> Self {
        self.with(Op::Replace, path, Some(value.into()))
    }

    /// Takes away what is there: without its [`IdentityId`](AccountPath::IdentityId), an account is
    /// uncorrelated.
    pub fn remove(self, path: AccountPath) -> Self {
        self.with(Op::Remove, path, None)
    }

    /// Has the changes made. That they are accepted does not say that they are made already, and no task is
    /// named.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<()> {
        self.client.send(self.call(), read_nothing).await
    }

    fn with(mut self, op: Op, path: AccountPath, value: Option<Value>) -> Self {
        self.operations.push(Operation { op, path, value });
        self
    }

    fn call(&self) -> Result<Call> {
        let id = segment("account id", &self.id)?;
        if self.operations.is_empty() {
            return Err(Error::config("nothing is to be changed; expected add(), replace() or remove()"));
        }
        self.operations.iter().try_for_each(Operation::check)?;
        let path = self.client.api_version().path_to(Root::Accounts, &[&id]);
        let operations: Vec<_> = self.operations.iter().map(Operation::written).collect();
        let mut call = Call::change(Method::PATCH, path).json_as(JSON_PATCH, &operations)?;
        let attributes = self.operations.iter().filter(|one| matches!(one.path, AccountPath::Attribute(_)));
        call.secrets = texts(attributes.filter_map(|one| one.value.as_ref()));
        Ok(call)
    }
}
