use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    Account, AccountStatus, AuthenticationConfig, Client, Component, Logo, MemberStatus, NodeEnrollment,
    PcrPriority, Role, SessionInfo, auth_config::Body, error,
};
use crate::{
    Error, Result,
    http::{ApiRequest, ApiResponse, NoAuth, expect_empty, read_object},
};

pub(super) const PATH: &str = "/v1/accounts";

/// `POST /v1/accounts`: makes an account.
///
/// Permission: any user who is logged in. The user becomes a member of the account, presumably its manager.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied) list the
/// accounts and look for the name: it is unique. To send it again is safe too, and fails if it was made.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the name is empty or a configuration is not whole; nothing is sent
/// then. The provider documents no failures of its own; a name that is taken is presumably
/// [`Api`](crate::ErrorKind::Api) with status 400.
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

    /// Its logo.
    pub fn custom_logo(mut self, logo: Logo) -> Self {
        self.custom_logo = Some(logo);
        self
    }

    /// One way for its users to log in; call it again for further ones. The server gives each an id.
    pub fn auth_config(mut self, config: impl Into<AuthenticationConfig>) -> Self {
        self.auth_configs.push(config.into());
        self
    }

    /// How its nodes enroll.
    pub fn node_enrollment(mut self, enrollment: NodeEnrollment) -> Self {
        self.node_enrollment = Some(enrollment);
        self
    }

    /// What it is for.
    pub fn component(mut self, component: Component) -> Self {
        self.component = Some(component);
        self
    }

    /// Makes the account, and gives it as the server tells it.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<Account> {
        self.client.send(self.request(), |response| read_object(response, "the account that was made")).await
    }

    fn request(&self) -> Result<ApiRequest> {
        if self.name.trim().is_empty() {
            return Err(Error::config("the account's name is empty; expected a name"));
        }
        let configs = self.auth_configs.iter().enumerate();
        let auth_configs: Result<Vec<_>> =
            configs.map(|(at, config)| Body::new(format!("auth_configs[{at}]"), config)).collect();
        let node_enrollment = self.node_enrollment.as_ref().map(|enrollment| {
            let name = "attestation_enforcement_disabled_insecure";
            let missing = || {
                let message =
                    format!("node_enrollment.{name} is missing or empty, and the server requires it");
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
        let mut call = ApiRequest::mutation(Method::POST, PATH).json(&body)?;
        call.secrets = body.auth_configs.iter().flat_map(Body::secrets).collect();
        Ok(call)
    }
}

#[derive(Serialize)]
struct AccountRequest<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_logo: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    auth_configs: Vec<Body<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node_enrollment: Option<BTreeMap<&'static str, bool>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<&'a Component>,
}

/// `GET /v1/accounts/{account-id}`: one account.
///
/// Permission: the user must belong to the account. Retried like every read.
///
/// # Errors
/// Statuses are not documented: an account that does not exist, or that the user does not belong to, is
/// presumably [`NotFound`](crate::ErrorKind::NotFound) or [`PermissionDenied`](crate::ErrorKind::PermissionDenied).
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

    /// Whether [`totals`](Account::totals) are told. The server's default is false.
    pub fn with_totals(mut self, with: bool) -> Self {
        self.with_totals = Some(with);
        self
    }

    /// Gets the account.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<Account> {
        let call = ApiRequest::get(format!("{PATH}/{}", self.id)).query("with_totals", self.with_totals);
        self.client.send(Ok(call), |response| read_object(response, "an account")).await
    }
}

/// `PATCH /v1/accounts/{account-id}`: changes an account. What is not set stays as it is, which the reference
/// implies but does not state; how a logo is taken away it does not say.
///
/// Permission: the user must be the account's manager.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied)
/// [get](Client::get_account) the account and look: to send it again adds configurations twice.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if nothing is set, the name is empty, a configuration is not whole, or
/// one is both changed and removed; nothing is sent then. The provider documents no failures of its own.
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

    /// Another name, unique within the instance.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Another logo.
    pub fn custom_logo(mut self, logo: Logo) -> Self {
        self.custom_logo = Some(logo);
        self
    }

    /// A further way for its users to log in; call it again for more. The server gives each an id.
    pub fn add_auth_config(mut self, config: impl Into<AuthenticationConfig>) -> Self {
        self.add_auth_configs.push(config.into());
        self
    }

    /// Replaces the configuration with this id, a key of [`Account::auth_configs`]; call it again for others.
    pub fn mod_auth_config(mut self, id: impl Into<String>, config: impl Into<AuthenticationConfig>) -> Self {
        self.mod_auth_configs.insert(id.into(), config.into());
        self
    }

    /// Removes the configuration with this id, a UUID and key of [`Account::auth_configs`]; call it again for
    /// others.
    pub fn del_auth_config(mut self, id: impl Into<String>) -> Self {
        self.del_auth_configs.insert(id.into());
        self
    }

    /// Whether it is enabled. How that differs from its [status](Self::account_status) is not documented.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = Some(enabled);
        self
    }

    /// The group that new objects go to.
    pub fn default_group_id(mut self, id: Uuid) -> Self {
        self.default_group_id = Some(id);
        self
    }

    /// The group of objects from the marketplace.
    pub fn marketplace_group_id(mut self, id: Uuid) -> Self {
        self.marketplace_group_id = Some(id);
        self
    }

    /// The account's own state.
    pub fn account_status(mut self, status: AccountStatus) -> Self {
        self.account_status = Some(status);
        self
    }

    /// In which order the registers of Azure's confidential machines count.
    pub fn azure_cvm_pcr_priority(mut self, priority: PcrPriority) -> Self {
        self.azure_cvm_pcr_priority = Some(priority);
        self
    }

    /// Changes the account, and gives it as it is then.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<Account> {
        self.client
            .send(self.request(), |response| read_object(response, "the account that was changed"))
            .await
    }

    fn request(&self) -> Result<ApiRequest> {
        if self.name.as_ref().is_some_and(|name| name.trim().is_empty()) {
            return Err(Error::config("the account's name is empty; expected a name"));
        }
        let added = self.add_auth_configs.iter().enumerate();
        let added: Result<Vec<_>> =
            added.map(|(at, config)| Body::new(format!("add_auth_configs[{at}]"), config)).collect();
        let changed = self.mod_auth_configs.iter().map(|(id, config)| {
            if id.is_empty() {
                let message = "an id in mod_auth_configs is empty; expected a configuration's id";
                return Err(Error::config(message));
            }
            Ok((id.as_str(), Body::new(format!("mod_auth_configs.{id}"), config)?))
        });
        let body = AccountUpdateRequest {
            name: self.name.as_deref(),
            custom_logo: self.custom_logo.as_ref().map(Logo::base64),
            add_auth_configs: added?,
            mod_auth_configs: changed.collect::<Result<_>>()?,
            del_auth_configs: self.removed()?,
            enabled: self.enabled,
            default_group_id: self.default_group_id,
            marketplace_group_id: self.marketplace_group_id,
            account_status: self.account_status.as_ref(),
            azure_cvm_pcr_priority: self.azure_cvm_pcr_priority.as_ref().map(PcrPriority::as_slice),
        };
        let mut call = ApiRequest::mutation(Method::PATCH, format!("{PATH}/{}", self.id)).json(&body)?;
        if &call.body[..] == b"{}" {
            return Err(Error::config("nothing is to be changed; expected at least one change"));
        }
        let configs = body.add_auth_configs.iter().chain(body.mod_auth_configs.values());
        call.secrets = configs.flat_map(Body::secrets).collect();
        Ok(call)
    }

    /// The ids of the configurations to remove, however they are spelled.
    fn removed(&self) -> Result<BTreeSet<Uuid>> {
        let removed = self.del_auth_configs.iter().map(|id| {
            let uuid = Uuid::parse_str(id).map_err(|_| {
                Error::config(format!(
                    "{id:?} in del_auth_configs is no id of a configuration; expected a UUID"
                ))
            })?;
            if self.mod_auth_configs.keys().any(|changed| Uuid::parse_str(changed) == Ok(uuid)) {
                let message =
                    format!("the configuration {id} is both changed and removed; expected one of them");
                return Err(Error::config(message));
            }
            Ok(uuid)
        });
        removed.collect()
    }
}

#[derive(Serialize)]
struct AccountUpdateRequest<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_logo: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    add_auth_configs: Vec<Body<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    mod_auth_configs: BTreeMap<&'a str, Body<'a>>,
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

/// `DELETE /v1/accounts/{account-id}`: removes an account.
///
/// Permission: the reference says none, presumably by mistake; the user may have to be its manager.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied)
/// [get](Client::get_account) the account: if it is not found, it was removed.
///
/// # Errors
/// Statuses are not documented: an account that does not exist is presumably
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

    /// Removes the account.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<()> {
        let call = ApiRequest::mutation(Method::DELETE, format!("{PATH}/{}", self.id));
        self.client.send(Ok(call), expect_empty).await
    }
}

fn path(user_id: Uuid) -> String {
    format!("/v1/users/{user_id}/accounts")
}

/// A user's membership of an account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct UserAccount {
    /// What the user may do there.
    pub roles: Option<Vec<Role>>,
    /// Whether the user is a member, invited or shut out.
    pub status: Option<MemberStatus>,
}

/// `GET /v1/users/{user-id}/accounts`: the accounts of which a user is a member, by their ids, all at once.
///
/// Permission: presumably a user who is logged in. Whose accounts besides one's own may be asked for is not
/// documented.
/// Retried like every read.
///
/// # Errors
/// Statuses are not documented. An id that is no UUID makes the answer a [`Decode`](crate::ErrorKind::Decode)
/// error: none goes missing.
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

    /// Gets the accounts.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<BTreeMap<Uuid, UserAccount>> {
        let call = ApiRequest::get(path(self.user_id));
        self.client.send(Ok(call), |response| read_object(response, "a map of account ids")).await
    }
}

/// `DELETE /v1/users/{user-id}/accounts`: ends a user's membership of an account.
///
/// Of which account the request does not say: presumably of the one that is selected in the session. Send it with a
/// client that has an account, [`with_account`](Client::with_account): every session of that client has this account
/// selected. With any other client it is the account that was [selected](Client::select_account) last, which a new
/// login does not repeat. Permission: presumably any role in that account.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied) look at
/// the [accounts of the user](Client::get_user_accounts).
///
/// # Errors
/// Statuses are not documented. With no account selected it presumably fails with the code
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

    /// Ends the membership.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<()> {
        let call = ApiRequest::mutation(Method::DELETE, path(self.user_id));
        self.client.send(Ok(call), expect_empty).await
    }
}

/// One way to log in. Exactly one member is expected to be there; none is where the way is not known to this
/// version.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct AuthMethod {
    /// With e-mail address and password; an empty object.
    pub password: Option<Map<String, Value>>,
    /// At an identity provider, which gives a code.
    pub oauth_code_grant: Option<OauthAuthCodeGrant>,
}

/// Where and how to obtain an authorization code, for
/// [`ClientBuilder::oauth_code`](super::ClientBuilder::oauth_code).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct OauthAuthCodeGrant {
    /// The identity provider's name.
    pub name: Option<String>,
    /// Its icon.
    pub icon_url: Option<String>,
    /// Where the user's browser is to go.
    pub authorization_url: Option<String>,
    /// The client's id at the identity provider.
    pub client_id: Option<String>,
    /// Where the browser is sent with the code.
    pub redirect_uri: Option<String>,
    /// What the identity provider is to give back along with the code.
    pub state: Option<String>,
    /// The identity provider's id, in base64: for [`OauthCode::new`](super::OauthCode::new).
    pub idp_id: Option<String>,
    /// The cluster's id of the identity provider.
    pub cluster_idp_id: Option<String>,
}

/// `POST /v1/sys/auth/discover`: the ways in which a user can log in.
///
/// Permission: none; no credential is sent, whatever the client has. What the server tells without an e-mail
/// address is not documented. Retried like every read.
///
/// # Errors
/// Those of every request; the provider documents none of its own.
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
struct Envelope {
    auth_methods: Vec<AuthMethod>,
}

impl DiscoverAuthMethods {
    pub(super) fn new(client: Client) -> Self {
        Self { client, user_email: None, acct_id: None }
    }

    /// The user's e-mail address.
    pub fn user_email(mut self, email: impl Into<String>) -> Self {
        self.user_email = Some(email.into());
        self
    }

    /// The account to log in to.
    pub fn acct_id(mut self, id: Uuid) -> Self {
        self.acct_id = Some(id);
        self
    }

    /// Asks for the ways to log in.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<Vec<AuthMethod>> {
        let secrets = self.client.session().known();
        let call = self.request().map(|call| ApiRequest { secrets, ..call });
        self.client.api().send(&NoAuth(error::read), call, read).await
    }

    fn request(&self) -> Result<ApiRequest> {
        let body = DiscoverRequest { user_email: self.user_email.as_deref() };
        let call = ApiRequest::mutation(Method::POST, "/v1/sys/auth/discover").idempotent();
        call.query("acct_id", self.acct_id).json(&body)
    }
}

fn read(response: &ApiResponse) -> Result<Vec<AuthMethod>> {
    read_object::<Envelope>(response, "an object with auth_methods").map(|body| body.auth_methods)
}

/// Makes sure that the client has a session, and says what the server told of it.
///
/// A session is begun with `POST /v1/sys/auth` if there is none. If a client with a password has one, nothing is sent.
/// A client with a [`token`](super::ClientBuilder::token) or a code cannot replace its session: once it has one, it asks
/// the server each time, by a [refresh](Client::refresh_session).
///
/// # Retries
/// A login with a password is repeated like a read: twice makes two sessions, and harms nothing. One with an
/// authorization code is sent again only if it surely was not sent. After
/// [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied) obtain another code.
///
/// # Errors
/// [`Auth`](crate::ErrorKind::Auth) if the credentials are refused, or an authorization code has been used
/// before; [`Config`](crate::ErrorKind::Config) if the client is anonymous.
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
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<SessionInfo> {
        self.client.session().info().await
    }
}

/// `POST /v1/sys/session/refresh`: moves the end of the session's token, never past the session's own end.
///
/// Permission: a session that lives; one is begun if there is none and the client can. Retried like a read.
///
/// # Errors
/// [`Auth`](crate::ErrorKind::Auth) if the session is over and the client can begin no other.
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
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<SessionInfo> {
        self.client.session().refresh().await
    }
}

/// `POST /v1/sys/session/select_account/{account-id}`: the account that the session works on.
///
/// The selection is the server's, and ends with the session. The client does not remember it: a session that the client
/// begins later, because this one is over, has no account selected. For requests that must go to one account use a
/// client [`with_account`](Client::with_account). The client's clones have the same session, and so the same account.
///
/// Permission: a user who is logged in and belongs to the account. Retried like a read: twice does no more
/// than once.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if `with_account` has selected another account in this session; nothing is sent
/// then.
/// Statuses are not documented: an account that does not exist is presumably
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
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<SessionInfo> {
        self.client.session().select(self.id).await
    }
}

/// `POST /v1/sys/session/terminate`: ends the client's session, on the server too.
///
/// Without a session nothing is sent, and one that the server refuses is taken for ended. A client with a
/// password logs in again with the next request; any other then fails with [`Auth`](crate::ErrorKind::Auth).
///
/// Permission: a session. Retried like a read.
///
/// # Errors
/// Those of every request. The session may then go on: send it again.
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
    ///
    /// # Errors
    /// As the [request](Self) says.
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
    fn only_what_is_set_is_sent() {
        assert_eq!(body(&request("Acme")), json!({"name": "Acme"}));
        let logo = Logo::new(b"\x89PNG\r\n\x1a\n").unwrap();
        let whole = request("A\"b")
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
        assert_eq!(body(&whole), expected);
    }

    #[test]
    fn an_identity_provider_is_sent_with_each_kind_of_tls() {
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
    fn the_secrets_of_a_body_are_known_as_such() {
        let tls = TlsConfigRequired::new(false, CaSet::GlobalRoots).client("cert", "the key");
        let call = request("Acme").auth_config(oauth(tls)).request().unwrap();
        let secrets: Vec<_> = call.secrets.iter().map(ExposeSecret::expose_secret).collect();
        assert_eq!(secrets, ["dGhlIGtleQ==", "hunter2 \"secret\""]);
    }

    #[test]
    fn every_change_is_sent_under_its_name() {
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
        let call = request.request().unwrap();
        assert_eq!(call.method, Method::PATCH);
        assert_eq!(call.path, "/v1/accounts/00000000-0000-0000-0000-000000000000");
        assert!(!call.idempotent);
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
        assert_eq!(serde_json::from_slice::<Value>(&call.body).unwrap(), expected);
        let one = client.update_account(Uuid::nil()).enabled(true).request().unwrap();
        assert_eq!(&one.body[..], br#"{"enabled":true}"#);
    }
}
