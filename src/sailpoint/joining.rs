//! A page that joins the one before: it is fetched from the last row of that on, which is looked for if it has
//! moved.

use super::{
    Cursor,
    cursor::{Stand, Window},
    paging::{OffsetList, Order},
    search::{MOST_PROBES, MOST_REPEATS, Refusals, Search, offset_ignored, place_lost},
    walk::Walk,
};
use crate::{Doubt, Page, Result, digest::Digest, http::Rows};

/// How often a page that ends with the row before it is asked for again. Pages are short at times, so it does
/// not show that nothing follows.
const MOST_SHORT_PAGES: u32 = 2;

/// The search for the page behind a cursor.
pub(super) struct Joining<'a, L> {
    walk: &'a Walk<'a, L>,
    cursor: &'a Cursor,
    order: Order,
    /// Where the last row listed should stand.
    expected: u64,
    /// What to ask for next.
    offset: u64,
    count: bool,
    /// Past the row that shows where the page begins, because no page reached beyond it.
    blind: bool,
    /// By id, a page shows on which side of it the place is: the steps up to it double.
    step: u64,
    stepped: bool,
    /// Where it does not, as in other orders, the place is looked for on both sides.
    search: Search,
    searching: bool,
    short_pages: u32,
    /// Rows without an id behind the row that the place is known by, which the page did not reach to.
    hidden: u64,
    /// The provider's count said that there is more behind a page.
    promised: bool,
    /// The end of the last page before which there was none, though the count had promised more.
    deserted: Option<u64>,
    refusals: Refusals,
    /// The last offset and the ids of its rows, and how often they were the same.
    last: (u64, Digest),
    repeats: u32,
    /// Rows were taken for listed because their ids say so, and only their ids.
    unsure: bool,
    /// Rows do not stand as they stood. Others may have moved as well, and otherwise.
    moved: bool,
}

impl<'a, L: OffsetList> Joining<'a, L> {
    pub(super) fn new(walk: &'a Walk<'a, L>, cursor: &'a Cursor) -> Self {
        // May come to lie before the list's own start: accounts that were left out may be removed too.
        let expected = cursor.offset.saturating_sub(cursor.after.saturating_add(1));
        Self {
            walk,
            cursor,
            order: walk.list.order(),
            expected,
            offset: expected,
            count: walk.paging.counts(Some(cursor)),
            blind: false,
            step: walk.paging.page_size() - 1,
            stepped: false,
            search: Search::around(expected, walk.paging.page_size()),
            searching: false,
            short_pages: 0,
            hidden: 0,
            promised: false,
            deserted: None,
            refusals: Refusals::default(),
            last: (u64::MAX, Digest::NOTHING),
            repeats: 0,
            unsure: false,
            moved: false,
        }
    }

    /// The page.
    pub(super) async fn page(mut self) -> Result<Page<L::Row, Cursor>> {
        for _ in 0..MOST_PROBES {
            let window = self.window().await?;
            if let Some(page) = self.judge(window).await? {
                return Ok(self.doubted(page));
            }
        }
        Err(place_lost())
    }

    async fn window(&mut self) -> Result<Window<L::Row>> {
        let window = self.walk.window_if_any(self.offset, self.count, &mut self.refusals).await?;
        let ids = Digest::of(window.rows.ids.iter().map(|id| id.as_deref().unwrap_or_default()));
        let same = window.len() > 1 && self.offset != self.last.0 && ids == self.last.1;
        self.repeats = if same { self.repeats + 1 } else { 0 };
        if self.repeats >= MOST_REPEATS {
            return Err(offset_ignored());
        }
        self.last = (self.offset, ids);
        self.promised |= window.total.is_some_and(|total| total > window.end());
        Ok(window)
    }

    fn doubted(&self, page: Page<L::Row, Cursor>) -> Page<L::Row, Cursor> {
        let movable = matches!(self.order, Order::Asked | Order::Unknown);
        let page = page.with_doubt(self.unsure.then_some(Doubt::SeamsUnchecked));
        page.with_doubt((self.moved && movable).then_some(Doubt::UnstableOrder))
    }

    /// The page, if `window` has it. If not, what to ask for next is known.
    async fn judge(&mut self, mut window: Window<L::Row>) -> Result<Option<Page<L::Row, Cursor>>> {
        let (offset, end, len, is_last) = (self.offset, window.end(), window.len(), window.is_last());
        let settled = offset == 0 || self.stepped || self.blind;
        match window.stand(self.cursor, self.order, settled) {
            Stand::Holds { first, row, tail } => self.holds(window, (first, row, tail)).await,
            // A row that was listed before may stand further up, and shows more than comparing ids does.
            Stand::Before | Stand::Behind(_) if !settled && !window.holds_any(&self.cursor.tail) => {
                (self.offset, self.stepped) = (offset.saturating_sub(self.step), true);
                Ok(None)
            }
            Stand::Before => {
                self.unsure |= self.blind;
                if is_last {
                    let none = Window { rows: Rows::none(), ..window };
                    return Ok(Some(self.walk.finish(none, None, len)));
                }
                self.go_on_behind(end - 1, end, len);
                Ok(None)
            }
            Stand::Behind(row) if row > 0 || offset == 0 || self.blind => {
                self.unsure |= self.blind;
                let next = (!is_last).then(|| Cursor::behind(&window, Some(self.cursor), &[]));
                let repeated = window.rows.retain(|index, id| index >= row && !self.cursor.lists(id));
                Ok(Some(self.walk.finish(window, next, repeated)))
            }
            // An empty page is the end, unless the provider's count has said that more follows. If it is
            // empty again, the count is too high: that shows in the summary.
            Stand::Unknown
                if len == 0
                    && (offset == 0 || self.blind && (!self.promised || self.deserted == Some(offset))) =>
            {
                Ok(Some(self.walk.finish(window, None, 0)))
            }
            Stand::Unknown if self.blind && len > 0 => {
                self.walk.check_offset_matters(true).await?;
                self.unsure = true;
                Ok(Some(self.walk.beyond(window, self.cursor)))
            }
            stand => self.look_elsewhere(stand, len).await.map(|()| None),
        }
    }

    /// `window` has the cursor's tail from `first` to `row`, the newest of it that stands here, which is at `tail`.
    async fn holds(
        &mut self,
        mut window: Window<L::Row>,
        (first, row, tail): (usize, usize, usize),
    ) -> Result<Option<Page<L::Row, Cursor>>> {
        // Behind the end there are rows again.
        let beyond = window.total.is_some_and(|total| window.end() > total);
        self.walk.check_offset_matters(self.blind || beyond).await?;
        let cursor = self.cursor;
        let (end, len, is_last) = (window.end(), window.len(), window.is_last());
        let place = window.offset.saturating_add(row as u64);
        let newest = tail + 1 == cursor.tail.len();
        let again = window.rows.ids.iter().skip(row + 1).any(|id| cursor.lists(id.as_deref()));
        self.moved |= !newest || again || place != self.expected;
        self.step = self.walk.paging.page_size() - 1;
        self.search = Search::around(place, self.walk.paging.page_size());
        self.searching = false;
        // Those without an id behind the last one were told of.
        let nameless = if newest { window.rows.nameless_behind(row + 1, cursor.after) } else { 0 };
        self.hidden = if newest { cursor.after - nameless as u64 } else { 0 };
        let next = (!is_last).then(|| Cursor::behind(&window, Some(cursor), &cursor.tail[tail + 1..]));
        let from = row + 1 + nameless;
        // What has an id that is not known, and stands among those that are, has come there meanwhile.
        let left_out = window
            .rows
            .retain(|index, id| !cursor.lists(id) && (index >= from || index > first && id.is_some()));
        if window.rows.len() == 0 && !is_last {
            self.go_on_behind(place, end, len);
            return Ok(None);
        }
        // Rows without an id may be those of the page before.
        let unnamed = window.rows.len() > 0 && window.rows.ids.iter().all(Option::is_none);
        self.walk.check_offset_matters(unnamed).await?;
        // One is that of the overlap.
        Ok(Some(self.walk.finish(window, next, left_out.saturating_sub(1 + nameless as u64))))
    }

    /// Nothing new stands behind `listed` on a page that ended at `end`: it is the end, or a page that is shorter
    /// than it could be, or one that the place has moved out of.
    fn go_on_behind(&mut self, listed: u64, end: u64, len: u64) {
        let paging = self.walk.paging;
        if len == paging.page_size() && listed > self.offset {
            (self.offset, self.blind) = (listed, false);
        } else if !self.count && paging.may_count() {
            (self.offset, self.count, self.blind) = (listed, true, false);
        } else if self.short_pages < MOST_SHORT_PAGES {
            (self.offset, self.blind) = (listed, false);
            self.short_pages += 1;
        } else {
            // The rows without an id that stood behind it were told of, and are out of sight.
            (self.offset, self.blind) = (end.saturating_add(self.hidden), true);
        }
    }

    /// The place is not on the page of `len` rows.
    async fn look_elsewhere(&mut self, stand: Stand, len: u64) -> Result<()> {
        let deserted = self.blind && len == 0;
        if deserted {
            self.deserted = Some(self.offset);
        }
        self.moved |= len > 0;
        (self.blind, self.stepped) = (false, true);
        let by_id = self.order == Order::ById && !self.searching;
        if deserted || by_id && (len == 0 || matches!(stand, Stand::Behind(_))) {
            // Rows before the place were removed: it is further up.
            self.offset = self.offset.saturating_sub(self.step);
            self.step = self.step.saturating_mul(2);
        } else {
            self.walk.check_offset_matters(!self.searching && len > 0).await?;
            self.searching |= len > 0;
            self.offset = self.search.next(self.offset, len).ok_or_else(place_lost)?;
        }
        Ok(())
    }
}
