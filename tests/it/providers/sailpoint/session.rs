use headcount::{
    Completeness, ErrorKind,
    http::RetryPolicy,
    sailpoint::{self, Account},
};
use headcount_sim::{Request, SailPoint};

use crate::providers::support::{
    Canned, UNREACHABLE_URL, list_all, list_error, plain, respond, sailpoint, steps, values,
};

async fn server(accounts: usize) -> SailPoint {
    let builder = SailPoint::builder().accounts(accounts).record_secrets(true);
    builder.start().await.unwrap()
}

fn ids(accounts: &[Account]) -> Vec<String> {
    accounts.iter().map(|account| account.id.clone()).collect()
}

#[tokio::test]
async fn login_once_with_secret_in_the_body() {
    let server = server(9).await;
    let client = sailpoint(&server).build().unwrap();
    list_all(client.list_accounts().limit(5)).await;
    list_all(client.clone().list_accounts().limit(5)).await;
    let requests = server.requests();
    let login = &requests[0];
    assert_eq!((login.method(), login.path()), ("POST", "/oauth/token"));
    assert_eq!(login.raw_query(), None, "query strings end up in logs");
    assert_eq!(login.header("content-type"), Some("application/x-www-form-urlencoded"));
    let form: Vec<_> = url::form_urlencoded::parse(login.body().as_bytes()).collect();
    let expected = [
        ("grant_type", "client_credentials"),
        ("client_id", server.client_id()),
        ("client_secret", server.client_secret()),
    ];
    assert_eq!(form, expected.map(|(name, value)| (name.into(), value.into())));
    assert!(requests[1..].iter().all(Request::is_list));
}

#[tokio::test]
async fn wrong_credentials_are_an_auth_error() {
    let server = server(3).await;
    // Characters that must be encoded in a form.
    let builder =
        sailpoint::Client::builder().base_url(server.base_url()).client_credentials("me & you", "hunter2+%=");
    let error = list_error(builder.build().unwrap().list_accounts()).await;
    assert_eq!((error.kind(), error.status()), (ErrorKind::Auth, Some(401)));
    assert_eq!(error.message(), "invalid_client: Bad client credentials");
    assert_eq!(error.request_id().map(str::len), Some(32));
    assert_eq!(error.provider(), Some(headcount::Provider::SailPoint));
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    assert_eq!(steps(&server), ["token 401"]);
}

#[tokio::test]
async fn revoked_token_is_replaced_during_a_list() {
    let server = server(13).await;
    let client = sailpoint(&server).build().unwrap();
    let mut pages = client.list_accounts().limit(5).pages();
    let mut listed = ids(&pages.next().await.unwrap().unwrap().items);
    server.revoke_tokens();
    while let Some(page) = pages.next().await {
        listed.extend(ids(&page.unwrap().items));
    }
    assert_eq!(listed, server.ids());
    assert_eq!(pages.summary().completeness, Completeness::Complete);
    assert_eq!(steps(&server), ["token 200", "v1 200", "v1 401", "token 200", "v1 200", "v1 200", "v1 200"]);
    let offsets = ["0", "4", "4", "8", "12"].map(|offset| Some(offset.to_owned()));
    assert_eq!(values(&server.list_requests(), "offset"), offsets);
}

#[tokio::test]
async fn bearer_token_is_not_replaced() {
    let server = server(9).await;
    let builder = || sailpoint::Client::builder().base_url(server.base_url());
    let client = builder().token(server.token()).build().unwrap();
    assert_eq!(list_all(client.list_accounts().limit(5)).await.len(), 9);
    server.revoke_tokens();
    server.clear_requests();
    let error = list_error(client.list_accounts()).await;
    assert_eq!((error.kind(), error.status()), (ErrorKind::Auth, Some(401)));
    assert_eq!(error.message(), "JWT validation failed: JWT is expired");
    assert_eq!(steps(&server), ["v1 401"]);
}

#[tokio::test]
async fn build_rejects_invalid_credentials() {
    let build = || sailpoint::Client::builder().base_url("https://acme.api.identitynow.com");
    for (builder, word) in [
        (build(), "client_credentials()"),
        (build().client_credentials(" ", "secret"), "client id"),
        (build().client_credentials("id", "\n"), "client secret"),
        (build().token(""), "token"),
        (build().token("to\nken"), "token"),
    ] {
        let error = builder.build().expect_err(word);
        assert_eq!(
            (error.kind(), error.provider()),
            (ErrorKind::Config, Some(headcount::Provider::SailPoint))
        );
        assert!(error.message().contains(word), "{word}: {error}");
    }
}

/// Returns a client with client credentials over the test's transport.
fn canned(transport: &Canned) -> sailpoint::Client {
    let builder = sailpoint::Client::builder().base_url(UNREACHABLE_URL).client_credentials("id", "hunter2");
    let builder = builder.retry(RetryPolicy::none()).transport(transport.clone());
    builder.build().unwrap()
}

fn is_login(request: &http::Request<bytes::Bytes>) -> bool {
    request.uri().path() == "/oauth/token"
}

#[tokio::test]
async fn always_rejected_token_is_replaced_once() {
    let transport = Canned::new(|number, request| {
        if is_login(request) {
            respond(200, format!(r#"{{"access_token":"t{number}","expires_in":749}}"#))
        } else {
            respond(401, r#"{"error":"JWT validation failed"}"#)
        }
    });
    let error = list_error(canned(&transport).list_accounts()).await;
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert_eq!(error.message(), "JWT validation failed");
    let logins = transport.urls().iter().filter(|url| url.contains("/oauth/")).count();
    assert_eq!((logins, transport.urls().len()), (2, 4));
}

#[tokio::test]
async fn login_without_token_is_an_error() {
    for (status, body, kind) in [
        (200, "<html>Log in</html>", ErrorKind::Decode),
        (200, "", ErrorKind::Decode),
        (200, r#"{"token_type":"bearer"}"#, ErrorKind::Decode),
        (200, r#"{"access_token":""}"#, ErrorKind::Decode),
        (204, "", ErrorKind::Decode),
        (302, "", ErrorKind::Api),
        (403, "", ErrorKind::PermissionDenied),
        (404, "<html>", ErrorKind::NotFound),
    ] {
        let transport = Canned::new(move |_, request| {
            assert!(is_login(request), "nothing is listed without a token");
            respond(status, body)
        });
        let error = list_error(canned(&transport).list_accounts()).await;
        assert_eq!(error.kind(), kind, "{status} {body}: {error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn simulator_token_endpoint_formats() {
    let server = server(0).await;
    let url = format!("{}/oauth/token", server.base_url());
    let (id, secret) = (server.client_id(), server.client_secret());
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let post = |url: &str, content_type: &str, body: String| {
        let request = plain().post(url).header("content-type", content_type).body(body);
        async move { request.send().await.unwrap().status().as_u16() }
    };
    for (content_type, status) in [
        ("application/x-www-form-urlencoded", 200),
        ("Application/X-WWW-Form-Urlencoded; charset=utf-8", 200),
        ("application/json", 400),
        ("text/plain", 400),
    ] {
        assert_eq!(post(&url, content_type, form.clone()).await, status, "{content_type}");
    }
    assert_eq!(post(&format!("{url}?{form}"), "text/plain", String::new()).await, 200);
}
