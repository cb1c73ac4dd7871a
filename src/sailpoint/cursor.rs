use serde::{Deserialize, Serialize};

use crate::http::Rows;

/// How many ids of the rows before a page are remembered. One would do while nothing is deleted; each
/// further one is a row whose deletion is survived in an order that this crate can not compare.
const TAIL: usize = 8;

/// How many rows out of sight are remembered.
const MOST_UNSEEN: usize = 32;

/// Where a page starts: the offset that the rows so far come to, and the last of them, by which the place
/// is found again when the offset has moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    pub(super) offset: u64,
    /// The ids of the rows before it, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) tail: Vec<String>,
    /// Rows behind the last of `tail` that have no id.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) after: u64,
    /// Rows that were listed, and have moved out of sight: they may come again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) unseen: Vec<String>,
    /// The provider's count, as it told it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) total: Option<u64>,
    /// Not led to by a page, but computed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) guessed: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Cursor {
    pub(super) fn guess(offset: u64, total: u64) -> Self {
        Self { offset, tail: Vec::new(), unseen: Vec::new(), after: 0, total: Some(total), guessed: true }
    }

    /// The place behind `window`, which was fetched at `before`, and did not reach to the rows `beyond`,
    /// which were listed before.
    pub(super) fn behind<T>(window: &Window<T>, before: Option<&Self>, beyond: &[String]) -> Self {
        let ids = &window.rows.ids;
        let behind_last = ids.iter().rev().take_while(|id| id.is_none()).count() as u64;
        let mut tail: Vec<String> = ids.iter().rev().flatten().take(TAIL).cloned().collect();
        tail.reverse();
        let earlier = before.map_or(&[][..], |before| &before.unseen);
        let hidden = |id: &&String| !ids.contains(&Some((*id).clone()));
        let mut unseen: Vec<String> = earlier.iter().chain(beyond).filter(hidden).cloned().collect();
        unseen.drain(..unseen.len().saturating_sub(MOST_UNSEEN));
        let known = before.and_then(|before| before.total);
        let (tail, after) = match before {
            Some(before) if tail.is_empty() => {
                (before.tail.clone(), before.after.saturating_add(behind_last))
            }
            _ => (tail, behind_last),
        };
        let total = window.total.or(known);
        Self { offset: window.end(), tail, after, unseen, total, guessed: false }
    }

    /// Whether `id` is of a row that is known to be listed.
    pub(super) fn lists(&self, id: Option<&str>) -> bool {
        id.is_some_and(|id| self.tail.iter().chain(&self.unseen).any(|known| known == id))
    }
}

/// What one request gave.
pub(super) struct Window<T> {
    pub(super) offset: u64,
    pub(super) rows: Rows<T>,
    pub(super) total: Option<u64>,
}

/// Where a window stands to the row that was listed last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    /// The row at `row` is the one of the tail at `tail`.
    Holds { row: usize, tail: usize },
    /// All its rows come before.
    Before,
    /// The rows from here on come behind.
    Behind(usize),
    /// It can not be told.
    Unknown,
}

impl<T> Window<T> {
    pub(super) fn len(&self) -> u64 {
        self.rows.len() as u64
    }

    pub(super) fn end(&self) -> u64 {
        self.offset.saturating_add(self.len())
    }

    /// Whether the provider's count says that nothing follows.
    ///
    /// A count of fewer rows than there are proves nothing.
    pub(super) fn is_last(&self) -> bool {
        match self.total {
            Some(total) if self.len() > 0 => self.end() == total,
            Some(total) => self.offset >= total,
            None => false,
        }
    }

    pub(super) fn holds_any(&self, tail: &[String]) -> bool {
        tail.iter().any(|id| self.place_of(id).is_some())
    }

    fn place_of(&self, id: &String) -> Option<usize> {
        self.rows.ids.iter().position(|found| found.as_ref() == Some(id))
    }

    /// Where it stands to `cursor`'s tail. `by_id`: the list is sorted by id, so that ids can be compared,
    /// if the window shows that the provider compares them as this crate does.
    pub(super) fn stand(&self, cursor: &Cursor, by_id: bool) -> Stand {
        let Some(last) = cursor.tail.last() else {
            return Stand::Unknown;
        };
        let ids = &self.rows.ids;
        let newest = cursor.tail.len() - 1;
        if let Some(row) = self.place_of(last) {
            // In another order than by id the row may have moved, past others that were not listed. It has not
            // if it still stands behind the one before it.
            let before = row.checked_sub(1).and_then(|row| ids[row].as_ref());
            let stays =
                by_id || row == 0 || newest.checked_sub(1).is_none_or(|at| before == Some(&cursor.tail[at]));
            if stays {
                return Stand::Holds { row, tail: newest };
            }
        }
        let ascending = ids.iter().all(Option::is_some) && ids.is_sorted_by(|one, next| one < next);
        if by_id && ascending && !ids.is_empty() {
            return match ids.iter().flatten().position(|id| id > last) {
                Some(row) => Stand::Behind(row),
                None => Stand::Before,
            };
        }
        // The last one is gone, or further down; one before it is as good, if the others are remembered.
        let mut older = cursor.tail.iter().enumerate().rev().skip(1);
        older
            .find_map(|(tail, id)| Some(Stand::Holds { row: self.place_of(id)?, tail }))
            .unwrap_or(Stand::Unknown)
    }
}
