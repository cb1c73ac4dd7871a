use std::time::{Duration, UNIX_EPOCH};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{HeaderName, HeaderValue, Method, Request, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::error;
use crate::{
    Error, ErrorKind, Result,
    auth::{Fresh, sensitive},
    http::{Answer, Call, Channel, Problem, Service, read_object},
};

/// The header that the reference names; clients in the wild send `Authorization`.
const AUTHENTICATION: HeaderName = HeaderName::from_static("authentication");
const LOGIN: &str = "/v1/sys/auth";
const REFRESH: &str = "/v1/sys/session/refresh";
pub(super) const TERMINATE: &str = "/v1/sys/session/terminate";
const SELECT: &str = "/v1/sys/session/select_account";

/// How a client proves who it is.
#[derive(Clone)]
pub(super) enum Login {
    Password { email: String, password: SecretString },
    Token(SecretString),
    OauthCode(OauthCode),
    Anonymous,
}

impl Login {
    /// What a server may know from another request, and tell in its errors.
    pub(super) fn secrets(&self) -> Vec<SecretString> {
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

/// A session that was opened: its token, and what the server told of it.
pub(super) struct Opened {
    pub(super) token: SecretString,
    pub(super) info: Option<SessionInfo>,
}

impl Opened {
    /// The token lives until the earlier of the two ends, as far as the server told them. The server has just
    /// answered to it: with an end that is past, the clocks disagree, or the unit is another, and the end is
    /// not known.
    pub(super) fn fresh(self, channel: &Channel) -> Fresh<Self> {
        let ends = self.info.iter().flat_map(|info| [info.session_expires_at, info.session_token_expires_at]);
        let end = ends.flatten().filter_map(|end| u64::try_from(end).ok()).min();
        let now = channel.clock().now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let left = end.map(|end| Duration::from_secs(end).saturating_sub(now));
        Fresh { lifetime: left.filter(|left| !left.is_zero()), value: self }
    }
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

/// `POST /v1/sys/auth` with Basic authentication. The reference does not mention Basic, and every known
/// client uses it. Doing it twice makes a second session, and harms nothing.
pub(super) async fn by_password(channel: &Channel, email: &str, password: &SecretString) -> Result<Opened> {
    let basic = BASE64_STANDARD.encode(format!("{email}:{}", password.expose_secret()));
    let proof = Proof::Basic(sensitive("password", &format!("Basic {basic}"))?);
    let mut call = unlimited(post(LOGIN)).repeatable();
    call.secrets = vec![password.clone()];
    channel.send(&proof, Ok(call), read_login).await
}

/// `POST /v1/sys/auth` with an authorization code, which is not sent again where it may have been used.
pub(super) async fn by_code(channel: &Channel, code: &OauthCode) -> Result<Opened> {
    let mut data = json!({"idp_id": code.idp_id, "code": code.code.expose_secret()});
    if let (Some(email), Some(data)) = (&code.email, data.as_object_mut()) {
        data.insert("email".to_owned(), email.as_str().into());
    }
    let mut call = Call::change(Method::POST, LOGIN).json(&json!({"oauth_auth_code": data}))?;
    call.secrets = vec![code.code.clone()];
    channel.send(&Proof::Nothing, Ok(unlimited(call)), read_login).await
}

/// That the answer holds a token, and not only cookies, is an assumption.
fn read_login(answer: &Answer) -> Result<Opened> {
    let body: AuthResponse = read_object(answer, "a session with access_token")?;
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

/// Moves the end of a session's token, which stays the same.
pub(super) fn refresh() -> Call {
    post(REFRESH)
}

/// Selects an account in a session.
pub(super) fn select(id: Uuid) -> Call {
    post(format!("{SELECT}/{id}")).repeatable()
}

pub(super) fn read_info(answer: &Answer) -> Result<SessionInfo> {
    read_object::<InfoResponse>(answer, "a session_info").map(|body| body.session_info)
}

/// A `POST` without a body, which says that it were JSON as every known client does.
pub(super) fn post(path: impl Into<String>) -> Call {
    let json = HeaderValue::from_static("application/json");
    Call::change(Method::POST, path).header(header::CONTENT_TYPE, json)
}

/// Waiting for a token must not wait behind the requests that need it.
pub(super) fn unlimited(mut call: Call) -> Call {
    call.limited = false;
    call
}

/// What one request is authorised with, whatever the client's session.
pub(super) enum Proof<'a> {
    Nothing,
    Basic(HeaderValue),
    Bearer(&'a SecretString),
}

impl Service for Proof<'_> {
    type Permit = ();

    async fn permit(&self) -> Result<()> {
        Ok(())
    }

    fn authorise(&self, (): &(), request: &mut Request<Bytes>) -> Result<()> {
        match self {
            Self::Nothing => {}
            Self::Basic(basic) => {
                request.headers_mut().insert(header::AUTHORIZATION, basic.clone());
            }
            Self::Bearer(token) => bear(request, token)?,
        }
        Ok(())
    }

    fn problem(&self, answer: &Answer) -> Problem {
        error::read(answer)
    }
}

pub(super) fn bear(request: &mut Request<Bytes>, token: &SecretString) -> Result<()> {
    let bearer = sensitive("token", &format!("Bearer {}", token.expose_secret()))?;
    request.headers_mut().insert(header::AUTHORIZATION, bearer.clone());
    request.headers_mut().insert(AUTHENTICATION, bearer);
    Ok(())
}
