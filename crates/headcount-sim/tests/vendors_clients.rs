//! Requests as the vendors' own clients send them.

use base64::{Engine, prelude::BASE64_STANDARD};
use headcount::http::{Bytes, Request, Response, Transport};
use headcount_sim as sim;
use serde_json::Value;

/// Sends a request with these headers.
async fn send(
    server: &sim::Server,
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
    body: &str,
) -> Response<Bytes> {
    let mut request = Request::builder().method(method).uri(format!("{}{path}", server.base_url()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Bytes::copy_from_slice(body.as_bytes())).expect("a request");
    server.transport().send(request, 1 << 24).await.expect("a response")
}

fn json(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).expect("JSON")
}

/// The Node SDK always sends its credentials as a multipart form.
#[tokio::test]
async fn sailpoint_multipart_credentials() {
    let server = sim::SailPoint::builder().start().await.expect("a server");
    let form = |secret: &str| {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", server.client_id()),
            ("client_secret", secret),
        ];
        let part = |(name, value)| {
            format!("--dash\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        fields.map(part).concat() + "--dash--\r\n"
    };
    let headers = [("content-type", "multipart/form-data; boundary=dash")];
    let response = send(&server, ("POST", "/oauth/token"), &headers, &form(server.client_secret())).await;
    assert_eq!(response.status(), 200);
    let token = format!("Bearer {}", json(&response)["access_token"].as_str().expect("a token"));
    let list = send(&server, ("GET", "/v2025/accounts"), &[("authorization", &token)], "").await;
    assert_eq!(list.status(), 200);
    let response = send(&server, ("POST", "/oauth/token"), &headers, &form("wrong")).await;
    assert_eq!(response.status(), 401);
    assert!(server.requests().iter().all(|request| !request.body().contains(server.client_secret())));
}

/// The reference names the header `Authentication`. The vendor's clients send `Authorization`.
#[tokio::test]
async fn fortanix_token_in_either_header() {
    let server = sim::Fortanix::builder().start().await.expect("a server");
    let bearer = format!("Bearer {}", server.token());
    for (name, value) in
        [("authorization", &bearer), ("authentication", &bearer), ("authentication", &server.token())]
    {
        let response = send(&server, ("GET", "/v1/accounts"), &[(name, value)], "").await;
        assert_eq!(response.status(), 200, "{name}");
    }
}

/// The Rust client logs in with HTTP Basic and selects an account under `/v1/accounts`.
#[tokio::test]
async fn fortanix_legacy_account_selection() {
    let server = sim::Fortanix::builder().start().await.expect("a server");
    let basic = BASE64_STANDARD.encode(format!("{}:{}", server.email(), server.password()));
    let basic = format!("Basic {basic}");
    let response = send(&server, ("POST", "/v1/sys/auth"), &[("authorization", &basic)], "").await;
    let token = format!("Bearer {}", json(&response)["access_token"].as_str().expect("a token"));
    let id = &server.ids()[3];
    let select = |id: &str| format!("/v1/accounts/select_account/{id}");
    let headers = [("authorization", token.as_str())];
    let response = send(&server, ("POST", &select(id)), &headers, "").await;
    assert_eq!((response.status().as_u16(), response.body().len()), (204, 0));
    let response = send(&server, ("POST", "/v1/sys/session/refresh"), &headers, "").await;
    assert_eq!(json(&response)["session_info"]["selected_account_id"].as_str(), Some(id.as_str()));
    let unknown = "5e2b9f3a-4b1e-4c7e-9d55-0c1f7f4f0a01";
    assert_eq!(send(&server, ("POST", &select(unknown)), &headers, "").await.status(), 404);
    assert_eq!(send(&server, ("POST", &select(id)), &[], "").await.status(), 401);
    assert_eq!(send(&server, ("GET", &select(id)), &headers, "").await.status(), 405);
}
