use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    Account, AccountStatus, AuthenticationConfig, Client, Component, Logo, MemberStatus, NodeEnrollment,
    PcrPriority, Role, SessionInfo, auth_config::AuthConfigBody, error,
};
use crate::{
    Error, Result,
    http::{ApiRequest, ApiResponse, NoAuth, expect_empty, read_object},
};

pub(super) const ACCOUNTS_PATH: &str = "/v1/accounts";

/// `POST /v1/accounts`: creates an account.
///
/// Permission: any user who is logged in.
///
/// # Retries
/// Not idempotent: retried only if the request never reached the server. After
/// [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), list the accounts and search for the
/// name, which is unique. Sending the request again is safe too: it fails if the account was created.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config), without sending anything, if the name is empty or a configuration is
/// incomplete.
///
/// # Not documented
/// The provider documents no errors of this endpoint. A name that is taken is probably
/// [`Api`](crate::ErrorKind::Api) with status 400. The user becomes a member of the account, probably its
/// manager.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct CreateAccount {
    client: Client,
    name: String,
    custom_logo: Option<Logo>,
    auth_configs: Vec<AuthenticationConfig>,
    node_enrollment: Option<NodeEnrollment>,
    component: Option<Component>,
}

impl CreateAccount {
    pub(super) fn new(client: Client, name: String) -> Self {
        Self {
            client,
            name,
            custom_logo: None,
            auth_configs: Vec::new(),
            node_enrollment: None,
            component: None,
        }
    }

    /// Sets the account's logo.
    pub fn custom_logo(mut self, logo: Logo) -> Self {
        self.custom_logo = Some(logo);
        self
    }

    /// Adds a way for the account's users to log in. Call it again to add more. The server assigns each an
    /// id.
    pub fn auth_config(mut self, config: impl Into<AuthenticationConfig>) -> Self {
        self.auth_configs.push(config.into());
        self
    }

    /// Sets how the account's nodes enroll.
    pub fn node_enrollment(mut self, enrollment: NodeEnrollment) -> Self {
        self.node_enrollment = Some(enrollment);
        self
    }

    /// Sets the component that the account is for.
    pub fn component(mut self, component: Component) -> Self {
        self.component = Some(component);
        self
    }

    /// Creates the account, and returns it as the server stored it.
    pub async fn send(self) -> Result<Account> {
        self.client.send(self.request(), |response| read_object(response, "the created account")).await
    }

    fn request(&self) -> Result<ApiRequest> {
        if self.name.trim().is_empty() {
            return Err(Error::config("the account's name is empty; expected a name"));
        }
        let configs = self.auth_configs.iter().enumerate();
        let auth_configs: Result<Vec<_>> = configs
            .map(|(index, config)| AuthConfigBody::new(format!("auth_configs[{index}]"), config))
            .collect();
        let node_enrollment = self.node_enrollment.as_ref().map(|enrollment| {
            let name = "attestation_enforcement_disabled_insecure";
            let missing = || {
                let message = format!("node_enrollment.{name} is missing; the server requires it");
                Error::config(message)
            };
            let disabled = enrollment.attestation_enforcement_disabled_insecure.ok_or_else(missing)?;
            Ok::<_, Error>(BTreeMap::from([(name, disabled)]))
        });
        let body = AccountRequest {
            name: &self.name,
            custom_logo: self.custom_logo.as_ref().map(Logo::base64),
            auth_configs: auth_configs?,
            node_enrollment: node_enrollment.transpose()?,
            component: self.component.as_ref(),
        };
        let mut request = ApiRequest::new(Method::POST, ACCOUNTS_PATH).json(&body)?;
        request.secrets = body.auth_configs.iter().flat_map(AuthConfigBody::secrets).collect();
        Ok(request)
    }
}

#[derive(Serialize)]
struct AccountRequest<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_logo: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    auth_configs: Vec<AuthConfigBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node_enrollment: Option<BTreeMap<&'static str, bool>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<&'a Component>,
}

/// `GET /v1/accounts/{account-id}`: fetches one account.
///
/// Permission: the user must belong to the account. Retried like every read.
///
/// # Errors
/// Statuses are not documented. An account that does not exist, or that the user does not belong to, is
/// probably [`NotFound`](crate::ErrorKind::NotFound) or
/// [`PermissionDenied`](crate::ErrorKind::PermissionDenied).
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct GetAccount {
    client: Client,
    id: Uuid,
    with_totals: Option<bool>,
}

impl GetAccount {
    pub(super) fn new(client: Client, id: Uuid) -> Self {
        Self { client, id, with_totals: None }
    }

    /// Sets whether the response includes [`totals`](Account::totals). The server's default is `false`.
    pub fn with_totals(mut self, with: bool) -> Self {
        self.with_totals = Some(with);
        self
    }

    /// Fetches the account.
    pub async fn send(self) -> Result<Account> {
        let request =
            ApiRequest::get(format!("{ACCOUNTS_PATH}/{}", self.id)).query("with_totals", self.with_totals);
        self.client.send(Ok(request), |response| read_object(response, "an account")).await
    }
}

/// `PATCH /v1/accounts/{account-id}`: updates an account.
///
/// Members that are not set keep their values, which the reference implies but does not state.
///
/// Permission: `Manager` and `UserAuth` in the reference, which probably means the account's manager.
///
/// # Retries
/// Not idempotent: retried only if the request never reached the server. After
/// [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), [fetch](Client::get_account) the
/// account and compare it. Sending the request again would add configurations twice.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config), without sending anything, if nothing is set, the name is empty, a
/// configuration is incomplete, or a configuration is both modified and deleted.
///
/// # Not documented
/// The provider documents neither the errors of this endpoint nor how to remove a logo.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct UpdateAccount {
    client: Client,
    id: Uuid,
    name: Option<String>,
    custom_logo: Option<Logo>,
    add_auth_configs: Vec<AuthenticationConfig>,
    mod_auth_configs: BTreeMap<String, AuthenticationConfig>,
    del_auth_configs: BTreeSet<String>,
    enabled: Option<bool>,
    default_group_id: Option<Uuid>,
    marketplace_group_id: Option<Uuid>,
    account_status: Option<AccountStatus>,
    azure_cvm_pcr_priority: Option<PcrPriority>,
}

impl UpdateAccount {
    pub(super) fn new(client: Client, id: Uuid) -> Self {
        Self {
            client,
            id,
            name: None,
            custom_logo: None,
            add_auth_configs: Vec::new(),
            mod_auth_configs: BTreeMap::new(),
            del_auth_configs: BTreeSet::new(),
            enabled: None,
            default_group_id: None,
            marketplace_group_id: None,
            account_status: None,
            azure_cvm_pcr_priority: None,
        }
    }

    /// Sets the name, unique within the instance.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the logo.
    pub fn custom_logo(mut self, logo: Logo) -> Self {
        self.custom_logo = Some(logo);
        self
    }

    /// Adds a way for the account's users to log in. Call it again to add more. The server assigns each an
    /// id.
    pub fn add_auth_config(mut self, config: impl Into<AuthenticationConfig>) -> Self {
        self.add_auth_configs.push(config.into());
        self
    }

    /// Replaces the configuration with this id, a key of [`Account::auth_configs`]. Call it again to replace
    /// others.
    pub fn mod_auth_config(mut self, id: impl Into<String>, config: impl Into<AuthenticationConfig>) -> Self {
        self.mod_auth_configs.insert(id.into(), config.into());
        self
    }

    /// Deletes the configuration with this id, a UUID and key of [`Account::auth_configs`]. Call it again to
    /// delete others.
    pub fn del_auth_config(mut self, id: impl Into<String>) -> Self {
        self.del_auth_configs.insert(id.into());
        self
    }

    /// Sets whether the account is enabled. How that differs from its [status](Self::account_status) is not
    /// documented.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = Some(enabled);
        self
    }

    /// Sets the group of new objects.
    pub fn default_group_id(mut self, id: Uuid) -> Self {
        self.default_group_id = Some(id);
        self
    }

    /// Sets the group of objects from the marketplace.
    pub fn marketplace_group_id(mut self, id: Uuid) -> Self {
        self.marketplace_group_id = Some(id);
        self
    }

    /// Sets the account's own status.
    pub fn account_status(mut self, status: AccountStatus) -> Self {
        self.account_status = Some(status);
        self
    }

    /// Sets the priority of the platform configuration registers (PCR) of Azure confidential VMs.
    pub fn azure_cvm_pcr_priority(mut self, priority: PcrPriority) -> Self {
        self.azure_cvm_pcr_priority = Some(priority);
        self
    }

    /// Updates the account, and returns the updated account.
    pub async fn send(self) -> Result<Account> {
        self.client.send(self.request(), |response| read_object(response, "the updated account")).await
    }

    fn request(&self) -> Result<ApiRequest> {
        if self.name.as_ref().is_some_and(|name| name.trim().is_empty()) {
            return Err(Error::config("the account's name is empty; expected a name"));
        }
        let added = self.add_auth_configs.iter().enumerate();
        let added: Result<Vec<_>> = added
            .map(|(index, config)| AuthConfigBody::new(format!("add_auth_configs[{index}]"), config))
            .collect();
        let modified = self.mod_auth_configs.iter().map(|(id, config)| {
            if id.is_empty() {
                let message = "empty id in mod_auth_configs; expected the id of a configuration";
                return Err(Error::config(message));
            }
            Ok((id.as_str(), AuthConfigBody::new(format!("mod_auth_configs.{id}"), config)?))
        });
        let body = AccountUpdateRequest {
            name: self.name.as_deref(),
            custom_logo: self.custom_logo.as_ref().map(Logo::base64),
            add_auth_configs: added?,
            mod_auth_configs: modified.collect::<Result<_>>()?,
            del_auth_configs: self.deleted_configs()?,
            enabled: self.enabled,
            default_group_id: self.default_group_id,
            marketplace_group_id: self.marketplace_group_id,
            account_status: self.account_status.as_ref(),
            azure_cvm_pcr_priority: self.azure_cvm_pcr_priority.as_ref().map(PcrPriority::as_slice),
        };
        let mut request =
            ApiRequest::new(Method::PATCH, format!("{ACCOUNTS_PATH}/{}", self.id)).json(&body)?;
        if &request.body[..] == b"{}" {
            return Err(Error::config("no changes in the update; expected at least one"));
        }
        let configs = body.add_auth_configs.iter().chain(body.mod_auth_configs.values());
        request.secrets = configs.flat_map(AuthConfigBody::secrets).collect();
        Ok(request)
    }

    /// Parses the ids of the configurations to delete, in any notation of UUIDs.
    fn deleted_configs(&self) -> Result<BTreeSet<Uuid>> {
        let deleted = self.del_auth_configs.iter().map(|id| {
            let uuid = Uuid::parse_str(id).map_err(|_| {
                Error::config(format!("invalid configuration id {id:?} in del_auth_configs; expected a UUID"))
            })?;
            if self.mod_auth_configs.keys().any(|modified| Uuid::parse_str(modified) == Ok(uuid)) {
                let message =
                    format!("configuration {id} is both modified and deleted; expected only one of them");
                return Err(Error::config(message));
            }
            Ok(uuid)
        });
        deleted.collect()
    }
}

#[derive(Serialize)]
struct AccountUpdateRequest<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_logo: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    add_auth_configs: Vec<AuthConfigBody<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    mod_auth_configs: BTreeMap<&'a str, AuthConfigBody<'a>>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    del_auth_configs: BTreeSet<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_group_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    marketplace_group_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_status: Option<&'a AccountStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    azure_cvm_pcr_priority: Option<&'a [i64]>,
}

/// `DELETE /v1/accounts/{account-id}`: deletes an account.
///
/// Permission: none according to the reference, probably by mistake. The user may have to be the account's
/// manager.
///
/// # Retries
/// Not idempotent: retried only if the request never reached the server. After
/// [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), [fetch](Client::get_account) the
/// account. If it is not found, it was deleted.
///
/// # Errors
/// Statuses are not documented. An account that does not exist is probably
/// [`NotFound`](crate::ErrorKind::NotFound).
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct DeleteAccount {
    client: Client,
    id: Uuid,
}

impl DeleteAccount {
    pub(super) fn new(client: Client, id: Uuid) -> Self {
        Self { client, id }
    }

    /// Deletes the account.
    pub async fn send(self) -> Result<()> {
        let request = ApiRequest::new(Method::DELETE, format!("{ACCOUNTS_PATH}/{}", self.id));
        self.client.send(Ok(request), expect_empty).await
    }
}

fn user_accounts_path(user_id: Uuid) -> String {
    format!("/v1/users/{user_id}/accounts")
}

/// A user's membership of an account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct UserAccount {
    /// The user's roles in the account.
    pub roles: Option<Vec<Role>>,
    /// Whether the user is a member, invited or disabled.
    pub status: Option<MemberStatus>,
}

/// `GET /v1/users/{user-id}/accounts`: fetches the accounts of which a user is a member, by their ids, in one
/// response.
///
/// Permission: probably any user who is logged in. Which other users' accounts may be requested is not
/// documented. Retried like every read.
///
/// # Errors
/// [`Decode`](crate::ErrorKind::Decode) if an id is not a UUID, so that no account is skipped. Statuses are
/// not documented.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct GetUserAccounts {
    client: Client,
    user_id: Uuid,
}

impl GetUserAccounts {
    pub(super) fn new(client: Client, user_id: Uuid) -> Self {
        Self { client, user_id }
    }

    /// Fetches the accounts.
    pub async fn send(self) -> Result<BTreeMap<Uuid, UserAccount>> {
        let request = ApiRequest::get(user_accounts_path(self.user_id));
        self.client.send(Ok(request), |response| read_object(response, "a map of account ids")).await
    }
}

/// `DELETE /v1/users/{user-id}/accounts`: removes a user from an account.
///
/// The request does not contain the account. It is probably the one that is selected in the session, which is
/// not documented. Use a client [`with_account`](Client::with_account): every session of that client has its
/// account selected. With any other client it is the account that was [selected](Client::select_account)
/// last, and a new login does not repeat that selection.
///
/// Permission: probably any role in that account.
///
/// # Retries
/// Not idempotent: retried only if the request never reached the server.
/// After [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), check the
/// [accounts of the user](Client::get_user_accounts).
///
/// # Errors
/// Statuses are not documented. With no account selected, the request probably fails with the code
/// `NO_ACCOUNT_SELECTED`.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct RemoveUserFromAccount {
    client: Client,
    user_id: Uuid,
}

impl RemoveUserFromAccount {
    pub(super) fn new(client: Client, user_id: Uuid) -> Self {
        Self { client, user_id }
    }

    /// Removes the user from the account.
    pub async fn send(self) -> Result<()> {
        let request = ApiRequest::new(Method::DELETE, user_accounts_path(self.user_id));
        self.client.send(Ok(request), expect_empty).await
    }
}

/// A way to log in. One member is set. If no member is set, this version does not know the way.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct AuthMethod {
    /// Login with e-mail address and password; an empty object.
    pub password: Option<Map<String, Value>>,
    /// Login at an identity provider, which issues an authorization code.
    pub oauth_code_grant: Option<OauthAuthCodeGrant>,
}

/// How to obtain an authorization code, for
/// [`ClientBuilder::oauth_code`](super::ClientBuilder::oauth_code).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct OauthAuthCodeGrant {
    /// The identity provider's name.
    pub name: Option<String>,
    /// The URL of the identity provider's icon.
    pub icon_url: Option<String>,
    /// The URL to open in the user's browser.
    pub authorization_url: Option<String>,
    /// The client's id at the identity provider.
    pub client_id: Option<String>,
    /// The URL that the browser is redirected to with the code.
    pub redirect_uri: Option<String>,
    /// The state that the identity provider returns with the code.
    pub state: Option<String>,
    /// The identity provider's id in base64, for [`OauthCode::new`](super::OauthCode::new).
    pub idp_id: Option<String>,
    /// The identity provider's id in the cluster.
    pub cluster_idp_id: Option<String>,
}

/// `POST /v1/sys/auth/discover`: fetches the ways in which a user can log in.
///
/// Permission: none. The client's credential is not sent. Retried like every read.
///
/// # Errors
/// Those of every request. The provider documents no errors of this endpoint, nor the response without an
/// e-mail address.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct DiscoverAuthMethods {
    client: Client,
    user_email: Option<String>,
    acct_id: Option<Uuid>,
}

#[derive(Serialize)]
struct DiscoverRequest<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_email: Option<&'a str>,
}

#[derive(Deserialize)]
struct DiscoverResponse {
    auth_methods: Vec<AuthMethod>,
}

impl DiscoverAuthMethods {
    pub(super) fn new(client: Client) -> Self {
        Self { client, user_email: None, acct_id: None }
    }

    /// Sets the user's e-mail address.
    pub fn user_email(mut self, email: impl Into<String>) -> Self {
        self.user_email = Some(email.into());
        self
    }

    /// Sets the account to log in to.
    pub fn acct_id(mut self, id: Uuid) -> Self {
        self.acct_id = Some(id);
        self
    }

    /// Fetches the ways to log in.
    pub async fn send(self) -> Result<Vec<AuthMethod>> {
        let secrets = self.client.session().all_secrets();
        let request = self.request().map(|request| ApiRequest { secrets, ..request });
        self.client.api().try_send(&NoAuth(error::read), request, read_auth_methods).await
    }

    fn request(&self) -> Result<ApiRequest> {
        let body = DiscoverRequest { user_email: self.user_email.as_deref() };
        let request = ApiRequest::new(Method::POST, "/v1/sys/auth/discover").idempotent();
        request.query("acct_id", self.acct_id).json(&body)
    }
}

fn read_auth_methods(response: &ApiResponse) -> Result<Vec<AuthMethod>> {
    read_object::<DiscoverResponse>(response, "an object with auth_methods").map(|body| body.auth_methods)
}

/// `POST /v1/sys/auth`: logs in if the client has no session, and returns the server's description of the
/// session.
///
/// If a client with a password has a session, nothing is sent. A client with a
/// [`token`](super::ClientBuilder::token) or an authorization code cannot replace its session. Once it has
/// one, it [refreshes](Client::refresh_session) the session each time, to check that it still exists.
///
/// # Retries
/// A login with a password is retried like a read: a second one only creates a second session. A login with
/// an authorization code is not idempotent: it is retried only if the request never reached the server. After
/// [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), obtain another code.
///
/// # Errors
/// [`Auth`](crate::ErrorKind::Auth) if the credentials are rejected, or the authorization code has been used
/// before. [`Config`](crate::ErrorKind::Config) if the client is anonymous.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct Login {
    client: Client,
}

impl Login {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Logs in.
    pub async fn send(self) -> Result<SessionInfo> {
        self.client.session().info().await
    }
}

/// `POST /v1/sys/session/refresh`: extends the lifetime of the session's token, at most until the session
/// expires.
///
/// Permission: a valid session. If there is none, the client logs in first where it can. Retried like a read.
///
/// # Errors
/// [`Auth`](crate::ErrorKind::Auth) if the session has ended and the client cannot log in again.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct RefreshSession {
    client: Client,
}

impl RefreshSession {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Refreshes the session.
    pub async fn send(self) -> Result<SessionInfo> {
        self.client.session().refresh().await
    }
}

/// `POST /v1/sys/session/select_account/{account-id}`: selects the account for the requests of a session.
///
/// The server stores the selection, which ends with the session. The client does not repeat it: if the client
/// logs in again, the new session has no account selected. For requests that must go to one account, use a
/// client [`with_account`](Client::with_account). Clones of the client share its session, and so its account.
///
/// Permission: a user who is logged in and belongs to the account. Idempotent: retried like a read.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config), without sending anything, if `with_account` has selected another
/// account in this session. Statuses are not documented. An account that does not exist is probably
/// [`NotFound`](crate::ErrorKind::NotFound).
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct SelectAccount {
    client: Client,
    id: Uuid,
}

impl SelectAccount {
    pub(super) fn new(client: Client, id: Uuid) -> Self {
        Self { client, id }
    }

    /// Selects the account.
    pub async fn send(self) -> Result<SessionInfo> {
        self.client.session().select(self.id).await
    }
}

/// `POST /v1/sys/session/terminate`: ends the client's session, also on the server.
///
/// If there is no session, nothing is sent. A session that the server rejects counts as ended. A client with
/// a password logs in again with the next request. The requests of any other client then fail with
/// [`Auth`](crate::ErrorKind::Auth).
///
/// Permission: a session. Idempotent: retried like a read.
///
/// # Errors
/// Those of every request. The session may still exist then: send the request again.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct TerminateSession {
    client: Client,
}

impl TerminateSession {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Ends the session.
    pub async fn send(self) -> Result<()> {
        self.client.session().terminate().await
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use serde_json::json;

    use super::*;
    use crate::fortanix::{
        AuthConfigOauth, AuthConfigPassword, AuthConfigRef, CaConfig, CaSet, IdentityProvider, TlsConfig,
        TlsConfigRequired,
    };

    fn request(name: &str) -> CreateAccount {
        let builder = Client::builder().base_url("http://127.0.0.1:9").token("token");
        builder.build().unwrap().create_account(name)
    }

    fn body(request: &CreateAccount) -> Value {
        serde_json::from_slice(&request.request().unwrap().body).unwrap()
    }

    fn oauth(tls: impl Into<TlsConfig>) -> AuthConfigOauth {
        let idp = IdentityProvider {
            name: "Idp".into(),
            icon_url: "https://i/icon".into(),
            authorization_endpoint: "https://i/authorize".into(),
            token_endpoint: "https://i/token".into(),
            requires_basic_auth: false,
        };
        AuthConfigOauth::new(idp, tls.into(), "client", "hunter2 \"secret\"")
    }

    #[test]
    fn unset_members_are_omitted() {
        assert_eq!(body(&request("Acme")), json!({"name": "Acme"}));
        let logo = Logo::new(b"\x89PNG\r\n\x1a\n").unwrap();
        let full = request("A\"b")
            .custom_logo(logo)
            .auth_config(AuthConfigPassword::new(true, false))
            .auth_config(AuthConfigRef::new("target"))
            .node_enrollment(NodeEnrollment::new(true))
            .component(Component::ConfidentialAi);
        let expected = json!({
            "name": "A\"b",
            "custom_logo": "iVBORw0KGgo=",
            "auth_configs": [
                {"password": {"require_2fa": true, "administrators_only": false}},
                {"cluster_auth_ref": {"target_id": "target"}},
            ],
            "node_enrollment": {"attestation_enforcement_disabled_insecure": true},
            "component": "CONFIDENTIAL_AI",
        });
        assert_eq!(body(&full), expected);
    }

    #[test]
    fn identity_provider_with_each_tls_config() {
        let required = |ca: CaConfig| TlsConfigRequired::new(true, ca);
        for (tls, expected) in [
            (TlsConfig::disabled(), json!({"disabled": {}})),
            (TlsConfig::opportunistic(), json!({"opportunistic": {}})),
            (
                required(CaSet::GlobalRoots.into()).into(),
                json!({"required": {"validate_hostname": true, "ca": {"ca_set": "GLOBAL_ROOTS"}}}),
            ),
            (
                required(CaConfig::pinned([b"one".as_slice(), b"two!"])).client("cert", "the key").into(),
                json!({"required": {"validate_hostname": true, "client_cert": "Y2VydA==",
                    "client_key": "dGhlIGtleQ==", "ca": {"pinned": ["b25l", "dHdvIQ=="]}}}),
            ),
        ] {
            let request = request("Acme").auth_config(oauth(tls).userinfo_endpoint("https://i/user"));
            let expected = json!({
                "idp_name": "Idp",
                "idp_icon_url": "https://i/icon",
                "idp_authorization_endpoint": "https://i/authorize",
                "idp_token_endpoint": "https://i/token",
                "idp_requires_basic_auth": false,
                "idp_userinfo_endpoint": "https://i/user",
                "tls": expected,
                "client_id": "client",
                "client_secret": "hunter2 \"secret\"",
            });
            assert_eq!(body(&request)["auth_configs"], json!([{"oauth": expected}]));
        }
    }

    #[test]
    fn secrets_of_a_body_are_collected() {
        let tls = TlsConfigRequired::new(false, CaSet::GlobalRoots).client("cert", "the key");
        let request = request("Acme").auth_config(oauth(tls)).request().unwrap();
        let secrets: Vec<_> = request.secrets.iter().map(ExposeSecret::expose_secret).collect();
        assert_eq!(secrets, ["dGhlIGtleQ==", "hunter2 \"secret\""]);
    }

    #[test]
    fn each_change_has_its_member_name() {
        let client = Client::builder().base_url("http://127.0.0.1:9").token("token").build().unwrap();
        let order: Vec<i64> = (0..23).rev().collect();
        let id = "9f0c0000-0000-4000-8000-000000000001";
        let request = client
            .update_account(Uuid::nil())
            .name("Acme")
            .custom_logo(Logo::new("<svg/>").unwrap())
            .add_auth_config(AuthConfigPassword::new(false, true))
            .mod_auth_config("any id", AuthConfigPassword::new(true, true))
            .del_auth_config(id)
            .del_auth_config(format!("urn:uuid:{}", id.to_uppercase()))
            .enabled(false)
            .default_group_id(Uuid::max())
            .marketplace_group_id(Uuid::nil())
            .account_status(AccountStatus::Deactivated)
            .azure_cvm_pcr_priority(PcrPriority::new(&order).unwrap());
        let request = request.request().unwrap();
        assert_eq!(request.method, Method::PATCH);
        assert_eq!(request.path, "/v1/accounts/00000000-0000-0000-0000-000000000000");
        assert!(!request.idempotent);
        let expected = json!({
            "name": "Acme",
            "custom_logo": "PHN2Zy8+",
            "add_auth_configs": [{"password": {"require_2fa": false, "administrators_only": true}}],
            "mod_auth_configs": {"any id": {"password": {"require_2fa": true, "administrators_only": true}}},
            "del_auth_configs": [id],
            "enabled": false,
            "default_group_id": "ffffffff-ffff-ffff-ffff-ffffffffffff",
            "marketplace_group_id": "00000000-0000-0000-0000-000000000000",
            "account_status": "Deactivated",
            "azure_cvm_pcr_priority": order,
        });
        assert_eq!(serde_json::from_slice::<Value>(&request.body).unwrap(), expected);
        let one = client.update_account(Uuid::nil()).enabled(true).request().unwrap();
        assert_eq!(&one.body[..], br#"{"enabled":true}"#);
    }
}
