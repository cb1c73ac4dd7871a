//! A request as it arrived and the answer to it, between the gate and a provider.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use serde_json::Value;

use crate::fault::Tweak;

/// A request, read whole.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) method: Method,
    /// The path as it arrived, still percent-encoded, prefix included.
    pub(crate) path: String,
    /// What the server has put in front of all its routes.
    prefix: String,
    /// The query as it arrived.
    pub(crate) raw_query: Option<String>,
    /// The query, decoded as a form: both `+` and `%20` are a blank.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// What must be done differently for it.
    pub(crate) tweak: Tweak,
}

impl Incoming {
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
            tweak: Tweak::default(),
        }
    }

    /// The path below the server's prefix, or nothing that any route equals.
    pub(crate) fn route(&self) -> &str {
        self.path.strip_prefix(&self.prefix).unwrap_or("")
    }

    /// Where the client has reached the server, for URLs in answers.
    pub(crate) fn base_url(&self) -> String {
        format!("http://{}{}", self.header("host").unwrap_or("127.0.0.1"), self.prefix)
    }

    /// The first value of a query parameter.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        value(&self.query, name)
    }

    /// Puts another value in the place of a query parameter, as if it had been asked for; empty takes it away.
    pub(crate) fn set_value(&mut self, name: &str, value: String) {
        self.query.retain(|(key, _)| key != name);
        if !value.is_empty() {
            self.query.push((name.to_owned(), value));
        }
    }

    /// A header's first value, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Whether the body is said to be of this media type: in any case, and with any parameters (RFC 9110, 8.3.1).
    pub(crate) fn is_of(&self, media_type: &str) -> bool {
        let given = self.header("content-type").and_then(|value| value.split(';').next());
        given.is_some_and(|given| given.trim().eq_ignore_ascii_case(media_type))
    }

    /// The fields of a form, URL-encoded or multipart. A body that is said to be neither has none.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        if self.is_of("application/x-www-form-urlencoded") {
            return pairs(&String::from_utf8_lossy(&self.body));
        }
        if self.is_of("multipart/form-data") {
            return self.parts().unwrap_or_default();
        }
        Vec::new()
    }

    /// The fields of a multipart form (RFC 7578); `None` if it is malformed or not closed.
    fn parts(&self) -> Option<Vec<(String, String)>> {
        let boundary = parameter(self.header("content-type")?, "boundary")?;
        // A delimiter starts a line. With a line end in front, the first one is like the others.
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

/// A parameter of a header's value, without the quotes that it may stand in.
fn parameter<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let mut parameters = value.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let found = parameters.find(|(key, _)| key.trim().eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.trim().trim_matches('"'))
}

/// The pairs of a query or of a form body.
pub(crate) fn pairs(form: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(form.as_bytes()).into_owned().collect()
}

/// The first value under a name.
pub(crate) fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    /// An answer without a body.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Bytes::new() }
    }

    pub(crate) fn json(status: StatusCode, body: &Value) -> Self {
        Self::json_text(status, body.to_string())
    }

    /// An answer whose JSON has been written already.
    pub(crate) fn json_text(status: StatusCode, body: String) -> Self {
        let mut reply = Self::empty(status);
        reply.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        reply.body = body.into();
        reply
    }

    pub(crate) fn text(status: StatusCode, body: &str) -> Self {
        let mut reply = Self::empty(status);
        reply.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        reply.body = Bytes::copy_from_slice(body.as_bytes());
        reply
    }

    /// The same answer with one more header; a value that no header can hold is left out.
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
    fn a_multipart_form_has_its_fields() {
        let form = |content_type: &str, body: &str| {
            let request = http::Request::builder().header(CONTENT_TYPE, content_type).body(());
            let (parts, ()) = request.expect("a request").into_parts();
            Incoming::new(&parts, "", Bytes::copy_from_slice(body.as_bytes())).form()
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
    fn a_media_type_has_no_case_and_any_parameters() {
        let is_json = |content_type: &str| {
            let request = http::Request::builder().header(CONTENT_TYPE, content_type).body(());
            let (parts, ()) = request.expect("a request").into_parts();
            Incoming::new(&parts, "", Bytes::new()).is_of("application/json")
        };
        for good in ["application/json", "Application/JSON", "application/json ; charset=utf-8"] {
            assert!(is_json(good), "{good}");
        }
        for bad in ["", "application/json-patch+json", "text/plain; application/json", "json"] {
            assert!(!is_json(bad), "{bad}");
        }
    }
}
