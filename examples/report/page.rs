//! The whole report, and its template.

use std::collections::BTreeSet;

use headcount::Inventory;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use crate::{
    ages::Ages,
    changes::Changes,
    findings::{Finding, findings},
    listings::{Listing, Verdict, listings},
    rows::{MAX_ROWS, Names},
    statuses::Statuses,
    text,
};

const TEMPLATE: &str = include_str!("report.html");

#[derive(Debug, Serialize)]
pub(crate) struct Page {
    version: &'static str,
    max_rows: usize,
    simulated: bool,
    /// The tenant, or the number of tenants.
    tenant: String,
    tenant_count: usize,
    verdict: Verdict,
    accounts_total: String,
    source_count: String,
    listed: Option<Listed>,
    listings: Vec<Listing>,
    statuses: Statuses,
    changes: Option<Changes>,
    findings: Vec<Finding>,
    ages: Ages,
}

/// When the first listing started.
#[derive(Debug, Serialize)]
struct Listed {
    date: String,
    time: String,
    machine: String,
}

impl Page {
    pub(crate) fn new(earlier: Option<&Inventory>, later: &Inventory, simulated: bool) -> Self {
        let names = Names::new(later);
        let tenants: BTreeSet<_> = later.sources().map(|source| source.report().source.tenant()).collect();
        let accounts: usize = later.sources().map(|source| source.accounts().len()).sum();
        let at_least = if later.is_complete() { "" } else { "at least " };
        let listed = later.sources().map(|source| source.report().started_at).min();
        Self {
            version: env!("CARGO_PKG_VERSION"),
            max_rows: MAX_ROWS,
            simulated,
            tenant: match tenants.first() {
                Some(tenant) if tenants.len() == 1 => (*tenant).to_owned(),
                _ => text::counted(tenants.len(), "tenant"),
            },
            tenant_count: tenants.len(),
            verdict: verdict(later),
            accounts_total: format!("{at_least}{}", text::count(accounts)),
            source_count: text::counted(later.sources().len(), "source"),
            listed: listed.map(|at| Listed {
                date: text::date(at),
                time: text::time(at),
                machine: text::machine_readable(at),
            }),
            listings: listings(later, names),
            statuses: Statuses::new(later, names),
            changes: earlier.map(|earlier| Changes::new(earlier, later, names)),
            findings: findings(later, names),
            ages: Ages::new(later, names),
        }
    }

    /// Returns whether every listing is complete, and every source was compared.
    pub(crate) fn is_certain(&self) -> bool {
        self.verdict.class == "ok" && self.changes.as_ref().is_none_or(|changes| changes.unknown == 0)
    }

    /// Returns the outcome as one line.
    pub(crate) fn outcome(&self) -> String {
        let accounts = format!("accounts: {} of {}", self.accounts_total, self.source_count);
        let mut parts = vec![accounts, self.verdict.label.clone()];
        if let Some(changes) = &self.changes {
            if changes.compared > 0 {
                let [joined, left, changed] =
                    [&changes.joined.count, &changes.left.count, &changes.changed.count];
                parts.push(format!("{joined} joined, {left} left, {changed} changed"));
            }
            if changes.unknown > 0 {
                parts.push(format!("{} could not be compared", changes.unknown_text));
            }
        }
        parts.join("; ")
    }

    pub(crate) fn render(&self) -> Result<String, minijinja::Error> {
        let mut environment = Environment::new();
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.set_keep_trailing_newline(true);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        // HTML is escaped because of the name.
        environment.add_template("report.html", TEMPLATE)?;
        environment.get_template("report.html")?.render(self)
    }
}

fn verdict(inventory: &Inventory) -> Verdict {
    let total = inventory.sources().len();
    let complete = inventory.sources().filter(|source| source.report().is_complete()).count();
    let (class, label) = match total - complete {
        _ if total == 0 => ("fail", "No sources".to_owned()),
        0 => ("ok", "Complete".to_owned()),
        incomplete if incomplete == total && total == 1 => ("fail", "Not complete".to_owned()),
        incomplete => (
            "fail",
            format!("{} of {} not complete", text::count(incomplete), text::counted(total, "source")),
        ),
    };
    Verdict { class, label, reasons: Vec::new() }
}
