//! In-memory connections behave like sockets.

use headcount::{ErrorKind, Retryability, annature, http::RetryPolicy};
use headcount_sim::{self as sim, Fault, Faults};

use super::support::{Connection::InMemory, Fixture, SOCKETS, assert_fails, assert_recovers};
use crate::kit::PROVIDERS;

#[tokio::test]
async fn server_receives_same_requests() {
    for &provider in PROVIDERS {
        let mut received = Vec::new();
        for connection in [SOCKETS, InMemory] {
            let fixture = Fixture::new(connection, &Faults::none()).await;
            assert_eq!(fixture.list_all(provider).await.ids.len(), 60, "{provider}");
            let server = fixture.server(provider);
            let host = server.base_url().trim_start_matches("http://").to_owned();
            let requests = server.requests().into_iter().map(|request| {
                assert_eq!(request.header("host"), Some(host.as_str()), "{provider}");
                // Only reqwest decompresses.
                let names = request.headers().iter().map(|(name, _)| name.clone());
                let mut names: Vec<_> = names.filter(|name| name != "accept-encoding").collect();
                names.sort();
                (format!("{request:?}"), names, request.body().to_owned())
            });
            received.push(requests.collect::<Vec<_>>());
        }
        assert!(received[0].len() >= 6, "{provider}: pages of ten");
        assert_eq!(received[0], received[1], "{provider}");
    }
}

#[tokio::test(start_paused = true)]
async fn failures_are_reported_alike() {
    for (name, fault) in [("reset", Fault::ResetBeforeResponse), ("mid body", Fault::ResetMidBody)] {
        assert_recovers(InMemory, name, fault.clone(), PROVIDERS).await;
        let expected = (ErrorKind::Transport, Retryability::Exhausted, "connection closed");
        assert_fails(InMemory, name, fault, PROVIDERS, expected).await;
    }
    let large = Fault::OversizedBody { bytes: 3 * 1024 * 1024 };
    let expected = (ErrorKind::Decode, Retryability::Never, "more than 1048576 bytes");
    assert_fails(InMemory, "large", large, PROVIDERS, expected).await;
}

#[tokio::test]
async fn credentials_and_shutdown_are_checked() {
    let server = sim::Annature::builder().start().await.unwrap();
    let client = |key: &str| {
        let builder = annature::Client::builder().id(server.id()).key(key).base_url(server.base_url());
        builder.transport(server.transport()).retry(RetryPolicy::none()).build().unwrap()
    };
    let (valid, invalid) = (client(server.key()), client("wrong"));
    let error = invalid.list_accounts().items().try_next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth, "{error}");
    assert!(valid.list_accounts().items().try_next().await.unwrap().is_some());
    drop(server);
    let error = valid.list_accounts().items().try_next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
}
