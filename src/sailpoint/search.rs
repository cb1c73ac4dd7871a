//! Where the place in a listing is looked for, and how it is noticed that looking is no use.

use super::NAME;
use crate::{Error, ErrorKind};

/// How many requests may go into finding the place again.
pub(super) const MOST_PROBES: u32 = 1000;

/// How often the same rows may come at another offset. Accounts made meanwhile can move them so, once or twice.
pub(super) const MOST_REPEATS: u32 = 4;

/// How often an offset may be refused again, although a page in between had a row there. Once or twice it may
/// have been removed meanwhile.
const MOST_REFUSALS: u32 = 2;

/// Offsets around one at which rows were expected, nearest first: up and down the list in turns, a page each, so
/// that no row is skipped. For orders in which a page does not show on which side of it the place is.
pub(super) struct Search {
    step: u64,
    up: u64,
    down: u64,
    /// No use to look from here on down.
    end: u64,
    upwards: bool,
    /// Where the rows that a short page left out end.
    short_of: Option<u64>,
    /// How far up to go from the last offset, while there was no row anywhere.
    leap: Option<u64>,
}

impl Search {
    pub(super) fn around(offset: u64, page_size: u64) -> Self {
        // The last row of a page is the first of the next.
        let step = (page_size - 1).max(1);
        let (up, down, end) = (offset, offset, u64::MAX);
        Self { step, up, down, end, upwards: false, short_of: None, leap: Some(step) }
    }

    /// Where to look next, given that a page at `offset` with `len` rows did not show it.
    pub(super) fn next(&mut self, offset: u64, len: u64) -> Option<u64> {
        if len == 0 {
            self.end = self.end.min(offset);
            if let Some(leap) = self.leap.filter(|_| offset > 0) {
                self.leap = Some(leap.saturating_mul(2));
                return Some(offset.saturating_sub(leap));
            }
        } else if self.leap.take().is_some() {
            (self.up, self.down) = (offset, offset);
        }
        let short_of = self.short_of.take().unwrap_or(offset.saturating_add(self.step));
        let reached = offset.saturating_add(len.saturating_sub(1));
        if len > 0 && reached < short_of {
            self.short_of = Some(short_of);
            return Some(reached.max(offset.saturating_add(1)));
        }
        self.upwards = !self.upwards;
        let up = (self.up > 0).then(|| self.up.saturating_sub(self.step));
        let down = Some(self.down.saturating_add(self.step)).filter(|down| *down < self.end);
        match (up, down) {
            (Some(up), _) if self.upwards || down.is_none() => {
                self.up = up;
                Some(up)
            }
            (_, Some(down)) => {
                self.down = down;
                Some(down)
            }
            _ => None,
        }
    }
}

/// The 400s that may be no ends.
#[derive(Default)]
pub(super) struct Refusals {
    /// Where the last page ended.
    reached: u64,
    /// The offset refused last, and how often it was although there was a row.
    last: Option<(u64, u32)>,
}

impl Refusals {
    pub(super) fn reached(&mut self, end: u64) {
        self.reached = end;
    }

    /// Counts a refusal of `offset`: whether it was refused too often since it is known that there is a row.
    pub(super) fn refuse(&mut self, offset: u64) -> bool {
        let before = self.last.filter(|(last, _)| *last == offset).map_or(0, |(_, times)| times);
        let times = if self.reached > offset { before + 1 } else { before };
        (self.reached, self.last) = (0, Some((offset, times)));
        times > MOST_REFUSALS
    }
}

pub(super) fn place_lost() -> Error {
    let message = "the place in the list can not be found again: rows were removed or changed while it was \
                   walked, the last ones seen among them, or the server does not keep to the offset; list \
                   anew";
    Error::new(ErrorKind::Drift, message).with_provider(NAME)
}

pub(super) fn offset_ignored() -> Error {
    let message = "the server gives the same page for every offset: it can not be listed to its end";
    Error::new(ErrorKind::PaginationLoop, message).with_provider(NAME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_leaves_out_no_row_and_looks_near_the_place_first() {
        let mut search = Search::around(20, 10);
        let mut looked = vec![20];
        let mut at = (20, 10);
        // 55 rows: at 56 there is none any more.
        while let Some(offset) = search.next(at.0, at.1) {
            looked.push(offset);
            at = (offset, 55_u64.saturating_sub(offset).min(10));
        }
        assert_eq!(looked, [20, 11, 29, 2, 38, 0, 47, 54, 55]);
        for row in 0..55 {
            assert!(looked.iter().any(|offset| (*offset..offset + 10).contains(&row)), "{row}");
        }
    }

    #[test]
    fn only_a_refusal_where_a_row_was_seen_meanwhile_counts() {
        let mut refusals = Refusals::default();
        for _ in 0..5 {
            assert!(!refusals.refuse(10));
        }
        for (nth, too_often) in [false, false, true].into_iter().enumerate() {
            refusals.reached(12);
            assert_eq!(refusals.refuse(10), too_often, "{nth}");
        }
        refusals.reached(12);
        assert!(!refusals.refuse(11), "another offset");
    }
}
