//! Sessions over a transport that does not carry every request.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures::future::BoxFuture;
use headcount::{
    ErrorKind,
    fortanix::{self, OauthCode},
    http::{Transport, TransportError, TransportErrorKind},
};
use headcount_sim as sim;
use http::Method;
use tokio::time::{Instant, advance};
use uuid::Uuid;

use crate::providers::support::{answer, fortanix, refusal, steps, whole};

/// Where a request goes.
enum Way {
    Through,
    /// To nobody: it is answered 401.
    Refused,
    /// To nobody: there is no connection.
    Unconnected,
    /// To where no answer comes from.
    Hanging,
}

/// A server's transport with a way for each request.
struct Detour<F> {
    server: sim::InMemory,
    way: F,
}

impl<F> Transport for Detour<F>
where
    F: Fn(&http::Request<Bytes>) -> Way + Send + Sync + 'static,
{
    fn send(
        &self,
        request: http::Request<Bytes>,
        body_limit: usize,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        match (self.way)(&request) {
            Way::Through => self.server.send(request, body_limit),
            Way::Refused => Box::pin(async { Ok(answer(401, "Try again")) }),
            Way::Unconnected => {
                let error = TransportError::new(TransportErrorKind::Connect, "no connection");
                Box::pin(async { Err(error) })
            }
            Way::Hanging => Box::pin(pending()),
        }
    }
}

async fn server() -> sim::Fortanix {
    sim::Fortanix::builder().accounts(3).start().await.unwrap()
}

fn id(server: &sim::Fortanix, index: usize) -> Uuid {
    Uuid::parse_str(&server.ids()[index]).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_session_of_a_code_outlives_a_refusal_that_was_a_mistake() {
    let server = server().await;
    let stray = Arc::new(AtomicBool::new(false));
    let way = {
        let stray = Arc::clone(&stray);
        move |request: &http::Request<Bytes>| match request.uri().path() {
            "/v1/accounts" if stray.swap(false, Ordering::SeqCst) => Way::Refused,
            _ => Way::Through,
        }
    };
    let code = OauthCode::new(server.idp_id(), server.oauth_code());
    let builder = fortanix::Client::builder().base_url(server.base_url()).oauth_code(code);
    let client = builder.transport(Detour { server: server.transport(), way }).build().unwrap();
    let wanted = id(&server, 1);
    client.select_account(wanted).send().await.unwrap();
    server.clear_requests();
    for _ in 0..2 {
        stray.store(true, Ordering::SeqCst);
        let error = refusal(client.list_accounts()).await;
        assert_eq!((error.kind(), error.message()), (ErrorKind::Auth, "Try again"));
        assert_eq!(whole(client.list_accounts()).await.len(), 3);
        assert_eq!(steps(&server), ["accounts 200", "accounts 200"]);
        server.clear_requests();
    }
    assert_eq!(client.log_in().send().await.unwrap().selected_account_id, Some(wanted));

    server.expire_sessions();
    server.clear_requests();
    for _ in 0..2 {
        let error = refusal(client.list_accounts()).await;
        assert_eq!((error.kind(), error.message()), (ErrorKind::Auth, "Session has expired"));
    }
    assert_eq!(steps(&server), ["accounts 401", "accounts 401"]);
}

#[tokio::test(start_paused = true)]
async fn a_removal_that_is_sent_again_goes_to_the_account_of_its_client() {
    let server = server().await;
    let down = AtomicBool::new(true);
    let way = move |request: &http::Request<Bytes>| match *request.method() {
        Method::DELETE if down.swap(false, Ordering::SeqCst) => Way::Unconnected,
        _ => Way::Through,
    };
    let client = fortanix(&server).transport(Detour { server: server.transport(), way }).build().unwrap();
    let [a, b] = [id(&server, 0), id(&server, 1)];
    let (in_a, in_b) = (client.with_account(a), client.with_account(b));
    let remove = in_a.remove_user_from_account(Uuid::parse_str(&server.user_id()).unwrap());
    let (removed, listed) = tokio::join!(remove.send(), in_b.get_account(b).send());
    removed.unwrap();
    assert_eq!(listed.unwrap().acct_id, b);
    assert!(!server.ids().contains(&a.to_string()) && server.ids().len() == 2);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_hangs_is_tried_once_before_a_login() {
    let server = server().await;
    let refreshes = Arc::new(AtomicUsize::new(0));
    let way = {
        let refreshes = Arc::clone(&refreshes);
        move |request: &http::Request<Bytes>| match request.uri().path() {
            "/v1/sys/session/refresh" => {
                refreshes.fetch_add(1, Ordering::SeqCst);
                Way::Hanging
            }
            _ => Way::Through,
        }
    };
    let client = fortanix(&server).transport(Detour { server: server.transport(), way }).build().unwrap();
    client.log_in().send().await.unwrap();
    advance(Duration::from_secs(601)).await;
    let began = Instant::now();
    assert_eq!(whole(client.list_accounts()).await.len(), 3);
    assert_eq!(refreshes.load(Ordering::SeqCst), 1);
    assert!(began.elapsed() < Duration::from_secs(35), "{:?}", began.elapsed());
    assert_eq!(steps(&server)[..2], ["auth 200", "auth 200"]);
}
