//! The rows of a page, and listings in an order other than the default.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::Value;

use crate::fault::Tweak;

/// Which accounts a page holds, by their positions in the world.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) positions: Vec<usize>,
    /// Whether more follow. A page may be empty and more follow.
    pub(crate) more: bool,
}

/// The page that holds at most `limit` of `rows`: what the filter lets through, from the cursor on.
///
/// It holds fewer where a fault says so, and then more follow.
pub(crate) fn page_of(rows: impl IntoIterator<Item = usize>, limit: usize, tweak: &Tweak) -> Page {
    let mut rows = rows.into_iter();
    let mut positions: Vec<usize> = rows.by_ref().take(limit).collect();
    let cut = tweak.cut(&mut positions);
    Page { positions, more: cut || rows.next().is_some() }
}

/// Records as a JSON array. They are made one at a time: a page may be the whole world.
pub(crate) fn array(records: impl IntoIterator<Item = Value>) -> String {
    let mut array = String::from("[");
    for record in records {
        let comma = if array.len() > 1 { "," } else { "" };
        // Writing to a string cannot fail.
        let _ = write!(array, "{comma}{record}");
    }
    array.push(']');
    array
}

/// How many views are kept: a test walks one or two at a time.
const KEPT: usize = 4;

/// The last few views: positions in the default order, sorted or filtered in some way, worked out once per
/// state of the world.
#[derive(Debug, Default)]
pub(crate) struct Views {
    kept: Vec<View>,
}

#[derive(Debug)]
struct View {
    revision: u64,
    what: String,
    positions: Arc<[usize]>,
}

impl Views {
    /// The view named `what` of the world at this revision, built if it is not there.
    pub(crate) fn view(
        &mut self,
        revision: u64,
        what: &str,
        build: impl FnOnce() -> Vec<usize>,
    ) -> Arc<[usize]> {
        let found = self.kept.iter().find(|view| view.revision == revision && view.what == what);
        if let Some(view) = found {
            return Arc::clone(&view.positions);
        }
        let positions: Arc<[usize]> = build().into();
        self.kept.retain(|view| view.revision == revision);
        if self.kept.len() >= KEPT {
            self.kept.remove(0);
        }
        self.kept.push(View { revision, what: what.to_owned(), positions: Arc::clone(&positions) });
        positions
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_page_ends_at_its_limit_or_with_the_rows() {
        let page = |limit, tweak: &Tweak| {
            let page = page_of((0..10).filter(|row| row % 2 == 0), limit, tweak);
            (page.positions, page.more)
        };
        let none = Tweak::default();
        assert_eq!(page(3, &none), (vec![0, 2, 4], true));
        assert_eq!(page(5, &none), (vec![0, 2, 4, 6, 8], false));
        assert_eq!(page(0, &none), (vec![], true));
        let short = Tweak::short_page();
        assert_eq!(page(5, &short), (vec![0, 2, 4], true));
        assert!(short.is_done());
        let empty = Tweak::empty_page();
        assert_eq!(page(5, &empty), (vec![], true));
        assert!(empty.is_done());
        let one = Tweak::short_page();
        assert_eq!(page(1, &one), (vec![0], true));
        assert!(!one.is_done(), "half of one row is one row");
    }

    #[test]
    fn an_array_is_the_one_of_its_records() {
        let records = [json!({"a": ["Zoë \"🚀\"\n", -1.5]}), json!(null), json!("")];
        assert_eq!(array(records.clone()), Value::from(records.to_vec()).to_string());
        assert_eq!(array([]), "[]");
    }
}
