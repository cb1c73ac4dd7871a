//! The state of [`Fault::CursorLoop`](super::Fault::CursorLoop).

use std::collections::HashMap;

/// The cursors requested since the loop started, in order.
///
/// Only requests are changed, not responses: a request after the loop is handled as if it had the cursor of a
/// page within the loop. This works for every kind of paging, and the responses remain the provider's own.
#[derive(Debug)]
pub(crate) struct CursorLoop {
    period: usize,
    /// The index of each requested cursor.
    indices: HashMap<String, usize>,
    /// The cursors of the pages in the loop.
    cursors: Vec<String>,
}

impl CursorLoop {
    pub(crate) fn new(period: u32) -> Self {
        Self {
            period: usize::try_from(period.max(1)).unwrap_or(usize::MAX),
            indices: HashMap::new(),
            cursors: Vec::new(),
        }
    }

    /// Returns the cursor that replaces the requested one, or `None` to keep it. The first page has an empty
    /// cursor.
    pub(crate) fn replace(&mut self, cursor: &str) -> Option<String> {
        let next = self.indices.len();
        let index = *self.indices.entry(cursor.to_owned()).or_insert(next);
        if index < self.period {
            if index == self.cursors.len() {
                self.cursors.push(cursor.to_owned());
            }
            return None;
        }
        self.cursors.get(index % self.period).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::CursorLoop;

    #[test]
    fn first_page_follows_the_last() {
        let mut cursors = CursorLoop::new(2);
        assert_eq!(cursors.replace(""), None);
        assert_eq!(cursors.replace("a"), None);
        assert_eq!(cursors.replace("a"), None, "a retry gets the same page");
        assert_eq!(cursors.replace("b").as_deref(), Some(""));
        assert_eq!(cursors.replace("a"), None);
        assert_eq!(cursors.replace("b").as_deref(), Some(""));
        // Offsets increase without limit.
        assert_eq!(cursors.replace("c").as_deref(), Some("a"));
        assert_eq!(cursors.replace("d").as_deref(), Some(""));
    }
}
