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
#[path = "signature_tests.rs"]
mod tests;
