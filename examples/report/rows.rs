//! The rows of tables of accounts.

use headcount::{Account, AccountStatus, Inventory, Source};
use serde::Serialize;

use crate::text;

/// The most rows of a table. What is not shown is counted.
pub(crate) const MAX_ROWS: usize = 200;

/// How sources are named in one report: without the tenant, if all sources have the same one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names {
    one_tenant: bool,
}

impl Names {
    pub(crate) fn new(inventory: &Inventory) -> Self {
        let mut tenants = inventory.sources().map(|source| source.report().source.tenant());
        let first = tenants.next();
        Self { one_tenant: tenants.all(|tenant| Some(tenant) == first) }
    }

    pub(crate) fn of(self, source: &Source) -> String {
        if self.one_tenant { source.name().to_owned() } else { source.to_string() }
    }
}

/// A table of which at most [`MAX_ROWS`] rows are shown.
#[derive(Debug, Serialize)]
pub(crate) struct Table<T> {
    rows: Vec<T>,
    /// The number of all rows.
    pub(crate) count: String,
    /// The number of rows that are not shown, if there are any.
    more: Option<String>,
}

impl<T> Table<T> {
    pub(crate) fn new<R>(rows: &[R], row: impl FnMut(&R) -> T) -> Self {
        let more = rows.len().saturating_sub(MAX_ROWS);
        Self {
            rows: rows.iter().take(MAX_ROWS).map(row).collect(),
            count: text::count(rows.len()),
            more: (more > 0).then(|| text::count(more)),
        }
    }
}

/// An account.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    source: String,
    name: Option<String>,
    id: String,
    email: Option<String>,
    status: Status,
    date: Option<String>,
}

impl Row {
    pub(crate) fn new(source: String, account: &Account) -> Self {
        Self {
            source,
            name: name(account),
            id: text::visible(&account.id),
            email: account.email.as_deref().map(text::visible),
            status: Status::of(account),
            date: account.created_at.or(account.joined_at).map(text::date),
        }
    }
}

/// Returns the name of an account, if it is not blank.
pub(crate) fn name(account: &Account) -> Option<String> {
    account.name.as_deref().filter(|name| !name.trim().is_empty()).map(text::visible)
}

/// The status of an account, and its words at the provider if they say more.
#[derive(Debug, Serialize)]
pub(crate) struct Status {
    class: &'static str,
    label: String,
    raw: Option<String>,
}

impl Status {
    pub(crate) fn of(account: &Account) -> Self {
        let label = match &account.status {
            AccountStatus::Unspecified => "not reported".to_owned(),
            status => text::visible(status.as_str()),
        };
        let raw = account.raw_status.as_deref().map(text::visible);
        let raw = raw.filter(|raw| !raw.eq_ignore_ascii_case(&label));
        Self { class: class(&account.status), label, raw }
    }
}

/// Returns the name of a status in the style sheet.
pub(crate) fn class(status: &AccountStatus) -> &'static str {
    match status {
        AccountStatus::Active => "active",
        AccountStatus::Pending => "pending",
        AccountStatus::Disabled => "disabled",
        AccountStatus::Locked => "locked",
        AccountStatus::Suspended => "suspended",
        AccountStatus::Closing => "closing",
        AccountStatus::Unspecified => "unspecified",
        _ => "other",
    }
}
