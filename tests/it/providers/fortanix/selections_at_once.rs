//! Selections, renewals and the end of a session at the same time.

use std::time::Duration;

use bytes::Bytes;
use futures::{FutureExt, StreamExt, future::BoxFuture};
use headcount::{
    ErrorKind, Paginator, fortanix,
    http::{RetryPolicy, Transport, TransportError},
};
use headcount_sim::{self as sim, ErrorBody, Fault, Faults};
use tokio::time::{advance, sleep, timeout};
use uuid::Uuid;

use crate::providers::support::{fortanix, steps, whole};

async fn server(accounts: usize) -> sim::Fortanix {
    sim::Fortanix::builder().accounts(accounts).start().await.unwrap()
}

fn id(server: &sim::Fortanix, index: usize) -> Uuid {
    Uuid::parse_str(&server.ids()[index]).unwrap()
}

/// A server's transport with slow answers: `slowness` says how many seconds an answer is under way.
#[derive(Clone)]
struct Slow {
    server: sim::InMemory,
    slowness: fn(&str) -> u64,
}

impl Transport for Slow {
    fn send(
        &self,
        request: http::Request<Bytes>,
        body_limit: usize,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        let wait = Duration::from_secs((self.slowness)(request.uri().path()));
        Box::pin(async move {
            let answer = self.server.send(request, body_limit).await;
            sleep(wait).await;
            answer
        })
    }
}

fn slow(server: &sim::Fortanix, slowness: fn(&str) -> u64) -> fortanix::Client {
    let transport = Slow { server: server.transport(), slowness };
    fortanix(server).retry(RetryPolicy::none()).transport(transport).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn of_selections_at_once_the_last_is_in_force_here_and_there() {
    let server = server(2).await;
    let client = slow(&server, |_| 1);
    let [a, b] = [id(&server, 0), id(&server, 1)];
    let (first, second) = (client.select_account(a), client.select_account(b));
    let (first, second) = tokio::join!(first.send(), second.send());
    assert_eq!(first.unwrap().selected_account_id, Some(a));
    assert_eq!(second.unwrap().selected_account_id, Some(b));
    for _ in 0..2 {
        assert_eq!(client.refresh_session().send().await.unwrap().selected_account_id, Some(b));
        server.expire_sessions();
    }
}

#[tokio::test(start_paused = true)]
async fn selections_that_fail_at_once_leave_none_behind() {
    let server = server(2).await;
    let client = slow(&server, |_| 1);
    let (first, second) = (client.select_account(Uuid::nil()), client.select_account(Uuid::max()));
    let (first, second) = tokio::join!(first.send(), second.send());
    for failed in [first, second] {
        assert_eq!(failed.unwrap_err().kind(), ErrorKind::NotFound);
    }
    server.expire_sessions();
    assert_eq!(whole(client.list_accounts()).await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_selection_that_is_given_up_takes_no_other_with_it() {
    let server = server(2).await;
    let client = slow(&server, |_| 1);
    client.log_in().send().await.unwrap();
    let wanted = id(&server, 1);
    let select = client.select_account(wanted);
    let given_up = timeout(Duration::from_millis(500), select.clone().send());
    let (given_up, made) = tokio::join!(given_up, select.send());
    assert!(given_up.is_err() && made.is_ok());
    server.expire_sessions();
    whole(client.list_accounts()).await;
    assert_eq!(client.log_in().send().await.unwrap().selected_account_id, Some(wanted));
}

#[tokio::test(start_paused = true)]
async fn after_a_selection_that_was_given_up_requests_go_where_they_went_before() {
    let server = server(2).await;
    let client = slow(&server, |_| 1);
    let [a, b] = [id(&server, 0), id(&server, 1)];
    for before in [None, Some(a)] {
        if let Some(before) = before {
            client.select_account(before).send().await.unwrap();
        }
        let given_up = client.select_account(b);
        let given_up = timeout(Duration::from_millis(500), given_up.send()).await;
        assert!(given_up.is_err(), "the server has carried it out");
        whole(client.list_accounts()).await;
        assert_eq!(client.refresh_session().send().await.unwrap().selected_account_id, before);
    }
}

/// Lists now and in three seconds: a renewal goes on while somebody waits for it, which is 5 s at most while
/// the token in use lives.
async fn list_for_eight_seconds(client: &fortanix::Client) {
    let later = async {
        sleep(Duration::from_secs(3)).await;
        whole(client.list_accounts()).await;
    };
    tokio::join!(whole(client.list_accounts()), later);
}

#[tokio::test(start_paused = true)]
async fn a_selection_during_a_refresh_holds_afterwards() {
    let server = server(2).await;
    let client = slow(&server, |path| if path.ends_with("/refresh") { 7 } else { 0 });
    let [a, b] = [id(&server, 0), id(&server, 1)];
    client.select_account(a).send().await.unwrap();
    advance(Duration::from_secs(560)).await;
    let select = client.select_account(b);
    let (info, ()) = tokio::join!(select.send(), list_for_eight_seconds(&client));
    assert_eq!(info.unwrap().selected_account_id, Some(b));
    assert_eq!(client.log_in().send().await.unwrap().selected_account_id, Some(b));
}

#[tokio::test(start_paused = true)]
async fn a_session_that_was_begun_before_a_selection_has_its_account_afterwards() {
    let down = Fault::Status { status: 500, body: ErrorBody::Empty, retry_after: None };
    let faults = Faults::new(1).on_path("/session/refresh", down);
    let server = sim::Fortanix::builder().accounts(2).faults(faults).start().await.unwrap();
    let client = slow(&server, |path| if path.contains("/select_account/") { 7 } else { 0 });
    let [a, b] = [id(&server, 0), id(&server, 1)];
    client.select_account(a).send().await.unwrap();
    advance(Duration::from_secs(560)).await;
    let select = async {
        sleep(Duration::from_secs(1)).await;
        client.select_account(b).send().await
    };
    let (info, ()) = tokio::join!(select, list_for_eight_seconds(&client));
    assert_eq!(info.unwrap().selected_account_id, Some(b));
    server.clear_requests();
    assert_eq!(client.log_in().send().await.unwrap().selected_account_id, Some(b));
    whole(client.list_accounts()).await;
    assert!(steps(&server).iter().all(|step| step == "accounts 200"), "{:?}", steps(&server));
}

#[tokio::test(start_paused = true)]
async fn a_page_that_was_begun_and_is_not_polled_keeps_no_other_request_waiting() {
    let server = server(3).await;
    let client = slow(&server, |path| if path.contains("/select_account/") { 7 } else { 0 });
    let wanted = id(&server, 0);
    client.select_account(wanted).send().await.unwrap();
    server.expire_sessions();
    let mut items = client.list_accounts().items();
    let begun = timeout(Duration::from_millis(500), items.next()).await;
    assert!(begun.is_err(), "the account is selected again");
    let other = timeout(Duration::from_secs(60), client.get_account(wanted).send()).await;
    assert_eq!(other.expect("it does not wait for who is not polled").unwrap().acct_id, wanted);
    assert_eq!(items.count().await, 3);
}

#[tokio::test(start_paused = true)]
async fn selections_that_were_begun_and_are_not_polled_are_made_in_their_order() {
    let server = server(3).await;
    let client = slow(&server, |path| if path.contains("/select_account/") { 7 } else { 0 });
    let mut begun = Vec::new();
    for index in 0..3 {
        let select = client.select_account(id(&server, index));
        let mut sending = async move { select.send().await }.boxed();
        assert!((&mut sending).now_or_never().is_none());
        begun.push(sending);
    }
    let info = timeout(Duration::from_secs(60), client.refresh_session().send()).await;
    assert_eq!(info.expect("it does not wait for them").unwrap().selected_account_id, Some(id(&server, 2)));
    for (index, sending) in begun.into_iter().enumerate() {
        assert_eq!(sending.await.unwrap().selected_account_id, Some(id(&server, index)));
    }
}
