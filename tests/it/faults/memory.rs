//! To a server, the way in memory is as the one over sockets.

use futures::TryStreamExt;
use headcount::{ErrorKind, Paginator, Retryability, annature, http::RetryPolicy};
use headcount_sim::{self as sim, Fault, Faults};

use super::world::{SOCKETS, Way::Memory, World, passes, stays};
use crate::kit::PROVIDERS;

#[tokio::test]
async fn the_same_requests_arrive_and_are_answered_alike() {
    for &provider in PROVIDERS {
        let mut seen = Vec::new();
        for way in [SOCKETS, Memory] {
            let world = World::with(way, &Faults::none()).await;
            assert_eq!(world.walk(provider).await.ids.len(), 60, "{provider}");
            let server = world.server(provider);
            let host = server.base_url().trim_start_matches("http://").to_owned();
            let requests = server.requests().into_iter().map(|request| {
                assert_eq!(request.header("host"), Some(host.as_str()), "{provider}");
                // Only reqwest unpacks.
                let names = request.headers().iter().map(|(name, _)| name.clone());
                let mut names: Vec<_> = names.filter(|name| name != "accept-encoding").collect();
                names.sort();
                (format!("{request:?}"), names, request.body().to_owned())
            });
            seen.push(requests.collect::<Vec<_>>());
        }
        assert!(seen[0].len() >= 6, "{provider}: pages of ten");
        assert_eq!(seen[0], seen[1], "{provider}");
    }
}

#[tokio::test]
async fn what_breaks_or_is_too_large_is_told_alike() {
    for (name, fault) in [("reset", Fault::ResetBeforeAnswer), ("mid body", Fault::ResetMidBody)] {
        passes(Memory, name, fault.clone(), PROVIDERS).await;
        let told = (ErrorKind::Transport, Retryability::Exhausted, "the connection broke");
        stays(Memory, name, fault, PROVIDERS, told).await;
    }
    let large = Fault::OversizedBody { bytes: 3 * 1024 * 1024 };
    let told = (ErrorKind::Decode, Retryability::Never, "more than 1048576 bytes");
    stays(Memory, "large", large, PROVIDERS, told).await;
}

#[tokio::test]
async fn credentials_are_checked_and_a_server_that_is_gone_is_not_reached() {
    let server = sim::Annature::builder().start().await.unwrap();
    let client = |key: &str| {
        let builder = annature::Client::builder(server.id(), key).base_url(server.base_url());
        builder.transport(server.transport()).retry(RetryPolicy::none()).build().unwrap()
    };
    let (good, bad) = (client(server.key()), client("wrong"));
    let error = bad.list_accounts().items().try_next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth, "{error}");
    assert!(good.list_accounts().items().try_next().await.unwrap().is_some());
    drop(server);
    let error = good.list_accounts().items().try_next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
}
