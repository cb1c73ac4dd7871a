use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use bytes::Bytes;
use http::Request;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::{
    NAME, error,
    login::{self, Login, Opened, Proof, SessionInfo},
};
use crate::{
    Error, ErrorKind, Result, Retry,
    auth::{Fresh, Token, TokenCache},
    http::{Answer, Channel, Problem, Service, read_nothing},
};

/// A user's session: logs in, keeps the session alive, logs in again.
///
/// The server tells two ends: of the token, which a refresh moves, and of the session, which nothing
/// moves. Both are assumed to be seconds since 1970.
pub(super) struct Session {
    source: Arc<Source>,
    tokens: Arc<TokenCache<Opened>>,
}

/// What sessions are made from.
struct Source {
    channel: Arc<Channel>,
    login: Login,
    /// The account that was selected: a new login selects it again.
    selected: Mutex<Option<Uuid>>,
    /// Whether the authorization code was, or may have been, used.
    spent: AtomicBool,
}

impl Session {
    pub(super) fn new(channel: Arc<Channel>, login: Login) -> Self {
        let source = Source { channel, login, selected: Mutex::default(), spent: AtomicBool::new(false) };
        Self { source: Arc::new(source), tokens: Arc::default() }
    }

    /// What tells one user from another.
    pub(super) fn user(&self) -> &str {
        match &self.source.login {
            Login::Password { email, .. } => email,
            Login::Token(token) => token.expose_secret(),
            Login::OauthCode(code) => code.email.as_deref().unwrap_or_else(|| code.code.expose_secret()),
            Login::Anonymous => "",
        }
    }

    async fn token(&self) -> Result<Arc<Token<Opened>>> {
        let source = Arc::clone(&self.source);
        self.tokens.get(move |old| async move { source.open(old).await }).await
    }

    /// What is told of the session, which is begun if there is none.
    pub(super) async fn info(&self) -> Result<SessionInfo> {
        let token = self.token().await.map_err(|error| error.with_provider(NAME))?;
        match &token.value.info {
            Some(info) => Ok(info.clone()),
            None => self.refresh().await,
        }
    }

    /// Moves the end of the token.
    pub(super) async fn refresh(&self) -> Result<SessionInfo> {
        self.ask(login::REFRESH.to_owned()).await
    }

    /// Selects an account, for this session and those after it.
    pub(super) async fn select(&self, id: Uuid) -> Result<SessionInfo> {
        let choice = Choice::make(&self.source, id);
        let info = self.select_chosen(id).await.map_err(|error| match error.status() {
            // Also where it was a login on the way that failed to select it: here it is what was asked for.
            Some(404) => error.into_kind(ErrorKind::NotFound),
            Some(403) => error.into_kind(ErrorKind::Denied),
            _ => error,
        })?;
        choice.keep();
        Ok(info)
    }

    async fn select_chosen(&self, id: Uuid) -> Result<SessionInfo> {
        let before = self.tokens.current().map(|token| token.generation);
        let token = self.token().await.map_err(|error| error.with_provider(NAME))?;
        match &token.value.info {
            // A login on the way has selected it already.
            Some(info) if before != Some(token.generation) && info.selected_account_id == Some(id) => {
                Ok(info.clone())
            }
            _ => self.ask(login::select_path(id)).await,
        }
    }

    /// No session selects this account any more.
    pub(super) fn forget(&self, id: Uuid) {
        self.source.selected().take_if(|selected| *selected == id);
    }

    /// Sends a request about the session itself, which does no more when it is sent twice, and remembers what
    /// is told of the session.
    async fn ask(&self, path: String) -> Result<SessionInfo> {
        let token = self.token().await.map_err(|error| error.with_provider(NAME))?;
        let channel = &self.source.channel;
        let info = channel.send(self, &login::post(path).repeatable(), login::read_info).await?;
        let opened = Opened { token: token.value.token.clone(), info: Some(info.clone()) };
        // Not for a session that was begun in between.
        self.tokens.renewed(token.generation, opened.fresh(channel));
        Ok(info)
    }

    /// Ends the session, if there is one.
    pub(super) async fn terminate(&self) -> Result<()> {
        let token = match &self.source.login {
            Login::Token(_) => Some(self.token().await?),
            _ => self.tokens.current(),
        };
        if let Some(token) = token {
            let call = login::post(login::TERMINATE).repeatable();
            let proof = Proof::Bearer(&token.value.token);
            match self.source.channel.send(&proof, &call, read_nothing).await {
                // What is refused is over.
                Err(error) if error.kind() != ErrorKind::Auth => return Err(error),
                _ => self.tokens.refused(token.generation),
            }
        }
        *self.source.selected() = None;
        Ok(())
    }
}

impl Source {
    /// Opens a session, or keeps `old` alive.
    async fn open(&self, old: Option<Arc<Token<Opened>>>) -> Result<Fresh<Opened>> {
        match &self.login {
            Login::Anonymous => Err(Error::config(
                "the client is anonymous, and this request needs a user: build one with password(), token() \
                 or oauth_code()",
            )),
            // Its end is not known: it is good until it is refused.
            Login::Token(token) => Ok(Opened { token: token.clone(), info: None }.fresh(&self.channel)),
            Login::Password { email, password } => {
                if let Some(kept) = self.keep(old).await {
                    return Ok(kept);
                }
                let mut opened = login::by_password(&self.channel, email, password).await?;
                let selected = *self.selected();
                if let Some(id) = selected {
                    let info = login::select(&self.channel, &opened.token, id).await.map_err(unselectable)?;
                    opened.info = Some(info);
                }
                Ok(opened.fresh(&self.channel))
            }
            Login::OauthCode(code) => {
                if let Some(kept) = self.keep(old).await {
                    return Ok(kept);
                }
                // Before it is sent: who asked for it may go away.
                if self.spent.swap(true, Ordering::SeqCst) {
                    let message = "there is no session, and the authorization code has been used: log in with \
                                   a new one";
                    return Err(Error::new(ErrorKind::Auth, message));
                }
                let opened = login::by_code(&self.channel, code).await.inspect_err(|error| {
                    // So is an error told of what surely was not carried out.
                    let unused = matches!(error.retry(), Retry::Safe | Retry::Exhausted);
                    self.spent.store(!unused, Ordering::SeqCst);
                })?;
                Ok(opened.fresh(&self.channel))
            }
        }
    }

    async fn keep(&self, old: Option<Arc<Token<Opened>>>) -> Option<Fresh<Opened>> {
        login::refresh(&self.channel, &old?.value.token).await.ok()
    }

    fn selected(&self) -> MutexGuard<'_, Option<Uuid>> {
        self.selected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// It is not what was asked for that is missing or denied, but a session to ask in.
fn unselectable(error: Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::Denied => error.into_kind(ErrorKind::Auth),
        _ => error,
    }
}

/// An account being selected: remembered from the start, so that a login on the way selects it too, and
/// taken back unless it is kept.
struct Choice<'a> {
    source: &'a Source,
    id: Uuid,
    before: Option<Uuid>,
}

impl<'a> Choice<'a> {
    fn make(source: &'a Source, id: Uuid) -> Self {
        let before = source.selected().replace(id);
        Self { source, id, before }
    }

    fn keep(mut self) {
        self.before = Some(self.id);
    }
}

impl Drop for Choice<'_> {
    fn drop(&mut self) {
        let mut selected = self.source.selected();
        if *selected == Some(self.id) {
            *selected = self.before;
        }
    }
}

impl Service for Session {
    type Permit = Arc<Token<Opened>>;

    async fn permit(&self) -> Result<Arc<Token<Opened>>> {
        self.token().await
    }

    fn authorise(&self, token: &Arc<Token<Opened>>, request: &mut Request<Bytes>) -> Result<()> {
        login::bear(request, &token.value.token)
    }

    fn refused(&self, token: &Arc<Token<Opened>>) -> bool {
        // A token that was given, or that a code was spent for, can not be replaced by another.
        let replaceable = matches!(self.source.login, Login::Password { .. });
        if replaceable {
            self.tokens.refused(token.generation);
        }
        replaceable
    }

    fn secrets(&self, _: &Arc<Token<Opened>>) -> Vec<SecretString> {
        match &self.source.login {
            Login::Password { password, .. } => vec![password.clone()],
            Login::OauthCode(login) => vec![login.code.clone()],
            Login::Token(_) | Login::Anonymous => Vec::new(),
        }
    }

    fn problem(&self, answer: &Answer) -> Problem {
        error::read(answer)
    }
}
