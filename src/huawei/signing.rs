//! Signs requests with SDK-HMAC-SHA256, as the API gateway verifies them.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderName, HeaderValue, Request, header};
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::{
    Error, Result,
    auth::{credential, sensitive},
    http::encode,
};

const ALGORITHM: &str = "SDK-HMAC-SHA256";
const DATE: HeaderName = HeaderName::from_static("x-sdk-date");
const SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-security-token");
const DOMAIN_ID: HeaderName = HeaderName::from_static("x-domain-id");

/// An access key with its optional security token and domain id.
#[derive(Clone, Debug)]
pub(super) struct Credentials {
    pub(super) access_key: String,
    pub(super) secret_key: SecretString,
    pub(super) security_token: Option<SecretString>,
    pub(super) domain_id: Option<String>,
}

impl Credentials {
    /// Returns a copy without leading and trailing whitespace.
    ///
    /// # Errors
    /// If a value is empty, or contains characters that are not allowed in a header.
    pub(super) fn validated(&self) -> Result<Self> {
        let access_key = credential("access key", &self.access_key.as_str().into())?;
        sensitive("access key", access_key.expose_secret())?;
        let security_token = match &self.security_token {
            Some(token) => {
                let token = credential("security token", token)?;
                sensitive("security token", token.expose_secret())?;
                Some(token)
            }
            None => None,
        };
        Ok(Self {
            access_key: access_key.expose_secret().to_owned(),
            secret_key: credential("secret key", &self.secret_key)?,
            security_token,
            domain_id: self.domain_id.as_deref().map(validate_domain_id).transpose()?,
        })
    }
}

/// Returns the domain id without leading and trailing whitespace.
pub(super) fn validate_domain_id(id: &str) -> Result<String> {
    let id = credential("domain id", &id.into())?;
    sensitive("domain id", id.expose_secret())?;
    Ok(id.expose_secret().to_owned())
}

/// Formats a date for `X-Sdk-Date`.
pub(super) fn format_date(now: DateTime<Utc>) -> String {
    now.format("%Y%m%dT%H%M%SZ").to_string()
}

/// Signs `request` with the date `now`. Sets the date, the security token of a temporary key, the domain id
/// and `Authorization`.
///
/// Sets a `Content-Type` even without a body, because the reference requires one for every request. The host
/// and the headers set by this crate are signed, as in the example of the reference. Headers that proxies
/// rewrite (`user-agent`, `accept-encoding`) are not signed; the gateway requires only the date.
pub(super) fn sign(
    request: &mut Request<Bytes>,
    credentials: &Credentials,
    now: DateTime<Utc>,
) -> Result<()> {
    let date = format_date(now);
    let host = match request.uri().authority() {
        Some(authority) => authority.as_str().to_owned(),
        None => return Err(Error::config("the request has no host to sign")),
    };
    let headers = request.headers_mut();
    headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
    headers.insert(DATE, HeaderValue::try_from(&date).map_err(|_| Error::config("invalid date header"))?);
    if let Some(token) = &credentials.security_token {
        headers.insert(SECURITY_TOKEN, sensitive("security token", token.expose_secret())?);
    }
    if let Some(domain) = &credentials.domain_id {
        let value = HeaderValue::try_from(domain.trim())
            .map_err(|_| Error::config("the domain id contains characters not allowed in a header"))?;
        headers.insert(DOMAIN_ID, value);
    }
    let mut signed = vec![(header::HOST.as_str().to_owned(), host)];
    for name in [header::CONTENT_TYPE, DATE, SECURITY_TOKEN, DOMAIN_ID] {
        if let Some(value) = headers.get(&name) {
            let value = value.to_str().map_err(|_| Error::config("a header to sign is not visible ASCII"))?;
            signed.push((name.as_str().to_owned(), value.to_owned()));
        }
    }
    let query: Vec<_> = url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes())
        .into_owned()
        .collect();
    let canonical = canonical_request(
        request.method().as_str(),
        request.uri().path(),
        &query,
        &mut signed,
        request.body(),
    );
    let signature = signature(&credentials.secret_key, &string_to_sign(&date, &canonical));
    let authorization = authorization(&credentials.access_key, &signed, &signature);
    request.headers_mut().insert(header::AUTHORIZATION, sensitive("access key", &authorization)?);
    Ok(())
}

/// Returns the canonical form of the request, which is hashed. Sorts `headers`; their names must be in lower
/// case.
fn canonical_request(
    method: &str,
    path: &str,
    query: &[(String, String)],
    headers: &mut [(String, String)],
    body: &[u8],
) -> String {
    // Decoded before it is split, as in the vendor's signer, so an encoded slash counts as a separator.
    let mut path: String =
        percent_decode_str(path).decode_utf8_lossy().split('/').map(encode).collect::<Vec<_>>().join("/");
    // Only for the signature; the path of the request itself is unchanged.
    if !path.ends_with('/') {
        path.push('/');
    }
    let mut query: Vec<_> = query.iter().collect();
    query.sort();
    let query: Vec<_> =
        query.into_iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    headers.sort();
    let lines: Vec<_> = headers.iter().map(|(name, value)| format!("{name}:{}", value.trim())).collect();
    let lines = lines.join("\n") + "\n";
    [method, &path, &query.join("&"), &lines, &signed_headers(headers), &hex::encode(Sha256::digest(body))]
        .join("\n")
}

fn signed_headers(headers: &[(String, String)]) -> String {
    headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";")
}

fn string_to_sign(date: &str, canonical_request: &str) -> String {
    format!("{ALGORITHM}\n{date}\n{}", hex::encode(Sha256::digest(canonical_request)))
}

fn signature(secret_key: &SecretString, string_to_sign: &str) -> String {
    let key = secret_key.expose_secret().as_bytes();
    // HMAC accepts a key of any length, so this cannot fail.
    Hmac::<Sha256>::new_from_slice(key)
        .map(|mut mac| {
            mac.update(string_to_sign.as_bytes());
            hex::encode(mac.finalize().into_bytes())
        })
        .unwrap_or_default()
}

fn authorization(access_key: &str, headers: &[(String, String)], signature: &str) -> String {
    format!(
        "{ALGORITHM} Access={access_key}, SignedHeaders={}, Signature={signature}",
        signed_headers(headers)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature_vectors::test_vectors;

    #[test]
    fn matches_the_vendors_test_vectors() {
        let vectors = test_vectors();
        for vector in vectors.vectors {
            let mut headers = vector.headers;
            let body = vector.body.as_bytes();
            let canonical =
                canonical_request(&vector.method, &vector.path, &vector.query, &mut headers, body);
            assert_eq!(canonical, vector.canonical_request.join("\n"), "{}", vector.name);
            let to_sign = string_to_sign(&vectors.date, &canonical);
            let signature = signature(&vectors.secret_key.as_str().into(), &to_sign);
            assert_eq!(signature, vector.signature, "{}", vector.name);
            let names: Vec<_> = headers.iter().map(|(name, _)| name.as_str()).collect();
            let expected = format!(
                "SDK-HMAC-SHA256 Access={}, SignedHeaders={}, Signature={}",
                vectors.access_key,
                names.join(";"),
                vector.signature
            );
            assert_eq!(authorization(&vectors.access_key, &headers, &signature), expected);
        }
    }
}
