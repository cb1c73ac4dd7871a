//! No provider's changes are made twice, and what is not known to be made is told as such.

use std::time::Duration;

use futures::TryStreamExt;
use headcount::{ErrorKind, Paginator, Retryability, http::RetryPolicy};
use headcount_sim::{ErrorBody, Fault, Faults, RetryAfter, Settings, Simulator};

use super::support::plain;
use crate::kit::{Habits, Named, PROVIDERS, Setup};

/// A server of each provider, and every request that changes something there, of a client that is logged in and would
/// try again at once.
async fn all() -> Vec<(Box<dyn Simulator>, Named)> {
    let mut all = Vec::new();
    for provider in PROVIDERS {
        let server = provider.start(Settings::new().accounts(60), Habits::default()).await;
        let eager = RetryPolicy::default().backoff(Duration::ZERO, Duration::ZERO);
        let setup = Setup { every_credential: true, ..Setup::http(plain()).retry(eager) };
        let client = provider.client(&*server, &setup);
        client.list(10).items().try_next().await.unwrap();
        let changes = client.changes(&provider.about(&*server), "hunter22");
        assert!(!changes.is_empty(), "{}", provider.name());
        all.push((server, changes));
    }
    all
}

#[tokio::test]
async fn a_change_that_may_have_been_carried_out_is_sent_once_and_said_to_be_uncertain() {
    let status = |status, body| Fault::Status { status, body, retry_after: None };
    for (fault, kind) in [
        (status(500, ErrorBody::Vendor), ErrorKind::Api),
        (status(502, ErrorBody::Html), ErrorKind::Api),
        (status(503, ErrorBody::Vendor), ErrorKind::Api),
        (status(504, ErrorBody::Empty), ErrorKind::Api),
        (status(408, ErrorBody::Empty), ErrorKind::Api),
        (Fault::ResetBeforeAnswer, ErrorKind::Transport),
        (Fault::HtmlOk, ErrorKind::Decode),
    ] {
        for (server, changes) in all().await {
            server.set_faults(Faults::new(1).always(fault.clone()));
            let before = server.records();
            for (name, change) in changes {
                server.clear_requests();
                let error = change.await.unwrap_err();
                let case = format!("{:?} {name}, {fault:?}: {error}", error.provider());
                assert_eq!(
                    (error.kind(), error.retryability()),
                    (kind, Retryability::MaybeApplied),
                    "{case}"
                );
                assert_eq!((server.requests().len(), error.attempts()), (1, 1), "{case}");
                assert!(error.to_string().contains("it may have been carried out"), "{case}");
            }
            assert_eq!(server.records(), before, "{fault:?}");
        }
    }
}

#[tokio::test]
async fn a_change_whose_answer_breaks_off_is_made_once_and_said_to_be_uncertain() {
    for (server, changes) in all().await {
        server.set_faults(Faults::new(1).always(Fault::ResetMidBody));
        let before = server.ids().len();
        server.clear_requests();
        let (name, creation) = changes.into_iter().next().unwrap();
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
async fn a_change_that_is_turned_away_for_haste_is_sent_once_and_safe_to_send_again() {
    let fault = Fault::TooManyRequests { retry_after: Some(RetryAfter::Seconds(1)) };
    for (server, changes) in all().await {
        server.set_faults(Faults::new(1).always(fault.clone()));
        for (name, change) in changes {
            server.clear_requests();
            let error = change.await.unwrap_err();
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
