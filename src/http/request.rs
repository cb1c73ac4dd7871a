use std::{borrow::Cow, fmt};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, header};
use secrecy::SecretString;
use serde::Serialize;

use super::encode;
use crate::{Error, Result};

/// The maximum length of an id in characters. No provider's ids have more than a few dozen.
const MAX_ID_CHARS: usize = 256;

/// A request to an HTTP API. It may be sent several times.
#[derive(Clone)]
pub struct ApiRequest {
    pub(crate) method: Method,
    /// The path under the base URL. Starts with `/`.
    pub(crate) path: String,
    pub(crate) query: Vec<(Cow<'static, str>, String)>,
    /// An encoded query before that of `query`.
    pub(crate) raw_query: Option<String>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
    /// Whether sending it twice has the same effect as sending it once.
    pub(crate) idempotent: bool,
    /// Whether the client's rate limit applies.
    pub(crate) rate_limited: bool,
    /// Secrets in the body, to be redacted from errors.
    pub(crate) secrets: Vec<SecretString>,
}

impl ApiRequest {
    /// Creates a GET request, which is idempotent.
    ///
    /// `path` starts with `/` and is appended to the base URL. Use [`path_segment`] for ids in it.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path).idempotent()
    }

    /// Creates a request. Not idempotent: retried only if it never reached the server.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            query: Vec::new(),
            raw_query: None,
            headers: Vec::new(),
            body: Bytes::new(),
            idempotent: false,
            rate_limited: true,
            secrets: Vec::new(),
        }
    }

    /// Marks the request as idempotent: sending it twice has the same effect as sending it once.
    #[must_use]
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Adds a query parameter if `value` is `Some`.
    #[must_use]
    pub fn query(mut self, name: impl Into<Cow<'static, str>>, value: Option<impl ToString>) -> Self {
        self.query.extend(value.map(|value| (name.into(), value.to_string())));
        self
    }

    /// Returns the encoded query.
    pub(crate) fn query_string(&self) -> Option<String> {
        let pairs = self.query.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
        let parts: Vec<_> = self.raw_query.iter().cloned().chain(pairs).collect();
        (!parts.is_empty()).then(|| parts.join("&"))
    }

    /// Adds a header. One with a credential must be marked [sensitive](HeaderValue::set_sensitive).
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Sends the request without waiting for the client's rate limit.
    #[must_use]
    pub fn without_rate_limit(mut self) -> Self {
        self.rate_limited = false;
        self
    }

    /// Redacts a secret in the body from errors, in case the server repeats it.
    #[must_use]
    pub fn secret(mut self, secret: impl Into<SecretString>) -> Self {
        self.secrets.push(secret.into());
        self
    }

    /// Sets the body, whose media type is set with [`header`](Self::header).
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets a JSON body.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::Config`](crate::ErrorKind::Config) if `body` cannot be serialised.
    pub fn json(self, body: &impl Serialize) -> Result<Self> {
        self.json_as("application/json", body)
    }

    /// Sets a JSON body with another media type, such as `application/json-patch+json`.
    pub(crate) fn json_as(mut self, media_type: &'static str, body: &impl Serialize) -> Result<Self> {
        let bytes = serde_json::to_vec(body);
        self.body = bytes
            .map_err(|error| Error::config("failed to serialise the request body").with_source(error))?
            .into();
        Ok(self.header(header::CONTENT_TYPE, HeaderValue::from_static(media_type)))
    }
}

/// Encodes an id as one path segment. `name` is its name in errors.
///
/// Percent-encoding does not make every text safe in a path. Servers, proxies and signatures interpret an
/// encoded `/` or `..` differently, so the request could address another resource than intended.
///
/// # Errors
/// Fails with [`ErrorKind::Config`](crate::ErrorKind::Config) if the id is empty, longer than 256 characters,
/// or has path separators, whitespace, control characters or only dots.
pub fn path_segment(name: &str, id: &str) -> Result<String> {
    let invalid = |why: &str| Err(Error::config(format!("{name} {why}; expected an id")));
    if id.is_empty() {
        return invalid("is empty");
    }
    if id.chars().count() > MAX_ID_CHARS {
        return invalid(&format!("has {} characters (maximum {MAX_ID_CHARS})", id.chars().count()));
    }
    if id.contains(['/', '\\']) || id.chars().all(|c| c == '.') {
        return invalid("contains `/` or `\\`, or consists only of dots");
    }
    if id.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return invalid("contains whitespace or control characters");
    }
    Ok(encode(id))
}

/// Prints the method and path. Headers and body may contain credentials.
impl fmt::Debug for ApiRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiRequest")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_is_encoded() {
        let request = ApiRequest::get("/x").query("filters", Some(r#"name eq "a+b&c" "#)).query("n", Some(1));
        assert_eq!(request.query_string().unwrap(), "filters=name%20eq%20%22a%2Bb%26c%22%20&n=1");
        assert_eq!(ApiRequest::get("/x").query("n", None::<u8>).query_string(), None);
    }

    #[test]
    fn path_segment_rejects_path_syntax() {
        for bad in ["", ".", "..", "...", "a/b", "a\\b", "/", "a b", "a\nb", "\u{7f}", &"x".repeat(257)] {
            let error = path_segment("account id", bad).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Config, "{bad:?}");
            assert!(error.message().starts_with("account id "), "{error}");
        }
        assert_eq!(path_segment("id", "o-1.a_b~c").unwrap(), "o-1.a_b~c");
        assert_eq!(path_segment("id", "a%2e?b#c&d=é").unwrap(), "a%252e%3Fb%23c%26d%3D%C3%A9");
    }

    #[test]
    fn only_get_is_idempotent_by_default() {
        assert!(ApiRequest::get("/x").idempotent);
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            assert!(!ApiRequest::new(method, "/x").idempotent);
        }
    }
}
