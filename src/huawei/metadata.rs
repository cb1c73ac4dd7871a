//! The metadata service of an elastic cloud server (ECS): temporary keys of the agency that it runs under.
//!
//! Source: Huawei Cloud, *ECS User Guide*, "Obtaining Metadata"; the vendor's Python and Go SDKs for how
//! often it is asked.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{HeaderName, HeaderValue, Method, Request, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::time::Instant;
use url::{Host, Url};

use super::sign::{self, Credentials};
use crate::{
    Error, ErrorKind, Result,
    auth::{Fresh, InVain, Margin, Token, TokenCache, refuse_empty, sensitive},
    http::{Answer, Call, Channel, Clock, Problem, RetryPolicy, Service, Settings, plain_text, read_object},
};

pub(super) const ENDPOINT: &str = "http://169.254.169.254";
/// What errors call it.
const SOURCE: &str = "the metadata service";
/// Time to connect, and time for the whole answer. Elsewhere than on an ECS there is none.
const TIMEOUT: Duration = Duration::from_secs(3);
const LARGEST_ANSWER: usize = 64 * 1024;
const TOKEN: HeaderName = HeaderName::from_static("x-metadata-token");
const TOKEN_TTL: HeaderName = HeaderName::from_static("x-metadata-token-ttl-seconds");
/// How long a service of version 1, which knows no tokens, is not asked for one.
const WITHOUT_TOKENS: Duration = Duration::from_secs(24 * 60 * 60);
/// In a 401 that no token helps against.
const NO_AGENCY: &str = "Please configure Cloud Service Agency first";
/// The vendor's SDKs ask for the next key 40 minutes before the end of the last. For a key that lives
/// shorter than 80 minutes that would be at once, or always: half its life it is then.
const MARGIN: Margin = Margin { most: Duration::from_secs(40 * 60), share: 2 };

/// Keys of the metadata service, each used until it is time for the next. While a key lives, it does not
/// matter that there is no next one.
pub(super) struct Metadata {
    access: Arc<Access>,
    keys: Arc<TokenCache<Credentials>>,
    in_vain: InVain,
}

impl Metadata {
    /// The service at `endpoint`. Its connections are its own: they go by no proxy, since what a proxy
    /// reaches under this address is another machine's service.
    pub(super) fn open(
        endpoint: &str,
        client: &Settings,
        domain_id: Option<String>,
        in_vain: InVain,
    ) -> Result<Self> {
        let mut settings = Settings::new(endpoint);
        settings.user_agent.clone_from(&client.user_agent);
        settings.clock = client.clock.clone();
        settings.http_client(direct()?);
        Self::with(settings, domain_id, in_vain)
    }

    fn with(mut settings: Settings, domain_id: Option<String>, in_vain: InVain) -> Result<Self> {
        settings.allow_http = is_link_local(&settings.base_url);
        settings.retry = RetryPolicy::none().timeouts(TIMEOUT, TIMEOUT);
        settings.body_limit = LARGEST_ANSWER;
        let channel = Channel::open(SOURCE, &settings)
            .map_err(|error| Error::config(format!("the metadata endpoint: {}", error.message())))?;
        Ok(Self {
            access: Arc::new(Access { channel, domain_id, no_tokens_until: Mutex::new(None) }),
            keys: Arc::new(TokenCache::with_margin(MARGIN)),
            in_vain,
        })
    }

    /// The key to sign with.
    ///
    /// # Errors
    /// [`ErrorKind::Auth`], naming all sources that were asked, if there is no key that still lives.
    pub(super) async fn key(&self) -> Result<Arc<Token<Credentials>>> {
        let access = Arc::clone(&self.access);
        let key = self.keys.get(move |_| async move { access.obtain().await });
        key.await.map_err(|error| {
            Error::new(ErrorKind::Auth, self.in_vain.text(Some(&error.to_string())))
                .with_retry(error.retry())
                .with_source(error)
        })
    }
}

/// reqwest panics where there is no provider of cryptography, even if only http is spoken.
fn direct() -> Result<reqwest::Client> {
    #[cfg(all(feature = "rustls-no-provider", not(feature = "rustls")))]
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        return Err(Error::config(
            "the feature rustls-no-provider leaves the choice of a CryptoProvider to the application: \
             call install_default() on one before building a client",
        ));
    }
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(TIMEOUT)
        .build()
        .map_err(|error| Error::config(format!("the HTTP client can not be built: {error}")))
}

/// Whether a URL leads no farther than the machine's own link: there, and for this purpose only, http is
/// what is spoken.
fn is_link_local(url: &str) -> bool {
    let url = Url::parse(url.trim()).ok();
    matches!(url.as_ref().and_then(Url::host), Some(Host::Ipv4(ip)) if ip.is_link_local())
}

/// The way to the service.
struct Access {
    channel: Channel,
    domain_id: Option<String>,
    no_tokens_until: Mutex<Option<Instant>>,
}

impl Access {
    async fn obtain(&self) -> Result<Fresh<Credentials>> {
        let until = *self.no_tokens();
        let token = match until {
            Some(until) if Instant::now() < until => None,
            _ => self.token().await?,
        };
        match self.security_key(token).await {
            // The token was not taken, or one is needed that was not before: once more with a new one.
            Err(error) if error.status() == Some(401) && !error.message().contains(NO_AGENCY) => {
                let token = self.token().await?;
                self.security_key(token).await
            }
            other => other,
        }
    }

    /// The token that version 2 of the service wants; `None` if it answers that it is version 1.
    async fn token(&self) -> Result<Option<SecretString>> {
        let call = Call::change(Method::PUT, "/meta-data/latest/api/token")
            .repeatable()
            .header(TOKEN_TTL, HeaderValue::from_static("21600"))
            .header(header::ACCEPT, HeaderValue::from_static("*/*"));
        let token = self.channel.send(&Plain, &call, |answer| {
            let token = plain_text(&answer.body).unwrap_or_default();
            refuse_empty(&token)?;
            Ok(SecretString::from(token))
        });
        let (token, until) = match token.await {
            Ok(token) => (Some(token), None),
            Err(error) if matches!(error.status(), Some(404 | 405 | 503)) => {
                (None, Some(Instant::now() + WITHOUT_TOKENS))
            }
            Err(error) => return Err(error),
        };
        *self.no_tokens() = until;
        Ok(token)
    }

    async fn security_key(&self, token: Option<SecretString>) -> Result<Fresh<Credentials>> {
        let mut call = Call::get("/openstack/latest/securitykey");
        if let Some(token) = token {
            call = call.header(TOKEN, sensitive("metadata token", token.expose_secret())?);
        }
        let read = |answer: &Answer| read_key(answer, self.channel.clock(), self.domain_id.as_ref());
        self.channel.send(&Plain, &call, read).await
    }

    fn no_tokens(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.no_tokens_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Deserialize)]
struct KeyAnswer {
    credential: Key,
}

#[derive(Deserialize)]
struct Key {
    access: String,
    secret: SecretString,
    securitytoken: SecretString,
    /// RFC 3339.
    expires_at: String,
}

fn read_key(answer: &Answer, clock: &Clock, domain_id: Option<&String>) -> Result<Fresh<Credentials>> {
    let KeyAnswer { credential: key } = read_object(answer, "a credential")?;
    let end = DateTime::parse_from_rfc3339(&key.expires_at)
        .map_err(|_| Error::decode("the expires_at of the key is no date of RFC 3339"))?;
    let now: DateTime<Utc> = clock.now().into();
    let lifetime = end.signed_duration_since(now).to_std().unwrap_or_default();
    if lifetime.is_zero() {
        return Err(Error::decode(format!(
            "the key ended at {}, and this machine's clock says {}",
            sign::date(end.to_utc()),
            sign::date(now)
        )));
    }
    let credentials = Credentials {
        access_key: key.access,
        secret_key: key.secret,
        security_token: Some(key.securitytoken),
        domain_id: domain_id.cloned(),
    };
    Ok(Fresh {
        value: credentials.checked().map_err(|error| Error::decode(error.message()))?,
        lifetime: Some(lifetime),
    })
}

/// Requests without credentials but the token in their headers.
struct Plain;

impl Service for Plain {
    type Permit = ();

    async fn permit(&self) -> Result<()> {
        Ok(())
    }

    fn authorise(&self, (): &(), _: &mut Request<Bytes>) -> Result<()> {
        Ok(())
    }

    fn problem(&self, answer: &Answer) -> Problem {
        let text = plain_text(&answer.body);
        let message = if String::from_utf8_lossy(&answer.body).contains(NO_AGENCY) {
            Some(format!("this server has no agency ({NO_AGENCY})"))
        } else {
            text
        };
        Problem { message, ..Problem::default() }
    }
}

#[cfg(test)]
#[path = "metadata_script.rs"]
mod script;
#[cfg(test)]
#[path = "metadata_tests.rs"]
mod tests;
