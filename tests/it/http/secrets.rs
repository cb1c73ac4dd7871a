use std::{
    collections::HashSet,
    fmt::Write as _,
    panic::{AssertUnwindSafe, catch_unwind},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use futures::{StreamExt, TryStreamExt};
use headcount::{ErrorKind, Paginator, http::TransportErrorKind, sailpoint};
use headcount_sim::{Request, Settings};
use tracing::Level;

use super::{
    answers::{Act, Scripted, Sent, answer},
    traces::Traced,
};
use crate::kit::{ACCESS_TOKEN, About, Habits, PROVIDERS, Provider, Setup};

/// A secret in the body of a change.
pub(super) const SENT: &str = "canary-sent-secret";

/// Every secret in play; each is long and unlike anything else.
fn secrets() -> Vec<&'static str> {
    let setup = Setup::over(hostile(PROVIDERS[0], 0));
    let strangers = PROVIDERS.iter().flat_map(|provider| provider.strangers(&setup));
    let mut secrets: Vec<_> = strangers.flat_map(|stranger| stranger.secrets).chain([SENT]).collect();
    secrets.sort_unstable();
    secrets.dedup();
    secrets
}

/// What requests to a hostile server are about: an id that every provider takes.
pub(super) fn about() -> About {
    About::all("00000000-0000-0000-0000-000000000001")
}

/// What was shown anywhere.
#[derive(Default)]
pub(super) struct Shown {
    pub(super) text: String,
    /// The kinds of errors with which a program has panicked.
    panics: HashSet<ErrorKind>,
}

impl Shown {
    pub(super) fn show(&mut self, what: &(impl std::fmt::Debug + ?Sized)) {
        let _ = writeln!(self.text, "{what:?}\n{what:#?}");
    }

    pub(super) fn error(&mut self, error: &headcount::Error) {
        self.show(error);
        let mut cause: Option<&dyn std::error::Error> = Some(error);
        while let Some(error) = cause {
            let _ = writeln!(self.text, "{error}");
            self.show(error);
            cause = error.source();
        }
        if self.panics.insert(error.kind()) {
            let failed = |error: &headcount::Error| headcount::Result::<()>::Err(error.clone());
            let panic = catch_unwind(AssertUnwindSafe(|| failed(error).unwrap())).unwrap_err();
            self.text += panic.downcast_ref::<String>().expect("the text of the panic");
        }
    }

    pub(super) fn holds_no_secret(&self) {
        for secret in secrets() {
            for form in [
                secret.to_owned(),
                BASE64_STANDARD.encode(secret),
                BASE64_STANDARD.encode(format!("ada@example.com:{secret}")),
            ] {
                assert!(!self.text.contains(&form), "{form} is shown in\n{}", self.text);
            }
        }
    }
}

/// Echoes everything it was sent, as servers have been seen to do.
fn echo(sent: &Sent) -> String {
    let headers: Vec<_> =
        sent.headers.iter().map(|(name, value)| format!("{name}:{}", value.to_str().unwrap())).collect();
    format!("{} {} |{}| {}", sent.method, sent.uri, headers.join("|"), String::from_utf8_lossy(&sent.body))
}

/// The answer to a login.
fn logged_in() -> Act {
    answer(200, &[], &serde_json::json!({"access_token": ACCESS_TOKEN, "expires_in": 700}).to_string())
}

/// How many cases [`hostile`] has.
pub(super) const CASES: usize = 9;

/// Answers logins, and everything else in the way of `case`.
pub(super) fn hostile(provider: &'static dyn Provider, case: usize) -> Scripted {
    Scripted::new(move |sent| {
        if provider.is_login(sent.uri.path()) && case != 1 {
            return logged_in();
        }
        let text = serde_json::Value::from(echo(sent));
        let id = provider.sim().id_field();
        let body = match case {
            0 | 1 => {
                return answer(401, &[], &format!(r#"{{"error_code":"APIGW.0301","error_msg":{text}}}"#));
            }
            2 => {
                return answer(
                    400,
                    &[("x-request-id", "r")],
                    &format!(r#"{{"message":{text},"code":{text}}}"#),
                );
            }
            3 => return answer(403, &[], &echo(sent)),
            4 => return Act::Fail(TransportErrorKind::Connection),
            5 => {
                return answer(302, &[("location", &format!("https://evil.example/?k={ACCESS_TOKEN}"))], "");
            }
            6 => format!(r#"{{"nonsense":{text}}}"#),
            // Rows that cannot be read, by a member and by the id.
            7 => {
                let row =
                    format!(r#"{{"{id}":"a","active":{text},"disabled":{text},"status":7,"name":[{text}]}}"#);
                provider.sim().page(&[&row], None)
            }
            _ => provider.sim().page(&[&format!(r#"{{"{id}":[{text}]}}"#)], None),
        };
        answer(200, &[], &body)
    })
}

#[tokio::test(start_paused = true)]
async fn no_failure_shows_a_credential() {
    let mut shown = Shown::default();
    let traced = Traced::default();
    let listening = traced.listen(Level::TRACE);
    for &provider in PROVIDERS {
        for case in 0..CASES {
            for stranger in provider.strangers(&Setup::over(hostile(provider, case))) {
                shown.text += &stranger.builder;
                shown.show(&stranger.client);
                for list in stranger.client.lists(100) {
                    shown.show(&list);
                    let mut items = list.any().items();
                    shown.show(&items);
                    let mut failures = 0;
                    while let Some(item) = items.next().await {
                        if let Err(error) = item {
                            failures += 1;
                            shown.error(&error);
                        }
                    }
                    shown.text += &serde_json::to_string(&items.checkpoint()).unwrap();
                    shown.show(&items.checkpoint());
                    assert!(failures > 0 || case >= 6, "{provider}: case {case} fails");
                }
            }
        }
    }
    drop(listening);
    assert!(traced.text().contains("request{"), "it was listened to");
    shown.text += &traced.text();
    assert!(shown.text.contains("[redacted]"), "the servers did echo");
    shown.holds_no_secret();
}

#[tokio::test(start_paused = true)]
async fn no_failure_shows_a_credential_that_another_request_held() {
    for &provider in PROVIDERS {
        let text = format!("known are {}", secrets().join(" and "));
        let transport = Scripted::new(move |sent| {
            if provider.is_login(sent.uri.path()) {
                return logged_in();
            }
            answer(400, &[], &serde_json::json!({ "message": text }).to_string())
        });
        for stranger in provider.strangers(&Setup::over(transport.clone())) {
            let mut errors = vec![("list", stranger.client.list(100).items().try_next().await.unwrap_err())];
            for (name, request) in stranger.client.requests(&about(), "hunter22") {
                errors.push((name, request.await.unwrap_err()));
            }
            for (name, error) in errors {
                assert_eq!(error.status(), Some(400), "{provider} {name}: {error}");
                assert!(error.message().contains("[redacted]"), "{provider} {name}: {error}");
                for secret in &stranger.secrets {
                    let shown = format!("{error} {error:?}");
                    assert!(!shown.contains(secret), "{provider} {name}: {error}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_cut_or_folded_credential_is_not_shown() {
    let transport = Scripted::new(|sent| {
        let bearer = sent.headers["authorization"].to_str().unwrap();
        let (start, end) = (&bearer[..bearer.len() - 8], &bearer[bearer.len() - 8..]);
        let text = format!("cut: {start}…, …{end}; folded: {}\r\n  {}", &bearer[..15], &bearer[15..]);
        answer(400, &[("x-request-id", &bearer[7..])], &serde_json::json!({ "message": text }).to_string())
    });
    let builder = sailpoint::Client::builder("https://acme.example").token("canary-own-token");
    let client = builder.transport(transport).build().unwrap();
    let error = client.get_account("a").send().await.unwrap_err();
    assert_eq!(error.message(), "cut: Bearer [redacted]…, …[redacted]; folded: Bearer [redacted]");
    assert_eq!(error.request_id(), Some("[redacted]"));
}

#[test]
fn no_refused_setting_shows_a_credential() {
    let mut shown = Shown::default();
    for provider in PROVIDERS {
        for secret in secrets() {
            let all = provider.refused(secret);
            assert!(!all.is_empty(), "{}", provider.name());
            for refused in all {
                shown.text += &refused.builder;
                shown.error(&refused.error);
            }
        }
    }
    shown.holds_no_secret();
}

/// What came in headers that may authorise, without the words around it.
fn credentials(requests: &[Request]) -> Vec<String> {
    let harmless = ["accept", "accept-encoding", "content-length", "content-type", "host", "user-agent"];
    let headers = requests.iter().flat_map(Request::headers);
    let values = headers.filter(|(name, _)| !harmless.contains(&name.as_str())).map(|(_, value)| value);
    let words = values.flat_map(|value| value.split([' ', ',', '=']));
    words.filter(|word| word.len() > 20).map(str::to_owned).collect()
}

#[tokio::test]
async fn no_credential_is_traced_or_logged_on_a_real_connection() {
    let traced = Traced::default();
    let listening = traced.listen(Level::TRACE);
    let mut secrets = Vec::new();
    for &provider in PROVIDERS {
        let settings = Settings::new().accounts(3).record_secrets(true);
        let server = provider.start(settings, Habits::default()).await;
        let client = provider.client(&*server, &Setup::default());
        assert_eq!(client.list(100).items().count().await, 3, "{provider}");
        let seen = credentials(&server.requests());
        assert!(!seen.is_empty(), "{provider}'s simulator saw credentials");
        secrets.extend(seen.into_iter().chain(server.secrets()));
    }
    drop(listening);
    let text = traced.text();
    assert!(text.contains("reqwest") || text.contains("hyper"), "libraries below are listened to:\n{text}");
    for secret in secrets {
        assert!(!text.contains(&secret), "{secret} is in\n{text}");
        assert!(!text.contains(&BASE64_STANDARD.encode(&secret)), "{secret} is in base64 in\n{text}");
    }
}
