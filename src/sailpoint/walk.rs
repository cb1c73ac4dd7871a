//! How one page is fetched so that it begins where the one before ended, whatever has moved meanwhile.

use super::{
    Cursor, NAME,
    cursor::{Stand, Window},
    paging::{Answered, OffsetList, Order, Paging},
};
use crate::{Doubt, Error, ErrorKind, Page, Result, http::Rows};

/// How many requests may go into finding the place again. Up the list the steps double, so few are needed;
/// down the list they are pages.
const MOST_PROBES: u32 = 1000;

/// How often a page that ends with the row before it is asked for again. Pages are short at times, so it does
/// not show that nothing follows.
const MOST_SHORT_PAGES: u32 = 2;

/// An offset behind the end of every list: the provider reads 32 bits.
const BEYOND_ALL: u64 = i32::MAX as u64;

/// How often the same rows may come at another offset. Accounts made meanwhile can move them so, once or twice.
const MOST_REPEATS: u32 = 4;

/// How often an offset may be refused again, although a page in between had a row there. Once or twice it may
/// have been removed meanwhile.
const MOST_REFUSALS: u32 = 2;

/// The page at `at`.
pub(super) async fn fetch<L: OffsetList>(list: &L, at: Option<&Cursor>) -> Result<Page<L::Row, Cursor>> {
    let paging = list.paging();
    let walk = Walk { list, paging };
    let Some(cursor) = at else {
        let window = walk.window(paging.offset, paging.counts(None)).await?;
        return Ok(walk.page(window, None, 0));
    };
    let reach = cursor.after.saturating_add(1);
    if paging.overlap && cursor.guessed {
        // The row before is fetched too, and shows whether the guess was right. With nothing behind it, the
        // page leads nowhere, and the guess is not worth judging.
        let window = walk.window(cursor.offset.saturating_sub(1), paging.counts(Some(cursor))).await?;
        let window = if window.len() < 2 { Window { rows: Rows::none(), ..window } } else { window };
        Ok(walk.page(window, Some(cursor), 0))
    } else if paging.overlap && !cursor.tail.is_empty() && reach < paging.page_size() {
        walk.joined(cursor).await
    } else {
        walk.unchecked(cursor).await
    }
}

struct Walk<'a, L> {
    list: &'a L,
    paging: &'a Paging,
}

impl<L: OffsetList> Walk<'_, L> {
    /// The rows from `offset` on.
    async fn window(&self, offset: u64, count: bool) -> Result<Window<L::Row>> {
        let Answered { rows, marks, total } =
            self.list.request(offset, self.paging.page_size(), count).await?;
        Ok(Window { offset, rows, marks, total })
    }

    /// The same, where `offset` may lie beyond the end: that is answered with no rows, or with a 400. Unless
    /// `refusals` show that the provider refuses an offset at which there are rows.
    async fn window_if_any(
        &self,
        offset: u64,
        count: bool,
        refusals: &mut Refusals,
    ) -> Result<Window<L::Row>> {
        match self.window(offset, count).await {
            Err(error) if error.status() == Some(400) && offset > 0 => {
                if refusals.refused(offset) > MOST_REFUSALS {
                    return Err(error);
                }
                Ok(Window { offset, rows: Rows::none(), marks: Vec::new(), total: None })
            }
            window => window.inspect(|window| refusals.reached = window.end()),
        }
    }

    /// `window` as a page. An empty window is the end, and so is one that reaches the provider's count.
    fn page(&self, window: Window<L::Row>, before: Option<&Cursor>, duplicates: u64) -> Page<L::Row, Cursor> {
        let ended = window.len() == 0 || window.is_last();
        let next = (!ended).then(|| Cursor::behind(&window, before, &[]));
        self.finish(window, next, duplicates)
    }

    fn finish(&self, window: Window<L::Row>, next: Option<Cursor>, duplicates: u64) -> Page<L::Row, Cursor> {
        let total = window.total.map(|total| total.saturating_sub(self.paging.offset));
        window.rows.into_page(next).with_total(total).with_duplicates(duplicates)
    }

    /// The page behind `cursor` by its offset alone. Rows that the page before had are left out.
    async fn unchecked(&self, cursor: &Cursor) -> Result<Page<L::Row, Cursor>> {
        let mut offset = cursor.offset;
        for _ in 0..MOST_REPEATS {
            let window = self.window(offset, self.paging.counts(Some(cursor))).await?;
            let unnamed = window.rows.ids.iter().all(Option::is_none);
            let nameless = unnamed && window.len() > 0 && window.len() <= cursor.after;
            let again = window.rows.ids.iter().any(|id| cursor.lists(id.as_deref()));
            self.check_offset_matters(nameless || again).await?;
            if !window.ends_as(cursor, self.list.order()) {
                return Ok(self.beyond(window, cursor).with_doubt(Some(Doubt::SeamsUnchecked)));
            }
            // It ends as the page before did: accounts made meanwhile have moved it, or the offset is not
            // looked at.
            offset = window.end();
        }
        Err(offset_ignored())
    }

    /// Called when rows came `again`, or may have as they have no ids. If they come for any offset, they come for
    /// ever.
    async fn check_offset_matters(&self, again: bool) -> Result<()> {
        let ignored =
            again && self.window_if_any(BEYOND_ALL, false, &mut Refusals::default()).await?.len() > 0;
        if ignored { Err(offset_ignored()) } else { Ok(()) }
    }

    /// `window`, fetched behind `cursor`, as a page, without the rows up to the one listed last, if that has not
    /// moved, and without those that are known to be listed.
    fn beyond(&self, mut window: Window<L::Row>, cursor: &Cursor) -> Page<L::Row, Cursor> {
        let ended = window.len() == 0 || window.is_last();
        let next = (!ended).then(|| Cursor::behind(&window, Some(cursor), &[]));
        let last = cursor.tail.last();
        let found = window.rows.ids.iter().rposition(|id| id.is_some() && id.as_ref() == last);
        let stays = |row: &usize| {
            self.list.order() != Order::Unknown && window.keeps(cursor, cursor.tail.len() - 1, *row)
        };
        let from = found.filter(stays).map_or(0, |row| row + 1);
        let repeated = window.rows.retain(|index, id| index >= from && !cursor.lists(id));
        self.finish(window, next, repeated)
    }

    /// The page behind `cursor`, fetched from the row before it on. If that row is not there any more, or
    /// not there, its place is looked for.
    async fn joined(&self, cursor: &Cursor) -> Result<Page<L::Row, Cursor>> {
        let paging = self.paging;
        // May come to lie before the list's own start: accounts that were left out may be removed too.
        let expected = cursor.offset.saturating_sub(cursor.after.saturating_add(1));
        let mut offset = expected;
        let mut count = paging.counts(Some(cursor));
        let mut step = paging.page_size() - 1;
        let mut again = MOST_SHORT_PAGES;
        // Past the row that shows where the page begins, because no page reached beyond it.
        let mut blind = false;
        // Rows were taken for listed because their ids say so, and only their ids.
        let mut unsure = false;
        // Rows without an id behind the row that the place is known by, which the page did not reach to.
        let mut hidden = 0;
        let mut promised = false;
        let mut stepped = false;
        let mut refusals = Refusals::default();
        // The end of the last page before which there was none, though the count had promised more.
        let mut deserted = None;
        let order = self.list.order();
        let movable = matches!(order, Order::Asked | Order::Unknown);
        // Rows do not stand as they stood. Others may have moved as well, and otherwise.
        let mut moved = false;
        let doubted = |page: Page<L::Row, Cursor>, unsure: bool, moved: bool| {
            let page = page.with_doubt(unsure.then_some(Doubt::SeamsUnchecked));
            page.with_doubt((moved && movable).then_some(Doubt::UnstableOrder))
        };
        let (mut before, mut repeats) = ((u64::MAX, Vec::new()), 0);
        for _ in 0..MOST_PROBES {
            let mut window = self.window_if_any(offset, count, &mut refusals).await?;
            let same = window.len() > 1 && offset != before.0 && window.rows.ids == before.1;
            repeats = if same { repeats + 1 } else { 0 };
            if repeats >= MOST_REPEATS {
                return Err(offset_ignored());
            }
            before = (offset, window.rows.ids.clone());
            let (end, len, is_last) = (window.end(), window.len(), window.is_last());
            promised |= window.total.is_some_and(|total| total > end);
            // The last row known to be listed, if nothing that is new stands behind it.
            let listed = match window.stand(cursor, order, offset == 0 || stepped || blind) {
                Stand::Holds { first, row, tail } => {
                    self.check_offset_matters(blind).await?;
                    let newest = tail + 1 == cursor.tail.len();
                    let again = window.rows.ids.iter().skip(row + 1).any(|id| cursor.lists(id.as_deref()));
                    moved |= !newest || again || offset + row as u64 != expected;
                    step = paging.page_size() - 1;
                    let seen = window.rows.nameless_behind(row + 1, cursor.after) as u64;
                    hidden = if newest { cursor.after - seen } else { 0 };
                    let (window, next, duplicates) = Self::behind(window, cursor, (first, row, tail));
                    if window.rows.len() > 0 || is_last {
                        return Ok(doubted(self.finish(window, next, duplicates), unsure, moved));
                    }
                    offset + row as u64
                }
                // A row that was listed before may stand further up, and shows more than comparing ids does.
                Stand::Before | Stand::Behind(_)
                    if !stepped && !blind && offset > 0 && !window.holds_any(&cursor.tail) =>
                {
                    (offset, stepped) = (offset.saturating_sub(step), true);
                    continue;
                }
                Stand::Before => {
                    unsure |= blind;
                    if is_last {
                        let none = Window { rows: Rows::none(), ..window };
                        return Ok(doubted(self.finish(none, None, len), unsure, moved));
                    }
                    end - 1
                }
                Stand::Behind(row) if row > 0 || offset == 0 || blind => {
                    let next = (!window.is_last()).then(|| Cursor::behind(&window, Some(cursor), &[]));
                    let repeated = window.rows.retain(|index, id| index >= row && !cursor.lists(id));
                    return Ok(doubted(self.finish(window, next, repeated), unsure | blind, moved));
                }
                // An empty page is the end, unless the provider's count has said that more follows. If it is
                // empty again, the count is too high: that shows in the summary.
                Stand::Unknown
                    if window.len() == 0
                        && (offset == 0 || blind && (!promised || deserted == Some(offset))) =>
                {
                    return Ok(doubted(self.finish(window, None, 0), unsure, moved));
                }
                Stand::Unknown if blind && window.len() > 0 => {
                    self.check_offset_matters(true).await?;
                    return Ok(doubted(self.beyond(window, cursor), true, moved));
                }
                Stand::Unknown if offset == 0 => break,
                Stand::Behind(_) | Stand::Unknown => {
                    // Rows before the place were removed: it is further up.
                    if blind && window.len() == 0 {
                        deserted = Some(offset);
                    }
                    moved |= window.len() > 0;
                    (offset, blind, stepped) = (offset.saturating_sub(step), false, true);
                    step = step.saturating_mul(2);
                    continue;
                }
            };
            // The end, or a page that is shorter than it could be, or one that the place has moved out of.
            if len == paging.page_size() && listed > offset {
                (offset, blind) = (listed, false);
            } else if !count && paging.may_count() {
                (offset, count, blind) = (listed, true, false);
            } else if again > 0 {
                (offset, blind) = (listed, false);
                again -= 1;
            } else {
                // The rows without an id that stood behind it were told of, and are out of sight.
                (offset, blind) = (end.saturating_add(hidden), true);
            }
        }
        Err(place_lost())
    }

    /// `window` without what was listed before, given that `cursor`'s tail stands from `first` to `row`; the
    /// cursor behind it; and how many rows were left out beyond the one of the overlap.
    fn behind(
        mut window: Window<L::Row>,
        cursor: &Cursor,
        (first, row, tail): (usize, usize, usize),
    ) -> (Window<L::Row>, Option<Cursor>, u64) {
        let newest = tail + 1 == cursor.tail.len();
        let nameless = if newest { window.rows.nameless_behind(row + 1, cursor.after) } else { 0 };
        let beyond = &cursor.tail[tail + 1..];
        let next = (!window.is_last()).then(|| Cursor::behind(&window, Some(cursor), beyond));
        let from = row + 1 + nameless;
        // What has an id that is not known, and stands among those that are, has come there meanwhile.
        let left_out = window
            .rows
            .retain(|index, id| !cursor.lists(id) && (index >= from || index > first && id.is_some()));
        (window, next, left_out.saturating_sub(1 + nameless as u64))
    }
}

/// The 400s that may be no ends.
#[derive(Default)]
struct Refusals {
    /// Where the last page ended.
    reached: u64,
    /// The offset refused last, and how often it was although there was a row.
    last: Option<(u64, u32)>,
}

impl Refusals {
    /// Counts a refusal of `offset`: how often that was since it is known that there is a row.
    fn refused(&mut self, offset: u64) -> u32 {
        let before = self.last.filter(|(last, _)| *last == offset).map_or(0, |(_, times)| times);
        let times = if self.reached > offset { before + 1 } else { before };
        (self.reached, self.last) = (0, Some((offset, times)));
        times
    }
}

fn place_lost() -> Error {
    let message = "the place in the list can not be found again: rows were removed or changed while it was \
                   walked, the last ones seen among them, or the server does not keep to the offset; list \
                   anew";
    Error::new(ErrorKind::Drift, message).with_provider(NAME)
}

fn offset_ignored() -> Error {
    let message = "the server gives the same page for every offset: it can not be listed to its end";
    Error::new(ErrorKind::PaginationLoop, message).with_provider(NAME)
}
