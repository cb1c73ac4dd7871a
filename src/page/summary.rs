use serde::{Deserialize, Serialize};

use super::Page;

/// What a stream has given so far, and whether that is the whole list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Pages handed out. After a resume, those before it count too, as in all figures here.
    pub pages: u64,
    /// Items yielded. The accounts among them are at least `yielded - repeats_at_most`.
    pub items: u64,
    /// At most so many of the rows came twice: a listing was resumed within a page that had changed, and the whole
    /// page was yielded again.
    pub repeats_at_most: u64,
    /// Rows that could not be read, each of which came out as an error.
    pub rejected: u64,
    /// Rows that repeated earlier ones at the seam of two pages, and were left out.
    pub duplicates: u64,
    /// The provider's own count, as it told it last.
    pub total: Option<u64>,
    /// Whether the list is whole.
    pub completeness: Completeness,
}

/// Whether everything was listed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Completeness {
    /// The walk has not come to the end.
    InProgress,
    /// The provider's end was reached, and nothing speaks against the list being whole.
    Complete,
    /// The provider's end was reached, but something may be missing, for these reasons.
    Uncertain(Vec<IncompleteReason>),
}

/// A reason why a list may not be whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "doubt", rename_all = "snake_case")]
#[non_exhaustive]
pub enum IncompleteReason {
    /// Rows could not be read; they came out as errors of kind `InvalidRecord`.
    Rejected {
        /// How many.
        rows: u64,
    },
    /// The provider counts more than came.
    CountMismatch {
        /// The provider's count, as it told it last.
        total: u64,
        /// The rows that came.
        listed: u64,
    },
    /// The provider's count changed between pages: accounts were made or removed during the walk.
    TotalChanged {
        /// What it told first.
        from: u64,
        /// What it told last.
        to: u64,
    },
    /// The endpoint gives at most `cap` rows and gave as many: there may be more.
    Truncated {
        /// The endpoint's maximum.
        cap: u64,
    },
    /// The pages stand in an order in which their seams are not safe against changes.
    UnstableOrder,
    /// It was not checked that each page begins where the one before ended: accounts removed during the
    /// walk may have moved others past it.
    BoundariesUnverified,
}

impl std::fmt::Display for IncompleteReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rejected { rows } => write!(f, "{rows} rows could not be read"),
            Self::CountMismatch { total, listed } => {
                write!(f, "the provider counts {total}, and {listed} came")
            }
            Self::TotalChanged { from, to } => {
                write!(f, "the provider's count changed from {from} to {to} during the walk")
            }
            Self::Truncated { cap } => {
                write!(f, "the endpoint gives at most {cap} rows and gave as many: it may be truncated")
            }
            Self::BoundariesUnverified => f.write_str("it was not checked that the pages join"),
            Self::UnstableOrder => f.write_str("the order of the pages is not safe against changes"),
        }
    }
}

/// The figures behind a [`Summary`]. They travel in checkpoints.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Tally {
    pub(super) pages: u64,
    pub(super) items: u64,
    pub(super) rejected: u64,
    repeats_at_most: u64,
    pub(super) duplicates: u64,
    first_total: Option<u64>,
    total: Option<u64>,
    total_changed: bool,
    doubts: Vec<IncompleteReason>,
}

impl Tally {
    pub(super) fn page<T, C>(&mut self, page: &Page<T, C>) {
        self.pages = self.pages.saturating_add(1);
        self.duplicates = self.duplicates.saturating_add(page.duplicates);
        self.total_changed |= page.total.is_some() && self.total.is_some() && page.total != self.total;
        self.total = page.total.or(self.total);
        self.first_total = self.first_total.or(self.total);
        for doubt in &page.doubts {
            if !self.doubts.contains(doubt) {
                self.doubts.push(doubt.clone());
            }
        }
    }

    /// The same before the last page, which counts again when it is fetched again. What was yielded of it, and what
    /// it showed of the listing, stays.
    pub(super) fn without_last_page(self, before: &Self) -> Self {
        Self { pages: before.pages, duplicates: before.duplicates, ..self }
    }

    pub(super) fn item(&mut self) {
        self.items = self.items.saturating_add(1);
    }

    pub(super) fn reject(&mut self) {
        self.rejected = self.rejected.saturating_add(1);
    }

    /// So many rows that were yielded may come again.
    pub(super) fn repeat(&mut self, rows: usize) {
        self.repeats_at_most = self.repeats_at_most.saturating_add(rows as u64);
    }

    pub(super) fn total(&self) -> Option<u64> {
        self.total
    }

    pub(super) fn rows(&self) -> u64 {
        self.items.saturating_add(self.rejected)
    }

    pub(super) fn summary(&self, finished: bool) -> Summary {
        let mut doubts = self.doubts.clone();
        if self.rejected > 0 {
            doubts.push(IncompleteReason::Rejected { rows: self.rejected });
        }
        if let (Some(from), Some(to)) = (self.first_total, self.total)
            && self.total_changed
        {
            doubts.push(IncompleteReason::TotalChanged { from, to });
        }
        if let Some(total) = self.total
            && self.rows() < total
        {
            doubts.push(IncompleteReason::CountMismatch { total, listed: self.rows() });
        }
        let completeness = match (finished, doubts.is_empty()) {
            (false, _) => Completeness::InProgress,
            (true, true) => Completeness::Complete,
            (true, false) => Completeness::Uncertain(doubts),
        };
        Summary {
            pages: self.pages,
            items: self.items,
            rejected: self.rejected,
            repeats_at_most: self.repeats_at_most,
            duplicates: self.duplicates,
            total: self.total,
            completeness,
        }
    }
}
