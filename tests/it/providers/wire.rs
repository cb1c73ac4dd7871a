//! What every request of every client has, and what it has not.

use std::collections::BTreeSet;

use headcount::{Account, AnyPaginator, annature};
use headcount_sim::{Annature, Settings, Simulator};

use super::support::whole;
use crate::kit::{Habits, PROVIDERS, Setup};

/// A provider behind a gateway, and a list of it in small pages by a client with every credential.
struct Case {
    server: Box<dyn Simulator>,
    list: AnyPaginator<Account>,
}

const AGENT: &str = "app/1 (tests)";

async fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for provider in PROVIDERS {
        let settings = Settings::new().accounts(7).path_prefix("/gw/deep").record_secrets(true);
        let server = provider.start(settings, Habits::default()).await;
        let setup = Setup { agent: Some(AGENT), every_credential: true, ..Setup::default() };
        let list = provider.client(&*server, &setup).list(3);
        cases.push(Case { server, list });
    }
    cases
}

#[tokio::test]
async fn every_request_goes_below_the_prefix_and_names_crate_and_application() {
    let agent = format!("headcount/{} {AGENT}", env!("CARGO_PKG_VERSION"));
    for case in cases().await {
        assert!(!whole(case.list).await.is_empty());
        let requests = case.server.requests();
        assert!(!requests.is_empty());
        for request in requests {
            assert!(request.path().starts_with("/gw/deep/"), "{request:?}");
            assert!(!request.path().contains("//"), "{request:?}");
            assert_eq!(request.status(), Some(200), "{request:?}");
            assert_eq!(request.header("user-agent"), Some(agent.as_str()), "{request:?}");
            assert_eq!(request.header("accept"), Some("application/json"), "{request:?}");
        }
    }
}

#[tokio::test]
async fn no_credential_is_in_any_url() {
    for case in cases().await {
        whole(case.list).await;
        for request in case.server.requests() {
            let query = request.query().iter().map(|(_, value)| value.as_str());
            let url: Vec<_> = query.chain([request.path()]).collect();
            let mut secrets = case.server.secrets();
            // Tokens that were obtained on the way, too.
            let bearer = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
            secrets.extend(bearer.map(str::to_owned));
            for secret in secrets {
                assert!(!url.iter().any(|part| part.contains(&secret)), "{request:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_base_url_with_a_slash_at_its_end_is_the_same() {
    let server = Annature::builder().accounts(2).path_prefix("/gw").start().await.unwrap();
    let builder = annature::Client::builder(server.id(), server.key());
    let client = builder.base_url(format!("{}/", server.base_url())).build().unwrap();
    assert_eq!(whole(client.list_accounts()).await.len(), 2);
    assert_eq!(server.list_requests()[0].path(), "/gw/v2/accounts");
}

#[tokio::test]
async fn lists_send_all_parameters_that_are_documented_and_no_others() {
    for &provider in PROVIDERS {
        let server = provider.start(Settings::new().accounts(9), Habits::rows(2)).await;
        for list in provider.client(&*server, &Setup::default()).settable() {
            let documented: BTreeSet<_> = list.documented.split_whitespace().map(str::to_owned).collect();
            for (list, full) in [(list.full, true), (list.plain, false)] {
                server.clear_requests();
                // Whatever comes of it.
                list.run().await;
                let requests = server.requests().into_iter().filter(|request| request.method() == "GET");
                let names: BTreeSet<_> =
                    requests.flat_map(|request| request.query().to_vec()).map(|(name, _)| name).collect();
                let sent = server.requests();
                assert!(!sent.is_empty() && names.is_subset(&documented), "{provider}: {sent:?}");
                assert!(!full || names == documented, "{provider}: {documented:?}, and {sent:?}");
            }
        }
    }
}
