use std::fmt;

use serde::{Deserialize, Serialize};

use super::Page;

/// What a stream has yielded so far, and whether that is the complete listing.
///
/// `Display` is one line: `250 items, 3 pages; complete`. After a resume, all figures include those before
/// it.
///
/// The default is that of a listing that has not started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Summary {
    /// Pages yielded.
    pub pages: u64,
    /// Items yielded.
    ///
    /// Some may repeat: see `repeats_at_most`, and the reasons `UnstableOrder` and `BoundariesUnverified`.
    pub items: u64,
    /// An upper bound of the rows that were yielded twice.
    ///
    /// It grows when a listing is resumed within a page that has changed: the whole page is yielded again
    /// (at-least-once delivery).
    pub repeats_at_most: u64,
    /// Records that could not be decoded. Each was yielded as an error.
    pub rejected: u64,
    /// Rows that repeated earlier ones at the boundary of two pages, and were dropped.
    pub duplicates: u64,
    /// The provider's latest count of the listing, if it reports one.
    pub total: Option<u64>,
    /// Whether the listing is complete.
    pub completeness: Completeness,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.counts(), self.completeness)
    }
}

impl Summary {
    /// Returns `250 items, 3 pages`.
    pub(crate) fn counts(&self) -> String {
        let counts = format!("{}, {}", counted(self.items, "item"), counted(self.pages, "page"));
        match self.repeats_at_most {
            0 => counts,
            repeats => format!("{counts}, at most {}", counted(repeats, "repeat")),
        }
    }
}

/// `1 row`, `2 rows`.
fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Whether a listing is complete.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", content = "reasons", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Completeness {
    /// The end was not reached yet.
    #[default]
    InProgress,
    /// The end was reached and no rows are known to be missing.
    Complete,
    /// The end was reached, but rows may be missing for these reasons.
    Uncertain(Vec<IncompleteReason>),
}

impl Completeness {
    /// Returns `true` if the listing is [`Complete`](Self::Complete).
    pub fn is_complete(&self) -> bool {
        *self == Self::Complete
    }
}

impl fmt::Display for Completeness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InProgress => f.write_str("in progress"),
            Self::Complete => f.write_str("complete"),
            Self::Uncertain(reasons) => {
                f.write_str("possibly incomplete: ")?;
                for (index, reason) in reasons.iter().enumerate() {
                    let separator = if index == 0 { "" } else { "; " };
                    write!(f, "{separator}{reason}")?;
                }
                Ok(())
            }
        }
    }
}

/// A reason why a listing may be incomplete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
#[non_exhaustive]
pub enum IncompleteReason {
    /// Records could not be decoded. Each was yielded as an error of kind `InvalidRecord`.
    Rejected {
        /// The number of records.
        rows: u64,
    },
    /// The provider reports more rows than were listed.
    CountMismatch {
        /// The provider's latest count.
        total: u64,
        /// The rows listed.
        listed: u64,
    },
    /// The provider's count changed between pages: accounts were created or removed during the listing.
    TotalChanged {
        /// The first count.
        from: u64,
        /// The latest count.
        to: u64,
    },
    /// The endpoint returns at most `cap` rows and returned that many: there may be more.
    Truncated {
        /// The maximum of the endpoint.
        cap: u64,
    },
    /// The order is not stable. Concurrent changes may have moved rows past a page boundary.
    UnstableOrder,
    /// It was not verified that each page begins where the previous one ended.
    ///
    /// Rows removed during the listing may have moved others past a page boundary.
    BoundariesUnverified,
}

impl fmt::Display for IncompleteReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected { rows } => write!(f, "{} could not be decoded", counted(*rows, "record")),
            Self::CountMismatch { total, listed } => {
                write!(f, "the provider reports {}, {listed} listed", counted(*total, "row"))
            }
            Self::TotalChanged { from, to } => {
                write!(f, "the provider's count changed from {from} to {to} during the listing")
            }
            Self::Truncated { cap } => {
                write!(f, "the endpoint returned its maximum of {}", counted(*cap, "row"))
            }
            Self::BoundariesUnverified => f.write_str("page boundaries not verified"),
            Self::UnstableOrder => f.write_str("the order of the pages is not stable under changes"),
        }
    }
}

/// The counts of a [`Summary`], as checkpoints store them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Counters {
    pub(super) pages: u64,
    pub(super) items: u64,
    pub(super) rejected: u64,
    repeats_at_most: u64,
    pub(super) duplicates: u64,
    first_total: Option<u64>,
    total: Option<u64>,
    total_changed: bool,
    reasons: Vec<IncompleteReason>,
}

impl Counters {
    pub(super) fn record_page<T, C>(&mut self, page: &Page<T, C>) {
        self.pages = self.pages.saturating_add(1);
        self.duplicates = self.duplicates.saturating_add(page.duplicates);
        self.total_changed |= page.total.is_some() && self.total.is_some() && page.total != self.total;
        self.total = page.total.or(self.total);
        self.first_total = self.first_total.or(self.total);
        for reason in &page.incomplete {
            if !self.reasons.contains(reason) {
                self.reasons.push(reason.clone());
            }
        }
    }

    /// Removes the last page, which is counted again when it is fetched again. The rows yielded and what the
    /// page showed of the listing remain.
    pub(super) fn rewind_page(self, before: &Self) -> Self {
        Self { pages: before.pages, duplicates: before.duplicates, ..self }
    }

    pub(super) fn record_item(&mut self) {
        self.items = self.items.saturating_add(1);
    }

    pub(super) fn record_rejected(&mut self) {
        self.rejected = self.rejected.saturating_add(1);
    }

    /// Records that `rows` that were yielded may be yielded again.
    pub(super) fn record_repeats(&mut self, rows: usize) {
        self.repeats_at_most = self.repeats_at_most.saturating_add(rows as u64);
    }

    pub(super) fn total(&self) -> Option<u64> {
        self.total
    }

    pub(super) fn rows(&self) -> u64 {
        self.items.saturating_add(self.rejected)
    }

    pub(super) fn summary(&self, finished: bool) -> Summary {
        let mut reasons = self.reasons.clone();
        if self.rejected > 0 {
            reasons.push(IncompleteReason::Rejected { rows: self.rejected });
        }
        if let (Some(from), Some(to)) = (self.first_total, self.total)
            && self.total_changed
        {
            reasons.push(IncompleteReason::TotalChanged { from, to });
        }
        if let Some(total) = self.total
            && self.rows() < total
        {
            reasons.push(IncompleteReason::CountMismatch { total, listed: self.rows() });
        }
        let completeness = match (finished, reasons.is_empty()) {
            (false, _) => Completeness::InProgress,
            (true, true) => Completeness::Complete,
            (true, false) => Completeness::Uncertain(reasons),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_is_one_line() {
        let mut counters = Counters { pages: 1, items: 1, ..Counters::default() };
        assert_eq!(counters.summary(true).to_string(), "1 item, 1 page; complete");
        assert_eq!(counters.summary(false).to_string(), "1 item, 1 page; in progress");
        counters.record_rejected();
        counters.record_repeats(2);
        counters.total = Some(9);
        assert_eq!(
            counters.summary(true).to_string(),
            "1 item, 1 page, at most 2 repeats; possibly incomplete: 1 record could not be decoded; \
             the provider reports 9 rows, 2 listed"
        );
    }

    #[test]
    fn completeness_serialises_with_reasons() {
        let json = |completeness| serde_json::to_string(&completeness).unwrap();
        assert_eq!(json(Completeness::Complete), r#"{"state":"complete"}"#);
        let uncertain = Completeness::Uncertain(vec![IncompleteReason::Truncated { cap: 1000 }]);
        assert_eq!(json(uncertain), r#"{"state":"uncertain","reasons":[{"reason":"truncated","cap":1000}]}"#);
    }
}
