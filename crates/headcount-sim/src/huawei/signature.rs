//! The signature `SDK-HMAC-SHA256`, computed from a request as it arrived.

use chrono::{DateTime, NaiveDateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::exchange::Incoming;

const ALGORITHM: &str = "SDK-HMAC-SHA256";

/// An `Authorization` header, taken apart.
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

/// What is signed: six parts, one line each, but the headers, which are a line each and an empty one.
///
/// Headers that are signed but did not come make it `None`.
pub(crate) fn canonical_request(incoming: &Incoming, signed_headers: &[&str]) -> Option<Vec<u8>> {
    let mut names = signed_headers.to_vec();
    names.sort_unstable();
    let mut text = Vec::new();
    text.extend_from_slice(incoming.method.as_str().as_bytes());
    text.push(b'\n');
    text.extend_from_slice(canonical_path(&incoming.path).as_bytes());
    text.push(b'\n');
    text.extend_from_slice(canonical_query(incoming.raw_query.as_deref().unwrap_or("")).as_bytes());
    text.push(b'\n');
    for name in &names {
        text.extend_from_slice(name.as_bytes());
        text.push(b':');
        let values: Vec<&[u8]> =
            incoming.headers.get_all(*name).iter().map(|value| value.as_bytes().trim_ascii()).collect();
        if values.is_empty() || *name != name.to_ascii_lowercase() {
            return None;
        }
        text.extend_from_slice(&values.join(&b","[..]));
        text.push(b'\n');
    }
    text.push(b'\n');
    text.extend_from_slice(names.join(";").as_bytes());
    text.push(b'\n');
    match incoming.header("x-sdk-content-sha256") {
        Some(hash) => text.extend_from_slice(hash.as_bytes()),
        None => text.extend_from_slice(hex::encode(Sha256::digest(&incoming.body)).as_bytes()),
    }
    Some(text)
}

/// The signature that a canonical request must have.
pub(crate) fn sign(sk: &str, date: &str, canonical_request: &[u8]) -> Option<String> {
    let digest = hex::encode(Sha256::digest(canonical_request));
    let mut mac = Hmac::<Sha256>::new_from_slice(sk.as_bytes()).ok()?;
    mac.update(format!("{ALGORITHM}\n{date}\n{digest}").as_bytes());
    Some(hex::encode(mac.finalize().into_bytes()))
}

/// `X-Sdk-Date`, such as `20260102T030405Z`.
pub(crate) fn date(text: &str) -> Option<DateTime<Utc>> {
    NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%SZ").ok().map(|date| date.and_utc())
}

/// The path, each segment encoded anew, with a slash at the end.
fn canonical_path(path: &str) -> String {
    let decoded = decode(path.as_bytes(), false);
    let segments: Vec<String> = decoded.split(|byte| *byte == b'/').map(encode).collect();
    let mut path = segments.join("/");
    if !path.ends_with('/') {
        path.push('/');
    }
    path
}

/// The pairs of the query, each encoded anew, by name and then by value; each has a `=`.
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

/// Percent-decodes; what is no escape stays as it is.
fn decode(text: &[u8], plus_is_blank: bool) -> Vec<u8> {
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
        } else if byte == b'+' && plus_is_blank {
            out.push(b' ');
        } else {
            out.push(byte);
        }
    }
    out
}

/// Percent-encodes all but the unreserved characters of RFC 3986, in capitals.
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

    // Figures made by running Huawei's own signer on made-up keys, and checked by an independent computation of
    // the HMAC. The client and the simulator sign by code of their own, and both have to meet them.
    #[derive(Deserialize)]
    struct Figures {
        secret_key: String,
        date: String,
        vectors: Vec<Vector>,
    }

    #[derive(Deserialize)]
    struct Vector {
        name: String,
        method: String,
        /// As it is sent, escapes and all.
        path: String,
        /// Names and values, before they are encoded.
        query: Vec<(String, String)>,
        /// Those that are signed, in lower case.
        headers: Vec<(String, String)>,
        body: String,
        /// Its lines.
        canonical_request: Vec<String>,
        signature: String,
    }

    fn figures() -> Figures {
        let figures: Figures = serde_json::from_str(include_str!("signature_vectors.json")).expect("figures");
        assert_eq!(figures.vectors.len(), 16);
        figures
    }

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
}
