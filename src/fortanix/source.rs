use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use secrecy::{ExposeSecret, SecretString};

use super::login::{self, Login, Opened, Proof};
use crate::{
    Error, ErrorKind, Result, Retry,
    auth::{Fresh, Renewed, Token},
    http::{Answer, Call, Channel},
};

/// What sessions are made from.
pub(super) struct Source {
    channel: Arc<Channel>,
    login: Login,
    /// Whether the authorization code was, or may have been, used.
    spent: AtomicBool,
}

impl Source {
    pub(super) fn new(channel: Arc<Channel>, login: Login) -> Self {
        Self { channel, login, spent: AtomicBool::new(false) }
    }

    pub(super) fn channel(&self) -> &Channel {
        &self.channel
    }

    pub(super) fn login(&self) -> &Login {
        &self.login
    }

    /// What tells one user from another.
    pub(super) fn user(&self) -> &str {
        match &self.login {
            Login::Password { email, .. } => email,
            Login::Token(token) => token.expose_secret(),
            Login::OauthCode(code) => code.email.as_deref().unwrap_or_else(|| code.code.expose_secret()),
            Login::Anonymous => "",
        }
    }

    /// Whether a session that is over can be replaced by another: not so for a token that was given, or that a
    /// code was spent for.
    pub(super) fn is_replaceable(&self) -> bool {
        matches!(self.login, Login::Password { .. })
    }

    /// Sends a request about the session that has this token.
    pub(super) async fn send<T>(
        &self,
        token: &SecretString,
        mut call: Call,
        read: impl Fn(&Answer) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        call.secrets = self.login.secrets();
        self.channel.send(&Proof::Bearer(token), Ok(call), read).await
    }

    /// Moves the end of the token; the token stays the same.
    pub(super) async fn refresh(&self, token: &SecretString, call: Call) -> Result<Fresh<Opened>> {
        let info = self.send(token, login::unlimited(call), login::read_info).await?;
        Ok(Opened { token: token.clone(), info: Some(info) }.fresh(&self.channel))
    }

    /// Opens a session, or keeps `old` alive.
    pub(super) async fn open(&self, old: Option<Arc<Token<Opened>>>) -> Result<Renewed<Opened>> {
        let channel = &self.channel;
        match &self.login {
            Login::Anonymous => Err(Error::config(
                "the client is anonymous, and this request needs a user: build one with password(), token() \
                 or oauth_code()",
            )),
            // Its end is not known: it is good until it is refused.
            Login::Token(token) => Ok(Opened { token: token.clone(), info: None }.fresh(channel).into()),
            Login::Password { email, password } => {
                // A login can follow: no time is spent on a second try.
                if let Some(old) = old
                    && let Ok(kept) = self.refresh(&old.value.token, login::refresh()).await
                    // Otherwise it can not be kept alive any longer.
                    && kept.lifetime.is_some()
                {
                    return Ok(Renewed::Same(kept));
                }
                Ok(login::by_password(channel, email, password).await?.fresh(channel).into())
            }
            Login::OauthCode(code) => {
                if let Some(old) = old {
                    match self.refresh(&old.value.token, login::refresh().repeatable()).await {
                        Ok(kept) => return Ok(Renewed::Same(kept)),
                        // The session is over.
                        Err(error) if matches!(error.status(), Some(401 | 403)) => {}
                        Err(error) => return Err(error),
                    }
                }
                // Before it is sent: who asked for it may go away.
                if self.spent.swap(true, Ordering::SeqCst) {
                    let message = "there is no session, and the authorization code has been used: log in with \
                                   a new one";
                    return Err(Error::new(ErrorKind::Auth, message));
                }
                let opened = login::by_code(channel, code).await.inspect_err(|error| {
                    // So is an error told of what surely was not carried out.
                    let unused = matches!(error.retry(), Retry::Safe | Retry::Exhausted);
                    self.spent.store(!unused, Ordering::SeqCst);
                })?;
                Ok(opened.fresh(channel).into())
            }
        }
    }
}
