//! How one page is fetched so that it begins where the one before ended, whatever has moved meanwhile.

use super::{
    Cursor,
    cursor::Window,
    joining::Joining,
    paging::{Answered, OffsetList, Order, Paging},
    search::{MOST_REPEATS, Refusals, offset_ignored},
};
use crate::{Doubt, Page, Result, http::Rows};

/// An offset behind the end of every list: the provider reads 32 bits.
const BEYOND_ALL: u64 = i32::MAX as u64;

/// The page at `at`.
pub(super) async fn fetch<L: OffsetList>(list: &L, at: Option<&Cursor>) -> Result<Page<L::Row, Cursor>> {
    let paging = list.paging();
    let walk = Walk { list, paging };
    let Some(cursor) = at else {
        let window = walk.window_not_deserted(paging.offset, paging.counts(None)).await?;
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
        Joining::new(&walk, cursor).page().await
    } else {
        walk.unchecked(cursor).await
    }
}

/// The requests of a list, and the pages that they make.
pub(super) struct Walk<'a, L> {
    pub(super) list: &'a L,
    pub(super) paging: &'a Paging,
}

impl<L: OffsetList> Walk<'_, L> {
    /// The rows from `offset` on.
    async fn window(&self, offset: u64, count: bool) -> Result<Window<L::Row>> {
        let Answered { rows, marks, total } =
            self.list.request(offset, self.paging.page_size(), count).await?;
        Ok(Window { offset, rows, marks, total })
    }

    /// The same, asked for once more if it is empty although the provider's count promises rows.
    async fn window_not_deserted(&self, offset: u64, count: bool) -> Result<Window<L::Row>> {
        let window = self.window(offset, count).await?;
        let promised = window.total.is_some_and(|total| total > offset);
        if window.len() == 0 && promised { self.window(offset, count).await } else { Ok(window) }
    }

    /// The rows from `offset` on, where it may lie beyond the end: that is answered with no rows, or with a 400.
    /// Unless `refusals` show that the provider refuses an offset at which there are rows.
    pub(super) async fn window_if_any(
        &self,
        offset: u64,
        count: bool,
        refusals: &mut Refusals,
    ) -> Result<Window<L::Row>> {
        match self.window(offset, count).await {
            Err(error) if error.status() == Some(400) && offset > 0 => {
                if refusals.refuse(offset) {
                    return Err(error);
                }
                Ok(Window { offset, rows: Rows::none(), marks: Vec::new(), total: None })
            }
            window => window.inspect(|window| refusals.reached(window.end())),
        }
    }

    /// `window` as a page. An empty window is the end, and so is one that reaches the provider's count.
    fn page(&self, window: Window<L::Row>, before: Option<&Cursor>, duplicates: u64) -> Page<L::Row, Cursor> {
        let ended = window.len() == 0 || window.is_last();
        let next = (!ended).then(|| Cursor::behind(&window, before, &[]));
        self.finish(window, next, duplicates)
    }

    pub(super) fn finish(
        &self,
        window: Window<L::Row>,
        next: Option<Cursor>,
        duplicates: u64,
    ) -> Page<L::Row, Cursor> {
        let total = window.total.map(|total| total.saturating_sub(self.paging.offset));
        window.rows.into_page(next).with_total(total).with_duplicates(duplicates)
    }

    /// The page behind `cursor` by its offset alone. Rows that the page before had are left out.
    async fn unchecked(&self, cursor: &Cursor) -> Result<Page<L::Row, Cursor>> {
        let mut offset = cursor.offset;
        for _ in 0..MOST_REPEATS {
            let window = self.window_not_deserted(offset, self.paging.counts(Some(cursor))).await?;
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
    pub(super) async fn check_offset_matters(&self, again: bool) -> Result<()> {
        let ignored =
            again && self.window_if_any(BEYOND_ALL, false, &mut Refusals::default()).await?.len() > 0;
        if ignored { Err(offset_ignored()) } else { Ok(()) }
    }

    /// `window`, fetched behind `cursor`, as a page, without the rows up to the one listed last, if that has not
    /// moved, and without those that are known to be listed.
    pub(super) fn beyond(&self, mut window: Window<L::Row>, cursor: &Cursor) -> Page<L::Row, Cursor> {
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
}
