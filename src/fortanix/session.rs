use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::Request;
use secrecy::SecretString;
use uuid::Uuid;

use super::{
    NAME, error,
    login::{self, Login, Opened, SessionInfo},
    selection::{Lack, Made, Selection},
    source::Source,
    turn::Turn,
};
use crate::{
    Error, ErrorKind, Result,
    auth::{Token, TokenCache},
    http::{Answer, Call, Channel, Problem, Service, read_nothing},
};

/// A user's session: logs in, keeps the session alive, logs in again, and selects the account again.
///
/// The server tells two ends: of the token, which a refresh moves, and of the session, which nothing
/// moves. Both are assumed to be seconds since 1970.
#[derive(Clone)]
pub(super) struct Session {
    source: Arc<Source>,
    tokens: Arc<TokenCache<Opened>>,
    selection: Arc<Mutex<Selection>>,
    /// Taken by the requests about the session itself: the last that is begun is the last that is carried out.
    turn: Turn,
}

impl Session {
    pub(super) fn new(channel: Arc<Channel>, login: Login) -> Self {
        Self {
            source: Arc::new(Source::new(channel, login)),
            tokens: Arc::default(),
            selection: Arc::default(),
            turn: Turn::default(),
        }
    }

    /// What tells one user from another.
    pub(super) fn user(&self) -> &str {
        self.source.user()
    }

    pub(super) fn channel(&self) -> &Channel {
        self.source.channel()
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
        let session = self.clone();
        self.in_turn(async move { session.settled().await }).await
    }

    /// The same, for who has the turn.
    pub(super) async fn settled(&self) -> Result<Arc<Token<Opened>>> {
        let mut token = self.token().await?;
        let lack = self.selection().lack(token.generation);
        match lack {
            Some(Lack::Trust) => token = self.confirmed(token).await?,
            Some(Lack::Certainty) if self.source.is_replaceable() => {
                self.tokens.refused(token.generation).await;
                token = self.token().await?;
            }
            _ => {}
        }
        let lack = self.selection().lack(token.generation);
        match lack {
            Some(Lack::Selection(id)) => {
                let entered = self.enter(id, &login::unlimited(login::select(id))).await;
                entered.map(|(token, _)| token).map_err(unselectable)
            }
            Some(Lack::Trust | Lack::Certainty) | None => Ok(token),
        }
    }

    /// Does `work` when no other that may select an account is under way.
    pub(super) async fn in_turn<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        self.turn.take(work).await
    }

    /// This token, which was refused once, if it is taken by now.
    async fn confirmed(&self, token: Arc<Token<Opened>>) -> Result<Arc<Token<Opened>>> {
        match self.source.refresh(&token.value.token, login::refresh().repeatable()).await {
            Ok(kept) => {
                self.selection().trust(token.generation);
                Ok(self.tokens.renewed(token.generation, kept).await)
            }
            Err(error) if matches!(error.status(), Some(401 | 403)) => {
                self.tokens.refused(token.generation).await;
                self.token().await
            }
            Err(error) => Err(error),
        }
    }

    /// The token of this generation was refused. One refusal may be a mistake: where no other token can be had, it
    /// is not dropped for that.
    async fn doubt(&self, generation: u64) {
        match self.source.login() {
            Login::OauthCode(_) => self.selection().doubted = generation,
            _ => self.tokens.refused(generation).await,
        }
    }

    /// What is told of the session, which is begun if there is none.
    pub(super) async fn info(&self) -> Result<SessionInfo> {
        // A token that was given may be over: only the server can tell.
        if !matches!(self.source.login(), Login::Token(_))
            && let Some(info) = &self.ready().await?.value.info
        {
            return Ok(info.clone());
        }
        self.refresh().await
    }

    /// Moves the end of the token.
    pub(super) async fn refresh(&self) -> Result<SessionInfo> {
        let session = self.clone();
        let refresh = async move {
            let (_, info) = session.ask(&login::refresh().repeatable(), |_| ()).await?;
            // It may have taken another session.
            let token = session.settled().await?;
            Ok(token.value.info.clone().unwrap_or(info))
        };
        self.in_turn(refresh).await
    }

    /// Selects an account, for this session and those after it.
    pub(super) async fn select(&self, id: Uuid) -> Result<SessionInfo> {
        let session = self.clone();
        let select = async move {
            let (_, info) = session.enter(id, &login::select(id)).await?;
            session.selection().wanted = Some(id);
            Ok(info)
        };
        self.in_turn(select).await
    }

    /// Ends the session, if there is one.
    pub(super) async fn terminate(&self) -> Result<()> {
        let session = self.clone();
        self.in_turn(async move { session.end().await }).await
    }

    /// What the server knows of secrets, whatever request it is asked in.
    pub(super) async fn known(&self) -> Vec<SecretString> {
        let token = self.tokens.current().await.map(|token| token.value.token.clone());
        self.source.login().secrets().into_iter().chain(token).collect()
    }

    /// The account that was asked for.
    pub(super) fn selected(&self) -> Option<Uuid> {
        self.selection().wanted
    }

    /// The id of the user, as the server told it last.
    pub(super) async fn subject(&self) -> Option<Uuid> {
        self.tokens.current().await?.value.info.as_ref()?.subject_id
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
        let mut again = self.source.is_replaceable();
        loop {
            let token = self.token().await?;
            begins(token.generation);
            let secret = &token.value.token;
            match self.source.send(secret, call.clone(), login::read_info).await {
                Ok(info) => {
                    self.selection().trust(token.generation);
                    let opened = Opened { token: secret.clone(), info: Some(info.clone()) };
                    let fresh = opened.fresh(self.channel());
                    return Ok((self.tokens.renewed(token.generation, fresh).await, info));
                }
                Err(error) if error.status() == Some(401) => {
                    self.doubt(token.generation).await;
                    if !std::mem::take(&mut again) {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Ends the session, for who has the turn.
    async fn end(&self) -> Result<()> {
        let token = match self.source.login() {
            Login::Token(_) => Some(self.token().await?),
            _ => self.tokens.current().await,
        };
        if let Some(token) = token {
            let call = login::post(login::TERMINATE).repeatable();
            match self.source.send(&token.value.token, call, read_nothing).await {
                // What is refused is over.
                Err(error) if error.kind() != ErrorKind::Auth => return Err(error),
                _ => self.tokens.refused(token.generation).await,
            }
        }
        self.selection().wanted = None;
        Ok(())
    }

    fn selection(&self) -> MutexGuard<'_, Selection> {
        self.selection.lock().unwrap_or_else(PoisonError::into_inner)
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

    async fn refused(&self, token: &Arc<Token<Opened>>) -> bool {
        self.doubt(token.generation).await;
        self.source.is_replaceable()
    }

    fn secrets(&self, _: &Arc<Token<Opened>>) -> Vec<SecretString> {
        self.source.login().secrets()
    }

    fn problem(&self, answer: &Answer) -> Problem {
        error::read(answer)
    }
}
