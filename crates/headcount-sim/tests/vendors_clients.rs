//! What the vendors' own clients send, answered as they expect it.

use base64::{Engine, prelude::BASE64_STANDARD};
use headcount::http::{Bytes, Request, Response, Transport};
use headcount_sim as sim;
use serde_json::Value;

/// The answer to a request with these headers.
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
    server.transport().send(request, 1 << 24).await.expect("an answer")
}

fn json(answer: &Response<Bytes>) -> Value {
    serde_json::from_slice(answer.body()).expect("JSON")
}

/// The Node SDK sends its credentials as a multipart form, and nothing else.
#[tokio::test]
async fn sailpoint_takes_multipart_credentials() {
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
    let kind = [("content-type", "multipart/form-data; boundary=dash")];
    let answer = send(&server, ("POST", "/oauth/token"), &kind, &form(server.client_secret())).await;
    assert_eq!(answer.status(), 200);
    let token = format!("Bearer {}", json(&answer)["access_token"].as_str().expect("a token"));
    let list = send(&server, ("GET", "/v2025/accounts"), &[("authorization", &token)], "").await;
    assert_eq!(list.status(), 200);
    let answer = send(&server, ("POST", "/oauth/token"), &kind, &form("wrong")).await;
    assert_eq!(answer.status(), 401);
    assert!(server.requests().iter().all(|request| !request.body().contains(server.client_secret())));
}

/// The reference names the header `Authentication`, the vendor's clients send `Authorization`.
#[tokio::test]
async fn fortanix_takes_a_token_in_either_header() {
    let server = sim::Fortanix::builder().start().await.expect("a server");
    let bearer = format!("Bearer {}", server.token());
    for (name, value) in
        [("authorization", &bearer), ("authentication", &bearer), ("authentication", &server.token())]
    {
        let answer = send(&server, ("GET", "/v1/accounts"), &[(name, value)], "").await;
        assert_eq!(answer.status(), 200, "{name}");
    }
}

/// The Rust client logs in with Basic and selects an account below `/v1/accounts`.
#[tokio::test]
async fn fortanix_selects_an_account_by_the_old_path() {
    let server = sim::Fortanix::builder().start().await.expect("a server");
    let basic = BASE64_STANDARD.encode(format!("{}:{}", server.email(), server.password()));
    let basic = format!("Basic {basic}");
    let answer = send(&server, ("POST", "/v1/sys/auth"), &[("authorization", &basic)], "").await;
    let token = format!("Bearer {}", json(&answer)["access_token"].as_str().expect("a token"));
    let id = &server.ids()[3];
    let select = |id: &str| format!("/v1/accounts/select_account/{id}");
    let headers = [("authorization", token.as_str())];
    let answer = send(&server, ("POST", &select(id)), &headers, "").await;
    assert_eq!((answer.status().as_u16(), answer.body().len()), (204, 0));
    let answer = send(&server, ("POST", "/v1/sys/session/refresh"), &headers, "").await;
    assert_eq!(json(&answer)["session_info"]["selected_account_id"].as_str(), Some(id.as_str()));
    let nobody = "5e2b9f3a-4b1e-4c7e-9d55-0c1f7f4f0a01";
    assert_eq!(send(&server, ("POST", &select(nobody)), &headers, "").await.status(), 404);
    assert_eq!(send(&server, ("POST", &select(id)), &[], "").await.status(), 401);
    assert_eq!(send(&server, ("GET", &select(id)), &headers, "").await.status(), 405);
}
