//! Requests about one account: showing, updating, moving, removing and closing it.

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
/// Where closures are listed.
const CLOSURES: &str = "/v1/organizations/close-account-status";

/// The path of an account, or of what is `below` it, such as `/close`.
pub(super) fn account_path(id: &str, below: &str) -> Result<String> {
    Ok(format!("{ACCOUNTS}/{}{below}", path_segment("account id", id)?))
}

/// Refuses a text that has fewer or more characters than the reference, which counts in characters, says.
pub(super) fn check_length(name: &str, text: &str, least: usize, most: usize) -> Result<()> {
    let length = text.chars().count();
    if (least..=most).contains(&length) {
        return Ok(());
    }
    Err(Error::config(format!("{name} has {length} characters; expected {least} to {most}")))
}

impl Client {
    /// One account of the organization, by its id.
    ///
    /// For the management account and delegated administrators; IAM action `organizations:accounts:get`.
    #[doc(alias = "show_account")]
    pub fn get_account(&self, id: impl Into<String>) -> GetAccount {
        GetAccount { client: self.clone(), id: id.into(), with_register_contact_info: None }
    }
}

/// `GET /v1/organizations/accounts/{account_id}`: one account. It reads, and is retried.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the id can not stand in a path;
/// [`NotFound`](crate::ErrorKind::NotFound) if there is no such account in the organization (the code is not
/// documented); [`PermissionDenied`](crate::ErrorKind::PermissionDenied) as in every list.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct GetAccount {
    client: Client,
    id: String,
    with_register_contact_info: Option<bool>,
}

impl GetAccount {
    /// Whether to tell the account's registered phone number and e-mail address: personal data.
    pub fn with_register_contact_info(mut self, yes: bool) -> Self {
        self.with_register_contact_info = Some(yes);
        self
    }

    /// Sends the request.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<Account> {
        self.client.send(self.request(), account::read).await
    }

    fn request(&self) -> Result<ApiRequest> {
        let call = ApiRequest::get(account_path(&self.id, "")?);
        Ok(call.query("with_register_contact_info", self.with_register_contact_info))
    }
}

impl Client {
    /// Changes what is told of an account. Only its description can be changed.
    ///
    /// For the management account only; IAM action `organizations:accounts:update`.
    pub fn update_account(&self, id: impl Into<String>) -> UpdateAccount {
        UpdateAccount { client: self.clone(), id: id.into(), description: None }
    }
}

/// `PATCH /v1/organizations/accounts/{account_id}`: changes an account's description.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied) it can be
/// sent again: the description is then as asked for, unless someone else has changed it meanwhile.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if no description is given (the provider would do nothing, and say
/// that all is well), or if the id can not stand in a path; [`NotFound`](crate::ErrorKind::NotFound) if there
/// is no such account (the code is not documented); [`PermissionDenied`](crate::ErrorKind::PermissionDenied) if the key does not
/// belong to the management account (`Organizations.1001`).
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
    /// The new description; an empty one clears it.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = Some(text.into());
        self
    }

    /// Sends the request, and gives the account as it is then.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<Account> {
        self.client.send(self.request(), account::read).await
    }

    fn request(&self) -> Result<ApiRequest> {
        let Some(description) = &self.description else {
            return Err(Error::config(
                "nothing is to be changed; expected a description, which may be empty",
            ));
        };
        ApiRequest::mutation(Method::PATCH, account_path(&self.id, "")?).json(&UpdateBody { description })
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
/// The lengths of the parents' ids are those of the API Reference of 2024.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), ask
/// [`list_entities`](Client::list_entities) with the account as `child_id` where it is now.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if a parent's id does not have 1 to 100 characters, or the account's
/// can not stand in a path; [`NotFound`](crate::ErrorKind::NotFound) or [`Api`](crate::ErrorKind::Api) if
/// there is no such account or parent, or the account is elsewhere (the codes are not documented);
/// [`PermissionDenied`](crate::ErrorKind::PermissionDenied) if the key does not belong to the management account
/// (`Organizations.1001`).
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
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<()> {
        self.client.send(self.request(), expect_empty).await
    }

    fn request(&self) -> Result<ApiRequest> {
        let (source, destination) = (&self.source_parent_id, &self.destination_parent_id);
        check_length("source_parent_id", source, 1, 100)?;
        check_length("destination_parent_id", destination, 1, 100)?;
        let body = MoveBody { source_parent_id: source, destination_parent_id: destination };
        ApiRequest::mutation(Method::POST, account_path(&self.id, "/move")?).json(&body)
    }
}

impl Client {
    /// Removes an account from the organization. It goes on as an account of its own.
    ///
    /// For the management account only; IAM action `organizations:accounts:remove`.
    pub fn remove_account(&self, id: impl Into<String>) -> RemoveAccount {
        RemoveAccount { client: self.clone(), id: id.into() }
    }
}

/// `POST /v1/organizations/accounts/{account_id}/remove`: removes an account from the organization.
///
/// The account must have what it needs to go on alone, and must not be a delegated administrator: *User
/// Guide*, "Removing a Member Account from Your Organization". All of it is left to the provider to check.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), ask
/// [`get_account`](Client::get_account) whether it is still there.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the id can not stand in a path;
/// [`NotFound`](crate::ErrorKind::NotFound) if there is no such account (the code is not documented);
/// [`Api`](crate::ErrorKind::Api) if it can not be removed; [`PermissionDenied`](crate::ErrorKind::PermissionDenied) if the key
/// does not belong to the management account (`Organizations.1001`).
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct RemoveAccount {
    client: Client,
    id: String,
}

impl RemoveAccount {
    /// Sends the request.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<()> {
        self.client.send(self.request(), expect_empty).await
    }

    fn request(&self) -> Result<ApiRequest> {
        Ok(ApiRequest::mutation(Method::POST, account_path(&self.id, "/remove")?))
    }
}

impl Client {
    /// Closes an account that was created in the organization. **This can not be undone**: what the account
    /// holds is deleted.
    ///
    /// For the management account only (the reference does not say so for this endpoint, the User Guide does
    /// for the console). IAM users need no permission under identity policies, says the reference.
    #[doc(alias = "delete_account")]
    pub fn close_account(&self, id: impl Into<String>) -> CloseAccount {
        CloseAccount { client: self.clone(), id: id.into() }
    }
}

/// `POST /v1/organizations/accounts/{account_id}/close`: closes an account.
///
/// The account is `pending_closure` at first and `suspended` once it is closed; it is listed for another 90
/// days. Accounts that were invited can not be closed. Three are closed at a time, and at most a tenth of all
/// accounts, 200 at most, within 30 days. All this is of the *User Guide*, "Closing an Account"; with which
/// codes the provider refuses what goes beyond is not documented.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), look for
/// the account in [`list_close_account_statuses`](Client::list_close_account_statuses). Closing an account that
/// is being closed fails with `Organizations.1325` and does no harm.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the id can not stand in a path;
/// [`NotFound`](crate::ErrorKind::NotFound) if there is no such account (the code is not documented);
/// [`Api`](crate::ErrorKind::Api) if it is being closed already (`Organizations.1325`), or can not be;
/// [`PermissionDenied`](crate::ErrorKind::PermissionDenied) if the key does not belong to the management account.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct CloseAccount {
    client: Client,
    id: String,
}

impl CloseAccount {
    /// Sends the request. That it succeeds says that the closure was taken up.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<()> {
        self.client.send(self.request(), expect_empty).await
    }

    fn request(&self) -> Result<ApiRequest> {
        Ok(ApiRequest::mutation(Method::POST, account_path(&self.id, "/close")?))
    }
}

record! {
    id = account_id;

    /// How far the closure of an account has come: `CloseAccountStatusDto` of the reference.
    ///
    /// Only `account_id` is certain to be there.
    pub struct CloseAccountStatus {
        /// The id of the account.
        #[serde(deserialize_with = "crate::record::id")]
        pub account_id: String,
        /// How far it has come.
        pub state: Option<CloseAccountState>,
        /// When the closure was asked for.
        pub created_at: Option<Timestamp>,
        /// When its state changed last.
        pub updated_at: Option<Timestamp>,
        /// The id of the organization.
        pub organization_id: Option<String>,
        /// Why it failed. Which reasons there are is not documented.
        pub failure_reason: Option<String>,
    }
}

open_enum! {
    /// How far the closure of an account has come.
    pub enum CloseAccountState {
        /// Under way.
        PendingClosure = "pending_closure",
        /// Done: the account is closed.
        Suspended = "suspended",
    }
}

impl Client {
    /// The closures of accounts that were asked for, and how far they have come.
    ///
    /// For the management account and delegated administrators; IAM action
    /// `organizations:closeAccountStatuses:list`.
    pub fn list_close_account_statuses(&self) -> ListCloseAccountStatuses {
        ListCloseAccountStatuses { client: self.clone(), states: Vec::new() }
    }
}

/// `GET /v1/organizations/close-account-status`: closures of accounts, all in one answer.
///
/// The endpoint does not page, so this list has one page. That the answer is whole is an assumption: the
/// reference names no most. So is that an empty list is told as `[]`: an answer without it, or with null in
/// its place, is an error and never an end. It is a [`Paginator`] all the same, so that a row that can not be
/// read is told in its place, as in every list.
///
/// # Errors
/// Those of [`ListAccounts`](super::ListAccounts).
#[derive(Clone, Debug)]
#[must_use = "a list does nothing until its stream is polled"]
pub struct ListCloseAccountStatuses {
    client: Client,
    /// Each once and sorted: whatever the order they are given in, the list is the same.
    states: Vec<CloseAccountState>,
}

/// The cursor of a list that has one page: there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoCursor {}

impl ListCloseAccountStatuses {
    /// Only closures in this state; with two, in any of them, which is as many as there are. Default: all.
    pub fn state(mut self, state: CloseAccountState) -> Self {
        let place = self.states.binary_search_by(|other| other.as_str().cmp(state.as_str()));
        if let Err(place) = place {
            self.states.insert(place, state);
        }
        self
    }

    fn request(&self) -> Result<ApiRequest> {
        if self.states.len() > 2 {
            return Err(Error::config(format!("{} states; expected at most 2", self.states.len())));
        }
        let call = ApiRequest::get(CLOSURES);
        Ok(self.states.iter().fold(call, |call, state| call.query("states", Some(state))))
    }
}

fn read_closures(response: &ApiResponse) -> Result<Page<CloseAccountStatus, NoCursor>> {
    const NAME: &str = "close_account_statuses";
    const EXPECTED: &str = "an object with close_account_statuses";
    let (rows, IgnoredAny) = read_page(response, NAME, EXPECTED)?;
    Ok(rows.ok_or_else(|| no_rows(response, NAME, EXPECTED))?.into_page(None))
}

impl Paginator for ListCloseAccountStatuses {
    type Item = CloseAccountStatus;
    type Cursor = NoCursor;

    fn listing_id(&self) -> ListingId {
        self.client.listing_id(&self.request())
    }

    async fn fetch(&self, _: Option<&NoCursor>) -> Result<Page<CloseAccountStatus, NoCursor>> {
        self.client.send(self.request(), read_closures).await
    }

    /// The account and the time: after a failure, the same account may have been asked to be closed again.
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
    fn a_length_is_counted_in_characters_and_both_its_bounds_are_taken() {
        for text in ["éé", "欢迎你"] {
            assert!(check_length("notes", text, 2, 3).is_ok(), "{text}");
        }
        let refused = |text: &str| check_length("notes", text, 2, 3).unwrap_err().message().to_owned();
        assert_eq!(refused("é"), "notes has 1 characters; expected 2 to 3");
        assert_eq!(refused("welcome"), "notes has 7 characters; expected 2 to 3");
    }

    #[test]
    fn the_references_example_decodes_to_every_field() {
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
