use base64::{Engine, prelude::BASE64_STANDARD};
use headcount_sim::SimConfig;
use tracing::Level;

use super::{
    redaction::{BODY_SECRET, CASES, Output, hostile_server, request_ids},
    traces::TraceCapture,
};
use crate::kit::{PROVIDERS, Quirk, ServerBehavior, Setup};

#[tokio::test(start_paused = true)]
async fn requests_and_errors_contain_no_secret() {
    let mut output = Output::default();
    let trace = TraceCapture::default();
    let guard = trace.start(Level::TRACE);
    for case in 0..CASES {
        let mut all = 0;
        for &provider in PROVIDERS {
            let credential_cases = provider.credential_cases(&Setup::over(hostile_server(provider, case)));
            let requests = credential_cases
                .iter()
                .flat_map(|credential_case| credential_case.client.requests(&request_ids(), BODY_SECRET));
            let mut failures = 0;
            for (_, request) in requests {
                output.text += &request.debug;
                match request.await {
                    Ok(value) => output.text += &value,
                    Err(error) => {
                        failures += 1;
                        output.error(&error);
                    }
                }
            }
            assert!(failures > 5 || case >= 6, "{provider}: case {case} fails");
            all += failures;
        }
        assert!(all > 5, "case {case} fails");
    }
    drop(guard);
    assert!(trace.text().contains("request{"), "spans were captured");
    output.text += &trace.text();
    assert!(output.text.contains("[redacted]"), "echoed secrets were redacted");
    output.assert_no_secret();
}

/// Sends a list request and a mutation with a secret to each simulator. Returns what the simulators recorded,
/// and the secrets.
async fn records(record_secrets: bool) -> (String, Vec<String>) {
    let (mut recorded, mut secrets) = (String::new(), Vec::new());
    for &provider in PROVIDERS {
        let settings = SimConfig::new().accounts(60).record_secrets(record_secrets);
        let server = provider.start(settings, ServerBehavior::default()).await;
        let client = provider.client(&*server, &Setup::default());
        client.list(100).items().try_next().await.unwrap();
        let secret = format!("canary-for-{provider}");
        let create = client.mutations(&provider.request_ids(&*server), &secret).swap_remove(0).1;
        // Whether the server accepts the secret does not matter here.
        let _ = create.await;
        for request in server.requests() {
            let parts = [
                format!("{request:?} {:?} {:?}", request.query(), request.headers()),
                request.body().to_string(),
            ];
            recorded += &parts.join(" ");
        }
        secrets.push(server.secrets().swap_remove(0));
        if provider.has(Quirk::SecretParameters) {
            secrets.push(secret);
        }
    }
    (recorded, secrets)
}

#[tokio::test]
async fn simulators_record_no_secret_by_default() {
    let (recorded, secrets) = records(true).await;
    assert_eq!(
        secrets.iter().filter(|secret| !recorded.contains(*secret)).collect::<Vec<_>>(),
        [""; 0],
        "{recorded}"
    );
    assert!(secrets.iter().any(|secret| recorded.contains(&BASE64_STANDARD.encode(secret))), "{recorded}");
    let (recorded, secrets) = records(false).await;
    let is_recorded =
        |secret: &&String| recorded.contains(*secret) || recorded.contains(&BASE64_STANDARD.encode(secret));
    assert_eq!(secrets.iter().filter(is_recorded).collect::<Vec<_>>(), [""; 0], "{recorded}");
    for word in ["Bearer ", "Signature="] {
        assert!(!recorded.contains(word), "{word} is in {recorded}");
    }
}
