//! Lengths of texts in requests, which the reference gives in characters.

use crate::{Error, Result};

/// Refuses a text that has fewer or more characters than the reference says.
pub(super) fn check_length(name: &str, text: &str, least: usize, most: usize) -> Result<()> {
    let length = text.chars().count();
    if (least..=most).contains(&length) {
        return Ok(());
    }
    Err(Error::config(format!("{name} has {length} characters; expected {least} to {most}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_counted_in_characters_and_both_its_bounds_are_taken() {
        for text in ["éé", "欢迎你"] {
            assert!(check_length("notes", text, 2, 3).is_ok(), "{text}");
        }
        let refused = |text: &str| check_length("notes", text, 2, 3).unwrap_err().message().to_owned();
        assert_eq!(refused("é"), "notes has 1 characters; expected 2 to 3");
        assert_eq!(refused("welcome"), "notes has 7 characters; expected 2 to 3");
    }
}
