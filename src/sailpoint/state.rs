use http::Method;
use serde::Serialize;

use super::{Client, TaskId, task, version::Root};
use crate::{
    Error, Result,
    http::{Call, segment},
};

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
fn post(client: &Client, id: &str, verb: &str) -> Result<Call> {
    let id = segment("account id", id)?;
    Ok(Call::change(Method::POST, client.api_version().path_to(Root::Accounts, &[&id, verb])))
}

/// `POST …/accounts/{id}/enable` and `…/disable`: switches an account on or off, on its source too.
///
/// Permission: the scope `idn:accounts-state:manage`, and a user level of `ORG_ADMIN`, `SOURCE_ADMIN`,
/// `SOURCE_SUBADMIN` or `HELPDESK`.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retry::Uncertain`](crate::Retry::Uncertain), see with
/// [`get_account`](Client::get_account) whether it is `disabled`, some time later: a task does it. Sending it
/// again begins a second task, to the same end.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if an id can not be one, [`NotFound`](crate::ErrorKind::NotFound) if
/// there is no such account, [`Denied`](crate::ErrorKind::Denied) without the permission.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct ToggleAccount {
    client: Client,
    id: String,
    verb: &'static str,
    options: Options,
}

impl ToggleAccount {
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
        self.client.send(self.call(), task::read).await
    }

    fn call(&self) -> Result<Call> {
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
/// Sent again only if it surely was not sent. After [`Retry::Uncertain`](crate::Retry::Uncertain), see with
/// [`get_account`](Client::get_account) whether it is `locked`, some time later: a task does it. Sending it
/// again begins a second task, to the same end.
///
/// # Errors
/// As of [`ToggleAccount`].
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
        self.client.send(self.call(), task::read).await
    }

    fn call(&self) -> Result<Call> {
        self.options.check()?;
        post(&self.client, &self.id, "unlock")?.json(&self.options)
    }
}

/// `POST …/accounts/{id}/reload`: reads an account anew from its source, as an aggregation would.
///
/// Permission: as of [`ToggleAccount`].
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retry::Uncertain`](crate::Retry::Uncertain) it does no
/// harm to send it again.
///
/// # Errors
/// As of [`ToggleAccount`].
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
        self.client.send(post(&self.client, &self.id, "reload"), task::read).await
    }
}
