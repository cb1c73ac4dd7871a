use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::error;
use crate::{
    Result,
    auth::{Fresh, Token, TokenCache, refuse_empty, sensitive},
    http::{Answer, Call, Channel, NoAuth, Problem, Service, encode, read_object},
};

/// How a client proves who it is.
#[derive(Clone)]
pub(super) enum Login {
    ClientCredentials { id: String, secret: SecretString },
    Token(SecretString),
}

/// A client's bearer token, obtained at `/oauth/token` and renewed before it ends.
pub(super) struct Tokens {
    channel: Arc<Channel>,
    login: Login,
    cache: Arc<TokenCache>,
}

impl Tokens {
    pub(super) fn new(channel: Arc<Channel>, login: Login) -> Self {
        Self { channel, login, cache: Arc::default() }
    }

    /// Empty if a token was given.
    pub(super) fn client_id(&self) -> &str {
        match &self.login {
            Login::ClientCredentials { id, .. } => id,
            Login::Token(_) => "",
        }
    }

    async fn token(&self) -> Result<Arc<Token>> {
        let channel = Arc::clone(&self.channel);
        let login = self.login.clone();
        self.cache
            .get(move |_| async move {
                match login {
                    // Its end is not known: it is good until it is refused.
                    Login::Token(value) => Ok(Fresh { value, lifetime: None }),
                    Login::ClientCredentials { id, secret } => obtain(&channel, &id, &secret).await,
                }
            })
            .await
    }
}

impl Service for Tokens {
    type Permit = Arc<Token>;

    async fn permit(&self) -> Result<Arc<Token>> {
        self.token().await
    }

    fn authorise(&self, token: &Arc<Token>, request: &mut Request<Bytes>) -> Result<()> {
        let bearer = sensitive("token", &format!("Bearer {}", token.value.expose_secret()))?;
        request.headers_mut().insert(header::AUTHORIZATION, bearer);
        Ok(())
    }

    fn refused(&self, token: &Arc<Token>) -> bool {
        self.cache.refused(token.generation);
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

    fn problem(&self, answer: &Answer) -> Problem {
        error::read(answer)
    }
}

#[derive(Deserialize)]
struct TokenResponse {
    access_token: String,
    /// Seconds.
    expires_in: Option<f64>,
}

/// `POST /oauth/token` with the credentials in the body, where no log of URLs shows them.
async fn obtain(channel: &Channel, id: &str, secret: &SecretString) -> Result<Fresh> {
    let secret_text = secret.expose_secret();
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        encode(id),
        encode(secret_text)
    );
    let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
    let call = Call::change(Method::POST, "/oauth/token").header(header::CONTENT_TYPE, form_type);
    let mut call = call.repeatable();
    call.body = Bytes::from(form);
    call.secrets = vec![secret.clone(), encode(secret_text).into()];
    // Not counted by the provider, and it must not wait behind the requests that wait for it.
    call.limited = false;
    channel
        .send(&NoAuth(error::read), Ok(call), |answer| {
            let body: TokenResponse = read_object(answer, "an access_token")?;
            refuse_empty(&body.access_token)?;
            let lifetime = body.expires_in.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            Ok(Fresh { value: body.access_token.into(), lifetime })
        })
        .await
}
