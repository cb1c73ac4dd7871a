use std::{fmt, path::Path, sync::Arc, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::{
    ApiVersion, CreateAccount, DeleteAccount, GetAccount, ListAccounts, ListEntitlements, NAME, PutAccount,
    ReloadAccount, RemoveAccount, SetAccountState, SetIdentityAccountState, SetIdentityAccountStates,
    UnlockAccount, UpdateAccount,
    auth::{Login, Tokens},
    config::{self, Config},
};
use crate::{
    Error, ListingId, Result,
    auth::{Env, Lookup, credential, home, sensitive},
    http::{ApiClient, ApiRequest, ApiResponse, ClientOptions, RateLimit, client_options},
};

/// A client of SailPoint Identity Security Cloud. Cheap to clone; clones share connections, the token
/// and the rate limit.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    api: Arc<ApiClient>,
    tokens: Tokens,
    version: ApiVersion,
}

impl Client {
    /// A client of the tenant at `base_url`, which is `https://{tenant}.api.identitynow.com` or a vanity
    /// host, without a version at its end. Give it [`client_credentials`](ClientBuilder::client_credentials)
    /// or a [`token`](ClientBuilder::token).
    ///
    /// By default it sends at most 100 requests in any 10 seconds, which is what the provider allows per
    /// client id and API version; see [`rate_limit`](ClientBuilder::rate_limit).
    pub fn builder(base_url: impl Into<String>) -> ClientBuilder {
        let mut options = ClientOptions::new(base_url);
        options.rate_limit = Some(RateLimit::new(100, Duration::from_secs(10)));
        ClientBuilder { options, login: None, version: ApiVersion::default() }
    }

    /// A client with what the environment says, in the variables of SailPoint's own SDKs: `SAIL_BASE_URL`,
    /// `SAIL_CLIENT_ID`, `SAIL_CLIENT_SECRET`. All are needed.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) naming the variable that is missing or wrong.
    pub fn from_env() -> Result<Self> {
        Self::builder_from_env()?.build()
    }

    /// The same as a builder: for setting the API version and the rest.
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    pub fn builder_from_env() -> Result<ClientBuilder> {
        let env = Env::new(NAME);
        match env.context(config::from_environment(&|name| env.optional(name)))? {
            Lookup::Found(config) => Ok(ClientBuilder::given(config)),
            Lookup::Missing(why) => Err(env.error(why)),
        }
    }

    /// A client with the first URL and credentials that are found where SailPoint's own SDKs look for them:
    ///
    /// 1. the environment, as [`from_env`](Self::from_env) reads it, if `SAIL_BASE_URL` is set
    /// 2. `config.json` in the current directory: `{"ClientId": …, "ClientSecret": …, "BaseURL": …}`, keys
    ///    in any case
    /// 3. `~/.sailpoint/config.yaml` of SailPoint's command line tool: the `baseurl`, `pat.clientid` and
    ///    `pat.clientsecret` of its active environment. Only with the feature `sailpoint-config`; and today's
    ///    versions of the tool keep id and secret in the system's keyring, which is not read
    ///
    /// All three values come from one place, never some from one and some from another. A place that has
    /// none is passed over. One that has only some of them, or can not be read, is an error; of the tool's
    /// file, one without credentials is passed over too, for it is usually so.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) naming the places that were looked at, and why none
    /// will do.
    pub fn from_default_chain() -> Result<Self> {
        Self::builder_from_default_chain()?.build()
    }

    /// The same as a builder: for setting the API version and the rest.
    ///
    /// # Errors
    /// As [`from_default_chain`](Self::from_default_chain).
    pub fn builder_from_default_chain() -> Result<ClientBuilder> {
        let env = Env::new(NAME);
        let found = config::default_chain(&|name| env.optional(name), Path::new("."), home().as_deref());
        env.context(found).map(ClientBuilder::given)
    }

    /// The accounts on all sources. Set its parameters, then take it as a [`Paginator`](crate::Paginator).
    pub fn list_accounts(&self) -> ListAccounts {
        ListAccounts::new(self.clone())
    }

    /// One account.
    pub fn get_account(&self, id: impl Into<String>) -> GetAccount {
        GetAccount::new(self.clone(), id.into())
    }

    /// Makes an account on a source, or changes the one that its attributes name. Give it the attributes.
    pub fn create_account(&self, source_id: impl Into<String>) -> CreateAccount {
        CreateAccount::new(self.clone(), source_id.into())
    }

    /// Correlates an account anew, or changes single attributes of it. Give it what is to be changed.
    pub fn update_account(&self, id: impl Into<String>) -> UpdateAccount {
        UpdateAccount::new(self.clone(), id.into())
    }

    /// Writes the attributes of an account on a source of delimited files.
    pub fn put_account(&self, id: impl Into<String>, attributes: Map<String, Value>) -> PutAccount {
        PutAccount::new(self.clone(), id.into(), attributes)
    }

    /// Deletes an account on a source of delimited files.
    pub fn delete_account(&self, id: impl Into<String>) -> DeleteAccount {
        DeleteAccount::new(self.clone(), id.into())
    }

    /// Removes an account on any source from the tenant. Not in `v3`.
    #[doc(alias = "delete_account_async")]
    pub fn remove_account(&self, id: impl Into<String>) -> RemoveAccount {
        RemoveAccount::new(self.clone(), id.into())
    }

    /// Switches an account on.
    pub fn enable_account(&self, id: impl Into<String>) -> SetAccountState {
        SetAccountState::new(self.clone(), id.into(), "enable")
    }

    /// Switches an account off.
    pub fn disable_account(&self, id: impl Into<String>) -> SetAccountState {
        SetAccountState::new(self.clone(), id.into(), "disable")
    }

    /// Unlocks an account.
    pub fn unlock_account(&self, id: impl Into<String>) -> UnlockAccount {
        UnlockAccount::new(self.clone(), id.into())
    }

    /// Reads an account anew from its source.
    #[doc(alias = "submit_reload_account")]
    pub fn reload_account(&self, id: impl Into<String>) -> ReloadAccount {
        ReloadAccount::new(self.clone(), id.into())
    }

    /// What an account is entitled to. Set its parameters, then take it as a [`Paginator`](crate::Paginator).
    #[doc(alias = "get_account_entitlements")]
    pub fn list_entitlements(&self, account_id: impl Into<String>) -> ListEntitlements {
        ListEntitlements::new(self.clone(), account_id.into())
    }

    /// Switches on the account that an identity has with the provider itself. Not in `v3`.
    pub fn enable_account_for_identity(&self, identity_id: impl Into<String>) -> SetIdentityAccountState {
        SetIdentityAccountState::new(self.clone(), identity_id.into(), "enable")
    }

    /// Switches off the account that an identity has with the provider itself. Not in `v3`.
    pub fn disable_account_for_identity(&self, identity_id: impl Into<String>) -> SetIdentityAccountState {
        SetIdentityAccountState::new(self.clone(), identity_id.into(), "disable")
    }

    /// The same as [`enable_account_for_identity`](Self::enable_account_for_identity) for several identities.
    pub fn enable_accounts_for_identities<I: Into<String>>(
        &self,
        identity_ids: impl IntoIterator<Item = I>,
    ) -> SetIdentityAccountStates {
        let ids = identity_ids.into_iter().map(Into::into).collect();
        SetIdentityAccountStates::new(self.clone(), ids, "enable")
    }

    /// The same as [`disable_account_for_identity`](Self::disable_account_for_identity) for several identities.
    pub fn disable_accounts_for_identities<I: Into<String>>(
        &self,
        identity_ids: impl IntoIterator<Item = I>,
    ) -> SetIdentityAccountStates {
        let ids = identity_ids.into_iter().map(Into::into).collect();
        SetIdentityAccountStates::new(self.clone(), ids, "disable")
    }

    /// The version of the API that this client speaks.
    pub fn api_version(&self) -> ApiVersion {
        self.0.version
    }

    /// The identity of a list. Its principal is the id of the client credentials; a token does not show one.
    pub(super) fn listing_id(&self, first: &Result<ApiRequest>) -> ListingId {
        self.0.api.listing_id(self.0.tokens.client_id(), first, &[])
    }

    /// Attaches the provider to an error that was made before or after a request.
    pub(super) fn context<T>(&self, result: Result<T>) -> Result<T> {
        self.0.api.context(result)
    }

    /// Sends `call`, if it is one, until `read` takes the answer.
    pub(super) async fn send<T>(
        &self,
        call: Result<ApiRequest>,
        read: impl Fn(&ApiResponse) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        self.0.api.send(&self.0.tokens, call, read).await
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.0.api.base_url())
            .field("version", &self.0.version)
            .finish_non_exhaustive()
    }
}

/// Builds a [`Client`].
#[derive(Clone)]
#[must_use = "a builder does nothing until build() is called"]
pub struct ClientBuilder {
    options: ClientOptions,
    login: Option<Login>,
    version: ApiVersion,
}

impl ClientBuilder {
    fn given(config: Config) -> Self {
        Client::builder(config.base_url).client_credentials(config.client_id, config.client_secret)
    }

    /// The id and secret of a personal access token or API client. The token is obtained with the first
    /// request, renewed before it ends, and obtained anew if it is refused.
    ///
    /// Checkpoints are bound to the id: what another one may see is another listing.
    pub fn client_credentials(mut self, id: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        self.login = Some(Login::ClientCredentials { id: id.into(), secret: secret.into() });
        self
    }

    /// A bearer token that was obtained elsewhere. When it ends, requests fail with
    /// [`ErrorKind::Auth`](crate::ErrorKind::Auth).
    ///
    /// It does not say whose it is, and checkpoints are not bound to it: resume only with a token that may see
    /// what the one before could.
    pub fn token(mut self, token: impl Into<SecretString>) -> Self {
        self.login = Some(Login::Token(token.into()));
        self
    }

    /// The version of the API. Default: [`ApiVersion::AccountsV1`].
    pub fn api_version(mut self, version: ApiVersion) -> Self {
        self.version = version;
        self
    }

    client_options!();

    /// Builds the client. Nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the base URL, a credential or a setting can not
    /// be used, or there is no credential.
    pub fn build(self) -> Result<Client> {
        let login = match &self.login {
            Some(Login::ClientCredentials { id, secret }) => {
                let id = id.trim().to_owned();
                credential("client id", &id.as_str().into())
                    .and_then(|_| credential("client secret", secret))
                    .map(|secret| Login::ClientCredentials { id, secret })
            }
            Some(Login::Token(token)) => credential("token", token)
                .and_then(|token| sensitive("token", token.expose_secret()).map(|_| token))
                .map(Login::Token),
            None => Err(Error::config("no credential: call client_credentials() or token()")),
        };
        let api = Arc::new(ApiClient::new(NAME, &self.options)?);
        let login = api.context(login)?;
        let tokens = Tokens::new(Arc::clone(&api), login);
        Ok(Client(Arc::new(Inner { api, tokens, version: self.version })))
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let login = match &self.login {
            Some(Login::ClientCredentials { .. }) => "client credentials",
            Some(Login::Token(_)) => "token",
            None => "none",
        };
        f.debug_struct("ClientBuilder")
            .field("options", &self.options)
            .field("login", &login)
            .field("version", &self.version)
            .finish()
    }
}
