//! The accounts of each source by status.

use std::collections::BTreeMap;

use headcount::{AccountStatus, Inventory};
use serde::Serialize;

use crate::{
    rows::{Names, class},
    text,
};

/// The classes of [`class`] in the order of the bars, and their names.
const STATUSES: [(&str, &str); 8] = [
    ("active", "active"),
    ("pending", "pending"),
    ("locked", "locked"),
    ("suspended", "suspended"),
    ("disabled", "disabled"),
    ("closing", "closing"),
    ("other", "other"),
    ("unspecified", "not reported"),
];

#[derive(Debug, Serialize)]
pub(crate) struct Statuses {
    /// The class and name of each status that occurs.
    legend: Vec<(&'static str, &'static str)>,
    sources: Vec<SourceStatuses>,
    /// The accounts of all sources, by the statuses of the legend.
    totals: Vec<String>,
    total: String,
}

#[derive(Debug, Serialize)]
struct SourceStatuses {
    name: String,
    total: String,
    /// The counts in the order of the legend.
    counts: Vec<String>,
    segments: Vec<Segment>,
    /// The counts as a sentence.
    description: String,
}

/// A part of a bar. Its place and width are percentages.
#[derive(Debug, Serialize)]
struct Segment {
    class: &'static str,
    title: String,
    x: String,
    width: String,
}

impl Statuses {
    pub(crate) fn new(inventory: &Inventory, names: Names) -> Self {
        let counts: Vec<_> = inventory
            .sources()
            .map(|source| {
                let mut counts = BTreeMap::<&str, usize>::new();
                for account in source.accounts() {
                    *counts.entry(class(&account.status)).or_default() += 1;
                }
                (names.of(&source.report().source), counts)
            })
            .collect();
        let sum = |class: &str| counts.iter().filter_map(|(_, counts)| counts.get(class)).sum::<usize>();
        let legend: Vec<_> = STATUSES.into_iter().filter(|(class, _)| sum(class) > 0).collect();
        Self {
            totals: legend.iter().map(|(class, _)| text::count(sum(class))).collect(),
            total: text::count(inventory.sources().map(|source| source.accounts().len()).sum::<usize>()),
            sources: counts.iter().map(|(name, counts)| SourceStatuses::new(name, counts, &legend)).collect(),
            legend,
        }
    }
}

impl SourceStatuses {
    fn new(name: &str, counts: &BTreeMap<&str, usize>, legend: &[(&'static str, &'static str)]) -> Self {
        let total: usize = counts.values().sum();
        let count = |class: &str| counts.get(class).copied().unwrap_or_default();
        let mut segments = Vec::new();
        let mut before = 0;
        for (class, label) in legend.iter().filter(|(class, _)| count(class) > 0) {
            let (x, width) = (text::percentage(before, total), text::percentage(count(class), total));
            before += count(class);
            segments.push(Segment {
                class,
                title: format!("{label}: {}", text::count(count(class))),
                x,
                width,
            });
        }
        let parts: Vec<_> = legend
            .iter()
            .filter(|(class, _)| count(class) > 0)
            .map(|(class, label)| format!("{} {label}", text::count(count(class))))
            .collect();
        let description = if parts.is_empty() { "no accounts".to_owned() } else { text::list(&parts) };
        Self {
            name: name.to_owned(),
            total: text::count(total),
            counts: legend.iter().map(|(class, _)| text::count(count(class))).collect(),
            segments,
            description: format!("{name}: {description}"),
        }
    }
}

/// Returns whether the provider reports the status of an account as one that cannot be used.
pub(crate) fn is_disabled(status: &AccountStatus) -> bool {
    matches!(status, AccountStatus::Disabled | AccountStatus::Suspended | AccountStatus::Closing)
}
