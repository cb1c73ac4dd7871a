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
    selection::{Lack, Made, Selection},
};
use crate::{
    Error, ErrorKind, Result, Retry,
    auth::{Renewed, Token, TokenCache},
    http::{Answer, Call, Channel, Problem, Service, read_nothing},
};

/// A user's session: logs in, keeps the session alive, logs in again, and selects the account again.
///
/// The server tells two ends: of the token, which a refresh moves, and of the session, which nothing
/// moves. Both are assumed to be seconds since 1970.
pub(super) struct Session {
    source: Arc<Source>,
    tokens: Arc<TokenCache<Opened>>,
    selection: Mutex<Selection>,
    /// Held by the requests about the session itself: the last that is begun is the last that is carried out.
    turn: tokio::sync::Mutex<()>,
}

/// What sessions are made from.
struct Source {
    channel: Arc<Channel>,
    login: Login,
    /// Whether the authorization code was, or may have been, used.
    spent: AtomicBool,
}

impl Session {
    pub(super) fn new(channel: Arc<Channel>, login: Login) -> Self {
        let source = Source { channel, login, spent: AtomicBool::new(false) };
        Self {
            source: Arc::new(source),
            tokens: Arc::default(),
            selection: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
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

    /// The token of a session, whatever account is selected in it.
    async fn token(&self) -> Result<Arc<Token<Opened>>> {
        let source = Arc::clone(&self.source);
        let token = self.tokens.get(move |old| async move { source.open(old).await });
        token.await.map_err(|error| error.with_provider(NAME))
    }

    /// The token of a session that works on the account that was asked for.
    async fn ready(&self) -> Result<Arc<Token<Opened>>> {
        let token = self.token().await?;
        if self.selection().lack(token.generation).is_none() {
            return Ok(token);
        }
        let _turn = self.turn.lock().await;
        self.settled().await
    }

    /// The same, for who has the turn.
    async fn settled(&self) -> Result<Arc<Token<Opened>>> {
        let mut token = self.token().await?;
        let lack = self.selection().lack(token.generation);
        if lack == Some(Lack::Certainty) && self.source.is_replaceable() {
            self.tokens.refused(token.generation);
            token = self.token().await?;
        }
        let lack = self.selection().lack(token.generation);
        match lack {
            Some(Lack::Selection(id)) => {
                let entered = self.enter(id, &login::unlimited(login::select(id))).await;
                entered.map(|(token, _)| token).map_err(unselectable)
            }
            Some(Lack::Certainty) | None => Ok(token),
        }
    }

    /// What is told of the session, which is begun if there is none.
    pub(super) async fn info(&self) -> Result<SessionInfo> {
        // A token that was given may be over: only the server can tell.
        if !matches!(self.source.login, Login::Token(_))
            && let Some(info) = &self.ready().await?.value.info
        {
            return Ok(info.clone());
        }
        self.refresh().await
    }

    /// Moves the end of the token.
    pub(super) async fn refresh(&self) -> Result<SessionInfo> {
        let _turn = self.turn.lock().await;
        let (_, info) = self.ask(&login::post(login::REFRESH).repeatable(), |_| ()).await?;
        // It may have taken another session.
        let token = self.settled().await?;
        Ok(token.value.info.clone().unwrap_or(info))
    }

    /// Selects an account, for this session and those after it.
    pub(super) async fn select(&self, id: Uuid) -> Result<SessionInfo> {
        let _turn = self.turn.lock().await;
        let (_, info) = self.enter(id, &login::select(id)).await?;
        self.selection().wanted = Some(id);
        Ok(info)
    }

    /// The account that was asked for.
    pub(super) fn selected(&self) -> Option<Uuid> {
        self.selection().wanted
    }

    /// The id of the user, as the server told it last.
    pub(super) fn subject(&self) -> Option<Uuid> {
        self.tokens.current()?.value.info.as_ref()?.subject_id
    }

    /// No session selects this account any more.
    pub(super) fn forget(&self, id: Uuid) {
        self.selection().wanted.take_if(|wanted| *wanted == id);
    }

    /// Selects an account in the session, for who has the turn.
    async fn enter(&self, id: Uuid, call: &Call) -> Result<(Arc<Token<Opened>>, SessionInfo)> {
        let mut before = Made::default();
        let entering = |generation| {
            let made = Made { generation, account: None };
            before = std::mem::replace(&mut self.selection().made, made);
        };
        match self.ask(call, entering).await {
            Ok((token, info)) => {
                self.selection().made = Made { generation: token.generation, account: Some(id) };
                Ok((token, info))
            }
            Err(error) => {
                if matches!(error.status(), Some(400 | 403 | 404)) {
                    self.selection().made = before;
                }
                Err(error)
            }
        }
    }

    /// Sends a request about the session itself, which does no more when it is sent twice, in another session if
    /// this one is over. Remembers what is told of the session. `begins` is told the generation of each token
    /// that it is sent with.
    async fn ask(
        &self,
        call: &Call,
        mut begins: impl FnMut(u64),
    ) -> Result<(Arc<Token<Opened>>, SessionInfo)> {
        let channel = &self.source.channel;
        let mut again = self.source.is_replaceable();
        loop {
            let token = self.token().await?;
            begins(token.generation);
            let secret = &token.value.token;
            match channel.send(&Proof::Bearer(secret), call, login::read_info).await {
                Ok(info) => {
                    let opened = Opened { token: secret.clone(), info: Some(info.clone()) };
                    return Ok((self.tokens.renewed(token.generation, opened.fresh(channel)), info));
                }
                Err(error) if error.status() == Some(401) => {
                    self.tokens.refused(token.generation);
                    if !std::mem::take(&mut again) {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Ends the session, if there is one.
    pub(super) async fn terminate(&self) -> Result<()> {
        let _turn = self.turn.lock().await;
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
        self.selection().wanted = None;
        Ok(())
    }

    fn selection(&self) -> MutexGuard<'_, Selection> {
        self.selection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source {
    /// Whether a session that is over can be replaced by another: not so for a token that was given, or that a
    /// code was spent for.
    fn is_replaceable(&self) -> bool {
        matches!(self.login, Login::Password { .. })
    }

    /// Opens a session, or keeps `old` alive.
    async fn open(&self, old: Option<Arc<Token<Opened>>>) -> Result<Renewed<Opened>> {
        let channel = &self.channel;
        match &self.login {
            Login::Anonymous => Err(Error::config(
                "the client is anonymous, and this request needs a user: build one with password(), token() \
                 or oauth_code()",
            )),
            // Its end is not known: it is good until it is refused.
            Login::Token(token) => Ok(Opened { token: token.clone(), info: None }.fresh(channel).into()),
            Login::Password { email, password } => {
                if let Some(old) = old
                    && let Ok(kept) = login::refresh(channel, &old.value.token).await
                    // Otherwise it can not be kept alive any longer.
                    && kept.lifetime.is_some()
                {
                    return Ok(Renewed::Same(kept));
                }
                Ok(login::by_password(channel, email, password).await?.fresh(channel).into())
            }
            Login::OauthCode(code) => {
                if let Some(old) = old {
                    match login::refresh(channel, &old.value.token).await {
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

/// It is not what was asked for that is missing or denied, but a session to ask in.
fn unselectable(error: Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::Denied => error.into_kind(ErrorKind::Auth),
        _ => error,
    }
}

impl Service for Session {
    type Permit = Arc<Token<Opened>>;

    async fn permit(&self) -> Result<Arc<Token<Opened>>> {
        self.ready().await
    }

    fn authorise(&self, token: &Arc<Token<Opened>>, request: &mut Request<Bytes>) -> Result<()> {
        login::bear(request, &token.value.token)
    }

    fn refused(&self, token: &Arc<Token<Opened>>) -> bool {
        self.tokens.refused(token.generation);
        self.source.is_replaceable()
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
