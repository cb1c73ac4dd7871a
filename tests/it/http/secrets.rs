use std::{
    collections::HashSet,
    fmt::Write as _,
    panic::{AssertUnwindSafe, catch_unwind},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use futures::{StreamExt, TryStreamExt};
use headcount::{ErrorKind, Paginator, annature, fortanix, http::TransportErrorKind, huawei, sailpoint};
use headcount_sim as sim;
use tracing::Level;

use super::{
    answers::{Act, Scripted, Sent, answer},
    traces::Traced,
};

/// Every secret in play; each is long and unlike anything else.
pub(super) const SECRETS: [&str; 14] = [
    "canary-password-1",
    "canary-secret-key-2",
    "canary-security-token-3",
    "canary-annature-key-4",
    "canary-partner-key-5",
    "canary-client-secret-6",
    "canary-access-token-7",
    "canary-given-token-8",
    "canary-oauth-code-9",
    "canary-idp-secret-10",
    "canary-private-key-11",
    "canary-new-password-12",
    "canary-new-key-13",
    "canary-attribute-14",
];

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
        for secret in SECRETS {
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

/// Answers logins, and everything else in the way of `case`.
pub(super) fn hostile(case: usize) -> Scripted {
    Scripted::new(move |sent| {
        let login = sent.uri.path().ends_with("/oauth/token") || sent.uri.path().ends_with("/sys/auth");
        let text = serde_json::Value::from(echo(sent));
        if login && case != 1 {
            return answer(200, &[], r#"{"access_token":"canary-access-token-7","expires_in":700}"#);
        }
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
            4 => return Act::Fail(TransportErrorKind::Broken),
            5 => {
                return answer(302, &[("location", "https://evil.example/?k=canary-access-token-7")], "");
            }
            6 => format!(r#"{{"nonsense":{text}}}"#),
            7 => format!(r#"[{{"id":"a","disabled":{text}}}]"#),
            _ => format!(
                r#"{{"accounts":[{{"id":"a","active":{text},"status":7}}],"items":[{{"acct_id":{text}}}],
                    "page_info":{{"next_marker":null}},"has_more":false}}"#
            ),
        };
        answer(200, &[], &body)
    })
}

#[tokio::test(start_paused = true)]
async fn no_failure_shows_a_credential() {
    let mut shown = Shown::default();
    let traced = Traced::default();
    let listening = traced.listen(Level::TRACE);
    for case in 0..9 {
        let transport = hostile(case);
        macro_rules! drive {
            ($($builder:expr),+) => {$(
                let builder = $builder.transport(transport.clone());
                shown.show(&builder);
                let client = builder.build().unwrap();
                shown.show(&client);
                let list = client.list_accounts();
                shown.show(&list);
                let mut items = list.items();
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
                assert!(failures > 0 || case >= 6, "case {case} fails");
            )+};
        }
        drive!(
            fortanix::Client::builder().password("ada@example.com", SECRETS[0]),
            fortanix::Client::builder().token(SECRETS[7]),
            huawei::Client::builder("AK", SECRETS[1]).security_token(SECRETS[2]),
            annature::Client::builder("id", SECRETS[3]).partner_key(SECRETS[4]),
            sailpoint::Client::builder("https://acme.example").client_credentials("id", SECRETS[5]),
            sailpoint::Client::builder("https://acme.example").token(SECRETS[7])
        );
    }
    drop(listening);
    assert!(traced.text().contains("request{"), "it was listened to");
    shown.text += &traced.text();
    assert!(shown.text.contains("[redacted]"), "the servers did echo");
    shown.holds_no_secret();
}

#[tokio::test(start_paused = true)]
async fn no_failure_shows_a_credential_that_another_request_held() {
    let text = format!("known are {}", SECRETS.join(" and "));
    let transport = Scripted::new(move |sent| {
        let path = sent.uri.path();
        if path.ends_with("/oauth/token") || path.ends_with("/sys/auth") {
            return answer(200, &[], r#"{"access_token":"canary-access-token-7","expires_in":700}"#);
        }
        answer(400, &[], &serde_json::json!({ "message": text }).to_string())
    });
    let password = fortanix::Client::builder().password("ada@example.com", SECRETS[0]);
    let key = huawei::Client::builder("AK", SECRETS[1]);
    let secret = sailpoint::Client::builder("https://acme.example").client_credentials("id", SECRETS[5]);
    let password = password.transport(transport.clone()).build().unwrap();
    let lists = [
        (SECRETS[0], password.list_accounts().into_accounts()),
        (SECRETS[1], key.transport(transport.clone()).build().unwrap().list_accounts().into_accounts()),
        (SECRETS[5], secret.transport(transport).build().unwrap().list_accounts().into_accounts()),
    ];
    let mut errors = Vec::new();
    for (secret, list) in lists {
        errors.push((secret, list.items().try_collect::<Vec<_>>().await.unwrap_err()));
    }
    errors.push((SECRETS[0], password.select_account(uuid::Uuid::nil()).send().await.unwrap_err()));
    errors.push((SECRETS[0], password.refresh_session().send().await.unwrap_err()));
    errors.push((SECRETS[0], password.terminate_session().send().await.unwrap_err()));
    let discovery = password.discover_auth_methods().send().await.unwrap_err();
    errors.extend([SECRETS[0], SECRETS[6]].map(|secret| (secret, discovery.clone())));
    for (secret, error) in errors {
        assert_eq!(error.status(), Some(400));
        assert!(error.message().contains("[redacted]"), "{error}");
        assert!(!format!("{error} {error:?}").contains(secret), "{error}");
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
    let builder = sailpoint::Client::builder("https://acme.example").token(SECRETS[7]).transport(transport);
    let error = builder.build().unwrap().get_account("a").send().await.unwrap_err();
    assert_eq!(error.message(), "cut: Bearer [redacted]…, …[redacted]; folded: Bearer [redacted]");
    assert_eq!(error.request_id(), Some("[redacted]"));
}

#[test]
fn no_refused_setting_shows_a_credential() {
    let mut shown = Shown::default();
    for secret in SECRETS {
        let odd = format!("{secret}\n\u{1F511}");
        for error in [
            fortanix::Client::builder().token(odd.as_str()).base_url("ftp://x").build().unwrap_err(),
            fortanix::Client::builder().password("a:b", secret).build().unwrap_err(),
            huawei::Client::builder("", secret).build().unwrap_err(),
            annature::Client::builder("id", odd.as_str()).build().unwrap_err(),
            annature::Client::builder("id", "k").partner_key(odd.as_str()).build().unwrap_err(),
            sailpoint::Client::builder(format!("https://u:{secret}@acme.example"))
                .token("t")
                .build()
                .unwrap_err(),
            sailpoint::Client::builder("").client_credentials("id", secret).build().unwrap_err(),
        ] {
            shown.error(&error);
        }
        let url = format!("https://u:{secret}@acme.example/?key={secret}");
        shown.show(&sailpoint::Client::builder(url).token(secret));
    }
    shown.holds_no_secret();
}

/// What came in the headers that authorise, without the words around it.
fn credentials(requests: &[headcount_sim::Request]) -> Vec<String> {
    let names =
        ["authorization", "authentication", "x-annature-key", "x-annature-partner", "x-security-token"];
    let values = names.iter().flat_map(|name| requests.iter().filter_map(|request| request.header(name)));
    let words = values.flat_map(|value| value.split([' ', ',', '=']));
    words.filter(|word| word.len() > 20).map(str::to_owned).collect()
}

#[tokio::test]
async fn no_credential_is_traced_or_logged_on_a_real_connection() {
    let traced = Traced::default();
    let listening = traced.listen(Level::TRACE);
    let fortanix = sim::Fortanix::builder().accounts(3).record_secrets(true).start().await.unwrap();
    let huawei = sim::Huawei::builder().accounts(3).record_secrets(true).start().await.unwrap();
    let annature = sim::Annature::builder().accounts(3).record_secrets(true).start().await.unwrap();
    let sailpoint = sim::SailPoint::builder().accounts(3).record_secrets(true).start().await.unwrap();
    let client = fortanix::Client::builder().base_url(fortanix.base_url());
    let client = client.password(fortanix.email(), fortanix.password()).build().unwrap();
    assert_eq!(client.list_accounts().items().count().await, 3);
    let client = huawei::Client::builder(huawei.ak(), huawei.sk()).endpoint(huawei.base_url());
    assert_eq!(client.build().unwrap().list_accounts().items().count().await, 3);
    let client = annature::Client::builder(annature.id(), annature.key()).base_url(annature.base_url());
    assert_eq!(client.build().unwrap().list_accounts().items().count().await, 3);
    let client = sailpoint::Client::builder(sailpoint.base_url());
    let client = client.client_credentials(sailpoint.client_id(), sailpoint.client_secret()).build().unwrap();
    assert_eq!(client.list_accounts().items().count().await, 3);
    drop(listening);
    let requests =
        [fortanix.requests(), huawei.requests(), annature.requests(), sailpoint.requests()].concat();
    let mut secrets = credentials(&requests);
    assert!(secrets.len() >= 6, "the simulators saw credentials");
    secrets.extend(
        [fortanix.password(), huawei.sk(), annature.key(), sailpoint.client_secret()].map(str::to_owned),
    );
    let text = traced.text();
    assert!(text.contains("reqwest") || text.contains("hyper"), "libraries below are listened to:\n{text}");
    for secret in secrets {
        assert!(!text.contains(&secret), "{secret} is in\n{text}");
        assert!(!text.contains(&BASE64_STANDARD.encode(&secret)), "{secret} is in base64 in\n{text}");
    }
}
