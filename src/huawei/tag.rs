use serde::Serialize;

use super::length::check_length;
use crate::{Error, Result};

/// How many tags an account may have: *User Guide*, "Overview of a Tag".
const MOST_TAGS: usize = 20;

/// A tag to attach to an account.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Tag {
    pub(super) key: String,
    pub(super) value: String,
}

impl Tag {
    pub(super) fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { key: key.into(), value: value.into() }
    }

    /// Keys of 1 to 128 characters, each once, and values of up to 255.
    ///
    /// The lengths are those of `TagDto` in the API Reference of 2024; the User Guide ("Overview of a Tag")
    /// has 225 for values, and the larger is taken. The number and that keys are different are of the User
    /// Guide.
    pub(super) fn check_all(tags: &[Self]) -> Result<()> {
        if tags.len() > MOST_TAGS {
            return Err(Error::config(format!("{} tags; expected at most {MOST_TAGS}", tags.len())));
        }
        for (number, tag) in tags.iter().enumerate() {
            check_length("a tag's key", &tag.key, 1, 128)?;
            check_length("a tag's value", &tag.value, 0, 255)?;
            if tags.iter().take(number).any(|other| other.key == tag.key) {
                return Err(Error::config(format!(
                    "two tags have the key {:?}; expected different keys",
                    tag.key
                )));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_have_their_lengths_and_keys_are_different() {
        let check = |tags: &[(&str, &str)]| {
            let tags: Vec<_> = tags.iter().map(|(key, value)| Tag::new(*key, *value)).collect();
            Tag::check_all(&tags).map_err(|error| error.message().to_owned())
        };
        let long = "é".repeat(256);
        assert_eq!(check(&[("é".repeat(128).as_str(), &long[2..]), ("k", "")]), Ok(()));
        let refused = |tags: &[(&str, &str)], why: &str| {
            let message = check(tags).unwrap_err();
            assert!(message.contains(why), "{message}");
        };
        refused(&[("", "x")], "a tag's key has 0 characters; expected 1 to 128");
        refused(&[(&long[..258], "x")], "a tag's key has 129 characters");
        refused(&[("k", &long)], "a tag's value has 256 characters; expected 0 to 255");
        refused(&[("k", "1"), ("k", "2")], "two tags have the key \"k\"");
        let many: Vec<_> = (0..21).map(|number| Tag::new(number.to_string(), "")).collect();
        assert!(Tag::check_all(&many[1..]).is_ok());
        assert!(Tag::check_all(&many).is_err());
    }
}
