use std::{
    collections::HashSet,
    fmt::Write as _,
    panic::{AssertUnwindSafe, catch_unwind},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use futures::StreamExt;
use headcount::{ErrorKind, http::TransportErrorKind, sailpoint};
use headcount_sim::{Request, SimConfig};
use tracing::Level;

use super::{
    scripted_transport::{Outcome, ScriptedTransport, SentRequest, respond},
    traces::TraceCapture,
};
use crate::kit::{ACCESS_TOKEN, PROVIDERS, Provider, RequestIds, ServerBehavior, Setup};

/// A secret in the body of a mutation.
pub(super) const BODY_SECRET: &str = "canary-sent-secret";

/// Returns every secret in use. Each is long and does not occur by chance.
fn secrets() -> Vec<&'static str> {
    let setup = Setup::over(hostile_server(PROVIDERS[0], 0));
    let cases = PROVIDERS.iter().flat_map(|provider| provider.credential_cases(&setup));
    let mut secrets: Vec<_> = cases.flat_map(|case| case.secrets).chain([BODY_SECRET]).collect();
    secrets.sort_unstable();
    secrets.dedup();
    secrets
}

/// Returns the ids in requests to a hostile server. Every provider accepts them.
pub(super) fn request_ids() -> RequestIds {
    RequestIds::all("00000000-0000-0000-0000-000000000001")
}

/// Everything that was displayed, logged or serialized.
#[derive(Default)]
pub(super) struct Output {
    pub(super) text: String,
    /// The kinds of errors that were already unwrapped in a panic.
    panics: HashSet<ErrorKind>,
}

impl Output {
    pub(super) fn debug(&mut self, value: &(impl std::fmt::Debug + ?Sized)) {
        let _ = writeln!(self.text, "{value:?}\n{value:#?}");
    }

    pub(super) fn error(&mut self, error: &headcount::Error) {
        self.debug(error);
        let mut cause: Option<&dyn std::error::Error> = Some(error);
        while let Some(error) = cause {
            let _ = writeln!(self.text, "{error}");
            self.debug(error);
            cause = error.source();
        }
        if self.panics.insert(error.kind()) {
            let failed = |error: &headcount::Error| headcount::Result::<()>::Err(error.clone());
            let panic = catch_unwind(AssertUnwindSafe(|| failed(error).unwrap())).unwrap_err();
            self.text += panic.downcast_ref::<String>().expect("the text of the panic");
        }
    }

    pub(super) fn assert_no_secret(&self) {
        for secret in secrets() {
            for form in [
                secret.to_owned(),
                BASE64_STANDARD.encode(secret),
                BASE64_STANDARD.encode(format!("ada@example.com:{secret}")),
            ] {
                assert!(!self.text.contains(&form), "{form} is in\n{}", self.text);
            }
        }
    }
}

/// Returns everything in the request. Servers have been observed to echo such texts.
fn echo(sent: &SentRequest) -> String {
    let headers: Vec<_> =
        sent.headers.iter().map(|(name, value)| format!("{name}:{}", value.to_str().unwrap())).collect();
    format!("{} {} |{}| {}", sent.method, sent.uri, headers.join("|"), String::from_utf8_lossy(&sent.body))
}

/// Returns the response to a login.
fn login_response() -> Outcome {
    respond(200, &[], &serde_json::json!({"access_token": ACCESS_TOKEN, "expires_in": 700}).to_string())
}

/// The number of cases of [`hostile_server`].
pub(super) const CASES: usize = 9;

/// Returns a transport that echoes requests in its responses, in the form number `case`. Logins succeed,
/// except in case 1.
pub(super) fn hostile_server(provider: &'static dyn Provider, case: usize) -> ScriptedTransport {
    ScriptedTransport::new(move |sent| {
        if provider.is_login(sent.uri.path()) && case != 1 {
            return login_response();
        }
        let text = serde_json::Value::from(echo(sent));
        let id = provider.sim().id_field();
        let body = match case {
            0 | 1 => {
                return respond(401, &[], &format!(r#"{{"error_code":"APIGW.0301","error_msg":{text}}}"#));
            }
            2 => {
                return respond(
                    400,
                    &[("x-request-id", "r")],
                    &format!(r#"{{"message":{text},"code":{text}}}"#),
                );
            }
            3 => return respond(403, &[], &echo(sent)),
            4 => return Outcome::Fail(TransportErrorKind::Connection),
            5 => {
                return respond(302, &[("location", &format!("https://evil.example/?k={ACCESS_TOKEN}"))], "");
            }
            6 => format!(r#"{{"nonsense":{text}}}"#),
            // Invalid rows: by a member, and by the id.
            7 => {
                let row =
                    format!(r#"{{"{id}":"a","active":{text},"disabled":{text},"status":7,"name":[{text}]}}"#);
                provider.sim().page(&[&row], None)
            }
            _ => provider.sim().page(&[&format!(r#"{{"{id}":[{text}]}}"#)], None),
        };
        respond(200, &[], &body)
    })
}

#[tokio::test(start_paused = true)]
async fn list_errors_contain_no_secret() {
    let mut output = Output::default();
    let trace = TraceCapture::default();
    let guard = trace.start(Level::TRACE);
    for &provider in PROVIDERS {
        for case in 0..CASES {
            for credential_case in provider.credential_cases(&Setup::over(hostile_server(provider, case))) {
                output.text += &credential_case.builder;
                output.debug(&credential_case.client);
                for list in credential_case.client.lists(100) {
                    output.debug(&list);
                    let mut items = list.any().items();
                    output.debug(&items);
                    let mut failures = 0;
                    while let Some(item) = items.next().await {
                        if let Err(error) = item {
                            failures += 1;
                            output.error(&error);
                        }
                    }
                    output.text += &serde_json::to_string(&items.checkpoint()).unwrap();
                    output.debug(&items.checkpoint());
                    assert!(failures > 0 || case >= 6, "{provider}: case {case} fails");
                }
            }
        }
    }
    drop(guard);
    assert!(trace.text().contains("request{"), "spans were captured");
    output.text += &trace.text();
    assert!(output.text.contains("[redacted]"), "echoed secrets were redacted");
    output.assert_no_secret();
}

#[tokio::test(start_paused = true)]
async fn errors_redact_secrets_of_other_requests() {
    for &provider in PROVIDERS {
        let text = format!("known secrets: {}", secrets().join(" and "));
        let transport = ScriptedTransport::new(move |sent| {
            if provider.is_login(sent.uri.path()) {
                return login_response();
            }
            respond(400, &[], &serde_json::json!({ "message": text }).to_string())
        });
        for credential_case in provider.credential_cases(&Setup::over(transport.clone())) {
            let mut errors =
                vec![("list", credential_case.client.list(100).items().try_next().await.unwrap_err())];
            for (name, request) in credential_case.client.requests(&request_ids(), "hunter22") {
                errors.push((name, request.await.unwrap_err()));
            }
            for (name, error) in errors {
                assert_eq!(error.status(), Some(400), "{provider} {name}: {error}");
                assert!(error.message().contains("[redacted]"), "{provider} {name}: {error}");
                for secret in &credential_case.secrets {
                    let debug = format!("{error} {error:?}");
                    assert!(!debug.contains(secret), "{provider} {name}: {error}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn truncated_or_folded_secret_is_redacted() {
    let transport = ScriptedTransport::new(|sent| {
        let bearer = sent.headers["authorization"].to_str().unwrap();
        let (start, end) = (&bearer[..bearer.len() - 8], &bearer[bearer.len() - 8..]);
        let text = format!("cut: {start}…, …{end}; folded: {}\r\n  {}", &bearer[..15], &bearer[15..]);
        respond(400, &[("x-request-id", &bearer[7..])], &serde_json::json!({ "message": text }).to_string())
    });
    let builder = sailpoint::Client::builder().base_url("https://acme.example").token("canary-own-token");
    let client = builder.transport(transport).build().unwrap();
    let error = client.get_account("a").send().await.unwrap_err();
    assert_eq!(error.message(), "cut: Bearer [redacted]…, …[redacted]; folded: Bearer [redacted]");
    assert_eq!(error.request_id(), Some("[redacted]"));
}

#[tokio::test(start_paused = true)]
async fn login_repeated_by_another_response_is_redacted() {
    let basic = BASE64_STANDARD.encode("ada@example.com:canary-password");
    let transport = ScriptedTransport::new({
        let basic = basic.clone();
        move |sent| match sent.uri.path() {
            "/v1/sys/auth" => respond(200, &[], r#"{"access_token":"canary-token"}"#),
            _ => respond(403, &[], &format!(r#"{{"message":"not for {basic} with canary-password"}}"#)),
        }
    });
    let builder = headcount::fortanix::Client::builder().password("ada@example.com", "canary-password");
    let client = builder.transport(transport).build().unwrap();
    let error = client.list_accounts().items().collect_complete().await.unwrap_err();
    assert_eq!(error.message(), "not for [redacted] with [redacted]");
}

#[test]
fn builder_errors_contain_no_secret() {
    let mut output = Output::default();
    for provider in PROVIDERS {
        for secret in secrets() {
            let all = provider.rejected_builders(secret);
            assert!(!all.is_empty(), "{}", provider.name());
            for refused in all {
                output.text += &refused.builder;
                output.error(&refused.error);
            }
        }
    }
    output.assert_no_secret();
}

/// Returns the credentials in the requests' headers: words of more than 20 characters in all but harmless
/// headers.
fn credentials(requests: &[Request]) -> Vec<String> {
    let harmless = ["accept", "accept-encoding", "content-length", "content-type", "host", "user-agent"];
    let headers = requests.iter().flat_map(Request::headers);
    let values = headers.filter(|(name, _)| !harmless.contains(&name.as_str())).map(|(_, value)| value);
    let words = values.flat_map(|value| value.split([' ', ',', '=']));
    words.filter(|word| word.len() > 20).map(str::to_owned).collect()
}

#[tokio::test]
async fn real_connection_logs_no_secret() {
    let trace = TraceCapture::default();
    let guard = trace.start(Level::TRACE);
    let mut secrets = Vec::new();
    for &provider in PROVIDERS {
        let settings = SimConfig::new().accounts(3).record_secrets(true);
        let server = provider.start(settings, ServerBehavior::default()).await;
        let client = provider.client(&*server, &Setup::default());
        assert_eq!(client.list(100).items().count().await, 3, "{provider}");
        let received = credentials(&server.requests());
        assert!(!received.is_empty(), "{provider}'s simulator received credentials");
        secrets.extend(received.into_iter().chain(server.secrets()));
    }
    drop(guard);
    let text = trace.text();
    assert!(text.contains("reqwest") || text.contains("hyper"), "logs of libraries were captured:\n{text}");
    for secret in secrets {
        assert!(!text.contains(&secret), "{secret} is in\n{text}");
        assert!(!text.contains(&BASE64_STANDARD.encode(&secret)), "{secret} is in base64 in\n{text}");
    }
}
