//! Failures that repeat what was sent, as servers have been seen to do.

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

/// What a failure says.
#[derive(Arbitrary, Clone, Debug)]
pub struct Failure {
    text: Vec<Piece>,
    id: Option<Vec<Piece>>,
    odd: Json,
}

#[derive(Arbitrary, Clone, Debug)]
enum Piece {
    Text(String),
    Expired,
    Headers,
    Header(u8),
    Uri,
    Body,
    /// What stands in `Basic …`, read.
    Basic,
    Secret,
    /// Some of the secret: eight characters or more.
    Cut(u8, u8),
    /// The secret on two lines.
    Folded(u8),
    /// Some of a header.
    CutHeader(u8, u8, u8),
}

/// `most` characters and eight more, from `from` on.
fn cut(text: &str, from: u8, most: u8) -> String {
    let from = usize::from(from) % text.chars().count().max(1);
    text.chars().skip(from).take(usize::from(most) + PIECE).collect()
}

/// In which form it says so.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Shape {
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
    /// JSON that has nothing to do with it.
    Odd,
    /// An account with it in a value that is none. The names of a bad row's members are shown, and its id.
    Row,
}

impl Piece {
    fn write(&self, text: &mut String, request: &Request<Bytes>, secret: &str) {
        let value = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        match self {
            Self::Text(piece) => text.push_str(piece),
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

fn written(pieces: &[Piece], request: &Request<Bytes>, secret: &str) -> String {
    let mut text = String::new();
    for piece in pieces.iter().take(20) {
        piece.write(&mut text, request, secret);
    }
    text
}

impl Failure {
    /// The answer. Of `secret` a server only knows what was sent, so it is used where that was sent as it is.
    pub fn reply(&self, status: u16, shape: Shape, request: &Request<Bytes>, secret: &str) -> Reply {
        let sent =
            request.headers().values().any(|value| value.as_bytes().ends_with(secret.trim().as_bytes()));
        let secret = if sent { secret } else { "" };
        let text = written(&self.text, request, secret);
        let id = self.id.as_ref().map(|id| written(id, request, secret));
        let body = match shape {
            Shape::Plain => text,
            Shape::Odd => self.odd.0.clone(),
            shape => shape.json(&text, id.as_deref()).to_string(),
        };
        let id = id.iter().map(|id| ("x-request-id", id.as_bytes()));
        with_headers(status, body, headers(id))
    }
}

impl Shape {
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

/// So many characters of a secret, in a row, are a piece of it.
const PIECE: usize = 8;

/// `text` with marks in it, so that no piece of it is a piece of anything else.
pub fn marked(mark: &str, text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let parts: Vec<String> = chars.chunks(4).map(|part| part.iter().collect()).collect();
    format!("{mark}{}", parts.join(&mark[..2]))
}

/// Whether `shown` holds a piece of `secret`, whatever blanks and line ends are in either.
pub fn shows_piece(shown: &str, secret: &str) -> bool {
    let visible = |text: &str| -> Vec<char> {
        text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect()
    };
    let shown = visible(shown);
    let shown: HashSet<&[char]> = shown.windows(PIECE).collect();
    visible(secret).windows(PIECE).any(|piece| shown.contains(piece))
}

/// The credentials in a request, as a server could repeat them.
pub fn secrets_of(request: &Request<Bytes>) -> Vec<String> {
    const SECRET: [&str; 5] =
        ["authorization", "authentication", "x-annature-key", "x-annature-partner", "x-security-token"];
    let mut secrets = Vec::new();
    for name in SECRET {
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
