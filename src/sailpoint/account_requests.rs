//! The requests about single accounts: reading one, and every change.

use std::fmt;

use http::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Account, Client, version::Root};
use crate::{
    Error, Result,
    http::{ApiRequest, ApiResponse, expect_empty, path_segment, read_object},
};

/// `GET …/accounts/{id}`: one account, in full.
///
/// Permission: the scope `idn:accounts:read` or `idn:accounts:manage`, and a user level of `ORG_ADMIN`,
/// `SOURCE_ADMIN`, `SOURCE_SUBADMIN` or `HELPDESK`. It reads, and is retried.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the id can not be one, [`NotFound`](crate::ErrorKind::NotFound) if
/// there is no such account, [`PermissionDenied`](crate::ErrorKind::PermissionDenied) without the permission.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct GetAccount {
    client: Client,
    id: String,
}

impl GetAccount {
    pub(super) fn new(client: Client, id: String) -> Self {
        Self { client, id }
    }

    /// Asks for the account.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<Account> {
        self.client.send(self.request(), |response| read_object(response, "an account")).await
    }

    fn request(&self) -> Result<ApiRequest> {
        let id = path_segment("account id", &self.id)?;
        Ok(ApiRequest::get(self.client.api_version().path_to(Root::Accounts, &[&id])))
    }
}

const SOURCE_ID: &str = "sourceId";

/// `POST …/accounts`: makes an account on a source.
///
/// It is made in the tenant, not on the source system. That suits sources of delimited files; on a connected
/// source the account has to exist there too, or the next aggregation removes it here.
///
/// **If the attributes name an account that is there already, that one is changed.** By which of them it is
/// recognised is not documented; presumably by the one that the source's schema has for the account's id.
///
/// Permission: the scope `idn:accounts:manage`, and a user level of `ORG_ADMIN`, `SOURCE_ADMIN` or
/// `SOURCE_SUBADMIN`.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), look for
/// the account with [`list_accounts`](Client::list_accounts), filtered by source and native identity, some
/// time later: it is made by a task.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the source's id or an attribute's name can not be one, or there
/// are no attributes; [`Api`](crate::ErrorKind::Api) with status 400 if the provider refuses them;
/// [`PermissionDenied`](crate::ErrorKind::PermissionDenied) without the permission. Errors do not quote the attributes,
/// unless they have fewer than four characters.
#[derive(Clone)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct CreateAccount {
    client: Client,
    source_id: String,
    attributes: Map<String, Value>,
}

impl CreateAccount {
    pub(super) fn new(client: Client, source_id: String) -> Self {
        Self { client, source_id, attributes: Map::new() }
    }

    /// An attribute of the source's schema, in place of any of the same name given before. The provider takes
    /// text only.
    pub fn attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.insert(name.into(), Value::String(value.into()));
        self
    }

    /// Several attributes.
    pub fn attributes<N: Into<String>, V: Into<String>>(
        self,
        attributes: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        attributes.into_iter().fold(self, |this, (name, value)| this.attribute(name, value))
    }

    /// Has the account made; the task that does it.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<TaskId> {
        self.client.send(self.request(), read_task).await
    }

    fn request(&self) -> Result<ApiRequest> {
        path_segment("source id", &self.source_id)?;
        if self.attributes.is_empty() {
            return Err(Error::config(
                "the account has no attributes; expected those of the source's schema",
            ));
        }
        for name in self.attributes.keys() {
            check_name(name)?;
            if name == SOURCE_ID {
                let message = "the attribute sourceId is taken by the source that create_account() was given";
                return Err(Error::config(message));
            }
        }
        let mut attributes = self.attributes.clone();
        attributes.insert(SOURCE_ID.to_owned(), Value::String(self.source_id.clone()));
        let path = self.client.api_version().path_to(Root::Accounts, &[]);
        let mut call = ApiRequest::mutation(Method::POST, path).json(&Body { attributes: &attributes })?;
        call.secrets = texts(self.attributes.values());
        Ok(call)
    }
}

impl fmt::Debug for CreateAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateAccount")
            .field("client", &self.client)
            .field("source_id", &self.source_id)
            .field("attributes", &self.attributes.keys().collect::<Vec<_>>())
            .finish()
    }
}

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
/// Sent again only if it surely was not sent. After [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), see with
/// [`get_account`](Client::get_account) what the account is now.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the id can not be one, nothing is to be changed, or a value is not
/// of its place; [`Api`](crate::ErrorKind::Api) with status 400 if the provider refuses a change;
/// [`NotFound`](crate::ErrorKind::NotFound) if there is no such account; [`PermissionDenied`](crate::ErrorKind::PermissionDenied)
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
        self.client.send(self.request(), expect_empty).await
    }

    fn with(mut self, op: Op, path: AccountPath, value: Option<Value>) -> Self {
        self.operations.push(Operation { op, path, value });
        self
    }

    fn request(&self) -> Result<ApiRequest> {
        let id = path_segment("account id", &self.id)?;
        if self.operations.is_empty() {
            return Err(Error::config("nothing is to be changed; expected add(), replace() or remove()"));
        }
        self.operations.iter().try_for_each(Operation::check)?;
        let path = self.client.api_version().path_to(Root::Accounts, &[&id]);
        let operations: Vec<_> = self.operations.iter().map(Operation::written).collect();
        let mut call = ApiRequest::mutation(Method::PATCH, path).json_as(JSON_PATCH, &operations)?;
        let attributes = self.operations.iter().filter(|one| matches!(one.path, AccountPath::Attribute(_)));
        call.secrets = texts(attributes.filter_map(|one| one.value.as_ref()));
        Ok(call)
    }
}

/// What of an account can be changed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AccountPath {
    /// `/identityId`: the identity that the account is correlated to.
    IdentityId,
    /// `/manuallyCorrelated`: whether it was correlated by hand.
    ManuallyCorrelated,
    /// `/attributes/…`: an attribute by its name. Of accounts on sources of delimited files only.
    Attribute(String),
}

impl AccountPath {
    /// The attribute `name`; of any characters, as they are escaped where that is needed.
    pub fn attribute(name: impl Into<String>) -> Self {
        Self::Attribute(name.into())
    }
}

impl fmt::Display for AccountPath {
    /// As a JSON pointer (RFC 6901).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IdentityId => f.write_str("/identityId"),
            Self::ManuallyCorrelated => f.write_str("/manuallyCorrelated"),
            // In this order, or the `~` of `~1` would be escaped again.
            Self::Attribute(name) => {
                write!(f, "/attributes/{}", name.replace('~', "~0").replace('/', "~1"))
            }
        }
    }
}

/// What is done at a place. The standard's `move`, `copy` and `test` are left out: the reference shows none of
/// them, and a server that passed over a `test` would change what it should not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Add,
    Replace,
    Remove,
}

impl Op {
    fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Replace => "replace",
            Self::Remove => "remove",
        }
    }
}

/// One change.
#[derive(Clone)]
struct Operation {
    op: Op,
    path: AccountPath,
    /// `None` for a removal.
    value: Option<Value>,
}

/// An operation as it is sent.
#[derive(Serialize)]
struct Written<'a> {
    op: &'static str,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a Value>,
}

impl Operation {
    fn written(&self) -> Written<'_> {
        Written { op: self.op.as_str(), path: self.path.to_string(), value: self.value.as_ref() }
    }

    fn check(&self) -> Result<()> {
        match (&self.path, &self.value) {
            (AccountPath::IdentityId, Some(Value::String(id))) => path_segment("identity id", id).map(drop),
            (AccountPath::IdentityId, Some(_)) => {
                Err(self.refuse("is no text; expected the id of an identity"))
            }
            (AccountPath::ManuallyCorrelated, Some(Value::Bool(_))) | (AccountPath::IdentityId, None) => {
                Ok(())
            }
            (AccountPath::ManuallyCorrelated, Some(_)) => {
                Err(self.refuse("is neither true nor false; expected one of them"))
            }
            (AccountPath::ManuallyCorrelated, None) => {
                Err(self.refuse("can not be removed; expected true or false in its place"))
            }
            (AccountPath::Attribute(name), _) => check_name(name),
        }
    }

    fn refuse(&self, why: &str) -> Error {
        Error::config(format!("{} {why}", self.path))
    }
}

impl fmt::Debug for Operation {
    /// `replace /attributes/mail`: without the value, which may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.op.as_str(), self.path)
    }
}

/// `PUT …/accounts/{id}`: writes the attributes of an account on a source of delimited files.
///
/// Other sources are refused by the provider. What becomes of attributes that are not given is not documented:
/// by the meaning of `PUT` they go, so give all that shall stay. To change single ones, see
/// [`update_account`](Client::update_account).
///
/// Permission: the scope `idn:accounts:manage`, and a user level of `ORG_ADMIN`, `SOURCE_ADMIN` or
/// `SOURCE_SUBADMIN`.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied) it does no
/// harm to send it again, unless somebody else has written meanwhile.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the id or an attribute's name can not be one, or there are no
/// attributes; [`Api`](crate::ErrorKind::Api) with status 400 for other sources;
/// [`NotFound`](crate::ErrorKind::NotFound) if there is no such account; [`PermissionDenied`](crate::ErrorKind::PermissionDenied)
/// without the permission. Errors do not quote the attributes, unless they have fewer
/// than four characters.
#[derive(Clone)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct PutAccount {
    client: Client,
    id: String,
    attributes: Map<String, Value>,
}

impl PutAccount {
    pub(super) fn new(client: Client, id: String, attributes: Map<String, Value>) -> Self {
        Self { client, id, attributes }
    }

    /// Has the attributes written; the task that does it.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<TaskId> {
        self.client.send(self.request(), read_task).await
    }

    fn request(&self) -> Result<ApiRequest> {
        let id = path_segment("account id", &self.id)?;
        if self.attributes.is_empty() {
            let message = "there are no attributes; expected all that the account shall have";
            return Err(Error::config(message));
        }
        self.attributes.keys().try_for_each(|name| check_name(name))?;
        let path = self.client.api_version().path_to(Root::Accounts, &[&id]);
        let mut call =
            ApiRequest::mutation(Method::PUT, path).json(&Body { attributes: &self.attributes })?;
        call.secrets = texts(self.attributes.values());
        Ok(call)
    }
}

impl fmt::Debug for PutAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PutAccount")
            .field("client", &self.client)
            .field("id", &self.id)
            .field("attributes", &self.attributes.keys().collect::<Vec<_>>())
            .finish()
    }
}

/// `DELETE …/accounts/{id}`: deletes an account on a source of delimited files, from the tenant only.
///
/// Other sources are refused by the provider. The account comes back with the next aggregation if the source
/// still has it; the provider recommends to [disable](Client::disable_account) it instead.
///
/// Permission: the scope `idn:accounts:manage`, and a user level of `ORG_ADMIN`, `SOURCE_ADMIN` or
/// `SOURCE_SUBADMIN`.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), see with
/// [`get_account`](Client::get_account) whether the account is there, some time later: a task deletes it.
/// Sending it again before that is done begins a second task, to the same end;
/// [`NotFound`](crate::ErrorKind::NotFound) then says that the account is gone, or that the id was none.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the id can not be one, [`Api`](crate::ErrorKind::Api) with status
/// 400 for other sources, [`NotFound`](crate::ErrorKind::NotFound) if there is no such account,
/// [`PermissionDenied`](crate::ErrorKind::PermissionDenied) without the permission.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct DeleteAccount {
    client: Client,
    id: String,
}

impl DeleteAccount {
    pub(super) fn new(client: Client, id: String) -> Self {
        Self { client, id }
    }

    /// Has the account deleted; the task that does it.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<TaskId> {
        self.client.send(self.request(), read_task).await
    }

    fn request(&self) -> Result<ApiRequest> {
        let id = path_segment("account id", &self.id)?;
        let path = self.client.api_version().path_to(Root::Accounts, &[&id]);
        Ok(ApiRequest::mutation(Method::DELETE, path))
    }
}

/// `POST …/accounts/{id}/remove`: removes an account on any source from the tenant. Nothing is provisioned to
/// the source, and the next aggregation may make the account again.
///
/// It is good for accounts that are gone from their source, or are no longer aggregated, and for having an
/// account processed anew. `v3` has no such call; `v2024` and `v2025` hold it experimental, and the header
/// that this takes is sent.
///
/// Permission: the scope `idn:accounts:manage`, and a user level of `ORG_ADMIN`.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), see with
/// [`get_account`](Client::get_account) whether the account is there.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the id can not be one, or the client speaks `v3`;
/// [`PermissionDenied`](crate::ErrorKind::PermissionDenied) without the permission; [`Decode`](crate::ErrorKind::Decode) if the answer
/// has neither the id nor the type of a task result. What an unknown id gives is not documented.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct RemoveAccount {
    client: Client,
    id: String,
}

impl RemoveAccount {
    pub(super) fn new(client: Client, id: String) -> Self {
        Self { client, id }
    }

    /// Has the account removed; the task that does it.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<TaskResult> {
        self.client.send(self.request(), TaskResult::read).await
    }

    fn request(&self) -> Result<ApiRequest> {
        let id = path_segment("account id", &self.id)?;
        self.client.api_version().late_post("remove accounts", Root::Accounts, &[&id, "remove"])
    }
}

/// The task that removes an account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct TaskResult {
    /// The task's id. The reference does not promise it.
    pub id: Option<TaskId>,
    /// What sort of object this is: `TASK_RESULT`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// A name; null in the reference's example.
    pub name: Option<String>,
}

impl TaskResult {
    /// Reads a task result. Each member is optional, so that any object would do: it has to look like one.
    fn read(response: &ApiResponse) -> Result<Self> {
        let result: Self = read_object(response, "a task result")?;
        if result.id.is_none() && result.kind.is_none() {
            let message = "expected a task result, and an object without id and type came";
            return Err(Error::decode(message).with_status(response.status.as_u16()));
        }
        Ok(result)
    }
}

/// What all changes of state may be asked with. Members that were not set are left out.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Options {
    #[serde(skip_serializing_if = "Option::is_none")]
    external_verification_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    force_provisioning: Option<bool>,
    #[serde(rename = "unlockIDNAccount", skip_serializing_if = "Option::is_none")]
    unlock_idn_account: Option<bool>,
}

impl Options {
    fn check(&self) -> Result<()> {
        match &self.external_verification_id {
            Some(id) if id.trim().is_empty() => {
                Err(Error::config("external verification id is empty; expected an id, or none at all"))
            }
            _ => Ok(()),
        }
    }
}

/// `POST …/accounts/{id}/{verb}`.
fn post(client: &Client, id: &str, verb: &str) -> Result<ApiRequest> {
    let id = path_segment("account id", id)?;
    Ok(ApiRequest::mutation(Method::POST, client.api_version().path_to(Root::Accounts, &[&id, verb])))
}

/// `POST …/accounts/{id}/enable` and `…/disable`: switches an account on or off, on its source too.
///
/// Permission: the scope `idn:accounts-state:manage`, and a user level of `ORG_ADMIN`, `SOURCE_ADMIN`,
/// `SOURCE_SUBADMIN` or `HELPDESK`.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), see with
/// [`get_account`](Client::get_account) whether it is `disabled`, some time later: a task does it. Sending it
/// again begins a second task, to the same end.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if an id can not be one, [`NotFound`](crate::ErrorKind::NotFound) if
/// there is no such account, [`PermissionDenied`](crate::ErrorKind::PermissionDenied) without the permission.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct SetAccountState {
    client: Client,
    id: String,
    verb: &'static str,
    options: Options,
}

impl SetAccountState {
    pub(super) fn new(client: Client, id: String, verb: &'static str) -> Self {
        Self { client, id, verb, options: Options::default() }
    }

    /// An id by which an external process checks that the user wants to go on with it.
    pub fn external_verification_id(mut self, id: impl Into<String>) -> Self {
        self.options.external_verification_id = Some(id.into());
        self
    }

    /// Whether the source is told even if the account seems to be in that state already, as when it is not in
    /// step with its source.
    ///
    /// **With true, the account may be unlocked too**: of one that is not locked, the provider adds an
    /// operation `Unlock` to what its workflow does (`AccountToggleRequest`). That no further scope is needed
    /// for it, as [`unlock_account`](Client::unlock_account) needs one, is an assumption.
    pub fn force_provisioning(mut self, force: bool) -> Self {
        self.options.force_provisioning = Some(force);
        self
    }

    /// Has the state changed; the task that does it.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<TaskId> {
        self.client.send(self.request(), read_task).await
    }

    fn request(&self) -> Result<ApiRequest> {
        self.options.check()?;
        // A body is required, be it empty.
        post(&self.client, &self.id, self.verb)?.json(&self.options)
    }
}

/// `POST …/accounts/{id}/unlock`: unlocks an account, on its source too.
///
/// Permission: the scope `idn:accounts-state:manage`, with
/// [`force_provisioning(true)`](Self::force_provisioning) also `idn:accounts-provisioning:manage`, and a user
/// level of `ORG_ADMIN`, `SOURCE_ADMIN`, `SOURCE_SUBADMIN` or `HELPDESK`.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), see with
/// [`get_account`](Client::get_account) whether it is `locked`, some time later: a task does it. Sending it
/// again begins a second task, to the same end.
///
/// # Errors
/// As of [`SetAccountState`].
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct UnlockAccount {
    client: Client,
    id: String,
    options: Options,
}

impl UnlockAccount {
    pub(super) fn new(client: Client, id: String) -> Self {
        Self { client, id, options: Options::default() }
    }

    /// An id by which an external process checks that the user wants to go on with it.
    pub fn external_verification_id(mut self, id: impl Into<String>) -> Self {
        self.options.external_verification_id = Some(id.into());
        self
    }

    /// Whether the source is told even if the account seems to be unlocked already.
    pub fn force_provisioning(mut self, force: bool) -> Self {
        self.options.force_provisioning = Some(force);
        self
    }

    /// Whether the identity's account with the provider itself is unlocked too, when the rest is done.
    pub fn unlock_idn_account(mut self, unlock: bool) -> Self {
        self.options.unlock_idn_account = Some(unlock);
        self
    }

    /// Has the account unlocked; the task that does it.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<TaskId> {
        self.client.send(self.request(), read_task).await
    }

    fn request(&self) -> Result<ApiRequest> {
        self.options.check()?;
        post(&self.client, &self.id, "unlock")?.json(&self.options)
    }
}

/// `POST …/accounts/{id}/reload`: reads an account anew from its source, as an aggregation would.
///
/// Permission: as of [`SetAccountState`].
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied) it does no
/// harm to send it again.
///
/// # Errors
/// As of [`SetAccountState`].
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct ReloadAccount {
    client: Client,
    id: String,
}

impl ReloadAccount {
    pub(super) fn new(client: Client, id: String) -> Self {
        Self { client, id }
    }

    /// Has the account read anew; the task that does it.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<TaskId> {
        self.client.send(post(&self.client, &self.id, "reload"), read_task).await
    }
}

/// The id of a task that the provider has begun: `202` says that a change was accepted, not that it was made.
///
/// How the task fares is told by the provider's `GET /task-status/{id}`, which is no account endpoint and not
/// in this crate. What came of it shows in the account: see [`Client::get_account`](Client::get_account).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskId(#[serde(deserialize_with = "crate::record::id")] String);

impl TaskId {
    /// The id as the provider wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads `{"id": "…"}`.
fn read_task(response: &ApiResponse) -> Result<TaskId> {
    #[derive(Deserialize)]
    struct Accepted {
        id: TaskId,
    }
    read_object(response, "the id of a task").map(|accepted: Accepted| accepted.id)
}

/// `{"attributes": {…}}`
#[derive(Serialize)]
struct Body<'a> {
    attributes: &'a Map<String, Value>,
}

/// Refuses a name that can not be one of an attribute.
fn check_name(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Error::config("an attribute has an empty name; expected one of the source's schema"));
    }
    Ok(())
}

/// Shorter values are taken for no secrets: blotting them out of errors would make those hard to read.
const MIN_SECRET_CHARS: usize = 4;

/// The texts and numbers in some values. Sources put anything into attributes, passwords in clear text among
/// it, and servers quote what they refuse.
fn texts<'a>(values: impl IntoIterator<Item = &'a Value>) -> Vec<SecretString> {
    let mut texts = Vec::new();
    for value in values {
        match value {
            Value::String(text) => texts.push(text.as_str().into()),
            Value::Number(number) => texts.push(number.to_string().into()),
            Value::Array(values) => texts.extend(self::texts(values)),
            Value::Object(members) => texts.extend(self::texts(members.values())),
            Value::Null | Value::Bool(_) => {}
        }
    }
    texts.retain(|text| text.expose_secret().chars().count() >= MIN_SECRET_CHARS);
    texts
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};
    use serde_json::json;

    use super::*;
    use crate::ErrorKind;

    #[test]
    fn a_source_id_with_blanks_or_none_is_no_id() {
        let client = Client::builder("https://tenant.example").token("token").build().unwrap();
        let call = |id: &str| client.create_account(id).attribute("name", "a").request();
        for (id, why) in [("", "is empty"), (" abc ", "holds blanks"), ("abc\n", "holds blanks")] {
            let error = call(id).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Config, "{id:?}");
            assert!(error.message().starts_with(&format!("source id {why}")), "{error}");
        }
        let body = call("abc").unwrap().body;
        assert_eq!(body, r#"{"attributes":{"name":"a","sourceId":"abc"}}"#);
    }

    #[test]
    fn names_of_attributes_are_escaped_as_json_pointers_have_it() {
        for (name, pointer) in [
            ("mail", "/attributes/mail"),
            ("a/b", "/attributes/a~1b"),
            ("m~n", "/attributes/m~0n"),
            ("~1", "/attributes/~01"),
            ("~/~", "/attributes/~0~1~0"),
            ("urn:x:2.0:User", "/attributes/urn:x:2.0:User"),
            ("a \"b\" é", "/attributes/a \"b\" é"),
        ] {
            assert_eq!(AccountPath::attribute(name).to_string(), pointer);
        }
    }

    #[test]
    fn an_object_that_is_no_task_result_is_an_error() {
        let read = |body: &'static str| {
            let (status, headers) = (StatusCode::ACCEPTED, HeaderMap::new());
            TaskResult::read(&ApiResponse { status, headers, body: Bytes::from(body).into() })
        };
        let example = read(r#"{"type":"TASK_RESULT","id":"464ae7bf791e49fdb74606a2e4a89635","name":null}"#);
        assert_eq!(example.unwrap().id.unwrap().as_str(), "464ae7bf791e49fdb74606a2e4a89635");
        assert!(read(r#"{"type":"TASK_RESULT"}"#).unwrap().id.is_none());
        assert!(read(r#"{"id":"a"}"#).unwrap().kind.is_none());
        for body in ["{}", r#"{"error":"no"}"#, r#"{"id":null,"type":null,"name":"x"}"#, "[]", ""] {
            let error = read(body).unwrap_err();
            assert_eq!((error.kind(), error.status()), (ErrorKind::Decode, Some(202)), "{body}");
        }
    }

    #[test]
    fn an_answer_without_a_task_is_an_error() {
        let read = |body: &'static str| {
            read_task(&ApiResponse {
                status: StatusCode::ACCEPTED,
                headers: HeaderMap::new(),
                body: Bytes::from(body).into(),
            })
        };
        assert_eq!(
            read(r#"{"id":"2c91808474683da6017468693c260195","later":1}"#).unwrap().to_string().len(),
            32
        );
        for body in ["", "{}", r#"{"id":""}"#, r#"{"id":null}"#, r#"{"id":7}"#, "[]", "<html>"] {
            let error = read(body).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode, "{body}");
            assert!(error.message().starts_with("expected the id of a task"), "{error}");
        }
    }

    #[test]
    fn every_text_and_number_in_an_attribute_of_four_characters_or_more_is_held_for_a_secret() {
        let values =
            [json!("a\"b\""), json!([471_199, 12, true, null, "two"]), json!({"name": {"x": "three"}})];
        let texts = texts(&values);
        let texts: Vec<_> = texts.iter().map(ExposeSecret::expose_secret).collect();
        assert_eq!(texts, ["a\"b\"", "471199", "three"]);
    }
}
