//! Escapes text for terminals and spreadsheets. Account names are untrusted.

use std::{borrow::Cow, fmt::Write as _};

/// Writes every character as `\u{…}` that controls a terminal, is invisible, or reorders other characters.
pub(crate) fn escape_hidden(text: &str) -> Cow<'_, str> {
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

/// Escapes like [`escape_hidden`], and prepends `'` to text that a spreadsheet would execute as a formula.
pub(crate) fn escape_cell(text: &str) -> Cow<'_, str> {
    // Spreadsheets also accept the full-width characters, which Chinese and Japanese input methods produce.
    const FORMULA_PREFIXES: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    if text.starts_with(FORMULA_PREFIXES) {
        Cow::Owned(format!("'{}", escape_hidden(text)))
    } else {
        escape_hidden(text)
    }
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
