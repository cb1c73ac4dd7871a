//! Requests as values: made in one expression, held, spawned, joined and sent a second time.

use futures::{Stream, StreamExt, TryStreamExt, future::try_join_all, stream};
use headcount::{Result, annature, fortanix, huawei, sailpoint};
use headcount_sim as sim;
use serde_json::Map;
use uuid::Uuid;

use super::support;

/// Takes what can be spawned.
fn spawnable<T>(_: impl Future<Output = Result<T>> + Send + 'static) {}

#[test]
fn every_request_can_be_spawned_though_its_client_and_itself_are_gone() {
    let client = fortanix::Client::builder().token("t").build().unwrap();
    spawnable(client.create_account("a").send());
    spawnable(client.get_account(Uuid::nil()).send());
    spawnable(client.update_account(Uuid::nil()).send());
    spawnable(client.delete_account(Uuid::nil()).send());
    spawnable(client.get_user_accounts(Uuid::nil()).send());
    spawnable(client.remove_user_from_account(Uuid::nil()).send());
    spawnable(client.discover_auth_methods().send());
    spawnable(client.log_in().send());
    spawnable(client.refresh_session().send());
    spawnable(client.select_account(Uuid::nil()).send());
    spawnable(client.terminate_session().send());

    let client = huawei::Client::builder("ak", "sk").build().unwrap();
    spawnable(client.show_account("a").send());
    spawnable(client.create_account("a").send());
    spawnable(client.create_resource_account("a").send());
    spawnable(client.show_create_account_status("a").send());
    spawnable(client.wait_for_account("a").send());
    spawnable(client.update_account("a").send());
    spawnable(client.close_account("a").send());
    spawnable(client.remove_account("a").send());
    spawnable(client.move_account("a", "r-1", "ou-1").send());
    spawnable(client.invite_account(huawei::InviteTarget::Name("a".into()), "").send());

    let client = annature::Client::builder("id", "key").build().unwrap();
    spawnable(client.get_account("a").send());
    spawnable(client.create_account("a", "a@example.com").send());
    spawnable(client.register_account("a", "a@example.com", "b").send());
    spawnable(client.update_account("a").send());
    spawnable(client.resend_verification("a").send());
    spawnable(client.deactivate_account("a").send());
    spawnable(client.restore_account("a").send());

    let client = sailpoint::Client::builder("https://t.example").token("t").build().unwrap();
    spawnable(client.get_account("a").send());
    spawnable(client.create_account("a").send());
    spawnable(client.update_account("a").send());
    spawnable(client.put_account("a", Map::new()).send());
    spawnable(client.delete_account("a").send());
    spawnable(client.remove_account("a").send());
    spawnable(client.enable_account("a").send());
    spawnable(client.unlock_account("a").send());
    spawnable(client.reload_account("a").send());
    spawnable(client.enable_account_for_identity("a").send());
    spawnable(client.enable_accounts_for_identities(["a"]).send());
}

/// The ids of the accounts that come, a few requests at a time.
async fn ids<F, A>(requests: impl Iterator<Item = F>, id: impl Fn(A) -> String) -> Vec<String>
where
    F: Future<Output = Result<A>>,
{
    stream::iter(requests).buffered(4).map_ok(id).try_collect().await.unwrap()
}

#[tokio::test]
async fn the_details_of_many_accounts_come_in_the_order_in_which_they_were_asked_for() {
    let server = sim::Fortanix::builder().accounts(9).start().await.unwrap();
    let client = support::fortanix(&server).build().unwrap();
    let asked = server.ids();
    let requests = asked.iter().map(|id| client.get_account(Uuid::parse_str(id).unwrap()).send());
    assert_eq!(ids(requests, |account| account.acct_id.to_string()).await, asked);

    let server = sim::Huawei::builder().accounts(9).start().await.unwrap();
    let client = support::huawei(&server).build().unwrap();
    let asked = server.ids();
    let requests = asked.iter().map(|id| client.show_account(id).send());
    assert_eq!(ids(requests, |account| account.id).await, asked);

    let server = sim::Annature::builder().accounts(9).start().await.unwrap();
    let client = support::annature(&server).build().unwrap();
    let asked = server.ids();
    let requests = asked.iter().map(|id| client.get_account(id).send());
    assert_eq!(ids(requests, |account| account.id).await, asked);

    let server = sim::SailPoint::builder().accounts(9).start().await.unwrap();
    let client = support::sailpoint(&server).build().unwrap();
    let asked = server.ids();
    let requests = asked.iter().map(|id| client.get_account(id).send());
    assert_eq!(ids(requests, |account| account.id).await, asked);
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
    let request = support::huawei(&server).build().unwrap().show_account(server.ids().remove(0));
    let first = request.clone().send().await.unwrap();
    assert_eq!(request.send().await.unwrap().id, first.id);
    assert_eq!(server.requests().len(), 2);
}

/// A stream of a program's own, which must hold on to no more than the client.
fn details(client: huawei::Client, ids: Vec<String>) -> impl Stream<Item = Result<huawei::Account>> + Send {
    stream::iter(ids).map(move |id| client.show_account(id).send()).buffered(2)
}

#[tokio::test]
async fn a_stream_of_requests_can_be_given_away() {
    let server = sim::Huawei::builder().accounts(5).start().await.unwrap();
    let stream = details(support::huawei(&server).build().unwrap(), server.ids());
    let accounts: Vec<_> = tokio::spawn(stream.try_collect::<Vec<_>>()).await.unwrap().unwrap();
    assert_eq!(accounts.len(), 5);
}
