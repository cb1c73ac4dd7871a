//! Creating an account: the requests, the status of a creation, and waiting for it to complete.

use std::{borrow::Cow, time::Duration};

use http::Method;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use super::{
    Client,
    list::{Paging, marker_setters, read_page},
    requests::{ACCOUNTS, validate_length},
};
use crate::{
    Error, ErrorKind, ListingId, Page, Paginator, Result, Retryability, Timestamp,
    http::{ApiRequest, ApiResponse, one_line, path_segment, read_object},
    open_enum::open_enum,
    record::{HasId, record},
};

const RESOURCE_ACCOUNTS: &str = "/v2/organizations/accounts";
const CREATE_STATUSES: &str = "/v1/organizations/create-account-status";

/// The maximum number of tags of an account: *User Guide*, "Overview of a Tag".
const MAX_TAGS: usize = 20;

/// A tag to attach to an account.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Tag {
    key: String,
    value: String,
}

impl Tag {
    pub(super) fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { key: key.into(), value: value.into() }
    }

    /// Checks that there are at most 20 tags, that keys have 1 to 128 characters and are distinct, and that
    /// values have at most 255 characters.
    ///
    /// The lengths are those of `TagDto` in the API Reference of 2024. The User Guide ("Overview of a Tag")
    /// has 225 for values; the larger limit is used. The maximum number of tags and the distinct keys are
    /// from the User Guide.
    pub(super) fn validate_all(tags: &[Self]) -> Result<()> {
        if tags.len() > MAX_TAGS {
            return Err(Error::config(format!("{} tags; expected at most {MAX_TAGS}", tags.len())));
        }
        for (index, tag) in tags.iter().enumerate() {
            validate_length("a tag's key", &tag.key, 1, 128)?;
            validate_length("a tag's value", &tag.value, 0, 255)?;
            if tags.iter().take(index).any(|other| other.key == tag.key) {
                return Err(Error::config(format!(
                    "duplicate tag key {:?}; expected distinct keys",
                    tag.key
                )));
            }
        }
        Ok(())
    }
}

impl Client {
    /// Creates an account in the organization, with its own e-mail address or phone number.
    ///
    /// The account is created asynchronously. Call [`wait_for_account`](Self::wait_for_account) with the id
    /// of the returned status.
    ///
    /// For the management account only; IAM action `organizations:accounts:create`, and
    /// `organizations:resources:tag` for tags.
    pub fn create_account(&self, name: impl Into<String>) -> CreateAccount {
        CreateAccount { client: self.clone(), account: NewAccount::new(name), email: None, phone: None }
    }

    /// Creates an account in the organization without e-mail address and phone number. The reference
    /// recommends this over [`create_account`](Self::create_account).
    ///
    /// The account is created asynchronously. Call [`wait_for_account`](Self::wait_for_account) with the id
    /// of the returned status.
    ///
    /// For the management account only. The reference does not name an IAM action.
    pub fn create_resource_account(&self, name: impl Into<String>) -> CreateResourceAccount {
        CreateResourceAccount { client: self.clone(), account: NewAccount::new(name) }
    }
}

/// The parameters that both requests have in common.
#[derive(Clone, Debug, Serialize)]
struct NewAccount {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    agency_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Tag>,
}

impl NewAccount {
    fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), agency_name: None, description: None, tags: Vec::new() }
    }

    fn validate(&self) -> Result<()> {
        if self.name.is_empty() {
            return Err(Error::config("name is empty; expected the name of the new account"));
        }
        Tag::validate_all(&self.tags)
    }
}

macro_rules! new_account_setters {
    () => {
        /// Sets the agency that gives the management account access to the new account. The provider's
        /// default is not documented.
        pub fn agency_name(mut self, name: impl Into<String>) -> Self {
            self.account.agency_name = Some(name.into());
            self
        }

        /// Sets the description.
        pub fn description(mut self, text: impl Into<String>) -> Self {
            self.account.description = Some(text.into());
            self
        }

        /// Adds a tag. At most 20 tags with distinct keys are allowed (*User Guide*, "Overview of a Tag").
        /// Keys have 1 to 128 characters, values at most 255 (*API Reference* of 2024, `TagDto`).
        pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
            self.account.tags.push(Tag::new(key, value));
            self
        }
    };
}

/// `POST /v1/organizations/accounts`: creates an account.
///
/// The name must differ from that of every existing account (*User Guide*, "Creating an Account"). Its length
/// is checked by the provider, because the reference limits names only in responses, to 64 characters. By
/// default, an organization has at most 10 member accounts, and at most 5 can be created at the same time
/// (*Service Overview*). The error codes for exceeding these limits are not documented.
///
/// # Retries
/// Not idempotent: retried only if the request never reached the server. After
/// [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), look for the name in
/// [`list_create_account_statuses`](Client::list_create_account_statuses) before repeating the request. The
/// API has no idempotency key.
///
/// # Errors
/// - [`Config`](crate::ErrorKind::Config) if the name is empty, a tag is too long or has no key, or there are
///   too many tags or duplicate keys
/// - [`PermissionDenied`](crate::ErrorKind::PermissionDenied) if the key does not belong to the management
///   account (`Organizations.1001`) or a policy does not allow it (`.1007`)
/// - [`Api`](crate::ErrorKind::Api) with [`Retryability::Retryable`](crate::Retryability::Retryable) after a
///   concurrent modification (`.1003`)
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct CreateAccount {
    client: Client,
    account: NewAccount,
    email: Option<String>,
    phone: Option<String>,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(flatten)]
    account: &'a NewAccount,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'a str>,
}

impl CreateAccount {
    /// Sets the account's e-mail address, which is required on the international site.
    ///
    /// The site of a key cannot be determined from the key, so the provider checks this.
    pub fn email(mut self, address: impl Into<String>) -> Self {
        self.email = Some(address.into());
        self
    }

    /// Sets the account's mobile number, which is required on the Chinese mainland site. The provider checks
    /// this, as for [`email`](Self::email).
    pub fn phone(mut self, number: impl Into<String>) -> Self {
        self.phone = Some(number.into());
        self
    }

    new_account_setters!();

    /// Sends the request and returns the status of the creation, which is usually still in progress.
    pub async fn send(self) -> Result<CreateAccountStatus> {
        self.client.send(self.request(), read_status).await
    }

    fn request(&self) -> Result<ApiRequest> {
        self.account.validate()?;
        let body =
            Body { account: &self.account, email: self.email.as_deref(), phone: self.phone.as_deref() };
        ApiRequest::new(Method::POST, ACCOUNTS).json(&body)
    }
}

/// `POST /v2/organizations/accounts`: creates an account without e-mail address and phone number.
///
/// The requirements for the name and the limits are those of [`CreateAccount`].
///
/// # Retries
/// Those of [`CreateAccount`].
///
/// # Errors
/// Those of [`CreateAccount`].
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct CreateResourceAccount {
    client: Client,
    account: NewAccount,
}

impl CreateResourceAccount {
    new_account_setters!();

    /// Sends the request and returns the status of the creation, which is usually still in progress.
    pub async fn send(self) -> Result<CreateAccountStatus> {
        self.client.send(self.request(), read_status).await
    }

    fn request(&self) -> Result<ApiRequest> {
        self.account.validate()?;
        ApiRequest::new(Method::POST, RESOURCE_ACCOUNTS).json(&self.account)
    }
}

record! {
    id = id;

    /// The status of the creation of an account: `CreateAccountStatusDto` of the reference.
    ///
    /// Only `id` is guaranteed to be present.
    pub struct CreateAccountStatus {
        /// The id of the creation, for [`Client::wait_for_account`].
        #[serde(deserialize_with = "crate::record::id")]
        pub id: String,
        /// The state of the creation.
        pub state: Option<CreateAccountState>,
        /// The id of the new account, once it exists.
        pub account_id: Option<String>,
        /// The requested name.
        pub account_name: Option<String>,
        /// When the creation was requested.
        pub created_at: Option<Timestamp>,
        /// When it was completed.
        pub completed_at: Option<Timestamp>,
        /// Why it failed. The possible values are not documented.
        pub failure_reason: Option<String>,
        /// Why it failed, in detail.
        pub failure_detail_msg: Option<FailureDetail>,
    }
}

open_enum! {
    /// The state of the creation of an account.
    pub enum CreateAccountState {
        /// In progress.
        InProgress = "in_progress",
        /// The account exists.
        Succeeded = "succeeded",
        /// The creation failed; there is no account.
        Failed = "failed",
    }
}

/// Why the creation of an account failed, as reported by the underlying service.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct FailureDetail {
    /// The error message.
    pub error_msg: Option<String>,
    /// What a policy denied, in an encoding that only the provider can decode.
    pub encoded_authorization_message: Option<String>,
}

impl Client {
    /// Fetches the status of the creation of an account. `id` is the id of the status that
    /// [`create_account`](Self::create_account) returns.
    ///
    /// For the management account and delegated administrators; IAM action
    /// `organizations:createAccountStatuses:get`.
    #[doc(alias = "show_create_account_status")]
    pub fn get_create_account_status(&self, id: impl Into<String>) -> GetCreateAccountStatus {
        GetCreateAccountStatus { client: self.clone(), id: id.into() }
    }
}

/// `GET /v1/organizations/create-account-status/{create_account_status_id}`: the status of one creation. It
/// is idempotent and retried.
///
/// # Errors
/// - [`Config`](crate::ErrorKind::Config) if the id is not a valid path segment
/// - [`NotFound`](crate::ErrorKind::NotFound) if there is no such creation (the code is not documented)
/// - [`PermissionDenied`](crate::ErrorKind::PermissionDenied) as for [`ListAccounts`](super::ListAccounts)
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct GetCreateAccountStatus {
    client: Client,
    id: String,
}

impl GetCreateAccountStatus {
    /// Sends the request. A failed creation is not an error: the returned status has the state `failed`.
    pub async fn send(self) -> Result<CreateAccountStatus> {
        self.client.send(self.request(), read_status).await
    }

    fn request(&self) -> Result<ApiRequest> {
        Ok(ApiRequest::get(format!(
            "{CREATE_STATUSES}/{}",
            path_segment("create account status id", &self.id)?
        )))
    }
}

#[derive(Deserialize)]
struct Envelope {
    create_account_status: CreateAccountStatus,
}

fn read_status(response: &ApiResponse) -> Result<CreateAccountStatus> {
    let envelope: Envelope = read_object(response, "an object with create_account_status")?;
    Ok(envelope.create_account_status)
}

impl Client {
    /// Lists the requested creations of accounts and their states.
    ///
    /// For the management account and delegated administrators; IAM action
    /// `organizations:createAccountStatuses:list`.
    pub fn list_create_account_statuses(&self) -> ListCreateAccountStatuses {
        ListCreateAccountStatuses { client: self.clone(), states: Vec::new(), paging: Paging::default() }
    }
}

/// `GET /v1/organizations/create-account-status`: creations of accounts, paged by `marker`.
///
/// It ends like [`ListAccounts`](super::ListAccounts), with the same assumptions. How long the provider keeps
/// the status of a creation is not documented.
///
/// # Errors
/// Those of [`ListAccounts`](super::ListAccounts).
#[derive(Clone, Debug)]
#[must_use = "a list does nothing until its stream is polled"]
pub struct ListCreateAccountStatuses {
    client: Client,
    /// Sorted and without duplicates, so that the order of the calls does not change the listing's identity.
    states: Vec<CreateAccountState>,
    paging: Paging,
}

impl ListCreateAccountStatuses {
    /// Lists only creations in this state. Can be called repeatedly to include several states. Default: all
    /// states.
    pub fn state(mut self, state: CreateAccountState) -> Self {
        let position = self.states.binary_search_by(|other| other.as_str().cmp(state.as_str()));
        if let Err(index) = position {
            self.states.insert(index, state);
        }
        self
    }

    marker_setters! {
        /// Sets the page size: 1 to 2000. Default: 1000. It is always sent.
    }

    fn request(&self, cursor: Option<&String>) -> Result<ApiRequest> {
        self.paging.validate()?;
        let request = ApiRequest::get(CREATE_STATUSES);
        let request = self.states.iter().fold(request, |request, state| request.query("states", Some(state)));
        Ok(self.paging.query(request, self.paging.page_size(), cursor))
    }
}

crate::page::inherent_streams!(ListCreateAccountStatuses);

impl Paginator for ListCreateAccountStatuses {
    type Item = CreateAccountStatus;
    type Cursor = String;

    fn listing_id(&self) -> ListingId {
        self.client.listing_id(&self.request(None))
    }

    async fn fetch(&self, cursor: Option<&String>) -> Result<Page<CreateAccountStatus, String>> {
        self.client
            .send(self.request(cursor), |response| read_page(response, "create_account_statuses"))
            .await
    }

    fn item_id<'a>(&self, status: &'a CreateAccountStatus) -> Option<Cow<'a, str>> {
        Some(status.row_id())
    }
}

/// How long a 404 is tolerated for a new creation. This value is this crate's choice.
const NOT_FOUND_GRACE: Duration = Duration::from_secs(30);

impl Client {
    /// Waits until the creation of an account completes. `status_id` is the id of the status that
    /// [`create_account`](Self::create_account) returns.
    ///
    /// For the management account and delegated administrators; IAM action
    /// `organizations:createAccountStatuses:get`.
    pub fn wait_for_account(&self, status_id: impl Into<String>) -> WaitForAccount {
        WaitForAccount {
            client: self.clone(),
            status_id: status_id.into(),
            first_interval: Duration::from_secs(2),
            max_interval: Duration::from_secs(30),
            timeout: Duration::from_secs(10 * 60),
        }
    }
}

/// Polls the status of a creation until it succeeds, fails, or the timeout expires.
///
/// The first poll is immediate. The intervals between polls double from the first up to the maximum. How long
/// a creation takes is not documented, so the defaults are this crate's choice. An unknown or missing state
/// is treated like `in_progress`.
///
/// # Retries
/// Waiting has no side effects and can be repeated with the same id after any error. Each poll is retried
/// like every read. If it still fails, polling continues in these cases:
///
/// - The error is throttled or [`Retryability::Retryable`](crate::Retryability::Retryable), such as after a
///   concurrent modification (`Organizations.1003`).
/// - The status is 404, the creation has not been found yet, and less than 30 s have passed. Whether a
///   creation can be found immediately after its request is not documented.
///
/// The next poll follows after the next interval, or after the provider's `Retry-After` if that is longer. If
/// the remaining time is not sufficient, or for any other error, the error is returned.
///
/// # Errors
/// - [`Api`](ErrorKind::Api) if the creation failed. [`code`](Error::code) is the provider's
///   `failure_reason`; [`get_create_account_status`](Client::get_create_account_status) with the same id
///   returns the full status
/// - [`Timeout`](ErrorKind::Timeout) if the timeout expires; the creation may still be in progress
/// - [`Config`](ErrorKind::Config) if an interval is zero
/// - those of [`GetCreateAccountStatus`](super::GetCreateAccountStatus)
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct WaitForAccount {
    client: Client,
    status_id: String,
    first_interval: Duration,
    max_interval: Duration,
    timeout: Duration,
}

impl WaitForAccount {
    /// Sets the interval between the first poll and the second. Default: 2 s.
    pub fn first_interval(mut self, interval: Duration) -> Self {
        self.first_interval = interval;
        self
    }

    /// Sets the maximum interval between polls. Default: 30 s.
    pub fn max_interval(mut self, interval: Duration) -> Self {
        self.max_interval = interval;
        self
    }

    /// Sets the total timeout. The last poll starts when the timeout expires, and is allowed to finish. With
    /// a timeout of zero, there is one poll. Default: 10 min.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Waits for the creation and returns its status, which has the state `succeeded`.
    pub async fn send(self) -> Result<CreateAccountStatus> {
        self.client.context(self.wait().await)
    }

    async fn wait(&self) -> Result<CreateAccountStatus> {
        self.validate()?;
        let request = self.client.get_create_account_status(&self.status_id);
        let started = Instant::now();
        let mut interval = self.first_interval.min(self.max_interval);
        let mut found = false;
        loop {
            let result = request.clone().send().await;
            let remaining = self.timeout.saturating_sub(started.elapsed());
            let mut retry_after = Duration::ZERO;
            match result {
                Ok(status) => {
                    match &status.state {
                        Some(CreateAccountState::Succeeded) => return Ok(status),
                        Some(CreateAccountState::Failed) => return Err(self.failed(&status)),
                        Some(CreateAccountState::InProgress | CreateAccountState::Unknown(_)) | None => {}
                    }
                    if remaining.is_zero() {
                        return Err(self.timed_out(&status));
                    }
                    found = true;
                }
                Err(error) => {
                    retry_after = error.retry_after().unwrap_or_default();
                    let not_found_yet =
                        error.status() == Some(404) && !found && started.elapsed() < NOT_FOUND_GRACE;
                    let throttled = error.kind() == ErrorKind::Throttled;
                    let transient =
                        error.retryability() == Retryability::Retryable || throttled || not_found_yet;
                    if !transient || remaining.is_zero() || retry_after > remaining {
                        return Err(error);
                    }
                }
            }
            sleep(interval.min(remaining).max(retry_after)).await;
            interval = interval.saturating_mul(2).min(self.max_interval);
        }
    }

    fn validate(&self) -> Result<()> {
        for (name, interval) in [("first_interval", self.first_interval), ("max_interval", self.max_interval)]
        {
            if interval.is_zero() {
                return Err(Error::config(format!("{name} is 0; expected a positive duration")));
            }
        }
        Ok(())
    }

    fn timed_out(&self, status: &CreateAccountStatus) -> Error {
        let state = status.state.as_ref().map_or("unspecified", CreateAccountState::as_str);
        let message = format!(
            "timed out after {:.1} s waiting for the account (state: {}); its creation may still be in progress: \
             wait for the status {} again",
            self.timeout.as_secs_f64(),
            one_line(state),
            self.status_id,
        );
        Error::new(ErrorKind::Timeout, message)
    }

    fn failed(&self, status: &CreateAccountStatus) -> Error {
        let detail = status.failure_detail_msg.as_ref().and_then(|detail| detail.error_msg.as_deref());
        let reason = status.failure_reason.as_deref();
        let message = format!(
            "the account was not created: {}; call get_create_account_status({:?}) for the full status",
            one_line(detail.or(reason).unwrap_or("no reason given")),
            self.status_id,
        );
        Error::new(ErrorKind::Api, message).with_code(reason.map(one_line))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn tag_limits() {
        let validate = |tags: &[(&str, &str)]| {
            let tags: Vec<_> = tags.iter().map(|(key, value)| Tag::new(*key, *value)).collect();
            Tag::validate_all(&tags).map_err(|error| error.message().to_owned())
        };
        let long = "é".repeat(256);
        assert_eq!(validate(&[("é".repeat(128).as_str(), &long[2..]), ("k", "")]), Ok(()));
        let assert_invalid = |tags: &[(&str, &str)], expected: &str| {
            let message = validate(tags).unwrap_err();
            assert!(message.contains(expected), "{message}");
        };
        assert_invalid(&[("", "x")], "a tag's key has 0 characters; expected 1 to 128");
        assert_invalid(&[(&long[..258], "x")], "a tag's key has 129 characters");
        assert_invalid(&[("k", &long)], "a tag's value has 256 characters; expected 0 to 255");
        assert_invalid(&[("k", "1"), ("k", "2")], "duplicate tag key \"k\"");
        let many: Vec<_> = (0..21).map(|number| Tag::new(number.to_string(), "")).collect();
        assert!(Tag::validate_all(&many[1..]).is_ok());
        assert!(Tag::validate_all(&many).is_err());
    }

    fn body(request: Result<ApiRequest>) -> Value {
        serde_json::from_slice(&request.unwrap().body).unwrap()
    }

    #[test]
    fn bodies_have_only_the_set_fields() {
        let client = Client::builder().access_key("access").secret_key("secret").build().unwrap();
        assert_eq!(body(client.create_account("账号").request()), json!({"name": "账号"}));
        let full = client.create_account("a").email("e@example.com").phone("+49 1").agency_name("agency");
        let full = full.description("").tag("k", "v").tag("l", "");
        let tags = json!([{"key": "k", "value": "v"}, {"key": "l", "value": ""}]);
        let common = json!({"name": "a", "agency_name": "agency", "description": "", "tags": tags});
        let mut expected = common.clone();
        expected["email"] = "e@example.com".into();
        expected["phone"] = "+49 1".into();
        assert_eq!(body(full.request()), expected);
        let resource = client.create_resource_account("a").agency_name("agency").description("");
        assert_eq!(body(resource.tag("k", "v").tag("l", "").request()), common);
    }

    #[test]
    fn status_decodes_and_requires_only_the_id() {
        let json = r#"{
            "id": "car-awjp43m7bz3b8jgy5v61jrfwakt3og8w", "state": "FAILED", "account_id": null,
            "account_name": "paas_iam_573331", "created_at": "2022-08-24T06:41:15Z",
            "completed_at": "2022-08-24T06:42:15Z", "failure_reason": "string",
            "failure_detail_msg": {"error_msg": "IAM.0001", "encoded_authorization_message": "e30="}
        }"#;
        let status: CreateAccountStatus = serde_json::from_str(json).unwrap();
        assert_eq!(status.id, "car-awjp43m7bz3b8jgy5v61jrfwakt3og8w");
        assert_eq!(status.state, Some(CreateAccountState::Failed));
        assert_eq!(
            (status.account_id.as_deref(), status.account_name.as_deref()),
            (None, Some("paas_iam_573331"))
        );
        let seconds = |date: &Option<Timestamp>| date.as_ref().unwrap().utc().unwrap().timestamp();
        assert_eq!(seconds(&status.completed_at) - seconds(&status.created_at), 60);
        assert_eq!(status.failure_reason.as_deref(), Some("string"));
        let detail = status.failure_detail_msg.as_ref().unwrap();
        assert_eq!(detail.error_msg.as_deref(), Some("IAM.0001"));
        assert_eq!(detail.encoded_authorization_message.as_deref(), Some("e30="));
        assert_eq!(status.raw(), json);
        assert!(serde_json::from_str::<CreateAccountStatus>(r#"{"id":"car-1"}"#).is_ok());
        assert!(serde_json::from_str::<CreateAccountStatus>(r#"{"state":"succeeded"}"#).is_err());
    }
}
