use std::fmt;

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Map, Value, value::RawValue};

use crate::{
    AccountKind, AccountOwner, AccountStatus, Provider, Result, Timestamp, open_enum::open_enum,
    record::record,
};

record! {
    id = id;

    /// An account on a source, in either level of detail and any version of the API.
    ///
    /// Only `id` is certain to be there: `SLIM` leaves out members that the schema calls required, and others
    /// are null in the wild. What is not in the schema is in [`raw`](Self::raw).
    ///
    /// Sources put anything into [`attributes`](Self::attributes), passwords in clear text among it. `Debug` hides
    /// them; `Serialize`, [`raw`](Self::raw) and [`record`](Self::record) have them whole, even
    /// [`redacted`](crate::RawRecord::redacted).
    #[serde(rename_all = "camelCase")]
    pub struct Account {
        /// The id. The schema calls it optional; a row without one is a bad row.
        #[serde(deserialize_with = "crate::record::id")]
        pub id: String,
        /// The name.
        pub name: Option<String>,
        /// When it was made.
        pub created: Option<Timestamp>,
        /// When it was last changed.
        pub modified: Option<Timestamp>,
        /// The source it is on.
        pub source_id: Option<String>,
        /// The source's name.
        pub source_name: Option<String>,
        /// The identity it is correlated to.
        pub identity_id: Option<String>,
        /// The identity it is correlated to, with its name.
        pub identity: Option<Reference>,
        /// The owner of the source.
        pub source_owner: Option<Reference>,
        /// The owner of the account; of machine accounts only.
        pub owner_identity: Option<Reference>,
        /// The owning group; of machine accounts, in 2024 only.
        pub owner_group: Option<Reference>,
        /// The lifecycle state of the identity, as `active`.
        pub cloud_lifecycle_state: Option<String>,
        /// The state of the identity, as `ACTIVE`.
        pub identity_state: Option<String>,
        /// How the source is connected, as `direct`.
        pub connection_type: Option<String>,
        /// Whether it is a machine's account.
        pub is_machine: Option<bool>,
        /// What it is recommended to be classified as.
        pub recommendation: Option<Recommendation>,
        /// What was aggregated from the source.
        pub attributes: Option<Attributes>,
        /// Whether the source is authoritative.
        pub authoritative: Option<bool>,
        /// A description.
        pub description: Option<String>,
        /// Whether it is disabled.
        pub disabled: Option<bool>,
        /// Whether it is locked.
        pub locked: Option<bool>,
        /// Its id on the source system.
        pub native_identity: Option<String>,
        /// Whether it is a user account of the provider itself rather than of a source.
        pub system_account: Option<bool>,
        /// Whether it is correlated to no identity.
        pub uncorrelated: Option<bool>,
        /// Its id by the account schema: text, often in braces, and no UUID.
        pub uuid: Option<String>,
        /// Whether it was correlated by hand.
        pub manually_correlated: Option<bool>,
        /// Whether it has entitlements.
        pub has_entitlements: Option<bool>,
        /// The features of its source: see [`features`](Self::features).
        pub features: Option<String>,
        /// Where it comes from.
        pub origin: Option<Origin>,
        /// A type, in 2024 only.
        #[serde(rename = "type")]
        pub account_type: Option<String>,
    }
}

open_enum! {
    /// Where an account comes from.
    pub enum Origin {
        /// Found on the source.
        Aggregated = "AGGREGATED",
        /// Made by the provider.
        Provisioned = "PROVISIONED",
    }
}

impl Account {
    /// The features of its source, one by one.
    pub fn features(&self) -> impl Iterator<Item = &str> {
        self.features.iter().flat_map(|text| text.split(',')).map(str::trim).filter(|text| !text.is_empty())
    }

    /// An attribute as text: what holds an e-mail address, a department and so on differs by source.
    pub fn attribute(&self, name: &str) -> Option<String> {
        self.attributes.as_ref()?.get(name)
    }
}

/// Takes the identity that an account is correlated to; of a machine's account, its owner. `uncorrelated` is not
/// looked at: it is true of some that have an identity.
fn take_owner(account: &mut Account) -> Option<AccountOwner> {
    let mut identity = account.identity.take().unwrap_or_default();
    identity.id = identity.id.or_else(|| account.identity_id.take());
    let correlated = identity.into_owner();
    let stated = account.owner_identity.take().and_then(Reference::into_owner);
    if account.is_machine == Some(true) { stated.or(correlated) } else { correlated.or(stated) }
}

impl From<Account> for crate::Account {
    fn from(mut account: Account) -> Self {
        let owner = take_owner(&mut account);
        let kind = if account.system_account == Some(true) {
            AccountKind::SystemAccount
        } else {
            AccountKind::SourceAccount
        };
        let mut shared = Self::of_record(Provider::SailPoint, kind, account.id, account.record);
        shared.name = account.name.or_else(|| account.native_identity.clone());
        (shared.status, shared.raw_status) = match (account.disabled, account.locked) {
            (Some(true), _) => (AccountStatus::Disabled, Some("disabled".into())),
            (_, Some(true)) => (AccountStatus::Locked, Some("locked".into())),
            (None, None) => (AccountStatus::Unspecified, None),
            _ => (AccountStatus::Active, None),
        };
        shared.created_at = account.created.and_then(|date| date.utc());
        shared.modified_at = account.modified.and_then(|date| date.utc());
        shared.parent_id = account.source_id;
        shared.owner = owner;
        shared.push_alternate_id("nativeIdentity", account.native_identity);
        shared.push_alternate_id("uuid", account.uuid);
        shared
    }
}

/// What was aggregated from a source: members of any name and type, not decoded until asked for.
#[derive(Clone)]
pub struct Attributes(Box<RawValue>);

impl Attributes {
    /// The attribute `name` as a `T`; `None` if it is absent or of another type.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_value(self.to_map().remove(name)?).ok()
    }

    /// All attributes. Empty if what came is no object.
    pub fn to_map(&self) -> Map<String, Value> {
        serde_json::from_str(self.0.get()).unwrap_or_default()
    }

    /// The JSON as it came.
    pub fn raw(&self) -> &str {
        self.0.get()
    }
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Self)
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Sources put anything here, passwords in clear text among it.
        write!(f, "Attributes({} bytes)", self.0.get().len())
    }
}

/// A reference to another object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Reference {
    /// What sort of object, as `IDENTITY`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Its id.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
}

impl Reference {
    /// The object as an owner; `None` if nothing of it is told.
    pub(super) fn into_owner(self) -> Option<AccountOwner> {
        (self.id.is_some() || self.name.is_some()).then(|| AccountOwner::new(self.id, self.name))
    }
}

/// A recommendation to classify an account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Recommendation {
    /// As what.
    #[serde(rename = "type")]
    pub kind: Option<RecommendationType>,
    /// On what grounds.
    pub method: Option<RecommendationMethod>,
}

open_enum! {
    /// What an account is recommended to be classified as.
    pub enum RecommendationType {
        /// A person's.
        Human = "HUMAN",
        /// A machine's.
        Machine = "MACHINE",
        /// An AI agent's.
        Agent = "AGENT",
    }
}

open_enum! {
    /// How a recommendation came about.
    pub enum RecommendationMethod {
        /// Suggested by AI.
        Discovery = "DISCOVERY",
        /// The source is flagged as one of machine accounts.
        Source = "SOURCE",
        /// The account meets the criteria of a classification.
        Criteria = "CRITERIA",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The beta reference's example of full detail.
    const BETA_FULL: &str = r#"{"attributes":null,"authoritative":true,"created":"2021-09-28T02:15:44.644Z",
        "description":null,"disabled":false,"features":"PROVISIONING, GROUP_PROVISIONING, SYNC_PROVISIONING",
        "hasEntitlements":true,"id":"2c9180867c184ff6017c2a2fbf031667",
        "identityId":"2c9180867c184ff6017c2a2fbf031666","locked":false,"manuallyCorrelated":false,
        "modified":"2021-09-28T02:16:12.207Z","name":"Geovanni.0a7cad6df",
        "nativeIdentity":"CN=Geovanni 0a7cad6df,OU=hpun,DC=local",
        "sourceId":"2c91808b7c28b350017c2a2ec5790aa1","systemAccount":false,"uncorrelated":false,
        "uuid":"{e4218fa4-da52-4bb0-aa41-d2dcc08a7ad8}"}"#;

    /// The current reference's, with a value for every member of the schema.
    const FULL: &str = r#"{"id":"id12345","name":"aName","created":"2015-05-28T14:07:17Z",
        "modified":"2015-05-28T14:07:18Z","sourceId":"2c9180835d2e5168015d32f890ca1581",
        "sourceName":"Employees","identityId":"2c9180835d2e5168015d32f890ca1582",
        "cloudLifecycleState":"active","identityState":"ACTIVE","connectionType":"direct","isMachine":true,
        "recommendation":{"type":"AGENT","method":"DISCOVERY"},
        "attributes":{"firstName":"SailPoint","groups":["a","b"],"passwordLastSet":1614901945829,"nothing":null},
        "authoritative":false,"description":"d","disabled":true,"locked":true,"nativeIdentity":"552775",
        "systemAccount":true,"uncorrelated":true,"uuid":"{b0dce506-d6d4-44d2-8a32-d9a5b21fb175}",
        "manuallyCorrelated":true,"hasEntitlements":false,
        "identity":{"id":"i1","type":"IDENTITY","name":"John Doe"},
        "sourceOwner":{"id":"o1","type":"IDENTITY","name":"Adam Kennedy"},"features":"ENABLE",
        "origin":"AGGREGATED","ownerIdentity":{"type":"IDENTITY","id":"w1","name":"Eve"}}"#;

    fn read(json: &str) -> Account {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_current_references_example_decodes_to_every_field() {
        let account = read(FULL);
        assert_eq!(account.source_name.as_deref(), Some("Employees"));
        assert_eq!(account.identity_id.as_deref(), Some("2c9180835d2e5168015d32f890ca1582"));
        assert_eq!(account.cloud_lifecycle_state.as_deref(), Some("active"));
        assert_eq!(account.identity_state.as_deref(), Some("ACTIVE"));
        assert_eq!(account.connection_type.as_deref(), Some("direct"));
        assert_eq!(account.is_machine, Some(true));
        let recommendation = account.recommendation.as_ref().unwrap();
        assert_eq!(recommendation.kind, Some(RecommendationType::Agent));
        assert_eq!(recommendation.method, Some(RecommendationMethod::Discovery));
        assert_eq!((account.authoritative, account.system_account), (Some(false), Some(true)));
        assert_eq!((account.uncorrelated, account.manually_correlated), (Some(true), Some(true)));
        assert_eq!((account.has_entitlements, account.description.as_deref()), (Some(false), Some("d")));
        assert_eq!(account.identity.as_ref().unwrap().name.as_deref(), Some("John Doe"));
        assert_eq!(account.source_owner.as_ref().unwrap().kind.as_deref(), Some("IDENTITY"));
        assert_eq!(account.owner_identity.as_ref().unwrap().id.as_deref(), Some("w1"));
        assert_eq!(account.origin, Some(Origin::Aggregated));
        assert_eq!(account.attribute("firstName").as_deref(), Some("SailPoint"));
        let attributes = account.attributes.as_ref().unwrap();
        assert_eq!(attributes.get::<Vec<String>>("groups").unwrap(), ["a", "b"]);
        assert_eq!(attributes.get::<i64>("passwordLastSet"), Some(1_614_901_945_829));
        assert_eq!((attributes.get::<String>("nothing"), attributes.to_map().len()), (None, 4));
        let shared = crate::Account::from(account);
        assert_eq!(
            (shared.kind.clone(), shared.status.clone()),
            (AccountKind::SystemAccount, AccountStatus::Disabled)
        );
        assert_eq!(shared.parent_id.as_deref(), Some("2c9180835d2e5168015d32f890ca1581"));
        assert_eq!(shared.modified_at.unwrap().to_rfc3339(), "2015-05-28T14:07:18+00:00");
        let ids: Vec<_> = shared.alternate_ids.iter().map(|id| (&*id.name, id.value.as_str())).collect();
        assert_eq!(ids, [("nativeIdentity", "552775"), ("uuid", "{b0dce506-d6d4-44d2-8a32-d9a5b21fb175}")]);
    }

    #[test]
    fn both_levels_of_detail_of_the_beta_decode() {
        let full = read(BETA_FULL);
        assert_eq!(full.features().collect::<Vec<_>>().len(), 3);
        assert!(full.attributes.is_none(), "null attributes are none");
        let created = full.created.as_ref().and_then(Timestamp::utc).unwrap();
        assert_eq!(created.timestamp_subsec_millis(), 644);
        let slim: String = BETA_FULL
            .replace("\"authoritative\":true,", "")
            .replace("\"systemAccount\":false,\"uncorrelated\":false,", "");
        let slim = read(&slim);
        assert_eq!((slim.authoritative, slim.system_account, slim.uncorrelated), (None, None, None));
        assert_eq!(slim.name, full.name);
        assert_eq!(crate::Account::from(slim).status, AccountStatus::Active);
    }

    #[test]
    fn its_owner_is_the_identity_and_of_a_machine_the_stated_one() {
        let owner = |json: &str| crate::Account::from(read(json)).owner;
        let told =
            |id: &str, name: Option<&str>| Some(AccountOwner::new(Some(id.into()), name.map(str::to_owned)));
        assert_eq!(owner(FULL), told("w1", Some("Eve")));
        let human = FULL.replace(r#""isMachine":true"#, r#""isMachine":false"#);
        assert_eq!(owner(&human), told("i1", Some("John Doe")));
        assert_eq!(owner(BETA_FULL), told("2c9180867c184ff6017c2a2fbf031666", None));
        assert_eq!(
            owner(r#"{"id":"a","ownerIdentity":{"id":"w1"}}"#),
            told("w1", None),
            "SLIM has no isMachine"
        );
        assert_eq!(owner(r#"{"id":"a","identityId":null,"identity":{},"ownerIdentity":{}}"#), None);
    }

    #[test]
    fn nulls_in_required_members_and_unknown_ones_are_fine() {
        let account = read(
            r#"{"id":"a","name":null,"sourceName":null,"nativeIdentity":"CN=x","disabled":null,"locked":null,
                "origin":"BEAMED","features":null,"recommendation":null,"identity":null,"later":{"x":[1]}}"#,
        );
        assert_eq!(account.origin.as_ref().map(Origin::as_str), Some("BEAMED"));
        let shared = crate::Account::from(account);
        assert_eq!(
            (shared.name.as_deref(), shared.status.clone()),
            (Some("CN=x"), AccountStatus::Unspecified)
        );
        assert!(shared.record().raw().contains("later"));
        for bad in [r#"{"name":"x"}"#, r#"{"id":null}"#, r#"{"id":""}"#, r#"{"id":"a","disabled":"no"}"#] {
            assert!(serde_json::from_str::<Account>(bad).is_err(), "{bad}");
        }
    }
}
