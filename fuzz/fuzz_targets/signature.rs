//! Arbitrary requests to Huawei. Each must be signed as the vendor's gateway computes it, or fail before it
//! is sent.

#![no_main]

use std::time::{Duration, UNIX_EPOCH};

use arbitrary::Arbitrary;
use futures::TryStreamExt;
use headcount::{ErrorKind, http::Clock, huawei};
use headcount_fuzz::{
    clients::policy,
    redaction,
    runtime::run,
    server::{Server, parameter, response},
    sign::{Authorization, signature},
};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input {
    access_key: String,
    secret_key: String,
    security_token: Option<String>,
    domain_id: Option<String>,
    prefix: String,
    port: Option<u16>,
    parent_id: Option<String>,
    marker: Option<String>,
    next_marker: String,
    contact: Option<bool>,
    limit: Option<u16>,
    now: u32,
}

fn page(next: Option<&str>) -> String {
    serde_json::json!({"accounts": [], "page_info": {"next_marker": next}}).to_string()
}

fuzz_target!(|input: Input| {
    let port = input.port.map_or(String::new(), |port| format!(":{port}"));
    let endpoint = format!("https://organizations.example{port}/{}", input.prefix);
    // A path that is not UTF-8 has no unique canonical form. URLs ignore tabs and line breaks.
    let stripped = endpoint.replace(['\t', '\r', '\n'], "");
    if String::from_utf8(headcount_fuzz::server::decode(&stripped)).is_err() {
        return;
    }
    let next: String = input.next_marker.chars().take(200).collect();
    let first = page(Some(&next).filter(|next| !next.is_empty()).map(String::as_str));
    let mut pages = [first, page(None)].into_iter();
    let server = Server::new(move |_| response(200, pages.next().unwrap_or_default()));

    let now = UNIX_EPOCH + Duration::from_secs(input.now.into());
    let mut builder = huawei::Client::builder()
        .access_key(input.access_key.as_str())
        .secret_key(input.secret_key.as_str())
        .base_url(endpoint)
        .clock(Clock::new(move || now))
        .retry(policy())
        .transport(server.clone());
    if let Some(token) = &input.security_token {
        builder = builder.security_token(token.as_str());
    }
    if let Some(id) = &input.domain_id {
        builder = builder.domain_id(id.as_str());
    }
    let client = match builder.build() {
        Ok(client) => client,
        Err(error) => {
            redaction::check(&error);
            return assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        }
    };
    let mut list = client.list_accounts();
    if let Some(id) = &input.parent_id {
        list = list.parent_id(id.as_str());
    }
    if let Some(marker) = &input.marker {
        list = list.marker(marker.as_str());
    }
    if let Some(contact) = input.contact {
        list = list.with_register_contact_info(contact);
    }
    if let Some(limit) = input.limit {
        list = list.limit(limit.into());
    }
    let listed = run(list.items().try_collect::<Vec<_>>());
    let requests = server.requests();
    match listed {
        Ok(_) => assert_eq!(requests.len(), if next.is_empty() { 1 } else { 2 }),
        Err(error) => {
            redaction::check(&error);
            // The next marker may exceed the maximum length of a URL.
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
            assert!(requests.len() <= 1);
        }
    }
    for (number, request) in requests.iter().map(|recorded| &recorded.request).enumerate() {
        let header = request.headers()["authorization"].to_str().unwrap();
        let authorization = Authorization::parse(header).expect(header);
        assert_eq!(authorization.access_key, input.access_key.trim());
        let mut names: Vec<_> = authorization.signed_headers.split(';').collect();
        assert!(names.is_sorted(), "{names:?}");
        names.retain(|name| !["host", "x-sdk-date"].contains(name));
        let mut expected = vec!["content-type"];
        expected.extend(input.domain_id.as_ref().map(|_| "x-domain-id"));
        expected.extend(input.security_token.as_ref().map(|_| "x-security-token"));
        assert_eq!(names, expected, "signed headers besides host and date");
        assert_eq!(request.headers()["content-type"], "application/json");
        let expected = signature(request, authorization.signed_headers, input.secret_key.trim());
        assert_eq!(Some(authorization.signature), expected.as_deref(), "{request:?}");

        assert_eq!(parameter(request, "parent_id"), input.parent_id);
        let marker = if number == 0 { input.marker.clone() } else { Some(next.clone()) };
        assert_eq!(parameter(request, "marker"), marker);
        assert!(!request.uri().query().unwrap_or_default().contains('+'), "{}", request.uri());
    }
});
