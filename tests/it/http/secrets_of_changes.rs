use base64::{Engine, prelude::BASE64_STANDARD};
use futures::TryStreamExt;
use headcount::Paginator;
use headcount_sim::Settings;
use tracing::Level;

use super::{
    secrets::{CASES, SENT, Shown, about, hostile},
    traces::Traced,
};
use crate::kit::{Habits, PROVIDERS, Setup, Trait};

#[tokio::test(start_paused = true)]
async fn no_request_nor_its_failure_shows_a_credential_that_it_carries() {
    let mut shown = Shown::default();
    let traced = Traced::default();
    let listening = traced.listen(Level::TRACE);
    for case in 0..CASES {
        let mut all = 0;
        for &provider in PROVIDERS {
            let strangers = provider.strangers(&Setup::over(hostile(provider, case)));
            let requests = strangers.iter().flat_map(|stranger| stranger.client.requests(&about(), SENT));
            let mut failures = 0;
            for (_, request) in requests {
                shown.text += &request.shown;
                match request.await {
                    Ok(value) => shown.text += &value,
                    Err(error) => {
                        failures += 1;
                        shown.error(&error);
                    }
                }
            }
            assert!(failures > 5 || case >= 6, "{provider}: case {case} fails");
            all += failures;
        }
        assert!(all > 5, "case {case} fails");
    }
    drop(listening);
    assert!(traced.text().contains("request{"), "it was listened to");
    shown.text += &traced.text();
    assert!(shown.text.contains("[redacted]"), "the servers did echo");
    shown.holds_no_secret();
}

/// All that the simulators keep of a list and of a change that may carry a secret, and what secrets were in them.
async fn records(record_secrets: bool) -> (String, Vec<String>) {
    let (mut kept, mut known) = (String::new(), Vec::new());
    for &provider in PROVIDERS {
        let settings = Settings::new().accounts(60).record_secrets(record_secrets);
        let server = provider.start(settings, Habits::default()).await;
        let client = provider.client(&*server, &Setup::default());
        client.list(100).items().try_next().await.unwrap();
        let secret = format!("canary-for-{provider}");
        let create = client.changes(&provider.about(&*server), &secret).swap_remove(0).1;
        // Whether the server takes the secret does not matter here.
        let _ = create.await;
        for request in server.requests() {
            let shown = [
                format!("{request:?} {:?} {:?}", request.query(), request.headers()),
                request.body().to_string(),
            ];
            kept += &shown.join(" ");
        }
        known.push(server.secrets().swap_remove(0));
        if provider.has(Trait::TakesSecrets) {
            known.push(secret);
        }
    }
    (kept, known)
}

#[tokio::test]
async fn the_simulators_keep_no_secret_in_their_records_unless_told_to() {
    let (kept, known) = records(true).await;
    assert_eq!(known.iter().filter(|secret| !kept.contains(*secret)).collect::<Vec<_>>(), [""; 0], "{kept}");
    assert!(known.iter().any(|secret| kept.contains(&BASE64_STANDARD.encode(secret))), "{kept}");
    let (kept, known) = records(false).await;
    let shows = |secret: &&String| kept.contains(*secret) || kept.contains(&BASE64_STANDARD.encode(secret));
    assert_eq!(known.iter().filter(shows).collect::<Vec<_>>(), [""; 0], "{kept}");
    for what in ["Bearer ", "Signature="] {
        assert!(!kept.contains(what), "{what} is in {kept}");
    }
}
