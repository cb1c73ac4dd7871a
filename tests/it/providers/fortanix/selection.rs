use std::time::{Duration, SystemTime};

use headcount::{
    ErrorKind, fortanix,
    http::{Clock, RetryPolicy},
};
use headcount_sim as sim;
use serde_json::json;
use tokio::time::{Instant, advance};
use uuid::Uuid;

use crate::providers::support::{Canned, UNREACHABLE_URL, fortanix, list_all, list_error, respond, steps};

async fn server(accounts: usize) -> sim::Fortanix {
    sim::Fortanix::builder().accounts(accounts).start().await.unwrap()
}

fn id(server: &sim::Fortanix, index: usize) -> Uuid {
    Uuid::parse_str(&server.ids()[index]).unwrap()
}

#[tokio::test]
async fn explicit_login_is_used_by_requests() {
    let server = server(2).await;
    let client = fortanix(&server).build().unwrap();
    let info = client.log_in().send().await.unwrap();
    assert_eq!(info.subject_id.unwrap().to_string(), server.user_id());
    assert_eq!(info.selected_account_id, None);
    let (token, session) = (info.session_token_expires_at_utc(), info.session_expires_at_utc());
    assert!(token.is_some() && token < session, "{info:?}");
    list_all(client.clone().list_accounts()).await;
    assert_eq!(client.log_in().send().await.unwrap(), info, "the session is reused");
    let steps = steps(&server);
    assert_eq!(steps.iter().filter(|step| step.starts_with("auth")).count(), 1, "{steps:?}");
}

#[tokio::test]
async fn explicit_login_with_a_wrong_password() {
    let server = server(1).await;
    let client = fortanix(&server).password(server.email(), "wrong").build().unwrap();
    let error = client.log_in().send().await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Auth, Some(401)));
    assert_eq!(
        (error.provider(), error.message()),
        (Some(headcount::Provider::Fortanix), "Authentication failed")
    );
}

#[tokio::test]
async fn explicit_login_with_a_token() {
    let server = server(1).await;
    let builder = || fortanix::Client::builder().base_url(server.base_url());
    let client = builder().token(server.token()).build().unwrap();
    let info = client.log_in().send().await.unwrap();
    assert_eq!(info.subject_id.unwrap().to_string(), server.user_id());
    assert_eq!(steps(&server), ["refresh 200"]);
    let error = builder().token("made up").build().unwrap().log_in().send().await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Auth, "Invalid session"));
}

#[tokio::test(start_paused = true)]
async fn refresh_extends_the_token_in_the_client() {
    let start = Instant::now();
    // Client and server have the same clock, and a token is valid for 100 seconds.
    let transport = Canned::new(move |_, request| {
        if request.uri().path() == "/v1/accounts" {
            return respond(200, r#"{"items":[]}"#);
        }
        let end = start.elapsed().as_secs() + 100;
        let info = json!({"session_token_expires_at": end, "session_expires_at": 100_000});
        respond(200, json!({"access_token": "token", "session_info": info}).to_string())
    });
    let clock = Clock::new(move || SystemTime::UNIX_EPOCH + start.elapsed());
    let builder =
        fortanix::Client::builder().base_url(UNREACHABLE_URL).password("me", "hunter2").clock(clock);
    let client = builder.transport(transport.clone()).build().unwrap();
    let expires_at =
        async || client.log_in().send().await.unwrap().session_token_expires_at_utc().unwrap().timestamp();
    assert_eq!(expires_at().await, 100);
    for round in 1..=3 {
        advance(Duration::from_secs(80)).await;
        client.refresh_session().send().await.unwrap();
        assert_eq!(expires_at().await, round * 80 + 100);
    }
    advance(Duration::from_secs(80)).await;
    list_all(client.list_accounts()).await;
    let seen = transport.urls();
    let last: Vec<_> = seen.iter().map(|url| url.rsplit('/').next().unwrap()).collect();
    assert_eq!(last[..4], ["auth", "refresh", "refresh", "refresh"]);
    assert!(last[4..].iter().all(|last| last.starts_with("accounts")), "{last:?}");
}

#[tokio::test]
async fn refresh_of_an_expired_session_logs_in() {
    let server = server(1).await;
    let client = fortanix(&server).build().unwrap();
    client.log_in().send().await.unwrap();
    server.expire_sessions();
    client.refresh_session().send().await.unwrap();
    assert_eq!(steps(&server), ["auth 200", "refresh 401", "auth 200", "refresh 200"]);
}

#[tokio::test]
async fn selection_ends_with_its_session() {
    let server = server(3).await;
    let client = fortanix(&server).build().unwrap();
    let account = id(&server, 1);
    let info = client.select_account(account).send().await.unwrap();
    assert_eq!(info.selected_account_id, Some(account));
    assert_eq!(client.log_in().send().await.unwrap(), info);
    server.expire_sessions();
    let user = server.user_id().parse().unwrap();
    let error = client.remove_user_from_account(user).send().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::PermissionDenied, Some(403)),
        "no account is selected: {error}"
    );
    assert_eq!(server.ids().len(), 3);
    assert_eq!(client.log_in().send().await.unwrap().selected_account_id, None);
}

#[tokio::test]
async fn each_session_selects_the_account_first() {
    let server = server(3).await;
    let client = fortanix(&server).build().unwrap().with_account(id(&server, 1));
    let account = id(&server, 1);
    let expected = format!("{account} 200");
    list_all(client.list_accounts()).await;
    assert_eq!(client.log_in().send().await.unwrap().selected_account_id, Some(account));
    let listed = ["accounts 200", "accounts 200"];
    assert_eq!(steps(&server), [&["auth 200", &*expected], &listed[..]].concat());
    server.expire_sessions();
    server.clear_requests();
    list_all(client.list_accounts()).await;
    assert_eq!(steps(&server), [&["accounts 401", "auth 200", &*expected], &listed[..]].concat());
    assert_eq!(client.refresh_session().send().await.unwrap().selected_account_id, Some(account));
}

#[tokio::test]
async fn removal_goes_to_the_clients_account() {
    let server = server(3).await;
    let client = fortanix(&server).build().unwrap();
    let (a, b) = (id(&server, 0), id(&server, 1));
    let (in_a, in_b) = (client.with_account(a), client.with_account(b));
    for client in [&client, &in_a, &in_b] {
        client.log_in().send().await.unwrap();
    }
    client.select_account(b).send().await.unwrap();
    server.expire_sessions();
    in_a.remove_user_from_account(server.user_id().parse().unwrap()).send().await.unwrap();
    assert!(!server.ids().contains(&a.to_string()) && server.ids().len() == 2);
    assert_eq!(in_b.refresh_session().send().await.unwrap().selected_account_id, Some(b));
    assert_eq!(client.refresh_session().send().await.unwrap().selected_account_id, None);
}

#[tokio::test]
async fn client_with_account_selects_no_other() {
    let server = server(3).await;
    let (a, b) = (id(&server, 0), id(&server, 1));
    let client = fortanix(&server).build().unwrap().with_account(a);
    let error = client.select_account(b).send().await.unwrap_err();
    assert_eq!((error.kind(), error.provider()), (ErrorKind::Config, Some(headcount::Provider::Fortanix)));
    assert!(error.message().contains(&a.to_string()) && error.message().contains("expected"), "{error}");
    assert!(server.requests().is_empty());
    assert_eq!(client.select_account(a).send().await.unwrap().selected_account_id, Some(a));
    // A client with an account can create one with another account.
    assert_eq!(client.with_account(b).log_in().send().await.unwrap().selected_account_id, Some(b));
}

#[tokio::test]
async fn clients_with_account_have_own_sessions() {
    let server = server(2).await;
    let client = fortanix(&server).build().unwrap();
    let (a, b) = (client.with_account(id(&server, 0)), client.with_account(id(&server, 1)));
    let (one, two, three) =
        tokio::join!(client.log_in().send(), a.log_in().send(), b.clone().log_in().send());
    let selected = [one, two, three].map(|info| info.unwrap().selected_account_id);
    assert_eq!(selected, [None, Some(id(&server, 0)), Some(id(&server, 1))]);
    assert_eq!(steps(&server).iter().filter(|step| *step == "auth 200").count(), 3);
}

#[tokio::test]
async fn deleted_account_is_an_auth_error() {
    let server = server(3).await;
    let deleted = id(&server, 1);
    let client = fortanix(&server).build().unwrap().with_account(deleted);
    list_all(client.list_accounts()).await;
    server.remove(&deleted.to_string());
    server.expire_sessions();
    for _ in 0..2 {
        server.clear_requests();
        let error = list_error(client.list_accounts()).await;
        assert_eq!((error.kind(), error.status()), (ErrorKind::Auth, Some(404)));
        assert!(error.to_string().contains(&format!("select_account/{deleted}")), "{error}");
        assert_eq!(steps(&server).last(), Some(&format!("{deleted} 404")), "the list was not requested");
    }
}

#[tokio::test]
async fn token_or_code_has_one_account() {
    let server = server(3).await;
    let (a, b) = (id(&server, 0), id(&server, 1));
    let code = || fortanix::OauthCode::new(server.idp_id(), server.oauth_code());
    let builder = || fortanix::Client::builder().base_url(server.base_url());
    for builder in [builder().token(server.token()), builder().oauth_code(code())] {
        let client = builder.build().unwrap();
        assert_eq!(client.log_in().send().await.unwrap().selected_account_id, None);
        list_all(client.list_accounts()).await;
        // A failed selection has no effect.
        let missing = client.with_account(Uuid::nil());
        assert_eq!(missing.log_in().send().await.unwrap_err().kind(), ErrorKind::Auth);
        let (in_a, in_b) = (client.with_account(a), client.with_account(b));
        assert_eq!(in_a.log_in().send().await.unwrap().selected_account_id, Some(a));
        server.clear_requests();
        for error in [
            in_b.log_in().send().await.unwrap_err(),
            list_error(in_b.list_accounts()).await,
            client.select_account(b).send().await.unwrap_err(),
        ] {
            assert_eq!(
                (error.kind(), error.provider()),
                (ErrorKind::Config, Some(headcount::Provider::Fortanix))
            );
            assert!(error.message().contains(&a.to_string()), "{error}");
        }
        assert!(steps(&server).iter().all(|step| step == "refresh 200"), "{:?}", steps(&server));
        list_all(in_a.list_accounts()).await;
        assert_eq!(client.refresh_session().send().await.unwrap().selected_account_id, Some(a));
        server.clear_requests();
    }
    let client = builder().oauth_code(code()).build().unwrap().with_account(a);
    assert_eq!(client.log_in().send().await.unwrap().selected_account_id, Some(a));
    assert_eq!(steps(&server), ["auth 200".to_owned(), format!("{a} 200")]);
    server.expire_sessions();
    assert_eq!(list_error(client.list_accounts()).await.kind(), ErrorKind::Auth);
}

#[tokio::test]
async fn late_selection_blocks_others_of_a_token() {
    let server = server(3).await;
    let (a, b) = (id(&server, 0), id(&server, 1));
    let client =
        fortanix::Client::builder().base_url(server.base_url()).token(server.token()).build().unwrap();
    let mut late = Box::pin(client.select_account(a).send());
    while server.requests().is_empty() {
        assert!(futures::poll!(&mut late).is_pending());
        tokio::task::yield_now().await;
    }
    for account in [a, b] {
        let error = client.with_account(account).log_in().send().await.unwrap_err();
        assert_eq!(
            (error.kind(), error.provider()),
            (ErrorKind::Config, Some(headcount::Provider::Fortanix))
        );
        assert!(error.message().contains("select_account()"), "{error}");
    }
    assert_eq!(late.await.unwrap().selected_account_id, Some(a));
    assert_eq!(steps(&server), [format!("{a} 200")], "nothing else was selected");
}

#[tokio::test]
async fn unknown_account_is_not_found_after_login() {
    let server = server(1).await;
    let client = fortanix(&server).build().unwrap();
    let error = client.select_account(Uuid::nil()).send().await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::NotFound, Some(404)));
    assert_eq!(list_all(client.list_accounts()).await.len(), 1, "nothing was selected");
}

#[tokio::test]
async fn terminated_session_is_replaced() {
    let server = server(2).await;
    let client = fortanix(&server).build().unwrap();
    client.terminate_session().send().await.unwrap();
    assert!(server.requests().is_empty(), "there was no session");
    client.select_account(id(&server, 0)).send().await.unwrap();
    client.terminate_session().send().await.unwrap();
    assert_eq!(steps(&server).pop().unwrap(), "terminate 204");
    server.clear_requests();
    client.terminate_session().send().await.unwrap();
    assert!(server.requests().is_empty());
    let info = client.log_in().send().await.unwrap();
    assert_eq!(info.selected_account_id, None, "the selection ended with the session");
    assert_eq!(steps(&server), ["auth 200"]);
}

#[tokio::test]
async fn terminated_token_is_rejected() {
    let server = server(2).await;
    let token = server.token();
    let client = fortanix::Client::builder().base_url(server.base_url()).token(token).build().unwrap();
    client.terminate_session().send().await.unwrap();
    let error = list_error(client.list_accounts()).await;
    assert_eq!((error.kind(), error.message()), (ErrorKind::Auth, "Invalid session"));
    client.terminate_session().send().await.expect("a rejected session counts as ended");
}

#[tokio::test]
async fn failed_termination_keeps_the_session() {
    let transport = Canned::new(|_, request| match request.uri().path() {
        "/v1/sys/auth" => respond(200, r#"{"access_token":"the token"}"#),
        "/v1/accounts" => respond(200, r#"{"items":[]}"#),
        _ => respond(500, "down"),
    });
    let builder = fortanix::Client::builder().base_url(UNREACHABLE_URL).password("me", "hunter2");
    let client = builder.retry(RetryPolicy::none()).transport(transport.clone()).build().unwrap();
    list_all(client.list_accounts()).await;
    let error = client.terminate_session().send().await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(500)));
    list_all(client.list_accounts()).await;
    let logins = transport.urls().iter().filter(|url| url.ends_with("/sys/auth")).count();
    assert_eq!(logins, 1, "the token is still in use");
}
