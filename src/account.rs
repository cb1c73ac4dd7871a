use std::{borrow::Cow, fmt};

use chrono::{DateTime, Utc};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
};

use crate::{RawRecord, open_enum::open_enum};

open_enum! {
    /// A provider.
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
    /// What the provider calls an account. Providers use the word for logins of persons and for cloud
    /// tenants.
    pub enum AccountKind {
        /// A tenant of a service, with its own members (Fortanix).
        Tenant = "tenant",
        /// A cloud account, which owns resources and is billed (Huawei Cloud).
        CloudAccount = "cloud_account",
        /// The login of a person (Annature).
        User = "user",
        /// A login on a source system that the provider governs (SailPoint).
        SourceAccount = "source_account",
        /// A login of a machine on a source system, such as a service or a bot (SailPoint `isMachine`).
        MachineAccount = "machine_account",
        /// A login on the provider itself (SailPoint `systemAccount`).
        SystemAccount = "system_account",
    }
}

open_enum! {
    /// The status of an account, as far as its provider reports it.
    pub enum AccountStatus {
        /// The account can be used.
        Active = "active",
        /// The account was created but not activated: an address to verify, an approval to give.
        Pending = "pending",
        /// The account was disabled.
        Disabled = "disabled",
        /// The account is locked temporarily, such as after wrong passwords.
        Locked = "locked",
        /// The provider has suspended the account.
        Suspended = "suspended",
        /// The account is being closed.
        Closing = "closing",
        /// The provider does not report a status.
        Unspecified = "unspecified",
    }
}

/// An account of any provider, with the fields that providers have in common.
///
/// It converts [`From`] a provider's record and keeps that record, so that nothing is lost.
/// [`record`](Self::record) returns it, as JSON or as the typed record:
///
/// ```
/// # #[cfg(feature = "huawei")] {
/// # fn parse(account: headcount::Account) -> headcount::Result<()> {
/// let typed: headcount::huawei::Account = account.record().parse()?;
/// # Ok(()) }
/// # }
/// ```
///
/// It serialises to a JSON object without the record. A deserialised account has `null` for a record.
/// Accounts compare equal if all fields but their records are equal. To compare today's accounts with yesterday's, see
/// [`Inventory::diff`](crate::Inventory::diff), which refuses listings that are not complete.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Account {
    /// The provider.
    pub provider: Provider,
    /// What the provider calls an account.
    pub kind: AccountKind,
    /// The provider's stable id. Unique within one listing: compare it together with `provider`.
    pub id: String,
    /// The display name.
    pub name: Option<String>,
    /// The e-mail address, if the provider's record has a member for it.
    ///
    /// Fortanix reports none. Huawei reports it with `with_register_contact_info`. SailPoint has no such member, but
    /// the `attributes` of an account may: its lists read the attributes that `ListAccounts::email_attribute` names.
    pub email: Option<String>,
    /// The status.
    pub status: AccountStatus,
    /// The status in the words of the provider.
    pub raw_status: Option<Cow<'static, str>>,
    /// When the account was created, by the provider's clock.
    pub created_at: Option<DateTime<Utc>>,
    /// When the account joined the organisation.
    pub joined_at: Option<DateTime<Utc>>,
    /// When the account was last changed.
    pub modified_at: Option<DateTime<Utc>>,
    /// The id of the organisation or source that the account belongs to.
    pub parent_id: Option<String>,
    /// The owner, if the provider reports one (SailPoint only).
    ///
    /// It is the identity that the account is correlated to, or the `ownerIdentity` of a machine account.
    /// Fortanix and Huawei report members and organizations, but no owners. An Annature account is the login
    /// of its owner.
    pub owner: Option<AccountOwner>,
    /// The roles of the account, in the words of the provider.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Other names of the account at the provider. A map in JSON.
    #[serde(default, serialize_with = "as_map", deserialize_with = "from_map")]
    pub alternate_ids: Vec<AlternateId>,
    #[serde(skip, default = "RawRecord::empty")]
    record: RawRecord,
}

/// The owner of an [`Account`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AccountOwner {
    /// The owner's id at the provider.
    pub id: Option<String>,
    /// The owner's name.
    pub name: Option<String>,
}

impl AccountOwner {
    /// Creates an owner.
    pub fn new(id: Option<String>, name: Option<String>) -> Self {
        Self { id, name }
    }
}

/// Another name of an [`Account`] at its provider, such as a resource name or the id on the source system.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct AlternateId {
    /// The name of the provider's member: `urn`, `nativeIdentity`, `uuid`.
    pub name: Cow<'static, str>,
    /// The value of the member.
    pub value: String,
}

impl AlternateId {
    /// Creates an alternate id.
    pub fn new(name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

impl Account {
    /// Creates an account whose other fields are empty and whose record is `null`.
    ///
    /// For a [`Paginator`](crate::Paginator) of your own, and for tests. Another provider is
    /// `Provider::from("its name")`.
    pub fn new(provider: Provider, kind: AccountKind, id: impl Into<String>) -> Self {
        Self::from_record(provider, kind, id.into(), RawRecord::empty())
    }

    pub(crate) fn from_record(provider: Provider, kind: AccountKind, id: String, record: RawRecord) -> Self {
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

    /// Returns the provider's record, or `null` if the account was not converted from one.
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

/// Deserialises the members of a map in their order.
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
