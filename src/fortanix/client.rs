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

/// A client of Fortanix Confidential Computing Manager. Cheap to clone; clones share connections, limits
/// and the session.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    api: Arc<ApiClient>,
    session: Session,
}

impl Client {
    /// A client at `https://ccm.fortanix.com`. Give it a [`password`](ClientBuilder::password), a
    /// [`token`](ClientBuilder::token) or an [`oauth_code`](ClientBuilder::oauth_code).
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    pub(super) fn new(api: Arc<ApiClient>, session: Session) -> Self {
        Self(Arc::new(Inner { api, session }))
    }

    /// A client with what the environment says.
    ///
    /// | variable | |
    /// |---|---|
    /// | `FORTANIX_CCM_TOKEN` | a token; if it is set, there is no login |
    /// | `FORTANIX_CCM_EMAIL`, `FORTANIX_CCM_PASSWORD` | the user to log in as |
    /// | `FORTANIX_CCM_BASE_URL` | another base URL |
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) naming the variable that is missing or wrong.
    pub fn from_env() -> Result<Self> {
        Self::builder_from_env()?.build()
    }

    /// The same as a builder, for setting the rest.
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

    /// The accounts that the user may see. Set its parameters, then take it as a
    /// [`Paginator`](crate::Paginator).
    #[doc(alias = "get_accounts")]
    pub fn list_accounts(&self) -> ListAccounts {
        ListAccounts::new(self.clone())
    }

    /// A new account of this name, unique within the instance. Any user may make one.
    pub fn create_account(&self, name: impl Into<String>) -> CreateAccount {
        CreateAccount::new(self.clone(), name.into())
    }

    /// One account. The user must belong to it.
    pub fn get_account(&self, id: Uuid) -> GetAccount {
        GetAccount::new(self.clone(), id)
    }

    /// Changes to an account. The user must be its manager.
    pub fn update_account(&self, id: Uuid) -> UpdateAccount {
        UpdateAccount::new(self.clone(), id)
    }

    /// The end of an account.
    pub fn delete_account(&self, id: Uuid) -> DeleteAccount {
        DeleteAccount::new(self.clone(), id)
    }

    /// The accounts of which a user is a member. [`log_in`](Self::log_in) tells one's own id.
    pub fn get_user_accounts(&self, user_id: Uuid) -> GetUserAccounts {
        GetUserAccounts::new(self.clone(), user_id)
    }

    /// The end of a user's membership of the account that is selected: that of a client
    /// [`with_account`](Self::with_account).
    pub fn remove_user_from_account(&self, user_id: Uuid) -> RemoveUserFromAccount {
        RemoveUserFromAccount::new(self.clone(), user_id)
    }

    /// The ways in which a user can log in. Needs no login.
    pub fn discover_auth_methods(&self) -> DiscoverAuthMethods {
        DiscoverAuthMethods::new(self.clone())
    }

    /// A session, begun now and not with the first request that needs one.
    #[doc(alias("authenticate", "login"))]
    pub fn log_in(&self) -> Login {
        Login::new(self.clone())
    }

    /// A later end for the session's token. Requests see to that by themselves, unless the client was given a
    /// [`token`](ClientBuilder::token), whose end it does not know. A client that sends none for a while does
    /// not.
    pub fn refresh_session(&self) -> RefreshSession {
        RefreshSession::new(self.clone())
    }

    /// A client whose requests all go to this account.
    ///
    /// It shares connections and the rate limit with this client, and has a session of its own. In every session that
    /// it begins, also after one was refused, it selects the account before anything else is sent. If that fails, so do
    /// its requests: with [`Auth`](crate::ErrorKind::Auth) where the account is gone or the user does not belong to it.
    /// The selections of this client and of others do not matter to it.
    ///
    /// A [`token`](ClientBuilder::token) and an [`oauth_code`](ClientBuilder::oauth_code) are one session, in which only
    /// one account can be selected. The clients made from one of them share it: the first that sends a request selects
    /// its account, requests of clients with another account fail with [`Config`](crate::ErrorKind::Config), and this
    /// client itself then works on that account too. After a [`select_account`](Self::select_account) in that session
    /// they fail with [`Config`](crate::ErrorKind::Config) until it ends: that request may arrive late. Let a code be used by [`log_in`](Self::log_in) first: two clients
    /// cannot use it at the same time.
    ///
    /// ```no_run
    /// # async fn run(client: headcount::fortanix::Client, account: uuid::Uuid, user: uuid::Uuid)
    /// # -> headcount::Result<()> {
    /// client.with_account(account).remove_user_from_account(user).send().await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with_account(&self, id: Uuid) -> Self {
        Self::new(Arc::clone(&self.0.api), self.0.session.with_account(id))
    }

    /// The account that the client's session works on, while it lasts. See [`with_account`](Self::with_account) for
    /// requests that must go to one account.
    pub fn select_account(&self, id: Uuid) -> SelectAccount {
        SelectAccount::new(self.clone(), id)
    }

    /// The end of the session.
    #[doc(alias("log_out", "logout"))]
    pub fn terminate_session(&self) -> TerminateSession {
        TerminateSession::new(self.clone())
    }

    /// Sends `call` within the session.
    pub(super) async fn send<T>(
        &self,
        call: Result<ApiRequest>,
        read: impl Fn(&ApiResponse) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        self.0.api.send(&self.0.session, call, read).await
    }

    pub(super) fn api(&self) -> &ApiClient {
        &self.0.api
    }

    pub(super) fn session(&self) -> &Session {
        &self.0.session
    }

    /// Whose accounts are listed: for checkpoints, which keep a digest of it only.
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

    /// The user to log in as. The login happens with the first request; the session is kept alive, and
    /// begun again when it ends or is refused.
    pub fn password(mut self, email: impl Into<String>, password: impl Into<SecretString>) -> Self {
        self.login = Some(LoginMethod::Password { email: email.into(), password: password.into() });
        self
    }

    /// A token that was obtained elsewhere. When it ends, requests fail with
    /// [`ErrorKind::Auth`](crate::ErrorKind::Auth). Whose it is, it does not tell: checkpoints are bound to
    /// the token itself.
    pub fn token(mut self, token: impl Into<SecretString>) -> Self {
        self.login = Some(LoginMethod::Token(token.into()));
        self
    }

    /// A login at an identity provider. The code is used for one login, with the first request; then the
    /// session is kept alive by what requests there are. When it ends, requests fail with
    /// [`ErrorKind::Auth`](crate::ErrorKind::Auth): a code is good only once. To keep it alive where there are
    /// no requests, use [`Client::refresh_session`] before
    /// [`session_token_expires_at`](super::SessionInfo::session_token_expires_at).
    ///
    /// [`Client::discover_auth_methods`] tells where the user has to log in to obtain a code. Checkpoints are
    /// bound to the code's e-mail address, or to the code itself if it has none.
    pub fn oauth_code(mut self, code: OauthCode) -> Self {
        self.login = Some(LoginMethod::OauthCode(code));
        self
    }

    /// No login: only [`Client::discover_auth_methods`] can be sent.
    pub fn anonymous(mut self) -> Self {
        self.login = Some(LoginMethod::Anonymous);
        self
    }

    /// Another base URL, such as an installation's own, with or without a path prefix.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.options.base_url = url.into();
        self
    }

    client_options!();

    /// Builds the client. Nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the base URL, a credential or a setting cannot
    /// be used, or there is no credential.
    pub fn build(self) -> Result<Client> {
        let api = Arc::new(ApiClient::new(NAME, &self.options)?);
        let login = api.context(checked(self.login))?;
        let session = Session::new(Arc::clone(&api), login);
        Ok(Client::new(api, session))
    }
}

/// A login that can be used.
fn checked(login: Option<LoginMethod>) -> Result<LoginMethod> {
    Ok(match login {
        Some(LoginMethod::Password { email, password }) => {
            let email = email.trim().to_owned();
            if email.is_empty() || email.contains(':') {
                let message = "the e-mail address is empty or holds a colon, which Basic authentication \
                               has no way to send";
                return Err(Error::config(message));
            }
            // A password is taken as it is: blanks at its ends may belong to it.
            LoginMethod::Password { email, password }
        }
        Some(LoginMethod::Token(token)) => {
            let token = credential("token", &token)
                .and_then(|token| sensitive("token", token.expose_secret()).map(|_| token));
            LoginMethod::Token(token?)
        }
        Some(LoginMethod::OauthCode(mut code)) => {
            if code.idp_id.trim().is_empty() {
                let message = "the identity provider's id is empty; expected an idp_id as discovered";
                return Err(Error::config(message));
            }
            code.code = credential("authorization code", &code.code)?;
            LoginMethod::OauthCode(code)
        }
        Some(LoginMethod::Anonymous) => LoginMethod::Anonymous,
        None => {
            let message = "no credential: call password(), token() or oauth_code(), or anonymous() to go \
                           without";
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
