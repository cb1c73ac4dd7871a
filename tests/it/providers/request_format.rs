//! The path, headers and parameters of every request of every client.

use std::collections::BTreeSet;

use headcount::{Account, AnyPaginator, annature};
use headcount_sim::{Annature, SimConfig, Simulator};

use super::support::list_all;
use crate::kit::{PROVIDERS, ServerBehavior, Setup};

/// A provider under a path prefix, and a list with small pages by a client with all credentials.
struct Case {
    server: Box<dyn Simulator>,
    list: AnyPaginator<Account>,
}

const AGENT: &str = "app/1 (tests)";

async fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for provider in PROVIDERS {
        let settings = SimConfig::new().accounts(7).path_prefix("/gw/deep").record_secrets(true);
        let server = provider.start(settings, ServerBehavior::default()).await;
        let setup = Setup { agent: Some(AGENT), all_credentials: true, ..Setup::default() };
        let list = provider.client(&*server, &setup).list(3);
        cases.push(Case { server, list });
    }
    cases
}

#[tokio::test]
async fn prefix_and_user_agent_on_every_request() {
    let agent = format!("headcount/{} {AGENT}", env!("CARGO_PKG_VERSION"));
    for case in cases().await {
        assert!(!list_all(case.list).await.is_empty());
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
async fn no_credentials_in_urls() {
    for case in cases().await {
        list_all(case.list).await;
        for request in case.server.requests() {
            let query = request.query().iter().map(|(_, value)| value.as_str());
            let url: Vec<_> = query.chain([request.path()]).collect();
            let mut secrets = case.server.secrets();
            // Tokens obtained by the client are secrets as well.
            let bearer = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
            secrets.extend(bearer.map(str::to_owned));
            for secret in secrets {
                assert!(!url.iter().any(|part| part.contains(&secret)), "{request:?}");
            }
        }
    }
}

#[tokio::test]
async fn base_url_with_trailing_slash() {
    let server = Annature::builder().accounts(2).path_prefix("/gw").start().await.unwrap();
    let builder = annature::Client::builder().id(server.id()).key(server.key());
    let client = builder.base_url(format!("{}/", server.base_url())).build().unwrap();
    assert_eq!(list_all(client.list_accounts()).await.len(), 2);
    assert_eq!(server.list_requests()[0].path(), "/gw/v2/accounts");
}

#[tokio::test]
async fn lists_send_documented_parameters() {
    for &provider in PROVIDERS {
        let server = provider.start(SimConfig::new().accounts(9), ServerBehavior::with_page_size(2)).await;
        for list in provider.client(&*server, &Setup::default()).list_cases() {
            let documented: BTreeSet<_> = list.documented.split_whitespace().map(str::to_owned).collect();
            for (list, full) in [(list.full, true), (list.default, false)] {
                server.clear_requests();
                // The outcome does not matter.
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
