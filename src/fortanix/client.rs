use std::{fmt, sync::Arc};

use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::{
    CreateAccount, DeleteAccount, DiscoverAuthMethods, GetAccount, GetUserAccounts, ListAccounts, Login,
    NAME, OauthCode, RefreshSession, RemoveUserFromAccount, SelectAccount, TerminateSession, UpdateAccount,
    session::{LoginMethod, Session},
};
use crate::{
    Error, Result,
    auth::{Env, credential, sensitive},
    http::{ApiClient, ApiRequest, ApiResponse, ClientOptions, client_options},
};

/// A client of Fortanix Confidential Computing Manager.
///
/// Cloning is cheap. Clones share connections, the rate limit and the session.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    api: ApiClient,
    session: Session,
}

impl Client {
    /// Returns a builder of a client for `https://ccm.fortanix.com`.
    ///
    /// Set a [`password`](ClientBuilder::password), a [`token`](ClientBuilder::token) or an
    /// [`oauth_code`](ClientBuilder::oauth_code).
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    pub(super) fn new(api: ApiClient, session: Session) -> Self {
        Self(Arc::new(Inner { api, session }))
    }

    /// Creates a client from environment variables.
    ///
    /// | variable | |
    /// |---|---|
    /// | `FORTANIX_CCM_TOKEN` | a token; if it is set, the client does not log in |
    /// | `FORTANIX_CCM_EMAIL`, `FORTANIX_CCM_PASSWORD` | the user to log in as |
    /// | `FORTANIX_CCM_BASE_URL` | optional: a base URL other than the default |
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if a variable is missing or invalid. The message names
    /// it.
    pub fn from_env() -> Result<Self> {
        Self::builder_from_env()?.build()
    }

    /// Returns a builder with the settings of [`from_env`](Self::from_env), to change the others.
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    pub fn builder_from_env() -> Result<ClientBuilder> {
        let env = Env::new(NAME);
        let mut builder = Self::builder();
        if let Some(url) = env.optional("FORTANIX_CCM_BASE_URL")? {
            builder = builder.base_url(url);
        }
        Ok(match env.optional_secret("FORTANIX_CCM_TOKEN")? {
            Some(token) => builder.token(token),
            None => {
                builder.password(env.required("FORTANIX_CCM_EMAIL")?, env.secret("FORTANIX_CCM_PASSWORD")?)
            }
        })
    }

    /// Returns the base URL, without a trailing slash.
    pub fn base_url(&self) -> &str {
        self.0.api.base_url()
    }

    /// Lists the accounts that the user may see. The list is a [`Paginator`](crate::Paginator).
    #[doc(alias = "get_accounts")]
    pub fn list_accounts(&self) -> ListAccounts {
        ListAccounts::new(self.clone())
    }

    /// Creates an account. The name must be unique within the instance. Any user may create one.
    pub fn create_account(&self, name: impl Into<String>) -> CreateAccount {
        CreateAccount::new(self.clone(), name.into())
    }

    /// Fetches one account. The user must belong to it.
    pub fn get_account(&self, id: Uuid) -> GetAccount {
        GetAccount::new(self.clone(), id)
    }

    /// Updates an account. The user must be its manager.
    pub fn update_account(&self, id: Uuid) -> UpdateAccount {
        UpdateAccount::new(self.clone(), id)
    }

    /// Deletes an account.
    pub fn delete_account(&self, id: Uuid) -> DeleteAccount {
        DeleteAccount::new(self.clone(), id)
    }

    /// Fetches the accounts of which a user is a member. [`log_in`](Self::log_in) returns the own user's id.
    pub fn get_user_accounts(&self, user_id: Uuid) -> GetUserAccounts {
        GetUserAccounts::new(self.clone(), user_id)
    }

    /// Removes a user from the selected account, which is the account of a client
    /// [`with_account`](Self::with_account).
    pub fn remove_user_from_account(&self, user_id: Uuid) -> RemoveUserFromAccount {
        RemoveUserFromAccount::new(self.clone(), user_id)
    }

    /// Fetches the ways in which a user can log in. Requires no login.
    pub fn discover_auth_methods(&self) -> DiscoverAuthMethods {
        DiscoverAuthMethods::new(self.clone())
    }

    /// Logs in now, instead of with the first request that requires a session.
    #[doc(alias("authenticate", "login"))]
    pub fn log_in(&self) -> Login {
        Login::new(self.clone())
    }

    /// Refreshes the session, which extends the lifetime of its token.
    ///
    /// Requests refresh the session when the token is about to expire, so this is useful for a client that
    /// sends none for a while. The client never refreshes a [`token`](ClientBuilder::token) by itself,
    /// because its lifetime is unknown.
    pub fn refresh_session(&self) -> RefreshSession {
        RefreshSession::new(self.clone())
    }

    /// Creates a client whose requests all go to this account.
    ///
    /// The new client shares connections and the rate limit with this client, and has its own session. In
    /// every session it selects the account before it sends anything else, also after it has logged in again.
    /// If the selection fails, so do its requests. They fail with [`Auth`](crate::ErrorKind::Auth) if the
    /// account does not exist or the user does not belong to it. Selections by this client and by others do
    /// not affect it.
    ///
    /// # Tokens and authorization codes
    /// A [`token`](ClientBuilder::token) or an [`oauth_code`](ClientBuilder::oauth_code) has only one
    /// session, in which only one account can be selected. The clients created from it share that session:
    ///
    /// - The first client that sends a request selects its account. This client then works on that account
    ///   too.
    /// - Requests of clients with another account fail with [`Config`](crate::ErrorKind::Config).
    /// - After a [`select_account`](Self::select_account) in that session, requests of clients with an
    ///   account fail with [`Config`](crate::ErrorKind::Config) until the session ends, because that request
    ///   may arrive late.
    /// - Call [`log_in`](Self::log_in) first to use an authorization code: two clients cannot use it at the
    ///   same time.
    ///
    /// ```no_run
    /// # async fn run(client: headcount::fortanix::Client, account: uuid::Uuid, user: uuid::Uuid)
    /// # -> headcount::Result<()> {
    /// client.with_account(account).remove_user_from_account(user).send().await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with_account(&self, id: Uuid) -> Self {
        Self::new(self.0.api.clone(), self.0.session.with_account(id))
    }

    /// Selects an account for the requests of the current session.
    ///
    /// For requests that must go to one account, use [`with_account`](Self::with_account).
    pub fn select_account(&self, id: Uuid) -> SelectAccount {
        SelectAccount::new(self.clone(), id)
    }

    /// Ends the session.
    #[doc(alias("log_out", "logout"))]
    pub fn terminate_session(&self) -> TerminateSession {
        TerminateSession::new(self.clone())
    }

    /// Sends a request within the session.
    pub(super) async fn send<T>(
        &self,
        request: Result<ApiRequest>,
        read: impl Fn(&ApiResponse) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        self.0.api.try_send(&self.0.session, request, read).await
    }

    pub(super) fn api(&self) -> &ApiClient {
        &self.0.api
    }

    pub(super) fn session(&self) -> &Session {
        &self.0.session
    }

    /// Returns a text that identifies the user, of which checkpoints contain a digest.
    pub(super) fn user(&self) -> &str {
        self.0.session.user()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base_url", &self.0.api.base_url()).finish_non_exhaustive()
    }
}

const BASE_URL: &str = "https://ccm.fortanix.com";

/// Builds a [`Client`].
#[derive(Clone)]
#[must_use = "a builder does nothing until build() is called"]
pub struct ClientBuilder {
    options: ClientOptions,
    login: Option<LoginMethod>,
}

impl ClientBuilder {
    pub(super) fn new() -> Self {
        Self { options: ClientOptions::new(BASE_URL), login: None }
    }

    /// Sets the user to log in as.
    ///
    /// The client logs in with the first request, refreshes the session, and logs in again when the session
    /// has ended or is rejected.
    pub fn password(mut self, email: impl Into<String>, password: impl Into<SecretString>) -> Self {
        self.login = Some(LoginMethod::Password { email: email.into(), password: password.into() });
        self
    }

    /// Sets a token that was obtained elsewhere.
    ///
    /// When the token has expired, requests fail with [`ErrorKind::Auth`](crate::ErrorKind::Auth). A token
    /// does not identify its user, so checkpoints are bound to the token itself.
    pub fn token(mut self, token: impl Into<SecretString>) -> Self {
        self.login = Some(LoginMethod::Token(token.into()));
        self
    }

    /// Sets an authorization code that was issued by an identity provider.
    ///
    /// The client uses the code for one login, with the first request. Later requests refresh the session.
    /// When the session has ended, requests fail with [`ErrorKind::Auth`](crate::ErrorKind::Auth), because a
    /// code is valid only once. A client that sends no requests for a while has to call
    /// [`Client::refresh_session`] before
    /// [`session_token_expires_at`](super::SessionInfo::session_token_expires_at).
    ///
    /// [`Client::discover_auth_methods`] returns the URL where the user logs in to obtain a code. Checkpoints
    /// are bound to the code's e-mail address, or to the code itself if it has none.
    pub fn oauth_code(mut self, code: OauthCode) -> Self {
        self.login = Some(LoginMethod::OauthCode(code));
        self
    }

    /// Builds a client without a login, which can only send [`Client::discover_auth_methods`].
    pub fn anonymous(mut self) -> Self {
        self.login = Some(LoginMethod::Anonymous);
        self
    }

    /// Sets the base URL, such as that of an on-premises installation, with or without a path prefix.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.options.base_url = url.into();
        self
    }

    client_options!();

    /// Builds the client. Nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the base URL, a credential or an option is invalid,
    /// or no credential is set.
    pub fn build(self) -> Result<Client> {
        let api = ApiClient::versioned(NAME, &self.options)?;
        let login = api.context(validated(self.login))?;
        let session = Session::new(api.clone(), login);
        Ok(Client::new(api, session))
    }
}

/// Validates the credential.
fn validated(login: Option<LoginMethod>) -> Result<LoginMethod> {
    Ok(match login {
        Some(LoginMethod::Password { email, password }) => {
            let email = email.trim().to_owned();
            if email.is_empty() || email.contains(':') {
                let message =
                    "invalid e-mail address: Basic authentication requires a non-empty one without a colon";
                return Err(Error::config(message));
            }
            // A password is not trimmed: blanks at its ends may be part of it.
            LoginMethod::Password { email, password }
        }
        Some(LoginMethod::Token(token)) => {
            let token = credential("token", &token)
                .and_then(|token| sensitive("token", token.expose_secret()).map(|_| token));
            LoginMethod::Token(token?)
        }
        Some(LoginMethod::OauthCode(mut code)) => {
            if code.idp_id.trim().is_empty() {
                let message = "empty identity provider's id; expected an idp_id from discover_auth_methods()";
                return Err(Error::config(message));
            }
            code.code = credential("authorization code", &code.code)?;
            LoginMethod::OauthCode(code)
        }
        Some(LoginMethod::Anonymous) => LoginMethod::Anonymous,
        None => {
            let message = "no credential: call password(), token() or oauth_code(), or anonymous() for a client \
                           without one";
            return Err(Error::config(message));
        }
    })
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let login = match &self.login {
            Some(LoginMethod::Password { .. }) => "password",
            Some(LoginMethod::Token(_)) => "token",
            Some(LoginMethod::OauthCode(_)) => "authorization code",
            Some(LoginMethod::Anonymous) => "anonymous",
            None => "none",
        };
        f.debug_struct("ClientBuilder")
            .field("options", &self.options)
            .field("login", &login)
            .finish_non_exhaustive()
    }
}
