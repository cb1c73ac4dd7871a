use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
};

use http::{HeaderMap, HeaderName};
use secrecy::{ExposeSecret, SecretString};

use crate::error::one_line;

const REDACTED: &str = "[redacted]";
/// So many characters of a secret, in a row, are a piece of it that is not shown.
const PIECE: usize = 8;
/// Shorter header values are no secrets. Shorter secrets of another kind are redacted where they stand alone:
/// elsewhere the text around them would be lost.
const SHORT: usize = 6;
/// How much of a text is looked at, in bytes. An error shows far less.
const MAX_LEN: usize = 16 * 1024;

/// The secrets of one request: servers have been seen to echo them in their errors, whole, cut off, and folded over
/// lines.
#[derive(Debug)]
pub(super) struct Redactor {
    secrets: Vec<SecretString>,
    /// What holds secrets and other words: redacted where it stands as a whole.
    wholes: Vec<SecretString>,
}

impl Redactor {
    /// Redacts the sensitive headers of a request, and `others`, which may be echoed as they stand in JSON too.
    pub(super) fn new(headers: &HeaderMap, others: impl IntoIterator<Item = SecretString>) -> Self {
        let sensitive = headers.iter().filter(|(_, value)| value.is_sensitive());
        let sensitive: Vec<_> =
            sensitive.filter_map(|(name, value)| Some((name, value.to_str().ok()?))).collect();
        let in_headers = sensitive.iter().flat_map(|(name, value)| credential_parts(name, value));
        let in_headers = in_headers.filter(|value| value.trim().len() >= SHORT).map(SecretString::from);
        let others = others.into_iter().flat_map(|secret| [json_escaped(&secret), secret]);
        let wholes = sensitive.iter().map(|(_, value)| *value).filter(|value| value.contains(", "));
        Self { secrets: in_headers.chain(others).collect(), wholes: wholes.map(SecretString::from).collect() }
    }

    /// `text` on one line and bounded, without the secrets and their pieces.
    ///
    /// Blanks, line ends and control characters within a secret do not hide it. The time is linear in the text,
    /// of which only the beginning is looked at.
    pub(super) fn redact(&self, text: &str) -> String {
        let ends = text.char_indices().map(|(at, c)| at + c.len_utf8());
        let looked_at = &text[..ends.take_while(|end| *end <= MAX_LEN).last().unwrap_or(0)];
        let is_cut = looked_at.len() < text.len();
        let (offsets, chars): (Vec<usize>, Vec<char>) =
            looked_at.char_indices().filter(|(_, c)| is_visible(*c)).unzip();
        let mut marks = Marks::none(chars.len());
        self.mark_pieces(&chars, &mut marks);
        for secret in self.secrets.iter().map(|secret| secret.expose_secret().trim()) {
            if (1..SHORT).contains(&secret.chars().filter(|c| is_visible(*c)).count()) {
                for range in standalone(looked_at, secret) {
                    let first = offsets.partition_point(|offset| *offset < range.start);
                    let end = offsets.partition_point(|offset| *offset < range.end);
                    marks.add(first, end);
                }
            }
        }
        let mut redacted = String::with_capacity(looked_at.len());
        let mut end = 0;
        // What a cut leaves of a secret is shorter than a piece.
        let shown = if is_cut { chars.len().saturating_sub(PIECE) } else { chars.len() };
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

    /// The same of text that may be missing; text without a visible character is.
    pub(super) fn redact_opt(&self, text: Option<String>) -> Option<String> {
        text.map(|text| self.redact(&text)).filter(|text| !text.is_empty())
    }

    /// Marks every piece of a secret. Whatever is longer than a piece consists of such that overlap, so the whole
    /// of it is marked.
    fn mark_pieces(&self, chars: &[char], marks: &mut Marks) {
        // Hashes, so that no copy of a secret stays in memory.
        let hasher = RandomState::new();
        let mut pieces = HashSet::new();
        let mut lengths = HashSet::new();
        let visible = |secret: &SecretString| -> Vec<char> {
            secret.expose_secret().chars().filter(|c| is_visible(*c)).collect()
        };
        for whole in self.wholes.iter().map(visible) {
            for (index, _) in chars.windows(whole.len()).enumerate().filter(|(_, window)| **window == whole) {
                marks.add(index, index + whole.len());
            }
        }
        for secret in &self.secrets {
            let secret = visible(secret);
            let length = secret.len().min(PIECE);
            if length >= SHORT {
                lengths.insert(length);
                pieces.extend(secret.windows(length).map(|piece| hasher.hash_one(piece)));
            }
        }
        for length in lengths {
            for (index, piece) in chars.windows(length).enumerate() {
                if pieces.contains(&hasher.hash_one(piece)) {
                    marks.add(index, index + length);
                }
            }
        }
    }
}

/// Which of some characters are secret, and which of those belong to the same secret as the one before.
struct Marks(Vec<(bool, bool)>);

impl Marks {
    fn none(len: usize) -> Self {
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

/// Where `secret` stands in `text` with no letter or digit beside it.
fn standalone<'a>(text: &'a str, secret: &'a str) -> impl Iterator<Item = std::ops::Range<usize>> + 'a {
    text.match_indices(secret).map(|(at, found)| at..at + found.len()).filter(|range| {
        let beside = [text[..range.start].chars().next_back(), text[range.end..].chars().next()];
        !beside.into_iter().flatten().any(char::is_alphanumeric)
    })
}

/// What is secret in a header: not the scheme (`Bearer`), nor the names of parameters (`Signature=`).
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

/// A secret as it stands within the quotes of JSON.
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
    fn an_echoed_secret_is_redacted() {
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
    fn a_signature_is_and_its_words_are_not() {
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
    fn pieces_and_folds_are_redacted_too() {
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

    /// Random pieces of random secrets, folded at random, in random text.
    #[test]
    fn no_piece_of_any_secret_is_left() {
        let mut random = fastrand::Rng::with_seed(7);
        for round in 0..100 {
            let secrets: Vec<String> = (0..random.usize(1..4))
                .map(|_| (0..random.usize(8..200)).map(|_| random.char('!'..='~')).collect())
                .collect();
            let redactor = redactor(&secrets.iter().map(String::as_str).collect::<Vec<_>>());
            let mut text = String::new();
            while text.len() < random.usize(10..4 * MAX_LEN) {
                let secret = random.choice(&secrets).unwrap();
                let from = random.usize(0..=secret.len() - PIECE);
                let to = random.usize(from + PIECE..=secret.len());
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
                for piece in secret.windows(PIECE) {
                    assert!(!shown.windows(PIECE).any(|window| window == piece), "round {round}");
                }
            }
        }
    }

    #[test]
    fn a_long_text_is_cut_and_leaves_no_piece() {
        let secret = "0123456789abcdefghij".repeat(10);
        let redactor = redactor(&[&secret]);
        for before in MAX_LEN - 210..MAX_LEN + 10 {
            // All but the secret is blank, so that its place is within what is shown.
            let text = format!("key:{}{secret}{}", " ".repeat(before), "x".repeat(1_000_000));
            let shown = redactor.redact(&text);
            assert!(!shown.contains("01234"), "{before}: {shown}");
        }
        assert!(redactor.redact(&"x".repeat(5_000_000)).chars().count() <= 501);
        assert!(redactor.redact(&"é".repeat(MAX_LEN)).ends_with('…'));
    }
}
