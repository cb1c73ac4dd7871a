use std::borrow::Cow;

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{
    Attributes, Client, Cursor, Reference,
    offset_pager::{self, OffsetListing, Order, PageResponse, Paging, offset_setters},
    version::Collection,
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
    /// Only `id` is always present. Members that are not in the schema are available through
    /// [`raw`](Self::raw). Nested values that do not match the schema are too: a list element is then
    /// omitted, and an object is `None`.
    ///
    /// The [`attributes`](Self::attributes) may contain secrets of the source. `Debug` hides them.
    /// `Serialize`, `raw` and [`record`](Self::record) include them in full.
    #[serde(rename_all = "camelCase")]
    pub struct Entitlement {
        /// The id. The schema marks it as optional; a row without an id is an invalid record.
        #[serde(deserialize_with = "crate::record::id")]
        pub id: String,
        /// The name.
        pub name: Option<String>,
        /// The account attribute that grants the entitlement, such as `memberOf`.
        pub attribute: Option<String>,
        /// The value of that attribute, such as the name of a group in a directory.
        pub value: Option<String>,
        /// The object type in the source's schema, such as `group`.
        pub source_schema_object_type: Option<String>,
        /// The description.
        pub description: Option<String>,
        /// Whether the entitlement is privileged.
        pub privileged: Option<bool>,
        /// Whether SailPoint governs the entitlement.
        pub cloud_governed: Option<bool>,
        /// Whether the entitlement can be requested directly.
        pub requestable: Option<bool>,
        /// The owner.
        #[serde(default, deserialize_with = "lenient")]
        pub owner: Option<Reference>,
        /// Additional owners: identities and governance groups.
        #[serde(default, deserialize_with = "lenient_vec")]
        pub additional_owners: Option<Vec<Reference>>,
        /// The fields that were changed manually, by names such as `DISPLAY_NAME`.
        #[serde(default, deserialize_with = "lenient")]
        pub manually_updated_fields: Option<Map<String, Value>>,
        /// The classification.
        #[serde(default, deserialize_with = "lenient")]
        pub access_model_metadata: Option<AccessModelMetadata>,
        /// The time of creation.
        pub created: Option<Timestamp>,
        /// The time of the last change.
        pub modified: Option<Timestamp>,
        /// The source.
        #[serde(default, deserialize_with = "lenient")]
        pub source: Option<Reference>,
        /// The attributes that were aggregated from the source.
        pub attributes: Option<Attributes>,
        /// The ids of the assigned segments.
        #[serde(default, deserialize_with = "lenient_vec")]
        pub segments: Option<Vec<String>>,
        /// The permissions on the source, if the source reports them.
        #[serde(default, deserialize_with = "lenient_vec")]
        pub direct_permissions: Option<Vec<Permission>>,
    }
}

/// The classification of an entitlement.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct AccessModelMetadata {
    /// The attributes of the classification.
    #[serde(default, deserialize_with = "lenient_vec")]
    pub attributes: Option<Vec<MetadataAttribute>>,
}

/// An attribute of a classification.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct MetadataAttribute {
    /// The key, such as `iscCsp`.
    pub key: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// Whether the attribute may have several values.
    pub multiselect: Option<bool>,
    /// The status, such as `active`.
    pub status: Option<String>,
    /// The type, such as `governance`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The types of objects that it is for, as `general`.
    #[serde(default, deserialize_with = "lenient_vec")]
    pub object_types: Option<Vec<String>>,
    /// The description.
    pub description: Option<String>,
    /// Its values.
    #[serde(default, deserialize_with = "lenient_vec")]
    pub values: Option<Vec<MetadataValue>>,
}

/// A value of a classification's attribute.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct MetadataValue {
    /// The value.
    pub value: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// The status, such as `active`.
    pub status: Option<String>,
}

/// A permission of an entitlement on its source. Free text that differs by source.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Permission {
    /// The rights. The schema defines a list, but its example has a single string. Both are accepted.
    #[serde(default, deserialize_with = "one_or_many")]
    pub rights: Vec<String>,
    /// The target of the rights.
    pub target: Option<String>,
}

/// Deserializes a value, or `None` if it does not match the type.
fn lenient<'de, T: DeserializeOwned, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).ok())
}

/// Deserializes a list without the elements that do not match the type.
fn lenient_vec<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    let elements: Option<Vec<Value>> = lenient(deserializer)?;
    Ok(elements.map(|elements| {
        elements.into_iter().filter_map(|element| serde_json::from_value(element).ok()).collect()
    }))
}

/// Deserializes a list of strings, a single string or null.
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

/// `GET …/accounts/{id}/entitlements`: lists the entitlements of an account on its source, by `offset`.
///
/// Permission: the scope `idn:accounts:read` or `idn:accounts:manage`, and a user level of `ORG_ADMIN`,
/// `SOURCE_ADMIN`, `SOURCE_SUBADMIN` or `HELPDESK`. Idempotent, and therefore retried.
///
/// # Consistency
///
/// Most accounts have no more entitlements than fit in one page. The first page is the whole list if it is
/// not full and ends at the provider's count.
///
/// With more pages, each page is fetched from the last row of the previous page on, and must begin with that
/// row. The list ends at a page that shows the last row listed and no row after it.
///
/// If a page does not begin with that row, the listing continues at the offset: a row may then be listed
/// twice rather than skipped. The [`Summary`](crate::Summary) reports
/// [`BoundariesUnverified`](crate::IncompleteReason::BoundariesUnverified). Entitlements were then added or
/// removed, or the provider's order is not stable, and rows may be missing.
///
/// This endpoint has no `sorters` parameter, and its order is not documented. It is an assumption that the order is
/// the same in every request, and that the rows listed before a page do not change in between. A list of one page
/// needs no such assumption.
///
/// # Errors
/// In addition to the errors of every list: [`NotFound`](crate::ErrorKind::NotFound) if the account does not
/// exist, and [`PaginationLoop`](crate::ErrorKind::PaginationLoop) if the server returns rows for every
/// offset.
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
        let path = self.client.api_version().resource_path(Collection::Accounts, &[&id, "entitlements"]);
        let request = ApiRequest::get(path).query("limit", Some(limit)).query("offset", Some(offset));
        Ok(request.query("count", count.then_some(true)))
    }

    fn check(&self) -> Result<()> {
        self.paging.check()?;
        self.request(0, 0, false).map(drop)
    }
}

impl OffsetListing for ListEntitlements {
    type Row = Entitlement;

    fn paging(&self) -> &Paging {
        &self.paging
    }

    fn order(&self) -> Order {
        Order::Unspecified
    }

    async fn request(&self, offset: u64, limit: u64, count: bool) -> Result<PageResponse<Entitlement>> {
        let read = |response: &_| offset_pager::read(response, "an array of entitlements");
        self.client.send(self.request(offset, limit, count), read).await
    }
}

crate::page::inherent_streams!(ListEntitlements);

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
    fn example_decodes_to_every_field() {
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
        assert!(read.raw().contains("privilegeLevel"), "members outside of the schema are kept");
        assert!(!format!("{read:?}").contains("fieldValue"), "attributes may contain secrets");
    }

    #[test]
    fn mismatched_nested_values_are_omitted() {
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
    fn only_the_id_is_required() {
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
