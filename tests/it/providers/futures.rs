//! Requests as values: made in one expression, held, spawned, joined and sent a second time.

use std::collections::BTreeSet;

use futures::{Stream, StreamExt, TryStreamExt, future::try_join_all, stream};
use headcount::{Result, huawei};
use headcount_sim as sim;

use super::support::{self, plain};
use crate::kit::{About, Habits, PROVIDERS, Setup};

/// That it can be spawned is what [`Unsent::new`](crate::kit::Unsent::new) takes.
#[tokio::test]
async fn every_request_can_be_spawned_though_its_client_and_itself_are_gone() {
    for &provider in PROVIDERS {
        let setup = Setup::over(support::Canned::new(|_, _| support::answer(404, "{}")));
        let id = uuid::Uuid::nil().to_string();
        let requests = {
            let client = provider.client_over(&setup);
            client.requests(&About::all(&id), "hunter22")
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
async fn the_details_of_many_accounts_come_in_the_order_in_which_they_were_asked_for() {
    for &provider in PROVIDERS {
        let server = provider.start(sim::Settings::new().accounts(9), Habits::default()).await;
        let client = provider.client(&*server, &Setup::http(plain()));
        let asked = server.ids();
        let requests = stream::iter(asked.iter().map(|id| client.get(id)));
        // A few at a time.
        let came: Vec<_> = requests.buffered(4).map_ok(|account| account.id).try_collect().await.unwrap();
        assert_eq!(came, asked, "{provider}");
    }
}

#[tokio::test]
async fn a_request_that_is_spawned_outlives_the_client_it_was_made_by() {
    let server = sim::Annature::builder().accounts(3).start().await.unwrap();
    let spawned: Vec<_> = {
        let client = support::annature(&server).build().unwrap();
        server.ids().iter().map(|id| tokio::spawn(client.get_account(id).send())).collect()
    };
    let accounts = try_join_all(spawned).await.unwrap();
    let got: Vec<_> = accounts.into_iter().map(|account| account.unwrap().id).collect();
    assert_eq!(got, server.ids());
}

#[tokio::test]
async fn a_request_can_be_kept_and_sent_again_as_a_copy() {
    let server = sim::Huawei::builder().accounts(1).start().await.unwrap();
    let request = support::huawei(&server).build().unwrap().get_account(server.ids().remove(0));
    let first = request.clone().send().await.unwrap();
    assert_eq!(request.send().await.unwrap().id, first.id);
    assert_eq!(server.requests().len(), 2);
}

/// A stream of a program's own, which must hold on to no more than the client.
fn details(client: huawei::Client, ids: Vec<String>) -> impl Stream<Item = Result<huawei::Account>> + Send {
    stream::iter(ids).map(move |id| client.get_account(id).send()).buffered(2)
}

#[tokio::test]
async fn a_stream_of_requests_can_be_given_away() {
    let server = sim::Huawei::builder().accounts(5).start().await.unwrap();
    let stream = details(support::huawei(&server).build().unwrap(), server.ids());
    let accounts: Vec<_> = tokio::spawn(stream.try_collect::<Vec<_>>()).await.unwrap().unwrap();
    assert_eq!(accounts.len(), 5);
}
