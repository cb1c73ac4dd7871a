//! Listings whose pages name the next one by a text: Huawei's `marker`, Annature's `cursor`.

use std::collections::HashSet;

use arbitrary::Arbitrary;
use headcount::{Completeness, ErrorKind};

use crate::{
    rows::{Row, Told},
    walk::Walked,
};

/// Pages in no order but the one that they name.
#[derive(Arbitrary, Clone, Debug)]
pub struct Book {
    leaves: Vec<Leaf>,
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

/// A page as the server sends it.
pub struct Sheet {
    pub rows: String,
    /// The text that the next page is asked for by; for the last page, which way of saying so.
    pub next: Result<String, u8>,
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

    /// The page that is asked for by `marker`, the first without one.
    pub fn sheet(&self, marker: Option<&str>) -> Option<Sheet> {
        if self.leaves().is_empty() {
            return marker.is_none().then(|| Sheet { rows: "[]".into(), next: Err(0) });
        }
        let index = match marker {
            None => 0,
            Some(marker) => (0..self.leaves().len()).find(|index| self.marker(*index) == marker)?,
        };
        let rows = self.leaves()[index].rows.iter().enumerate();
        let rows: Vec<_> = rows.map(|(row, kind)| kind.json("id", &Self::id(index, row))).collect();
        let next = self.next(index).map(|next| self.marker(next));
        Some(Sheet { rows: format!("[{}]", rows.join(",")), next })
    }

    fn id(leaf: usize, row: usize) -> String {
        format!("{leaf}-{row}")
    }

    fn told(&self, leaf: usize) -> impl Iterator<Item = Told> + '_ {
        let rows = self.leaves()[leaf].rows.iter().enumerate();
        rows.map(move |(row, kind)| kind.told(&Self::id(leaf, row)))
    }

    /// Checks that `walked` is what has to come of walking the book.
    pub fn check(&self, walked: &Walked) {
        let (mut order, mut seen) = (Vec::new(), HashSet::new());
        let mut at = if self.leaves().is_empty() { Err(0) } else { Ok(0) };
        while let Ok(leaf) = at {
            if !seen.insert(leaf) {
                break;
            }
            order.push(leaf);
            at = self.next(leaf);
        }
        let once: Vec<Told> = order.iter().flat_map(|leaf| self.told(*leaf)).collect();
        if at.is_err() {
            assert!(walked.error.is_none(), "{:?}", walked.error);
            assert_eq!(walked.told, once);
            assert_eq!(walked.summary.pages, order.len().max(1) as u64);
            let whole = !once.contains(&Told::Bad);
            assert_eq!(walked.summary.completeness == Completeness::Whole, whole, "{:?}", walked.summary);
            return;
        }
        // Round and round, and after a few rounds noticed.
        let error = walked.error.as_ref().expect("a circle has no end");
        assert_eq!(error.kind(), ErrorKind::PaginationLoop, "{error}");
        assert!(walked.summary.pages >= order.len() as u64, "{:?}", walked.summary);
        assert!(walked.summary.pages <= 3 * order.len() as u64 + 2, "{:?}", walked.summary);
        let mut leaf = 0;
        let mut round = Vec::new();
        for _ in 0..walked.summary.pages {
            round.extend(self.told(leaf));
            leaf = self.next(leaf).expect("a circle has no end");
        }
        assert_eq!(walked.told, round);
    }
}
