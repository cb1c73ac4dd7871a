//! Creating an account: the request, how far it has come, and waiting until it is there.

use std::{borrow::Cow, time::Duration};

use http::Method;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use super::{
    Client,
    list::{Paging, marker_setters, read_page},
    requests::{ACCOUNTS, check_length},
};
use crate::{
    Error, ErrorKind, ListingId, Page, Paginator, Result, Retryability, Timestamp,
    http::{ApiRequest, ApiResponse, one_line, path_segment, read_object},
    open_enum::open_enum,
    record::{HasId, record},
};

/// Accounts without contact information of their own.
const RESOURCE_ACCOUNTS: &str = "/v2/organizations/accounts";
const CREATIONS: &str = "/v1/organizations/create-account-status";

/// How many tags an account may have: *User Guide*, "Overview of a Tag".
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

    /// Keys of 1 to 128 characters, each once, and values of up to 255.
    ///
    /// The lengths are those of `TagDto` in the API Reference of 2024; the User Guide ("Overview of a Tag")
    /// has 225 for values, and the larger is taken. The number and that keys are different are of the User
    /// Guide.
    pub(super) fn check_all(tags: &[Self]) -> Result<()> {
        if tags.len() > MAX_TAGS {
            return Err(Error::config(format!("{} tags; expected at most {MAX_TAGS}", tags.len())));
        }
        for (number, tag) in tags.iter().enumerate() {
            check_length("a tag's key", &tag.key, 1, 128)?;
            check_length("a tag's value", &tag.value, 0, 255)?;
            if tags.iter().take(number).any(|other| other.key == tag.key) {
                return Err(Error::config(format!(
                    "two tags have the key {:?}; expected different keys",
                    tag.key
                )));
            }
        }
        Ok(())
    }
}

impl Client {
    /// Creates an account in the organization, with an e-mail address or phone number of its own.
    ///
    /// The account is made later: [`wait_for_account`](Self::wait_for_account) with the id of the answer.
    ///
    /// For the management account only; IAM action `organizations:accounts:create`, and
    /// `organizations:resources:tag` for tags.
    pub fn create_account(&self, name: impl Into<String>) -> CreateAccount {
        CreateAccount { client: self.clone(), profile: Profile::new(name), email: None, phone: None }
    }

    /// Creates an account in the organization without e-mail address and phone number, which is what the
    /// reference recommends.
    ///
    /// The account is made later: [`wait_for_account`](Self::wait_for_account) with the id of the answer.
    ///
    /// For the management account only. The reference names no IAM action.
    pub fn create_resource_account(&self, name: impl Into<String>) -> CreateResourceAccount {
        CreateResourceAccount { client: self.clone(), profile: Profile::new(name) }
    }
}

/// What both ways of creating an account have in common.
#[derive(Clone, Debug, Serialize)]
struct Profile {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    agency_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Tag>,
}

impl Profile {
    fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), agency_name: None, description: None, tags: Vec::new() }
    }

    fn check(&self) -> Result<()> {
        if self.name.is_empty() {
            return Err(Error::config("name is empty; expected the name of the new account"));
        }
        Tag::check_all(&self.tags)
    }
}

macro_rules! profile_setters {
    () => {
        /// The agency that gives the management account access to the new one. The provider's default is
        /// not documented.
        pub fn agency_name(mut self, name: impl Into<String>) -> Self {
            self.profile.agency_name = Some(name.into());
            self
        }

        /// A description.
        pub fn description(mut self, text: impl Into<String>) -> Self {
            self.profile.description = Some(text.into());
            self
        }

        /// Attaches a tag; at most 20, each with another key (*User Guide*, "Overview of a Tag"). Keys have 1
        /// to 128 characters, values at most 255 (*API Reference* of 2024, `TagDto`).
        pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
            self.profile.tags.push(Tag::new(key, value));
            self
        }
    };
}

/// `POST /v1/organizations/accounts`: creates an account.
///
/// The name must be another than that of any account there is (*User Guide*, "Creating an Account"). It is
/// left to the provider how long it may be: the reference says only of the names in its answers that they
/// have at most 64 characters. By default an organization has 10 member accounts at most, and 5 are created
/// at a time (*Service Overview*); with which code more are refused is not documented.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), look for
/// the name in [`list_create_account_statuses`](Client::list_create_account_statuses) before sending it again:
/// there is nothing by which the provider could tell a repetition.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the name is empty, a tag is too long or has no key, or there are
/// too many tags; [`PermissionDenied`](crate::ErrorKind::PermissionDenied) if the key does not belong to the management account
/// (`Organizations.1001`) or a policy does not allow it (`.1007`); [`Api`](crate::ErrorKind::Api) with
/// [`Retryability::Retryable`](crate::Retryability::Retryable) after a concurrent modification (`.1003`).
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct CreateAccount {
    client: Client,
    profile: Profile,
    email: Option<String>,
    phone: Option<String>,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(flatten)]
    profile: &'a Profile,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'a str>,
}

impl CreateAccount {
    /// The account's e-mail address: mandatory on the international site.
    ///
    /// Whether a key belongs to that site can not be told from it, so this is left for the provider to check.
    pub fn email(mut self, address: impl Into<String>) -> Self {
        self.email = Some(address.into());
        self
    }

    /// The account's mobile number: mandatory on the site of the Chinese mainland. See
    /// [`email`](Self::email).
    pub fn phone(mut self, number: impl Into<String>) -> Self {
        self.phone = Some(number.into());
        self
    }

    profile_setters!();

    /// Sends the request. The answer says only that it was taken up: its state tells how far it has come.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<CreateAccountStatus> {
        self.client.send(self.request(), read).await
    }

    fn request(&self) -> Result<ApiRequest> {
        self.profile.check()?;
        let body =
            Body { profile: &self.profile, email: self.email.as_deref(), phone: self.phone.as_deref() };
        ApiRequest::mutation(Method::POST, ACCOUNTS).json(&body)
    }
}

/// `POST /v2/organizations/accounts`: creates an account without e-mail address and phone number.
///
/// Name and limits are those of [`CreateAccount`].
///
/// # Retries
/// As [`CreateAccount`].
///
/// # Errors
/// Those of [`CreateAccount`].
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct CreateResourceAccount {
    client: Client,
    profile: Profile,
}

impl CreateResourceAccount {
    profile_setters!();

    /// Sends the request. The answer says only that it was taken up: its state tells how far it has come.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<CreateAccountStatus> {
        self.client.send(self.request(), read).await
    }

    fn request(&self) -> Result<ApiRequest> {
        self.profile.check()?;
        ApiRequest::mutation(Method::POST, RESOURCE_ACCOUNTS).json(&self.profile)
    }
}

record! {
    id = id;

    /// How far the creation of an account has come: `CreateAccountStatusDto` of the reference.
    ///
    /// Only `id` is certain to be there.
    pub struct CreateAccountStatus {
        /// The id of the request to create an account: what [`Client::wait_for_account`] takes.
        #[serde(deserialize_with = "crate::record::id")]
        pub id: String,
        /// How far it has come.
        pub state: Option<CreateAccountState>,
        /// The id of the new account, once there is one.
        pub account_id: Option<String>,
        /// The name asked for.
        pub account_name: Option<String>,
        /// When the request was made.
        pub created_at: Option<Timestamp>,
        /// When it was completed.
        pub completed_at: Option<Timestamp>,
        /// Why it failed. Which reasons there are is not documented.
        pub failure_reason: Option<String>,
        /// Why it failed, in detail.
        pub failure_detail_msg: Option<FailureDetail>,
    }
}

open_enum! {
    /// How far the creation of an account has come.
    pub enum CreateAccountState {
        /// Under way.
        InProgress = "in_progress",
        /// Done: the account is there.
        Succeeded = "succeeded",
        /// Given up: there is no account.
        Failed = "failed",
    }
}

/// Why the creation of an account failed, as the service behind it has said.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct FailureDetail {
    /// Its error.
    pub error_msg: Option<String>,
    /// What a policy has denied, in a form that only the provider can decode.
    pub encoded_authorization_message: Option<String>,
}

impl Client {
    /// How far the creation of an account has come, by the id that [`create_account`](Self::create_account)
    /// answers with.
    ///
    /// For the management account and delegated administrators; IAM action
    /// `organizations:createAccountStatuses:get`.
    #[doc(alias = "show_create_account_status")]
    pub fn get_create_account_status(&self, id: impl Into<String>) -> GetCreateAccountStatus {
        GetCreateAccountStatus { client: self.clone(), id: id.into() }
    }
}

/// `GET /v1/organizations/create-account-status/{create_account_status_id}`: the state of one creation.
/// It reads, and is retried.
///
/// # Errors
/// [`Config`](crate::ErrorKind::Config) if the id can not stand in a path;
/// [`NotFound`](crate::ErrorKind::NotFound) if there is no such creation (the code is not documented);
/// [`PermissionDenied`](crate::ErrorKind::PermissionDenied) as in every list.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct GetCreateAccountStatus {
    client: Client,
    id: String,
}

impl GetCreateAccountStatus {
    /// Sends the request. A creation that failed is no error here: its state says so.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<CreateAccountStatus> {
        self.client.send(self.request(), read).await
    }

    fn request(&self) -> Result<ApiRequest> {
        Ok(ApiRequest::get(format!("{CREATIONS}/{}", path_segment("create account status id", &self.id)?)))
    }
}

#[derive(Deserialize)]
struct Envelope {
    create_account_status: CreateAccountStatus,
}

fn read(response: &ApiResponse) -> Result<CreateAccountStatus> {
    let envelope: Envelope = read_object(response, "an object with create_account_status")?;
    Ok(envelope.create_account_status)
}

impl Client {
    /// The creations of accounts that were asked for, and how far they have come.
    ///
    /// For the management account and delegated administrators; IAM action
    /// `organizations:createAccountStatuses:list`.
    pub fn list_create_account_statuses(&self) -> ListCreateAccountStatuses {
        ListCreateAccountStatuses { client: self.clone(), states: Vec::new(), paging: Paging::default() }
    }
}

/// `GET /v1/organizations/create-account-status`: creations of accounts, by `marker`.
///
/// It ends as [`ListAccounts`](super::ListAccounts) does. How long the provider remembers a creation is not
/// documented. That an empty list is told as `[]`, with `page_info`, is an assumption: an answer that lacks
/// one of them, or has null in its place, is an error and never an end.
///
/// # Errors
/// Those of [`ListAccounts`](super::ListAccounts).
#[derive(Clone, Debug)]
#[must_use = "a list does nothing until its stream is polled"]
pub struct ListCreateAccountStatuses {
    client: Client,
    /// Each once and sorted: whatever the order they are given in, the list is the same.
    states: Vec<CreateAccountState>,
    paging: Paging,
}

impl ListCreateAccountStatuses {
    /// Only creations in this state; with several, in any of them. Default: all.
    pub fn state(mut self, state: CreateAccountState) -> Self {
        let place = self.states.binary_search_by(|other| other.as_str().cmp(state.as_str()));
        if let Err(place) = place {
            self.states.insert(place, state);
        }
        self
    }

    marker_setters! {
        /// Creations on a page: 1 to 2000. Default: 1000. Always sent.
    }

    fn request(&self, at: Option<&String>) -> Result<ApiRequest> {
        self.paging.check()?;
        let call = ApiRequest::get(CREATIONS);
        let call = self.states.iter().fold(call, |call, state| call.query("states", Some(state)));
        Ok(self.paging.query(call, self.paging.size(), at))
    }
}

impl Paginator for ListCreateAccountStatuses {
    type Item = CreateAccountStatus;
    type Cursor = String;

    fn listing_id(&self) -> ListingId {
        self.client.listing_id(&self.request(None))
    }

    async fn fetch(&self, at: Option<&String>) -> Result<Page<CreateAccountStatus, String>> {
        self.client.send(self.request(at), |response| read_page(response, "create_account_statuses")).await
    }

    fn item_id<'a>(&self, status: &'a CreateAccountStatus) -> Option<Cow<'a, str>> {
        Some(status.row_id())
    }
}

/// How long a creation that was asked for may be unknown: this crate's own choice.
const SETTLING: Duration = Duration::from_secs(30);

impl Client {
    /// Waits until an account that was asked for is there, by the id that
    /// [`create_account`](Self::create_account) answers with.
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

/// Looks at a creation's status until it has succeeded or failed, or time is up.
///
/// It looks at once, and then after intervals that double from the first to the highest. How long a creation
/// takes is not documented, so the defaults are this crate's own choice. A state that this version does not
/// know is waited through like `in_progress`.
///
/// # Retries
/// Waiting changes nothing: after any error it can be begun again with the same id. A look that fails is
/// retried as every read is. What fails all the same, but is throttled or says
/// [`Retryability::Retryable`](crate::Retryability::Retryable), as after a concurrent modification (`Organizations.1003`), is looked
/// at again after the next interval, or after the time that the provider asked for if that is longer. If no
/// time is left for it, and after any other failure, the error ends the waiting.
///
/// Whether a creation can be found as soon as it was asked for is not documented. So a 404 is looked at again
/// too, until 30 s are over or the creation has been found once; after that it ends the waiting.
///
/// # Errors
/// - [`Api`](ErrorKind::Api) if the creation has failed; [`code`](Error::code) is the provider's
///   `failure_reason`, and [`get_create_account_status`](Client::get_create_account_status) with the same id
///   gives the status with all that it says
/// - [`Timeout`](ErrorKind::Timeout) if time is up: the creation may still go on
/// - [`Config`](ErrorKind::Config) if an interval is zero
/// - those of [`GetCreateAccountStatus`](super::GetCreateAccountStatus)
#[derive(Clone, Debug)]
#[must_use = "nothing is waited for until send() is awaited"]
pub struct WaitForAccount {
    client: Client,
    status_id: String,
    first_interval: Duration,
    max_interval: Duration,
    timeout: Duration,
}

impl WaitForAccount {
    /// How long to wait between the first look and the second. Default: 2 s.
    pub fn first_interval(mut self, interval: Duration) -> Self {
        self.first_interval = interval;
        self
    }

    /// The longest that the intervals become. Default: 30 s.
    pub fn max_interval(mut self, interval: Duration) -> Self {
        self.max_interval = interval;
        self
    }

    /// Time for all of it: the last look is begun when it is over, and is let finish. Zero is one look.
    /// Default: 10 min.
    pub fn timeout(mut self, time: Duration) -> Self {
        self.timeout = time;
        self
    }

    /// Waits, and gives the status that says `succeeded`.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<CreateAccountStatus> {
        self.client.context(self.wait().await)
    }

    async fn wait(&self) -> Result<CreateAccountStatus> {
        self.check()?;
        let look = self.client.get_create_account_status(&self.status_id);
        let began = Instant::now();
        let mut interval = self.first_interval.min(self.max_interval);
        let mut found = false;
        loop {
            let looked = look.clone().send().await;
            let left = self.timeout.saturating_sub(began.elapsed());
            let mut asked = Duration::ZERO;
            match looked {
                Ok(status) => {
                    match &status.state {
                        Some(CreateAccountState::Succeeded) => return Ok(status),
                        Some(CreateAccountState::Failed) => return Err(self.failure(&status)),
                        Some(CreateAccountState::InProgress | CreateAccountState::Unknown(_)) | None => {}
                    }
                    if left.is_zero() {
                        return Err(self.too_long(&status));
                    }
                    found = true;
                }
                Err(error) => {
                    asked = error.retry_after().unwrap_or_default();
                    let early = error.status() == Some(404) && !found && began.elapsed() < SETTLING;
                    let throttled = error.kind() == ErrorKind::Throttled;
                    let passing = error.retryability() == Retryability::Retryable || throttled || early;
                    if !passing || left.is_zero() || asked > left {
                        return Err(error);
                    }
                }
            }
            sleep(interval.min(left).max(asked)).await;
            interval = interval.saturating_mul(2).min(self.max_interval);
        }
    }

    fn check(&self) -> Result<()> {
        for (name, interval) in [("first_interval", self.first_interval), ("max_interval", self.max_interval)]
        {
            if interval.is_zero() {
                return Err(Error::config(format!("{name} is 0; expected a time to wait")));
            }
        }
        Ok(())
    }

    fn too_long(&self, status: &CreateAccountStatus) -> Error {
        let state = status.state.as_ref().map_or("not told", CreateAccountState::as_str);
        let message = format!(
            "the account was not there after {:.1} s (its state is {}), and its creation may still go on: wait \
             for the status {} again",
            self.timeout.as_secs_f64(),
            one_line(state),
            self.status_id,
        );
        Error::new(ErrorKind::Timeout, message)
    }

    fn failure(&self, status: &CreateAccountStatus) -> Error {
        let detail = status.failure_detail_msg.as_ref().and_then(|detail| detail.error_msg.as_deref());
        let reason = status.failure_reason.as_deref();
        let message = format!(
            "the account was not created: {}; get_create_account_status({:?}) gives all that is told of it",
            one_line(detail.or(reason).unwrap_or("no reason is given")),
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
    fn keys_and_values_have_their_lengths_and_keys_are_different() {
        let check = |tags: &[(&str, &str)]| {
            let tags: Vec<_> = tags.iter().map(|(key, value)| Tag::new(*key, *value)).collect();
            Tag::check_all(&tags).map_err(|error| error.message().to_owned())
        };
        let long = "é".repeat(256);
        assert_eq!(check(&[("é".repeat(128).as_str(), &long[2..]), ("k", "")]), Ok(()));
        let refused = |tags: &[(&str, &str)], why: &str| {
            let message = check(tags).unwrap_err();
            assert!(message.contains(why), "{message}");
        };
        refused(&[("", "x")], "a tag's key has 0 characters; expected 1 to 128");
        refused(&[(&long[..258], "x")], "a tag's key has 129 characters");
        refused(&[("k", &long)], "a tag's value has 256 characters; expected 0 to 255");
        refused(&[("k", "1"), ("k", "2")], "two tags have the key \"k\"");
        let many: Vec<_> = (0..21).map(|number| Tag::new(number.to_string(), "")).collect();
        assert!(Tag::check_all(&many[1..]).is_ok());
        assert!(Tag::check_all(&many).is_err());
    }

    fn body(call: Result<ApiRequest>) -> Value {
        serde_json::from_slice(&call.unwrap().body).unwrap()
    }

    #[test]
    fn bodies_hold_what_was_set_and_nothing_else() {
        let client = Client::builder("access", "secret").build().unwrap();
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
    fn every_field_is_read_and_only_the_id_is_needed() {
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
