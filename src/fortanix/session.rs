//! The session of a client: it logs in, keeps the session alive, logs in again where it can, and selects the account
//! that the client works on.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, UNIX_EPOCH},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{HeaderName, HeaderValue, Method, Request, header};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{NAME, auth_config::expose, error};
use crate::{
    Error, ErrorKind, Result, Retryability,
    auth::{NewToken, Refresh, Token, TokenCache, sensitive},
    http::{ApiClient, ApiRequest, ApiResponse, Auth, ErrorResponse, NoAuth, expect_empty, read_object},
};

/// The header that the reference names; clients in the wild send `Authorization`.
const AUTHENTICATION: HeaderName = HeaderName::from_static("authentication");
const LOGIN: &str = "/v1/sys/auth";
const REFRESH: &str = "/v1/sys/session/refresh";
const TERMINATE: &str = "/v1/sys/session/terminate";
const SELECT: &str = "/v1/sys/session/select_account";

/// How a client proves who it is.
#[derive(Clone)]
pub(super) enum LoginMethod {
    Password { email: String, password: SecretString },
    Token(SecretString),
    OauthCode(OauthCode),
    Anonymous,
}

impl LoginMethod {
    /// What a server may know from another request, and repeat in its errors.
    fn secrets(&self) -> Vec<SecretString> {
        match self {
            Self::Password { password, .. } => vec![password.clone()],
            Self::Token(token) => vec![token.clone()],
            Self::OauthCode(login) => vec![login.code.clone()],
            Self::Anonymous => Vec::new(),
        }
    }
}

/// A login at an identity provider, which the provider has answered with an authorization code.
///
/// The code is good for one login. See [`ClientBuilder::oauth_code`](super::ClientBuilder::oauth_code).
#[derive(Clone, Debug)]
pub struct OauthCode {
    pub(super) idp_id: String,
    pub(super) code: SecretString,
    pub(super) email: Option<String>,
}

impl OauthCode {
    /// The identity provider's id, in base64 as
    /// [`OauthAuthCodeGrant::idp_id`](super::OauthAuthCodeGrant::idp_id) tells it, and the code.
    pub fn new(idp_id: impl Into<String>, code: impl Into<SecretString>) -> Self {
        Self { idp_id: idp_id.into(), code: code.into(), email: None }
    }

    /// The user's e-mail address. Older servers require it.
    pub fn email(mut self, email: impl Into<String>) -> Self {
        self.email = Some(email.into());
        self
    }
}

/// What the server tells of a session.
///
/// The moments are assumed to be seconds since 1970, as other objects of the same API say of theirs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct SessionInfo {
    /// The id of the user whose session it is.
    pub subject_id: Option<Uuid>,
    /// When the session ends, refreshed or not.
    pub session_expires_at: Option<i64>,
    /// When the session's token ends, unless the session is refreshed before.
    pub session_token_expires_at: Option<i64>,
    /// The account that is worked on, if one is selected.
    pub selected_account_id: Option<Uuid>,
}

impl SessionInfo {
    /// [`session_expires_at`](Self::session_expires_at), if it is a moment.
    pub fn session_expires_at_utc(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self.session_expires_at?, 0)
    }

    /// [`session_token_expires_at`](Self::session_token_expires_at), if it is a moment.
    pub fn session_token_expires_at_utc(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self.session_token_expires_at?, 0)
    }
}

/// A session that was opened: its token, and what the server said of it.
pub(super) struct Opened {
    token: SecretString,
    info: Option<SessionInfo>,
}

impl Opened {
    /// The token lives until the earlier of the two ends, as far as the server gave them. The server has just
    /// accepted it: if an end is past, the clocks disagree, or the unit is another, and the end is not known.
    fn fresh(self, api: &ApiClient) -> NewToken<Self> {
        let ends = self.info.iter().flat_map(|info| [info.session_expires_at, info.session_token_expires_at]);
        let end = ends.flatten().filter_map(|end| u64::try_from(end).ok()).min();
        let now = api.clock().now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let left = end.map(|end| Duration::from_secs(end).saturating_sub(now));
        NewToken { lifetime: left.filter(|left| !left.is_zero()), value: self }
    }
}

/// What all clients of a token or a code share: these are one session.
#[derive(Default)]
struct Only {
    code: Code,
    /// The account that a client made by `with_account` has selected in it, or is about to.
    account: Option<Uuid>,
    /// Whether `select_account` was sent instead. Such a request may arrive late, so no account is surely selected.
    selects: bool,
}

/// What became of an authorization code.
#[derive(Default)]
enum Code {
    #[default]
    Unused,
    /// It was, or may have been, used.
    Used,
    Opened(SecretString),
}

/// The session of one client and its clones.
#[derive(Clone)]
pub(super) struct Session {
    api: Arc<ApiClient>,
    login: Arc<LoginMethod>,
    only: Arc<Mutex<Only>>,
    tokens: Arc<TokenCache<Opened>>,
    /// Selected in every session before anything else is sent in it.
    account: Option<Uuid>,
}

impl Session {
    pub(super) fn new(api: Arc<ApiClient>, login: LoginMethod) -> Self {
        Self { api, login: Arc::new(login), only: Arc::default(), tokens: Arc::default(), account: None }
    }

    /// A session of the same login, in which this account is selected.
    pub(super) fn with_account(&self, account: Uuid) -> Self {
        Self {
            api: Arc::clone(&self.api),
            login: Arc::clone(&self.login),
            only: Arc::clone(&self.only),
            tokens: Arc::default(),
            account: Some(account),
        }
    }

    /// What tells one user from another.
    pub(super) fn user(&self) -> &str {
        match &*self.login {
            LoginMethod::Password { email, .. } => email,
            LoginMethod::Token(token) => token.expose_secret(),
            LoginMethod::OauthCode(code) => {
                code.email.as_deref().unwrap_or_else(|| code.code.expose_secret())
            }
            LoginMethod::Anonymous => "",
        }
    }

    /// What the server knows of secrets, whatever request it is asked in.
    pub(super) fn known(&self) -> Vec<SecretString> {
        let token = self.tokens.current().map(|token| token.value.token.clone());
        self.login.secrets().into_iter().chain(token).collect()
    }

    fn can_log_in_again(&self) -> bool {
        matches!(*self.login, LoginMethod::Password { .. })
    }

    fn only(&self) -> MutexGuard<'_, Only> {
        self.only.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the server said of the session, which is begun if there is none.
    pub(super) async fn info(&self) -> Result<SessionInfo> {
        // A session that cannot be replaced may be over, which only the server knows.
        let is_known = self.can_log_in_again() || self.tokens.current().is_none();
        match &self.token().await?.value.info {
            Some(info) if is_known => Ok(info.clone()),
            _ => self.refresh().await,
        }
    }

    /// Moves the end of the token.
    pub(super) async fn refresh(&self) -> Result<SessionInfo> {
        self.ask(&post(REFRESH).idempotent()).await
    }

    /// Selects an account in the session that there is.
    pub(super) async fn select(&self, id: Uuid) -> Result<SessionInfo> {
        let selected = |only: &Only| match self.account.or(only.account) {
            Some(account) if account != id => Err(other_account(account)),
            account => Ok(account),
        };
        selected(&self.only())?;
        // Before that nothing is sent, and nothing can arrive late.
        self.token().await?;
        {
            let mut only = self.only();
            only.selects |= selected(&only)?.is_none() && !self.can_log_in_again();
        }
        self.ask(&select(id)).await
    }

    /// Ends the session, if there is one.
    pub(super) async fn terminate(&self) -> Result<()> {
        let token = match *self.login {
            LoginMethod::Token(_) => Some(self.token().await?),
            _ => self.tokens.current(),
        };
        let Some(token) = token else { return Ok(()) };
        match self.send(&token.value.token, post(TERMINATE).idempotent(), expect_empty).await {
            // What is refused is over.
            Err(error) if error.kind() != ErrorKind::Auth => Err(error),
            _ => {
                self.tokens.invalidate(token.generation);
                *self.only() = Only { code: Code::Used, ..Only::default() };
                Ok(())
            }
        }
    }

    /// The token of the session.
    async fn token(&self) -> Result<Arc<Token<Opened>>> {
        let session = self.clone();
        self.api.context(self.tokens.get(move |old| async move { session.open(old).await }).await)
    }

    /// Sends a request about the session, which does no more when it is sent twice: again in another session if this
    /// one is over. Remembers what the server says of it.
    async fn ask(&self, call: &ApiRequest) -> Result<SessionInfo> {
        let mut token = self.token().await?;
        let mut answered = self.send(&token.value.token, call.clone(), read_info).await;
        if answered.as_ref().is_err_and(|error| error.status() == Some(401)) && self.on_unauthorized(&token) {
            token = self.token().await?;
            answered = self.send(&token.value.token, call.clone(), read_info).await;
        }
        let info = answered?;
        let opened = Opened { token: token.value.token.clone(), info: Some(info.clone()) };
        self.tokens.extend(token.generation, opened.fresh(&self.api));
        Ok(info)
    }

    async fn send<T>(
        &self,
        token: &SecretString,
        call: ApiRequest,
        read: impl Fn(&ApiResponse) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        let call = bearer(token).map(|bearer| {
            let call = call.header(header::AUTHORIZATION, bearer.clone()).header(AUTHENTICATION, bearer);
            ApiRequest { secrets: self.login.secrets(), ..call }
        });
        self.api.send(&NoAuth(error::read), call, read).await
    }

    /// Opens a session and selects the client's account in it, or keeps the session `old` alive.
    async fn open(&self, old: Option<Arc<Token<Opened>>>) -> Result<Refresh<Opened>> {
        let old = old.map(|old| old.value.token.clone());
        let fresh = |token, info| Opened { token, info }.fresh(&self.api);
        let mut opened = match (&*self.login, old) {
            (LoginMethod::Anonymous, _) => {
                return Err(Error::config(
                    "the client is anonymous, and this request needs a user: build one with password(), token() or \
                     oauth_code()",
                ));
            }
            // Its end is not known: it is good until it is refused.
            (LoginMethod::Token(token), Some(_)) => return Ok(Refresh::Extended(fresh(token.clone(), None))),
            (LoginMethod::Token(token), None) => Opened { token: token.clone(), info: None },
            (LoginMethod::OauthCode(_), Some(token)) => {
                let info = self.send(&token, unlimited(post(REFRESH).idempotent()), read_info).await?;
                return Ok(Refresh::Extended(fresh(token, Some(info))));
            }
            (LoginMethod::OauthCode(code), None) => self.by_code(code).await?,
            (LoginMethod::Password { email, password }, old) => {
                // A login can follow: no time is spent on a second try.
                if let Some(token) = old
                    && let Ok(info) = self.send(&token, unlimited(post(REFRESH)), read_info).await
                {
                    let kept = fresh(token, Some(info));
                    // Otherwise it cannot be kept alive any longer.
                    if kept.lifetime.is_some() {
                        return Ok(Refresh::Extended(kept));
                    }
                }
                self.by_password(email, password).await?
            }
        };
        if let Some(id) = self.account {
            opened.info = Some(self.enter(id, &opened.token).await?);
        }
        Ok(opened.fresh(&self.api).into())
    }

    /// Selects the client's account in a session.
    async fn enter(&self, id: Uuid, token: &SecretString) -> Result<SessionInfo> {
        let mut is_first = false;
        if !self.can_log_in_again() {
            let mut only = self.only();
            if only.selects {
                return Err(selects());
            }
            is_first = only.account.is_none();
            let account = *only.account.get_or_insert(id);
            if account != id {
                return Err(other_account(account));
            }
        }
        self.send(token, unlimited(select(id)), read_info).await.map_err(|error| match error.kind() {
            // It is not what was asked for that is missing or denied, but a session to ask in.
            ErrorKind::NotFound | ErrorKind::PermissionDenied => {
                // Others may be working on it.
                self.only().account.take_if(|account| is_first && *account == id);
                error.into_kind(ErrorKind::Auth)
            }
            _ => error,
        })
    }

    /// `POST /v1/sys/auth` with Basic authentication. The reference does not mention Basic, and every known
    /// client uses it. Sent twice, it makes a second session, and harms nothing.
    async fn by_password(&self, email: &str, password: &SecretString) -> Result<Opened> {
        let basic = BASE64_STANDARD.encode(format!("{email}:{}", password.expose_secret()));
        let basic = sensitive("password", &format!("Basic {basic}"))?;
        let mut call = unlimited(post(LOGIN)).idempotent().header(header::AUTHORIZATION, basic);
        call.secrets = self.login.secrets();
        self.api.send(&NoAuth(error::read), Ok(call), read_login).await
    }

    /// `POST /v1/sys/auth` with an authorization code, which is not sent again where it may have been used. The session
    /// of a code that was used is asked for its end.
    async fn by_code(&self, code: &OauthCode) -> Result<Opened> {
        // Before it is sent: the future may be dropped.
        let before = std::mem::replace(&mut self.only().code, Code::Used);
        match before {
            Code::Unused => {}
            Code::Used => {
                let message =
                    "there is no session, and the authorization code has been used: log in with a new one";
                return Err(Error::new(ErrorKind::Auth, message));
            }
            Code::Opened(token) => {
                self.only().code = Code::Opened(token.clone());
                let info = self.send(&token, unlimited(post(REFRESH).idempotent()), read_info).await?;
                return Ok(Opened { token, info: Some(info) });
            }
        }
        let body = AuthRequest {
            oauth_auth_code: OauthCodeBody {
                idp_id: &code.idp_id,
                code: &code.code,
                email: code.email.as_deref(),
            },
        };
        let mut call = unlimited(ApiRequest::mutation(Method::POST, LOGIN).json(&body)?);
        call.secrets = self.login.secrets();
        let opened =
            self.api.send(&NoAuth(error::read), Ok(call), read_login).await.inspect_err(|error| {
                // These are given where it surely was not carried out.
                if matches!(error.retryability(), Retryability::Retryable | Retryability::Exhausted) {
                    self.only().code = Code::Unused;
                }
            })?;
        self.only().code = Code::Opened(opened.token.clone());
        Ok(opened)
    }
}

impl Auth for Session {
    type Credential = Arc<Token<Opened>>;

    async fn credential(&self) -> Result<Arc<Token<Opened>>> {
        self.token().await
    }

    fn apply(&self, token: &Arc<Token<Opened>>, request: &mut Request<Bytes>) -> Result<()> {
        let bearer = bearer(&token.value.token)?;
        request.headers_mut().insert(header::AUTHORIZATION, bearer.clone());
        request.headers_mut().insert(AUTHENTICATION, bearer);
        Ok(())
    }

    /// A token that cannot be replaced is kept: one refusal may be a mistake, and another is given by the server.
    fn on_unauthorized(&self, token: &Arc<Token<Opened>>) -> bool {
        if self.can_log_in_again() {
            self.tokens.invalidate(token.generation);
        }
        self.can_log_in_again()
    }

    fn secrets(&self, _: &Arc<Token<Opened>>) -> Vec<SecretString> {
        self.login.secrets()
    }

    fn parse_error(&self, response: &ApiResponse) -> ErrorResponse {
        error::read(response)
    }
}

fn other_account(account: Uuid) -> Error {
    let message = format!(
        "requests of this session are for the account {account}, which with_account() selected in it; expected that \
         account, or a client with a session of its own: a password has one for each account, a token and an \
         authorization code have one in all"
    );
    Error::config(message).with_provider(NAME)
}

fn selects() -> Error {
    let message = "select_account() has been used in this session, and an earlier selection may still arrive; expected \
                   either with_account() or select_account() in the one session of a token or an authorization code";
    Error::config(message).with_provider(NAME)
}

#[derive(Serialize)]
struct AuthRequest<'a> {
    oauth_auth_code: OauthCodeBody<'a>,
}

#[derive(Serialize)]
struct OauthCodeBody<'a> {
    idp_id: &'a str,
    #[serde(serialize_with = "expose")]
    code: &'a SecretString,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
}

#[derive(Deserialize)]
struct AuthResponse {
    access_token: Option<String>,
    session_info: Option<SessionInfo>,
}

#[derive(Deserialize)]
struct InfoResponse {
    session_info: SessionInfo,
}

/// That the answer holds a token, and not only cookies, is an assumption.
fn read_login(response: &ApiResponse) -> Result<Opened> {
    let body: AuthResponse = read_object(response, "a session with access_token")?;
    let Some(token) = body.access_token.filter(|token| !token.is_empty()) else {
        // As it will the next time: a login that is not tried again.
        return Err(Error::new(
            ErrorKind::Auth,
            "the login was taken, but its answer holds no access_token; sessions by cookie are not \
             supported: give a token instead",
        ));
    };
    Ok(Opened { token: token.into(), info: body.session_info })
}

fn read_info(response: &ApiResponse) -> Result<SessionInfo> {
    read_object::<InfoResponse>(response, "a session_info").map(|body| body.session_info)
}

fn select(id: Uuid) -> ApiRequest {
    post(format!("{SELECT}/{id}")).idempotent()
}

/// A `POST` without a body, which says that it were JSON as every known client does.
fn post(path: impl Into<String>) -> ApiRequest {
    let json = HeaderValue::from_static("application/json");
    ApiRequest::mutation(Method::POST, path).header(header::CONTENT_TYPE, json)
}

/// Waiting for a token must not wait behind the requests that need it.
fn unlimited(mut call: ApiRequest) -> ApiRequest {
    call.limited = false;
    call
}

/// The token as the value of a header.
fn bearer(token: &SecretString) -> Result<HeaderValue> {
    sensitive("token", &format!("Bearer {}", token.expose_secret()))
}

#[cfg(test)]
mod tests {
    use futures::future::BoxFuture;
    use http::{Response, StatusCode};

    use super::*;
    use crate::http::{ClientOptions, Transport, TransportError};

    const A: Uuid = Uuid::from_u128(0xA);
    const B: Uuid = Uuid::from_u128(0xB);

    /// A server with one session. It keeps the account that is selected in it.
    #[derive(Default)]
    struct Server {
        selected: Mutex<Option<Uuid>>,
        gone: Mutex<Option<Uuid>>,
    }

    impl Server {
        fn session(self: &Arc<Self>) -> Session {
            let mut options = ClientOptions::new("https://here.example");
            options.transport = Some(Arc::<Self>::clone(self));
            let api = Arc::new(ApiClient::new(NAME, &options).unwrap());
            Session::new(api, LoginMethod::Token("the token".into()))
        }
    }

    impl Transport for Server {
        fn send(
            &self,
            request: Request<Bytes>,
            _: usize,
        ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
            Box::pin(async move {
                let id = request.uri().path().rsplit('/').next().and_then(|id| id.parse().ok());
                let mut response = Response::new(Bytes::from_static(br#"{"session_info":{}}"#));
                if id.is_some() && id == *self.gone.lock().unwrap() {
                    *response.status_mut() = StatusCode::NOT_FOUND;
                } else if id.is_some() {
                    *self.selected.lock().unwrap() = id;
                }
                Ok(response)
            })
        }
    }

    #[tokio::test]
    async fn one_that_fails_releases_no_other() {
        let server = Arc::new(Server::default());
        let session = server.session();
        session.with_account(A).info().await.unwrap();
        *server.gone.lock().unwrap() = Some(A);
        assert_eq!(session.with_account(A).info().await.unwrap_err().kind(), ErrorKind::Auth);
        assert_eq!(session.with_account(B).info().await.unwrap_err().kind(), ErrorKind::Config);
        assert_eq!(*server.selected.lock().unwrap(), Some(A));
    }
}
