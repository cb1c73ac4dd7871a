use std::{fmt, sync::Arc};

use secrecy::{ExposeSecret, SecretString};

use super::{
    ListAccounts, NAME,
    session::{Login, Session},
};
use crate::{
    Error, Result,
    auth::{Environment, credential, sensitive},
    http::{Channel, Service, Settings, shared_settings},
};

const BASE_URL: &str = "https://ccm.fortanix.com";

/// A client of Fortanix Confidential Computing Manager. Cheap to clone; clones share connections, limits
/// and the session.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    channel: Arc<Channel>,
    session: Session,
}

impl Client {
    /// A client at `https://ccm.fortanix.com`. Give it a [`password`](ClientBuilder::password) or a
    /// [`token`](ClientBuilder::token).
    pub fn builder() -> ClientBuilder {
        ClientBuilder { settings: Settings::new(BASE_URL), login: None }
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
        let env = Environment::of(NAME);
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
    pub fn list_accounts(&self) -> ListAccounts {
        ListAccounts::new(self.clone())
    }

    pub(super) fn channel(&self) -> &Channel {
        &self.0.channel
    }

    /// Whose accounts are listed: for checkpoints, which keep a digest of it only.
    pub(super) fn user(&self) -> &str {
        self.0.session.user()
    }

    pub(super) fn service(&self) -> &impl Service {
        &self.0.session
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base_url", &self.0.channel.base_url()).finish_non_exhaustive()
    }
}

/// Builds a [`Client`].
#[derive(Clone)]
#[must_use = "a builder does nothing until build() is called"]
pub struct ClientBuilder {
    settings: Settings,
    login: Option<Login>,
}

impl ClientBuilder {
    /// The user to log in as. The login happens with the first request; the session is kept alive, and
    /// begun anew when it ends or is refused.
    pub fn password(mut self, email: impl Into<String>, password: impl Into<SecretString>) -> Self {
        self.login = Some(Login::Password { email: email.into(), password: password.into() });
        self
    }

    /// A token that was obtained elsewhere. When it ends, requests fail with
    /// [`ErrorKind::Auth`](crate::ErrorKind::Auth). Whose it is, it does not tell: checkpoints are bound to
    /// the token itself.
    pub fn token(mut self, token: impl Into<SecretString>) -> Self {
        self.login = Some(Login::Token(token.into()));
        self
    }

    /// Another base URL, such as an installation's own, with or without a path prefix.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.settings.base_url = url.into();
        self
    }

    shared_settings!();

    /// Builds the client. Nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the base URL, a credential or a setting can not
    /// be used, or there is no credential.
    pub fn build(self) -> Result<Client> {
        let login = match self.login {
            Some(Login::Password { email, password }) => {
                let email = email.trim().to_owned();
                if email.is_empty() || email.contains(':') {
                    let message = "the e-mail address is empty or holds a colon, which Basic authentication \
                                   has no way to send";
                    return Err(Error::config(message).with_provider(NAME));
                }
                // A password is taken as it is: blanks at its ends may belong to it.
                Login::Password { email, password }
            }
            Some(Login::Token(token)) => {
                let token = credential("token", &token)
                    .and_then(|token| sensitive("token", token.expose_secret()).map(|_| token));
                Login::Token(token.map_err(|error| error.with_provider(NAME))?)
            }
            None => {
                return Err(Error::config("no credential: call password() or token()").with_provider(NAME));
            }
        };
        let channel = Arc::new(Channel::open(NAME, &self.settings)?);
        let session = Session::new(Arc::clone(&channel), login);
        Ok(Client(Arc::new(Inner { channel, session })))
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let login = match &self.login {
            Some(Login::Password { .. }) => "password",
            Some(Login::Token(_)) => "token",
            None => "none",
        };
        f.debug_struct("ClientBuilder")
            .field("settings", &self.settings)
            .field("login", &login)
            .finish_non_exhaustive()
    }
}
