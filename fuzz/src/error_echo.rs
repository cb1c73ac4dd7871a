//! Error responses that repeat parts of the request, as some servers do.

use std::collections::HashSet;

use arbitrary::Arbitrary;
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use crate::{
    json::Json,
    server::{Reply, headers, with_headers},
};

/// The content of an error response.
#[derive(Arbitrary, Clone, Debug)]
pub struct EchoedError {
    text: Vec<Fragment>,
    id: Option<Vec<Fragment>>,
    odd: Json,
}

#[derive(Arbitrary, Clone, Debug)]
enum Fragment {
    Text(String),
    Expired,
    Headers,
    Header(u8),
    Uri,
    Body,
    /// The decoded credentials of `Basic …`.
    Basic,
    Secret,
    /// A part of the secret, of at least eight characters.
    Cut(u8, u8),
    /// The secret, folded into two lines.
    Folded(u8),
    /// A part of a header.
    CutHeader(u8, u8, u8),
}

/// Returns up to `extra` plus eight characters, starting at `start`.
fn cut(text: &str, start: u8, extra: u8) -> String {
    let start = usize::from(start) % text.chars().count().max(1);
    text.chars().skip(start).take(usize::from(extra) + FRAGMENT_CHARS).collect()
}

/// The format of an error response.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum BodyShape {
    Plain,
    Text,
    Message,
    Nested,
    Huawei,
    Listed,
    ByField,
    Named,
    SailPoint,
    OAuth,
    /// Unrelated JSON.
    Odd,
    /// An account record with the text in an invalid value. An error may contain the member names and the id
    /// of a bad row.
    Row,
}

impl Fragment {
    fn write(&self, text: &mut String, request: &Request<Bytes>, secret: &str) {
        let value = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        match self {
            Self::Text(fragment) => text.push_str(fragment),
            Self::Expired => text.push_str("signature expired"),
            Self::Headers => {
                for (name, header) in request.headers() {
                    *text += &format!("{name}:{}|", value(header));
                }
            }
            Self::Header(index) => {
                let index = usize::from(*index) % request.headers().len().max(1);
                text.extend(request.headers().values().nth(index).map(value));
            }
            Self::Uri => *text += &request.uri().to_string(),
            Self::Body => *text += &String::from_utf8_lossy(request.body()),
            Self::Basic => {
                let header = request.headers().get("authorization").map(value);
                let basic = header.as_deref().and_then(|header| header.strip_prefix("Basic "));
                let read = basic.and_then(|basic| BASE64_STANDARD.decode(basic).ok());
                *text += &String::from_utf8_lossy(&read.unwrap_or_default());
            }
            Self::Secret => text.push_str(secret),
            Self::Cut(from, most) => *text += &cut(secret, *from, *most),
            Self::Folded(at) => {
                let at = usize::from(*at) % secret.chars().count().max(1);
                text.extend(secret.chars().take(at));
                text.push_str("\r\n\t");
                text.extend(secret.chars().skip(at));
            }
            Self::CutHeader(index, from, most) => {
                let index = usize::from(*index) % request.headers().len().max(1);
                let header = request.headers().values().nth(index).map(value).unwrap_or_default();
                *text += &cut(&header, *from, *most);
            }
        }
    }
}

fn written(fragments: &[Fragment], request: &Request<Bytes>, secret: &str) -> String {
    let mut text = String::new();
    for fragment in fragments.iter().take(20) {
        fragment.write(&mut text, request, secret);
    }
    text
}

impl EchoedError {
    /// Builds the response. `secret` is only used if it was sent verbatim, because a server knows nothing
    /// else.
    pub fn reply(&self, status: u16, shape: BodyShape, request: &Request<Bytes>, secret: &str) -> Reply {
        let sent =
            request.headers().values().any(|value| value.as_bytes().ends_with(secret.trim().as_bytes()));
        let secret = if sent { secret } else { "" };
        let text = written(&self.text, request, secret);
        let id = self.id.as_ref().map(|id| written(id, request, secret));
        let body = match shape {
            BodyShape::Plain => text,
            BodyShape::Odd => self.odd.0.clone(),
            shape => shape.json(&text, id.as_deref()).to_string(),
        };
        let id = id.iter().map(|id| ("x-request-id", id.as_bytes()));
        with_headers(status, body, headers(id))
    }
}

impl BodyShape {
    fn json(self, text: &str, id: Option<&str>) -> Value {
        match self {
            Self::Message => json!({"message": text, "code": text}),
            Self::Nested => json!({"error": {"code": text, "message": text, "title": text}}),
            Self::Huawei => json!({"error_code": "Organizations.1001", "error_msg": text, "request_id": id}),
            Self::Listed => json!({"errors": [text, {"message": text}], "trackingId": id}),
            Self::ByField => json!({"errors": {"email": [text], "name": text}}),
            Self::Named => json!({"errors": {text: [text]}, text: {text: text}}),
            Self::SailPoint => json!({
                "detailCode": text, "trackingId": id,
                "messages": [{"locale": "en", "text": text}], "causes": [{"text": text}],
            }),
            Self::OAuth => json!({"error": text, "error_description": text}),
            Self::Row => json!({
                "accounts": [{"id": "a", "name": [text]}], "items": [{"acct_id": "a", "name": text}],
                "page_info": {}, "has_more": false,
            }),
            Self::Text | Self::Plain | Self::Odd => text.into(),
        }
    }
}

/// The number of consecutive characters of a secret that count as a leak.
const FRAGMENT_CHARS: usize = 8;

/// Inserts marks into `text`, so that its fragments occur nowhere else.
pub fn marked(mark: &str, text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let parts: Vec<String> = chars.chunks(4).map(|part| part.iter().collect()).collect();
    format!("{mark}{}", parts.join(&mark[..2]))
}

/// Returns whether `shown` contains a fragment of `secret`. Whitespace and control characters are ignored.
pub fn contains_fragment(shown: &str, secret: &str) -> bool {
    let visible = |text: &str| -> Vec<char> {
        text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect()
    };
    let shown = visible(shown);
    let shown: HashSet<&[char]> = shown.windows(FRAGMENT_CHARS).collect();
    visible(secret).windows(FRAGMENT_CHARS).any(|fragment| shown.contains(fragment))
}

/// Returns the credentials in a request, in every form that a server could repeat.
pub fn secrets_of(request: &Request<Bytes>) -> Vec<String> {
    const SECRET_HEADERS: [&str; 5] =
        ["authorization", "authentication", "x-annature-key", "x-annature-partner", "x-security-token"];
    let mut secrets = Vec::new();
    for name in SECRET_HEADERS {
        let Some(value) = request.headers().get(name).and_then(|value| value.to_str().ok()) else { continue };
        secrets.push(value.to_owned());
        if let Some(credentials) = value.strip_prefix("Bearer ").or_else(|| value.strip_prefix("Basic ")) {
            secrets.push(credentials.to_owned());
        }
        if let Some((_, signature)) = value.split_once("Signature=") {
            secrets.push(signature.to_owned());
        }
    }
    let form = String::from_utf8_lossy(request.body()).into_owned();
    secrets.extend(form.split_once("client_secret=").map(|(_, secret)| secret.to_owned()));
    secrets
}
