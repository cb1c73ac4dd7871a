use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use headcount::{
    ErrorKind, Retryability,
    fortanix::{self, AuthConfigPassword, AuthConfigRef, OauthCode},
    http::{Clock, RetryPolicy},
};
use headcount_sim as sim;
use tokio::time::advance;
use uuid::Uuid;

use crate::providers::support::{Canned, NOWHERE, answer, refusal, steps, whole};

async fn server() -> sim::Fortanix {
    sim::Fortanix::builder().accounts(3).record_secrets(true).start().await.unwrap()
}

fn builder(server: &sim::Fortanix) -> fortanix::ClientBuilder {
    fortanix::Client::builder().base_url(server.base_url())
}

#[tokio::test]
async fn from_discovery_to_a_list_with_an_authorization_code() {
    let server = server().await;
    let nobody = builder(&server).anonymous().build().unwrap();
    let methods = nobody.discover_auth_methods().user_email(server.email()).send().await.unwrap();
    assert!(methods[0].password.is_some() && methods[0].oauth_code_grant.is_none());
    let grant = methods[1].oauth_code_grant.clone().unwrap();
    assert_eq!(grant.name.as_deref(), Some("Sim IdP"));
    assert_eq!(grant.icon_url.as_deref(), Some("https://idp.example/icon.svg"));
    assert_eq!(grant.authorization_url.as_deref(), Some("https://idp.example/authorize"));
    assert_eq!(grant.client_id.as_deref(), Some("sim-client"));
    assert_eq!(grant.redirect_uri.as_deref(), Some("https://ccm.example/oauth"));
    assert_eq!((grant.state.as_deref(), grant.cluster_idp_id), (Some("sim-state-0"), None));

    for email in [false, true] {
        let mut code = OauthCode::new(grant.idp_id.clone().unwrap(), format!(" {}\n", server.oauth_code()));
        if email {
            code = code.email(server.email());
        }
        let client = builder(&server).oauth_code(code).build().unwrap();
        assert_eq!(whole(client.list_accounts()).await.len(), 3);
        client.refresh_session().send().await.unwrap();
        assert_eq!(client.log_in().send().await.unwrap().subject_id.unwrap().to_string(), server.user_id());
    }
    let steps = steps(&server);
    assert_eq!(
        steps.iter().filter(|step| *step == "auth 200").count(),
        2,
        "each code is used once: {steps:?}"
    );
    for request in server.requests().iter().filter(|request| request.path().contains("/sys/auth")) {
        assert_eq!(request.header("authorization"), None, "{request:?}");
        assert_eq!(request.header("content-type"), Some("application/json"));
    }
}

#[tokio::test]
async fn the_ways_into_an_account_are_those_that_it_has() {
    let server = server().await;
    let client = builder(&server).password(server.email(), server.password()).build().unwrap();
    let made =
        client.create_account("Acme").auth_config(AuthConfigRef::new("cluster-idp")).send().await.unwrap();
    let other = client.create_account("Other").auth_config(AuthConfigPassword::new(true, true));
    let other = other.send().await.unwrap();
    server.clear_requests();
    let methods = client.discover_auth_methods().acct_id(made.acct_id).send().await.unwrap();
    let grant = methods[0].oauth_code_grant.as_ref().unwrap();
    assert_eq!((methods.len(), grant.cluster_idp_id.as_deref()), (1, Some("cluster-idp")));
    let methods = client.discover_auth_methods().acct_id(other.acct_id).send().await.unwrap();
    assert!(methods.len() == 1 && methods[0].password.is_some());
    let request = &server.requests()[0];
    assert_eq!((request.method(), request.path()), ("POST", "/v1/sys/auth/discover"));
    assert_eq!(request.query_value("acct_id"), Some(made.acct_id.to_string().as_str()));
    assert_eq!((request.body(), request.header("authorization")), ("{}", None));
    assert_eq!(request.header("authentication"), None, "no credential goes where none is needed");
}

#[tokio::test]
async fn an_anonymous_client_can_only_discover() {
    let server = server().await;
    let client = builder(&server).anonymous().build().unwrap();
    for error in [
        refusal(client.list_accounts()).await,
        client.create_account("Acme").send().await.unwrap_err(),
        client.log_in().send().await.unwrap_err(),
        client.refresh_session().send().await.unwrap_err(),
        client.select_account(Uuid::nil()).send().await.unwrap_err(),
    ] {
        assert_eq!((error.kind(), error.provider()), (ErrorKind::Config, Some("fortanix")), "{error}");
        assert!(error.message().contains("password(), token() or oauth_code()"), "{error}");
    }
    client.terminate_session().send().await.expect("there is none");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_code_that_is_refused_is_used_up() {
    let server = server().await;
    let code = OauthCode::new(server.idp_id(), "code-made-up");
    let client = builder(&server).oauth_code(code).build().unwrap();
    let error = client.log_in().send().await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Auth, "Authentication failed"));
    let error = refusal(client.list_accounts()).await;
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(error.message().contains("authorization code has been used"), "{error}");
    assert_eq!(steps(&server), ["auth 401"], "it is not tried again");
}

#[tokio::test]
async fn a_session_of_a_code_that_is_over_stays_over() {
    let server = server().await;
    let code = || OauthCode::new(server.idp_id(), server.oauth_code());
    let client = builder(&server).oauth_code(code()).build().unwrap();
    whole(client.list_accounts()).await;
    server.expire_sessions();
    let error = refusal(client.list_accounts()).await;
    assert_eq!((error.kind(), error.message()), (ErrorKind::Auth, "Session has expired"));

    let client = builder(&server).oauth_code(code()).build().unwrap();
    whole(client.list_accounts()).await;
    client.terminate_session().send().await.unwrap();
    let error = refusal(client.list_accounts()).await;
    assert!(error.message().contains("authorization code has been used"), "{error}");
}

#[tokio::test]
async fn a_login_by_hand_tells_of_no_session_that_was_refused() {
    let server = server().await;
    for by_code in [true, false] {
        let builder = builder(&server);
        let client = if by_code {
            builder.oauth_code(OauthCode::new(server.idp_id(), server.oauth_code()))
        } else {
            builder.token(server.token())
        };
        let client = client.build().unwrap();
        client.log_in().send().await.unwrap();
        whole(client.list_accounts()).await;
        server.expire_sessions();
        assert_eq!(refusal(client.list_accounts()).await.kind(), ErrorKind::Auth);
        assert_eq!(client.log_in().send().await.unwrap_err().kind(), ErrorKind::Auth);
    }
}

#[tokio::test]
async fn a_client_with_a_token_asks_at_every_login_by_hand() {
    let server = server().await;
    let client = builder(&server).token(server.token()).build().unwrap();
    client.log_in().send().await.unwrap();
    client.log_in().send().await.unwrap();
    server.expire_sessions();
    assert_eq!(client.log_in().send().await.unwrap_err().kind(), ErrorKind::Auth);
    assert_eq!(steps(&server), ["refresh 200", "refresh 200", "refresh 401"]);
}

#[tokio::test(start_paused = true)]
async fn a_session_of_a_code_is_not_over_because_a_refresh_fails() {
    let broken = Arc::new(AtomicBool::new(true));
    let transport = Canned::new({
        let broken = Arc::clone(&broken);
        move |_, request| match request.uri().path() {
            "/v1/accounts" => answer(200, r#"{"items":[]}"#),
            "/v1/sys/session/refresh" if broken.load(Ordering::SeqCst) => answer(503, "down"),
            _ => {
                answer(200, r#"{"access_token":"the token","session_info":{"session_token_expires_at":100}}"#)
            }
        }
    });
    let code = OauthCode::new("aWRw", "hunter2");
    let builder = fortanix::Client::builder().base_url(NOWHERE).oauth_code(code).retry(RetryPolicy::none());
    let builder = builder.clock(Clock::new(|| SystemTime::UNIX_EPOCH));
    let client = builder.transport(transport).build().unwrap();
    whole(client.list_accounts()).await;
    advance(Duration::from_secs(101)).await;
    let error = refusal(client.list_accounts()).await;
    assert_eq!((error.kind(), error.status(), error.message()), (ErrorKind::Api, Some(503), "down"));
    broken.store(false, Ordering::SeqCst);
    whole(client.list_accounts()).await;
}

/// A client with a code, over a transport of the test's own.
fn canned(transport: &Canned) -> fortanix::Client {
    let code = OauthCode::new("aWRw", "hunter2 \"code\"").email("ada@example.com");
    let builder = fortanix::Client::builder().base_url(NOWHERE).oauth_code(code);
    builder.retry(RetryPolicy::none()).transport(transport.clone()).build().unwrap()
}

#[tokio::test]
async fn a_code_that_may_have_been_used_is_not_sent_again_and_one_that_was_turned_away_is() {
    for (status, body, retry, logins) in [
        (500, "down", Retryability::MaybeApplied, 1),
        (200, "<html>", Retryability::MaybeApplied, 1),
        (200, "{}", Retryability::MaybeApplied, 1),
        (400, "no", Retryability::Never, 1),
        (429, "slow down", Retryability::Retryable, 2),
    ] {
        let transport = Canned::new(move |number, request| match (number, request.uri().path()) {
            (0, _) => answer(status, body),
            (_, "/v1/sys/auth") => answer(200, r#"{"access_token":"the token"}"#),
            _ => answer(200, r#"{"items":[]}"#),
        });
        let client = canned(&transport);
        let error = refusal(client.list_accounts()).await;
        assert_eq!(error.retryability(), retry, "{status} {body}: {error}");
        if logins == 1 {
            assert_eq!(refusal(client.list_accounts()).await.kind(), ErrorKind::Auth);
        } else {
            whole(client.list_accounts()).await;
        }
        let sent = transport.seen().iter().filter(|url| url.ends_with("/sys/auth")).count();
        assert_eq!(sent, logins, "{status} {body}");
    }
}

#[tokio::test]
async fn a_code_is_shown_nowhere() {
    let transport = Canned::new(|_, request| {
        let body = String::from_utf8_lossy(request.body()).into_owned();
        answer(400, format!("Bad: {body} {}", body.replace('\\', "")))
    });
    let client = canned(&transport);
    let error = client.log_in().send().await.unwrap_err();
    assert!(error.message().contains("[redacted]"), "the server did echo: {error}");
    let code = OauthCode::new("aWRw", "hunter2");
    let builder = fortanix::Client::builder().oauth_code(code.clone());
    let shown = format!("{error} {error:?} {client:?} {code:?} {builder:?} {:?}", client.log_in());
    assert!(!shown.contains("hunter2"), "{shown}");

    let server = sim::Fortanix::builder().start().await.unwrap();
    let code = server.oauth_code();
    let client = self::builder(&server).oauth_code(OauthCode::new(server.idp_id(), code.as_str()));
    client.build().unwrap().log_in().send().await.unwrap();
    assert!(!format!("{:?}", server.requests()[0].body()).contains(&code));
}

#[test]
fn a_code_that_can_not_be_is_refused_at_build() {
    for (idp, code, why) in [("", "code", "identity provider's id"), ("aWRw", " \n", "authorization code")] {
        let builder = fortanix::Client::builder().oauth_code(OauthCode::new(idp, code));
        let error = builder.build().unwrap_err();
        assert_eq!((error.kind(), error.provider()), (ErrorKind::Config, Some("fortanix")));
        assert!(error.message().contains(why), "{error}");
    }
}

#[tokio::test]
async fn an_answer_of_something_else_is_no_empty_list_of_methods() {
    for body in ["{}", "[]", "<html>", ""] {
        let transport = Canned::new(move |_, _| answer(200, body));
        let builder = fortanix::Client::builder().base_url(NOWHERE).anonymous();
        let client = builder.retry(RetryPolicy::none()).transport(transport).build().unwrap();
        let error = client.discover_auth_methods().send().await.unwrap_err();
        assert_eq!(
            (error.kind(), error.retryability()),
            (ErrorKind::Decode, Retryability::Retryable),
            "{body}: {error}"
        );
    }
}
