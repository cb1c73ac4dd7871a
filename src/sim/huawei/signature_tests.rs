//! The figures of the vendor's own signer, on made-up keys.

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::{Authorization, canonical_request, date, decode, sign};
use crate::sim::exchange::Incoming;

const SK: &str = "hwSecretKeyExample/0123456789+abcdefghijk";
const DATE: &str = "20260102T030405Z";
const HOST: (&str, &str) = ("host", "organizations.myhuaweicloud.com");
const JSON: (&str, &str) = ("content-type", "application/json");
const AGENT: (&str, &str) = ("user-agent", "huaweicloud-usdk-python/3.0; test-agent");

fn incoming(method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Incoming {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
        map.insert(name, HeaderValue::from_str(value).expect("a header's value"));
    }
    map.insert("x-sdk-date", HeaderValue::from_static(DATE));
    let request = http::Request::builder().method(method).uri(target).body(()).expect("a request");
    let (mut parts, ()) = request.into_parts();
    parts.headers = map;
    Incoming::new(&parts, "", Bytes::copy_from_slice(body.as_bytes()))
}

#[track_caller]
fn check(incoming: &Incoming, signed: &str, signature: &str) -> String {
    let signed: Vec<&str> = signed.split(';').collect();
    let canonical = canonical_request(incoming, &signed).expect("all headers are there");
    assert_eq!(sign(SK, DATE, &canonical).as_deref(), Some(signature));
    String::from_utf8(canonical).expect("text")
}

#[test]
fn minimal_host_and_date() {
    let incoming = incoming("GET", "/v1/organizations/accounts", &[HOST], "");
    let canonical = check(
        &incoming,
        "host;x-sdk-date",
        "b850da6c0729bd91ffb7931a77b551e1a1ff55df6df156546e91ab4d8f6e9cf0",
    );
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let expected = format!(
        "GET\n/v1/organizations/accounts/\n\nhost:{}\nx-sdk-date:{DATE}\n\nhost;x-sdk-date\n{empty}",
        HOST.1
    );
    assert_eq!(canonical, expected);
}

#[test]
fn list_with_limit_and_marker() {
    let target = "/v1/organizations/accounts?limit=200&marker=ou-taowxgy4xbme6m4x3c2iijbxw7yj8fcw";
    check(
        &incoming("GET", target, &[HOST, JSON], ""),
        "content-type;host;x-sdk-date",
        "ac9d7a9611955821c823f1707562c5809fd34b988f802b92ec1ae96e750e1f36",
    );
}

#[test]
fn list_with_parent_token_and_domain() {
    let target = "/v1/organizations/accounts?parent_id=r-abcdefghijklmnopqrstuvwxyz012345\
                  &with_register_contact_info=true&limit=200";
    let headers = [
        HOST,
        JSON,
        ("user-agent", "huaweicloud-usdk-python/3.0"),
        ("x-security-token", "gQpjbi1ub3J0aC00example/+==token"),
        ("x-domain-id", "0a6d25d23900d45c0faac010e0fb4de0"),
    ];
    check(
        &incoming("GET", target, &headers, ""),
        "content-type;host;user-agent;x-domain-id;x-sdk-date;x-security-token",
        "118743461d132c5153d236861ab665499b9806b72228a74a87ed6dcae8db42c3",
    );
}

#[test]
fn query_with_empty_and_repeated_values() {
    let target = "/v1/organizations/accounts?z=&states=succeeded&states=failed&states=in_progress\
                  &list=b&list=a&list=C&list=10&list=9&n=0";
    let signature = "8ef51a9fe08e928aa0553eab230bacee8ca4241eaa125e8446865b45522058d7";
    check(&incoming("GET", target, &[HOST], ""), "host;x-sdk-date", signature);
    let bare = target.replace("z=&", "z&");
    check(&incoming("GET", &bare, &[HOST], ""), "host;x-sdk-date", signature);
}

#[test]
fn query_in_the_order_of_bytes() {
    check(
        &incoming("GET", "/v1/organizations/accounts?b=1&B=2&a1=3&a=4&a10=5&a2=6&_=7&-=8", &[HOST], ""),
        "host;x-sdk-date",
        "6bb373d2a875b1dc4a02c5bd3098585229f7c77779a272d649761fda3c2b5b2d",
    );
    check(
        &incoming("GET", "/v1/organizations/accounts?~=1&%C3%A9=2&a=3", &[HOST], ""),
        "host;x-sdk-date",
        "8c0151f0a7a8e3431c4e5f95e735648438d149636d5a9707c02fc86c4eb7b3a0",
    );
}

#[test]
fn slash_at_the_end_port_and_blanks() {
    check(
        &incoming("GET", "/v1/organizations/", &[HOST], ""),
        "host;x-sdk-date",
        "6241e94a64c546e73750d06a44ee04fa22e85c10ae7570512af3ae1734e16da8",
    );
    check(
        &incoming(
            "GET",
            "/v1/organizations/accounts",
            &[("host", "organizations.myhuaweicloud.com:8443")],
            "",
        ),
        "host;x-sdk-date",
        "e64948920967d66e1a4fec823d31c2c69dcec1071c1883793caa0ca71ac856f3",
    );
    let headers = [HOST, JSON, ("x-security-token", "abc/+== ")];
    check(
        &incoming("GET", "/v1/organizations/accounts?limit=2&marker=", &headers, ""),
        "content-type;host;x-sdk-date;x-security-token",
        "986698d78ff1ed74fb23f56b4a38dee65a106826bada690a9aae1f944a44052d",
    );
}

#[test]
fn post_with_a_body() {
    let body = "{\"name\":\"账号\",\"agency_name\":\"OrganizationAccountAccessAgency\"}";
    check(
        &incoming("POST", "/v1/organizations/accounts", &[HOST, JSON], body),
        "content-type;host;x-sdk-date",
        "bbd474db7a58afae13eabbf4e9d6aa2a6d6eeb2b7a3a3ddcfa3f5c03c20696a6",
    );
}

#[test]
fn requests_of_the_vendors_client() {
    let signed = "content-type;host;user-agent;x-sdk-date";
    check(
        &incoming("GET", "/v1/organizations/accounts?limit=200", &[HOST, JSON, AGENT], ""),
        signed,
        "d08f049b4254ac6215e39a9d458fc7641a9365e12e0d4e665ba3d8c8f8efc06d",
    );
    check(
        &incoming("GET", "/v1/organizations/accounts?limit=200", &[HOST, AGENT], ""),
        "host;user-agent;x-sdk-date",
        "32a720c60d3d09dba708e5da9a12647ee5322b69c1033f7271c584ef780984ed",
    );
    let target = "/v1/organizations/accounts/05261f923e80d3890f33c0056e9b3f80/close";
    check(
        &incoming("POST", target, &[HOST, JSON, AGENT], ""),
        signed,
        "13ef1c9922fb65b63efe60bd2a08375798eb23360c0c4fb1964ebaad2cc89a4a",
    );
    let target = "/v1/organizations/organizations%3Aaccounts/a%2Fb/tags?limit=2";
    check(
        &incoming("GET", target, &[HOST, JSON, AGENT], ""),
        signed,
        "34cdf017b0b87b88eeb76800a9089405b753dbe067f68060788047c2a621d179",
    );
}

#[test]
fn a_signed_header_that_did_not_come_makes_no_request() {
    let incoming = incoming("GET", "/", &[HOST], "");
    assert_eq!(canonical_request(&incoming, &["host", "x-domain-id"]), None);
    assert_eq!(canonical_request(&incoming, &["Host"]), None);
}

#[test]
fn the_hash_that_came_is_taken_for_the_body() {
    let headers = [HOST, ("x-sdk-content-sha256", "UNSIGNED-PAYLOAD")];
    let canonical =
        canonical_request(&incoming("POST", "/", &headers, "body"), &["host"]).expect("a request");
    assert!(canonical.ends_with(b"\nhost\nUNSIGNED-PAYLOAD"));
}

#[test]
fn headers_and_dates_are_read_strictly() {
    let header = "SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date, Signature=00";
    let parsed = Authorization::parse(header).expect("well formed");
    assert_eq!((parsed.access, parsed.signature), ("AK", "00"));
    assert_eq!(parsed.signed_headers, ["host", "x-sdk-date"]);
    for wrong in ["", "Bearer x", "SDK-HMAC-SHA256 Access=AK", &header.replace(", ", ",")] {
        assert_eq!(Authorization::parse(wrong), None, "{wrong}");
    }
    assert!(date(DATE).is_some());
    assert!(date("2026-01-02T03:04:05Z").is_none());
    assert_eq!(decode(b"%41%zz%4", false), b"A%zz%4");
    assert_eq!(decode(b"a+b", true), b"a b");
}
