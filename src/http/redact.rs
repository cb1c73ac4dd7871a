use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
};

use http::{HeaderMap, HeaderName};
use secrecy::{ExposeSecret, SecretString};

use crate::error::one_line;

const REDACTED: &str = "[redacted]";
/// The length of a fragment in characters. Any fragment of a secret that is this long is redacted.
const FRAGMENT_CHARS: usize = 8;
/// The length in characters below which header values are not treated as secrets. Other secrets that are
/// shorter are redacted only as whole words, because they may occur by chance within longer ones.
const MIN_SECRET_CHARS: usize = 6;
/// How much of a text is scanned, in bytes. An error shows far less.
const MAX_SCANNED_BYTES: usize = 16 * 1024;

/// Redacts the secrets of one request from texts. Servers have been observed to echo secrets in their errors:
/// whole, truncated, and folded over several lines.
#[derive(Debug)]
pub(super) struct Redactor {
    secrets: Vec<SecretString>,
    /// Header values that contain secrets and other words. Redacted only where they occur whole.
    full_values: Vec<SecretString>,
}

impl Redactor {
    /// Creates a redactor for the sensitive headers of a request and for `extra` secrets. Those are also
    /// redacted in their JSON-escaped form.
    pub(super) fn new(headers: &HeaderMap, extra: impl IntoIterator<Item = SecretString>) -> Self {
        let sensitive = headers.iter().filter(|(_, value)| value.is_sensitive());
        let sensitive: Vec<_> =
            sensitive.filter_map(|(name, value)| Some((name, value.to_str().ok()?))).collect();
        let in_headers = sensitive.iter().flat_map(|(name, value)| credential_parts(name, value));
        let in_headers =
            in_headers.filter(|value| value.trim().len() >= MIN_SECRET_CHARS).map(SecretString::from);
        let extra = extra.into_iter().flat_map(|secret| [json_escaped(&secret), secret]);
        let full_values = sensitive.iter().map(|(_, value)| *value).filter(|value| value.contains(", "));
        Self {
            secrets: in_headers.chain(extra).collect(),
            full_values: full_values.map(SecretString::from).collect(),
        }
    }

    /// Returns `text` on one line, limited in length, with the secrets and their fragments redacted.
    ///
    /// Whitespace and control characters within a secret do not hide it. The time is linear in the text, of
    /// which only the first [`MAX_SCANNED_BYTES`] are scanned.
    pub(super) fn redact(&self, text: &str) -> String {
        let ends = text.char_indices().map(|(at, c)| at + c.len_utf8());
        let scanned = &text[..ends.take_while(|end| *end <= MAX_SCANNED_BYTES).last().unwrap_or(0)];
        let is_cut = scanned.len() < text.len();
        let (offsets, chars): (Vec<usize>, Vec<char>) =
            scanned.char_indices().filter(|(_, c)| is_visible(*c)).unzip();
        let mut marks = Marks::new(chars.len());
        self.mark_fragments(&chars, &mut marks);
        for secret in self.secrets.iter().map(|secret| secret.expose_secret().trim()) {
            if (1..MIN_SECRET_CHARS).contains(&secret.chars().filter(|c| is_visible(*c)).count()) {
                for range in standalone(scanned, secret) {
                    let first = offsets.partition_point(|offset| *offset < range.start);
                    let end = offsets.partition_point(|offset| *offset < range.end);
                    marks.add(first, end);
                }
            }
        }
        let mut redacted = String::with_capacity(scanned.len());
        let mut end = 0;
        // The cut may leave a prefix of a secret that is shorter than a fragment, and so not marked.
        let shown = if is_cut { chars.len().saturating_sub(FRAGMENT_CHARS) } else { chars.len() };
        for (index, c) in chars.into_iter().take(shown).enumerate() {
            if !marks.continues(index) {
                if offsets[index] > end {
                    redacted.push(' ');
                }
                if marks.covers(index) {
                    redacted.push_str(REDACTED);
                }
            }
            if !marks.covers(index) {
                redacted.push(c);
            }
            end = offsets[index] + c.len_utf8();
        }
        if is_cut {
            redacted.push('…');
        }
        one_line(&redacted)
    }

    /// Redacts an optional text. Returns `None` for text without visible characters.
    pub(super) fn redact_opt(&self, text: Option<String>) -> Option<String> {
        text.map(|text| self.redact(&text)).filter(|text| !text.is_empty())
    }

    /// Marks every fragment of a secret. A longer part of a secret consists of overlapping fragments, so all
    /// of it is marked.
    fn mark_fragments(&self, chars: &[char], marks: &mut Marks) {
        // Hashes, so that no copy of a secret remains in memory.
        let hasher = RandomState::new();
        let mut fragments = HashSet::new();
        let mut lengths = HashSet::new();
        let visible = |secret: &SecretString| -> Vec<char> {
            secret.expose_secret().chars().filter(|c| is_visible(*c)).collect()
        };
        for value in self.full_values.iter().map(visible) {
            for (index, _) in chars.windows(value.len()).enumerate().filter(|(_, window)| **window == value) {
                marks.add(index, index + value.len());
            }
        }
        for secret in &self.secrets {
            let secret = visible(secret);
            let length = secret.len().min(FRAGMENT_CHARS);
            if length >= MIN_SECRET_CHARS {
                lengths.insert(length);
                fragments.extend(secret.windows(length).map(|fragment| hasher.hash_one(fragment)));
            }
        }
        for length in lengths {
            for (index, fragment) in chars.windows(length).enumerate() {
                if fragments.contains(&hasher.hash_one(fragment)) {
                    marks.add(index, index + length);
                }
            }
        }
    }
}

/// Marks for each character: whether it is secret, and whether it continues the secret of the previous
/// character.
struct Marks(Vec<(bool, bool)>);

impl Marks {
    fn new(len: usize) -> Self {
        Self(vec![(false, false); len])
    }

    fn add(&mut self, first: usize, end: usize) {
        for index in first..end {
            self.0[index].0 = true;
            self.0[index].1 |= index > first;
        }
    }

    fn covers(&self, index: usize) -> bool {
        self.0[index].0
    }

    fn continues(&self, index: usize) -> bool {
        self.0[index].1
    }
}

fn is_visible(c: char) -> bool {
    !c.is_whitespace() && !c.is_control()
}

/// Returns where `secret` occurs in `text` without an adjacent letter or digit.
fn standalone<'a>(text: &'a str, secret: &'a str) -> impl Iterator<Item = std::ops::Range<usize>> + 'a {
    text.match_indices(secret).map(|(at, found)| at..at + found.len()).filter(|range| {
        let adjacent = [text[..range.start].chars().next_back(), text[range.end..].chars().next()];
        !adjacent.into_iter().flatten().any(char::is_alphanumeric)
    })
}

/// Returns the secret parts of a header value, without the scheme (`Bearer`) and parameter names
/// (`Signature=`).
fn credential_parts<'a>(name: &HeaderName, value: &'a str) -> Vec<&'a str> {
    if !matches!(name.as_str(), "authorization" | "authentication") {
        return vec![value];
    }
    let (scheme, credentials) = value.split_once(' ').unwrap_or(("", value));
    let parameters: Option<Vec<_>> = credentials.split(", ").map(|part| part.split_once('=')).collect();
    match parameters {
        Some(parameters) if !matches!(scheme, "Bearer" | "Basic") => {
            let secret = parameters.into_iter().filter(|(name, _)| *name != "SignedHeaders");
            secret.map(|(_, value)| value).collect()
        }
        _ => vec![credentials],
    }
}

/// Returns the secret as it appears between the quotes of a JSON string.
fn json_escaped(secret: &SecretString) -> SecretString {
    let json = serde_json::Value::from(secret.expose_secret()).to_string();
    json.get(1..json.len() - 1).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, header};

    use super::*;

    fn redactor(secrets: &[&str]) -> Redactor {
        Redactor::new(&HeaderMap::new(), secrets.iter().map(|secret| SecretString::from(*secret)))
    }

    fn with_header(name: HeaderName, value: &str) -> Redactor {
        let mut value = HeaderValue::try_from(value).unwrap();
        value.set_sensitive(true);
        Redactor::new(&HeaderMap::from_iter([(name, value)]), [])
    }

    #[test]
    fn redacts_echoed_secrets() {
        let authorized = with_header(header::AUTHORIZATION, "Bearer s3cr3t-token");
        assert_eq!(
            authorized.redact("no: s3cr3t-token |authorization:Bearer s3cr3t-token|\n Bearer "),
            "no: [redacted] |authorization:Bearer [redacted]| Bearer"
        );
        let redactor = redactor(&["client+secret", "a\"b\\c def", "4711"]);
        for (text, expected) in [
            (" client+secret ", "[redacted]"),
            ("client+secret client+secret", "[redacted] [redacted]"),
            (r#"{"password":"a\"b\\c def"}"#, r#"{"password":"[redacted]"}"#),
            (r#"a"b\c def is no password"#, "[redacted] is no password"),
            ("the pin 4711 is too short: 4711", "the pin [redacted] is too short: [redacted]"),
            ("request 84711 of 47110, é4711", "request 84711 of 47110, é4711"),
        ] {
            assert_eq!(redactor.redact(text), expected);
        }
        assert_eq!(self::redactor(&[" pass word\r\n"]).redact("user: pass word"), "user: [redacted]");
    }

    #[test]
    fn redacts_signature_but_not_parameter_names() {
        let signed =
            "SDK-HMAC-SHA256 Access=AKAKAKAKAK, SignedHeaders=content-type;host, Signature=0123456789abcdef";
        let redactor = with_header(header::AUTHORIZATION, signed);
        assert_eq!(
            redactor.redact(&format!("Signature of content-type: {}, {signed}", &signed[16..])),
            "Signature of content-type: Access=[redacted], SignedHeaders=content-type;host, \
             Signature=[redacted], [redacted]"
        );
        let key = with_header(HeaderName::from_static("x-key"), "Bearer s3cr3t-token");
        assert_eq!(key.redact("Bearer s3cr3t-token"), "[redacted]");
        assert_eq!(with_header(HeaderName::from_static("x-key"), "short").redact("short"), "short");
        let basic = with_header(header::AUTHORIZATION, "Basic YWRhOnNlY3JldA==");
        assert_eq!(basic.redact("YWRhOnNlY3JldA=="), "[redacted]");
    }

    #[test]
    fn redacts_fragments_and_folded_secrets() {
        let redactor = redactor(&["0123456789abcdefghij", "tiny-pw"]);
        for (text, expected) in [
            ("key 01234567", "key [redacted]"),
            ("key 0123456", "key 0123456"),
            ("key …cdefghij.", "key …[redacted]."),
            ("key 3456789abcdef…", "key [redacted]…"),
            ("0123456789a\r\n\tbcdefghij", "[redacted]"),
            ("key 0123\n4567", "key [redacted]"),
            ("0123456789 \u{0}abcdefghij of 5", "[redacted] of 5"),
            ("tiny-\npw", "[redacted]"),
            ("tiny-p", "tiny-p"),
        ] {
            assert_eq!(redactor.redact(text), expected, "{text:?}");
        }
    }

    /// Random fragments of random secrets, folded at random, in random text.
    #[test]
    fn random_fragments_are_redacted() {
        let mut random = fastrand::Rng::with_seed(7);
        for round in 0..100 {
            let secrets: Vec<String> = (0..random.usize(1..4))
                .map(|_| (0..random.usize(8..200)).map(|_| random.char('!'..='~')).collect())
                .collect();
            let redactor = redactor(&secrets.iter().map(String::as_str).collect::<Vec<_>>());
            let mut text = String::new();
            while text.len() < random.usize(10..4 * MAX_SCANNED_BYTES) {
                let secret = random.choice(&secrets).unwrap();
                let from = random.usize(0..=secret.len() - FRAGMENT_CHARS);
                let to = random.usize(from + FRAGMENT_CHARS..=secret.len());
                for c in secret[from..to].chars() {
                    text.push(c);
                    if random.u8(0..20) == 0 {
                        text.push_str(random.choice([" ", "\n", "\r\n\t", "\u{0}", "\u{2028}"]).unwrap());
                    }
                }
                let between = random.usize(0..300);
                text.extend((0..between).map(|_| random.char('а'..='я')));
            }
            let shown: Vec<char> = redactor.redact(&text).chars().filter(|c| is_visible(*c)).collect();
            for secret in &secrets {
                let secret: Vec<char> = secret.chars().collect();
                for fragment in secret.windows(FRAGMENT_CHARS) {
                    assert!(!shown.windows(FRAGMENT_CHARS).any(|window| window == fragment), "round {round}");
                }
            }
        }
    }

    #[test]
    fn truncation_leaves_no_fragment() {
        let secret = "0123456789abcdefghij".repeat(10);
        let redactor = redactor(&[&secret]);
        for before in MAX_SCANNED_BYTES - 210..MAX_SCANNED_BYTES + 10 {
            // Whitespace is collapsed, so the secret is within the part that is shown.
            let text = format!("key:{}{secret}{}", " ".repeat(before), "x".repeat(1_000_000));
            let shown = redactor.redact(&text);
            assert!(!shown.contains("01234"), "{before}: {shown}");
        }
        assert!(redactor.redact(&"x".repeat(5_000_000)).chars().count() <= 501);
        assert!(redactor.redact(&"é".repeat(MAX_SCANNED_BYTES)).ends_with('…'));
    }
}
