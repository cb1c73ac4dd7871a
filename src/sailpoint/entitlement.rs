use std::borrow::Cow;

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{
    Attributes, Client, Cursor, Reference,
    offset_pager::{self, Answered, OffsetList, Order, Paging, offset_setters},
    version::Root,
};
use crate::{
    ListingId, Page, Paginator, Result, Timestamp,
    http::{ApiRequest, path_segment},
    record::{HasId, record},
};

record! {
    id = id;

    /// An access right on a source, such as a group that accounts are in.
    ///
    /// Only `id` is certain to be there. What is not in the schema is in [`raw`](Self::raw), and so is what is nested and
    /// does not fit it: an element of a list is left out then, and an object is `None`. `Serialize`, `raw` and
    /// [`record`](Self::record) have the [`attributes`](Self::attributes) whole, which may hold secrets of the source;
    /// `Debug` hides them.
    #[serde(rename_all = "camelCase")]
    pub struct Entitlement {
        /// The id. The schema calls it optional; a row without one is a bad row.
        #[serde(deserialize_with = "crate::record::id")]
        pub id: String,
        /// The name.
        pub name: Option<String>,
        /// The attribute of accounts that grants it, as `memberOf`.
        pub attribute: Option<String>,
        /// What that attribute holds, as the name of a group in a directory.
        pub value: Option<String>,
        /// What sort of object the source's schema has for it, as `group`.
        pub source_schema_object_type: Option<String>,
        /// A description.
        pub description: Option<String>,
        /// Whether it is a privileged one.
        pub privileged: Option<bool>,
        /// Whether the provider governs it.
        pub cloud_governed: Option<bool>,
        /// Whether it can be requested by itself.
        pub requestable: Option<bool>,
        /// The identity that owns it.
        #[serde(default, deserialize_with = "if_it_fits")]
        pub owner: Option<Reference>,
        /// Further owners: identities and governance groups.
        #[serde(default, deserialize_with = "those_that_fit")]
        pub additional_owners: Option<Vec<Reference>>,
        /// Which of its fields were changed by hand, by names as `DISPLAY_NAME`.
        #[serde(default, deserialize_with = "if_it_fits")]
        pub manually_updated_fields: Option<Map<String, Value>>,
        /// What it is classified as.
        #[serde(default, deserialize_with = "if_it_fits")]
        pub access_model_metadata: Option<AccessModelMetadata>,
        /// When it was made.
        pub created: Option<Timestamp>,
        /// When it was last changed.
        pub modified: Option<Timestamp>,
        /// The source that it is on.
        #[serde(default, deserialize_with = "if_it_fits")]
        pub source: Option<Reference>,
        /// What was aggregated from the source.
        pub attributes: Option<Attributes>,
        /// The ids of the segments that it is assigned to.
        #[serde(default, deserialize_with = "those_that_fit")]
        pub segments: Option<Vec<String>>,
        /// What it permits on the source, as far as the source tells.
        #[serde(default, deserialize_with = "those_that_fit")]
        pub direct_permissions: Option<Vec<Permission>>,
    }
}

/// What an entitlement is classified as.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct AccessModelMetadata {
    /// The attributes of the classification.
    #[serde(default, deserialize_with = "those_that_fit")]
    pub attributes: Option<Vec<MetadataAttribute>>,
}

/// An attribute of a classification.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct MetadataAttribute {
    /// Its key, as `iscCsp`.
    pub key: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Whether it may have several values.
    pub multiselect: Option<bool>,
    /// Its state, as `active`.
    pub status: Option<String>,
    /// Its type, as `governance`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The types of objects that it is for, as `general`.
    #[serde(default, deserialize_with = "those_that_fit")]
    pub object_types: Option<Vec<String>>,
    /// A description.
    pub description: Option<String>,
    /// Its values.
    #[serde(default, deserialize_with = "those_that_fit")]
    pub values: Option<Vec<MetadataValue>>,
}

/// A value of a classification's attribute.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct MetadataValue {
    /// The value.
    pub value: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its state, as `active`.
    pub status: Option<String>,
}

/// What an entitlement permits on its source. Free text that differs by source.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Permission {
    /// What may be done. The schema has a list, its own example a single text: both are read.
    #[serde(default, deserialize_with = "one_or_many")]
    pub rights: Vec<String>,
    /// To what.
    pub target: Option<String>,
}

fn if_it_fits<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).ok())
}

fn those_that_fit<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    let elements: Option<Vec<Value>> = if_it_fits(deserializer)?;
    Ok(elements.map(|elements| {
        elements.into_iter().filter_map(|element| serde_json::from_value(element).ok()).collect()
    }))
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Rights {
        Many(Vec<Option<String>>),
        One(String),
        None,
    }
    Ok(match Rights::deserialize(deserializer)? {
        Rights::Many(rights) => rights.into_iter().flatten().collect(),
        Rights::One(right) => vec![right],
        Rights::None => Vec::new(),
    })
}

/// `GET …/accounts/{id}/entitlements`: what an account is entitled to on its source, by `offset`.
///
/// Permission: the scope `idn:accounts:read` or `idn:accounts:manage`, and a user level of `ORG_ADMIN`,
/// `SOURCE_ADMIN`, `SOURCE_SUBADMIN` or `HELPDESK`. It reads, and is retried.
///
/// # What is certain to be listed
///
/// The provider takes no order here and documents none. It is an assumption that it keeps to one, and that the
/// rows are the same in each page as they were in the one before. Most accounts have no more entitlements than
/// a page, and need no such assumption: a first page that is not full, and ends at the provider's count, is the list.
///
/// Beyond a page, it is checked as far as that goes: each page is fetched from the last row of the page before
/// on, and has to begin with it. If it does not, the list goes on at the offset, rather with rows twice than without
/// some, and the [`Summary`](crate::Summary) says [`BoundariesUnverified`](crate::IncompleteReason::BoundariesUnverified): entitlements have
/// come or gone, or the provider does not keep to an order, and some can be missing. The list ends at a page that
/// shows the last row listed and none after it.
///
/// # Errors
/// Besides those of every list, [`NotFound`](crate::ErrorKind::NotFound) if there is no such account,
/// and [`PaginationLoop`](crate::ErrorKind::PaginationLoop) if the server returns rows for every offset.
#[derive(Clone, Debug)]
#[must_use = "a list does nothing until its stream is polled"]
pub struct ListEntitlements {
    client: Client,
    account_id: String,
    paging: Paging,
}

impl ListEntitlements {
    pub(super) fn new(client: Client, account_id: String) -> Self {
        Self { client, account_id, paging: Paging::default() }
    }

    offset_setters!("entitlements");

    fn request(&self, offset: u64, limit: u64, count: bool) -> Result<ApiRequest> {
        let id = path_segment("account id", &self.account_id)?;
        let path = self.client.api_version().path_to(Root::Accounts, &[&id, "entitlements"]);
        let call = ApiRequest::get(path).query("limit", Some(limit)).query("offset", Some(offset));
        Ok(call.query("count", count.then_some(true)))
    }

    fn check(&self) -> Result<()> {
        self.paging.check()?;
        self.request(0, 0, false).map(drop)
    }
}

impl OffsetList for ListEntitlements {
    type Row = Entitlement;

    fn paging(&self) -> &Paging {
        &self.paging
    }

    fn order(&self) -> Order {
        Order::Unknown
    }

    async fn request(&self, offset: u64, limit: u64, count: bool) -> Result<Answered<Entitlement>> {
        let read = |response: &_| offset_pager::read(response, "an array of entitlements");
        self.client.send(self.request(offset, limit, count), read).await
    }
}

impl Paginator for ListEntitlements {
    type Item = Entitlement;
    type Cursor = Cursor;

    fn listing_id(&self) -> ListingId {
        self.client.listing_id(&self.request(self.paging.offset, self.paging.limit.into(), false))
    }

    async fn fetch(&self, at: Option<&Cursor>) -> Result<Page<Entitlement, Cursor>> {
        self.client.context(self.check())?;
        self.client.context(offset_pager::fetch(self, at).await)
    }

    fn item_id<'a>(&self, entitlement: &'a Entitlement) -> Option<Cow<'a, str>> {
        Some(entitlement.row_id())
    }

    fn advance(&self, cursor: &mut Option<Cursor>, id: Option<&str>) -> bool {
        self.paging.advance(self.order(), cursor, id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value for every member of the schema.
    const FULL: &str = r#"{"id":"2c91808874ff91550175097daaec161c","name":"PayrollControls",
        "attribute":"memberOf","value":"CN=PayrollControls,OU=Groups,DC=local",
        "sourceSchemaObjectType":"group","description":"Payroll.","privileged":true,"cloudGoverned":true,
        "requestable":false,"owner":{"id":"o1","type":"IDENTITY","name":"john.doe"},
        "additionalOwners":[{"type":"GOVERNANCE_GROUP","id":"g1","name":null}],
        "manuallyUpdatedFields":{"DISPLAY_NAME":true,"DESCRIPTION":false},
        "accessModelMetadata":{"attributes":[{"key":"iscCsp","name":"CSP","multiselect":true,
        "status":"active","type":"governance","objectTypes":["general"],"description":"d",
        "values":[{"value":"development","name":"Development","status":"active"}]}]},
        "created":"2020-10-08T18:33:52.029Z","modified":"2020-10-08T18:33:53.029Z",
        "source":{"id":"s1","type":"SOURCE","name":"AD"},"attributes":{"fieldName":"fieldValue"},
        "segments":["f7b1b8a3-5fed-4fd4-ad29-82014e137e19"],
        "directPermissions":[{"rights":["SELECT","UPDATE"],"target":"SYS.GV_$TRANSACTION"},
        {"rights":"HereIsRight1"},{"target":"x","rights":null}],"privilegeLevel":{"direct":"HIGH"}}"#;

    #[test]
    fn every_member_of_the_schema_decodes() {
        let read: Entitlement = serde_json::from_str(FULL).unwrap();
        assert_eq!(read.name.as_deref(), Some("PayrollControls"));
        assert_eq!(read.attribute.as_deref(), Some("memberOf"));
        assert_eq!(read.value.as_deref(), Some("CN=PayrollControls,OU=Groups,DC=local"));
        assert_eq!(read.source_schema_object_type.as_deref(), Some("group"));
        assert_eq!(read.description.as_deref(), Some("Payroll."));
        let flags = (read.privileged, read.cloud_governed, read.requestable);
        assert_eq!(flags, (Some(true), Some(true), Some(false)));
        assert_eq!(read.owner.as_ref().unwrap().name.as_deref(), Some("john.doe"));
        assert_eq!(read.additional_owners.as_ref().unwrap()[0].kind.as_deref(), Some("GOVERNANCE_GROUP"));
        assert_eq!(read.manually_updated_fields.as_ref().unwrap()["DISPLAY_NAME"], true);
        let metadata = &read.access_model_metadata.as_ref().unwrap().attributes.as_ref().unwrap()[0];
        assert_eq!((metadata.key.as_deref(), metadata.name.as_deref()), (Some("iscCsp"), Some("CSP")));
        assert_eq!((metadata.multiselect, metadata.status.as_deref()), (Some(true), Some("active")));
        assert_eq!(
            (metadata.kind.as_deref(), metadata.description.as_deref()),
            (Some("governance"), Some("d"))
        );
        assert_eq!(metadata.object_types.as_ref().unwrap(), &["general"]);
        let value = &metadata.values.as_ref().unwrap()[0];
        let value = [&value.value, &value.name, &value.status].map(Option::as_deref);
        assert_eq!(value, [Some("development"), Some("Development"), Some("active")]);
        let dates = [&read.created, &read.modified].map(|date| date.as_ref().unwrap().as_str());
        assert_eq!(dates, ["2020-10-08T18:33:52.029Z", "2020-10-08T18:33:53.029Z"]);
        assert_eq!(read.source.as_ref().unwrap().id.as_deref(), Some("s1"));
        assert_eq!(read.attributes.as_ref().unwrap().get("fieldName"), Some("fieldValue".to_owned()));
        assert_eq!(read.segments.as_ref().unwrap(), &["f7b1b8a3-5fed-4fd4-ad29-82014e137e19"]);
        let permissions = read.direct_permissions.as_ref().unwrap();
        assert_eq!(permissions[0].rights, ["SELECT", "UPDATE"]);
        assert_eq!(permissions[0].target.as_deref(), Some("SYS.GV_$TRANSACTION"));
        assert_eq!((permissions[1].rights.len(), permissions[2].rights.len()), (1, 0));
        assert!(read.raw().contains("privilegeLevel"), "what is not in the schema is kept");
        assert!(!format!("{read:?}").contains("fieldValue"), "attributes may hold secrets");
    }

    #[test]
    fn what_is_nested_and_does_not_fit_costs_only_itself() {
        let json = r#"{"id":"e","owner":"john","additionalOwners":[null,{"id":"o1"},7],"segments":["s1",null,{}],
            "manuallyUpdatedFields":["DISPLAY_NAME"],"source":[],"directPermissions":[null,{"rights":["a",null]},
            {"rights":7}],"accessModelMetadata":{"attributes":[null,{"key":"k","objectTypes":[null,"general"],
            "values":[null,{"value":"v"}]},{"key":7}]}}"#;
        let read: Entitlement = serde_json::from_str(json).unwrap();
        assert_eq!(read.raw(), json);
        assert!(read.owner.is_none() && read.manually_updated_fields.is_none());
        let owners = read.additional_owners.unwrap();
        assert_eq!((owners.len(), owners[0].id.as_deref()), (1, Some("o1")));
        assert_eq!(read.segments.unwrap(), ["s1"]);
        let permissions = read.direct_permissions.unwrap();
        assert_eq!((permissions.len(), permissions[0].rights.as_slice()), (1, &["a".to_owned()][..]));
        let attributes = read.access_model_metadata.unwrap().attributes.unwrap();
        assert_eq!((attributes.len(), attributes[0].key.as_deref()), (1, Some("k")));
        assert_eq!(attributes[0].object_types.as_ref().unwrap(), &["general"]);
        assert_eq!(attributes[0].values.as_ref().unwrap()[0].value.as_deref(), Some("v"));
        let other =
            serde_json::from_str::<Entitlement>(r#"{"id":"e","segments":"s","accessModelMetadata":7}"#);
        let other = other.unwrap();
        assert!(other.segments.is_none() && other.access_model_metadata.is_none());
    }

    #[test]
    fn only_the_id_is_needed_and_nulls_are_fine() {
        let nulls = r#"{"id":"e","name":null,"attribute":null,"owner":null,"segments":null,"additionalOwners":null,
            "manuallyUpdatedFields":null,"accessModelMetadata":null,"attributes":null,"directPermissions":null}"#;
        for json in [r#"{"id":"e"}"#, nulls] {
            assert_eq!(serde_json::from_str::<Entitlement>(json).unwrap().id, "e");
        }
        for bad in ["{}", r#"{"id":""}"#, r#"{"id":null}"#, r#"{"id":"e","privileged":"yes"}"#] {
            assert!(serde_json::from_str::<Entitlement>(bad).is_err(), "{bad}");
        }
    }
}
