use std::{borrow::Cow, fmt::Write as _};

/// Escapes control characters, line separators, and characters that Unicode declares ignorable or that change the
/// direction of text, as `\u{…}`.
///
/// Joiners and variation selectors, which some emoji and scripts need, are escaped too. Other blank characters, such as
/// U+2800, are kept. A backslash is not escaped, so the result cannot be reversed.
///
/// Names of accounts are chosen by their users. Unescaped, they can change what a terminal or a log viewer shows.
///
/// ```
/// assert_eq!(
///     headcount::escape_hidden("eve\u{1b}[2J\u{202e}nimda"),
///     r"eve\u{1b}[2J\u{202e}nimda"
/// );
/// assert_eq!(headcount::escape_hidden("Zoë 王"), "Zoë 王");
/// ```
pub fn escape_hidden(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_hidden(c) {
            let _ = write!(escaped, "{}", c.escape_unicode());
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// Returns whether `c` is a control character, a line or paragraph separator, an interlinear annotation, or
/// has Unicode's property `Default_Ignorable_Code_Point` (zero width, bidirectional controls, fillers, tags).
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_escaped_and_others_kept() {
        for hidden in [
            '\0',
            '\n',
            '\u{1b}',
            '\u{7f}',
            '\u{9b}',
            '\u{ad}',
            '\u{200b}',
            '\u{202e}',
            '\u{2066}',
            '\u{feff}',
            '\u{e0041}',
        ] {
            let escaped = escape_hidden(&format!("a{hidden}b")).into_owned();
            assert_eq!(escaped, format!("a{}b", hidden.escape_unicode()));
        }
        for kept in ["", "a b", "Zoë Ångström", "אביגיל", "김민준", "🚀", "\\ \"'<>&"] {
            assert!(matches!(escape_hidden(kept), Cow::Borrowed(text) if text == kept), "{kept}");
        }
    }
}
