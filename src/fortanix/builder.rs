use std::{fmt, sync::Arc};

use secrecy::{ExposeSecret, SecretString};

use super::{Client, NAME, OauthCode, login::Login, session::Session};
use crate::{
    Error, Result,
    auth::{credential, sensitive},
    http::{Channel, Settings, shared_settings},
};

const BASE_URL: &str = "https://ccm.fortanix.com";

/// Builds a [`Client`].
#[derive(Clone)]
#[must_use = "a builder does nothing until build() is called"]
pub struct ClientBuilder {
    settings: Settings,
    login: Option<Login>,
}

impl ClientBuilder {
    pub(super) fn new() -> Self {
        Self { settings: Settings::new(BASE_URL), login: None }
    }

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

    /// A login at an identity provider. The code is used for one login, with the first request; then the
    /// session is kept alive by what requests there are. When it ends, requests fail with
    /// [`ErrorKind::Auth`](crate::ErrorKind::Auth): a code is good only once. To keep it alive where there are
    /// no requests, use [`Client::refresh_session`] before
    /// [`session_token_expires_at`](super::SessionInfo::session_token_expires_at).
    ///
    /// [`Client::discover_auth_methods`] tells where the user has to log in to obtain a code. Checkpoints are
    /// bound to the code's e-mail address, or to the code itself if it has none.
    pub fn oauth_code(mut self, code: OauthCode) -> Self {
        self.login = Some(Login::OauthCode(code));
        self
    }

    /// No login: only [`Client::discover_auth_methods`] can be sent.
    pub fn anonymous(mut self) -> Self {
        self.login = Some(Login::Anonymous);
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
            Some(Login::OauthCode(mut code)) => {
                if code.idp_id.trim().is_empty() {
                    let message = "the identity provider's id is empty; expected an idp_id as discovered";
                    return Err(Error::config(message).with_provider(NAME));
                }
                code.code = credential("authorization code", &code.code)
                    .map_err(|error| error.with_provider(NAME))?;
                Login::OauthCode(code)
            }
            Some(Login::Anonymous) => Login::Anonymous,
            None => {
                let message = "no credential: call password(), token() or oauth_code(), or anonymous() to go \
                               without";
                return Err(Error::config(message).with_provider(NAME));
            }
        };
        let channel = Arc::new(Channel::open(NAME, &self.settings)?);
        let session = Session::new(Arc::clone(&channel), login);
        Ok(Client::new(channel, session))
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let login = match &self.login {
            Some(Login::Password { .. }) => "password",
            Some(Login::Token(_)) => "token",
            Some(Login::OauthCode(_)) => "authorization code",
            Some(Login::Anonymous) => "anonymous",
            None => "none",
        };
        f.debug_struct("ClientBuilder")
            .field("settings", &self.settings)
            .field("login", &login)
            .finish_non_exhaustive()
    }
}
