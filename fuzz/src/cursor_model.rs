//! A model of listings with cursors that the server chooses: Huawei's `marker`, Annature's `cursor`.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use arbitrary::Arbitrary;
use headcount::{Completeness, ErrorKind};

use crate::{
    rows::{Row, RowOutcome},
    walk::Outcome,
};

/// Pages that are linked by cursors, and changes of their rows.
#[derive(Arbitrary, Clone, Debug)]
pub struct CursorListing {
    pages: Vec<PageSpec>,
    changes: Vec<Change>,
}

#[derive(Arbitrary, Clone, Debug)]
struct PageSpec {
    rows: Vec<Row>,
    /// The prefix of the page's cursor.
    cursor: String,
    link: Link,
}

/// The successor of a page. Several variants mean the next page, so that most inputs use it.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Link {
    Next,
    Further,
    Onward,
    To(u8),
    End(u8),
}

/// A change of a page before the response with this number.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Change {
    response: u8,
    page: u8,
    row: u8,
    kind: ChangeKind,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum ChangeKind {
    Remove,
    Insert(Row),
    /// Replaces everything but the id.
    Replace(Row),
    /// Swaps the row with the next one.
    Swap,
}

/// A page as the server sends it.
pub struct PageModel {
    pub rows: String,
    /// The cursor of the next page. On the last page, the number selects how the end is reported.
    pub next: Result<String, u8>,
}

/// A row of a page. It has an id even if the row's JSON does not.
#[derive(Clone, Debug)]
struct Entry {
    row: Row,
    id: String,
}

impl Entry {
    fn json(&self) -> String {
        self.row.json("id", &self.id)
    }

    fn outcome(&self) -> RowOutcome {
        self.row.expected(&self.id)
    }

    /// Returns what identifies the row: the id if it is valid, else the JSON.
    fn key(&self) -> Result<String, String> {
        if self.row.has_id() { Ok(self.id.clone()) } else { Err(self.json()) }
    }
}

/// The current pages, and those that were served.
#[derive(Clone)]
pub struct ServerState(Arc<Mutex<State>>);

struct State {
    pages: Vec<Vec<Entry>>,
    /// The ids of rows that were never changed.
    unchanged: HashSet<String>,
    /// The index and the rows of each served page.
    served: Vec<(usize, Vec<Entry>)>,
}

impl State {
    fn apply(&mut self, number: usize, change: Change) {
        let page = usize::from(change.page) % self.pages.len();
        let entries = &mut self.pages[page];
        let row = usize::from(change.row) % (entries.len() + 1);
        if let ChangeKind::Insert(new) = change.kind {
            entries.insert(row, Entry { row: new, id: format!("{page}+{number}") });
            return;
        }
        if row == entries.len() {
            return;
        }
        self.unchanged.remove(&entries[row].id);
        match change.kind {
            ChangeKind::Remove => drop(entries.remove(row)),
            ChangeKind::Replace(new) => entries[row].row = new,
            ChangeKind::Swap if row + 1 < entries.len() => entries.swap(row, row + 1),
            ChangeKind::Swap | ChangeKind::Insert(_) => {}
        }
    }
}

impl CursorListing {
    fn pages(&self) -> &[PageSpec] {
        &self.pages[..self.pages.len().min(40)]
    }

    /// Returns the cursor of the page at `index`.
    fn cursor(&self, index: usize) -> String {
        let text: String = self.pages()[index].cursor.chars().take(60).collect();
        format!("{text}{index:04}")
    }

    fn next(&self, index: usize) -> Result<usize, u8> {
        let count = self.pages().len();
        match self.pages()[index].link {
            Link::To(to) => Ok(usize::from(to) % count),
            Link::End(way) => Err(way),
            Link::Next | Link::Further | Link::Onward if index + 1 < count => Ok(index + 1),
            Link::Next | Link::Further | Link::Onward => Err(0),
        }
    }

    pub fn server_state(&self) -> ServerState {
        let entries = |(index, page): (usize, &PageSpec)| {
            let rows = page.rows.iter().enumerate();
            rows.map(|(number, row)| Entry { row: *row, id: format!("{index}-{number}") }).collect()
        };
        let pages: Vec<Vec<Entry>> = self.pages().iter().enumerate().map(entries).collect();
        let unchanged = pages.iter().flatten().map(|entry| entry.id.clone()).collect();
        ServerState(Arc::new(Mutex::new(State { pages, unchanged, served: Vec::new() })))
    }

    /// Serves the page at `cursor`, or the first page without a cursor. Returns `None` if the cursor is
    /// unknown.
    pub fn page(&self, state: &ServerState, cursor: Option<&str>) -> Option<PageModel> {
        let state = &mut *state.0.lock().unwrap();
        let response = state.served.len();
        if self.pages().is_empty() {
            state.served.push((0, Vec::new()));
            return cursor.is_none().then(|| PageModel { rows: "[]".into(), next: Err(0) });
        }
        let changes = self.changes.iter().take(16).enumerate();
        for (number, change) in changes.filter(|(_, change)| usize::from(change.response) == response) {
            state.apply(number, *change);
        }
        let index = match cursor {
            None => 0,
            Some(cursor) => (0..self.pages().len()).find(|index| self.cursor(*index) == cursor)?,
        };
        let entries = state.pages[index].clone();
        let rows: Vec<_> = entries.iter().map(Entry::json).collect();
        state.served.push((index, entries));
        let next = self.next(index).map(|next| self.cursor(next));
        Some(PageModel { rows: format!("[{}]", rows.join(",")), next })
    }

    /// Checks the outcome of listing the model.
    pub fn check(&self, state: &ServerState, outcome: &Outcome) {
        let state = state.0.lock().unwrap();
        let summary = &outcome.summary;
        let (mut order, mut seen) = (Vec::new(), HashSet::new());
        let mut next = if self.pages().is_empty() { Err(0) } else { Ok(0) };
        while let Ok(page) = next {
            if !seen.insert(page) {
                break;
            }
            order.push(page);
            next = self.next(page);
        }
        self.check_rows(&state, outcome);
        if next.is_ok() {
            // A cycle must be detected within three rounds.
            let error = outcome.error.as_ref().expect("a cycle has no end");
            assert_eq!(error.kind(), ErrorKind::PaginationLoop, "{error}");
            assert!(summary.pages >= order.len() as u64, "{summary:?}");
            assert!(summary.pages <= 3 * order.len() as u64 + 2, "{summary:?}");
            return;
        }
        assert!(outcome.error.is_none(), "{:?}", outcome.error);
        assert_eq!(summary.pages, order.len().max(1) as u64);
        let complete = !outcome.rows.contains(&RowOutcome::Bad);
        assert_eq!(summary.completeness == Completeness::Complete, complete, "{summary:?}");

        let good = outcome.rows.iter().filter_map(RowOutcome::id);
        let listed: HashSet<&str> = good.clone().collect();
        let repeats = (good.count() - listed.len()) as u64;
        assert!(repeats <= summary.repeats_at_most, "{repeats} rows were listed twice: {outcome:?}");
        for entry in order.iter().flat_map(|page| &state.pages[*page]) {
            if matches!(entry.row, Row::Good(_)) && state.unchanged.contains(&entry.id) {
                assert!(listed.contains(entry.id.as_str()), "{} is missing: {outcome:?}", entry.id);
            }
        }
    }

    /// Checks that every page is yielded completely, as it was served.
    ///
    /// If the listing was interrupted within a page, and the page still starts with the listed rows, those
    /// are skipped. Otherwise they count as repeated.
    fn check_rows(&self, state: &State, outcome: &Outcome) {
        let (mut expected, mut repeats) = (Vec::new(), 0);
        // The pages that may be requested next.
        let mut next = vec![Ok(0)];
        let mut listed: Vec<Result<String, String>> = Vec::new();
        for (number, segment) in outcome.segments.iter().enumerate() {
            let following = outcome.segments.get(number + 1);
            let rows = following.map_or(outcome.rows.len(), |segment| segment.rows);
            let responses = following.map_or(state.served.len(), |segment| segment.responses);
            let served = &state.served[segment.responses..responses];
            for (index, (page, entries)) in served.iter().enumerate() {
                // The page may have been prefetched and not used.
                let may_be_unused = following.is_some() || outcome.error.is_some() && listed.is_empty();
                if expected.len() == rows && may_be_unused {
                    // An empty page yields nothing, so it is unknown whether it was used.
                    for (page, _) in served[index..].iter().take_while(|(_, entries)| entries.is_empty()) {
                        next.push(self.next(*page));
                    }
                    break;
                }
                assert!(next.contains(&Ok(*page)), "the wrong page was requested: {outcome:?}");
                let keys: Vec<_> = entries.iter().map(Entry::key).collect();
                let skip = if keys.starts_with(&listed) { listed.len() } else { 0 };
                repeats += listed.len() - skip;
                let end = entries.len().min(skip + rows - expected.len());
                expected.extend(entries[skip..end].iter().map(Entry::outcome));
                if end < entries.len() {
                    listed = keys[..end].to_vec();
                    next = vec![Ok(*page)];
                } else {
                    listed.clear();
                    next = vec![if self.pages().is_empty() { Err(0) } else { self.next(*page) }];
                }
            }
        }
        assert_eq!(outcome.rows, expected);
        assert_eq!(outcome.summary.repeats_at_most, repeats as u64, "{outcome:?}");
    }
}
