use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::error;
use crate::{
    Result,
    auth::{NewToken, Token, TokenCache, non_empty, sensitive},
    http::{ApiClient, ApiRequest, ApiResponse, Auth, ErrorResponse, NoAuth, encode, read_object},
};

/// How a client proves who it is.
#[derive(Clone)]
pub(super) enum Login {
    ClientCredentials { id: String, secret: SecretString },
    Token(SecretString),
}

/// A client's bearer token, obtained at `/oauth/token` and renewed before it ends.
pub(super) struct Tokens {
    api: Arc<ApiClient>,
    login: Login,
    cache: Arc<TokenCache>,
}

impl Tokens {
    pub(super) fn new(api: Arc<ApiClient>, login: Login) -> Self {
        Self { api, login, cache: Arc::default() }
    }

    /// Empty if a token was given.
    pub(super) fn client_id(&self) -> &str {
        match &self.login {
            Login::ClientCredentials { id, .. } => id,
            Login::Token(_) => "",
        }
    }

    async fn token(&self) -> Result<Arc<Token>> {
        let api = Arc::clone(&self.api);
        let login = self.login.clone();
        self.cache
            .get(move |_| async move {
                match login {
                    // Its end is not known: it is good until it is refused.
                    Login::Token(value) => Ok(NewToken { value, lifetime: None }),
                    Login::ClientCredentials { id, secret } => obtain(&api, &id, &secret).await,
                }
            })
            .await
    }
}

impl Auth for Tokens {
    type Credential = Arc<Token>;

    async fn credential(&self) -> Result<Arc<Token>> {
        self.token().await
    }

    fn apply(&self, token: &Arc<Token>, request: &mut Request<Bytes>) -> Result<()> {
        let bearer = sensitive("token", &format!("Bearer {}", token.value.expose_secret()))?;
        request.headers_mut().insert(header::AUTHORIZATION, bearer);
        Ok(())
    }

    fn on_unauthorized(&self, token: &Arc<Token>) -> bool {
        self.cache.invalidate(token.generation);
        // A token that was given can not be replaced by another.
        matches!(self.login, Login::ClientCredentials { .. })
    }

    fn secrets(&self, _: &Arc<Token>) -> Vec<SecretString> {
        match &self.login {
            Login::ClientCredentials { secret, .. } => {
                vec![secret.clone(), encode(secret.expose_secret()).into()]
            }
            Login::Token(_) => Vec::new(),
        }
    }

    fn parse_error(&self, response: &ApiResponse) -> ErrorResponse {
        error::read(response)
    }
}

#[derive(Deserialize)]
struct TokenResponse {
    access_token: String,
    /// Seconds.
    expires_in: Option<f64>,
}

/// `POST /oauth/token` with the credentials in the body, where no log of URLs shows them.
async fn obtain(api: &ApiClient, id: &str, secret: &SecretString) -> Result<NewToken> {
    let secret_text = secret.expose_secret();
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        encode(id),
        encode(secret_text)
    );
    let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
    let call = ApiRequest::mutation(Method::POST, "/oauth/token").header(header::CONTENT_TYPE, form_type);
    let mut call = call.idempotent();
    call.body = Bytes::from(form);
    call.secrets = vec![secret.clone(), encode(secret_text).into()];
    // Not counted by the provider, and it must not wait behind the requests that wait for it.
    call.limited = false;
    api.send(&NoAuth(error::read), Ok(call), |response| {
        let body: TokenResponse = read_object(response, "an access_token")?;
        non_empty(&body.access_token)?;
        let lifetime = body.expires_in.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        Ok(NewToken { value: body.access_token.into(), lifetime })
    })
    .await
}
