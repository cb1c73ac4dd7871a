//! Cutting pages, and cached orders other than the default.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::Value;

use crate::fault::ResponseOverride;

/// The accounts of a page, as positions in the default order.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) positions: Vec<usize>,
    /// Whether there is a next page. Also possible for an empty page.
    pub(crate) more: bool,
}

/// Returns the page with the first `limit` of `rows`, which start at the cursor and match the filter.
///
/// A fault may shorten the page, which then has a next page.
pub(crate) fn page_of(
    rows: impl IntoIterator<Item = usize>,
    limit: usize,
    overrides: &ResponseOverride,
) -> Page {
    let mut rows = rows.into_iter();
    let mut positions: Vec<usize> = rows.by_ref().take(limit).collect();
    let shortened = overrides.shorten(&mut positions);
    Page { positions, more: shortened || rows.next().is_some() }
}

/// Serializes records as a JSON array. Generates them one at a time, because a page may hold every account.
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

/// The number of cached views. A test uses one or two at a time.
const MAX_VIEWS: usize = 4;

/// Caches views: sorted or filtered positions in the default order. Each is valid for one revision of the
/// world.
#[derive(Debug, Default)]
pub(crate) struct ViewCache {
    views: Vec<View>,
}

#[derive(Debug)]
struct View {
    revision: u64,
    key: String,
    positions: Arc<[usize]>,
}

impl ViewCache {
    /// Returns the view with this key at this revision. Builds it if it is not cached.
    pub(crate) fn get_or_build(
        &mut self,
        revision: u64,
        key: &str,
        build: impl FnOnce() -> Vec<usize>,
    ) -> Arc<[usize]> {
        let cached = self.views.iter().find(|view| view.revision == revision && view.key == key);
        if let Some(view) = cached {
            return Arc::clone(&view.positions);
        }
        let positions: Arc<[usize]> = build().into();
        self.views.retain(|view| view.revision == revision);
        if self.views.len() >= MAX_VIEWS {
            self.views.remove(0);
        }
        self.views.push(View { revision, key: key.to_owned(), positions: Arc::clone(&positions) });
        positions
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn page_ends_at_the_limit_or_the_last_row() {
        let page = |limit, overrides: &ResponseOverride| {
            let page = page_of((0..10).filter(|row| row % 2 == 0), limit, overrides);
            (page.positions, page.more)
        };
        let none = ResponseOverride::default();
        assert_eq!(page(3, &none), (vec![0, 2, 4], true));
        assert_eq!(page(5, &none), (vec![0, 2, 4, 6, 8], false));
        assert_eq!(page(0, &none), (vec![], true));
        let short = ResponseOverride::short_page();
        assert_eq!(page(5, &short), (vec![0, 2, 4], true));
        assert!(short.is_applied());
        let empty = ResponseOverride::empty_page();
        assert_eq!(page(5, &empty), (vec![], true));
        assert!(empty.is_applied());
        let single = ResponseOverride::short_page();
        assert_eq!(page(1, &single), (vec![0], true));
        assert!(!single.is_applied(), "a page of one row is not shortened");
    }

    #[test]
    fn array_equals_serde_json() {
        let records = [json!({"a": ["Zoë \"🚀\"\n", -1.5]}), json!(null), json!("")];
        assert_eq!(array(records.clone()), Value::from(records.to_vec()).to_string());
        assert_eq!(array([]), "[]");
    }
}
