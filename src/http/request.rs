use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, header};
use secrecy::SecretString;
use serde::Serialize;

use super::encode;
use crate::{Error, Result};

/// Longer ids are no ids: no provider's has more than a few dozen characters.
const MAX_ID_CHARS: usize = 256;

/// One request, as often as it is sent.
#[derive(Clone)]
pub(crate) struct ApiRequest {
    pub(crate) method: Method,
    /// Under the base URL; starts with `/`.
    pub(crate) path: String,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
    /// Sending it twice does no more than sending it once.
    pub(crate) idempotent: bool,
    /// Whether the client's rate limit applies.
    pub(crate) limited: bool,
    /// Secrets in the body, to be kept out of errors.
    pub(crate) secrets: Vec<SecretString>,
}

impl ApiRequest {
    /// A request that reads.
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::mutation(Method::GET, path).idempotent()
    }

    /// A request that changes something: sent again only if it surely was not carried out.
    pub(crate) fn mutation(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Bytes::new(),
            idempotent: false,
            limited: true,
            secrets: Vec::new(),
        }
    }

    /// Of which sending it twice does no more than sending it once.
    pub(crate) fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// With a query parameter, if there is a value for it.
    pub(crate) fn query(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query.extend(value.map(|value| (name, value.to_string())));
        self
    }

    /// With a header.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// With a JSON body.
    pub(crate) fn json(self, body: &impl Serialize) -> Result<Self> {
        self.json_as("application/json", body)
    }

    /// With a JSON body of a media type of its own, such as `application/json-patch+json`.
    pub(crate) fn json_as(mut self, media_type: &'static str, body: &impl Serialize) -> Result<Self> {
        let bytes = serde_json::to_vec(body);
        self.body = bytes.map_err(|error| Error::config("the body is no JSON").with_source(error))?.into();
        Ok(self.header(header::CONTENT_TYPE, HeaderValue::from_static(media_type)))
    }
}

/// An id as one segment of a path; `name` is what an error calls it.
///
/// Percent-encoding does not make every text safe there: servers, proxies and signatures read `/` and `..`
/// in more than one way even then, and a request may come to be about another thing than was meant.
pub(crate) fn path_segment(name: &str, id: &str) -> Result<String> {
    let refuse = |why: &str| Err(Error::config(format!("{name} {why}; expected an id")));
    if id.is_empty() {
        return refuse("is empty");
    }
    if id.chars().count() > MAX_ID_CHARS {
        return refuse(&format!("has {} characters", id.chars().count()));
    }
    if id.contains(['/', '\\']) || id.chars().all(|c| c == '.') {
        return refuse("holds what paths are made of (/, \\ or only dots)");
    }
    if id.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return refuse("holds blanks or control characters");
    }
    Ok(encode(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_lead_to_another_path_is_no_id() {
        for bad in ["", ".", "..", "...", "a/b", "a\\b", "/", "a b", "a\nb", "\u{7f}", &"x".repeat(257)] {
            let error = path_segment("account id", bad).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Config, "{bad:?}");
            assert!(error.message().starts_with("account id "), "{error}");
        }
        assert_eq!(path_segment("id", "o-1.a_b~c").unwrap(), "o-1.a_b~c");
        assert_eq!(path_segment("id", "a%2e?b#c&d=é").unwrap(), "a%252e%3Fb%23c%26d%3D%C3%A9");
    }

    #[test]
    fn only_reads_are_repeatable_by_themselves() {
        assert!(ApiRequest::get("/x").idempotent);
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            assert!(!ApiRequest::mutation(method, "/x").idempotent);
        }
    }
}
