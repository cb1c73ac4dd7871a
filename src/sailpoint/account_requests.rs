//! Requests for a single account: fetching it and changing it.

use std::fmt;

use http::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Account, Client, version::Collection};
use crate::{
    Error, Result,
    http::{ApiRequest, ApiResponse, expect_empty, path_segment, read_object},
};

/// `GET …/accounts/{id}`: fetches one account in full detail.
///
/// Permission: the scope `idn:accounts:read` or `idn:accounts:manage`, and a user level of `ORG_ADMIN`,
/// `SOURCE_ADMIN`, `SOURCE_SUBADMIN` or `HELPDESK`. Idempotent, and therefore retried.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the id is invalid, [`NotFound`](crate::ErrorKind::NotFound) if the
/// account does not exist, [`PermissionDenied`](crate::ErrorKind::PermissionDenied) without the permission.
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

    /// Fetches the account.
    pub async fn send(self) -> Result<Account> {
        self.client.send(self.request(), |response| read_object(response, "an account")).await
    }

    fn request(&self) -> Result<ApiRequest> {
        let id = path_segment("account id", &self.id)?;
        Ok(ApiRequest::get(self.client.api_version().resource_path(Collection::Accounts, &[&id])))
    }
}

const SOURCE_ID: &str = "sourceId";

/// `POST …/accounts`: creates an account on a source.
///
/// The account is created in the tenant, not on the source system. This is intended for sources of delimited
/// files. On a connected source, the account must exist in the source system too: otherwise the next
/// aggregation removes it from the tenant.
///
/// **If the attributes identify an existing account, that account is changed.** Which attribute identifies an
/// account is not documented. It is probably the attribute that the source's schema defines as the account
/// id.
///
/// Permission: the scope `idn:accounts:manage`, and a user level of `ORG_ADMIN`, `SOURCE_ADMIN` or
/// `SOURCE_SUBADMIN`.
///
/// # Retries
/// Not idempotent: retried only if the request never reached the server. After
/// [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), search for the account with
/// [`list_accounts`](Client::list_accounts), filtered by source and native identity. The account is created
/// by an asynchronous task, so it may appear later.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the source id or an attribute name is invalid, or if there are no
/// attributes. [`Api`](crate::ErrorKind::Api) with status 400 if the provider rejects the attributes.
/// [`PermissionDenied`](crate::ErrorKind::PermissionDenied) without the permission. Attribute values are
/// redacted from errors, except values with fewer than four characters.
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

    /// Sets an attribute of the source's schema, replacing an earlier value of the same name. The provider
    /// accepts text only.
    pub fn attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.insert(name.into(), Value::String(value.into()));
        self
    }

    /// Sets several attributes.
    pub fn attributes<N: Into<String>, V: Into<String>>(
        self,
        attributes: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        attributes.into_iter().fold(self, |this, (name, value)| this.attribute(name, value))
    }

    /// Creates the account and returns the id of the asynchronous task.
    pub async fn send(self) -> Result<TaskId> {
        self.client.send(self.request(), read_task).await
    }

    fn request(&self) -> Result<ApiRequest> {
        path_segment("source id", &self.source_id)?;
        if self.attributes.is_empty() {
            return Err(Error::config(
                "no attributes; expected at least one attribute of the source's schema",
            ));
        }
        for name in self.attributes.keys() {
            check_name(name)?;
            if name == SOURCE_ID {
                let message =
                    "attribute sourceId is reserved: it is set to the source id passed to create_account()";
                return Err(Error::config(message));
            }
        }
        let mut attributes = self.attributes.clone();
        attributes.insert(SOURCE_ID.to_owned(), Value::String(self.source_id.clone()));
        let path = self.client.api_version().resource_path(Collection::Accounts, &[]);
        let mut request =
            ApiRequest::new(Method::POST, path).json(&AttributesBody { attributes: &attributes })?;
        request.secrets = secret_values(self.attributes.values());
        Ok(request)
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
/// The changes are applied in the order of the calls, all or none. This follows from RFC 6902 (JSON Patch),
/// the standard that the reference refers to.
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
/// An account that is correlated to another identity becomes manually correlated, unless
/// [`ManuallyCorrelated`](AccountPath::ManuallyCorrelated) is set to `false`. If the account was provisioned
/// by SailPoint, a new account may be created for the previous identity. If the source is authoritative, the
/// previous identity becomes uncorrelated and may be deleted.
///
/// Permission: the scope `idn:accounts:manage`, and a user level of `ORG_ADMIN`, `SOURCE_ADMIN` or
/// `SOURCE_SUBADMIN`.
///
/// # Retries
/// Not idempotent: retried only if the request never reached the server. After
/// [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), check the account with
/// [`get_account`](Client::get_account).
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the id is invalid, there are no changes, or a value has the wrong
/// type for its path. [`Api`](crate::ErrorKind::Api) with status 400 if the provider rejects a change.
/// [`NotFound`](crate::ErrorKind::NotFound) if the account does not exist.
/// [`PermissionDenied`](crate::ErrorKind::PermissionDenied) without the permission. Attribute values are
/// redacted from errors, except values with fewer than four characters.
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

    /// Sets the value at `path`, whether or not there is one.
    pub fn add(self, path: AccountPath, value: impl Into<Value>) -> Self {
        self.with(Op::Add, path, Some(value.into()))
    }

    /// Replaces the value at `path`. By RFC 6902, the provider rejects the request if there is no value.
    pub fn replace(self, path: AccountPath, value: impl Into<Value>) -> Self {
        self.with(Op::Replace, path, Some(value.into()))
    }

    /// Removes the value at `path`. Removing the [`IdentityId`](AccountPath::IdentityId) makes the account
    /// uncorrelated.
    pub fn remove(self, path: AccountPath) -> Self {
        self.with(Op::Remove, path, None)
    }

    /// Submits the changes.
    ///
    /// Success means that the changes were accepted, not that they are already applied. The provider returns
    /// no task id.
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
            return Err(Error::config("no changes; call add(), replace() or remove()"));
        }
        self.operations.iter().try_for_each(Operation::check)?;
        let path = self.client.api_version().resource_path(Collection::Accounts, &[&id]);
        let operations: Vec<_> = self.operations.iter().map(Operation::to_json).collect();
        let mut request = ApiRequest::new(Method::PATCH, path).json_as(JSON_PATCH, &operations)?;
        let attributes =
            self.operations.iter().filter(|operation| matches!(operation.path, AccountPath::Attribute(_)));
        request.secrets = secret_values(attributes.filter_map(|operation| operation.value.as_ref()));
        Ok(request)
    }
}

/// A member of an account that [`UpdateAccount`] can change.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AccountPath {
    /// `/identityId`: the identity that the account is correlated to.
    IdentityId,
    /// `/manuallyCorrelated`: whether the account was correlated manually.
    ManuallyCorrelated,
    /// `/attributes/…`: an attribute, by its name. Only for accounts on sources of delimited files.
    Attribute(String),
}

impl AccountPath {
    /// Returns the path of the attribute `name`. Special characters are escaped.
    pub fn attribute(name: impl Into<String>) -> Self {
        Self::Attribute(name.into())
    }
}

impl fmt::Display for AccountPath {
    /// Formats the path as a JSON Pointer (RFC 6901).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IdentityId => f.write_str("/identityId"),
            Self::ManuallyCorrelated => f.write_str("/manuallyCorrelated"),
            // `~` is escaped first: otherwise the `~` of `~1` would be escaped again.
            Self::Attribute(name) => {
                write!(f, "/attributes/{}", name.replace('~', "~0").replace('/', "~1"))
            }
        }
    }
}

/// A JSON Patch operation.
///
/// `move`, `copy` and `test` of RFC 6902 are omitted: the reference shows none of them. A server that ignored
/// a `test` would apply changes that it should not.
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

/// A single change.
#[derive(Clone)]
struct Operation {
    op: Op,
    path: AccountPath,
    /// `None` for `remove`.
    value: Option<Value>,
}

/// The JSON form of an [`Operation`].
#[derive(Serialize)]
struct JsonPatchOp<'a> {
    op: &'static str,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a Value>,
}

impl Operation {
    fn to_json(&self) -> JsonPatchOp<'_> {
        JsonPatchOp { op: self.op.as_str(), path: self.path.to_string(), value: self.value.as_ref() }
    }

    fn check(&self) -> Result<()> {
        match (&self.path, &self.value) {
            (AccountPath::IdentityId, Some(Value::String(id))) => path_segment("identity id", id).map(drop),
            (AccountPath::IdentityId, Some(_)) => {
                Err(self.error("is not a string; expected the id of an identity"))
            }
            (AccountPath::ManuallyCorrelated, Some(Value::Bool(_))) | (AccountPath::IdentityId, None) => {
                Ok(())
            }
            (AccountPath::ManuallyCorrelated, Some(_)) => {
                Err(self.error("is not a boolean; expected true or false"))
            }
            (AccountPath::ManuallyCorrelated, None) => {
                Err(self.error("cannot be removed; replace it with true or false"))
            }
            (AccountPath::Attribute(name), _) => check_name(name),
        }
    }

    fn error(&self, reason: &str) -> Error {
        Error::config(format!("{} {reason}", self.path))
    }
}

impl fmt::Debug for Operation {
    /// Formats the operation as `replace /attributes/mail`, without the value, which may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.op.as_str(), self.path)
    }
}

/// `PUT …/accounts/{id}`: sets the attributes of an account on a source of delimited files.
///
/// The provider rejects accounts on other sources. What happens to omitted attributes is not documented. By
/// the semantics of `PUT` they are removed, so pass all attributes that should remain. To change single
/// attributes, use [`update_account`](Client::update_account).
///
/// Permission: the scope `idn:accounts:manage`, and a user level of `ORG_ADMIN`, `SOURCE_ADMIN` or
/// `SOURCE_SUBADMIN`.
///
/// # Retries
/// Retried only if the request never reached the server. After
/// [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied) it is safe to send the request again,
/// unless another client has changed the account since.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the id or an attribute name is invalid, or if there are no
/// attributes. [`Api`](crate::ErrorKind::Api) with status 400 for accounts on other sources.
/// [`NotFound`](crate::ErrorKind::NotFound) if the account does not exist.
/// [`PermissionDenied`](crate::ErrorKind::PermissionDenied) without the permission. Attribute values are
/// redacted from errors, except values with fewer than four characters.
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

    /// Sets the attributes and returns the id of the asynchronous task.
    pub async fn send(self) -> Result<TaskId> {
        self.client.send(self.request(), read_task).await
    }

    fn request(&self) -> Result<ApiRequest> {
        let id = path_segment("account id", &self.id)?;
        if self.attributes.is_empty() {
            let message = "no attributes; expected all attributes that the account should have";
            return Err(Error::config(message));
        }
        self.attributes.keys().try_for_each(|name| check_name(name))?;
        let path = self.client.api_version().resource_path(Collection::Accounts, &[&id]);
        let mut request =
            ApiRequest::new(Method::PUT, path).json(&AttributesBody { attributes: &self.attributes })?;
        request.secrets = secret_values(self.attributes.values());
        Ok(request)
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
/// The provider rejects accounts on other sources. The next aggregation creates the account again if the
/// source still has it. The provider recommends [disabling](Client::disable_account) the account instead.
///
/// Permission: the scope `idn:accounts:manage`, and a user level of `ORG_ADMIN`, `SOURCE_ADMIN` or
/// `SOURCE_SUBADMIN`.
///
/// # Retries
/// Retried only if the request never reached the server. After
/// [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), check with
/// [`get_account`](Client::get_account) whether the account still exists. The account is deleted by an
/// asynchronous task, so it may disappear later. Sending the request again before that starts a second task
/// with the same effect. [`NotFound`](crate::ErrorKind::NotFound) then means that the account was deleted or
/// never existed.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the id is invalid, [`Api`](crate::ErrorKind::Api) with status 400
/// for accounts on other sources, [`NotFound`](crate::ErrorKind::NotFound) if the account does not exist,
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

    /// Deletes the account and returns the id of the asynchronous task.
    pub async fn send(self) -> Result<TaskId> {
        self.client.send(self.request(), read_task).await
    }

    fn request(&self) -> Result<ApiRequest> {
        let id = path_segment("account id", &self.id)?;
        let path = self.client.api_version().resource_path(Collection::Accounts, &[&id]);
        Ok(ApiRequest::new(Method::DELETE, path))
    }
}

/// `POST …/accounts/{id}/remove`: removes an account on any source from the tenant.
///
/// Nothing is provisioned to the source, and the next aggregation may create the account again. Use it for
/// accounts that no longer exist on their source or are no longer aggregated, or to have an account processed
/// again.
///
/// `v3` does not have this endpoint. It is experimental in `v2024` and `v2025`; the client sends the required
/// header.
///
/// Permission: the scope `idn:accounts:manage`, and a user level of `ORG_ADMIN`.
///
/// # Retries
/// Not idempotent: retried only if the request never reached the server. After
/// [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), check with
/// [`get_account`](Client::get_account) whether the account still exists.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the id is invalid or the client uses `v3`.
/// [`PermissionDenied`](crate::ErrorKind::PermissionDenied) without the permission.
/// [`Decode`](crate::ErrorKind::Decode) if the response has neither the id nor the type of a task result. The
/// response to an unknown id is not documented.
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

    /// Removes the account and returns the asynchronous task.
    pub async fn send(self) -> Result<TaskResult> {
        self.client.send(self.request(), TaskResult::read).await
    }

    fn request(&self) -> Result<ApiRequest> {
        let id = path_segment("account id", &self.id)?;
        self.client.api_version().experimental_post("remove accounts", Collection::Accounts, &[&id, "remove"])
    }
}

/// The asynchronous task that removes an account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct TaskResult {
    /// The id of the task. The reference does not guarantee it.
    pub id: Option<TaskId>,
    /// The type of the object: `TASK_RESULT`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The name. Null in the reference's example.
    pub name: Option<String>,
}

impl TaskResult {
    /// Parses a task result. All members are optional, so an object needs at least an id or a type to be
    /// accepted.
    fn read(response: &ApiResponse) -> Result<Self> {
        let result: Self = read_object(response, "a task result")?;
        if result.id.is_none() && result.kind.is_none() {
            let message = "expected a task result, got an object without id and type";
            return Err(Error::decode(message).with_status(response.status.as_u16()));
        }
        Ok(result)
    }
}

/// The request body of the state changes. Options that are not set are omitted.
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
                Err(Error::config("external verification id is empty; expected an id, or leave it unset"))
            }
            _ => Ok(()),
        }
    }
}

/// Creates the request `POST …/accounts/{id}/{verb}`.
fn post(client: &Client, id: &str, verb: &str) -> Result<ApiRequest> {
    let id = path_segment("account id", id)?;
    Ok(ApiRequest::new(Method::POST, client.api_version().resource_path(Collection::Accounts, &[&id, verb])))
}

/// `POST …/accounts/{id}/enable` and `…/disable`: enables or disables an account, also on its source.
///
/// Permission: the scope `idn:accounts-state:manage`, and a user level of `ORG_ADMIN`, `SOURCE_ADMIN`,
/// `SOURCE_SUBADMIN` or `HELPDESK`.
///
/// # Retries
/// Retried only if the request never reached the server. After
/// [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), check with
/// [`get_account`](Client::get_account) whether the account is `disabled`. The state is changed by an
/// asynchronous task, so the change may show later. Sending the request again starts a second task with the
/// same effect.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if an id is invalid, [`NotFound`](crate::ErrorKind::NotFound) if the
/// account does not exist, [`PermissionDenied`](crate::ErrorKind::PermissionDenied) without the permission.
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

    /// Sets the id that an external process uses to verify that the user wants to proceed.
    pub fn external_verification_id(mut self, id: impl Into<String>) -> Self {
        self.options.external_verification_id = Some(id.into());
        self
    }

    /// Sets whether the change is provisioned to the source even if the account already appears to be in that
    /// state, for example because it is out of sync with its source.
    ///
    /// **With `true`, the account may be unlocked too.** For an account that is not locked, the provider's
    /// workflow includes an additional `Unlock` operation (`AccountToggleRequest`). It is an assumption that
    /// this needs no additional scope, although [`unlock_account`](Client::unlock_account) does.
    pub fn force_provisioning(mut self, force: bool) -> Self {
        self.options.force_provisioning = Some(force);
        self
    }

    /// Changes the state and returns the id of the asynchronous task.
    pub async fn send(self) -> Result<TaskId> {
        self.client.send(self.request(), read_task).await
    }

    fn request(&self) -> Result<ApiRequest> {
        self.options.check()?;
        // A body is required, even if it is empty.
        post(&self.client, &self.id, self.verb)?.json(&self.options)
    }
}

/// `POST …/accounts/{id}/unlock`: unlocks an account, also on its source.
///
/// Permission: the scope `idn:accounts-state:manage`, with
/// [`force_provisioning(true)`](Self::force_provisioning) also `idn:accounts-provisioning:manage`, and a user
/// level of `ORG_ADMIN`, `SOURCE_ADMIN`, `SOURCE_SUBADMIN` or `HELPDESK`.
///
/// # Retries
/// Retried only if the request never reached the server. After
/// [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), check with
/// [`get_account`](Client::get_account) whether the account is `locked`. The account is unlocked by an
/// asynchronous task, so the change may show later. Sending the request again starts a second task with the
/// same effect.
///
/// # Errors
/// The same as for [`SetAccountState`].
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

    /// Sets the id that an external process uses to verify that the user wants to proceed.
    pub fn external_verification_id(mut self, id: impl Into<String>) -> Self {
        self.options.external_verification_id = Some(id.into());
        self
    }

    /// Sets whether the change is provisioned to the source even if the account already appears to be
    /// unlocked.
    pub fn force_provisioning(mut self, force: bool) -> Self {
        self.options.force_provisioning = Some(force);
        self
    }

    /// Sets whether the identity's account with SailPoint itself is unlocked too, after the other steps.
    pub fn unlock_idn_account(mut self, unlock: bool) -> Self {
        self.options.unlock_idn_account = Some(unlock);
        self
    }

    /// Unlocks the account and returns the id of the asynchronous task.
    pub async fn send(self) -> Result<TaskId> {
        self.client.send(self.request(), read_task).await
    }

    fn request(&self) -> Result<ApiRequest> {
        self.options.check()?;
        post(&self.client, &self.id, "unlock")?.json(&self.options)
    }
}

/// `POST …/accounts/{id}/reload`: reloads an account from its source, like an aggregation.
///
/// Permission: the same as for [`SetAccountState`].
///
/// # Retries
/// Retried only if the request never reached the server. After
/// [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied) it is safe to send the request again.
///
/// # Errors
/// The same as for [`SetAccountState`].
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

    /// Reloads the account and returns the id of the asynchronous task.
    pub async fn send(self) -> Result<TaskId> {
        self.client.send(post(&self.client, &self.id, "reload"), read_task).await
    }
}

/// The id of an asynchronous task of the provider.
///
/// A task id means that the change was accepted (`202`), not that it is already applied. To check the result,
/// fetch the account with [`Client::get_account`](Client::get_account). The provider's
/// `GET /task-status/{id}` reports the progress. It is not an account endpoint, and this crate does not
/// support it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskId(#[serde(deserialize_with = "crate::record::id")] String);

impl TaskId {
    /// Returns the id as received from the provider.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Parses `{"id": "…"}`.
fn read_task(response: &ApiResponse) -> Result<TaskId> {
    #[derive(Deserialize)]
    struct Accepted {
        id: TaskId,
    }
    read_object(response, "a task id").map(|accepted: Accepted| accepted.id)
}

/// `{"attributes": {…}}`
#[derive(Serialize)]
struct AttributesBody<'a> {
    attributes: &'a Map<String, Value>,
}

/// Checks that an attribute name is not empty.
fn check_name(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Error::config("attribute name is empty; expected a name from the source's schema"));
    }
    Ok(())
}

/// Shorter values are not treated as secrets: redacting them would make errors hard to read.
const MIN_SECRET_CHARS: usize = 4;

/// Collects the strings and numbers in `values` that errors must not show.
///
/// Attributes may contain passwords in clear text, and servers quote rejected values in their errors.
fn secret_values<'a>(values: impl IntoIterator<Item = &'a Value>) -> Vec<SecretString> {
    let mut secrets: Vec<SecretString> = Vec::new();
    for value in values {
        match value {
            Value::String(text) => secrets.push(text.as_str().into()),
            Value::Number(number) => secrets.push(number.to_string().into()),
            Value::Array(values) => secrets.extend(secret_values(values)),
            Value::Object(members) => secrets.extend(secret_values(members.values())),
            Value::Null | Value::Bool(_) => {}
        }
    }
    secrets.retain(|secret| secret.expose_secret().chars().count() >= MIN_SECRET_CHARS);
    secrets
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};
    use serde_json::json;

    use super::*;
    use crate::ErrorKind;

    #[test]
    fn invalid_source_id_is_rejected() {
        let client = Client::builder().base_url("https://tenant.example").token("token").build().unwrap();
        let request = |id: &str| client.create_account(id).attribute("name", "a").request();
        for (id, reason) in
            [("", "is empty"), (" abc ", "contains whitespace"), ("abc\n", "contains whitespace")]
        {
            let error = request(id).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Config, "{id:?}");
            assert!(error.message().starts_with(&format!("source id {reason}")), "{error}");
        }
        let body = request("abc").unwrap().body;
        assert_eq!(body, r#"{"attributes":{"name":"a","sourceId":"abc"}}"#);
    }

    #[test]
    fn attribute_names_are_escaped_in_paths() {
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
    fn invalid_task_result_is_an_error() {
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
    fn response_without_task_id_is_an_error() {
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
            assert!(error.message().starts_with("unexpected response: expected a task id"), "{error}");
        }
    }

    #[test]
    fn strings_and_numbers_are_secret_values() {
        let values =
            [json!("a\"b\""), json!([471_199, 12, true, null, "two"]), json!({"name": {"x": "three"}})];
        let secrets = secret_values(&values);
        let secrets: Vec<_> = secrets.iter().map(ExposeSecret::expose_secret).collect();
        assert_eq!(secrets, ["a\"b\"", "471199", "three"]);
    }
}
