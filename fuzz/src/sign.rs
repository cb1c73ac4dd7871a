//! The signature `SDK-HMAC-SHA256` of a request, computed as the vendor documents it from the received
//! request.

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::Request;
use sha2::{Digest, Sha256};

use crate::server::decode;

/// A parsed `Authorization` header.
#[derive(Debug)]
pub struct Authorization<'a> {
    pub access_key: &'a str,
    pub signed_headers: &'a str,
    pub signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// Parses `SDK-HMAC-SHA256 Access=…, SignedHeaders=…, Signature=…`. An access key may contain commas.
    pub fn parse(header: &'a str) -> Option<Self> {
        let (rest, signature) = header.rsplit_once(", Signature=")?;
        let (rest, signed_headers) = rest.rsplit_once(", SignedHeaders=")?;
        Some(Self { access_key: rest.strip_prefix("SDK-HMAC-SHA256 Access=")?, signed_headers, signature })
    }
}

/// Computes the signature of `request`. Returns `None` if a signed header is missing.
pub fn signature(request: &Request<Bytes>, signed_headers: &str, secret_key: &str) -> Option<String> {
    let date = header(request, "x-sdk-date")?;
    let canonical = canonical_request(request, signed_headers)?;
    let text = format!("SDK-HMAC-SHA256\n{date}\n{}", hex::encode(Sha256::digest(canonical)));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret_key.as_bytes()).ok()?;
    mac.update(text.as_bytes());
    Some(hex::encode(mac.finalize().into_bytes()))
}

/// Returns the canonical request: method, path, query, one line per header, the header names, and the body's
/// hash.
fn canonical_request(request: &Request<Bytes>, signed_headers: &str) -> Option<String> {
    let uri = request.uri().to_string();
    let authority = uri.find("://").map_or(0, |scheme| scheme + 3);
    let start = uri[authority..].find(['/', '?']).map_or(uri.len(), |path| authority + path);
    let (path, query) = uri[start..].split_once('?').unwrap_or((&uri[start..], ""));

    let mut path: String = decode(path).split(|byte| *byte == b'/').map(encode).collect::<Vec<_>>().join("/");
    if !path.ends_with('/') {
        path.push('/');
    }

    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<_> = pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect();
    pairs.sort();
    let query: Vec<_> =
        pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();

    let mut names: Vec<&str> = signed_headers.split(';').collect();
    names.sort_unstable();
    let mut lines = String::new();
    for name in &names {
        let value = match header(request, name) {
            Some(value) => value,
            None if *name == "host" => request.uri().authority()?.to_string(),
            None => return None,
        };
        lines += &format!("{name}:{}\n", value.trim());
    }
    let body = hex::encode(Sha256::digest(request.body()));
    Some(format!("{}\n{path}\n{}\n{lines}\n{}\n{body}", request.method(), query.join("&"), names.join(";")))
}

fn header(request: &Request<Bytes>, name: &str) -> Option<String> {
    Some(request.headers().get(name)?.to_str().ok()?.to_owned())
}

/// Percent-encodes everything but `A-Za-z0-9-_.~`.
fn encode(bytes: impl AsRef<[u8]>) -> String {
    let mut text = String::new();
    for byte in bytes.as_ref() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                text.push(char::from(*byte));
            }
            _ => text += &format!("%{byte:02X}"),
        }
    }
    text
}
