//! Mutations are sent at most once, and an unknown outcome is reported as `MaybeApplied`.

use std::time::Duration;

use headcount::{ErrorKind, Retryability, http::RetryPolicy};
use headcount_sim::{ErrorBody, Fault, Faults, RetryAfter, SimConfig, Simulator};

use super::support::plain;
use crate::kit::{NamedRequests, PROVIDERS, ServerBehavior, Setup};

/// Returns a server of each provider, with all mutations of a client that is logged in and retries without
/// delay.
async fn cases() -> Vec<(Box<dyn Simulator>, NamedRequests)> {
    let mut cases = Vec::new();
    for provider in PROVIDERS {
        let server = provider.start(SimConfig::new().accounts(60), ServerBehavior::default()).await;
        let eager = RetryPolicy::default().backoff(Duration::ZERO, Duration::ZERO);
        let setup = Setup { all_credentials: true, ..Setup::http(plain()).retry(eager) };
        let client = provider.client(&*server, &setup);
        client.list(10).items().try_next().await.unwrap();
        let mutations = client.mutations(&provider.request_ids(&*server), "hunter22");
        assert!(!mutations.is_empty(), "{}", provider.name());
        cases.push((server, mutations));
    }
    cases
}

#[tokio::test]
async fn ambiguous_failure_is_not_retried() {
    let status = |status, body| Fault::Status { status, body, retry_after: None };
    for (fault, kind) in [
        (status(500, ErrorBody::Vendor), ErrorKind::Api),
        (status(502, ErrorBody::Html), ErrorKind::Api),
        (status(503, ErrorBody::Vendor), ErrorKind::Api),
        (status(504, ErrorBody::Empty), ErrorKind::Api),
        (status(408, ErrorBody::Empty), ErrorKind::Api),
        (Fault::ResetBeforeResponse, ErrorKind::Transport),
        (Fault::HtmlPage, ErrorKind::Decode),
    ] {
        for (server, mutations) in cases().await {
            server.set_faults(Faults::new(1).always(fault.clone()));
            let before = server.records();
            for (name, mutation) in mutations {
                server.clear_requests();
                let error = mutation.await.unwrap_err();
                let case = format!("{:?} {name}, {fault:?}: {error}", error.provider());
                assert_eq!(
                    (error.kind(), error.retryability()),
                    (kind, Retryability::MaybeApplied),
                    "{case}"
                );
                assert_eq!((server.requests().len(), error.attempts()), (1, 1), "{case}");
                assert!(error.to_string().contains("the request may have been processed"), "{case}");
            }
            assert_eq!(server.records(), before, "{fault:?}");
        }
    }
}

#[tokio::test]
async fn truncated_response_is_not_retried() {
    for (server, mutations) in cases().await {
        server.set_faults(Faults::new(1).always(Fault::ResetMidBody));
        let before = server.ids().len();
        server.clear_requests();
        let (name, creation) = mutations.into_iter().next().unwrap();
        let error = creation.await.unwrap_err();
        let case = format!("{:?} {name}: {error}", error.provider());
        assert_eq!(
            (error.kind(), error.retryability()),
            (ErrorKind::Transport, Retryability::MaybeApplied),
            "{case}"
        );
        assert_eq!((server.requests().len(), server.ids().len()), (1, before + 1), "{case}");
    }
}

#[tokio::test]
async fn throttled_mutation_is_retryable() {
    let fault = Fault::TooManyRequests { retry_after: Some(RetryAfter::Seconds(1)) };
    for (server, mutations) in cases().await {
        server.set_faults(Faults::new(1).always(fault.clone()));
        for (name, mutation) in mutations {
            server.clear_requests();
            let error = mutation.await.unwrap_err();
            let case = format!("{:?} {name}: {error}", error.provider());
            assert_eq!(
                (error.kind(), error.retryability()),
                (ErrorKind::Throttled, Retryability::Retryable),
                "{case}"
            );
            assert_eq!((server.requests().len(), error.attempts()), (1, 1), "{case}");
            assert_eq!(error.retry_after(), Some(Duration::from_secs(1)), "{case}");
        }
    }
}
