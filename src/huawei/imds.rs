//! Temporary keys from the instance metadata service of an elastic cloud server (ECS). They belong to the
//! agency that the server runs under.
//!
//! Source: Huawei Cloud, *ECS User Guide*, "Obtaining Metadata"; the vendor's Python and Go SDKs for the
//! refresh interval.

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

use super::signing::{Credentials, format_date};
use crate::{
    Error, ErrorKind, Result,
    auth::{CredentialChain, NewToken, RefreshMargin, Token, TokenCache, non_empty, sensitive},
    http::{
        ApiClient, ApiRequest, ApiResponse, ClientOptions, Clock, ErrorResponse, NoAuth, RetryPolicy,
        read_object,
    },
};

pub(super) const ENDPOINT: &str = "http://169.254.169.254";
/// The name used in errors.
const SOURCE: &str = "the metadata service";
/// Limits both the time to connect and the time for the whole response. Only an ECS has the service.
const TIMEOUT: Duration = Duration::from_secs(3);
const MAX_RESPONSE_BYTES: usize = 64 * 1024;
const TOKEN: HeaderName = HeaderName::from_static("x-metadata-token");
const TOKEN_TTL: HeaderName = HeaderName::from_static("x-metadata-token-ttl-seconds");
/// How long to remember that the service is version 1, which does not issue tokens.
const V1_CACHE: Duration = Duration::from_secs(24 * 60 * 60);
/// Part of a 401 that a new token does not fix.
const NO_AGENCY: &str = "Please configure Cloud Service Agency first";
/// The vendor's SDKs refresh a key 40 minutes before it expires. A key with a lifetime of less than 80
/// minutes would then be refreshed too early or on every request, so it is refreshed at half its lifetime.
const MARGIN: RefreshMargin = RefreshMargin { max: Duration::from_secs(40 * 60), divisor: 2 };

/// Provides the keys of the metadata service and refreshes them before they expire. If a refresh fails, the
/// current key is used until it expires.
pub(super) struct MetadataCredentials {
    client: Arc<MetadataClient>,
    keys: Arc<TokenCache<Credentials>>,
    chain: CredentialChain,
}

impl MetadataCredentials {
    /// Uses the service at `endpoint`, over connections of its own. They never use a proxy, because at this
    /// address a proxy would reach the metadata service of another machine.
    pub(super) fn new(
        endpoint: &str,
        client_options: &ClientOptions,
        domain_id: Option<String>,
        chain: CredentialChain,
    ) -> Result<Self> {
        let mut options = ClientOptions::new(endpoint);
        options.user_agent.clone_from(&client_options.user_agent);
        options.clock = client_options.clock.clone();
        options.http_client(http_client()?);
        Self::with_options(options, domain_id, chain)
    }

    fn with_options(
        mut options: ClientOptions,
        domain_id: Option<String>,
        chain: CredentialChain,
    ) -> Result<Self> {
        options.allow_http = is_link_local(&options.base_url);
        options.retry = RetryPolicy::none().timeouts(TIMEOUT, TIMEOUT);
        options.body_limit = MAX_RESPONSE_BYTES;
        let api = ApiClient::new(SOURCE, &options)
            .map_err(|error| Error::config(format!("the metadata endpoint: {}", error.message())))?;
        Ok(Self {
            client: Arc::new(MetadataClient { api, domain_id, v1_until: Mutex::new(None) }),
            keys: Arc::new(TokenCache::with_margin(MARGIN)),
            chain,
        })
    }

    /// Returns the account that the keys belong to, if the application has set it.
    pub(super) fn domain_id(&self) -> Option<&str> {
        self.client.domain_id.as_deref()
    }

    /// Returns the key to sign with.
    ///
    /// # Errors
    /// [`ErrorKind::Auth`] with all sources that were tried, if there is no key that is still valid.
    pub(super) async fn get(&self) -> Result<Arc<Token<Credentials>>> {
        let client = Arc::clone(&self.client);
        let key = self.keys.get(move |_| async move { client.fetch().await });
        key.await.map_err(|error| {
            Error::new(ErrorKind::Auth, self.chain.text(Some(&error.to_string())))
                .with_retryability(error.retryability())
                .with_source(error)
        })
    }
}

fn http_client() -> Result<reqwest::Client> {
    // reqwest panics without a CryptoProvider, even if only http is used.
    #[cfg(all(feature = "rustls-no-provider", not(feature = "rustls")))]
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        return Err(Error::config(
            "no default CryptoProvider: with the feature rustls-no-provider, the application must call \
             install_default() on one before building a client",
        ));
    }
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(TIMEOUT)
        .build()
        .map_err(|error| Error::config(format!("failed to build the HTTP client: {error}")))
}

/// Whether the host of a URL is a link-local IPv4 address. The service only speaks http, so http is allowed
/// for such a host, in addition to loopback.
fn is_link_local(url: &str) -> bool {
    let url = Url::parse(url.trim()).ok();
    matches!(url.as_ref().and_then(Url::host), Some(Host::Ipv4(ip)) if ip.is_link_local())
}

/// Sends the requests to the metadata service.
struct MetadataClient {
    api: ApiClient,
    domain_id: Option<String>,
    /// Until when the service is known to be version 1.
    v1_until: Mutex<Option<Instant>>,
}

impl MetadataClient {
    async fn fetch(&self) -> Result<NewToken<Credentials>> {
        let v1_until = *self.v1_until();
        let token = match v1_until {
            Some(until) if Instant::now() < until => None,
            _ => self.fetch_token().await?,
        };
        match self.fetch_key(token).await {
            // The token was rejected, or the service has started to require one.
            Err(error) if error.status() == Some(401) && !error.message().contains(NO_AGENCY) => {
                let token = self.fetch_token().await?;
                self.fetch_key(token).await
            }
            other => other,
        }
    }

    /// Fetches the token that version 2 of the service requires. Returns `None` if the service is version 1.
    async fn fetch_token(&self) -> Result<Option<SecretString>> {
        let request = ApiRequest::new(Method::PUT, "/meta-data/latest/api/token")
            .idempotent()
            .header(TOKEN_TTL, HeaderValue::from_static("21600"))
            .header(header::ACCEPT, HeaderValue::from_static("*/*"));
        let token = self.api.send(&NoAuth(parse_error), request, |response| {
            let token = response.body.plain_text().unwrap_or_default();
            non_empty(&token)?;
            Ok(SecretString::from(token))
        });
        let (token, v1_until) = match token.await {
            Ok(token) => (Some(token), None),
            Err(error) if matches!(error.status(), Some(404 | 405 | 503)) => {
                (None, Some(Instant::now() + V1_CACHE))
            }
            Err(error) => return Err(error),
        };
        *self.v1_until() = v1_until;
        Ok(token)
    }

    async fn fetch_key(&self, token: Option<SecretString>) -> Result<NewToken<Credentials>> {
        let mut request = ApiRequest::get("/openstack/latest/securitykey");
        if let Some(token) = token {
            request = request.header(TOKEN, sensitive("metadata token", token.expose_secret())?);
        }
        let read = |response: &ApiResponse| read_key(response, self.api.clock(), self.domain_id.as_ref());
        self.api.send(&NoAuth(parse_error), request, read).await
    }

    fn v1_until(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.v1_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Deserialize)]
struct KeyResponse {
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
    let KeyResponse { credential: key } = read_object(response, "a credential")?;
    let expires_at = DateTime::parse_from_rfc3339(&key.expires_at)
        .map_err(|_| Error::decode("invalid expires_at of the key; expected an RFC 3339 date"))?;
    let now: DateTime<Utc> = clock.now().into();
    let lifetime = expires_at.signed_duration_since(now).to_std().unwrap_or_default();
    if lifetime.is_zero() {
        return Err(Error::decode(format!(
            "the key expired at {}, and this machine's clock says {}",
            format_date(expires_at.to_utc()),
            format_date(now)
        )));
    }
    let credentials = Credentials {
        access_key: key.access,
        secret_key: key.secret,
        security_token: Some(key.securitytoken),
        domain_id: domain_id.cloned(),
    };
    Ok(NewToken {
        value: credentials.validated().map_err(|error| Error::decode(error.message()))?,
        lifetime: Some(lifetime),
    })
}

/// Parses an error response, which is text.
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

    /// Returns the status and body of the response to a request, given as `METHOD path token-or-dash`. `None`
    /// is a connection failure.
    type Script = fn(&MockService, &str) -> Option<(u16, String)>;

    /// A scripted metadata service in virtual time.
    #[derive(Clone)]
    struct MockService(Arc<State>);

    struct State {
        script: Script,
        started: Instant,
        requests: Mutex<Vec<String>>,
        /// Lifetime of a key in seconds.
        lifetime: u64,
    }

    impl MockService {
        fn new(lifetime: u64, script: Script) -> Self {
            Self(Arc::new(State { script, started: Instant::now(), requests: Mutex::default(), lifetime }))
        }

        fn now(&self) -> SystemTime {
            UNIX_EPOCH + Duration::from_secs(1_700_000_000) + self.0.started.elapsed()
        }

        /// A key whose access key includes the number of the request.
        fn key(&self) -> (u16, String) {
            let end: DateTime<Utc> = (self.now() + Duration::from_secs(self.0.lifetime)).into();
            let number = self.0.requests.lock().unwrap().len();
            let end = end.format("%Y-%m-%dT%H:%M:%S%.6fZ");
            let key = format!(
                r#"{{"credential":{{"access":"AK{number}","secret":"canary-secret","securitytoken":"canary-token","expires_at":"{end}","x":1}}}}"#
            );
            (200, key)
        }

        fn credentials(&self) -> Arc<MetadataCredentials> {
            let mut options = ClientOptions::new(ENDPOINT);
            options.transport = Some(Arc::new(self.clone()));
            let service = self.clone();
            options.clock = Clock::new(move || service.now());
            let mut chain = CredentialChain::default();
            let missing = crate::auth::Lookup::<()>::Missing("not set".into());
            chain.try_source("the environment", Ok(missing)).unwrap();
            Arc::new(MetadataCredentials::with_options(options, Some("domain".into()), chain).unwrap())
        }

        fn requests(&self) -> Vec<String> {
            self.0.requests.lock().unwrap().clone()
        }

        fn uptime(&self) -> Duration {
            self.0.started.elapsed()
        }

        fn key_requests(&self) -> usize {
            self.requests().iter().filter(|request| request.contains(PATH)).count()
        }
    }

    impl Transport for MockService {
        fn send(
            &self,
            request: Request<Bytes>,
            _: usize,
        ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
            async move {
                assert_eq!(request.uri().host(), Some("169.254.169.254"));
                let token = request.headers().get(TOKEN).map(|token| token.to_str().unwrap());
                let path = request.uri().path();
                let line = format!("{} {path} {}", request.method(), token.unwrap_or("-"));
                self.0.requests.lock().unwrap().push(line.clone());
                tokio::time::sleep(Duration::from_millis(10)).await;
                let Some((status, body)) = (self.0.script)(self, &line) else {
                    return Err(TransportError::new(TransportErrorKind::Connect, "no route to host"));
                };
                let mut response = Response::new(Bytes::from(body));
                *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
                Ok(response)
            }
            .boxed()
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "signature of Script")]
    fn v2(service: &MockService, request: &str) -> Option<(u16, String)> {
        Some(if request.starts_with("PUT") { (200, "canary-t".into()) } else { service.key() })
    }

    #[expect(clippy::unnecessary_wraps, reason = "signature of Script")]
    fn v1(service: &MockService, request: &str) -> Option<(u16, String)> {
        if request.starts_with("PUT") {
            return Some((404, "<html>not here</html>".into()));
        }
        Some(service.key())
    }

    async fn access_key(credentials: &MetadataCredentials) -> String {
        credentials.get().await.unwrap().value.access_key.clone()
    }

    /// Returns the text of the error. Asserts that neither it nor its sources contain a secret.
    fn redacted(error: &Error) -> String {
        let text = format!("{error} {error:?} {error:#?}");
        assert!(!text.contains("canary"), "{text}");
        error.to_string()
    }

    #[tokio::test(start_paused = true)]
    async fn concurrent_callers_share_one_fetch() {
        let service = MockService::new(86_400, v2);
        let credentials = service.credentials();
        assert!(service.requests().is_empty(), "nothing is fetched before the first request");
        let keys = join_all((0..100).map(|_| credentials.get())).await;
        assert!(keys.into_iter().all(|key| key.unwrap().value.access_key == "AK2"));
        assert_eq!(
            service.requests(),
            ["PUT /meta-data/latest/api/token -", "GET /openstack/latest/securitykey canary-t"]
        );
        let key = credentials.get().await.unwrap();
        assert_eq!(key.value.domain_id.as_deref(), Some("domain"));
        assert_eq!(key.value.security_token.as_ref().unwrap().expose_secret(), "canary-token");
    }

    #[tokio::test(start_paused = true)]
    async fn refreshes_before_expiry() {
        for (lifetime, refresh_at) in [(86_400, 84_000), (4800, 2400), (900, 450)] {
            let service = MockService::new(lifetime, v2);
            let credentials = service.credentials();
            let started = Instant::now();
            access_key(&credentials).await;
            tokio::time::sleep_until(started + Duration::from_secs(refresh_at - 1)).await;
            access_key(&credentials).await;
            assert_eq!(service.key_requests(), 1, "{lifetime}: not yet due");
            tokio::time::sleep_until(started + Duration::from_secs(refresh_at + 1)).await;
            access_key(&credentials).await;
            assert_eq!(service.key_requests(), 2, "{lifetime}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn v1_is_remembered_for_a_day() {
        for script in [
            v1 as Script,
            |service, request| {
                Some(if request.starts_with("PUT") { (405, String::new()) } else { service.key() })
            },
            |service, request| {
                Some(if request.starts_with("PUT") { (503, String::new()) } else { service.key() })
            },
        ] {
            let service = MockService::new(40_000, script);
            let credentials = service.credentials();
            let tokens = || service.requests().iter().filter(|request| request.starts_with("PUT")).count();
            for (hours, expected) in [(0, 1), (11, 1), (22, 1), (33, 2)] {
                tokio::time::sleep(Duration::from_secs(hours * 3600).saturating_sub(service.uptime())).await;
                access_key(&credentials).await;
                assert_eq!(tokens(), expected, "after {hours} h");
            }
            assert_eq!(service.key_requests(), 4);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn rejected_token_is_replaced_once() {
        let service = MockService::new(86_400, |service, request| {
            Some(if request.starts_with("PUT") {
                (200, format!("canary-t{}", service.requests().len()))
            } else if request.ends_with("canary-t1") {
                (401, "token expired".into())
            } else {
                service.key()
            })
        });
        assert_eq!(access_key(&service.credentials()).await, "AK4");

        let service = MockService::new(86_400, |_, request| {
            Some(if request.starts_with("PUT") {
                (200, "canary-t".into())
            } else {
                (401, "no canary-t".into())
            })
        });
        let error = service.credentials().get().await.err().unwrap();
        assert!(redacted(&error).contains("401"), "{error}");
        assert_eq!(service.requests().len(), 4, "two tokens, two attempts");
    }

    #[tokio::test(start_paused = true)]
    async fn upgrade_from_v1_to_v2() {
        let service = MockService::new(4000, |service, request| {
            let is_v2 = service.uptime() > Duration::from_secs(60);
            Some(match (request.starts_with("PUT"), is_v2) {
                (true, true) => (200, "canary-t".into()),
                (true, false) => (404, String::new()),
                (false, true) if request.ends_with('-') => (401, String::new()),
                (false, _) => service.key(),
            })
        });
        let credentials = service.credentials();
        access_key(&credentials).await;
        tokio::time::sleep(Duration::from_secs(2500)).await;
        assert_eq!(access_key(&credentials).await, "AK5");
    }

    #[tokio::test(start_paused = true)]
    async fn missing_agency_is_not_retried() {
        let service = MockService::new(86_400, |_, request| {
            let body = r#"<html>{"message": "Please configure Cloud Service Agency first."}</html>"#;
            Some(if request.starts_with("PUT") { (200, "canary-t".into()) } else { (401, body.into()) })
        });
        let error = service.credentials().get().await.err().unwrap();
        assert!(redacted(&error).contains("has no agency"), "{error}");
        assert_eq!(service.requests().len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn outage_keeps_the_valid_key() {
        let service = MockService::new(86_400, |service, request| {
            (service.uptime() < Duration::from_secs(60)).then(|| v2(service, request))?
        });
        let credentials = service.credentials();
        access_key(&credentials).await;
        tokio::time::sleep(Duration::from_secs(84_100)).await;
        assert_eq!(access_key(&credentials).await, "AK2");
        tokio::time::sleep(Duration::from_secs(2200)).await;
        assert_eq!(access_key(&credentials).await, "AK2");
        tokio::time::sleep(Duration::from_secs(200)).await;
        let error = credentials.get().await.err().unwrap();
        assert_eq!((error.kind(), error.retryability()), (ErrorKind::Auth, Retryability::Retryable));
        let text = redacted(&error);
        for part in [
            "the environment: not set; the metadata service: PUT http://169.254.169.254/",
            "no route to host",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn invalid_keys_are_redacted_errors() {
        let service = MockService::new(0, v2);
        assert!(
            redacted(&service.credentials().get().await.err().unwrap()).contains("this machine's clock says")
        );
        let bodies: [Script; 5] = [
            |_, _| Some((200, "<html>canary</html>".into())),
            |_, request| {
                Some((200, if request.starts_with("PUT") { "canary-t".into() } else { String::new() }))
            },
            |_, _| Some((200, r#"{"credential":{"access":"canary","secret":"canary"}}"#.into())),
            |_, _| {
                Some((200, r#"{"credential":{"access":"A","secret":["canary"],"securitytoken":"canary","expires_at":"2030-01-01T00:00:00Z"}}"#.into()))
            },
            |_, _| {
                Some((200, r#"{"credential":{"access":"A","secret":" ","securitytoken":"canary","expires_at":"2030-01-01T00:00:00Z"}}"#.into()))
            },
        ];
        for script in bodies {
            let error = MockService::new(900, script).credentials().get().await.err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Auth);
            redacted(&error);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn times_out_after_three_seconds() {
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
        let credentials =
            MetadataCredentials::with_options(options, None, CredentialChain::default()).unwrap();
        let started = Instant::now();
        let error = credentials.get().await.err().unwrap();
        assert_eq!(started.elapsed(), Duration::from_secs(3));
        assert_eq!(error.retryability(), Retryability::Retryable);
    }

    #[test]
    fn http_only_on_link_local_hosts() {
        let build = |endpoint: &str| {
            let options = ClientOptions::new("https://x");
            MetadataCredentials::new(endpoint, &options, None, CredentialChain::default()).map(|_| ())
        };
        for good in [ENDPOINT, "http://169.254.1.1:8080/x", "http://127.0.0.1:1", "https://meta.example"] {
            assert!(build(good).is_ok(), "{good}");
        }
        for bad in ["http://meta.example", "http://10.0.0.1", "http://169.254.169.254.example", "ftp://x", ""]
        {
            let error = build(bad).unwrap_err();
            assert!(error.message().starts_with("the metadata endpoint:"), "{error}");
        }
    }
}
