use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};

use crate::{Record, open_enum::open_enum};

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
    pub enum Kind {
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
    pub enum Status {
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
        Unstated = "unstated",
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
/// Serialises to a flat JSON object without the record.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Account {
    /// Where it comes from.
    pub provider: Provider,
    /// What the provider means by an account.
    pub kind: Kind,
    /// The provider's stable id. Unique within one listing; compare it together with `provider`.
    pub id: String,
    /// The display name.
    pub name: Option<String>,
    /// The e-mail address, where the provider's record has a member for it.
    pub email: Option<String>,
    /// What can be done with it.
    pub status: Status,
    /// What the provider says of its state, in its documented words.
    pub raw_status: Option<String>,
    /// When it was made, by the provider's clock.
    pub created_at: Option<DateTime<Utc>>,
    /// When it joined the organisation.
    pub joined_at: Option<DateTime<Utc>>,
    /// When it was last changed.
    pub modified_at: Option<DateTime<Utc>>,
    /// The id of what it belongs to: an organisation, a source.
    pub container: Option<String>,
    /// Its own roles, in the provider's words.
    pub roles: Vec<String>,
    /// Its other names within the provider. A map in JSON.
    #[serde(serialize_with = "as_map")]
    pub alternate_ids: Vec<AlternateId>,
    #[serde(skip)]
    record: Record,
}

/// Another name of an [`Account`] within its provider: a resource name, an id on the source system.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AlternateId {
    /// What sort of name, as the provider's member is called: `urn`, `nativeIdentity`, `uuid`.
    pub name: &'static str,
    /// The name itself.
    pub value: String,
}

impl Account {
    /// An account of which only this much is known; the caller fills in the rest.
    pub(crate) fn new(provider: Provider, kind: Kind, id: String, record: Record) -> Self {
        Self {
            provider,
            kind,
            id,
            name: None,
            email: None,
            status: Status::Unstated,
            raw_status: None,
            created_at: None,
            joined_at: None,
            modified_at: None,
            container: None,
            roles: Vec::new(),
            alternate_ids: Vec::new(),
            record,
        }
    }

    pub(crate) fn push_alternate_id(&mut self, name: &'static str, value: Option<String>) {
        self.alternate_ids.extend(value.map(|value| AlternateId { name, value }));
    }

    /// The provider's own record.
    pub fn record(&self) -> &Record {
        &self.record
    }
}

fn as_map<S: Serializer>(ids: &[AlternateId], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(ids.iter().map(|id| (id.name, &id.value)))
}
