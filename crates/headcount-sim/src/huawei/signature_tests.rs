//! The figures of the vendor's own signer, and what they do not show.

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use url::form_urlencoded::Serializer;

use super::super::signature_vectors::{Vector, figures};
use super::{Authorization, canonical_request, date, decode, sign};
use crate::exchange::Incoming;

const DATE: &str = "20260102T030405Z";
const HOST: (&str, &str) = ("host", "organizations.myhuaweicloud.com");

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

/// What is signed of the request of `vector`, when its query comes as `query`.
fn canonical(vector: &Vector, query: &str) -> String {
    let target = if query.is_empty() { vector.path.clone() } else { format!("{}?{query}", vector.path) };
    let headers: Vec<_> =
        vector.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let signed: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
    let incoming = incoming(&vector.method, &target, &headers, &vector.body);
    let canonical = canonical_request(&incoming, &signed).expect("all headers are there");
    String::from_utf8(canonical).expect("text")
}

#[test]
fn every_vector_of_the_vendors_signer_is_met() {
    let figures = figures();
    assert_eq!(figures.date, DATE);
    for vector in &figures.vectors {
        let query = Serializer::new(String::new()).extend_pairs(&vector.query).finish();
        let canonical = canonical(vector, &query);
        assert_eq!(canonical, vector.canonical_request.join("\n"), "{}", vector.name);
        let signature = sign(&figures.secret_key, DATE, canonical.as_bytes());
        assert_eq!(signature.as_ref(), Some(&vector.signature), "{}", vector.name);
    }
}

#[test]
fn a_query_is_the_same_however_it_is_written() {
    let figures = figures();
    for (name, query) in [
        (
            "query_empty_and_repeated",
            "z&states=succeeded&states=failed&states=in_progress&list=b&list=a&list=C&list=10&list=9&n=0",
        ),
        ("query_nonascii_key_order", "~=1&%C3%A9=2&a=3"),
        ("query_nonascii_key_order", "&%7e=1&%c3%a9=2&%61=3"),
    ] {
        let vector = figures.vectors.iter().find(|vector| vector.name == name).expect("a vector");
        assert_eq!(canonical(vector, query), vector.canonical_request.join("\n"), "{query}");
    }
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
