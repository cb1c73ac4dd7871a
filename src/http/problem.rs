use http::{HeaderMap, Request};
use secrecy::{ExposeSecret, SecretString};

use super::Answer;
use crate::{Error, ErrorKind, error::one_line};

const REDACTED: &str = "[redacted]";
/// Shorter header values are no secrets. Shorter secrets in a body are blotted out where they stand alone:
/// elsewhere it would eat the text around them.
const SHORT: usize = 6;

/// What a provider says of a failure, in its own terms.
#[derive(Debug, Default)]
pub(crate) struct Problem {
    /// Where the provider's code says more than the status.
    pub(crate) kind: Option<ErrorKind>,
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) request_id: Option<String>,
}

impl Problem {
    /// The error, its texts bounded and free of what `request` was authorised with.
    pub(super) fn into_error(self, answer: &Answer, request: &Secrets) -> Error {
        let status = answer.status.as_u16();
        let kind = self.kind.unwrap_or(match status {
            401 => ErrorKind::Auth,
            403 => ErrorKind::Denied,
            404 => ErrorKind::NotFound,
            429 => ErrorKind::Throttled,
            _ => ErrorKind::Api,
        });
        let message = request.blot_some(self.message).unwrap_or_else(|| {
            if answer.status.is_redirection() {
                "a redirect, which is never followed: credentials belong to the host they were given for"
                    .into()
            } else {
                answer.status.canonical_reason().unwrap_or("the request failed").to_owned()
            }
        });
        Error::new(kind, message)
            .with_status(status)
            .with_code(request.blot_some(self.code))
            .with_request_id(request.blot_some(self.request_id))
    }
}

/// The first of some headers that is there, as text.
pub(crate) fn header(headers: &HeaderMap, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| Some(headers.get(*name)?.to_str().ok()?.to_owned()))
}

/// A body as text, if it is one that a person can read: not HTML, not binary.
pub(crate) fn plain_text(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?.trim();
    (!text.is_empty() && !text.starts_with('<')).then(|| text.to_owned())
}

/// What is secret in a header: not the scheme (`Bearer`), nor the names of parameters (`Signature=`).
fn parts(value: &str) -> impl Iterator<Item = &str> {
    let credentials = value.split_once(' ').map_or("", |(_, credentials)| credentials);
    let parameters = credentials.split(", ").filter_map(|part| part.split_once('='));
    let values = parameters.filter(|(name, _)| *name != "SignedHeaders").map(|(_, value)| value);
    std::iter::once(credentials).chain(values)
}

/// The secrets in a request: servers have been seen to echo them in their errors.
#[derive(Debug)]
pub(super) struct Secrets(Vec<SecretString>);

impl Secrets {
    /// Those in sensitive headers, and `others`, which may be echoed as they stand in JSON too.
    pub(super) fn of<B>(request: &Request<B>, others: impl IntoIterator<Item = SecretString>) -> Self {
        let values = request.headers().values().filter(|value| value.is_sensitive());
        let headers = values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| parts(value).chain([value]))
            .filter(|value| value.trim().len() >= SHORT)
            .map(SecretString::from);
        let others = others.into_iter().flat_map(|secret| [in_json(&secret), secret]);
        let mut secrets: Vec<SecretString> = headers
            .chain(others)
            // Texts lose the blanks at their ends before they come here.
            .map(|secret| SecretString::from(secret.expose_secret().trim()))
            .filter(|secret| !secret.expose_secret().is_empty())
            .collect();
        // The longest first, or a part would be blotted out of the whole.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.expose_secret().len()));
        Self(secrets)
    }

    /// `text` on one line, bounded, with the secrets blotted out.
    pub(super) fn blot(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in self.0.iter().map(ExposeSecret::expose_secret) {
            if secret.len() < SHORT {
                text = blot_alone(&text, secret);
            } else if text.contains(secret) {
                text = text.replace(secret, REDACTED);
            }
        }
        one_line(&text)
    }

    /// The same of text that may be missing; text without a visible character is.
    pub(super) fn blot_some(&self, text: Option<String>) -> Option<String> {
        text.map(|text| self.blot(&text)).filter(|text| !text.is_empty())
    }
}

/// `text` without `secret` where no letter or digit stands beside it.
fn blot_alone(text: &str, secret: &str) -> String {
    let mut blotted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(secret) {
        let (before, behind) = (&rest[..at], &rest[at + secret.len()..]);
        blotted.push_str(before);
        let beside = [blotted.chars().next_back(), behind.chars().next()];
        let alone = !beside.into_iter().flatten().any(char::is_alphanumeric);
        blotted.push_str(if alone { REDACTED } else { secret });
        rest = behind;
    }
    blotted + rest
}

/// A secret as it stands within the quotes of JSON.
fn in_json(secret: &SecretString) -> SecretString {
    let json = serde_json::Value::from(secret.expose_secret()).to_string();
    json.get(1..json.len() - 1).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_echoes_of_the_credentials_is_blotted_out() {
        let mut request = Request::new(());
        let mut value = http::HeaderValue::from_static("Bearer s3cr3t-token");
        value.set_sensitive(true);
        request.headers_mut().insert("authorization", value);
        let secrets = Secrets::of(&request, ["client+secret".into(), "a\"b\\c def".into(), "4711".into()]);
        for (text, expected) in [
            (
                "no: s3cr3t-token |authorization:Bearer s3cr3t-token|\n client+secret ",
                "no: [redacted] |authorization:[redacted]| [redacted]",
            ),
            (r#"{"password":"a\"b\\c def"}"#, r#"{"password":"[redacted]"}"#),
            (r#"a"b\c def is no password"#, "[redacted] is no password"),
            ("the pin 4711 is too short: 4711", "the pin [redacted] is too short: [redacted]"),
            ("request 84711 of 47110, é4711", "request 84711 of 47110, é4711"),
        ] {
            assert_eq!(secrets.blot(text), expected);
        }
        let secrets = Secrets::of(&Request::new(()), [SecretString::from(" pass word\r\n")]);
        assert_eq!(secrets.blot("user: pass word"), "user: [redacted]");
        assert!(secrets.blot(&"x".repeat(5000)).chars().count() <= 501);
    }

    #[test]
    fn a_failure_that_says_nothing_visible_is_told_by_its_status() {
        let answer = Answer {
            status: http::StatusCode::NOT_FOUND,
            headers: HeaderMap::new(),
            body: bytes::Bytes::new(),
        };
        let blank = || Some("\0 \u{7}\n".to_owned());
        let problem = Problem { kind: None, code: blank(), message: blank(), request_id: blank() };
        let error = problem.into_error(&answer, &Secrets(Vec::new()));
        assert_eq!((error.message(), error.code(), error.request_id()), ("Not Found", None, None));
    }
}
