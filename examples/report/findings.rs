//! What a reviewer should look at.

use std::collections::{BTreeMap, BTreeSet};

use headcount::{Account, AccountKind, AccountStatus, Inventory, Provider, SourceInventory};
use serde::Serialize;

use crate::{
    rows::{Names, Row, Status, Table, name},
    statuses::is_disabled,
    text,
};

/// The most accounts with the same e-mail address that are shown.
const MAX_ACCOUNTS_PER_EMAIL: usize = 10;

#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    id: &'static str,
    title: &'static str,
    /// What it means, in one sentence.
    meaning: &'static str,
    /// How it is decided from the fields of the inventory.
    criterion: &'static str,
    /// The number of accounts or addresses, or `None` if no source reports what is needed.
    count: Option<String>,
    /// The sources that do not report what is needed.
    not_reported_by: String,
    accounts: Option<Table<Row>>,
    emails: Option<Table<SharedEmail>>,
}

/// An e-mail address, and the accounts that have it.
#[derive(Debug, Serialize)]
struct SharedEmail {
    email: String,
    accounts: Vec<EmailUser>,
    more: usize,
}

#[derive(Debug, Serialize)]
struct EmailUser {
    source: String,
    name: Option<String>,
    id: String,
    status: Status,
}

/// A finding that is decided for each account alone.
struct Rule {
    id: &'static str,
    title: &'static str,
    meaning: &'static str,
    criterion: &'static str,
    is_reported: fn(&SourceInventory) -> bool,
    applies: fn(&Account) -> bool,
}

const RULES: [Rule; 4] = [
    Rule {
        id: "without-owner",
        title: "Uncorrelated: without an owner",
        meaning: "No person is known to be responsible for these accounts, so nobody would notice when they are no \
                  longer needed.",
        criterion: "The account has no owner: SailPoint has neither correlated it to an identity nor names an owner of a \
               machine account. SailPoint's flag uncorrelated is not used, because it is also set for some accounts \
               that have an identity.",
        is_reported: |source| is_known_or(source, &[Provider::SailPoint], |account| account.owner.is_some()),
        applies: |account| account.owner.is_none(),
    },
    Rule {
        id: "pending",
        title: "Pending",
        meaning: "These accounts were created but never activated, so an invitation or an approval may be forgotten.",
        criterion: "The status is pending. At Fortanix, that is a membership of the caller, which is not counted.",
        is_reported: |source| {
            is_known_or(source, &[Provider::Annature], |account| account.status == AccountStatus::Pending)
        },
        applies: |account| account.status == AccountStatus::Pending,
    },
    Rule {
        id: "disabled",
        title: "Disabled but still present",
        meaning: "These accounts cannot be used now but could be enabled again, and keep what they were granted.",
        criterion: "The status is disabled, suspended or closing. Where Fortanix reports no status of the account, it is that of \
               the caller's membership. Locked accounts are not counted, since a lock is temporary.",
        is_reported: |source| {
            is_known_or(
                source,
                &[Provider::Fortanix, Provider::Huawei, Provider::Annature, Provider::SailPoint],
                |account| account.status != AccountStatus::Unspecified,
            )
        },
        applies: |account| is_disabled(&account.status),
    },
    Rule {
        id: "machine",
        title: "Machine and system accounts",
        meaning: "These accounts are used by machines, or are logins on the provider itself, so no person leaves with them.",
        criterion: "The kind is machine_account or system_account, which SailPoint reports.",
        is_reported: |source| is_known_or(source, &[Provider::SailPoint], is_machine),
        applies: is_machine,
    },
];

fn is_machine(account: &Account) -> bool {
    matches!(account.kind, AccountKind::MachineAccount | AccountKind::SystemAccount)
}

/// Returns whether a source reports what is needed: its provider is one of `providers`, or is unknown here and has an
/// account that shows it.
fn is_known_or(source: &SourceInventory, providers: &[Provider], shows: fn(&Account) -> bool) -> bool {
    match source.report().source.provider() {
        provider @ (Provider::Fortanix | Provider::Huawei | Provider::Annature | Provider::SailPoint) => {
            providers.contains(provider)
        }
        _ => source.accounts().any(shows),
    }
}

/// Returns all findings.
pub(crate) fn findings(inventory: &Inventory, names: Names) -> Vec<Finding> {
    let rules = RULES.iter().map(|rule| rule.finding(inventory, names));
    rules.chain([same_email(inventory, names)]).collect()
}

impl Rule {
    fn finding(&self, inventory: &Inventory, names: Names) -> Finding {
        let (reported, other): (Vec<_>, Vec<_>) =
            inventory.sources().partition(|source| (self.is_reported)(source));
        let accounts: Vec<_> = reported
            .iter()
            .flat_map(|source| source.accounts().map(|account| (&source.report().source, account)))
            .filter(|(_, account)| (self.applies)(account))
            .collect();
        Finding {
            id: self.id,
            title: self.title,
            meaning: self.meaning,
            criterion: self.criterion,
            count: (!reported.is_empty()).then(|| counted(inventory, accounts.len())),
            not_reported_by: source_names(&other, names),
            accounts: Some(Table::new(&accounts, |(source, account)| Row::new(names.of(source), account))),
            emails: None,
        }
    }
}

/// Finds e-mail addresses whose accounts at different sources have different statuses.
fn same_email(inventory: &Inventory, names: Names) -> Finding {
    let has_emails = |source: &&SourceInventory| source.accounts().any(|account| email(account).is_some());
    let (reported, other): (Vec<_>, Vec<_>) = inventory.sources().partition(has_emails);
    let mut users = BTreeMap::<String, Vec<_>>::new();
    for source in &reported {
        for account in source.accounts().filter(|account| account.status != AccountStatus::Unspecified) {
            if let Some(email) = email(account) {
                users.entry(email).or_default().push((&source.report().source, account));
            }
        }
    }
    // With two sources and two statuses, some two accounts differ in both.
    users.retain(|_, users| {
        let sources: BTreeSet<_> = users.iter().map(|(source, _)| source).collect();
        sources.len() > 1 && users.iter().any(|(_, account)| account.status != users[0].1.status)
    });
    let shared: Vec<_> = users.into_iter().collect();
    let user = |(source, account): &(&headcount::Source, &Account)| EmailUser {
        source: names.of(source),
        name: name(account),
        id: text::visible(&account.id),
        status: Status::of(account),
    };
    Finding {
        id: "same-email",
        title: "Same e-mail address, different status",
        meaning: "One person seems to have different statuses at two providers, as after an incomplete offboarding.",
        criterion: "Accounts of different sources have the same e-mail address, in any case of letters, and different \
               statuses. Accounts without a reported status are left out. E-mail addresses are counted, not accounts.",
        count: (reported.len() > 1).then(|| counted(inventory, shared.len())),
        not_reported_by: source_names(&other, names),
        accounts: None,
        emails: Some(Table::new(&shared, |(email, users)| SharedEmail {
            email: text::visible(email),
            accounts: users.iter().take(MAX_ACCOUNTS_PER_EMAIL).map(user).collect(),
            more: users.len().saturating_sub(MAX_ACCOUNTS_PER_EMAIL),
        })),
    }
}

/// Returns the e-mail address for comparisons.
fn email(account: &Account) -> Option<String> {
    account.email.as_deref().map(|email| email.trim().to_lowercase()).filter(|email| !email.is_empty())
}

/// `12`, or `at least 12` if accounts may be missing.
fn counted(inventory: &Inventory, number: usize) -> String {
    let number = text::count(number);
    if inventory.is_complete() { number } else { format!("at least {number}") }
}

fn source_names(sources: &[&SourceInventory], names: Names) -> String {
    text::list(&sources.iter().map(|source| names.of(&source.report().source)).collect::<Vec<_>>())
}
