//! The session of a client: logs in, refreshes the session, logs in again where possible, and selects the
//! client's account.

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
    auth::{NewToken, Refresh, Token, TokenCache, bearer, sensitive},
    http::{ApiClient, ApiRequest, ApiResponse, Auth, ErrorResponse, NoAuth, expect_empty, read_object},
};

/// The header that the reference names. Known clients send `Authorization`.
const AUTHENTICATION: HeaderName = HeaderName::from_static("authentication");
const LOGIN: &str = "/v1/sys/auth";
const REFRESH: &str = "/v1/sys/session/refresh";
const TERMINATE: &str = "/v1/sys/session/terminate";
const SELECT: &str = "/v1/sys/session/select_account";

/// How a client authenticates.
#[derive(Clone)]
pub(super) enum LoginMethod {
    Password { email: String, password: SecretString },
    Token(SecretString),
    OauthCode(OauthCode),
    Anonymous,
}

impl LoginMethod {
    /// Returns the secrets that a server may have received in another request, and may echo in its errors.
    fn secrets(&self) -> Vec<SecretString> {
        match self {
            // A server can repeat the header of the login in a response to another request.
            Self::Password { email, password } => {
                vec![password.clone(), basic_credentials(email, password).into()]
            }
            Self::Token(token) => vec![token.clone()],
            Self::OauthCode(login) => vec![login.code.clone()],
            Self::Anonymous => Vec::new(),
        }
    }
}

/// An authorization code that an identity provider has issued to a user.
///
/// The code is valid for one login. See [`ClientBuilder::oauth_code`](super::ClientBuilder::oauth_code).
#[derive(Clone, Debug)]
pub struct OauthCode {
    pub(super) idp_id: String,
    pub(super) code: SecretString,
    pub(super) email: Option<String>,
}

impl OauthCode {
    /// Creates an authorization code of the identity provider with this id.
    ///
    /// The id is in base64, as in [`OauthAuthCodeGrant::idp_id`](super::OauthAuthCodeGrant::idp_id).
    pub fn new(idp_id: impl Into<String>, code: impl Into<SecretString>) -> Self {
        Self { idp_id: idp_id.into(), code: code.into(), email: None }
    }

    /// Sets the user's e-mail address. Older servers require it.
    pub fn email(mut self, email: impl Into<String>) -> Self {
        self.email = Some(email.into());
        self
    }
}

/// A session, as the server describes it.
///
/// Times are assumed to be seconds since 1970, as documented for other objects of the same API.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct SessionInfo {
    /// The id of the session's user.
    pub subject_id: Option<Uuid>,
    /// When the session expires, whether it is refreshed or not.
    pub session_expires_at: Option<i64>,
    /// When the session's token expires, unless the session is refreshed before.
    pub session_token_expires_at: Option<i64>,
    /// The id of the selected account, if one is selected.
    pub selected_account_id: Option<Uuid>,
}

impl SessionInfo {
    /// Returns [`session_expires_at`](Self::session_expires_at) as a date, if it is a valid one.
    pub fn session_expires_at_utc(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self.session_expires_at?, 0)
    }

    /// Returns [`session_token_expires_at`](Self::session_token_expires_at) as a date, if it is a valid one.
    pub fn session_token_expires_at_utc(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self.session_token_expires_at?, 0)
    }
}

/// The token of a session, and the server's description of the session.
pub(super) struct SessionToken {
    token: SecretString,
    info: Option<SessionInfo>,
}

impl SessionToken {
    /// Computes the token's lifetime: until the earlier of the two times that the server returned.
    ///
    /// The server has just accepted the token. If a time is past, the clocks disagree or the unit is another
    /// one, and the lifetime is unknown.
    fn into_new_token(self, api: &ApiClient) -> NewToken<Self> {
        let info = self.info.iter();
        let times = info.flat_map(|info| [info.session_expires_at, info.session_token_expires_at]);
        let expires_at = times.flatten().filter_map(|time| u64::try_from(time).ok()).min();
        let now = api.clock().now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let lifetime = expires_at.map(|time| Duration::from_secs(time).saturating_sub(now));
        NewToken { lifetime: lifetime.filter(|lifetime| !lifetime.is_zero()), value: self }
    }
}

/// The state that all clients of one token or one authorization code share, because these have only one
/// session.
#[derive(Default)]
struct SharedSession {
    code: CodeState,
    /// The account that a client created by `with_account` has selected in the session, or is selecting.
    account: Option<Uuid>,
    /// Whether `select_account` was sent. That request may arrive late, so it is unknown which account is
    /// selected.
    select_sent: bool,
}

/// Whether an authorization code was used.
#[derive(Default)]
enum CodeState {
    #[default]
    Unused,
    /// The code was used, or may have been.
    Used,
    /// The code was used, and this is the session's token.
    LoggedIn(SecretString),
}

/// The session of one client and its clones.
#[derive(Clone)]
pub(super) struct Session {
    api: ApiClient,
    login: Arc<LoginMethod>,
    shared: Arc<Mutex<SharedSession>>,
    tokens: Arc<TokenCache<SessionToken>>,
    /// The account that is selected in every session before anything else is sent.
    account: Option<Uuid>,
}

impl Session {
    pub(super) fn new(api: ApiClient, login: LoginMethod) -> Self {
        Self { api, login: Arc::new(login), shared: Arc::default(), tokens: Arc::default(), account: None }
    }

    /// Creates a session with the same credentials, in which this account is selected.
    pub(super) fn with_account(&self, account: Uuid) -> Self {
        Self {
            api: self.api.clone(),
            login: Arc::clone(&self.login),
            shared: Arc::clone(&self.shared),
            tokens: Arc::default(),
            account: Some(account),
        }
    }

    /// Returns a text that differs from user to user.
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

    /// Returns all secrets that the server has received, in any request.
    pub(super) fn all_secrets(&self) -> Vec<SecretString> {
        let token = self.tokens.current().map(|token| token.value.token.clone());
        self.login.secrets().into_iter().chain(token).collect()
    }

    fn can_relogin(&self) -> bool {
        matches!(*self.login, LoginMethod::Password { .. })
    }

    fn shared(&self) -> MutexGuard<'_, SharedSession> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the server's description of the session. Logs in if there is no session.
    pub(super) async fn info(&self) -> Result<SessionInfo> {
        // A session that cannot be replaced may have ended, so the server is asked.
        let is_current = self.can_relogin() || self.tokens.current().is_none();
        match &self.token().await?.value.info {
            Some(info) if is_current => Ok(info.clone()),
            _ => self.refresh().await,
        }
    }

    /// Refreshes the session, which extends the lifetime of its token.
    pub(super) async fn refresh(&self) -> Result<SessionInfo> {
        self.send_session_request(&post(REFRESH).idempotent()).await
    }

    /// Selects an account in the current session.
    pub(super) async fn select(&self, id: Uuid) -> Result<SessionInfo> {
        let selected = |shared: &SharedSession| match self.account.or(shared.account) {
            Some(account) if account != id => Err(other_account(account)),
            account => Ok(account),
        };
        selected(&self.shared())?;
        // `select_sent` is set only after the login: until then no selection is sent that could arrive late.
        self.token().await?;
        {
            let mut shared = self.shared();
            shared.select_sent |= selected(&shared)?.is_none() && !self.can_relogin();
        }
        self.send_session_request(&select(id)).await
    }

    /// Ends the session, if there is one.
    pub(super) async fn terminate(&self) -> Result<()> {
        let token = match *self.login {
            LoginMethod::Token(_) => Some(self.token().await?),
            _ => self.tokens.current(),
        };
        let Some(token) = token else { return Ok(()) };
        match self.send(&token.value.token, post(TERMINATE).idempotent(), expect_empty).await {
            // A session that the server rejects has ended.
            Err(error) if error.kind() != ErrorKind::Auth => Err(error),
            _ => {
                self.tokens.invalidate(token.generation);
                *self.shared() = SharedSession { code: CodeState::Used, ..SharedSession::default() };
                Ok(())
            }
        }
    }

    /// Returns the token of the session. Logs in or refreshes the session if necessary.
    async fn token(&self) -> Result<Arc<Token<SessionToken>>> {
        let session = self.clone();
        self.api.context(self.tokens.get(move |old| async move { session.open_or_refresh(old).await }).await)
    }

    /// Sends an idempotent request about the session, and stores the description that the server returns. If
    /// the session has ended, the request is sent again in a new session.
    async fn send_session_request(&self, request: &ApiRequest) -> Result<SessionInfo> {
        let mut token = self.token().await?;
        let mut result = self.send(&token.value.token, request.clone(), read_info).await;
        if result.as_ref().is_err_and(|error| error.status() == Some(401)) && self.on_unauthorized(&token) {
            token = self.token().await?;
            result = self.send(&token.value.token, request.clone(), read_info).await;
        }
        let info = result?;
        let extended = SessionToken { token: token.value.token.clone(), info: Some(info.clone()) };
        self.tokens.extend(token.generation, extended.into_new_token(&self.api));
        Ok(info)
    }

    async fn send<T>(
        &self,
        token: &SecretString,
        request: ApiRequest,
        read: impl Fn(&ApiResponse) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        let request = bearer(token).map(|bearer| {
            let request = request.header(header::AUTHORIZATION, bearer.clone());
            ApiRequest { secrets: self.login.secrets(), ..request.header(AUTHENTICATION, bearer) }
        });
        self.api.try_send(&NoAuth(error::read), request, read).await
    }

    /// Opens a session and selects the client's account in it, or refreshes the session of the token `old`.
    async fn open_or_refresh(&self, old: Option<Arc<Token<SessionToken>>>) -> Result<Refresh<SessionToken>> {
        let old = old.map(|old| old.value.token.clone());
        let new_token = |token, info| SessionToken { token, info }.into_new_token(&self.api);
        let mut session = match (&*self.login, old) {
            (LoginMethod::Anonymous, _) => {
                return Err(Error::config(
                    "the client is anonymous, and this request requires a login: build a client with password(), \
                     token() or oauth_code()",
                ));
            }
            // Its lifetime is unknown: it is used until the server rejects it.
            (LoginMethod::Token(token), Some(_)) => {
                return Ok(Refresh::Extended(new_token(token.clone(), None)));
            }
            (LoginMethod::Token(token), None) => SessionToken { token: token.clone(), info: None },
            (LoginMethod::OauthCode(_), Some(token)) => {
                let info =
                    self.send(&token, post(REFRESH).idempotent().without_rate_limit(), read_info).await?;
                return Ok(Refresh::Extended(new_token(token, Some(info))));
            }
            (LoginMethod::OauthCode(code), None) => self.login_with_code(code).await?,
            (LoginMethod::Password { email, password }, old) => {
                // Not retried, because a login can follow.
                if let Some(token) = old
                    && let Ok(info) = self.send(&token, post(REFRESH).without_rate_limit(), read_info).await
                {
                    let refreshed = new_token(token, Some(info));
                    // Without a lifetime, the session has reached its end.
                    if refreshed.lifetime.is_some() {
                        return Ok(Refresh::Extended(refreshed));
                    }
                }
                self.login_with_password(email, password).await?
            }
        };
        if let Some(id) = self.account {
            session.info = Some(self.select_own_account(id, &session.token).await?);
        }
        Ok(session.into_new_token(&self.api).into())
    }

    /// Selects the client's account in a session.
    async fn select_own_account(&self, id: Uuid, token: &SecretString) -> Result<SessionInfo> {
        let mut is_first = false;
        if !self.can_relogin() {
            let mut shared = self.shared();
            if shared.select_sent {
                return Err(select_already_sent());
            }
            is_first = shared.account.is_none();
            let account = *shared.account.get_or_insert(id);
            if account != id {
                return Err(other_account(account));
            }
        }
        self.send(token, select(id).without_rate_limit(), read_info).await.map_err(|error| {
            match error.kind() {
                // The caller's request was not sent, so its own target is not what is missing or denied.
                ErrorKind::NotFound | ErrorKind::PermissionDenied => {
                    // Kept if another client has selected the account before.
                    self.shared().account.take_if(|account| is_first && *account == id);
                    error.into_kind(ErrorKind::Auth)
                }
                _ => error,
            }
        })
    }

    /// Sends `POST /v1/sys/auth` with Basic authentication. The reference does not mention Basic; every known
    /// client uses it. Retrying is safe: it creates a second session.
    async fn login_with_password(&self, email: &str, password: &SecretString) -> Result<SessionToken> {
        let basic = sensitive("password", &format!("Basic {}", basic_credentials(email, password)))?;
        // A login must not wait for the requests that wait for its token.
        let mut request = post(LOGIN).without_rate_limit().idempotent().header(header::AUTHORIZATION, basic);
        request.secrets = self.login.secrets();
        self.api.send(&NoAuth(error::read), request, read_login).await
    }

    /// Sends `POST /v1/sys/auth` with an authorization code. A code that may have been used is not sent
    /// again. If the code has already opened a session, that session is refreshed.
    async fn login_with_code(&self, code: &OauthCode) -> Result<SessionToken> {
        // Set before the request is sent, because the future may be dropped.
        let previous = std::mem::replace(&mut self.shared().code, CodeState::Used);
        match previous {
            CodeState::Unused => {}
            CodeState::Used => {
                let message = "no session, and the authorization code has been used: log in with a new code";
                return Err(Error::new(ErrorKind::Auth, message));
            }
            CodeState::LoggedIn(token) => {
                self.shared().code = CodeState::LoggedIn(token.clone());
                let info =
                    self.send(&token, post(REFRESH).idempotent().without_rate_limit(), read_info).await?;
                return Ok(SessionToken { token, info: Some(info) });
            }
        }
        let body = AuthRequest {
            oauth_auth_code: OauthCodeBody {
                idp_id: &code.idp_id,
                code: &code.code,
                email: code.email.as_deref(),
            },
        };
        let mut request = ApiRequest::new(Method::POST, LOGIN).json(&body)?.without_rate_limit();
        request.secrets = self.login.secrets();
        let session =
            self.api.send(&NoAuth(error::read), request, read_login).await.inspect_err(|error| {
                // With these, the server did not process the request.
                if matches!(error.retryability(), Retryability::Retryable | Retryability::Exhausted) {
                    self.shared().code = CodeState::Unused;
                }
            })?;
        self.shared().code = CodeState::LoggedIn(session.token.clone());
        Ok(session)
    }
}

impl Auth for Session {
    type Credential = Arc<Token<SessionToken>>;

    async fn credential(&self) -> Result<Arc<Token<SessionToken>>> {
        self.token().await
    }

    fn apply(&self, token: &Arc<Token<SessionToken>>, request: &mut Request<Bytes>) -> Result<()> {
        let bearer = bearer(&token.value.token)?;
        request.headers_mut().insert(header::AUTHORIZATION, bearer.clone());
        request.headers_mut().insert(AUTHENTICATION, bearer);
        Ok(())
    }

    /// Keeps a token that cannot be replaced: one 401 may be a mistake, and the next request shows whether it
    /// was.
    fn on_unauthorized(&self, token: &Arc<Token<SessionToken>>) -> bool {
        if self.can_relogin() {
            self.tokens.invalidate(token.generation);
        }
        self.can_relogin()
    }

    fn secrets(&self, _: &Arc<Token<SessionToken>>) -> Vec<SecretString> {
        self.login.secrets()
    }

    fn parse_error(&self, response: &ApiResponse) -> ErrorResponse {
        error::read(response)
    }
}

fn other_account(account: Uuid) -> Error {
    let message = format!(
        "the session is bound to account {account} by with_account(); expected that account, or a client with its own \
         session: clients with a password have one session per account, a token or an authorization code has only one"
    );
    Error::config(message).with_provider(NAME)
}

fn select_already_sent() -> Error {
    let message = "select_account() was used in this session, and its request may still arrive; expected either \
                   with_account() or select_account() in the one session of a token or an authorization code";
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

/// Reads the response to a login. It is an assumption that it contains a token, and not only cookies.
fn read_login(response: &ApiResponse) -> Result<SessionToken> {
    let body: AuthResponse = read_object(response, "a session with an access_token")?;
    let Some(token) = body.access_token.filter(|token| !token.is_empty()) else {
        // Not retried: the next login would have the same response.
        return Err(Error::new(
            ErrorKind::Auth,
            "login succeeded, but the response has no access_token; sessions by cookie are not supported: use a token \
             instead",
        ));
    };
    Ok(SessionToken { token: token.into(), info: body.session_info })
}

fn read_info(response: &ApiResponse) -> Result<SessionInfo> {
    read_object::<InfoResponse>(response, "a session_info").map(|body| body.session_info)
}

fn select(id: Uuid) -> ApiRequest {
    post(format!("{SELECT}/{id}")).idempotent()
}

/// Creates a `POST` without a body, whose content type is JSON as in every known client.
fn post(path: impl Into<String>) -> ApiRequest {
    let json = HeaderValue::from_static("application/json");
    ApiRequest::new(Method::POST, path).header(header::CONTENT_TYPE, json)
}

fn basic_credentials(email: &str, password: &SecretString) -> String {
    BASE64_STANDARD.encode(format!("{email}:{}", password.expose_secret()))
}

#[cfg(test)]
mod tests {
    use futures::future::BoxFuture;
    use http::{Response, StatusCode};

    use super::*;
    use crate::http::{ClientOptions, Transport, TransportError};

    const A: Uuid = Uuid::from_u128(0xA);
    const B: Uuid = Uuid::from_u128(0xB);

    /// A server with one session, which stores the selected account.
    #[derive(Default)]
    struct Server {
        selected: Mutex<Option<Uuid>>,
        deleted: Mutex<Option<Uuid>>,
    }

    impl Server {
        fn session(self: &Arc<Self>) -> Session {
            let mut options = ClientOptions::new("https://here.example");
            options.transport = Some(Arc::<Self>::clone(self));
            let api = ApiClient::new(NAME, &options).unwrap();
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
                if id.is_some() && id == *self.deleted.lock().unwrap() {
                    *response.status_mut() = StatusCode::NOT_FOUND;
                } else if id.is_some() {
                    *self.selected.lock().unwrap() = id;
                }
                Ok(response)
            })
        }
    }

    #[tokio::test]
    async fn failed_selection_keeps_the_account() {
        let server = Arc::new(Server::default());
        let session = server.session();
        session.with_account(A).info().await.unwrap();
        *server.deleted.lock().unwrap() = Some(A);
        assert_eq!(session.with_account(A).info().await.unwrap_err().kind(), ErrorKind::Auth);
        assert_eq!(session.with_account(B).info().await.unwrap_err().kind(), ErrorKind::Config);
        assert_eq!(*server.selected.lock().unwrap(), Some(A));
    }
}
