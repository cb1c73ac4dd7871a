//! Recorded requests.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;

use crate::message::SimRequest;

/// The replacement for a secret.
const REDACTED: &str = "[redacted]";

/// Standard HTTP headers whose values are secrets.
const SECRET_HEADERS: &[&str] = &["authorization", "cookie", "proxy-authorization"];

/// The secret fields of a provider's requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SecretFields {
    /// Header names in lower case, in addition to the standard HTTP headers.
    pub(crate) headers: &'static [&'static str],
    /// Members of a JSON body, at any depth. Their values are secrets if they are strings or numbers.
    pub(crate) members: &'static [&'static str],
}

/// A request that a server received, without its secrets.
///
/// Unless the server was built with `record_secrets(true)`, `[redacted]` replaces:
///
/// - the values of headers that carry credentials
/// - the query values and the body of a token request
/// - the passwords, keys and secrets in a JSON body
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    method: String,
    path: String,
    raw_query: Option<String>,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: String,
    list: bool,
    status: Option<u16>,
    fault: Option<String>,
}

impl Request {
    /// Returns the method, in upper case.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Returns the path as received: percent-encoded, with the server's prefix, without the query.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the query as received, without the `?`.
    pub fn raw_query(&self) -> Option<&str> {
        self.raw_query.as_deref()
    }

    /// Returns the decoded query pairs, in the order received.
    pub fn query(&self) -> &[(String, String)] {
        &self.query
    }

    /// Returns the first value of a query parameter.
    pub fn query_value(&self, name: &str) -> Option<&str> {
        super::message::value(&self.query, name)
    }

    /// Returns the headers in an unspecified order. Names are in lower case.
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// Returns the first value of a header. The name is case-insensitive.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Returns the body as text.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// Returns the status of the response. `None` if there is no response yet, or if the client disconnected
    /// first.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// Returns whether this is a `GET` of the provider's account listing.
    pub fn is_list(&self) -> bool {
        self.list
    }

    /// Returns the JSON name of the injected fault, such as `too_many_requests`.
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// Records a request. Redacts the `secrets`, if any.
    pub(crate) fn new(request: &SimRequest, list: bool, login: bool, secrets: Option<SecretFields>) -> Self {
        let redact_all = login && secrets.is_some();
        let headers = request.headers.iter().map(|(name, value)| {
            let is_secret = |fields: SecretFields| {
                SECRET_HEADERS.contains(&name.as_str()) || fields.headers.contains(&name.as_str())
            };
            let secret = secrets.is_some_and(is_secret);
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.to_string(), if secret { REDACTED.to_owned() } else { value.into_owned() })
        });
        let text = |value: &str| {
            if redact_all { REDACTED.to_owned() } else { value.to_owned() }
        };
        let body = String::from_utf8_lossy(&request.body);
        let body = match secrets {
            Some(fields) => redact_body(body, fields.members),
            None => body,
        };
        Self {
            method: request.method.to_string(),
            path: request.path.clone(),
            raw_query: request.raw_query.as_deref().map(text),
            query: request.query.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
            headers: headers.collect(),
            body: if body.is_empty() { String::new() } else { text(&body) },
            list,
            status: None,
            fault: None,
        }
    }
}

/// Redacts the secrets in a JSON body. Returns any other body unchanged.
fn redact_body<'a>(body: Cow<'a, str>, secrets: &[&str]) -> Cow<'a, str> {
    let Ok(mut json) = serde_json::from_str::<Value>(&body) else {
        return body;
    };
    if redact(&mut json, secrets) { json.to_string().into() } else { body }
}

/// Redacts the secrets in a JSON value. Returns whether there were any.
fn redact(json: &mut Value, secrets: &[&str]) -> bool {
    match json {
        Value::Object(members) => {
            // A JSON Patch operation has the member name in its path.
            let path = members.get("path").and_then(Value::as_str);
            let name = path.and_then(|path| path.rsplit('/').next());
            let patches_secret = name.is_some_and(|name| secrets.contains(&name));
            members.iter_mut().fold(false, |found, (name, value)| {
                let is_secret = secrets.contains(&name.as_str()) || (patches_secret && name == "value");
                if is_secret && (value.is_string() || value.is_number()) {
                    *value = REDACTED.into();
                    return true;
                }
                found | redact(value, secrets)
            })
        }
        Value::Array(values) => values.iter_mut().fold(false, |found, value| found | redact(value, secrets)),
        _ => false,
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        if let Some(query) = &self.raw_query {
            write!(f, "?{query}")?;
        }
        match self.status {
            Some(status) => write!(f, " -> {status}")?,
            None => write!(f, " -> (no response)")?,
        }
        match &self.fault {
            Some(fault) => write!(f, " ({fault})"),
            None => Ok(()),
        }
    }
}

/// The recorded requests, in the order received.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    requests: Vec<Request>,
    /// The number of requests that were removed by `clear`.
    cleared: usize,
    lists: usize,
}

impl RequestLog {
    /// Records a request. Returns its number and, for a list request, its number among those (the first is
    /// 1).
    pub(crate) fn record(&mut self, request: Request) -> (usize, Option<usize>) {
        let list = request.list.then(|| {
            self.lists += 1;
            self.lists
        });
        self.requests.push(request);
        (self.cleared + self.requests.len() - 1, list)
    }

    /// Sets the status of a request, unless the log was cleared since.
    pub(crate) fn set_status(&mut self, number: usize, status: u16) {
        if let Some(request) = self.get_mut(number) {
            request.status = Some(status);
        }
    }

    /// Sets the injected fault of a request, unless the log was cleared since.
    pub(crate) fn set_fault(&mut self, number: usize, fault: String) {
        if let Some(request) = self.get_mut(number) {
            request.fault = Some(fault);
        }
    }

    fn get_mut(&mut self, number: usize) -> Option<&mut Request> {
        let index = number.checked_sub(self.cleared)?;
        self.requests.get_mut(index)
    }

    pub(crate) fn requests(&self) -> &[Request] {
        &self.requests
    }

    pub(crate) fn count(&self) -> usize {
        self.cleared + self.requests.len()
    }

    pub(crate) fn clear(&mut self) {
        self.cleared += self.requests.len();
        self.requests.clear();
    }
}
