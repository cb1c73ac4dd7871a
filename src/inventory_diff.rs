use std::{borrow::Cow, collections::BTreeSet};

use crate::{
    Account, Error, ErrorKind, Inventory, ListingReport, Result, Source, SourceInventory,
    chrono::{DateTime, SecondsFormat, Utc},
};

/// What changed between two inventories: see [`Inventory::diff`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InventoryDiff<'a> {
    /// The sources that both have, in the order of their names.
    pub sources: Vec<SourceDiff<'a>>,
    /// The sources that only the earlier inventory has. Their accounts are not compared.
    pub only_earlier: Vec<&'a Source>,
    /// The sources that only the later inventory has. Their accounts are not compared.
    pub only_later: Vec<&'a Source>,
}

/// What changed at one source: see [`SourceInventory::diff`]. Accounts are in the order of their ids.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SourceDiff<'a> {
    /// The source.
    pub source: &'a Source,
    /// The accounts that only the later inventory has.
    pub joined: Vec<&'a Account>,
    /// The accounts that only the earlier inventory has.
    pub left: Vec<&'a Account>,
    /// The accounts that differ.
    pub changed: Vec<AccountChange<'a>>,
}

/// An account that differs between two inventories.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AccountChange<'a> {
    /// The account in the earlier inventory.
    pub before: &'a Account,
    /// The account in the later inventory.
    pub after: &'a Account,
    /// The fields that differ.
    pub fields: Vec<FieldChange<'a>>,
}

/// A field of an [`Account`] that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldChange<'a> {
    /// The name of the field of [`Account`], or the name of one of its alternate ids.
    pub name: Cow<'a, str>,
    /// The earlier value as text.
    pub before: Option<Cow<'a, str>>,
    /// The later value as text.
    pub after: Option<Cow<'a, str>>,
}

impl InventoryDiff<'_> {
    /// Returns `true` if both inventories have the same sources with the same accounts.
    pub fn is_empty(&self) -> bool {
        self.only_earlier.is_empty()
            && self.only_later.is_empty()
            && self.sources.iter().all(SourceDiff::is_empty)
    }
}

impl SourceDiff<'_> {
    /// Returns `true` if no account joined, left or changed.
    pub fn is_empty(&self) -> bool {
        self.joined.is_empty() && self.left.is_empty() && self.changed.is_empty()
    }
}

impl Inventory {
    /// Compares this inventory with a later one.
    ///
    /// Accounts are the same if source and id are. [`modified_at`](Account::modified_at) and records are not compared,
    /// and neither is the order of roles.
    ///
    /// ```
    /// use headcount::{
    ///     Account, AccountKind, AccountStatus, Completeness, Inventory, ListingReport,
    ///     Provider, Source,
    /// };
    /// use headcount::SourceInventory;
    ///
    /// # fn main() -> headcount::Result<()> {
    /// let mut report =
    ///     ListingReport::start(Source::new("acme", "signing", Provider::Annature)?);
    /// report.summary.completeness = Completeness::Complete;
    /// let account = |id: &str, status: AccountStatus| {
    ///     let mut account = Account::new(Provider::Annature, AccountKind::User, id);
    ///     account.status = status;
    ///     account
    /// };
    /// let inventory = |accounts: Vec<Account>| -> Inventory {
    ///     [SourceInventory::new(report.clone(), accounts)].into_iter().collect()
    /// };
    /// let earlier = inventory(vec![
    ///     account("ada", AccountStatus::Active),
    ///     account("bob", AccountStatus::Active),
    /// ]);
    /// let later = inventory(vec![
    ///     account("ada", AccountStatus::Disabled),
    ///     account("eve", AccountStatus::Active),
    /// ]);
    ///
    /// let diff = earlier.diff(&later)?;
    /// let signing = &diff.sources[0];
    /// assert_eq!(signing.joined[0].id, "eve");
    /// assert_eq!(signing.left[0].id, "bob");
    /// assert_eq!(signing.changed[0].after.id, "ada");
    /// assert_eq!(signing.changed[0].fields[0].name, "status");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Fails as [`SourceInventory::diff`] does. Fails with [`ErrorKind::Config`] if there is no source that both
    /// have.
    pub fn diff<'a>(&'a self, later: &'a Self) -> Result<InventoryDiff<'a>> {
        self.diff_with(later, SourceInventory::diff)
    }

    /// Compares this inventory with a later one, complete or not.
    ///
    /// An account that an incomplete listing missed seems to have joined or left.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::Config`] if there is no source that both have.
    pub fn diff_unchecked<'a>(&'a self, later: &'a Self) -> Result<InventoryDiff<'a>> {
        self.diff_with(later, |earlier, later| Ok(earlier.diff_unchecked(later)))
    }

    fn diff_with<'a>(
        &'a self,
        later: &'a Self,
        diff: impl Fn(&'a SourceInventory, &'a SourceInventory) -> Result<SourceDiff<'a>>,
    ) -> Result<InventoryDiff<'a>> {
        let (both, only_earlier): (Vec<_>, Vec<_>) =
            self.sources().partition(|earlier| later.get(&earlier.report().source).is_some());
        let only_later = later.sources().filter(|later| self.get(&later.report().source).is_none());
        let pairs =
            both.into_iter().filter_map(|earlier| Some((earlier, later.get(&earlier.report().source)?)));
        let sources = pairs.map(|(earlier, later)| diff(earlier, later)).collect::<Result<Vec<_>>>()?;
        if sources.is_empty() {
            let message =
                "the inventories have no source in common; expected two of the same tenant and sources";
            return Err(Error::new(ErrorKind::Config, message));
        }
        let name = |source: &'a SourceInventory| &source.report().source;
        Ok(InventoryDiff {
            sources,
            only_earlier: only_earlier.into_iter().map(name).collect(),
            only_later: only_later.map(name).collect(),
        })
    }
}

impl SourceInventory {
    /// Compares this inventory with a later one of the same source.
    ///
    /// Credentials are not compared, and an endpoint may show different accounts to each: give each credential a
    /// [`Source`] of its own.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::Incomplete`] if one of the listings is not complete: an account that it missed would
    /// seem to have joined or left. Fails with [`ErrorKind::Config`] if they are listings of different sources,
    /// endpoints or filters.
    pub fn diff<'a>(&'a self, later: &'a Self) -> Result<SourceDiff<'a>> {
        let (before, after) = (self.report(), later.report());
        for (which, report) in [("earlier", before), ("later", after)] {
            if !report.is_complete() {
                return Err(Error::new(
                    ErrorKind::Incomplete,
                    format!("the {which} listing is not complete: {report}"),
                ));
            }
        }
        let selected = |report: &'a ListingReport| (&report.source, &report.endpoint, &report.filter);
        if selected(before) != selected(after) {
            let [before, after] = [before, after].map(|report| {
                let text = |text: &'a Option<String>| text.as_deref().unwrap_or("none");
                format!("{}, {} with filter {}", report.source, text(&report.endpoint), text(&report.filter))
            });
            let message = format!(
                "the listings are not of the same accounts: the earlier is of {before}; the later of {after}"
            );
            return Err(Error::new(ErrorKind::Config, message));
        }
        Ok(self.diff_unchecked(later))
    }

    /// Compares this inventory with a later one, complete or not.
    ///
    /// An account that an incomplete listing missed seems to have joined or left.
    pub fn diff_unchecked<'a>(&'a self, later: &'a Self) -> SourceDiff<'a> {
        let is_missing = |other: &'a Self| move |account: &&Account| other.get(&account.id).is_none();
        let changed = self.accounts().filter_map(|before| {
            let after = later.get(&before.id)?;
            let fields = field_changes(before, after);
            (!fields.is_empty()).then_some(AccountChange { before, after, fields })
        });
        SourceDiff {
            source: &self.report().source,
            joined: later.accounts().filter(is_missing(self)).collect(),
            left: self.accounts().filter(is_missing(later)).collect(),
            changed: changed.collect(),
        }
    }
}

type Text<'a> = Option<Cow<'a, str>>;
type Getter = fn(&Account) -> Text<'_>;

/// Compares all fields but the provider and id, which are the same, and `modified_at`.
fn field_changes<'a>(before: &'a Account, after: &'a Account) -> Vec<FieldChange<'a>> {
    let single = |(name, of): (&'a str, Getter)| {
        let (before, after) = (of(before), of(after));
        (before != after).then(|| FieldChange { name: name.into(), before, after })
    };
    let listed = |name: &'a str, mut before: Vec<&'a str>, mut after: Vec<&'a str>| {
        before.sort_unstable();
        after.sort_unstable();
        let text = |values: &[&str]| (!values.is_empty()).then(|| values.join(", ").into());
        (before != after).then(|| FieldChange {
            name: name.into(),
            before: text(&before),
            after: text(&after),
        })
    };
    let roles = |account: &'a Account| account.roles.iter().map(String::as_str).collect();
    let values = |account: &'a Account, name: &str| {
        let ids = account.alternate_ids.iter().filter(|id| id.name == name);
        ids.map(|id| id.value.as_str()).collect()
    };
    let id_names: BTreeSet<&str> =
        before.alternate_ids.iter().chain(&after.alternate_ids).map(|id| &*id.name).collect();
    let ids = id_names.into_iter().map(|name| listed(name, values(before, name), values(after, name)));
    let fields = FIELDS.into_iter().map(single);
    fields.chain([listed("roles", roles(before), roles(after))]).chain(ids).flatten().collect()
}

/// The fields that have one value, and that as text.
const FIELDS: [(&str, Getter); 10] = [
    ("kind", |account| Some(account.kind.as_str().into())),
    ("name", |account| account.name.as_deref().map(Into::into)),
    ("email", |account| account.email.as_deref().map(Into::into)),
    ("status", |account| Some(account.status.as_str().into())),
    ("raw_status", |account| account.raw_status.as_deref().map(Into::into)),
    ("created_at", |account| account.created_at.map(date)),
    ("joined_at", |account| account.joined_at.map(date)),
    ("parent_id", |account| account.parent_id.as_deref().map(Into::into)),
    ("owner.id", |account| account.owner.as_ref()?.id.as_deref().map(Into::into)),
    ("owner.name", |account| account.owner.as_ref()?.name.as_deref().map(Into::into)),
];

fn date(date: DateTime<Utc>) -> Cow<'static, str> {
    date.to_rfc3339_opts(SecondsFormat::AutoSi, true).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AccountKind, AccountOwner, AccountStatus, AlternateId, Completeness, Provider};

    fn account(id: &str) -> Account {
        Account::new(Provider::Huawei, AccountKind::CloudAccount, id)
    }

    fn complete(name: &str) -> ListingReport {
        let mut report = ListingReport::start(Source::new("acme", name, Provider::Huawei).unwrap());
        report.summary.completeness = Completeness::Complete;
        report
    }

    fn inventory(sources: impl IntoIterator<Item = (ListingReport, Vec<Account>)>) -> Inventory {
        sources.into_iter().map(|(report, accounts)| SourceInventory::new(report, accounts)).collect()
    }

    #[test]
    fn every_field_but_modified_at_is_compared() {
        type Setter = fn(&mut Account);
        let before = account("a");
        let changes: [(&str, Setter); 12] = [
            ("kind", |account| account.kind = AccountKind::Tenant),
            ("name", |account| account.name = Some("n".into())),
            ("email", |account| account.email = Some("e".into())),
            ("status", |account| account.status = AccountStatus::Locked),
            ("raw_status", |account| account.raw_status = Some("r".into())),
            ("created_at", |account| account.created_at = Some(DateTime::UNIX_EPOCH)),
            ("joined_at", |account| account.joined_at = Some(DateTime::UNIX_EPOCH)),
            ("parent_id", |account| account.parent_id = Some("p".into())),
            ("owner.id", |account| account.owner = Some(AccountOwner::new(Some("o".into()), None))),
            ("owner.name", |account| account.owner = Some(AccountOwner::new(None, Some("o".into())))),
            ("roles", |account| account.roles = vec!["r".into()]),
            ("urn", |account| account.alternate_ids = vec![AlternateId::new("urn", "u")]),
        ];
        for (name, change) in changes {
            let mut after = before.clone();
            change(&mut after);
            assert_ne!(before, after);
            for (before, after) in [(&before, &after), (&after, &before)] {
                let fields = field_changes(before, after);
                assert_eq!(fields.iter().map(|field| &*field.name).collect::<Vec<_>>(), [name]);
            }
        }
        let mut after = before.clone();
        after.modified_at = Some(DateTime::UNIX_EPOCH);
        assert!(field_changes(&before, &after).is_empty());
        // A field that is added to `Account` is compared, or named here.
        let json = serde_json::to_value(&before).unwrap();
        let compared = changes.map(|(name, _)| name.split('.').next().unwrap());
        let others = ["provider", "id", "modified_at", "alternate_ids"];
        for name in json.as_object().unwrap().keys() {
            assert!(compared.contains(&name.as_str()) || others.contains(&name.as_str()), "{name}");
        }
        let with_roles = |roles: [&str; 2]| {
            let mut account = before.clone();
            account.roles = roles.map(str::to_owned).to_vec();
            account
        };
        assert!(field_changes(&with_roles(["a", "b"]), &with_roles(["b", "a"])).is_empty());
        assert_eq!(field_changes(&with_roles(["a", "b, c"]), &with_roles(["a, b", "c"])).len(), 1);
        let mut twice = before.clone();
        twice.alternate_ids = vec![AlternateId::new("urn", "1"), AlternateId::new("urn", "2")];
        assert!(field_changes(&twice, &twice).is_empty());
    }

    #[test]
    fn incomplete_listings_are_refused_unless_unchecked() {
        let whole = || (complete("hr"), vec![account("a"), account("b")]);
        let earlier = inventory([whole()]);
        let mut failed = complete("hr");
        failed.error = Some("timeout".into());
        let mut uncertain = complete("hr");
        uncertain.summary.completeness = Completeness::Uncertain(Vec::new());
        let running = complete("hr").in_progress();
        for report in [failed, uncertain, running] {
            let part = inventory([(report, vec![account("a")])]);
            for (earlier, later, which) in [(&earlier, &part, "later"), (&part, &earlier, "earlier")] {
                let error = earlier.diff(later).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Incomplete);
                assert!(error.to_string().contains(which), "{error}");
            }
            assert_eq!(earlier.diff_unchecked(&part).unwrap().sources[0].left[0].id, "b");
        }
    }

    #[test]
    fn listings_of_other_accounts_are_refused() {
        let earlier = inventory([(complete("hr"), vec![account("a")])]);
        let mut named_none = complete("hr");
        named_none.filter = Some("none".into());
        assert!(earlier.diff(&inventory([(named_none, Vec::new())])).is_err());
        let mut filtered = complete("hr");
        filtered.filter = Some("active=true".into());
        let error = earlier.diff(&inventory([(filtered, Vec::new())])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("active=true"), "{error}");
        let other = inventory([(complete("cloud"), Vec::new())]);
        assert!(earlier.diff(&other).unwrap_err().to_string().contains("no source in common"));
        assert!(earlier.diff_unchecked(&other).is_err());
    }

    #[test]
    fn a_source_of_one_inventory_is_named_and_not_compared() {
        let earlier =
            inventory([(complete("hr"), vec![account("a")]), (complete("old"), vec![account("o")])]);
        let later = inventory([(complete("hr"), vec![account("a")]), (complete("new"), vec![account("n")])]);
        let diff = earlier.diff(&later).unwrap();
        assert!(diff.sources[0].is_empty() && !diff.is_empty());
        assert_eq!(diff.only_earlier.iter().map(|source| source.name()).collect::<Vec<_>>(), ["old"]);
        assert_eq!(diff.only_later.iter().map(|source| source.name()).collect::<Vec<_>>(), ["new"]);
    }
}
