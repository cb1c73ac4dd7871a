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

use crate::providers::support::{Canned, UNREACHABLE_URL, list_all, list_error, respond, steps};

async fn server() -> sim::Fortanix {
    sim::Fortanix::builder().accounts(3).record_secrets(true).start().await.unwrap()
}

fn builder(server: &sim::Fortanix) -> fortanix::ClientBuilder {
    fortanix::Client::builder().base_url(server.base_url())
}

#[tokio::test]
async fn discovery_then_login_with_a_code() {
    let server = server().await;
    let anonymous = builder(&server).anonymous().build().unwrap();
    let methods = anonymous.discover_auth_methods().user_email(server.email()).send().await.unwrap();
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
        assert_eq!(list_all(client.list_accounts()).await.len(), 3);
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
async fn discovery_for_an_account() {
    let server = server().await;
    let client = builder(&server).password(server.email(), server.password()).build().unwrap();
    let created =
        client.create_account("Acme").auth_config(AuthConfigRef::new("cluster-idp")).send().await.unwrap();
    let other = client.create_account("Other").auth_config(AuthConfigPassword::new(true, true));
    let other = other.send().await.unwrap();
    server.clear_requests();
    let methods = client.discover_auth_methods().acct_id(created.acct_id).send().await.unwrap();
    let grant = methods[0].oauth_code_grant.as_ref().unwrap();
    assert_eq!((methods.len(), grant.cluster_idp_id.as_deref()), (1, Some("cluster-idp")));
    let methods = client.discover_auth_methods().acct_id(other.acct_id).send().await.unwrap();
    assert!(methods.len() == 1 && methods[0].password.is_some());
    let request = &server.requests()[0];
    assert_eq!((request.method(), request.path()), ("POST", "/v1/sys/auth/discover"));
    assert_eq!(request.query_value("acct_id"), Some(created.acct_id.to_string().as_str()));
    assert_eq!((request.body(), request.header("authorization")), ("{}", None));
    assert_eq!(request.header("authentication"), None, "no credential is sent where none is required");
}

#[tokio::test]
async fn anonymous_client_can_only_discover() {
    let server = server().await;
    let client = builder(&server).anonymous().build().unwrap();
    for error in [
        list_error(client.list_accounts()).await,
        client.create_account("Acme").send().await.unwrap_err(),
        client.log_in().send().await.unwrap_err(),
        client.refresh_session().send().await.unwrap_err(),
        client.select_account(Uuid::nil()).send().await.unwrap_err(),
    ] {
        assert_eq!(
            (error.kind(), error.provider()),
            (ErrorKind::Config, Some(headcount::Provider::Fortanix)),
            "{error}"
        );
        assert!(error.message().contains("password(), token() or oauth_code()"), "{error}");
    }
    client.terminate_session().send().await.expect("there is no session");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn rejected_code_is_not_sent_again() {
    let server = server().await;
    let code = OauthCode::new(server.idp_id(), "code-made-up");
    let client = builder(&server).oauth_code(code).build().unwrap();
    let error = client.log_in().send().await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Auth, "Authentication failed"));
    let error = list_error(client.list_accounts()).await;
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(error.message().contains("authorization code has been used"), "{error}");
    assert_eq!(steps(&server), ["auth 401"], "it is not retried");
}

#[tokio::test]
async fn ended_code_session_is_not_replaced() {
    let server = server().await;
    let code = || OauthCode::new(server.idp_id(), server.oauth_code());
    let client = builder(&server).oauth_code(code()).build().unwrap();
    list_all(client.list_accounts()).await;
    server.expire_sessions();
    let error = list_error(client.list_accounts()).await;
    assert_eq!((error.kind(), error.message()), (ErrorKind::Auth, "Session has expired"));

    let client = builder(&server).oauth_code(code()).build().unwrap();
    list_all(client.list_accounts()).await;
    client.terminate_session().send().await.unwrap();
    let error = list_error(client.list_accounts()).await;
    assert!(error.message().contains("authorization code has been used"), "{error}");
}

#[tokio::test]
async fn explicit_login_reports_a_rejected_session() {
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
        list_all(client.list_accounts()).await;
        server.expire_sessions();
        assert_eq!(list_error(client.list_accounts()).await.kind(), ErrorKind::Auth);
        assert_eq!(client.log_in().send().await.unwrap_err().kind(), ErrorKind::Auth);
    }
}

#[tokio::test]
async fn explicit_login_refreshes_a_token() {
    let server = server().await;
    let client = builder(&server).token(server.token()).build().unwrap();
    client.log_in().send().await.unwrap();
    client.log_in().send().await.unwrap();
    server.expire_sessions();
    assert_eq!(client.log_in().send().await.unwrap_err().kind(), ErrorKind::Auth);
    assert_eq!(steps(&server), ["refresh 200", "refresh 200", "refresh 401"]);
}

#[tokio::test(start_paused = true)]
async fn code_session_survives_a_failed_refresh() {
    let broken = Arc::new(AtomicBool::new(true));
    let transport = Canned::new({
        let broken = Arc::clone(&broken);
        move |_, request| match request.uri().path() {
            "/v1/accounts" => respond(200, r#"{"items":[]}"#),
            "/v1/sys/session/refresh" if broken.load(Ordering::SeqCst) => respond(503, "down"),
            _ => respond(
                200,
                r#"{"access_token":"the token","session_info":{"session_token_expires_at":100}}"#,
            ),
        }
    });
    let code = OauthCode::new("aWRw", "hunter2");
    let builder =
        fortanix::Client::builder().base_url(UNREACHABLE_URL).oauth_code(code).retry(RetryPolicy::none());
    let builder = builder.clock(Clock::new(|| SystemTime::UNIX_EPOCH));
    let client = builder.transport(transport).build().unwrap();
    list_all(client.list_accounts()).await;
    advance(Duration::from_secs(101)).await;
    let error = list_error(client.list_accounts()).await;
    assert_eq!((error.kind(), error.status(), error.message()), (ErrorKind::Api, Some(503), "down"));
    broken.store(false, Ordering::SeqCst);
    list_all(client.list_accounts()).await;
}

/// A client with an authorization code and this transport.
fn canned(transport: &Canned) -> fortanix::Client {
    let code = OauthCode::new("aWRw", "hunter2 \"code\"").email("ada@example.com");
    let builder = fortanix::Client::builder().base_url(UNREACHABLE_URL).oauth_code(code);
    builder.retry(RetryPolicy::none()).transport(transport.clone()).build().unwrap()
}

#[tokio::test]
async fn code_is_resent_only_if_unprocessed() {
    for (status, body, retryability, logins) in [
        (500, "down", Retryability::MaybeApplied, 1),
        (200, "<html>", Retryability::MaybeApplied, 1),
        (200, "{}", Retryability::MaybeApplied, 1),
        (400, "no", Retryability::Never, 1),
        (429, "slow down", Retryability::Retryable, 2),
    ] {
        let transport = Canned::new(move |number, request| match (number, request.uri().path()) {
            (0, _) => respond(status, body),
            (_, "/v1/sys/auth") => respond(200, r#"{"access_token":"the token"}"#),
            _ => respond(200, r#"{"items":[]}"#),
        });
        let client = canned(&transport);
        let error = list_error(client.list_accounts()).await;
        assert_eq!(error.retryability(), retryability, "{status} {body}: {error}");
        if logins == 1 {
            assert_eq!(list_error(client.list_accounts()).await.kind(), ErrorKind::Auth);
        } else {
            list_all(client.list_accounts()).await;
        }
        let sent = transport.urls().iter().filter(|url| url.ends_with("/sys/auth")).count();
        assert_eq!(sent, logins, "{status} {body}");
    }
}

#[tokio::test]
async fn code_is_hidden_everywhere() {
    let transport = Canned::new(|_, request| {
        let body = String::from_utf8_lossy(request.body()).into_owned();
        respond(400, format!("Bad: {body} {}", body.replace('\\', "")))
    });
    let client = canned(&transport);
    let error = client.log_in().send().await.unwrap_err();
    assert!(error.message().contains("[redacted]"), "the server echoes the code: {error}");
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
fn invalid_code_is_rejected_at_build() {
    for (idp, code, reason) in [("", "code", "identity provider's id"), ("aWRw", " \n", "authorization code")]
    {
        let builder = fortanix::Client::builder().oauth_code(OauthCode::new(idp, code));
        let error = builder.build().unwrap_err();
        assert_eq!(
            (error.kind(), error.provider()),
            (ErrorKind::Config, Some(headcount::Provider::Fortanix))
        );
        assert!(error.message().contains(reason), "{error}");
    }
}

#[tokio::test]
async fn invalid_response_is_not_an_empty_list() {
    for body in ["{}", "[]", "<html>", ""] {
        let transport = Canned::new(move |_, _| respond(200, body));
        let builder = fortanix::Client::builder().base_url(UNREACHABLE_URL).anonymous();
        let client = builder.retry(RetryPolicy::none()).transport(transport).build().unwrap();
        let error = client.discover_auth_methods().send().await.unwrap_err();
        assert_eq!(
            (error.kind(), error.retryability()),
            (ErrorKind::Decode, Retryability::Retryable),
            "{body}: {error}"
        );
    }
}
