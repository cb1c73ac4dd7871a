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
    /// Only `id` is always present. `SLIM` omits members that the schema marks as required, and other members
    /// have been observed as null. Members that are not in the schema are available through
    /// [`raw`](Self::raw).
    ///
    /// The [`attributes`](Self::attributes) are defined by the source and may contain passwords in clear
    /// text. `Debug` hides them. `Serialize`, [`raw`](Self::raw) and [`record`](Self::record) include them in
    /// full, even [`redacted`](crate::RawRecord::redacted).
    #[serde(rename_all = "camelCase")]
    pub struct Account {
        /// The id. The schema marks it as optional; a row without an id is an invalid record.
        #[serde(deserialize_with = "crate::record::id")]
        pub id: String,
        /// The name.
        pub name: Option<String>,
        /// The time of creation.
        pub created: Option<Timestamp>,
        /// The time of the last change.
        pub modified: Option<Timestamp>,
        /// The id of the source.
        pub source_id: Option<String>,
        /// The name of the source.
        pub source_name: Option<String>,
        /// The id of the correlated identity.
        pub identity_id: Option<String>,
        /// The correlated identity, including its name.
        pub identity: Option<Reference>,
        /// The owner of the source.
        pub source_owner: Option<Reference>,
        /// The owner of the account. Machine accounts only.
        pub owner_identity: Option<Reference>,
        /// The owning group. Machine accounts only, and only in `v2024`.
        pub owner_group: Option<Reference>,
        /// The lifecycle state of the identity, such as `active`.
        pub cloud_lifecycle_state: Option<String>,
        /// The state of the identity, such as `ACTIVE`.
        pub identity_state: Option<String>,
        /// The connection type of the source, such as `direct`.
        pub connection_type: Option<String>,
        /// Whether the account is a machine account.
        pub is_machine: Option<bool>,
        /// The recommended classification.
        pub recommendation: Option<Recommendation>,
        /// The attributes that were aggregated from the source.
        pub attributes: Option<Attributes>,
        /// The e-mail address, from the attributes that
        /// [`ListAccounts::email_attribute`](super::ListAccounts::email_attribute) names. Only lists read it.
        #[serde(skip)]
        pub email: Option<String>,
        /// Whether the source is authoritative.
        pub authoritative: Option<bool>,
        /// The description.
        pub description: Option<String>,
        /// Whether the account is disabled.
        pub disabled: Option<bool>,
        /// Whether the account is locked.
        pub locked: Option<bool>,
        /// The account's id on the source system.
        pub native_identity: Option<String>,
        /// Whether the account is a user account of SailPoint itself rather than an account on a source.
        pub system_account: Option<bool>,
        /// Whether the account is not correlated to an identity.
        pub uncorrelated: Option<bool>,
        /// The id according to the account schema. Free text, often in braces, and not necessarily a UUID.
        pub uuid: Option<String>,
        /// Whether the account was correlated manually.
        pub manually_correlated: Option<bool>,
        /// Whether the account has entitlements.
        pub has_entitlements: Option<bool>,
        /// The features of the source, comma-separated. [`features`](Self::features) splits them.
        pub features: Option<String>,
        /// The origin of the account.
        pub origin: Option<Origin>,
        /// The type, only in `v2024`.
        #[serde(rename = "type")]
        pub account_type: Option<String>,
    }
}

open_enum! {
    /// The origin of an account.
    pub enum Origin {
        /// Found on the source.
        Aggregated = "AGGREGATED",
        /// Provisioned by SailPoint.
        Provisioned = "PROVISIONED",
    }
}

impl Account {
    /// Returns the features of the source, one by one.
    pub fn feature_list(&self) -> impl Iterator<Item = &str> {
        self.features.iter().flat_map(|text| text.split(',')).map(str::trim).filter(|text| !text.is_empty())
    }

    /// Sets the e-mail address to the first of the named attributes that is a text and not blank.
    pub(super) fn read_email(&mut self, names: &[String]) {
        let Some(attributes) = self.attributes.as_ref().filter(|_| !names.is_empty()) else { return };
        let attributes = attributes.to_map();
        let texts = names.iter().filter_map(|name| attributes.get(name)?.as_str());
        self.email = texts.map(str::trim).find(|text| !text.is_empty()).map(str::to_owned);
    }

    /// Returns an attribute as text.
    ///
    /// The names of attributes, such as the one for an e-mail address or a department, differ by source.
    pub fn attribute(&self, name: &str) -> Option<String> {
        self.attributes.as_ref()?.get(name)
    }
}

/// Removes and returns the correlated identity of an account or, for a machine account, the stated owner.
///
/// Ignores `uncorrelated`, which is true for some accounts that have an identity.
fn take_owner(account: &mut Account) -> Option<AccountOwner> {
    let mut identity = account.identity.take().unwrap_or_default();
    identity.id = identity.id.or_else(|| account.identity_id.take());
    let correlated = identity.into_owner();
    let stated_owner = account.owner_identity.take().and_then(Reference::into_owner);
    if account.is_machine == Some(true) { stated_owner.or(correlated) } else { correlated.or(stated_owner) }
}

impl From<Account> for crate::Account {
    fn from(mut account: Account) -> Self {
        let owner = take_owner(&mut account);
        let kind = match (account.system_account, account.is_machine) {
            (Some(true), _) => AccountKind::SystemAccount,
            (_, Some(true)) => AccountKind::MachineAccount,
            _ => AccountKind::SourceAccount,
        };
        let mut shared = Self::from_record(Provider::SailPoint, kind, account.id, account.record);
        shared.name = account.name.or_else(|| account.native_identity.clone());
        shared.email = account.email;
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

/// The attributes that were aggregated from a source. Members of any name and type, decoded on access.
#[derive(Clone)]
pub struct Attributes(Box<RawValue>);

impl Attributes {
    /// Returns the attribute `name` as a `T`, or `None` if it is absent or has a different type.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_value(self.to_map().remove(name)?).ok()
    }

    /// Returns all attributes. Empty if the JSON value is not an object.
    pub fn to_map(&self) -> Map<String, Value> {
        serde_json::from_str(self.0.get()).unwrap_or_default()
    }

    /// Returns the JSON text as received.
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
        // Attributes may contain passwords in clear text.
        write!(f, "Attributes({} bytes)", self.0.get().len())
    }
}

/// A reference to another object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Reference {
    /// The type of the object, such as `IDENTITY`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The id of the object.
    pub id: Option<String>,
    /// The name of the object.
    pub name: Option<String>,
}

impl Reference {
    /// Converts the reference to an owner. `None` if it has neither an id nor a name.
    pub(super) fn into_owner(self) -> Option<AccountOwner> {
        (self.id.is_some() || self.name.is_some()).then(|| AccountOwner::new(self.id, self.name))
    }
}

/// A recommendation to classify an account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Recommendation {
    /// The recommended classification.
    #[serde(rename = "type")]
    pub kind: Option<RecommendationType>,
    /// How the recommendation was determined.
    pub method: Option<RecommendationMethod>,
}

open_enum! {
    /// The recommended classification of an account.
    pub enum RecommendationType {
        /// An account of a person.
        Human = "HUMAN",
        /// An account of a machine.
        Machine = "MACHINE",
        /// An account of an AI agent.
        Agent = "AGENT",
    }
}

open_enum! {
    /// How a recommendation was determined.
    pub enum RecommendationMethod {
        /// Suggested by AI.
        Discovery = "DISCOVERY",
        /// The source is flagged as a source of machine accounts.
        Source = "SOURCE",
        /// The account matches the criteria of a classification.
        Criteria = "CRITERIA",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The full-detail example from the beta reference.
    const BETA_FULL: &str = r#"{"attributes":null,"authoritative":true,"created":"2021-09-28T02:15:44.644Z",
        "description":null,"disabled":false,"features":"PROVISIONING, GROUP_PROVISIONING, SYNC_PROVISIONING",
        "hasEntitlements":true,"id":"2c9180867c184ff6017c2a2fbf031667",
        "identityId":"2c9180867c184ff6017c2a2fbf031666","locked":false,"manuallyCorrelated":false,
        "modified":"2021-09-28T02:16:12.207Z","name":"Geovanni.0a7cad6df",
        "nativeIdentity":"CN=Geovanni 0a7cad6df,OU=hpun,DC=local",
        "sourceId":"2c91808b7c28b350017c2a2ec5790aa1","systemAccount":false,"uncorrelated":false,
        "uuid":"{e4218fa4-da52-4bb0-aa41-d2dcc08a7ad8}"}"#;

    /// The example from the current reference, with a value for every member of the schema.
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
    fn current_example_decodes_to_every_field() {
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
    fn beta_full_and_slim_decode() {
        let full = read(BETA_FULL);
        assert_eq!(full.feature_list().collect::<Vec<_>>().len(), 3);
        assert!(full.attributes.is_none(), "null attributes are `None`");
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
    fn owner_of_human_and_machine_accounts() {
        let kind = |json: &str| crate::Account::from(read(json)).kind;
        let machine = FULL.replace(r#""systemAccount":true"#, r#""systemAccount":false"#);
        assert_eq!((kind(FULL), kind(&machine)), (AccountKind::SystemAccount, AccountKind::MachineAccount));
        assert_eq!(kind(BETA_FULL), AccountKind::SourceAccount);
        let owner = |json: &str| crate::Account::from(read(json)).owner;
        let expected =
            |id: &str, name: Option<&str>| Some(AccountOwner::new(Some(id.into()), name.map(str::to_owned)));
        assert_eq!(owner(FULL), expected("w1", Some("Eve")));
        let human = FULL.replace(r#""isMachine":true"#, r#""isMachine":false"#);
        assert_eq!(owner(&human), expected("i1", Some("John Doe")));
        assert_eq!(owner(BETA_FULL), expected("2c9180867c184ff6017c2a2fbf031666", None));
        assert_eq!(
            owner(r#"{"id":"a","ownerIdentity":{"id":"w1"}}"#),
            expected("w1", None),
            "SLIM has no isMachine"
        );
        assert_eq!(owner(r#"{"id":"a","identityId":null,"identity":{},"ownerIdentity":{}}"#), None);
    }

    #[test]
    fn null_and_unknown_members_decode() {
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

    #[test]
    fn email_is_the_first_named_text() {
        let json =
            r#"{"id":"a","attributes":{"mail":" ","proxy":["x@a.b"],"upn":" ada@a.b ","other":"c@a.b"}}"#;
        for (names, expected) in [
            (&["mail", "proxy", "upn", "other"][..], Some("ada@a.b")),
            (&["other", "upn"], Some("c@a.b")),
            (&["mail", "absent"], None),
            (&[], None),
        ] {
            let mut account = read(json);
            account.read_email(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
            assert_eq!(account.email.as_deref(), expected, "{names:?}");
            assert_eq!(crate::Account::from(account).email.as_deref(), expected, "{names:?}");
        }
        let mut slim = read(r#"{"id":"a"}"#);
        slim.read_email(&["mail".to_owned()]);
        assert_eq!(slim.email, None);
    }
}
