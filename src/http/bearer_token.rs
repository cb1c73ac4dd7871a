use std::{fmt, future::Future, sync::Arc};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, header};
use secrecy::{ExposeSecret, SecretString};

use super::Auth;
use crate::{
    Result,
    auth::{NewToken, Token, TokenCache, sensitive},
};

/// Authorises requests with a bearer token. Clones share the token.
///
/// ```
/// use std::time::Duration;
///
/// use headcount::http::{ApiClient, ApiRequest, BearerToken, NewToken, NoAuth};
/// use serde::Deserialize;
///
/// # fn build(client: ApiClient, request: ApiRequest) -> BearerToken {
/// #[derive(Deserialize)]
/// struct TokenResponse {
///     access_token: String,
///     expires_in: u64,
/// }
///
/// // Fetched with the first request, refreshed before it expires, and replaced if the server rejects it.
/// BearerToken::refreshed_by(move || {
///     let (client, request) = (client.clone(), request.clone());
///     async move {
///         let read = |response: &headcount::http::ApiResponse| response.json::<TokenResponse>();
///         let token = client.send(&NoAuth::default(), request, read).await?;
///         let lifetime = Some(Duration::from_secs(token.expires_in));
///         Ok(NewToken { value: token.access_token.into(), lifetime })
///     }
/// })
/// # }
/// ```
#[derive(Clone)]
pub struct BearerToken {
    source: Source,
    cache: Arc<TokenCache>,
}

#[derive(Clone)]
enum Source {
    Fixed(SecretString),
    Fetched(Arc<dyn Fn() -> BoxFuture<'static, Result<NewToken>> + Send + Sync>),
}

impl BearerToken {
    /// Uses a token that was obtained elsewhere, until the server rejects it.
    pub fn new(token: impl Into<SecretString>) -> Self {
        Self { source: Source::Fixed(token.into()), cache: Arc::default() }
    }

    /// Obtains tokens with `fetch`, once for all callers.
    ///
    /// A token is refreshed when a tenth of its lifetime is left, or a minute if that is less. If that fails,
    /// it is used until it expires.
    pub fn refreshed_by<F, Fut>(fetch: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<NewToken>> + Send + 'static,
    {
        Self { source: Source::Fetched(Arc::new(move || Box::pin(fetch()))), cache: Arc::default() }
    }
}

impl Auth for BearerToken {
    type Credential = Arc<Token>;

    async fn credential(&self) -> Result<Arc<Token>> {
        let source = self.source.clone();
        self.cache
            .get(move |_| async move {
                match source {
                    Source::Fixed(value) => Ok(NewToken { value, lifetime: None }),
                    Source::Fetched(fetch) => fetch().await,
                }
            })
            .await
    }

    fn apply(&self, token: &Arc<Token>, request: &mut Request<Bytes>) -> Result<()> {
        let bearer = sensitive("token", &format!("Bearer {}", token.value.expose_secret()))?;
        request.headers_mut().insert(header::AUTHORIZATION, bearer);
        Ok(())
    }

    fn on_unauthorized(&self, token: &Arc<Token>) -> bool {
        self.cache.invalidate(token.generation);
        matches!(self.source, Source::Fetched(_))
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken([redacted])")
    }
}
