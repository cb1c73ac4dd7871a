//! The `SDK-HMAC-SHA256` signature of a received request.

use chrono::{DateTime, NaiveDateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::message::SimRequest;

const ALGORITHM: &str = "SDK-HMAC-SHA256";

/// A parsed `Authorization` header.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Authorization<'a> {
    pub(crate) access: &'a str,
    pub(crate) signed_headers: Vec<&'a str>,
    pub(crate) signature: &'a str,
}

impl<'a> Authorization<'a> {
    pub(crate) fn parse(header: &'a str) -> Option<Self> {
        let rest = header.strip_prefix(ALGORITHM)?.strip_prefix(' ')?;
        let mut parts = rest.split(", ");
        let access = parts.next()?.strip_prefix("Access=")?;
        let signed = parts.next()?.strip_prefix("SignedHeaders=")?;
        let signature = parts.next()?.strip_prefix("Signature=")?;
        if parts.next().is_some() {
            return None;
        }
        Some(Self { access, signed_headers: signed.split(';').collect(), signature })
    }
}

/// Returns the canonical request, which is signed. It has six parts, each on a line of its own. The headers
/// have one line each, followed by an empty line.
///
/// Returns `None` if a signed header is missing.
pub(crate) fn canonical_request(request: &SimRequest, signed_headers: &[&str]) -> Option<Vec<u8>> {
    let mut names = signed_headers.to_vec();
    names.sort_unstable();
    let mut text = Vec::new();
    text.extend_from_slice(request.method.as_str().as_bytes());
    text.push(b'\n');
    text.extend_from_slice(canonical_path(&request.path).as_bytes());
    text.push(b'\n');
    text.extend_from_slice(canonical_query(request.raw_query.as_deref().unwrap_or("")).as_bytes());
    text.push(b'\n');
    for name in &names {
        text.extend_from_slice(name.as_bytes());
        text.push(b':');
        let values: Vec<&[u8]> =
            request.headers.get_all(*name).iter().map(|value| value.as_bytes().trim_ascii()).collect();
        if values.is_empty() || *name != name.to_ascii_lowercase() {
            return None;
        }
        text.extend_from_slice(&values.join(&b","[..]));
        text.push(b'\n');
    }
    text.push(b'\n');
    text.extend_from_slice(names.join(";").as_bytes());
    text.push(b'\n');
    match request.header("x-sdk-content-sha256") {
        Some(hash) => text.extend_from_slice(hash.as_bytes()),
        None => text.extend_from_slice(hex::encode(Sha256::digest(&request.body)).as_bytes()),
    }
    Some(text)
}

/// Computes the signature of a canonical request.
pub(crate) fn sign(sk: &str, date: &str, canonical_request: &[u8]) -> Option<String> {
    let digest = hex::encode(Sha256::digest(canonical_request));
    let mut mac = Hmac::<Sha256>::new_from_slice(sk.as_bytes()).ok()?;
    mac.update(format!("{ALGORITHM}\n{date}\n{digest}").as_bytes());
    Some(hex::encode(mac.finalize().into_bytes()))
}

/// Parses an `X-Sdk-Date`, such as `20260102T030405Z`.
pub(crate) fn parse_date(text: &str) -> Option<DateTime<Utc>> {
    NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%SZ").ok().map(|date| date.and_utc())
}

/// Decodes and re-encodes each segment of a path, and appends a slash.
fn canonical_path(path: &str) -> String {
    let decoded = decode(path.as_bytes(), false);
    let segments: Vec<String> = decoded.split(|byte| *byte == b'/').map(encode).collect();
    let mut path = segments.join("/");
    if !path.ends_with('/') {
        path.push('/');
    }
    path
}

/// Decodes and re-encodes the pairs of a query, sorted by name, then by value. Each has a `=`.
fn canonical_query(raw: &str) -> String {
    let pairs = raw.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name.as_bytes(), true), decode(value.as_bytes(), true))
    });
    let mut pairs: Vec<(Vec<u8>, Vec<u8>)> = pairs.collect();
    pairs.sort_unstable();
    let pairs: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    pairs.join("&")
}

/// Percent-decodes text. Invalid escapes are unchanged.
fn decode(text: &[u8], plus_is_space: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        let escape = tail.get(..2).filter(|_| byte == b'%');
        let mut escaped = [0];
        if let Some(digits) = escape
            && hex::decode_to_slice(digits, &mut escaped).is_ok()
        {
            out.push(escaped[0]);
            rest = tail.get(2..).unwrap_or_default();
        } else if byte == b'+' && plus_is_space {
            out.push(b' ');
        } else {
            out.push(byte);
        }
    }
    out
}

/// Percent-encodes all but the unreserved characters of RFC 3986, with upper-case digits.
fn encode(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(byte) {
            text.push(char::from(*byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::header::{HeaderMap, HeaderName, HeaderValue};
    use serde::Deserialize;
    use url::form_urlencoded::Serializer;

    use super::*;

    // Generated by Huawei's own signer with invented keys, and checked by an independent computation of the
    // HMAC. The client and the simulator implement the signature separately. Both are tested with these
    // vectors.
    #[derive(Deserialize)]
    struct TestVectors {
        secret_key: String,
        date: String,
        vectors: Vec<Vector>,
    }

    #[derive(Deserialize)]
    struct Vector {
        name: String,
        method: String,
        /// As sent, percent-encoded.
        path: String,
        /// Names and values, before encoding.
        query: Vec<(String, String)>,
        /// The signed headers. Names are in lower case.
        headers: Vec<(String, String)>,
        body: String,
        /// The lines.
        canonical_request: Vec<String>,
        signature: String,
    }

    fn test_vectors() -> TestVectors {
        let vectors: TestVectors =
            serde_json::from_str(include_str!("signature_vectors.json")).expect("test vectors");
        assert_eq!(vectors.vectors.len(), 16);
        vectors
    }

    const DATE: &str = "20260102T030405Z";
    const HOST: (&str, &str) = ("host", "organizations.myhuaweicloud.com");

    fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> SimRequest {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
            map.insert(name, HeaderValue::from_str(value).expect("a header's value"));
        }
        map.insert("x-sdk-date", HeaderValue::from_static(DATE));
        let request = http::Request::builder().method(method).uri(target).body(()).expect("a request");
        let (mut parts, ()) = request.into_parts();
        parts.headers = map;
        SimRequest::new(&parts, "", Bytes::copy_from_slice(body.as_bytes()))
    }

    /// Returns the canonical request of a vector whose query is sent as `query`.
    fn canonical(vector: &Vector, query: &str) -> String {
        let target = if query.is_empty() { vector.path.clone() } else { format!("{}?{query}", vector.path) };
        let headers: Vec<_> =
            vector.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let signed: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
        let request = request(&vector.method, &target, &headers, &vector.body);
        let canonical = canonical_request(&request, &signed).expect("all headers are present");
        String::from_utf8(canonical).expect("text")
    }

    #[test]
    fn vectors_of_the_vendors_signer() {
        let vectors = test_vectors();
        assert_eq!(vectors.date, DATE);
        for vector in &vectors.vectors {
            let query = Serializer::new(String::new()).extend_pairs(&vector.query).finish();
            let canonical = canonical(vector, &query);
            assert_eq!(canonical, vector.canonical_request.join("\n"), "{}", vector.name);
            let signature = sign(&vectors.secret_key, DATE, canonical.as_bytes());
            assert_eq!(signature.as_ref(), Some(&vector.signature), "{}", vector.name);
        }
    }

    #[test]
    fn canonical_query_ignores_the_encoding() {
        let vectors = test_vectors();
        for (name, query) in [
            (
                "query_empty_and_repeated",
                "z&states=succeeded&states=failed&states=in_progress&list=b&list=a&list=C&list=10&list=9&n=0",
            ),
            ("query_nonascii_key_order", "~=1&%C3%A9=2&a=3"),
            ("query_nonascii_key_order", "&%7e=1&%c3%a9=2&%61=3"),
        ] {
            let vector = vectors.vectors.iter().find(|vector| vector.name == name).expect("a vector");
            assert_eq!(canonical(vector, query), vector.canonical_request.join("\n"), "{query}");
        }
    }

    #[test]
    fn missing_signed_header() {
        let request = request("GET", "/", &[HOST], "");
        assert_eq!(canonical_request(&request, &["host", "x-domain-id"]), None);
        assert_eq!(canonical_request(&request, &["Host"]), None);
    }

    #[test]
    fn content_hash_header_replaces_the_body() {
        let headers = [HOST, ("x-sdk-content-sha256", "UNSIGNED-PAYLOAD")];
        let canonical =
            canonical_request(&request("POST", "/", &headers, "body"), &["host"]).expect("a request");
        assert!(canonical.ends_with(b"\nhost\nUNSIGNED-PAYLOAD"));
    }

    #[test]
    fn headers_and_dates_are_parsed_strictly() {
        let header = "SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date, Signature=00";
        let parsed = Authorization::parse(header).expect("well formed");
        assert_eq!((parsed.access, parsed.signature), ("AK", "00"));
        assert_eq!(parsed.signed_headers, ["host", "x-sdk-date"]);
        for invalid in ["", "Bearer x", "SDK-HMAC-SHA256 Access=AK", &header.replace(", ", ",")] {
            assert_eq!(Authorization::parse(invalid), None, "{invalid}");
        }
        assert!(parse_date(DATE).is_some());
        assert!(parse_date("2026-01-02T03:04:05Z").is_none());
        assert_eq!(decode(b"%41%zz%4", false), b"A%zz%4");
        assert_eq!(decode(b"a+b", true), b"a b");
    }
}
