use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::error;
use crate::{
    Result,
    auth::non_empty,
    http::{
        AccessToken, ApiClient, ApiRequest, ApiResponse, Auth, BearerCredential, BearerToken, ErrorResponse,
        NoAuth, encode, read_object,
    },
};

/// The credentials of a client.
#[derive(Clone)]
pub(super) enum Credentials {
    ClientCredentials { id: String, secret: SecretString },
    Token(SecretString),
}

/// The source of a client's bearer token, which is fetched from `/oauth/token` and refreshed before it
/// expires.
pub(super) struct TokenSource {
    credentials: Credentials,
    bearer: BearerToken,
}

impl TokenSource {
    pub(super) fn new(api: ApiClient, credentials: Credentials) -> Self {
        let bearer = match &credentials {
            Credentials::Token(token) => BearerToken::new(token.clone()),
            Credentials::ClientCredentials { id, secret } => {
                let (id, secret) = (id.clone(), secret.clone());
                BearerToken::refreshed_by(move || {
                    let (api, id, secret) = (api.clone(), id.clone(), secret.clone());
                    async move { fetch_token(&api, &id, &secret).await }
                })
            }
        };
        Self { credentials, bearer }
    }

    /// Returns the client id, or an empty string if the client was built with a token.
    pub(super) fn client_id(&self) -> &str {
        match &self.credentials {
            Credentials::ClientCredentials { id, .. } => id,
            Credentials::Token(_) => "",
        }
    }
}

impl Auth for TokenSource {
    type Credential = BearerCredential;

    async fn credential(&self) -> Result<BearerCredential> {
        self.bearer.credential().await
    }

    fn apply(&self, token: &BearerCredential, request: &mut Request<Bytes>) -> Result<()> {
        self.bearer.apply(token, request)
    }

    fn on_unauthorized(&self, token: &BearerCredential) -> bool {
        self.bearer.on_unauthorized(token)
    }

    fn secrets(&self, _: &BearerCredential) -> Vec<SecretString> {
        match &self.credentials {
            Credentials::ClientCredentials { secret, .. } => {
                vec![secret.clone(), encode(secret.expose_secret()).into()]
            }
            Credentials::Token(_) => Vec::new(),
        }
    }

    fn parse_error(&self, response: &ApiResponse) -> ErrorResponse {
        error::read(response)
    }
}

#[derive(Deserialize)]
struct TokenResponse {
    access_token: String,
    /// In seconds.
    expires_in: Option<f64>,
}

/// Fetches a token with `POST /oauth/token`. The credentials are in the body, so that URL logs do not contain
/// them.
async fn fetch_token(api: &ApiClient, id: &str, secret: &SecretString) -> Result<AccessToken> {
    let secret_text = secret.expose_secret();
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        encode(id),
        encode(secret_text)
    );
    let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
    let request = ApiRequest::new(Method::POST, "/oauth/token")
        .idempotent()
        .header(header::CONTENT_TYPE, form_type)
        .body(form)
        .secret(secret.clone())
        .secret(encode(secret_text))
        // The provider does not count this request, and it must not wait for requests that wait for the
        // token.
        .without_rate_limit();
    api.send(&NoAuth(error::read), request, |response| {
        let body: TokenResponse = read_object(response, "an access_token")?;
        non_empty(&body.access_token)?;
        let token = AccessToken::new(body.access_token);
        let lifetime = body.expires_in.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        Ok(match lifetime {
            Some(lifetime) => token.lifetime(lifetime),
            None => token,
        })
    })
    .await
}
