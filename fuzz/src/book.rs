//! Listings whose pages name the next one by a text: Huawei's `marker`, Annature's `cursor`.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use arbitrary::Arbitrary;
use headcount::{Completeness, ErrorKind};

use crate::{
    rows::{Row, Told},
    walk::Walked,
};

/// Pages in no order but the one that they name, and what changes on them.
#[derive(Arbitrary, Clone, Debug)]
pub struct Book {
    leaves: Vec<Leaf>,
    edits: Vec<Edit>,
}

#[derive(Arbitrary, Clone, Debug)]
struct Leaf {
    rows: Vec<Row>,
    /// What the markers that lead here look like.
    marker: String,
    link: Link,
}

/// Where a page leads, mostly to the next.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Link {
    Next,
    Further,
    Onward,
    To(u8),
    End(u8),
}

/// A change of a page, before the answer of this number.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Edit {
    answer: u8,
    leaf: u8,
    row: u8,
    what: What,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum What {
    Remove,
    Insert(Row),
    /// The account keeps its id, if it had one, and the rest of it changes.
    Replace(Row),
    /// It changes places with the one behind it.
    Swap,
}

/// A page as the server sends it.
pub struct Sheet {
    pub rows: String,
    /// The text that the next page is asked for by; for the last page, which way of saying so.
    pub next: Result<String, u8>,
}

/// A row of a page. Its id is its own, also where the row does not show it.
#[derive(Clone, Debug)]
struct Line {
    row: Row,
    id: String,
}

impl Line {
    fn json(&self) -> String {
        self.row.json("id", &self.id)
    }

    fn told(&self) -> Told {
        self.row.told(&self.id)
    }

    /// What tells it from other rows.
    fn key(&self) -> Result<String, String> {
        if self.row.has_id() { Ok(self.id.clone()) } else { Err(self.json()) }
    }
}

/// The pages as they are at the moment, and those that were served.
#[derive(Clone)]
pub struct Shelf(Arc<Mutex<State>>);

struct State {
    leaves: Vec<Vec<Line>>,
    /// The ids of rows that were never changed.
    untouched: HashSet<String>,
    served: Vec<(usize, Vec<Line>)>,
}

impl State {
    fn edit(&mut self, number: usize, edit: Edit) {
        let leaf = usize::from(edit.leaf) % self.leaves.len();
        let lines = &mut self.leaves[leaf];
        let row = usize::from(edit.row) % (lines.len() + 1);
        if let What::Insert(new) = edit.what {
            lines.insert(row, Line { row: new, id: format!("{leaf}+{number}") });
            return;
        }
        if row == lines.len() {
            return;
        }
        self.untouched.remove(&lines[row].id);
        match edit.what {
            What::Remove => drop(lines.remove(row)),
            What::Replace(new) => lines[row].row = new,
            What::Swap if row + 1 < lines.len() => lines.swap(row, row + 1),
            What::Swap | What::Insert(_) => {}
        }
    }
}

impl Book {
    fn leaves(&self) -> &[Leaf] {
        &self.leaves[..self.leaves.len().min(40)]
    }

    /// The text by which the page at `index` is asked for.
    fn marker(&self, index: usize) -> String {
        let text: String = self.leaves()[index].marker.chars().take(60).collect();
        format!("{text}{index:04}")
    }

    fn next(&self, index: usize) -> Result<usize, u8> {
        let count = self.leaves().len();
        match self.leaves()[index].link {
            Link::To(to) => Ok(usize::from(to) % count),
            Link::End(way) => Err(way),
            Link::Next | Link::Further | Link::Onward if index + 1 < count => Ok(index + 1),
            Link::Next | Link::Further | Link::Onward => Err(0),
        }
    }

    pub fn shelf(&self) -> Shelf {
        let leaf = |(index, leaf): (usize, &Leaf)| {
            let lines = leaf.rows.iter().enumerate();
            lines.map(|(row, kind)| Line { row: *kind, id: format!("{index}-{row}") }).collect()
        };
        let leaves: Vec<Vec<Line>> = self.leaves().iter().enumerate().map(leaf).collect();
        let untouched = leaves.iter().flatten().map(|line| line.id.clone()).collect();
        Shelf(Arc::new(Mutex::new(State { leaves, untouched, served: Vec::new() })))
    }

    /// The page that is asked for by `marker`, the first without one.
    pub fn sheet(&self, shelf: &Shelf, marker: Option<&str>) -> Option<Sheet> {
        let state = &mut *shelf.0.lock().unwrap();
        let answer = state.served.len();
        if self.leaves().is_empty() {
            state.served.push((0, Vec::new()));
            return marker.is_none().then(|| Sheet { rows: "[]".into(), next: Err(0) });
        }
        let edits = self.edits.iter().take(16).enumerate();
        for (number, edit) in edits.filter(|(_, edit)| usize::from(edit.answer) == answer) {
            state.edit(number, *edit);
        }
        let index = match marker {
            None => 0,
            Some(marker) => (0..self.leaves().len()).find(|index| self.marker(*index) == marker)?,
        };
        let lines = state.leaves[index].clone();
        let rows: Vec<_> = lines.iter().map(Line::json).collect();
        state.served.push((index, lines));
        let next = self.next(index).map(|next| self.marker(next));
        Some(Sheet { rows: format!("[{}]", rows.join(",")), next })
    }

    /// Checks that `walked` is what has to come of walking the book.
    pub fn check(&self, shelf: &Shelf, walked: &Walked) {
        let state = shelf.0.lock().unwrap();
        let summary = &walked.summary;
        let (mut order, mut seen) = (Vec::new(), HashSet::new());
        let mut at = if self.leaves().is_empty() { Err(0) } else { Ok(0) };
        while let Ok(leaf) = at {
            if !seen.insert(leaf) {
                break;
            }
            order.push(leaf);
            at = self.next(leaf);
        }
        self.check_rows(&state, walked);
        if at.is_ok() {
            // Round and round, and after a few rounds noticed.
            let error = walked.error.as_ref().expect("a circle has no end");
            assert_eq!(error.kind(), ErrorKind::PaginationLoop, "{error}");
            assert!(summary.pages >= order.len() as u64, "{summary:?}");
            assert!(summary.pages <= 3 * order.len() as u64 + 2, "{summary:?}");
            return;
        }
        assert!(walked.error.is_none(), "{:?}", walked.error);
        assert_eq!(summary.pages, order.len().max(1) as u64);
        let whole = !walked.told.contains(&Told::Bad);
        assert_eq!(summary.completeness == Completeness::Complete, whole, "{summary:?}");

        let good = walked.told.iter().filter_map(Told::id);
        let listed: HashSet<&str> = good.clone().collect();
        let repeats = (good.count() - listed.len()) as u64;
        assert!(repeats <= summary.repeats_at_most, "{repeats} rows came twice: {walked:?}");
        for line in order.iter().flat_map(|leaf| &state.leaves[*leaf]) {
            if matches!(line.row, Row::Good(_)) && state.untouched.contains(&line.id) {
                assert!(listed.contains(line.id.as_str()), "{} went missing: {walked:?}", line.id);
            }
        }
    }

    /// Each page comes whole, as it was served. Where a walk was cut within a page, and the page still begins with the
    /// rows that were listed, those are left out; if not, they count as repeated.
    fn check_rows(&self, state: &State, walked: &Walked) {
        let (mut told, mut repeats) = (Vec::new(), 0);
        // Where the next page may be.
        let mut next = vec![Ok(0)];
        let mut listed: Vec<Result<String, String>> = Vec::new();
        for (number, piece) in walked.pieces.iter().enumerate() {
            let following = walked.pieces.get(number + 1);
            let rows = following.map_or(walked.told.len(), |piece| piece.rows);
            let answers = following.map_or(state.served.len(), |piece| piece.answers);
            let served = &state.served[piece.answers..answers];
            for (index, (leaf, lines)) in served.iter().enumerate() {
                // What was fetched ahead, and not asked for.
                let unasked = following.is_some() || walked.error.is_some() && listed.is_empty();
                if told.len() == rows && unasked {
                    // Whether a page without rows was asked for does not show.
                    for (leaf, _) in served[index..].iter().take_while(|(_, lines)| lines.is_empty()) {
                        next.push(self.next(*leaf));
                    }
                    break;
                }
                assert!(next.contains(&Ok(*leaf)), "the wrong page was asked for: {walked:?}");
                let keys: Vec<_> = lines.iter().map(Line::key).collect();
                let skip = if keys.starts_with(&listed) { listed.len() } else { 0 };
                repeats += listed.len() - skip;
                let end = lines.len().min(skip + rows - told.len());
                told.extend(lines[skip..end].iter().map(Line::told));
                if end < lines.len() {
                    listed = keys[..end].to_vec();
                    next = vec![Ok(*leaf)];
                } else {
                    listed.clear();
                    next = vec![if self.leaves().is_empty() { Err(0) } else { self.next(*leaf) }];
                }
            }
        }
        assert_eq!(walked.told, told);
        assert_eq!(walked.summary.repeats_at_most, repeats as u64, "{walked:?}");
    }
}
