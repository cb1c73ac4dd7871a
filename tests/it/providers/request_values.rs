//! Requests as values: stored, cloned, spawned and joined.

use std::collections::BTreeSet;

use futures::{Stream, StreamExt, TryStreamExt, future::try_join_all, stream};
use headcount::{Result, huawei};
use headcount_sim as sim;

use super::support::{self, plain};
use crate::kit::{PROVIDERS, RequestIds, ServerBehavior, Setup};

/// [`PendingRequest::new`](crate::kit::PendingRequest::new) requires that a request can be spawned.
// Paused, because some of the rejected requests wait before they are sent again.
#[tokio::test(start_paused = true)]
async fn requests_outlive_client() {
    for &provider in PROVIDERS {
        let setup = Setup::over(support::Canned::new(|_, _| support::respond(404, "{}")));
        let id = uuid::Uuid::nil().to_string();
        let requests = {
            let client = provider.client_with_transport(&setup);
            client.requests(&RequestIds::all(&id), "hunter22")
        };
        let names: BTreeSet<_> = requests.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), requests.len(), "{provider}: {names:?}");
        for (name, request) in requests {
            let outcome = tokio::spawn(request.into_future()).await.unwrap();
            assert!(outcome.is_err(), "{provider}: {name}");
        }
    }
}

#[tokio::test]
async fn buffered_requests_keep_order() {
    for &provider in PROVIDERS {
        let server = provider.start(sim::SimConfig::new().accounts(9), ServerBehavior::default()).await;
        let client = provider.client(&*server, &Setup::http(plain()));
        let ids = server.ids();
        let requests = stream::iter(ids.iter().map(|id| client.get(id)));
        // With bounded concurrency.
        let received: Vec<_> = requests.buffered(4).map_ok(|account| account.id).try_collect().await.unwrap();
        assert_eq!(received, ids, "{provider}");
    }
}

#[tokio::test]
async fn spawned_requests_outlive_client() {
    let server = sim::Annature::builder().accounts(3).start().await.unwrap();
    let spawned: Vec<_> = {
        let client = support::annature(&server).build().unwrap();
        server.ids().iter().map(|id| tokio::spawn(client.get_account(id).send())).collect()
    };
    let accounts = try_join_all(spawned).await.unwrap();
    let fetched: Vec<_> = accounts.into_iter().map(|account| account.unwrap().id).collect();
    assert_eq!(fetched, server.ids());
}

#[tokio::test]
async fn cloned_request_can_be_sent_again() {
    let server = sim::Huawei::builder().accounts(1).start().await.unwrap();
    let request = support::huawei(&server).build().unwrap().get_account(server.ids().remove(0));
    let first = request.clone().send().await.unwrap();
    assert_eq!(request.send().await.unwrap().id, first.id);
    assert_eq!(server.requests().len(), 2);
}

/// An application's own stream, which captures only the client.
fn details(client: huawei::Client, ids: Vec<String>) -> impl Stream<Item = Result<huawei::Account>> + Send {
    stream::iter(ids).map(move |id| client.get_account(id).send()).buffered(2)
}

#[tokio::test]
async fn stream_of_requests_can_be_spawned() {
    let server = sim::Huawei::builder().accounts(5).start().await.unwrap();
    let stream = details(support::huawei(&server).build().unwrap(), server.ids());
    let accounts: Vec<_> = tokio::spawn(stream.try_collect::<Vec<_>>()).await.unwrap().unwrap();
    assert_eq!(accounts.len(), 5);
}
