use serde::{Deserialize, Serialize};

use super::paging::Order;
use crate::{digest::Digest, http::Rows, page};

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
    /// What they were sorted by, as digests, where that can change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) marks: Vec<Digest>,
    /// Rows behind the last of `tail` that have no id.
    #[serde(default, skip_serializing_if = "page::is_zero")]
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

impl Cursor {
    pub(super) fn guess(offset: u64, total: u64) -> Self {
        let (tail, marks, unseen) = (Vec::new(), Vec::new(), Vec::new());
        Self { offset, tail, marks, unseen, after: 0, total: Some(total), guessed: true }
    }

    /// The place behind `window`, which was fetched at `before`, and did not reach to the rows `beyond`,
    /// which were listed before.
    pub(super) fn behind<T>(window: &Window<T>, before: Option<&Self>, beyond: &[String]) -> Self {
        let ids = &window.rows.ids;
        let behind_last = ids.iter().rev().take_while(|id| id.is_none()).count() as u64;
        let hidden = |id: &&String| window.place_of(id).is_none();
        let named = ids
            .iter()
            .enumerate()
            .filter_map(|(row, id)| Some((id.clone()?, window.marks.get(row).copied())));
        let older = before.map_or(&[][..], |before| &before.tail).iter().enumerate();
        let older = older
            .filter(|(_, id)| hidden(id) && !beyond.contains(id))
            .map(|(row, id)| (id.clone(), before.and_then(|before| before.marks.get(row).copied())));
        let mut last: Vec<(String, Option<Digest>)> = named.rev().chain(older.rev()).take(TAIL).collect();
        last.reverse();
        let marks = last.iter().filter_map(|(_, mark)| *mark).collect();
        let tail: Vec<String> = last.into_iter().map(|(id, _)| id).collect();
        let earlier = before.map_or(&[][..], |before| &before.unseen);
        let mut unseen: Vec<String> = earlier.iter().chain(beyond).filter(hidden).cloned().collect();
        unseen.drain(..unseen.len().saturating_sub(MOST_UNSEEN));
        let known = before.and_then(|before| before.total);
        // Without an id on it, the page adds to the rows behind the last one that has one.
        let after = match before {
            Some(before) if behind_last == window.len() => before.after.saturating_add(behind_last),
            _ => behind_last,
        };
        let total = window.total.or(known);
        Self { offset: window.end(), tail, marks, after, unseen, total, guessed: false }
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
    /// What each row is sorted by, as a digest, where that can change.
    pub(super) marks: Vec<Digest>,
    pub(super) total: Option<u64>,
}

/// Where a window stands to the row that was listed last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    /// The row at `row` is the one of the tail at `tail`, the newest that stands here. None of those before
    /// `first`, which is of the tail too, is new.
    Holds { first: usize, row: usize, tail: usize },
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

    /// Whether the row of the tail at `tail`, here at `row`, is sorted by the same as when it was listed. Then it
    /// stands where it stood to all others that stay.
    pub(super) fn keeps(&self, cursor: &Cursor, tail: usize, row: usize) -> bool {
        match (cursor.marks.get(tail), self.marks.get(row)) {
            (Some(then), Some(now)) => then == now,
            _ => true,
        }
    }

    /// Whether it ends as the page before `cursor` did: its rows are the same, or others that come before.
    pub(super) fn ends_as(&self, cursor: &Cursor, order: Order) -> bool {
        let named =
            || self.rows.ids.iter().enumerate().rev().filter_map(|(row, id)| Some((row, id.as_ref()?)));
        let (Some((row, id)), Some(last)) = (named().next(), cursor.tail.last()) else {
            return false;
        };
        match order {
            // One row alone may have moved to there.
            Order::Unknown => {
                let ids = named().map(|(_, id)| id);
                ids.take(cursor.tail.len()).eq(cursor.tail.iter().rev())
            }
            _ => id == last && self.keeps(cursor, cursor.tail.len() - 1, row),
        }
    }

    /// Where it stands to `cursor`'s tail. By id, ids are compared, if the window shows that the provider
    /// compares them as this crate does. `settled`: it is no use to look further up.
    pub(super) fn stand(&self, cursor: &Cursor, order: Order, settled: bool) -> Stand {
        let Some(last) = cursor.tail.last() else {
            return Stand::Unknown;
        };
        let ids = &self.rows.ids;
        let newest = cursor.tail.len() - 1;
        if order == Order::ById {
            if let Some(row) = self.place_of(last) {
                return Stand::Holds { first: row, row, tail: newest };
            }
            let ascending = ids.iter().all(Option::is_some) && ids.is_sorted_by(|one, next| one < next);
            if ascending && !ids.is_empty() {
                return match ids.iter().flatten().position(|id| id > last) {
                    Some(row) => Stand::Behind(row),
                    None => Stand::Before,
                };
            }
        }
        // If the last one is gone, or has moved, one before it is as good: the others are remembered.
        let standing = || {
            let tail = cursor.tail.iter().enumerate();
            let places = tail.filter_map(|(tail, id)| Some((self.place_of(id)?, tail)));
            places.filter(|(row, tail)| self.keeps(cursor, *tail, *row))
        };
        match (standing().min(), standing().next_back()) {
            // In an order that may not hold, it says little that a row stands behind one that is not known.
            (Some((first, oldest)), _) if order == Order::Unknown && first > 0 && oldest > 0 && !settled => {
                Stand::Unknown
            }
            (Some((first, _)), Some((row, tail))) => Stand::Holds { first, row, tail },
            _ => Stand::Unknown,
        }
    }
}
