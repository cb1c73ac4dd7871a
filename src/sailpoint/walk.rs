//! How one page is fetched so that it begins where the one before ended, whatever has moved meanwhile.

use super::{
    Account, Cursor, ListAccounts, NAME,
    cursor::{Stand, Window},
};
use crate::{Doubt, Error, ErrorKind, Page, Result, http::Rows};

/// How many requests may go into finding the place again. Steps double, so this reaches any offset.
const MOST_PROBES: u32 = 64;

/// The page at `at`.
pub(super) async fn fetch(list: &ListAccounts, at: Option<&Cursor>) -> Result<Page<Account, Cursor>> {
    let walk = Walk { list };
    let Some(cursor) = at else {
        let window = walk.window(list.start(), list.counts(None)).await?;
        return Ok(walk.page(window, None, 0));
    };
    let reach = cursor.after + 1;
    if list.overlaps() && cursor.guessed {
        // The row before is fetched too, and shows whether the guess was right.
        let window = walk
            .window(cursor.offset.saturating_sub(1), list.counts(Some(cursor)))
            .await?;
        Ok(walk.page(window, Some(cursor), 0))
    } else if list.overlaps() && !cursor.tail.is_empty() && reach < list.page_size() {
        walk.joined(cursor).await
    } else {
        walk.unchecked(cursor).await
    }
}

struct Walk<'a> {
    list: &'a ListAccounts,
}

impl Walk<'_> {
    /// The rows from `offset` on.
    async fn window(&self, offset: u64, count: bool) -> Result<Window> {
        let (rows, total) = self.list.request(offset, self.list.page_size(), count).await?;
        Ok(Window { offset, rows, total })
    }

    /// The same, where `offset` may lie beyond the end: that is answered with no rows, or with a 400.
    async fn window_if_any(&self, offset: u64, count: bool) -> Result<Window> {
        match self.window(offset, count).await {
            Err(error) if error.status() == Some(400) && offset > self.list.start() => Ok(Window {
                offset,
                rows: Rows::none(),
                total: None,
            }),
            window => window,
        }
    }

    /// `window` as a page. An empty window is the end, and so is one that reaches the provider's count.
    fn page(&self, window: Window, before: Option<&Cursor>, duplicates: u64) -> Page<Account, Cursor> {
        let ended = window.len() == 0 || window.is_last();
        let next = (!ended).then(|| Cursor::behind(&window, before));
        self.finish(window, next, duplicates)
    }

    fn finish(&self, window: Window, next: Option<Cursor>, duplicates: u64) -> Page<Account, Cursor> {
        let total = window.total.map(|total| total.saturating_sub(self.list.start()));
        window
            .rows
            .into_page(next)
            .with_total(total)
            .with_duplicates(duplicates)
    }

    /// The page behind `cursor` by its offset alone. Rows that the page before had are left out.
    async fn unchecked(&self, cursor: &Cursor) -> Result<Page<Account, Cursor>> {
        let mut window = self.window(cursor.offset, self.list.counts(Some(cursor))).await?;
        let ended = window.len() == 0 || window.is_last();
        let next = (!ended).then(|| Cursor::behind(&window, Some(cursor)));
        let repeated = window.rows.retain(|_, id| !is_in(&cursor.tail, id));
        Ok(self
            .finish(window, next, repeated)
            .with_doubt(Some(Doubt::SeamsUnchecked)))
    }

    /// The page behind `cursor`, fetched from the row before it on. If that row is not there any more, or
    /// not there, its place is looked for.
    async fn joined(&self, cursor: &Cursor) -> Result<Page<Account, Cursor>> {
        let (list, start) = (self.list, self.list.start());
        let mut offset = cursor.offset.saturating_sub(cursor.after + 1).max(start);
        let mut count = list.counts(Some(cursor));
        let mut step = list.page_size() - 1;
        for _ in 0..MOST_PROBES {
            let window = self.window_if_any(offset, count).await?;
            let stand = window.stand(cursor, list.is_sorted_by_id());
            match stand {
                Stand::Holds { row, tail } => {
                    let (place, end, len) = (window.offset + row as u64, window.end(), window.len());
                    let (window, next, page_duplicates) = Self::behind(window, cursor, row, tail);
                    if window.rows.len() > 0 || window.is_last() {
                        return Ok(self.finish(window, next, page_duplicates));
                    }
                    // Nothing behind the last row: the end, or a page that is shorter than it could be.
                    if len == list.page_size() && place > offset {
                        offset = place;
                    } else if !count && list.may_count() {
                        (offset, count) = (place, true);
                    } else {
                        return self.after_end(end, cursor).await;
                    }
                }
                Stand::Before => offset = window.end(),
                Stand::Behind(row) if row > 0 || offset <= start => {
                    let next = (!window.is_last()).then(|| Cursor::behind(&window, Some(cursor)));
                    let mut window = window;
                    let repeated = window.rows.retain(|index, _| index >= row);
                    return Ok(self.finish(window, next, repeated));
                }
                Stand::Unknown if offset <= start && window.len() == 0 => {
                    return Ok(self.finish(window, None, 0));
                }
                Stand::Unknown if offset <= start => break,
                Stand::Behind(_) | Stand::Unknown => {
                    // Rows before the place were removed: it is further up.
                    offset = offset.saturating_sub(step).max(start);
                    step = step.saturating_mul(2);
                }
            }
        }
        let message = "accounts were removed while the list was walked, the last ones seen among them, and \
                       the place can not be found again: list anew";
        Err(Error::new(ErrorKind::Drift, message).with_provider(NAME))
    }

    /// `window` without what was listed before, given that `cursor`'s tail stands at `row`; the cursor
    /// behind it; and how many rows were left out beyond the one of the overlap.
    fn behind(mut window: Window, cursor: &Cursor, row: usize, tail: usize) -> (Window, Option<Cursor>, u64) {
        let newest = tail + 1 == cursor.tail.len();
        let nameless = if newest {
            usize::try_from(cursor.after).unwrap_or(usize::MAX)
        } else {
            0
        };
        let next = (!window.is_last()).then(|| Cursor::behind(&window, Some(cursor)));
        let listed = &cursor.tail[tail + 1..];
        let from = row.saturating_add(1).saturating_add(nameless);
        let left_out = window
            .rows
            .retain(|index, id| index >= from && !is_in(listed, id));
        let overlap = 1 + cursor.after;
        (window, next, left_out.saturating_sub(overlap))
    }

    /// What follows when the provider gives no count to tell the end by: an empty page is it.
    async fn after_end(&self, offset: u64, cursor: &Cursor) -> Result<Page<Account, Cursor>> {
        let mut window = self.window_if_any(offset, false).await?;
        let next = (window.len() > 0).then(|| Cursor::behind(&window, Some(cursor)));
        let repeated = window.rows.retain(|_, id| !is_in(&cursor.tail, id));
        Ok(self.finish(window, next, repeated))
    }
}

fn is_in(ids: &[String], id: Option<&str>) -> bool {
    id.is_some_and(|id| ids.iter().any(|known| known == id))
}
