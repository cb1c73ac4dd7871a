//! Requests for one account (get, update, move, remove, close), and the listing of closures.

use std::borrow::Cow;

use http::Method;
use serde::{Deserialize, Serialize, de::IgnoredAny};

use super::{Account, Client, account};
use crate::{
    Error, ListingId, Page, Paginator, Result, Timestamp,
    http::{ApiRequest, ApiResponse, expect_empty, no_rows, path_segment, read_page},
    open_enum::open_enum,
    record::record,
};

pub(super) const ACCOUNTS: &str = "/v1/organizations/accounts";
const CLOSE_STATUSES: &str = "/v1/organizations/close-account-status";

/// Returns the path of an account, with a suffix such as `/close`.
pub(super) fn account_path(id: &str, suffix: &str) -> Result<String> {
    Ok(format!("{ACCOUNTS}/{}{suffix}", path_segment("account id", id)?))
}

/// Checks the length of a text in characters, which is the unit of the reference.
pub(super) fn validate_length(name: &str, text: &str, min: usize, max: usize) -> Result<()> {
    let length = text.chars().count();
    if (min..=max).contains(&length) {
        return Ok(());
    }
    let unit = if length == 1 { "character" } else { "characters" };
    Err(Error::config(format!("{name} has {length} {unit}; expected {min} to {max}")))
}

impl Client {
    /// Fetches one account of the organization by its id.
    ///
    /// For the management account and delegated administrators; IAM action `organizations:accounts:get`.
    #[doc(alias = "show_account")]
    pub fn get_account(&self, id: impl Into<String>) -> GetAccount {
        GetAccount { client: self.clone(), id: id.into(), with_register_contact_info: None }
    }
}

/// `GET /v1/organizations/accounts/{account_id}`: one account. It is idempotent and retried.
///
/// # Errors
/// - [`Config`](crate::ErrorKind::Config) if the account id is not a valid path segment
/// - [`NotFound`](crate::ErrorKind::NotFound) if the organization has no such account (the code is not
///   documented)
/// - [`PermissionDenied`](crate::ErrorKind::PermissionDenied) as for [`ListAccounts`](super::ListAccounts)
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct GetAccount {
    client: Client,
    id: String,
    with_register_contact_info: Option<bool>,
}

impl GetAccount {
    /// Sets whether to include the registered phone number and e-mail address, which are personal data.
    pub fn with_register_contact_info(mut self, yes: bool) -> Self {
        self.with_register_contact_info = Some(yes);
        self
    }

    /// Sends the request.
    pub async fn send(self) -> Result<Account> {
        self.client.send(self.request(), account::read_account).await
    }

    fn request(&self) -> Result<ApiRequest> {
        let request = ApiRequest::get(account_path(&self.id, "")?);
        Ok(request.query("with_register_contact_info", self.with_register_contact_info))
    }
}

impl Client {
    /// Updates an account. Only its description can be changed.
    ///
    /// For the management account only; IAM action `organizations:accounts:update`.
    pub fn update_account(&self, id: impl Into<String>) -> UpdateAccount {
        UpdateAccount { client: self.clone(), id: id.into(), description: None }
    }
}

/// `PATCH /v1/organizations/accounts/{account_id}`: changes an account's description.
///
/// # Retries
/// Not idempotent: retried only if the request never reached the server. After
/// [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied) the request can be repeated. The
/// description is then the requested one, unless another client has changed it in between.
///
/// # Errors
/// - [`Config`](crate::ErrorKind::Config) if no description is set (the provider would change nothing and
///   report success), or if the account id is not a valid path segment
/// - [`NotFound`](crate::ErrorKind::NotFound) if there is no such account (the code is not documented)
/// - [`PermissionDenied`](crate::ErrorKind::PermissionDenied) if the key does not belong to the management
///   account (`Organizations.1001`)
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct UpdateAccount {
    client: Client,
    id: String,
    description: Option<String>,
}

#[derive(Serialize)]
struct UpdateBody<'a> {
    description: &'a str,
}

impl UpdateAccount {
    /// Sets the new description. An empty text clears it.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = Some(text.into());
        self
    }

    /// Sends the request and returns the updated account.
    pub async fn send(self) -> Result<Account> {
        self.client.send(self.request(), account::read_account).await
    }

    fn request(&self) -> Result<ApiRequest> {
        let Some(description) = &self.description else {
            return Err(Error::config("nothing to change; expected a description, which may be empty"));
        };
        ApiRequest::new(Method::PATCH, account_path(&self.id, "")?).json(&UpdateBody { description })
    }
}

impl Client {
    /// Moves an account from one root (`r-…`) or organizational unit (`ou-…`) to another.
    ///
    /// For the management account only (the reference does not say so for this endpoint); IAM action
    /// `organizations:accounts:move`.
    pub fn move_account(
        &self,
        id: impl Into<String>,
        source_parent_id: impl Into<String>,
        destination_parent_id: impl Into<String>,
    ) -> MoveAccount {
        MoveAccount {
            client: self.clone(),
            id: id.into(),
            source_parent_id: source_parent_id.into(),
            destination_parent_id: destination_parent_id.into(),
        }
    }
}

/// `POST /v1/organizations/accounts/{account_id}/move`: moves an account to another parent.
///
/// The lengths of the parent ids are those of the API Reference of 2024.
///
/// # Retries
/// Not idempotent: retried only if the request never reached the server. After
/// [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), call
/// [`list_entities`](Client::list_entities) with the account as `child_id` to get its current parent.
///
/// # Errors
/// - [`Config`](crate::ErrorKind::Config) if a parent id does not have 1 to 100 characters, or if the account
///   id is not a valid path segment
/// - [`NotFound`](crate::ErrorKind::NotFound) or [`Api`](crate::ErrorKind::Api) if there is no such account
///   or parent, or the source is not the account's parent (the codes are not documented)
/// - [`PermissionDenied`](crate::ErrorKind::PermissionDenied) if the key does not belong to the management
///   account (`Organizations.1001`)
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct MoveAccount {
    client: Client,
    id: String,
    source_parent_id: String,
    destination_parent_id: String,
}

#[derive(Serialize)]
struct MoveBody<'a> {
    source_parent_id: &'a str,
    destination_parent_id: &'a str,
}

impl MoveAccount {
    /// Sends the request.
    pub async fn send(self) -> Result<()> {
        self.client.send(self.request(), expect_empty).await
    }

    fn request(&self) -> Result<ApiRequest> {
        let (source, destination) = (&self.source_parent_id, &self.destination_parent_id);
        validate_length("source_parent_id", source, 1, 100)?;
        validate_length("destination_parent_id", destination, 1, 100)?;
        let body = MoveBody { source_parent_id: source, destination_parent_id: destination };
        ApiRequest::new(Method::POST, account_path(&self.id, "/move")?).json(&body)
    }
}

impl Client {
    /// Removes an account from the organization. It becomes a standalone account.
    ///
    /// For the management account only; IAM action `organizations:accounts:remove`.
    pub fn remove_account(&self, id: impl Into<String>) -> RemoveAccount {
        RemoveAccount { client: self.clone(), id: id.into() }
    }
}

/// `POST /v1/organizations/accounts/{account_id}/remove`: removes an account from the organization.
///
/// The account must have the information that a standalone account requires, and must not be a delegated
/// administrator: *User Guide*, "Removing a Member Account from Your Organization". The provider checks this;
/// this crate does not.
///
/// # Retries
/// Not idempotent: retried only if the request never reached the server. After
/// [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), call
/// [`get_account`](Client::get_account) to check whether the account is still in the organization.
///
/// # Errors
/// - [`Config`](crate::ErrorKind::Config) if the account id is not a valid path segment
/// - [`NotFound`](crate::ErrorKind::NotFound) if there is no such account (the code is not documented)
/// - [`Api`](crate::ErrorKind::Api) if the account cannot be removed
/// - [`PermissionDenied`](crate::ErrorKind::PermissionDenied) if the key does not belong to the management
///   account (`Organizations.1001`)
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct RemoveAccount {
    client: Client,
    id: String,
}

impl RemoveAccount {
    /// Sends the request.
    pub async fn send(self) -> Result<()> {
        self.client.send(self.request(), expect_empty).await
    }

    fn request(&self) -> Result<ApiRequest> {
        Ok(ApiRequest::new(Method::POST, account_path(&self.id, "/remove")?))
    }
}

impl Client {
    /// Closes an account that was created in the organization. **This cannot be undone**: the data and
    /// resources of the account are deleted.
    ///
    /// For the management account only (the reference does not say so for this endpoint, the User Guide does
    /// for the console). According to the reference, IAM users need no permission under identity policies.
    #[doc(alias = "delete_account")]
    pub fn close_account(&self, id: impl Into<String>) -> CloseAccount {
        CloseAccount { client: self.clone(), id: id.into() }
    }
}

/// `POST /v1/organizations/accounts/{account_id}/close`: closes an account.
///
/// The status of the account is `pending_closure` first, and `suspended` once it is closed. A closed account
/// is listed for another 90 days. Invited accounts cannot be closed. At most three accounts can be closing at
/// the same time, and at most 10 % of all accounts, up to 200, can be closed within 30 days. All of this is
/// from the *User Guide*, "Closing an Account". The error codes for exceeding these limits are not
/// documented.
///
/// # Retries
/// Not idempotent: retried only if the request never reached the server. After
/// [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), look for the account in
/// [`list_close_account_statuses`](Client::list_close_account_statuses). Repeating the request is harmless:
/// for an account that is being closed, it fails with `Organizations.1325`.
///
/// # Errors
/// - [`Config`](crate::ErrorKind::Config) if the account id is not a valid path segment
/// - [`NotFound`](crate::ErrorKind::NotFound) if there is no such account (the code is not documented)
/// - [`Api`](crate::ErrorKind::Api) if the account is already being closed (`Organizations.1325`), or cannot
///   be closed
/// - [`PermissionDenied`](crate::ErrorKind::PermissionDenied) if the key does not belong to the management
///   account
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct CloseAccount {
    client: Client,
    id: String,
}

impl CloseAccount {
    /// Sends the request. Success means that the provider accepted the request, not that the account is
    /// closed.
    pub async fn send(self) -> Result<()> {
        self.client.send(self.request(), expect_empty).await
    }

    fn request(&self) -> Result<ApiRequest> {
        Ok(ApiRequest::new(Method::POST, account_path(&self.id, "/close")?))
    }
}

record! {
    id = account_id;

    /// The status of the closure of an account: `CloseAccountStatusDto` of the reference.
    ///
    /// Only `account_id` is guaranteed to be present.
    pub struct CloseAccountStatus {
        /// The id of the account.
        #[serde(deserialize_with = "crate::record::id")]
        pub account_id: String,
        /// The state of the closure.
        pub state: Option<CloseAccountState>,
        /// When the closure was requested.
        pub created_at: Option<Timestamp>,
        /// When the state last changed.
        pub updated_at: Option<Timestamp>,
        /// The id of the organization.
        pub organization_id: Option<String>,
        /// Why it failed. The possible values are not documented.
        pub failure_reason: Option<String>,
    }
}

open_enum! {
    /// The state of the closure of an account.
    pub enum CloseAccountState {
        /// In progress.
        PendingClosure = "pending_closure",
        /// The account is closed.
        Suspended = "suspended",
    }
}

impl Client {
    /// Lists the requested closures of accounts and their states.
    ///
    /// For the management account and delegated administrators; IAM action
    /// `organizations:closeAccountStatuses:list`.
    pub fn list_close_account_statuses(&self) -> ListCloseAccountStatuses {
        ListCloseAccountStatuses { client: self.clone(), states: Vec::new() }
    }
}

/// `GET /v1/organizations/close-account-status`: closures of accounts, in a single page.
///
/// It is a [`Paginator`], so that a record that cannot be decoded is reported in place, as in every listing.
/// The following is not documented and assumed:
///
/// - The page is complete. The endpoint has no paging, and the reference names no maximum.
/// - An empty listing has the array `[]`. A response without it, or with null in its place, is an error and
///   not the end.
///
/// # Errors
/// Those of [`ListAccounts`](super::ListAccounts).
#[derive(Clone, Debug)]
#[must_use = "a list does nothing until its stream is polled"]
pub struct ListCloseAccountStatuses {
    client: Client,
    /// Sorted and without duplicates, so that the order of the calls does not change the listing's identity.
    states: Vec<CloseAccountState>,
}

/// The cursor of a listing with a single page. It has no values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoCursor {}

impl ListCloseAccountStatuses {
    /// Lists only closures in this state. Can be called twice to include both states, which is the maximum.
    /// Default: all states.
    pub fn state(mut self, state: CloseAccountState) -> Self {
        let position = self.states.binary_search_by(|other| other.as_str().cmp(state.as_str()));
        if let Err(index) = position {
            self.states.insert(index, state);
        }
        self
    }

    fn request(&self) -> Result<ApiRequest> {
        if self.states.len() > 2 {
            return Err(Error::config(format!("{} states; expected at most 2", self.states.len())));
        }
        let request = ApiRequest::get(CLOSE_STATUSES);
        Ok(self.states.iter().fold(request, |request, state| request.query("states", Some(state))))
    }
}

fn read_close_statuses(response: &ApiResponse) -> Result<Page<CloseAccountStatus, NoCursor>> {
    const NAME: &str = "close_account_statuses";
    const EXPECTED: &str = "an object with close_account_statuses";
    let (rows, IgnoredAny) = read_page(response, NAME, EXPECTED)?;
    Ok(rows.ok_or_else(|| no_rows(response, NAME, EXPECTED))?.into_page(None))
}

crate::page::inherent_streams!(ListCloseAccountStatuses);

impl Paginator for ListCloseAccountStatuses {
    type Item = CloseAccountStatus;
    type Cursor = NoCursor;

    fn listing_id(&self) -> ListingId {
        self.client.listing_id(&self.request())
    }

    async fn fetch(&self, _: Option<&NoCursor>) -> Result<Page<CloseAccountStatus, NoCursor>> {
        self.client.send(self.request(), read_close_statuses).await
    }

    /// The id of the account and the time, because the closure of an account may be requested again after a
    /// failure.
    fn item_id<'a>(&self, status: &'a CloseAccountStatus) -> Option<Cow<'a, str>> {
        Some(match &status.created_at {
            Some(at) => Cow::Owned(format!("{} {at}", status.account_id)),
            None => Cow::Borrowed(&status.account_id),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_in_characters_and_inclusive() {
        for text in ["éé", "欢迎你"] {
            assert!(validate_length("notes", text, 2, 3).is_ok(), "{text}");
        }
        let message = |text: &str| validate_length("notes", text, 2, 3).unwrap_err().message().to_owned();
        assert_eq!(message("é"), "notes has 1 character; expected 2 to 3");
        assert_eq!(message("welcome"), "notes has 7 characters; expected 2 to 3");
    }

    #[test]
    fn reference_example() {
        let json = r#"{"account_id":"0a6d25d23900d45c0faac010e0fb4de0","updated_at":"2022-08-24T06:41:15Z",
            "created_at":"2022-08-24T06:41:15Z","organization_id":"o-fhkmi6mek7wlqdp6nideqhb47qwtjdsv",
            "state":"pending_closure","failure_reason":"string"}"#;
        let status: CloseAccountStatus = serde_json::from_str(json).unwrap();
        assert_eq!(status.account_id, "0a6d25d23900d45c0faac010e0fb4de0");
        assert_eq!(status.state, Some(CloseAccountState::PendingClosure));
        assert_eq!(status.created_at, status.updated_at);
        assert!(status.created_at.as_ref().is_some_and(|date| date.utc().is_some()));
        assert_eq!(status.organization_id.as_deref(), Some("o-fhkmi6mek7wlqdp6nideqhb47qwtjdsv"));
        assert_eq!(status.failure_reason.as_deref(), Some("string"));
        assert_eq!(status.raw(), json);
        assert!(serde_json::from_str::<CloseAccountStatus>(r#"{"account_id":"a"}"#).is_ok());
        assert!(serde_json::from_str::<CloseAccountStatus>(r#"{"account_id":""}"#).is_err());
    }
}
