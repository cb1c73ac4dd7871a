//! Lists that page by `marker`: accounts, the entities of the organization, the services of an account.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Account, Client,
    requests::{ACCOUNTS, account_path, check_length},
};
use crate::{
    Error, ListingId, Page, Paginator, Result, Timestamp,
    http::{self, ApiRequest, ApiResponse, no_rows},
    open_enum::open_enum,
    record::{FromRow, HasId, record},
};

/// Where roots, organizational units and accounts are listed.
const ENTITIES: &str = "/v1/organizations/entities";

/// Rows on a page unless the caller says otherwise: the provider's own default has changed over time, so it
/// is always sent.
pub(super) const DEFAULT_LIMIT: u32 = 1000;
/// The most rows on a page.
pub(super) const MAX_LIMIT: u32 = 2000;

/// Where a list starts, and how much its pages hold, as far as the caller says.
#[derive(Clone, Debug, Default)]
pub(super) struct Paging {
    pub(super) limit: Option<u32>,
    pub(super) marker: Option<String>,
}

impl Paging {
    /// The rows that a page may hold.
    pub(super) fn size(&self) -> u32 {
        self.limit.unwrap_or(DEFAULT_LIMIT)
    }

    pub(super) fn check(&self) -> Result<()> {
        check_limit(self.size(), MAX_LIMIT, "")?;
        self.check_marker()
    }

    pub(super) fn check_marker(&self) -> Result<()> {
        match &self.marker {
            Some(marker) => check_length("marker", marker, 4, 400),
            None => Ok(()),
        }
    }

    /// `call` for the page at `at`, or where the list starts, with `size` rows.
    pub(super) fn query(&self, call: ApiRequest, size: u32, at: Option<&String>) -> ApiRequest {
        call.query("limit", Some(size)).query("marker", at.or(self.marker.as_ref()))
    }
}

/// The setters of [`Paging`], for a list that has it in a field `paging`; what is given documents `limit`.
macro_rules! marker_setters {
    ($(#[$limit:meta])+) => {
        $(#[$limit])+
        pub fn limit(mut self, limit: u32) -> Self {
            self.paging.limit = Some(limit);
            self
        }

        /// Starts at the page of this marker, a `next_marker` of 4 to 400 characters.
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
    /// Whatever it is: a count that is kept, and compared with nothing, must not cost a page.
    #[serde(default)]
    current_count: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Envelope {
    page_info: Box<RawValue>,
}

/// Reads a page: an object with the rows as its member `name`, and `page_info`. A list ends when the marker is null,
/// absent or empty, and only then.
pub(super) fn read_page<T: FromRow>(response: &ApiResponse, name: &str) -> Result<Page<T, String>> {
    let expected = format!("an object with {name} and page_info");
    let (rows, Envelope { page_info }) = http::read_page::<T, _>(response, name, &expected)?;
    let rows = rows.ok_or_else(|| no_rows(response, name, &expected))?;
    // serde takes an array for an object, and `[]` would be the end of a list.
    let page_info: Option<PageInfo> = match page_info.get() {
        object if object.starts_with('{') => serde_json::from_str(object).ok(),
        _ => None,
    };
    let page_info = page_info
        .ok_or_else(|| Error::decode(format!("expected {expected}, and page_info is no such object")))?;
    let next = page_info.next_marker.filter(|marker| !marker.is_empty());
    let count = page_info.current_count.and_then(|count| serde_json::from_str(count.get()).ok());
    Ok(rows.into_page(next).with_reported_rows(count))
}

pub(super) fn check_limit(limit: u32, most: u32, condition: &str) -> Result<()> {
    if (1..=most).contains(&limit) {
        return Ok(());
    }
    Err(Error::config(format!("limit is {limit}; expected 1 to {most}{condition}")))
}

const MAX_WITH_CONTACT: u32 = 200;

impl Client {
    /// The accounts of the organization. Set its parameters, then take it as a
    /// [`Paginator`](crate::Paginator).
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

/// `GET /v1/organizations/accounts`: the accounts of an organization, by `marker`.
///
/// The list ends when the answer's `next_marker` is null, absent or empty, and only then. A page without
/// accounts but with a marker is followed (an assumption: the reference does not speak of one). So is that an
/// empty list is told as `[]`, with `page_info`: an answer that lacks one of them, or has null in its place,
/// is an error and never an end.
///
/// # Errors
/// Besides those of every list, [`PermissionDenied`](crate::ErrorKind::PermissionDenied) if the key belongs neither to the
/// management account nor to a delegated administrator (`Organizations.1001`, `.1002`). A 401 is never
/// retried, because more than five failures in a row lock the key for five minutes.
#[derive(Clone, Debug)]
#[must_use = "a list does nothing until its stream is polled"]
pub struct ListAccounts {
    client: Client,
    parent_id: Option<String>,
    with_register_contact_info: Option<bool>,
    paging: Paging,
}

impl ListAccounts {
    /// Only the direct children of a root (`r-…`) or organizational unit (`ou-…`). At most 100 characters.
    pub fn parent_id(mut self, id: impl Into<String>) -> Self {
        self.parent_id = Some(id.into());
        self
    }

    /// Whether to tell each account's registered phone number and e-mail address: personal data. With
    /// them, a page has at most 200 accounts.
    pub fn with_register_contact_info(mut self, yes: bool) -> Self {
        self.with_register_contact_info = Some(yes);
        self
    }

    marker_setters! {
        /// Accounts on a page: 1 to 2000, or to 200 with contact information. Default: 1000, or 200.
        ///
        /// Always sent: the provider's own default has changed over time.
    }

    fn contact(&self) -> bool {
        self.with_register_contact_info == Some(true)
    }

    fn page_size(&self) -> u32 {
        self.paging.limit.unwrap_or(if self.contact() { MAX_WITH_CONTACT } else { DEFAULT_LIMIT })
    }

    fn request(&self, at: Option<&String>) -> Result<ApiRequest> {
        if self.contact() {
            check_limit(self.page_size(), MAX_WITH_CONTACT, " with contact information")?;
        } else {
            check_limit(self.page_size(), MAX_LIMIT, "")?;
        }
        if let Some(id) = &self.parent_id {
            check_length("parent_id", id, 1, 100)?;
        }
        self.paging.check_marker()?;
        let call = ApiRequest::get(ACCOUNTS)
            .query("parent_id", self.parent_id.as_ref())
            .query("with_register_contact_info", self.with_register_contact_info);
        Ok(self.paging.query(call, self.page_size(), at))
    }
}

impl Paginator for ListAccounts {
    type Item = Account;
    type Cursor = String;

    fn listing_id(&self) -> ListingId {
        self.client.listing_id(&self.request(None))
    }

    async fn fetch(&self, at: Option<&String>) -> Result<Page<Account, String>> {
        self.client.send(self.request(at), |response| read_page(response, "accounts")).await
    }

    fn item_id<'a>(&self, account: &'a Account) -> Option<Cow<'a, str>> {
        Some(account.row_id())
    }
}

record! {
    id = id;

    /// A root, an organizational unit or an account: `EntityDto` of the reference.
    ///
    /// Only `id` is certain to be there.
    pub struct Entity {
        /// Its id: `r-…` of a root, `ou-…` of an organizational unit, the account's own of an account.
        #[serde(deserialize_with = "crate::record::id")]
        pub id: String,
        /// Its name.
        pub name: Option<String>,
        /// What it is.
        #[serde(rename = "type")]
        pub entity_type: Option<EntityType>,
    }
}

open_enum! {
    /// What an entity is.
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
    /// The roots, organizational units and accounts of the organization.
    ///
    /// For the management account and delegated administrators; IAM action `organizations:entities:list`.
    pub fn list_entities(&self) -> ListEntities {
        ListEntities { client: self.clone(), parent_id: None, child_id: None, paging: Paging::default() }
    }
}

/// `GET /v1/organizations/entities`: roots, organizational units and accounts, by `marker`.
///
/// It ends as [`ListAccounts`](super::ListAccounts) does. That an empty list is told as `[]`, with
/// `page_info`, is an assumption: an answer that lacks one of them, or has null in its place, is an error and
/// never an end.
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
    /// Only the children of a root (`r-…`) or organizational unit (`ou-…`). At most 100 characters.
    pub fn parent_id(mut self, id: impl Into<String>) -> Self {
        self.parent_id = Some(id.into());
        self
    }

    /// Only the parent of this organizational unit or account. At most 100 characters.
    ///
    /// The reference speaks of units only; that accounts are taken is what the vendor's Terraform provider
    /// does.
    pub fn child_id(mut self, id: impl Into<String>) -> Self {
        self.child_id = Some(id.into());
        self
    }

    marker_setters! {
        /// Entities on a page: 1 to 2000. Default: 1000. Always sent.
    }

    fn request(&self, at: Option<&String>) -> Result<ApiRequest> {
        for (name, id) in [("parent_id", &self.parent_id), ("child_id", &self.child_id)] {
            if let Some(id) = id {
                check_length(name, id, 1, 100)?;
            }
        }
        self.paging.check()?;
        let call = ApiRequest::get(ENTITIES)
            .query("parent_id", self.parent_id.as_ref())
            .query("child_id", self.child_id.as_ref());
        Ok(self.paging.query(call, self.paging.size(), at))
    }
}

impl Paginator for ListEntities {
    type Item = Entity;
    type Cursor = String;

    fn listing_id(&self) -> ListingId {
        self.client.listing_id(&self.request(None))
    }

    async fn fetch(&self, at: Option<&String>) -> Result<Page<Entity, String>> {
        self.client.send(self.request(at), |response| read_page(response, "entities")).await
    }

    fn item_id<'a>(&self, entity: &'a Entity) -> Option<Cow<'a, str>> {
        Some(entity.row_id())
    }
}

record! {
    id = service_principal;

    /// A service of which an account is a delegated administrator: `DelegatedServiceDto` of the reference.
    ///
    /// Only `service_principal` is certain to be there.
    pub struct DelegatedService {
        /// The name of the service.
        #[serde(deserialize_with = "crate::record::id")]
        pub service_principal: String,
        /// When the account became its delegated administrator.
        pub delegation_enabled_at: Option<Timestamp>,
    }
}

impl Client {
    /// The services of which an account is a delegated administrator.
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

/// `GET /v1/organizations/accounts/{account_id}/delegated-services`: the services of which an account is a
/// delegated administrator, by `marker`.
///
/// It ends as [`ListAccounts`](super::ListAccounts) does. Whether the list of an account that is no delegated
/// administrator is empty or an error is not documented. That an empty list is told as `[]`, with
/// `page_info`, is an assumption: an answer that lacks one of them, or has null in its place, is an error and
/// never an end.
///
/// # Errors
/// Those of [`ListAccounts`](super::ListAccounts), and [`Config`](crate::ErrorKind::Config) if the id can not
/// stand in a path.
#[derive(Clone, Debug)]
#[must_use = "a list does nothing until its stream is polled"]
pub struct ListDelegatedServices {
    client: Client,
    account_id: String,
    paging: Paging,
}

impl ListDelegatedServices {
    marker_setters! {
        /// Services on a page: 1 to 2000. Default: 1000. Always sent.
    }

    fn request(&self, at: Option<&String>) -> Result<ApiRequest> {
        self.paging.check()?;
        let call = ApiRequest::get(account_path(&self.account_id, "/delegated-services")?);
        Ok(self.paging.query(call, self.paging.size(), at))
    }
}

impl Paginator for ListDelegatedServices {
    type Item = DelegatedService;
    type Cursor = String;

    fn listing_id(&self) -> ListingId {
        self.client.listing_id(&self.request(None))
    }

    async fn fetch(&self, at: Option<&String>) -> Result<Page<DelegatedService, String>> {
        self.client.send(self.request(at), |response| read_page(response, "delegated_services")).await
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
    fn only_a_marker_with_something_in_it_leads_on() {
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
            assert!(read(wrong).is_err(), "{wrong} is no end either");
        }
    }

    #[test]
    fn a_count_of_any_kind_costs_no_page() {
        let count = |json: &str| {
            let page = read(json).unwrap();
            (page.items.len(), page.reported_rows)
        };
        for none in ["{}", r#"{"current_count":null}"#, r#"{"current_count":"1"}"#, r#"{"current_count":-1}"#]
        {
            assert_eq!(count(none), (1, None), "{none}");
        }
        assert_eq!(count(r#"{"current_count":100}"#), (1, Some(100)), "the reference's own sample");
    }

    #[test]
    fn the_limit_is_always_sent_and_the_marker_only_if_there_is_one() {
        let query = |paging: Paging, at: Option<&str>| {
            paging.query(ApiRequest::get("/x"), paging.size(), at.map(str::to_owned).as_ref()).query
        };
        let given = Paging { limit: Some(7), marker: Some("here".into()) };
        assert_eq!(query(Paging::default(), None), [("limit", "1000".to_owned())]);
        assert_eq!(query(given.clone(), None), [("limit", "7".into()), ("marker", "here".into())]);
        assert_eq!(query(given, Some("next")), [("limit", "7".into()), ("marker", "next".into())]);
    }
}
