use std::{
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::error;
use crate::{
    Error, Result,
    auth::{Fresh, Token, TokenCache, refuse_empty, sensitive},
    http::{Answer, Call, Channel, Problem, Service, read_json},
};

/// The header that the reference names; clients in the wild send `Authorization`.
const AUTHENTICATION: HeaderName = HeaderName::from_static("authentication");

/// How a client proves who it is.
#[derive(Clone)]
pub(super) enum Login {
    Password { email: String, password: SecretString },
    Token(SecretString),
}

/// A user's session: logs in, keeps the session alive, logs in again.
///
/// The server tells two ends: of the token, which a refresh moves, and of the session, which nothing
/// moves. Both are assumed to be seconds since 1970.
pub(super) struct Session {
    channel: Arc<Channel>,
    login: Login,
    tokens: Arc<TokenCache>,
}

impl Session {
    pub(super) fn new(channel: Arc<Channel>, login: Login) -> Self {
        Self { channel, login, tokens: Arc::default() }
    }

    /// What tells one user from another.
    pub(super) fn user(&self) -> &str {
        match &self.login {
            Login::Password { email, .. } => email,
            Login::Token(token) => token.expose_secret(),
        }
    }

    async fn token(&self) -> Result<Arc<Token>> {
        let channel = Arc::clone(&self.channel);
        let login = self.login.clone();
        self.tokens
            .get(move |old| async move {
                let (email, password) = match login {
                    // Its end is not known: it is good until it is refused.
                    Login::Token(value) => {
                        return Ok(Fresh { value, lifetime: None });
                    }
                    Login::Password { email, password } => (email, password),
                };
                if let Some(old) = old
                    && let Ok(fresh) = refresh(&channel, &old).await
                {
                    return Ok(fresh);
                }
                log_in(&channel, &email, &password).await
            })
            .await
    }
}

impl Service for Session {
    type Permit = Arc<Token>;

    async fn permit(&self) -> Result<Arc<Token>> {
        self.token().await
    }

    fn authorise(&self, token: &Arc<Token>, request: &mut Request<Bytes>) -> Result<()> {
        bear(request, &token.value)
    }

    fn refused(&self, token: &Arc<Token>) -> bool {
        self.tokens.refused(token.generation);
        // A token that was given can not be replaced by another.
        matches!(self.login, Login::Password { .. })
    }

    fn problem(&self, answer: &Answer) -> Problem {
        error::read(answer)
    }
}

fn bear(request: &mut Request<Bytes>, token: &SecretString) -> Result<()> {
    let bearer = sensitive("token", &format!("Bearer {}", token.expose_secret()))?;
    request.headers_mut().insert(header::AUTHORIZATION, bearer.clone());
    request.headers_mut().insert(AUTHENTICATION, bearer);
    Ok(())
}

#[derive(Deserialize)]
struct AuthResponse {
    access_token: Option<String>,
    session_info: Option<SessionInfo>,
}

#[derive(Deserialize)]
struct RefreshResponse {
    session_info: SessionInfo,
}

#[derive(Deserialize)]
struct SessionInfo {
    session_expires_at: Option<i64>,
    session_token_expires_at: Option<i64>,
}

impl SessionInfo {
    /// How long the token lives from now, as far as the server told.
    fn lifetime(&self, channel: &Channel) -> Option<Duration> {
        let ends = [self.session_expires_at, self.session_token_expires_at];
        let end = ends.into_iter().flatten().filter_map(|end| u64::try_from(end).ok()).min()?;
        let now = channel.clock().now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Some(Duration::from_secs(end).saturating_sub(now))
    }
}

/// `POST /v1/sys/auth` with Basic authentication. The reference does not mention Basic, and every known
/// client uses it. That the answer holds a token, and not only cookies, is an assumption.
async fn log_in(channel: &Channel, email: &str, password: &SecretString) -> Result<Fresh> {
    let basic = BASE64_STANDARD.encode(format!("{email}:{}", password.expose_secret()));
    let service = Basic(sensitive("password", &format!("Basic {basic}"))?);
    let mut call = post("/v1/sys/auth");
    call.secrets = vec![password.clone()];
    channel
        .send(&service, &call, |answer| {
            let body: AuthResponse = read_json(answer, "a session with access_token")?;
            let Some(token) = body.access_token else {
                return Err(Error::decode(
                    "the login was taken, but its answer holds no access_token; sessions by cookie are not \
                     supported: give a token instead",
                ));
            };
            refuse_empty(&token)?;
            let lifetime = body.session_info.and_then(|info| info.lifetime(channel));
            Ok(Fresh { value: token.into(), lifetime })
        })
        .await
}

/// `POST /v1/sys/session/refresh`: moves the end of the token; the token stays the same.
async fn refresh(channel: &Channel, token: &Token) -> Result<Fresh> {
    let service = Bearer(&token.value);
    channel
        .send(&service, &post("/v1/sys/session/refresh"), |answer| {
            let body: RefreshResponse = read_json(answer, "a session_info")?;
            let lifetime = body.session_info.lifetime(channel);
            if lifetime.is_none_or(|life| life.is_zero()) {
                return Err(Error::decode("the session can not be kept alive any longer"));
            }
            Ok(Fresh { value: token.value.clone(), lifetime })
        })
        .await
}

/// Not limited: waiting for a token must not wait behind the requests that need it. Doing it twice makes
/// a second session, and harms nothing.
fn post(path: &str) -> Call {
    let json = HeaderValue::from_static("application/json");
    let mut call = Call::change(Method::POST, path).header(header::CONTENT_TYPE, json).repeatable();
    call.limited = false;
    call
}

struct Basic(HeaderValue);

impl Service for Basic {
    type Permit = ();

    async fn permit(&self) -> Result<()> {
        Ok(())
    }

    fn authorise(&self, (): &(), request: &mut Request<Bytes>) -> Result<()> {
        request.headers_mut().insert(header::AUTHORIZATION, self.0.clone());
        Ok(())
    }

    fn problem(&self, answer: &Answer) -> Problem {
        error::read(answer)
    }
}

struct Bearer<'a>(&'a SecretString);

impl Service for Bearer<'_> {
    type Permit = ();

    async fn permit(&self) -> Result<()> {
        Ok(())
    }

    fn authorise(&self, (): &(), request: &mut Request<Bytes>) -> Result<()> {
        bear(request, self.0)
    }

    fn problem(&self, answer: &Answer) -> Problem {
        error::read(answer)
    }
}
