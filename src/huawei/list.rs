//! Listings that page by `marker`: accounts, entities of the organization, delegated services of an account.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Account, Client,
    requests::{ACCOUNTS, account_path, validate_length},
};
use crate::{
    AnyPaginator, Error, ListingId, Page, Paginator, Result, Timestamp,
    http::{self, ApiRequest, ApiResponse, no_rows},
    open_enum::open_enum,
    page::{DecodedAccounts, FetchAs},
    record::{FromRow, HasId, record},
};

/// Lists roots, organizational units and accounts.
const ENTITIES: &str = "/v1/organizations/entities";

/// The default page size. It is always sent, because the provider's default has changed over time.
pub(super) const DEFAULT_LIMIT: u32 = 1000;
pub(super) const MAX_LIMIT: u32 = 2000;

/// The page size and start of a listing, if set by the caller.
#[derive(Clone, Debug, Default)]
pub(super) struct Paging {
    pub(super) limit: Option<u32>,
    pub(super) marker: Option<String>,
}

impl Paging {
    pub(super) fn page_size(&self) -> u32 {
        self.limit.unwrap_or(DEFAULT_LIMIT)
    }

    pub(super) fn validate(&self) -> Result<()> {
        validate_limit(self.page_size(), MAX_LIMIT, "")?;
        self.validate_marker()
    }

    pub(super) fn validate_marker(&self) -> Result<()> {
        match &self.marker {
            Some(marker) => validate_length("marker", marker, 4, 400),
            None => Ok(()),
        }
    }

    /// Adds the page size and the cursor to a request. Without a cursor, the listing starts at `self.marker`.
    pub(super) fn query(&self, request: ApiRequest, page_size: u32, cursor: Option<&String>) -> ApiRequest {
        request.query("limit", Some(page_size)).query("marker", cursor.or(self.marker.as_ref()))
    }
}

/// The setters of [`Paging`] for a listing with a field `paging`. The attributes document `limit`.
macro_rules! marker_setters {
    ($(#[$limit:meta])+) => {
        $(#[$limit])+
        pub fn limit(mut self, limit: u32) -> Self {
            self.paging.limit = Some(limit);
            self
        }

        /// Starts at this marker, which is the `next_marker` of an earlier page. It has 4 to 400 characters.
        pub fn marker(mut self, marker: impl Into<String>) -> Self {
            self.paging.marker = Some(marker.into());
            self
        }
    };
}
pub(super) use marker_setters;

/// `PageInfoDto` of the reference.
#[derive(Deserialize)]
struct PageInfo {
    #[serde(default)]
    next_marker: Option<String>,
    /// Of any type. The count is informational, so an invalid one must not fail the page.
    #[serde(default)]
    current_count: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Envelope {
    page_info: Box<RawValue>,
}

/// Reads a page: an object with the rows in its member `name`, and `page_info`. A listing ends only if the
/// marker is null, absent or empty.
pub(super) fn read_page<T: FromRow, U: From<T>>(
    response: &ApiResponse,
    name: &str,
) -> Result<Page<U, String>> {
    let expected = format!("an object with {name} and page_info");
    let (rows, Envelope { page_info }) = http::read_page::<T, U, _>(response, name, &expected)?;
    let rows = rows.ok_or_else(|| no_rows(response, name, &expected))?;
    // serde also deserializes a struct from an array, so `[]` would be taken for the end of the listing.
    let page_info: Option<PageInfo> = match page_info.get() {
        object if object.starts_with('{') => serde_json::from_str(object).ok(),
        _ => None,
    };
    let page_info =
        page_info.ok_or_else(|| Error::decode(format!("expected {expected}, got an invalid page_info")))?;
    let next = page_info.next_marker.filter(|marker| !marker.is_empty());
    let count = page_info.current_count.and_then(|count| serde_json::from_str(count.get()).ok());
    Ok(rows.into_page(next).with_reported_rows(count))
}

pub(super) fn validate_limit(limit: u32, max: u32, condition: &str) -> Result<()> {
    if (1..=max).contains(&limit) {
        return Ok(());
    }
    Err(Error::config(format!("limit is {limit}; expected 1 to {max}{condition}")))
}

/// The maximum page size with contact information.
const MAX_CONTACT_LIMIT: u32 = 200;

impl Client {
    /// Lists the accounts of the organization. The returned listing is a [`Paginator`](crate::Paginator).
    ///
    /// For the management account and delegated administrators; IAM action `organizations:accounts:list`.
    pub fn list_accounts(&self) -> ListAccounts {
        ListAccounts {
            client: self.clone(),
            parent_id: None,
            with_register_contact_info: None,
            paging: Paging::default(),
        }
    }
}

/// `GET /v1/organizations/accounts`: the accounts of an organization, paged by `marker`.
///
/// The listing ends only if `next_marker` of the response is null, absent or empty. The following is not
/// documented and assumed:
///
/// - A page without accounts but with a marker is not the last; the marker is followed.
/// - An empty listing has the array `[]` and `page_info`. A response without one of them, or with null in its
///   place, is an error and not the end.
///
/// # Errors
/// Those of every listing, and [`PermissionDenied`](crate::ErrorKind::PermissionDenied) if the key belongs
/// neither to the management account nor to a delegated administrator (`Organizations.1001`, `.1002`). A 401
/// is never retried, because more than five consecutive failures lock the key for five minutes.
#[derive(Clone, Debug)]
#[must_use = "a list does nothing until its stream is polled"]
pub struct ListAccounts {
    client: Client,
    parent_id: Option<String>,
    with_register_contact_info: Option<bool>,
    paging: Paging,
}

impl ListAccounts {
    /// Lists only the direct children of a root (`r-…`) or organizational unit (`ou-…`). At most 100
    /// characters.
    pub fn parent_id(mut self, id: impl Into<String>) -> Self {
        self.parent_id = Some(id.into());
        self
    }

    /// Sets whether to include the registered phone number and e-mail address of each account, which are
    /// personal data. If included, a page has at most 200 accounts.
    pub fn with_register_contact_info(mut self, yes: bool) -> Self {
        self.with_register_contact_info = Some(yes);
        self
    }

    marker_setters! {
        /// Sets the page size: 1 to 2000, or 1 to 200 with contact information. Default: 1000, or 200 with
        /// contact information.
        ///
        /// It is always sent, because the provider's default has changed over time.
    }

    fn with_contact_info(&self) -> bool {
        self.with_register_contact_info == Some(true)
    }

    fn page_size(&self) -> u32 {
        self.paging.limit.unwrap_or(if self.with_contact_info() { MAX_CONTACT_LIMIT } else { DEFAULT_LIMIT })
    }

    fn request(&self, cursor: Option<&String>) -> Result<ApiRequest> {
        if self.with_contact_info() {
            validate_limit(self.page_size(), MAX_CONTACT_LIMIT, " with contact information")?;
        } else {
            validate_limit(self.page_size(), MAX_LIMIT, "")?;
        }
        if let Some(id) = &self.parent_id {
            validate_length("parent_id", id, 1, 100)?;
        }
        self.paging.validate_marker()?;
        let request = ApiRequest::get(ACCOUNTS)
            .query("parent_id", self.parent_id.as_ref())
            .query("with_register_contact_info", self.with_register_contact_info);
        Ok(self.paging.query(request, self.page_size(), cursor))
    }
}

crate::page::inherent_streams!(ListAccounts, accounts);

impl Paginator for ListAccounts {
    type Item = Account;
    type Cursor = String;

    fn listing_id(&self) -> ListingId {
        self.client.listing_id(&self.request(None))
    }

    async fn fetch(&self, cursor: Option<&String>) -> Result<Page<Account, String>> {
        self.fetch_as(cursor).await
    }

    fn item_id<'a>(&self, account: &'a Account) -> Option<Cow<'a, str>> {
        Some(account.row_id())
    }

    fn into_accounts(self) -> AnyPaginator<crate::Account> {
        AnyPaginator::new(DecodedAccounts(self))
    }
}

impl FetchAs for ListAccounts {
    async fn fetch_as<U: From<Account> + Send>(&self, cursor: Option<&String>) -> Result<Page<U, String>> {
        self.client.send(self.request(cursor), |response| read_page::<Account, U>(response, "accounts")).await
    }
}

record! {
    id = id;

    /// A root, an organizational unit or an account: `EntityDto` of the reference.
    ///
    /// Only `id` is guaranteed to be present.
    pub struct Entity {
        /// The id: `r-…` of a root, `ou-…` of an organizational unit, or the id of an account.
        #[serde(deserialize_with = "crate::record::id")]
        pub id: String,
        /// The name.
        pub name: Option<String>,
        /// The type of entity.
        #[serde(rename = "type")]
        pub entity_type: Option<EntityType>,
    }
}

open_enum! {
    /// The type of an entity.
    pub enum EntityType {
        /// An account.
        Account = "account",
        /// An organizational unit.
        OrganizationalUnit = "organizational_unit",
        /// A root.
        Root = "root",
    }
}

impl Client {
    /// Lists the roots, organizational units and accounts of the organization.
    ///
    /// For the management account and delegated administrators; IAM action `organizations:entities:list`.
    pub fn list_entities(&self) -> ListEntities {
        ListEntities { client: self.clone(), parent_id: None, child_id: None, paging: Paging::default() }
    }
}

/// `GET /v1/organizations/entities`: roots, organizational units and accounts, paged by `marker`.
///
/// It ends like [`ListAccounts`](super::ListAccounts), with the same assumptions.
///
/// # Errors
/// Those of [`ListAccounts`](super::ListAccounts).
#[derive(Clone, Debug)]
#[must_use = "a list does nothing until its stream is polled"]
pub struct ListEntities {
    client: Client,
    parent_id: Option<String>,
    child_id: Option<String>,
    paging: Paging,
}

impl ListEntities {
    /// Lists only the children of a root (`r-…`) or organizational unit (`ou-…`). At most 100 characters.
    pub fn parent_id(mut self, id: impl Into<String>) -> Self {
        self.parent_id = Some(id.into());
        self
    }

    /// Lists only the parent of this organizational unit or account. At most 100 characters.
    ///
    /// The reference mentions organizational units only. The vendor's Terraform provider also passes
    /// accounts.
    pub fn child_id(mut self, id: impl Into<String>) -> Self {
        self.child_id = Some(id.into());
        self
    }

    marker_setters! {
        /// Sets the page size: 1 to 2000. Default: 1000. It is always sent.
    }

    fn request(&self, cursor: Option<&String>) -> Result<ApiRequest> {
        for (name, id) in [("parent_id", &self.parent_id), ("child_id", &self.child_id)] {
            if let Some(id) = id {
                validate_length(name, id, 1, 100)?;
            }
        }
        self.paging.validate()?;
        let request = ApiRequest::get(ENTITIES)
            .query("parent_id", self.parent_id.as_ref())
            .query("child_id", self.child_id.as_ref());
        Ok(self.paging.query(request, self.paging.page_size(), cursor))
    }
}

crate::page::inherent_streams!(ListEntities);

impl Paginator for ListEntities {
    type Item = Entity;
    type Cursor = String;

    fn listing_id(&self) -> ListingId {
        self.client.listing_id(&self.request(None))
    }

    async fn fetch(&self, cursor: Option<&String>) -> Result<Page<Entity, String>> {
        self.client.send(self.request(cursor), |response| read_page::<Entity, _>(response, "entities")).await
    }

    fn item_id<'a>(&self, entity: &'a Entity) -> Option<Cow<'a, str>> {
        Some(entity.row_id())
    }
}

record! {
    id = service_principal;

    /// A service for which an account is a delegated administrator: `DelegatedServiceDto` of the reference.
    ///
    /// Only `service_principal` is guaranteed to be present.
    pub struct DelegatedService {
        /// The name of the service.
        #[serde(deserialize_with = "crate::record::id")]
        pub service_principal: String,
        /// When the account became its delegated administrator.
        pub delegation_enabled_at: Option<Timestamp>,
    }
}

impl Client {
    /// Lists the services for which an account is a delegated administrator.
    ///
    /// For the management account and delegated administrators; IAM action
    /// `organizations:delegatedServices:list`.
    pub fn list_delegated_services(&self, account_id: impl Into<String>) -> ListDelegatedServices {
        ListDelegatedServices {
            client: self.clone(),
            account_id: account_id.into(),
            paging: Paging::default(),
        }
    }
}

/// `GET /v1/organizations/accounts/{account_id}/delegated-services`: the services for which an account is a
/// delegated administrator, paged by `marker`.
///
/// It ends like [`ListAccounts`](super::ListAccounts), with the same assumptions. Whether an account that is
/// not a delegated administrator has an empty listing or an error is not documented.
///
/// # Errors
/// Those of [`ListAccounts`](super::ListAccounts), and [`Config`](crate::ErrorKind::Config) if the account id
/// is not a valid path segment.
#[derive(Clone, Debug)]
#[must_use = "a list does nothing until its stream is polled"]
pub struct ListDelegatedServices {
    client: Client,
    account_id: String,
    paging: Paging,
}

impl ListDelegatedServices {
    marker_setters! {
        /// Sets the page size: 1 to 2000. Default: 1000. It is always sent.
    }

    fn request(&self, cursor: Option<&String>) -> Result<ApiRequest> {
        self.paging.validate()?;
        let request = ApiRequest::get(account_path(&self.account_id, "/delegated-services")?);
        Ok(self.paging.query(request, self.paging.page_size(), cursor))
    }
}

crate::page::inherent_streams!(ListDelegatedServices);

impl Paginator for ListDelegatedServices {
    type Item = DelegatedService;
    type Cursor = String;

    fn listing_id(&self) -> ListingId {
        self.client.listing_id(&self.request(None))
    }

    async fn fetch(&self, cursor: Option<&String>) -> Result<Page<DelegatedService, String>> {
        self.client
            .send(self.request(cursor), |response| {
                read_page::<DelegatedService, _>(response, "delegated_services")
            })
            .await
    }

    fn item_id<'a>(&self, service: &'a DelegatedService) -> Option<Cow<'a, str>> {
        Some(service.row_id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(page_info: &str) -> Result<Page<Account, String>> {
        let body = format!(r#"{{"accounts":[{{"id":"a"}}],"page_info":{page_info}}}"#);
        let (status, headers) = (::http::StatusCode::OK, ::http::HeaderMap::new());
        read_page(&ApiResponse { status, headers, body: bytes::Bytes::from(body).into() }, "accounts")
    }

    #[test]
    fn empty_markers_end_the_listing() {
        let next = |json: &str| read(json).unwrap().next;
        for end in [
            "{}",
            r#"{"next_marker":null}"#,
            r#"{"next_marker":"","current_count":3}"#,
            r#"{"current_count":0}"#,
        ] {
            assert_eq!(next(end), None, "{end}");
        }
        assert_eq!(next(r#"{"next_marker":"ou-x","current_count":0}"#).as_deref(), Some("ou-x"));
        for wrong in [r#"{"next_marker":7}"#, "[]", "[null]", "null", "7"] {
            assert!(read(wrong).is_err(), "{wrong} is not the end");
        }
    }

    #[test]
    fn invalid_count_is_ignored() {
        let count = |json: &str| {
            let page = read(json).unwrap();
            (page.items.len(), page.reported_rows)
        };
        for ignored in
            ["{}", r#"{"current_count":null}"#, r#"{"current_count":"1"}"#, r#"{"current_count":-1}"#]
        {
            assert_eq!(count(ignored), (1, None), "{ignored}");
        }
        assert_eq!(count(r#"{"current_count":100}"#), (1, Some(100)), "sample of the reference");
    }

    #[test]
    fn query_has_limit_and_optional_marker() {
        let query = |paging: Paging, cursor: Option<&str>| {
            let cursor = cursor.map(str::to_owned);
            let request = paging.query(ApiRequest::get("/x"), paging.page_size(), cursor.as_ref());
            request.query.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>()
        };
        let paging = Paging { limit: Some(7), marker: Some("here".into()) };
        assert_eq!(query(Paging::default(), None), ["limit=1000"]);
        assert_eq!(query(paging.clone(), None), ["limit=7", "marker=here"]);
        assert_eq!(query(paging, Some("next")), ["limit=7", "marker=next"]);
    }
}
