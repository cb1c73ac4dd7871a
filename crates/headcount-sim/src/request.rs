//! What the servers remember of each request.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;

use crate::exchange::Incoming;

/// What stands where a secret was.
const REDACTED: &str = "[redacted]";

/// Headers of HTTP itself whose values are secrets.
const SECRET_HEADERS: &[&str] = &["authorization", "cookie", "proxy-authorization"];

/// What is secret in a provider's requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Secrets {
    /// Headers, in lower case, besides those of HTTP itself.
    pub(crate) headers: &'static [&'static str],
    /// Members of a JSON body, wherever they are in it, whose values are secrets where they are text or a number.
    pub(crate) members: &'static [&'static str],
}

/// A request that a server got, without its secrets.
///
/// The values of headers that carry credentials, the query and body of a request for a token, and the
/// passwords, keys and secrets in a JSON body read `[redacted]`, unless the server was built with `record_secrets(true)`.
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
    /// The method, in capitals.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path as it arrived: still percent-encoded, with the server's prefix, without the query.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The query as it arrived, without the `?`.
    pub fn raw_query(&self) -> Option<&str> {
        self.raw_query.as_deref()
    }

    /// The query's pairs, decoded, in the order they came.
    pub fn query(&self) -> &[(String, String)] {
        &self.query
    }

    /// The first value of a query parameter.
    pub fn query_value(&self, name: &str) -> Option<&str> {
        super::exchange::value(&self.query, name)
    }

    /// The headers, names in lower case, in no particular order.
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The first value of a header; the name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body, as text.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// The status it was answered with; `None` while it is not answered, or if its client went away before.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// True for a `GET` of the provider's account listing.
    pub fn is_list(&self) -> bool {
        self.list
    }

    /// The fault that was injected, by its name in JSON, such as `too_many_requests`.
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// Without what is `hidden`, if anything is.
    pub(crate) fn new(incoming: &Incoming, list: bool, login: bool, hidden: Option<Secrets>) -> Self {
        let hide = login && hidden.is_some();
        let headers = incoming.headers.iter().map(|(name, value)| {
            let is_secret = |secrets: Secrets| {
                SECRET_HEADERS.contains(&name.as_str()) || secrets.headers.contains(&name.as_str())
            };
            let secret = hidden.is_some_and(is_secret);
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.to_string(), if secret { REDACTED.to_owned() } else { value.into_owned() })
        });
        let text = |value: &str| {
            if hide { REDACTED.to_owned() } else { value.to_owned() }
        };
        let body = String::from_utf8_lossy(&incoming.body);
        let body = match hidden {
            Some(secrets) => without_secrets(body, secrets.members),
            None => body,
        };
        Self {
            method: incoming.method.to_string(),
            path: incoming.path.clone(),
            raw_query: incoming.raw_query.as_deref().map(text),
            query: incoming.query.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
            headers: headers.collect(),
            body: if body.is_empty() { String::new() } else { text(&body) },
            list,
            status: None,
            fault: None,
        }
    }
}

/// A JSON body with its secrets redacted; any other, and one without secrets, as it is.
fn without_secrets<'a>(body: Cow<'a, str>, secrets: &[&str]) -> Cow<'a, str> {
    let Ok(mut json) = serde_json::from_str::<Value>(&body) else {
        return body;
    };
    if redact(&mut json, secrets) { json.to_string().into() } else { body }
}

/// True when there was something to redact.
fn redact(json: &mut Value, secrets: &[&str]) -> bool {
    match json {
        Value::Object(members) => {
            // An operation of a JSON Patch names its member in its path.
            let path = members.get("path").and_then(Value::as_str);
            let last = path.and_then(|path| path.rsplit('/').next());
            let patched = last.is_some_and(|name| secrets.contains(&name));
            members.iter_mut().fold(false, |found, (name, value)| {
                let named = secrets.contains(&name.as_str()) || (patched && name == "value");
                if named && (value.is_string() || value.is_number()) {
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
            None => write!(f, " -> (no answer)")?,
        }
        match &self.fault {
            Some(fault) => write!(f, " ({fault})"),
            None => Ok(()),
        }
    }
}

/// The requests so far, in the order they arrived.
#[derive(Debug, Default)]
pub(crate) struct Log {
    requests: Vec<Request>,
    /// How many were there before the log was last cleared.
    cleared: usize,
    lists: usize,
}

impl Log {
    /// Notes a request; gives its number, and which list request it is if it is one (the first is 1).
    pub(crate) fn note(&mut self, request: Request) -> (usize, Option<usize>) {
        let list = request.list.then(|| {
            self.lists += 1;
            self.lists
        });
        self.requests.push(request);
        (self.cleared + self.requests.len() - 1, list)
    }

    /// Notes the answer to a request, unless the log was cleared since.
    pub(crate) fn answered(&mut self, number: usize, status: u16) {
        if let Some(request) = self.slot(number) {
            request.status = Some(status);
        }
    }

    /// Notes what was done to a request, unless the log was cleared since.
    pub(crate) fn injected(&mut self, number: usize, fault: String) {
        if let Some(request) = self.slot(number) {
            request.fault = Some(fault);
        }
    }

    fn slot(&mut self, number: usize) -> Option<&mut Request> {
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
