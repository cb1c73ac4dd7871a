//! A listing that goes round in a circle.

use std::collections::HashMap;

/// The cursors that were asked for since the circle began, in order.
///
/// Only requests are changed, never answers: a request beyond the circle is answered as if it had asked for
/// a page within. So one rule serves every kind of paging, and the answers are the provider's own.
#[derive(Debug)]
pub(crate) struct Circle {
    period: usize,
    seen: HashMap<String, usize>,
    within: Vec<String>,
}

impl Circle {
    pub(crate) fn new(period: u32) -> Self {
        Self {
            period: usize::try_from(period.max(1)).unwrap_or(usize::MAX),
            seen: HashMap::new(),
            within: Vec::new(),
        }
    }

    /// The cursor to answer in place of this one, empty for none; `None` to answer as asked.
    pub(crate) fn turn(&mut self, cursor: &str) -> Option<String> {
        let next = self.seen.len();
        let index = *self.seen.entry(cursor.to_owned()).or_insert(next);
        if index < self.period {
            if index == self.within.len() {
                self.within.push(cursor.to_owned());
            }
            return None;
        }
        self.within.get(index % self.period).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::Circle;

    #[test]
    fn behind_the_last_page_comes_the_first() {
        let mut circle = Circle::new(2);
        assert_eq!(circle.turn(""), None);
        assert_eq!(circle.turn("a"), None);
        assert_eq!(circle.turn("a"), None, "asked again, answered again");
        assert_eq!(circle.turn("b").as_deref(), Some(""));
        assert_eq!(circle.turn("a"), None);
        assert_eq!(circle.turn("b").as_deref(), Some(""));
        // Offsets go on for ever.
        assert_eq!(circle.turn("c").as_deref(), Some("a"));
        assert_eq!(circle.turn("d").as_deref(), Some(""));
    }
}
