//! Escapes text for spreadsheets. Account names are untrusted.

use std::borrow::Cow;

use headcount::escape_hidden;

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
