//! A metadata service in virtual time that answers as a test says.

use std::time::{SystemTime, UNIX_EPOCH};

use futures::{FutureExt, future::BoxFuture};
use http::Response;

use super::*;
use crate::http::{Transport, TransportError, TransportErrorKind};

const PATH: &str = "/openstack/latest/securitykey";

/// Answers a request, which is told as `METHOD path [token]`: a status and a body, or nothing at all.
pub(super) type Script = fn(&Scripted, &str) -> Option<(u16, String)>;

/// A metadata service with a clock.
#[derive(Clone)]
pub(super) struct Scripted(Arc<Shared>);

struct Shared {
    script: Script,
    began: Instant,
    asked: Mutex<Vec<String>>,
    /// Seconds that a key lives.
    life: u64,
}

impl Scripted {
    pub(super) fn new(life: u64, script: Script) -> Self {
        Self(Arc::new(Shared { script, began: Instant::now(), asked: Mutex::default(), life }))
    }

    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_700_000_000) + self.0.began.elapsed()
    }

    /// A key named after the number of the request that it answers.
    pub(super) fn key(&self) -> (u16, String) {
        let end: DateTime<Utc> = (self.now() + Duration::from_secs(self.0.life)).into();
        let number = self.0.asked.lock().unwrap().len();
        let end = end.format("%Y-%m-%dT%H:%M:%S%.6fZ");
        let key = format!(
            r#"{{"credential":{{"access":"AK{number}","secret":"canary-secret","securitytoken":"canary-token","expires_at":"{end}","x":1}}}}"#
        );
        (200, key)
    }

    pub(super) fn open(&self) -> Arc<Metadata> {
        let mut settings = Settings::new(ENDPOINT);
        settings.transport = Some(Arc::new(self.clone()));
        let this = self.clone();
        settings.clock = Clock::new(move || this.now());
        let mut in_vain = InVain::default();
        let nothing = crate::auth::Asked::<()>::Nothing("not set".into());
        in_vain.ask("the environment", Ok(nothing)).unwrap();
        Arc::new(Metadata::with(settings, Some("domain".into()), in_vain).unwrap())
    }

    pub(super) fn asked(&self) -> Vec<String> {
        self.0.asked.lock().unwrap().clone()
    }

    /// How long it has run.
    pub(super) fn age(&self) -> Duration {
        self.0.began.elapsed()
    }

    pub(super) fn keys_asked(&self) -> usize {
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
            let mut answer = Response::new(Bytes::from(body));
            *answer.status_mut() = http::StatusCode::from_u16(status).unwrap();
            Ok(answer)
        }
        .boxed()
    }
}
