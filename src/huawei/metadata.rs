//! The metadata service of an elastic cloud server (ECS): temporary keys of the agency that it runs under.
//!
//! Source: Huawei Cloud, *ECS User Guide*, "Obtaining Metadata"; the vendor's Python and Go SDKs for how
//! often it is asked.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use http::{HeaderName, HeaderValue, Method, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::time::Instant;
use url::{Host, Url};

use super::signing::{Credentials, date};
use crate::{
    Error, ErrorKind, Result,
    auth::{CredentialChain, NewToken, RefreshMargin, Token, TokenCache, non_empty, sensitive},
    http::{
        ApiClient, ApiRequest, ApiResponse, ClientOptions, Clock, ErrorResponse, NoAuth, RetryPolicy,
        read_object,
    },
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
const MARGIN: RefreshMargin = RefreshMargin { most: Duration::from_secs(40 * 60), share: 2 };

/// Keys of the metadata service, each used until it is time for the next. While a key lives, it does not
/// matter that there is no next one.
pub(super) struct Metadata {
    access: Arc<Access>,
    keys: Arc<TokenCache<Credentials>>,
    chain: CredentialChain,
}

impl Metadata {
    /// The service at `endpoint`. Its connections are its own: they go by no proxy, since what a proxy
    /// reaches under this address is another machine's service.
    pub(super) fn open(
        endpoint: &str,
        client: &ClientOptions,
        domain_id: Option<String>,
        chain: CredentialChain,
    ) -> Result<Self> {
        let mut options = ClientOptions::new(endpoint);
        options.user_agent.clone_from(&client.user_agent);
        options.clock = client.clock.clone();
        options.http_client(direct()?);
        Self::with(options, domain_id, chain)
    }

    fn with(mut options: ClientOptions, domain_id: Option<String>, chain: CredentialChain) -> Result<Self> {
        options.allow_http = is_link_local(&options.base_url);
        options.retry = RetryPolicy::none().timeouts(TIMEOUT, TIMEOUT);
        options.body_limit = LARGEST_ANSWER;
        let api = ApiClient::new(SOURCE, &options)
            .map_err(|error| Error::config(format!("the metadata endpoint: {}", error.message())))?;
        Ok(Self {
            access: Arc::new(Access { api, domain_id, no_tokens_until: Mutex::new(None) }),
            keys: Arc::new(TokenCache::with_margin(MARGIN)),
            chain,
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
            Error::new(ErrorKind::Auth, self.chain.text(Some(&error.to_string())))
                .with_retryability(error.retryability())
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
    api: ApiClient,
    domain_id: Option<String>,
    no_tokens_until: Mutex<Option<Instant>>,
}

impl Access {
    async fn obtain(&self) -> Result<NewToken<Credentials>> {
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
        let call = ApiRequest::mutation(Method::PUT, "/meta-data/latest/api/token")
            .idempotent()
            .header(TOKEN_TTL, HeaderValue::from_static("21600"))
            .header(header::ACCEPT, HeaderValue::from_static("*/*"));
        let token = self.api.send(&NoAuth(parse_error), Ok(call), |response| {
            let token = response.body.plain_text().unwrap_or_default();
            non_empty(&token)?;
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

    async fn security_key(&self, token: Option<SecretString>) -> Result<NewToken<Credentials>> {
        let mut call = ApiRequest::get("/openstack/latest/securitykey");
        if let Some(token) = token {
            call = call.header(TOKEN, sensitive("metadata token", token.expose_secret())?);
        }
        let read = |response: &ApiResponse| read_key(response, self.api.clock(), self.domain_id.as_ref());
        self.api.send(&NoAuth(parse_error), Ok(call), read).await
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

fn read_key(
    response: &ApiResponse,
    clock: &Clock,
    domain_id: Option<&String>,
) -> Result<NewToken<Credentials>> {
    let KeyAnswer { credential: key } = read_object(response, "a credential")?;
    let end = DateTime::parse_from_rfc3339(&key.expires_at)
        .map_err(|_| Error::decode("the expires_at of the key is no date of RFC 3339"))?;
    let now: DateTime<Utc> = clock.now().into();
    let lifetime = end.signed_duration_since(now).to_std().unwrap_or_default();
    if lifetime.is_zero() {
        return Err(Error::decode(format!(
            "the key ended at {}, and this machine's clock says {}",
            date(end.to_utc()),
            date(now)
        )));
    }
    let credentials = Credentials {
        access_key: key.access,
        secret_key: key.secret,
        security_token: Some(key.securitytoken),
        domain_id: domain_id.cloned(),
    };
    Ok(NewToken {
        value: credentials.checked().map_err(|error| Error::decode(error.message()))?,
        lifetime: Some(lifetime),
    })
}

/// Reads a failure: text.
fn parse_error(response: &ApiResponse) -> ErrorResponse {
    let message = if response.body.contains(NO_AGENCY) {
        Some(format!("this server has no agency ({NO_AGENCY})"))
    } else {
        response.body.plain_text()
    };
    ErrorResponse { message, ..ErrorResponse::default() }
}

#[cfg(test)]
mod tests {
    use std::time::{SystemTime, UNIX_EPOCH};

    use bytes::Bytes;
    use futures::{FutureExt, future::BoxFuture, future::join_all};
    use http::{Request, Response};

    use super::*;
    use crate::{
        Retryability,
        http::{Transport, TransportError, TransportErrorKind},
    };

    const PATH: &str = "/openstack/latest/securitykey";

    /// Answers a request, which is told as `METHOD path [token]`: a status and a body, or nothing at all.
    type Script = fn(&Scripted, &str) -> Option<(u16, String)>;

    /// A metadata service in virtual time that answers as a test says.
    #[derive(Clone)]
    struct Scripted(Arc<Shared>);

    struct Shared {
        script: Script,
        began: Instant,
        asked: Mutex<Vec<String>>,
        /// Seconds that a key lives.
        life: u64,
    }

    impl Scripted {
        fn new(life: u64, script: Script) -> Self {
            Self(Arc::new(Shared { script, began: Instant::now(), asked: Mutex::default(), life }))
        }

        fn now(&self) -> SystemTime {
            UNIX_EPOCH + Duration::from_secs(1_700_000_000) + self.0.began.elapsed()
        }

        /// A key named after the number of the request that it answers.
        fn key(&self) -> (u16, String) {
            let end: DateTime<Utc> = (self.now() + Duration::from_secs(self.0.life)).into();
            let number = self.0.asked.lock().unwrap().len();
            let end = end.format("%Y-%m-%dT%H:%M:%S%.6fZ");
            let key = format!(
                r#"{{"credential":{{"access":"AK{number}","secret":"canary-secret","securitytoken":"canary-token","expires_at":"{end}","x":1}}}}"#
            );
            (200, key)
        }

        fn open(&self) -> Arc<Metadata> {
            let mut options = ClientOptions::new(ENDPOINT);
            options.transport = Some(Arc::new(self.clone()));
            let this = self.clone();
            options.clock = Clock::new(move || this.now());
            let mut chain = CredentialChain::default();
            let nothing = crate::auth::Lookup::<()>::Missing("not set".into());
            chain.try_source("the environment", Ok(nothing)).unwrap();
            Arc::new(Metadata::with(options, Some("domain".into()), chain).unwrap())
        }

        fn asked(&self) -> Vec<String> {
            self.0.asked.lock().unwrap().clone()
        }

        /// How long it has run.
        fn age(&self) -> Duration {
            self.0.began.elapsed()
        }

        fn keys_asked(&self) -> usize {
            self.asked().iter().filter(|asked| asked.contains(PATH)).count()
        }
    }

    impl Transport for Scripted {
        fn send(
            &self,
            request: Request<Bytes>,
            _: usize,
        ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
            async move {
                assert_eq!(request.uri().host(), Some("169.254.169.254"));
                let token = request.headers().get(TOKEN).map(|token| token.to_str().unwrap());
                let path = request.uri().path();
                let asked = format!("{} {path} {}", request.method(), token.unwrap_or("-"));
                self.0.asked.lock().unwrap().push(asked.clone());
                tokio::time::sleep(Duration::from_millis(10)).await;
                let Some((status, body)) = (self.0.script)(self, &asked) else {
                    return Err(TransportError::new(TransportErrorKind::Connect, "no route to host"));
                };
                let mut response = Response::new(Bytes::from(body));
                *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
                Ok(response)
            }
            .boxed()
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "a script")]
    fn well(service: &Scripted, asked: &str) -> Option<(u16, String)> {
        Some(if asked.starts_with("PUT") { (200, "canary-t".into()) } else { service.key() })
    }

    #[expect(clippy::unnecessary_wraps, reason = "a script")]
    fn old_service(service: &Scripted, asked: &str) -> Option<(u16, String)> {
        if asked.starts_with("PUT") {
            return Some((404, "<html>not here</html>".into()));
        }
        Some(service.key())
    }

    async fn name(metadata: &Metadata) -> String {
        metadata.key().await.unwrap().value.access_key.clone()
    }

    /// All that an error shows, with its sources; it must hold no secret.
    fn shown(error: &Error) -> String {
        let text = format!("{error} {error:?} {error:#?}");
        assert!(!text.contains("canary"), "{text}");
        error.to_string()
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_is_asked_for_with_a_token_once_for_all_who_wait() {
        let service = Scripted::new(86_400, well);
        let metadata = service.open();
        assert!(service.asked().is_empty(), "not before a request is made");
        let keys = join_all((0..100).map(|_| metadata.key())).await;
        assert!(keys.into_iter().all(|key| key.unwrap().value.access_key == "AK2"));
        assert_eq!(
            service.asked(),
            ["PUT /meta-data/latest/api/token -", "GET /openstack/latest/securitykey canary-t"]
        );
        let key = metadata.key().await.unwrap();
        assert_eq!(key.value.domain_id.as_deref(), Some("domain"));
        assert_eq!(key.value.security_token.as_ref().unwrap().expose_secret(), "canary-token");
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_key_is_asked_for_forty_minutes_before_the_end_or_at_half_life() {
        for (life, renewed) in [(86_400, 84_000), (4800, 2400), (900, 450)] {
            let service = Scripted::new(life, well);
            let metadata = service.open();
            let began = Instant::now();
            name(&metadata).await;
            tokio::time::sleep_until(began + Duration::from_secs(renewed - 1)).await;
            name(&metadata).await;
            assert_eq!(service.keys_asked(), 1, "{life}: not before it is time");
            tokio::time::sleep_until(began + Duration::from_secs(renewed + 1)).await;
            name(&metadata).await;
            assert_eq!(service.keys_asked(), 2, "{life}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_old_service_is_asked_without_a_token_and_for_a_day_not_for_one() {
        for script in [
            old_service as Script,
            |service, asked| {
                Some(if asked.starts_with("PUT") { (405, String::new()) } else { service.key() })
            },
            |service, asked| {
                Some(if asked.starts_with("PUT") { (503, String::new()) } else { service.key() })
            },
        ] {
            let service = Scripted::new(40_000, script);
            let metadata = service.open();
            let tokens = || service.asked().iter().filter(|asked| asked.starts_with("PUT")).count();
            for (hours, asked) in [(0, 1), (11, 1), (22, 1), (33, 2)] {
                tokio::time::sleep(Duration::from_secs(hours * 3600).saturating_sub(service.age())).await;
                name(&metadata).await;
                assert_eq!(tokens(), asked, "after {hours} h");
            }
            assert_eq!(service.keys_asked(), 4);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_token_is_replaced_once() {
        let service = Scripted::new(86_400, |service, asked| {
            Some(if asked.starts_with("PUT") {
                (200, format!("canary-t{}", service.asked().len()))
            } else if asked.ends_with("canary-t1") {
                (401, "token expired".into())
            } else {
                service.key()
            })
        });
        assert_eq!(name(&service.open()).await, "AK4");

        let service = Scripted::new(86_400, |_, asked| {
            Some(if asked.starts_with("PUT") {
                (200, "canary-t".into())
            } else {
                (401, "no canary-t".into())
            })
        });
        let error = service.open().key().await.err().unwrap();
        assert!(shown(&error).contains("401"), "{error}");
        assert_eq!(service.asked().len(), 4, "two tokens, two tries");
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_begins_to_want_tokens_is_given_one() {
        let service = Scripted::new(4000, |service, asked| {
            let wants = service.age() > Duration::from_secs(60);
            Some(match (asked.starts_with("PUT"), wants) {
                (true, true) => (200, "canary-t".into()),
                (true, false) => (404, String::new()),
                (false, true) if asked.ends_with('-') => (401, String::new()),
                (false, _) => service.key(),
            })
        });
        let metadata = service.open();
        name(&metadata).await;
        tokio::time::sleep(Duration::from_secs(2500)).await;
        assert_eq!(name(&metadata).await, "AK5");
    }

    #[tokio::test(start_paused = true)]
    async fn without_an_agency_it_is_said_at_once() {
        let service = Scripted::new(86_400, |_, asked| {
            let body = r#"<html>{"message": "Please configure Cloud Service Agency first."}</html>"#;
            Some(if asked.starts_with("PUT") { (200, "canary-t".into()) } else { (401, body.into()) })
        });
        let error = service.open().key().await.err().unwrap();
        assert!(shown(&error).contains("has no agency"), "{error}");
        assert_eq!(service.asked().len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn while_the_old_key_lives_a_service_that_is_down_does_no_harm() {
        let service = Scripted::new(86_400, |service, asked| {
            (service.age() < Duration::from_secs(60)).then(|| well(service, asked))?
        });
        let metadata = service.open();
        name(&metadata).await;
        tokio::time::sleep(Duration::from_secs(84_100)).await;
        assert_eq!(name(&metadata).await, "AK2");
        tokio::time::sleep(Duration::from_secs(2200)).await;
        assert_eq!(name(&metadata).await, "AK2");
        tokio::time::sleep(Duration::from_secs(200)).await;
        let error = metadata.key().await.err().unwrap();
        assert_eq!((error.kind(), error.retryability()), (ErrorKind::Auth, Retryability::Retryable));
        let text = shown(&error);
        for part in [
            "the environment: not set; the metadata service: PUT http://169.254.169.254/",
            "no route to host",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_no_key_is_an_error_that_quotes_no_secret() {
        let service = Scripted::new(0, well);
        assert!(shown(&service.open().key().await.err().unwrap()).contains("this machine's clock says"));
        let bodies: [Script; 5] = [
            |_, _| Some((200, "<html>canary</html>".into())),
            |_, asked| Some((200, if asked.starts_with("PUT") { "canary-t".into() } else { String::new() })),
            |_, _| Some((200, r#"{"credential":{"access":"canary","secret":"canary"}}"#.into())),
            |_, _| {
                Some((200, r#"{"credential":{"access":"A","secret":["canary"],"securitytoken":"canary","expires_at":"2030-01-01T00:00:00Z"}}"#.into()))
            },
            |_, _| {
                Some((200, r#"{"credential":{"access":"A","secret":" ","securitytoken":"canary","expires_at":"2030-01-01T00:00:00Z"}}"#.into()))
            },
        ];
        for script in bodies {
            let error = Scripted::new(900, script).open().key().await.err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Auth);
            shown(&error);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_has_three_seconds() {
        #[derive(Clone)]
        struct Silent;
        impl Transport for Silent {
            fn send(
                &self,
                _: Request<Bytes>,
                _: usize,
            ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
                std::future::pending().boxed()
            }
        }
        let mut options = ClientOptions::new(ENDPOINT);
        options.transport = Some(Arc::new(Silent));
        let metadata = Metadata::with(options, None, CredentialChain::default()).unwrap();
        let began = Instant::now();
        let error = metadata.key().await.err().unwrap();
        assert_eq!(began.elapsed(), Duration::from_secs(3));
        assert_eq!(error.retryability(), Retryability::Retryable);
    }

    #[test]
    fn http_leads_no_farther_than_the_link() {
        let open = |endpoint: &str| {
            Metadata::open(endpoint, &ClientOptions::new("https://x"), None, CredentialChain::default())
                .map(|_| ())
        };
        for good in [ENDPOINT, "http://169.254.1.1:8080/x", "http://127.0.0.1:1", "https://meta.example"] {
            assert!(open(good).is_ok(), "{good}");
        }
        for bad in ["http://meta.example", "http://10.0.0.1", "http://169.254.169.254.example", "ftp://x", ""]
        {
            let error = open(bad).unwrap_err();
            assert!(error.message().starts_with("the metadata endpoint:"), "{error}");
        }
    }
}
