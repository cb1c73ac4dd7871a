//! The accounts by the year in which they were created or joined.

use std::collections::BTreeMap;

use headcount::{
    Inventory,
    chrono::{Datelike as _, Utc},
};
use serde::Serialize;

use crate::{rows::Names, text};

/// The number of years that have a bar of their own.
const YEARS: i32 = 12;

#[derive(Debug, Serialize)]
pub(crate) struct Ages {
    bars: Vec<Bar>,
    undated: String,
    /// The number of accounts without a date by source, as a list.
    undated_by_source: String,
}

/// A bar. Its width is a percentage.
#[derive(Debug, Serialize)]
struct Bar {
    label: String,
    count: String,
    /// The label and the count as a sentence.
    description: String,
    width: String,
}

/// A bar's years, in the order of the bars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Years {
    Before(i32),
    Year(i32),
    After(i32),
}

impl Ages {
    pub(crate) fn new(inventory: &Inventory, names: Names) -> Self {
        let listed = inventory.sources().map(|source| source.report().started_at).max();
        let last = listed.unwrap_or(headcount::chrono::DateTime::<Utc>::UNIX_EPOCH).year();
        let mut counts = BTreeMap::new();
        let mut undated = Vec::new();
        let mut undated_total = 0;
        for source in inventory.sources() {
            let mut missing = 0_usize;
            for account in source.accounts() {
                match account.created_at.or(account.joined_at) {
                    Some(at) => *counts.entry(Years::of(at.year(), last)).or_insert(0_usize) += 1,
                    None => missing += 1,
                }
            }
            if missing > 0 {
                undated.push(format!("{} {}", names.of(&source.report().source), text::count(missing)));
            }
            undated_total += missing;
        }
        // Years without accounts have a bar, too, if they are between others.
        let years =
            counts.keys().filter_map(|years| if let Years::Year(year) = years { Some(*year) } else { None });
        if let (Some(first), Some(last)) = (years.clone().min(), years.max()) {
            for year in first..=last {
                counts.entry(Years::Year(year)).or_default();
            }
        }
        let longest = counts.values().copied().max().unwrap_or_default().max(1);
        let bar = |(years, count): (&Years, &usize)| Bar {
            label: years.label(),
            count: text::count(*count),
            description: format!("{}: {}", years.label(), text::counted(*count, "account")),
            width: text::percentage(*count, longest),
        };
        Self {
            bars: counts.iter().map(bar).collect(),
            undated: text::counted(undated_total, "account"),
            undated_by_source: text::list(&undated),
        }
    }
}

impl Years {
    fn of(year: i32, last: i32) -> Self {
        match year {
            year if year > last => Self::After(last),
            year if year > last - YEARS => Self::Year(year),
            _ => Self::Before(last - YEARS + 1),
        }
    }

    fn label(self) -> String {
        match self {
            Self::Before(year) => format!("before {year}"),
            Self::Year(year) => year.to_string(),
            Self::After(year) => format!("after {year}"),
        }
    }
}
