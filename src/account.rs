use std::{borrow::Cow, fmt};

use chrono::{DateTime, Utc};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
};

use crate::{RawRecord, open_enum::open_enum};

open_enum! {
    /// Where an account comes from.
    pub enum Provider {
        /// Fortanix Confidential Computing Manager.
        Fortanix = "fortanix",
        /// Huawei Cloud Organizations.
        Huawei = "huawei",
        /// Annature.
        Annature = "annature",
        /// SailPoint Identity Security Cloud.
        SailPoint = "sailpoint",
    }
}

open_enum! {
    /// What the provider calls an account: a person's login and a cloud container are both called so.
    pub enum AccountKind {
        /// A tenant of a service, with members of its own (Fortanix).
        Tenant = "tenant",
        /// A cloud account: a container of resources and of a bill (Huawei Cloud).
        CloudAccount = "cloud_account",
        /// A person's login (Annature).
        User = "user",
        /// A login on a source system that the provider governs (SailPoint).
        SourceAccount = "source_account",
        /// A login on the provider itself (SailPoint's `systemAccount`).
        SystemAccount = "system_account",
    }
}

open_enum! {
    /// What can be done with an account, as far as its provider tells.
    pub enum AccountStatus {
        /// It can be used.
        Active = "active",
        /// It was made but not yet taken into use (an address to verify, an approval to give).
        Pending = "pending",
        /// It was switched off.
        Disabled = "disabled",
        /// It is shut for a while, such as after wrong passwords.
        Locked = "locked",
        /// The provider has suspended it.
        Suspended = "suspended",
        /// It is being closed.
        Closing = "closing",
        /// The provider does not say.
        Unspecified = "unspecified",
    }
}

/// An account at any provider: what a reader of a listing asks first.
///
/// Made from a provider's own record with [`From`], which keeps the whole record: nothing is lost on the
/// way here. [`record`](Self::record) gives it back, as JSON or as the typed record:
///
/// ```
/// # #[cfg(feature = "huawei")] {
/// # fn look(account: headcount::Account) -> headcount::Result<()> {
/// let typed: headcount::huawei::Account = account.record().parse()?;
/// # Ok(()) }
/// # }
/// ```
///
/// Serialises to a JSON object without the record, and reads back from it; what is read back has JSON's null for
/// a record. Two accounts are equal if all but their records is. So today's listing can be held against
/// yesterday's:
///
/// ```
/// use std::collections::BTreeMap;
/// use headcount::{Account, Provider};
///
/// // Lines of `list_accounts --format ndjson`; members that this crate does not write are not read.
/// fn read(lines: &str) -> serde_json::Result<BTreeMap<(Provider, String), Account>> {
///     let account = |line| {
///         let account: Account = serde_json::from_str(line)?;
///         Ok(((account.provider.clone(), account.id.clone()), account))
///     };
///     lines.lines().map(account).collect()
/// }
///
/// # fn main() -> serde_json::Result<()> {
/// let yesterday = read(
///     r#"{"provider":"annature","kind":"user","id":"a1","status":"active"}
///        {"provider":"annature","kind":"user","id":"b2","status":"active"}"#,
/// )?;
/// let today = read(
///     r#"{"provider":"annature","kind":"user","id":"b2","status":"disabled"}
///        {"provider":"huawei","kind":"cloud_account","id":"c3","status":"active"}"#,
/// )?;
/// let new: Vec<_> = today.keys().filter(|key| !yesterday.contains_key(key)).collect();
/// let gone: Vec<_> = yesterday.keys().filter(|key| !today.contains_key(key)).collect();
/// let changed = today.iter().filter(|(key, account)| yesterday.get(key).is_some_and(|then| then != *account));
/// assert_eq!(new, [&(Provider::Huawei, "c3".to_owned())]);
/// assert_eq!(gone, [&(Provider::Annature, "a1".to_owned())]);
/// assert_eq!(changed.map(|(_, account)| account.id.as_str()).collect::<Vec<_>>(), ["b2"]);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Account {
    /// Where it comes from.
    pub provider: Provider,
    /// What the provider means by an account.
    pub kind: AccountKind,
    /// The provider's stable id. Unique within one listing; compare it together with `provider`.
    pub id: String,
    /// The display name.
    pub name: Option<String>,
    /// The e-mail address, where the provider's record has a member for it.
    pub email: Option<String>,
    /// What can be done with it.
    pub status: AccountStatus,
    /// What the provider says of its state, in its documented words.
    pub raw_status: Option<Cow<'static, str>>,
    /// When it was made, by the provider's clock.
    pub created_at: Option<DateTime<Utc>>,
    /// When it joined the organisation.
    pub joined_at: Option<DateTime<Utc>>,
    /// When it was last changed.
    pub modified_at: Option<DateTime<Utc>>,
    /// The id of what it belongs to: an organisation, a source.
    pub parent_id: Option<String>,
    /// Whom it belongs to. Only SailPoint tells: it is the identity that the account is correlated to, or of a
    /// machine's account its `ownerIdentity`, as far as they are told. An Annature account is its owner's login and
    /// nothing else; Fortanix and Huawei know members and organizations, but no owners.
    pub owner: Option<AccountOwner>,
    /// Its own roles, in the provider's words.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Its other names within the provider. A map in JSON.
    #[serde(default, serialize_with = "as_map", deserialize_with = "from_map")]
    pub alternate_ids: Vec<AlternateId>,
    #[serde(skip, default = "RawRecord::empty")]
    record: RawRecord,
}

/// Whom an [`Account`] belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AccountOwner {
    /// The owner's id at the provider.
    pub id: Option<String>,
    /// The owner's name.
    pub name: Option<String>,
}

impl AccountOwner {
    /// The owner with this id and name.
    pub fn new(id: Option<String>, name: Option<String>) -> Self {
        Self { id, name }
    }
}

/// Another name of an [`Account`] within its provider: a resource name, an id on the source system.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AlternateId {
    /// What sort of name, as the provider's member is called: `urn`, `nativeIdentity`, `uuid`.
    pub name: Cow<'static, str>,
    /// The name itself.
    pub value: String,
}

impl AlternateId {
    /// The name `value`, of the sort `name`.
    pub fn new(name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

impl Account {
    /// An account of which only this much is known; the caller fills in the rest. Its record is JSON's null.
    ///
    /// For a [`Paginator`](crate::Paginator) of your own, and for tests. A provider that this crate does not know
    /// is `Provider::from("its name")`.
    pub fn new(provider: Provider, kind: AccountKind, id: impl Into<String>) -> Self {
        Self::of_record(provider, kind, id.into(), RawRecord::empty())
    }

    pub(crate) fn of_record(provider: Provider, kind: AccountKind, id: String, record: RawRecord) -> Self {
        Self {
            provider,
            kind,
            id,
            name: None,
            email: None,
            status: AccountStatus::Unspecified,
            raw_status: None,
            created_at: None,
            joined_at: None,
            modified_at: None,
            parent_id: None,
            owner: None,
            roles: Vec::new(),
            alternate_ids: Vec::new(),
            record,
        }
    }

    pub(crate) fn push_alternate_id(&mut self, name: &'static str, value: Option<String>) {
        self.alternate_ids.extend(value.map(|value| AlternateId::new(name, value)));
    }

    /// The provider's own record; JSON's null if the account was not made from one.
    pub fn record(&self) -> &RawRecord {
        &self.record
    }
}

impl PartialEq for Account {
    fn eq(&self, other: &Self) -> bool {
        let Self {
            provider,
            kind,
            id,
            name,
            email,
            status,
            raw_status,
            created_at,
            joined_at,
            modified_at,
            parent_id,
            owner,
            roles,
            alternate_ids,
            record: _,
        } = self;
        (provider, kind, id) == (&other.provider, &other.kind, &other.id)
            && (name, email) == (&other.name, &other.email)
            && (status, raw_status) == (&other.status, &other.raw_status)
            && (created_at, joined_at) == (&other.created_at, &other.joined_at)
            && (modified_at, parent_id) == (&other.modified_at, &other.parent_id)
            && (owner, roles, alternate_ids) == (&other.owner, &other.roles, &other.alternate_ids)
    }
}

impl Eq for Account {}

fn as_map<S: Serializer>(ids: &[AlternateId], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(ids.iter().map(|id| (&id.name, &id.value)))
}

fn from_map<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<AlternateId>, D::Error> {
    deserializer.deserialize_map(Ids)
}

/// Reads the members of a map in their order, as they were written.
struct Ids;

impl<'de> Visitor<'de> for Ids {
    type Value = Vec<AlternateId>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of names")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<AlternateId>, A::Error> {
        let mut ids = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, String>()? {
            ids.push(AlternateId::new(name, value));
        }
        Ok(ids)
    }
}
