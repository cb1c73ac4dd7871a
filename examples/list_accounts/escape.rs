//! What a provider sends, made harmless for terminals and spreadsheets: whoever names an account chooses its text.

use std::{borrow::Cow, fmt::Write as _};

/// `text` with every character written as `\u{…}` that acts on a terminal, is not seen, or changes the order in
/// which others are seen.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_hidden(c) {
            let _ = write!(shown, "{}", c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// As [`visible`], with a `'` before what a spreadsheet would take for a formula, and execute.
pub(crate) fn cell(text: &str) -> Cow<'_, str> {
    // The wide ones are taken for the others where Chinese or Japanese is typed.
    const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    if text.starts_with(FORMULA) { Cow::Owned(format!("'{}", visible(text))) } else { visible(text) }
}

/// Control characters, line and paragraph separators, and what Unicode calls `Default_Ignorable_Code_Point` (zero
/// width, bidirectional controls, fillers, tags) or an interlinear annotation.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}
