use std::{fmt, future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, header};
use secrecy::{ExposeSecret, SecretString};

use super::{ApiResponse, Auth, ErrorResponse};
use crate::{
    Result,
    auth::{NewToken, Token, TokenCache, bearer, credential, non_empty},
};

/// Authorises requests with a bearer token. Clones share the token.
///
/// ```
/// use std::time::Duration;
///
/// use headcount::http::{
///     AccessToken, ApiClient, ApiRequest, ApiResponse, BearerToken, NoAuth,
/// };
/// use serde::Deserialize;
///
/// # fn build(client: ApiClient, request: ApiRequest) -> BearerToken {
/// #[derive(Deserialize)]
/// struct TokenResponse {
///     access_token: String,
///     expires_in: u64,
/// }
///
/// // Fetched with the first request, refreshed before it expires,
/// // and replaced if the server rejects it.
/// BearerToken::refreshed_by(move || {
///     let (client, request) = (client.clone(), request.clone());
///     async move {
///         let read = |response: &ApiResponse| response.json::<TokenResponse>();
///         let token = client.send(&NoAuth::default(), request, read).await?;
///         Ok(AccessToken::new(token.access_token)
///             .lifetime(Duration::from_secs(token.expires_in)))
///     }
/// })
/// # }
/// ```
#[derive(Clone)]
pub struct BearerToken {
    source: Source,
    cache: Arc<TokenCache>,
    parse_error: fn(&ApiResponse) -> ErrorResponse,
}

#[derive(Clone)]
enum Source {
    Fixed(SecretString),
    Fetched(Arc<dyn Fn() -> BoxFuture<'static, Result<AccessToken>> + Send + Sync>),
}

/// A newly obtained token: see [`BearerToken::refreshed_by`].
#[derive(Clone, Debug)]
pub struct AccessToken {
    value: SecretString,
    lifetime: Option<Duration>,
}

impl AccessToken {
    /// Creates a token that is used until the server rejects it.
    pub fn new(value: impl Into<SecretString>) -> Self {
        Self { value: value.into(), lifetime: None }
    }

    /// Sets the time after which the token expires.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }
}

/// The credential of one request with a [`BearerToken`].
pub struct BearerCredential(Arc<Token>);

impl fmt::Debug for BearerCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerCredential([redacted])")
    }
}

impl BearerToken {
    /// Uses a token that was obtained elsewhere, until the server rejects it.
    pub fn new(token: impl Into<SecretString>) -> Self {
        Self::from_source(Source::Fixed(token.into()))
    }

    /// Obtains tokens with `fetch`, which is called once for concurrent requests.
    ///
    /// A token is refreshed when a tenth of its lifetime is left, or a minute if that is less. If the refresh fails,
    /// the old token is used until it expires.
    pub fn refreshed_by<F, Fut>(fetch: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<AccessToken>> + Send + 'static,
    {
        Self::from_source(Source::Fetched(Arc::new(move || Box::pin(fetch()))))
    }

    fn from_source(source: Source) -> Self {
        Self { source, cache: Arc::default(), parse_error: |_| ErrorResponse::default() }
    }

    /// Sets the function that parses error responses: see [`Auth::parse_error`].
    #[must_use]
    pub fn with_parse_error(mut self, parse: fn(&ApiResponse) -> ErrorResponse) -> Self {
        self.parse_error = parse;
        self
    }
}

impl Auth for BearerToken {
    type Credential = BearerCredential;

    async fn credential(&self) -> Result<BearerCredential> {
        let source = self.source.clone();
        let token = self.cache.get(move |_| async move {
            match source {
                Source::Fixed(token) => Ok(NewToken { value: credential("token", &token)?, lifetime: None }),
                Source::Fetched(fetch) => {
                    let AccessToken { value, lifetime } = fetch().await?;
                    non_empty(value.expose_secret())?;
                    Ok(NewToken { value, lifetime })
                }
            }
        });
        token.await.map(BearerCredential)
    }

    fn apply(&self, token: &BearerCredential, request: &mut Request<Bytes>) -> Result<()> {
        request.headers_mut().insert(header::AUTHORIZATION, bearer(&token.0.value)?);
        Ok(())
    }

    fn on_unauthorized(&self, token: &BearerCredential) -> bool {
        self.cache.invalidate(token.0.generation);
        matches!(self.source, Source::Fetched(_))
    }

    fn parse_error(&self, response: &ApiResponse) -> ErrorResponse {
        (self.parse_error)(response)
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken([redacted])")
    }
}
