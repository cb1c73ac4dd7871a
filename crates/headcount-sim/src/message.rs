//! The request and response types that the pipeline and the providers exchange.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use serde_json::Value;

use crate::fault::ResponseOverride;

/// A request with its complete body.
#[derive(Debug)]
pub(crate) struct SimRequest {
    pub(crate) method: Method,
    /// The path as received: percent-encoded, including the prefix.
    pub(crate) path: String,
    /// The path prefix of all the server's routes.
    prefix: String,
    /// The query as received.
    pub(crate) raw_query: Option<String>,
    /// The query, form-decoded: both `+` and `%20` are a space.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// What the provider must do differently because of a fault.
    pub(crate) overrides: ResponseOverride,
}

impl SimRequest {
    pub(crate) fn new(parts: &http::request::Parts, prefix: &str, body: Bytes) -> Self {
        let path = parts.uri.path().to_owned();
        let raw_query = parts.uri.query().map(str::to_owned);
        Self {
            method: parts.method.clone(),
            prefix: prefix.to_owned(),
            query: raw_query.as_deref().map(pairs).unwrap_or_default(),
            path,
            raw_query,
            headers: parts.headers.clone(),
            body,
            overrides: ResponseOverride::default(),
        }
    }

    /// Returns the path without the server's prefix, or an empty string if the prefix does not match.
    pub(crate) fn route(&self) -> &str {
        self.path.strip_prefix(&self.prefix).unwrap_or("")
    }

    /// Returns the base URL that the client used, for URLs in responses.
    pub(crate) fn base_url(&self) -> String {
        format!("http://{}{}", self.header("host").unwrap_or("127.0.0.1"), self.prefix)
    }

    /// Returns the first value of a query parameter.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        value(&self.query, name)
    }

    /// Replaces a query parameter. An empty value removes it.
    pub(crate) fn set_value(&mut self, name: &str, value: String) {
        self.query.retain(|(key, _)| key != name);
        if !value.is_empty() {
            self.query.push((name.to_owned(), value));
        }
    }

    /// Returns the first value of a header, if it is visible ASCII.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Returns whether the `Content-Type` is this media type. Ignores case and parameters (RFC 9110, 8.3.1).
    pub(crate) fn has_media_type(&self, media_type: &str) -> bool {
        let actual = self.header("content-type").and_then(|value| value.split(';').next());
        actual.is_some_and(|actual| actual.trim().eq_ignore_ascii_case(media_type))
    }

    /// Returns the fields of a URL-encoded or multipart form. Returns none for any other `Content-Type`.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        if self.has_media_type("application/x-www-form-urlencoded") {
            return pairs(&String::from_utf8_lossy(&self.body));
        }
        if self.has_media_type("multipart/form-data") {
            return self.multipart_fields().unwrap_or_default();
        }
        Vec::new()
    }

    /// Parses a multipart form (RFC 7578). Returns `None` if it is malformed or not terminated.
    fn multipart_fields(&self) -> Option<Vec<(String, String)>> {
        let boundary = parameter(self.header("content-type")?, "boundary")?;
        // A delimiter starts with a line break. The leading one makes the first delimiter like the others.
        let body = format!("\r\n{}", String::from_utf8_lossy(&self.body));
        let (parts, _) = body.split_once(&format!("\r\n--{boundary}--"))?;
        let field = |part: &str| {
            let (head, value) = part.split_once("\r\n\r\n")?;
            let mut headers = head.lines().filter_map(|line| line.split_once(':'));
            let (_, disposition) =
                headers.find(|(name, _)| name.trim().eq_ignore_ascii_case("content-disposition"))?;
            Some((parameter(disposition, "name")?.to_owned(), value.to_owned()))
        };
        parts.split(&format!("\r\n--{boundary}")).skip(1).map(field).collect()
    }
}

/// Returns a parameter of a header value, without its quotes.
fn parameter<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let mut parameters = value.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let found = parameters.find(|(key, _)| key.trim().eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.trim().trim_matches('"'))
}

/// Parses the pairs of a query or of a URL-encoded form body.
pub(crate) fn pairs(form: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(form.as_bytes()).into_owned().collect()
}

/// Returns the first value with this name.
pub(crate) fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// A complete response.
#[derive(Clone, Debug)]
pub(crate) struct SimResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl SimResponse {
    /// Creates a response without a body.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Bytes::new() }
    }

    pub(crate) fn json(status: StatusCode, body: &Value) -> Self {
        Self::json_text(status, body.to_string())
    }

    /// Creates a response from serialized JSON.
    pub(crate) fn json_text(status: StatusCode, body: String) -> Self {
        let mut response = Self::empty(status);
        response.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response.body = body.into();
        response
    }

    pub(crate) fn text(status: StatusCode, body: &str) -> Self {
        let mut response = Self::empty(status);
        response.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        response.body = Bytes::copy_from_slice(body.as_bytes());
        response
    }

    /// Adds a header. Omits it if the value is not a valid header value.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multipart_form_fields() {
        let form = |content_type: &str, body: &str| {
            let request = http::Request::builder().header(CONTENT_TYPE, content_type).body(());
            let (parts, ()) = request.expect("a request").into_parts();
            SimRequest::new(&parts, "", Bytes::copy_from_slice(body.as_bytes())).form()
        };
        let body = "--b\r\nContent-Disposition: form-data; name=\"one\"\r\n\r\n1\r\n--b\r\n\
            content-type: text/plain\r\ncontent-disposition: form-data; name=two\r\n\r\na\r\n=b&\r\n--b--\r\n";
        let fields = [("one", "1"), ("two", "a\r\n=b&")].map(|(name, value)| (name.into(), value.into()));
        assert_eq!(form("multipart/form-data; boundary=b", body), fields);
        assert_eq!(form("Multipart/Form-Data; charset=utf-8; Boundary=\"b\"", body), fields);
        for (content_type, body) in [
            ("multipart/form-data", body),
            ("multipart/form-data; boundary=c", body),
            ("multipart/form-data; boundary=b", &body[..body.len() - 6]),
            ("application/json", body),
        ] {
            assert_eq!(form(content_type, body), [], "{content_type}");
        }
    }

    #[test]
    fn media_type_ignores_case_and_parameters() {
        let is_json = |content_type: &str| {
            let request = http::Request::builder().header(CONTENT_TYPE, content_type).body(());
            let (parts, ()) = request.expect("a request").into_parts();
            SimRequest::new(&parts, "", Bytes::new()).has_media_type("application/json")
        };
        for good in ["application/json", "Application/JSON", "application/json ; charset=utf-8"] {
            assert!(is_json(good), "{good}");
        }
        for bad in ["", "application/json-patch+json", "text/plain; application/json", "json"] {
            assert!(!is_json(bad), "{bad}");
        }
    }
}
