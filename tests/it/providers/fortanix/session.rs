use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use headcount::{
    ErrorKind, Pages, fortanix,
    http::{Clock, RetryPolicy},
};
use headcount_sim::{self as sim, FortanixErrors, FortanixHeader};
use tokio::time::advance;

use crate::providers::support::{Canned, UNREACHABLE_URL, fortanix, list_all, list_error, respond, steps};

async fn server(accounts: usize) -> sim::Fortanix {
    let builder = sim::Fortanix::builder().accounts(accounts);
    builder.start().await.unwrap()
}

#[tokio::test]
async fn one_login_and_token_in_both_headers() {
    for header in [FortanixHeader::Authorization, FortanixHeader::Authentication, FortanixHeader::Either] {
        let builder = sim::Fortanix::builder().accounts(3).token_header(header);
        let server = builder.record_secrets(true).start().await.unwrap();
        let client = fortanix(&server).build().unwrap();
        assert_eq!(list_all(client.list_accounts().limit(3)).await.len(), 3);
        assert_eq!(list_all(client.clone().list_accounts().limit(3)).await.len(), 3);
        let requests = server.requests();
        assert_eq!(requests.iter().filter(|request| !request.is_list()).count(), 1);
        let login = &requests[0];
        assert_eq!((login.method(), login.path()), ("POST", "/v1/sys/auth"));
        let basic = BASE64_STANDARD.encode(format!("{}:{}", server.email(), server.password()));
        assert_eq!(login.header("authorization"), Some(format!("Basic {basic}").as_str()));
        for request in &requests[1..] {
            let bearer = request.header("authorization").unwrap();
            assert!(bearer.starts_with("Bearer "), "{bearer}");
            assert_eq!(request.header("authentication"), Some(bearer));
        }
    }
}

#[tokio::test]
async fn wrong_password_is_tried_once() {
    for (errors, code) in [
        (FortanixErrors::Text, None),
        (FortanixErrors::JsonString, None),
        (FortanixErrors::Object, Some("AUTH_FAILED")),
    ] {
        let server = sim::Fortanix::builder().errors(errors).start().await.unwrap();
        let builder = fortanix::Client::builder().base_url(server.base_url());
        let client = builder.password(server.email(), "Passwörd hunter2").build().unwrap();
        let error = list_error(client.list_accounts()).await;
        assert_eq!((error.kind(), error.status()), (ErrorKind::Auth, Some(401)));
        assert_eq!((error.message(), error.code()), ("Authentication failed", code));
        assert_eq!(error.provider(), Some(headcount::Provider::Fortanix));
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        assert_eq!(steps(&server), ["auth 401"]);
    }
}

#[tokio::test]
async fn session_expired_during_a_list() {
    let server = server(7).await;
    let client = fortanix(&server).build().unwrap();
    let mut pages = client.list_accounts().limit(3).pages();
    let mut listed = pages.next().await.unwrap().unwrap().items;
    server.expire_sessions();
    while let Some(page) = pages.next().await {
        listed.extend(page.unwrap().items);
    }
    let ids: Vec<_> = listed.iter().map(|account| account.acct_id.to_string()).collect();
    assert_eq!(ids, server.ids());
    assert_eq!(
        steps(&server),
        [
            "auth 200",
            "accounts 200",
            "accounts 401",
            "auth 200",
            "accounts 200",
            "accounts 200",
            "accounts 200"
        ]
    );
}

/// Returns a list after its first page, whose client's session is about to expire.
async fn near_expiry(server: &sim::Fortanix) -> Pages<fortanix::ListAccounts> {
    let client = fortanix(server).transport(server.transport()).build().unwrap();
    let mut pages = client.list_accounts().limit(3).pages();
    pages.next().await.unwrap().unwrap();
    advance(Duration::from_secs(595)).await;
    pages
}

#[tokio::test(start_paused = true)]
async fn token_near_expiry_is_refreshed() {
    let server = server(7).await;
    let mut pages = near_expiry(&server).await;
    while let Some(page) = pages.next().await {
        page.unwrap();
    }
    let steps = steps(&server);
    assert_eq!(steps[..4], ["auth 200", "accounts 200", "refresh 200", "accounts 200"]);
    assert!(steps[4..].iter().all(|step| step == "accounts 200"), "{steps:?}");
}

#[tokio::test(start_paused = true)]
async fn failed_refresh_is_followed_by_a_login() {
    let server = server(7).await;
    let mut pages = near_expiry(&server).await;
    server.expire_sessions();
    let mut rest = 0;
    while let Some(page) = pages.next().await {
        rest += page.unwrap().items.len();
    }
    assert_eq!(rest, 4);
    let steps = steps(&server);
    assert_eq!(steps[..5], ["auth 200", "accounts 200", "refresh 401", "auth 200", "accounts 200"]);
}

#[tokio::test]
async fn fast_client_clock_keeps_the_session() {
    let server = server(3).await;
    for code in [false, true] {
        server.clear_requests();
        let builder = if code {
            let code = fortanix::OauthCode::new(server.idp_id(), server.oauth_code());
            fortanix::Client::builder().base_url(server.base_url()).oauth_code(code)
        } else {
            fortanix(&server)
        };
        let ahead = Clock::new(|| Clock::system().now() + Duration::from_secs(48 * 60 * 60));
        let client = builder.clock(ahead).transport(server.transport()).build().unwrap();
        for _ in 0..2 {
            list_all(client.list_accounts()).await;
            client.refresh_session().send().await.unwrap();
        }
        let others: Vec<_> = steps(&server).into_iter().filter(|step| step != "accounts 200").collect();
        assert_eq!(others, ["auth 200", "refresh 200", "refresh 200"]);
    }
}

#[tokio::test]
async fn login_by_cookie_only_is_an_error() {
    for body in
        [r#"{"session_info":{"subject_id":null}}"#, r#"{"access_token":null}"#, r#"{"access_token":""}"#]
    {
        let transport = Canned::new(move |_, _| respond(200, body));
        let builder = fortanix::Client::builder().base_url(UNREACHABLE_URL).password("me", "hunter2");
        let client = builder.transport(transport.clone()).build().unwrap();
        let error = list_error(client.list_accounts()).await;
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Auth, 1), "{body}");
        assert!(error.message().contains("sessions by cookie are not supported"), "{error}");
        assert_eq!(transport.urls().len(), 1, "it is not retried");
    }
}

#[tokio::test]
async fn token_is_used_without_a_login() {
    let server = server(5).await;
    let builder = || fortanix::Client::builder().base_url(server.base_url());
    let client = builder().token(format!(" {}\n", server.token())).build().unwrap();
    let mut pages = client.list_accounts().limit(3).pages();
    assert_eq!(pages.next().await.unwrap().unwrap().items.len(), 3);
    server.expire_sessions();
    let error = pages.next().await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Auth, Some(401)));
    assert_eq!(error.message(), "Session has expired");
    assert_eq!(steps(&server), ["accounts 200", "accounts 401"]);

    server.clear_requests();
    let client = builder().token("made up").build().unwrap();
    let error = list_error(client.list_accounts()).await;
    assert_eq!((error.kind(), error.message()), (ErrorKind::Auth, "Invalid session"));
    assert_eq!(steps(&server), ["accounts 401"]);
}

#[tokio::test]
async fn invalid_credentials_are_rejected_at_build() {
    for email in ["", "  ", "ada:lovelace@example.com"] {
        let builder = fortanix::Client::builder().password(email, "hunter2");
        let error = builder.build().unwrap_err();
        assert_eq!(
            (error.kind(), error.provider()),
            (ErrorKind::Config, Some(headcount::Provider::Fortanix))
        );
        assert!(error.message().contains("e-mail"), "{error}");
    }
    for token in ["", " \n", "to\nken", "to\u{7f}ken"] {
        let error = fortanix::Client::builder().token(token).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.message().contains("token"), "{error}");
    }
    let error = fortanix::Client::builder().build().unwrap_err();
    assert!(error.message().contains("password()"), "{error}");
}

/// A client with a password and this transport.
fn canned(transport: &Canned) -> fortanix::Client {
    let builder = fortanix::Client::builder().base_url(UNREACHABLE_URL).password("me", "hunter2");
    let builder = builder.retry(RetryPolicy::none()).transport(transport.clone());
    builder.build().unwrap()
}

#[tokio::test]
async fn rejected_session_is_replaced_once() {
    let transport = Canned::new(|number, request| match request.uri().path() {
        "/v1/sys/auth" => respond(200, format!(r#"{{"access_token":"t{number}"}}"#)),
        _ => respond(401, "Invalid session"),
    });
    let error = list_error(canned(&transport).list_accounts()).await;
    assert_eq!((error.kind(), error.message()), (ErrorKind::Auth, "Invalid session"));
    let logins = transport.urls().iter().filter(|url| url.ends_with("/sys/auth")).count();
    assert_eq!((logins, transport.urls().len()), (2, 4));
}

#[tokio::test]
async fn login_without_a_token_is_an_error() {
    for (status, body, kind) in [
        (200, "<html>Log in</html>", ErrorKind::Decode),
        (200, "", ErrorKind::Decode),
        (200, r#"{"session_info":{"subject_id":"x"}}"#, ErrorKind::Decode),
        (200, r#"{"access_token":""}"#, ErrorKind::Auth),
        (204, "", ErrorKind::Decode),
        (302, "", ErrorKind::Api),
        (403, "\"locked\"", ErrorKind::PermissionDenied),
    ] {
        let transport = Canned::new(move |_, request| {
            assert_eq!(request.uri().path(), "/v1/sys/auth", "nothing is listed without a token");
            respond(status, body)
        });
        let error = list_error(canned(&transport).list_accounts()).await;
        assert_eq!(error.kind(), kind, "{status} {body}: {error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
