use std::{fmt, path::Path, sync::Arc, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::{
    ApiVersion, CreateAccount, DeleteAccount, GetAccount, ListAccounts, ListEntitlements, NAME, PutAccount,
    ReloadAccount, RemoveAccount, SetAccountState, SetIdentityAccountState, SetIdentityAccountStates,
    UnlockAccount, UpdateAccount,
    auth::{Credentials, TokenSource},
    config::{self, Config},
};
use crate::{
    Error, ListingId, Result,
    auth::{Env, Lookup, credential, home, sensitive},
    http::{ApiClient, ApiRequest, ApiResponse, ClientOptions, RateLimit, client_options},
};

/// A client of SailPoint Identity Security Cloud.
///
/// Cheap to clone: clones share the connections, the token and the rate limit.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    api: ApiClient,
    tokens: TokenSource,
    version: ApiVersion,
}

impl Client {
    /// Returns a builder.
    ///
    /// A [`base_url`](ClientBuilder::base_url) and [`client_credentials`](ClientBuilder::client_credentials)
    /// or a [`token`](ClientBuilder::token) are required.
    ///
    /// By default, the client sends at most 100 requests in any 10 seconds, the provider's limit per client
    /// id and API version. See [`rate_limit`](ClientBuilder::rate_limit).
    pub fn builder() -> ClientBuilder {
        let mut options = ClientOptions::new("");
        options.rate_limit = Some(RateLimit::new(100, Duration::from_secs(10)));
        ClientBuilder { options, credentials: None, version: ApiVersion::default() }
    }

    /// Creates a client from the environment variables of SailPoint's own SDKs.
    ///
    /// `SAIL_BASE_URL`, `SAIL_CLIENT_ID` and `SAIL_CLIENT_SECRET` are required.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) naming the variable that is missing or invalid.
    pub fn from_env() -> Result<Self> {
        Self::builder_from_env()?.build()
    }

    /// Returns a builder with the values of [`from_env`](Self::from_env), to set the API version and other
    /// options.
    ///
    /// # Errors
    /// The same as for [`from_env`](Self::from_env).
    pub fn builder_from_env() -> Result<ClientBuilder> {
        let env = Env::new(NAME);
        match env.context(config::from_environment(&|name| env.optional(name)))? {
            Lookup::Found(config) => Ok(ClientBuilder::from_config(config)),
            Lookup::Missing(reason) => Err(env.error(reason)),
        }
    }

    /// Creates a client from the first source in the search order of SailPoint's own SDKs:
    ///
    /// 1. the environment, as in [`from_env`](Self::from_env), if any of its variables is set
    /// 2. `config.json` in the current directory: `{"ClientId": …, "ClientSecret": …, "BaseURL": …}`, with
    ///    case-insensitive keys
    /// 3. `~/.sailpoint/config.yaml` of SailPoint's command line tool: the `baseurl`, `pat.clientid` and
    ///    `pat.clientsecret` of the active environment. Only with the feature `sailpoint-config`. Current
    ///    versions of the tool keep the id and secret in the system keyring, which is not read
    ///
    /// All three values are taken from the same source. A source with none of them is skipped. A source with
    /// only some of them, or one that cannot be read, is an error. The tool's file is also skipped if it has
    /// no credentials, as is usually the case.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) naming each source that was tried and why it was not
    /// used.
    pub fn from_default_chain() -> Result<Self> {
        Self::builder_from_default_chain()?.build()
    }

    /// Returns a builder with the values of [`from_default_chain`](Self::from_default_chain), to set the API
    /// version and other options.
    ///
    /// # Errors
    /// The same as for [`from_default_chain`](Self::from_default_chain).
    pub fn builder_from_default_chain() -> Result<ClientBuilder> {
        let env = Env::new(NAME);
        let found = config::default_chain(&|name| env.optional(name), Path::new("."), home().as_deref());
        env.context(found).map(ClientBuilder::from_config)
    }

    /// Returns the base URL, without a trailing slash.
    pub fn base_url(&self) -> &str {
        self.0.api.base_url()
    }

    /// Lists the accounts on all sources. Set its parameters, then use it as a
    /// [`Paginator`](crate::Paginator).
    pub fn list_accounts(&self) -> ListAccounts {
        ListAccounts::new(self.clone())
    }

    /// Fetches one account.
    pub fn get_account(&self, id: impl Into<String>) -> GetAccount {
        GetAccount::new(self.clone(), id.into())
    }

    /// Creates an account on a source, or changes the account that the attributes identify. Set the
    /// attributes.
    pub fn create_account(&self, source_id: impl Into<String>) -> CreateAccount {
        CreateAccount::new(self.clone(), source_id.into())
    }

    /// Correlates an account to another identity, or changes single attributes of it. Set the changes.
    pub fn update_account(&self, id: impl Into<String>) -> UpdateAccount {
        UpdateAccount::new(self.clone(), id.into())
    }

    /// Sets the attributes of an account on a source of delimited files.
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

    /// Enables an account.
    pub fn enable_account(&self, id: impl Into<String>) -> SetAccountState {
        SetAccountState::new(self.clone(), id.into(), "enable")
    }

    /// Disables an account.
    pub fn disable_account(&self, id: impl Into<String>) -> SetAccountState {
        SetAccountState::new(self.clone(), id.into(), "disable")
    }

    /// Unlocks an account.
    pub fn unlock_account(&self, id: impl Into<String>) -> UnlockAccount {
        UnlockAccount::new(self.clone(), id.into())
    }

    /// Reloads an account from its source.
    #[doc(alias = "submit_reload_account")]
    pub fn reload_account(&self, id: impl Into<String>) -> ReloadAccount {
        ReloadAccount::new(self.clone(), id.into())
    }

    /// Lists the entitlements of an account. Set its parameters, then use it as a
    /// [`Paginator`](crate::Paginator).
    #[doc(alias = "get_account_entitlements")]
    pub fn list_entitlements(&self, account_id: impl Into<String>) -> ListEntitlements {
        ListEntitlements::new(self.clone(), account_id.into())
    }

    /// Enables the account of an identity with SailPoint itself. Not in `v3`.
    pub fn enable_account_for_identity(&self, identity_id: impl Into<String>) -> SetIdentityAccountState {
        SetIdentityAccountState::new(self.clone(), identity_id.into(), "enable")
    }

    /// Disables the account of an identity with SailPoint itself. Not in `v3`.
    pub fn disable_account_for_identity(&self, identity_id: impl Into<String>) -> SetIdentityAccountState {
        SetIdentityAccountState::new(self.clone(), identity_id.into(), "disable")
    }

    /// Enables the accounts of several identities with SailPoint itself. Not in `v3`.
    pub fn enable_accounts_for_identities<I: Into<String>>(
        &self,
        identity_ids: impl IntoIterator<Item = I>,
    ) -> SetIdentityAccountStates {
        let ids = identity_ids.into_iter().map(Into::into).collect();
        SetIdentityAccountStates::new(self.clone(), ids, "enable")
    }

    /// Disables the accounts of several identities with SailPoint itself. Not in `v3`.
    pub fn disable_accounts_for_identities<I: Into<String>>(
        &self,
        identity_ids: impl IntoIterator<Item = I>,
    ) -> SetIdentityAccountStates {
        let ids = identity_ids.into_iter().map(Into::into).collect();
        SetIdentityAccountStates::new(self.clone(), ids, "disable")
    }

    /// Returns the API version of this client.
    pub fn api_version(&self) -> ApiVersion {
        self.0.version
    }

    /// Returns the identity of a listing. Its principal is the client id; a bearer token has no known
    /// principal.
    pub(super) fn listing_id(&self, first: &Result<ApiRequest>) -> ListingId {
        self.0.api.try_listing_id(self.0.tokens.client_id(), first.as_ref(), &[])
    }

    /// Attaches the provider to an error that occurred outside of a request.
    pub(super) fn context<T>(&self, result: Result<T>) -> Result<T> {
        self.0.api.context(result)
    }

    /// Sends `request`, with retries, and parses the response with `read`.
    pub(super) async fn send<T>(
        &self,
        request: Result<ApiRequest>,
        read: impl Fn(&ApiResponse) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        self.0.api.try_send(&self.0.tokens, request, read).await
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
    credentials: Option<Credentials>,
    version: ApiVersion,
}

impl ClientBuilder {
    fn from_config(config: Config) -> Self {
        Client::builder().base_url(config.base_url).client_credentials(config.client_id, config.client_secret)
    }

    /// Sets the base URL of the tenant, without an API version. Required.
    ///
    /// It is `https://{tenant}.api.identitynow.com` or a vanity host.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.options.base_url = url.into();
        self
    }

    /// Sets the id and secret of a personal access token or API client.
    ///
    /// The access token is fetched with the first request. It is refreshed before it expires and replaced if
    /// the server rejects it.
    ///
    /// Checkpoints are bound to the client id, because another client may see other accounts.
    pub fn client_credentials(mut self, id: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        self.credentials = Some(Credentials::ClientCredentials { id: id.into(), secret: secret.into() });
        self
    }

    /// Sets a bearer token that was obtained elsewhere. When it expires, requests fail with
    /// [`ErrorKind::Auth`](crate::ErrorKind::Auth).
    ///
    /// Checkpoints are not bound to the token, because its owner is unknown. Resume only with a token that
    /// has access to the same accounts.
    pub fn token(mut self, token: impl Into<SecretString>) -> Self {
        self.credentials = Some(Credentials::Token(token.into()));
        self
    }

    /// Sets the API version. Default: [`ApiVersion::AccountsV1`].
    pub fn api_version(mut self, version: ApiVersion) -> Self {
        self.version = version;
        self
    }

    client_options!();

    /// Builds the client. Sends no requests.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the base URL, a credential or an option is invalid,
    /// or if there are no credentials.
    pub fn build(self) -> Result<Client> {
        let credentials = match &self.credentials {
            Some(Credentials::ClientCredentials { id, secret }) => {
                let id = id.trim().to_owned();
                credential("client id", &id.as_str().into())
                    .and_then(|_| credential("client secret", secret))
                    .map(|secret| Credentials::ClientCredentials { id, secret })
            }
            Some(Credentials::Token(token)) => credential("token", token)
                .and_then(|token| sensitive("token", token.expose_secret()).map(|_| token))
                .map(Credentials::Token),
            None => Err(Error::config("no credentials; call client_credentials() or token()")),
        };
        let api = ApiClient::versioned(NAME, &self.options)?;
        let credentials = api.context(credentials)?;
        let tokens = TokenSource::new(api.clone(), credentials);
        Ok(Client(Arc::new(Inner { api, tokens, version: self.version })))
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let credentials = match &self.credentials {
            Some(Credentials::ClientCredentials { .. }) => "client credentials",
            Some(Credentials::Token(_)) => "token",
            None => "none",
        };
        f.debug_struct("ClientBuilder")
            .field("options", &self.options)
            .field("credentials", &credentials)
            .field("version", &self.version)
            .finish()
    }
}
