//! How each listing ended.

use headcount::{Completeness, Inventory, ListingReport, Provider, SourceInventory};
use serde::Serialize;

use crate::{rows::Names, text};

/// A verdict: its icon and colour, and what it is in words.
#[derive(Debug, Serialize)]
pub(crate) struct Verdict {
    /// `ok`, `warn` or `fail`.
    pub(crate) class: &'static str,
    pub(crate) label: String,
    pub(crate) reasons: Vec<String>,
}

/// A source.
#[derive(Debug, Serialize)]
pub(crate) struct Listing {
    #[serde(skip)]
    is_complete: bool,
    name: String,
    provider: String,
    verdict: Verdict,
    endpoint: Option<String>,
    filter: Option<String>,
    start: String,
    end: String,
    /// The counts and the duration, with their names.
    figures: Vec<(&'static str, String)>,
}

/// Returns the listings that are not complete, then the others.
pub(crate) fn listings(inventory: &Inventory, names: Names) -> Vec<Listing> {
    let mut listings: Vec<_> = inventory.sources().map(|source| Listing::new(source, names)).collect();
    listings.sort_by_key(|listing| listing.is_complete);
    listings
}

impl Listing {
    fn new(source: &SourceInventory, names: Names) -> Self {
        let report = source.report();
        let summary = &report.summary;
        let mut figures = vec![
            ("Accounts", text::count(source.accounts().len())),
            ("Rows received", text::count(summary.items)),
            ("Pages", text::count(summary.pages)),
            ("Rows rejected", text::count(summary.rejected)),
            ("Provider's total", summary.total.map_or_else(|| "not reported".into(), text::count)),
            ("Duration", report.ended_at.map_or_else(unknown, |end| text::duration(report.started_at, end))),
        ];
        for (name, number) in
            [("Repeated, at most", summary.repeats_at_most), ("Duplicates left out", summary.duplicates)]
        {
            if number > 0 {
                figures.push((name, text::count(number)));
            }
        }
        Self {
            is_complete: report.is_complete(),
            name: names.of(&report.source),
            provider: provider(report.source.provider()),
            verdict: verdict(report),
            endpoint: report.endpoint.as_deref().map(text::visible_long),
            filter: report.filter.as_deref().map(text::visible_long),
            start: text::instant(report.started_at),
            end: report.ended_at.map_or_else(unknown, text::instant),
            figures,
        }
    }
}

fn unknown() -> String {
    "unknown".into()
}

fn verdict(report: &ListingReport) -> Verdict {
    let (class, label, reasons) = match (&report.error, &report.summary.completeness) {
        (Some(error), _) => (
            "fail",
            "Failed",
            vec![format!("The listing ended with an error: {}", text::visible_long(error))],
        ),
        (None, Completeness::Complete) => ("ok", "Complete", Vec::new()),
        (None, Completeness::Uncertain(reasons)) => {
            let reasons = reasons.iter().map(|reason| capitalised(&reason.to_string())).collect();
            ("warn", "May be incomplete", reasons)
        }
        (None, _) => {
            let reason = "The listing had not ended when the inventory was written: it was running or was interrupted.";
            ("fail", "Not finished", vec![reason.to_owned()])
        }
    };
    Verdict { class, label: label.to_owned(), reasons }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), chars.as_str()))
}

/// Returns the name of a provider.
fn provider(provider: &Provider) -> String {
    match provider {
        Provider::Fortanix => "Fortanix Confidential Computing Manager".into(),
        Provider::Huawei => "Huawei Cloud Organizations".into(),
        Provider::Annature => "Annature".into(),
        Provider::SailPoint => "SailPoint Identity Security Cloud".into(),
        other => text::visible(other.as_str()),
    }
}
