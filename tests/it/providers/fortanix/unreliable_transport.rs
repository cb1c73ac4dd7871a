//! Sessions over a transport that loses or rejects some requests.

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

use crate::providers::support::{fortanix, list_all, list_error, respond, steps};

/// What happens to a request.
enum Route {
    Deliver,
    /// Not delivered: the response is 401.
    Unauthorized,
    /// Not delivered: the connection fails.
    NoConnection,
    /// Not delivered: there is no response.
    Hang,
}

/// A server's transport with a route for each request.
struct Router<F> {
    server: sim::InMemory,
    route: F,
}

impl<F> Transport for Router<F>
where
    F: Fn(&http::Request<Bytes>) -> Route + Send + Sync + 'static,
{
    fn send(
        &self,
        request: http::Request<Bytes>,
        body_limit: usize,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        match (self.route)(&request) {
            Route::Deliver => self.server.send(request, body_limit),
            Route::Unauthorized => Box::pin(async { Ok(respond(401, "Try again")) }),
            Route::NoConnection => {
                let error = TransportError::new(TransportErrorKind::Connect, "no connection");
                Box::pin(async { Err(error) })
            }
            Route::Hang => Box::pin(pending()),
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
async fn code_session_survives_a_spurious_401() {
    let server = server().await;
    let reject_next = Arc::new(AtomicBool::new(false));
    let route = {
        let reject_next = Arc::clone(&reject_next);
        move |request: &http::Request<Bytes>| match request.uri().path() {
            "/v1/accounts" if reject_next.swap(false, Ordering::SeqCst) => Route::Unauthorized,
            _ => Route::Deliver,
        }
    };
    let code = OauthCode::new(server.idp_id(), server.oauth_code());
    let builder = fortanix::Client::builder().base_url(server.base_url()).oauth_code(code);
    let client = builder.transport(Router { server: server.transport(), route }).build().unwrap();
    let selected = id(&server, 1);
    client.select_account(selected).send().await.unwrap();
    server.clear_requests();
    for _ in 0..2 {
        reject_next.store(true, Ordering::SeqCst);
        let error = list_error(client.list_accounts()).await;
        assert_eq!((error.kind(), error.message()), (ErrorKind::Auth, "Try again"));
        assert_eq!(list_all(client.list_accounts()).await.len(), 3);
        assert_eq!(steps(&server), ["accounts 200", "accounts 200"]);
        server.clear_requests();
    }
    assert_eq!(client.log_in().send().await.unwrap().selected_account_id, Some(selected));

    server.expire_sessions();
    server.clear_requests();
    for _ in 0..2 {
        let error = list_error(client.list_accounts()).await;
        assert_eq!((error.kind(), error.message()), (ErrorKind::Auth, "Session has expired"));
    }
    assert_eq!(steps(&server), ["accounts 401", "accounts 401"]);
}

#[tokio::test(start_paused = true)]
async fn retried_removal_keeps_its_account() {
    let server = server().await;
    let fail_next = AtomicBool::new(true);
    let route = move |request: &http::Request<Bytes>| match *request.method() {
        Method::DELETE if fail_next.swap(false, Ordering::SeqCst) => Route::NoConnection,
        _ => Route::Deliver,
    };
    let client = fortanix(&server).transport(Router { server: server.transport(), route }).build().unwrap();
    let [a, b] = [id(&server, 0), id(&server, 1)];
    let (in_a, in_b) = (client.with_account(a), client.with_account(b));
    let remove = in_a.remove_user_from_account(Uuid::parse_str(&server.user_id()).unwrap());
    let (removed, listed) = tokio::join!(remove.send(), in_b.get_account(b).send());
    removed.unwrap();
    assert_eq!(listed.unwrap().acct_id, b);
    assert!(!server.ids().contains(&a.to_string()) && server.ids().len() == 2);
}

#[tokio::test(start_paused = true)]
async fn hanging_refresh_is_tried_once_before_login() {
    let server = server().await;
    let refreshes = Arc::new(AtomicUsize::new(0));
    let route = {
        let refreshes = Arc::clone(&refreshes);
        move |request: &http::Request<Bytes>| match request.uri().path() {
            "/v1/sys/session/refresh" => {
                refreshes.fetch_add(1, Ordering::SeqCst);
                Route::Hang
            }
            _ => Route::Deliver,
        }
    };
    let client = fortanix(&server).transport(Router { server: server.transport(), route }).build().unwrap();
    client.log_in().send().await.unwrap();
    advance(Duration::from_secs(601)).await;
    let start = Instant::now();
    assert_eq!(list_all(client.list_accounts()).await.len(), 3);
    assert_eq!(refreshes.load(Ordering::SeqCst), 1);
    assert!(start.elapsed() < Duration::from_secs(35), "{:?}", start.elapsed());
    assert_eq!(steps(&server)[..2], ["auth 200", "auth 200"]);
}
