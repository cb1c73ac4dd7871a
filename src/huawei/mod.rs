//! Huawei Cloud Organizations: the accounts of an organization.
//!
//! ```no_run
//! use headcount::huawei;
//!
//! # async fn run() -> headcount::Result<()> {
//! let client = huawei::Client::from_env()?;
//! let mut accounts = client.list_accounts().items().require_complete();
//! while let Some(account) = accounts.try_next().await? {
//!     println!("{} {:?} {:?}", account.id, account.name, account.status);
//! }
//! # Ok(()) }
//! ```
//!
//! # Authentication
//!
//! Every request is signed with an access key (AK/SK), permanent or temporary (SDK-HMAC-SHA256). The key is
//! from:
//!
//! | source | constructor |
//! |---|---|
//! | the application | [`builder`](Client::builder) with [`access_key`](ClientBuilder::access_key), [`secret_key`](ClientBuilder::secret_key) and, for a temporary key, [`security_token`](ClientBuilder::security_token) |
//! | the environment | [`from_env`](Client::from_env), [`builder_from_env`](Client::builder_from_env) |
//! | a credentials file, such as `~/.huaweicloud/credentials` | [`builder_from_credentials_file`](Client::builder_from_credentials_file) |
//! | the metadata service of an elastic cloud server (ECS) | [`builder_from_metadata`](Client::builder_from_metadata) |
//! | the first of environment, file and metadata service that has a key | [`from_default_chain`](Client::from_default_chain), [`builder_from_default_chain`](Client::builder_from_default_chain) |
//!
//! The environment variables are those of Huawei's own SDKs:
//!
//! | variable | content |
//! |---|---|
//! | `HUAWEICLOUD_SDK_AK`, `HUAWEICLOUD_SDK_SK` | the key; both are required |
//! | `HUAWEICLOUD_SDK_SECURITY_TOKEN` | the security token of a temporary key |
//! | `HUAWEICLOUD_SDK_DOMAIN_ID` | the account's id, sent as `X-Domain-Id` if it is set: see [`domain_id`](ClientBuilder::domain_id) |
//! | `HUAWEICLOUD_SDK_REGION_ORGANIZATIONS_CN_NORTH_4` | the endpoint, instead of `https://organizations.myhuaweicloud.com` |
//! | `HUAWEICLOUD_SDK_CREDENTIALS_FILE` | the path of the credentials file; read only by the default chain |
//!
//! This example runs against the simulator, with `headcount-sim` in `[dev-dependencies]`. It verifies the
//! signature:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use headcount::huawei;
//! use headcount_sim as sim;
//!
//! let server = sim::Huawei::builder().accounts(1500).start().await?;
//! let client = huawei::Client::builder()
//!     .base_url(server.base_url())
//!     .access_key(server.ak())
//!     .secret_key(server.sk())
//!     .build()?;
//! assert_eq!(client.list_accounts().items().collect_complete().await?.len(), 1500);
//! # Ok(()) }
//! ```
//!
//! **Lifetime.** A permanent key has unlimited validity. A temporary key expires, and the client cannot refresh
//! one that the application, the environment or a file has set. Keys of the metadata service are refreshed when
//! they have less than 40 minutes left, or less than half their lifetime if that is shorter.
//!
//! **Clock.** A signature contains the date, which must be within 15 minutes of the server's. The error of a
//! wrong clock contains both times. [`clock`](ClientBuilder::clock) replaces the system's clock.
//!
//! **Rejected keys.** A 401 is never retried, because more than five consecutive failures lock the key for five
//! minutes.
//!
//! IAM tokens, federated identities (OIDC) and the pod identity of containers are not supported.
//!
//! # Permissions
//!
//! The key must belong to the management account of the organization, or to a delegated administrator of any
//! service. These can read; only the management account can make changes. An IAM user of such an account needs
//! the action `organizations:accounts:list`. The actions in the table of [endpoints](#endpoints) are from
//! "Actions Supported by Policy-based Authorization" and from "Authorization Information" of each endpoint.
//!
//! To create a key:
//!
//! 1. Create an IAM user, and grant the action. A new IAM user has no permissions (*User Guide*).
//! 2. As this user, open *My Credentials*, *Access Keys* in the console, and create an access key. A user has
//!    at most two, and the SK can be downloaded only once (*My Credentials User Guide*, "Access Keys").
//!
//! On an ECS, create an agency for the server instead. Its keys are temporary, and no key has to be stored.
//!
//! # Pagination
//!
//! The list is paged by `limit` and `marker`. A page contains the marker of the next one.
//!
//! | | |
//! |---|---|
//! | page size | 1 to 2000, default 1000; with [contact information](ListAccounts::with_register_contact_info) 1 to 200, default 200. It is always sent |
//! | order | not documented, and there is no parameter for it |
//! | end | `next_marker` is null, absent or empty; a page without accounts but with a marker is not the end |
//! | verified | that each response has the array `accounts` and `page_info`, and that no marker is repeated ([`PaginationLoop`](crate::ErrorKind::PaginationLoop)) |
//! | not verified | `current_count`: an example of the reference has 100 for one row. There is no count of the whole list |
//! | accounts created, removed or moved during the list | depends on the provider's markers, and is not documented |
//!
//! A complete summary therefore means that the list was read up to the end that the provider reported.
//! [`parent_id`](ListAccounts::parent_id) restricts the list to the direct children of a root or organizational
//! unit. Filters by name or status do not exist.
//!
//! Pages can be fetched ahead ([`Pages::ahead`](crate::Pages::ahead)), but not concurrently. See
//! [`ListAccounts`], and [pagination](crate::guide::pagination) in general.
//!
//! # Limits
//!
//! | what | limit | from |
//! |---|---|---|
//! | requests per time | none; [`rate_limit`](ClientBuilder::rate_limit) sets one. That of Organizations is not documented; the default of the gateway is 200 per second and API | this crate; *API Request Signing Guide* |
//! | waiting for `Retry-After` | 120 s: `max_retry_after` of the [`RetryPolicy`](crate::http::RetryPolicy) | this crate |
//! | response body | 64 MiB after decompression: [`body_limit`](ClientBuilder::body_limit) | this crate |
//! | `marker` | 4 to 400 characters | the reference of 2024 |
//! | `parent_id` | 100 characters | the reference of 2024 |
//! | member accounts of an organization | 10 by default | *Service Overview* |
//! | accounts being created at the same time | 5 | *Service Overview* |
//! | accounts being closed at the same time | 3; within 30 days 10 % of all accounts, up to 200 | *User Guide* |
//! | invitations within 24 hours | 20 | *Service Overview* |
//! | tags of an account | 20; keys of 1 to 128 characters, values of up to 255 | *User Guide*; the reference of 2024 |
//! | sites | an organization has accounts of either the Chinese mainland site or the international site | *Service Overview* |
//!
//! # Fields
//!
//! The shared [`Account`](crate::Account) converts from an [`Account`]:
//!
//! | field | from |
//! |---|---|
//! | `kind` | always [`CloudAccount`](crate::AccountKind::CloudAccount) |
//! | `id` | `id` |
//! | `name` | `name` |
//! | `email` | `email`; only with [contact information](ListAccounts::with_register_contact_info) |
//! | `status` | `status` in any case: `active` is `Active`, `suspended` is `Suspended`, `pending_closure` is `Closing`; `Unspecified` if it is missing or unknown |
//! | `raw_status` | `status`, with a known value in lower case |
//! | `joined_at` | `joined_at`; empty if it is not a date |
//! | `parent_id` | the id of the organization, `o-…`, which is part of `urn`. It is not the organizational unit |
//! | `alternate_ids` | `urn` |
//! | `created_at`, `modified_at`, `owner`, `roles` | empty: the record has no such member |
//!
//! `join_method`, `description` and the phone number are in the [`record`](crate::Account::record).
//!
//! # Endpoints
//!
//! All account endpoints of the reference.
//!
//! Requests are `Clone`, and the future of `send()` is `'static`, so [requests can be sent
//! concurrently](crate::guide::scale#share-one-client-between-tasks).
//!
//! | endpoint | method | permission | retried |
//! |---|---|---|---|
//! | `GET /v1/organizations/accounts` | [`list_accounts`](Client::list_accounts) | `organizations:accounts:list` | yes |
//! | `GET /v1/organizations/accounts/{id}` | [`get_account`](Client::get_account) | `organizations:accounts:get` | yes |
//! | `PATCH /v1/organizations/accounts/{id}` | [`update_account`](Client::update_account) | `organizations:accounts:update` | if not sent |
//! | `POST /v1/organizations/accounts` | [`create_account`](Client::create_account) | `organizations:accounts:create`; for tags `organizations:resources:tag` | if not sent |
//! | `POST /v2/organizations/accounts` | [`create_resource_account`](Client::create_resource_account) | none named | if not sent |
//! | `GET /v1/organizations/create-account-status/{id}` | [`get_create_account_status`](Client::get_create_account_status), [`wait_for_account`](Client::wait_for_account) | `organizations:createAccountStatuses:get` | yes |
//! | `GET /v1/organizations/create-account-status` | [`list_create_account_statuses`](Client::list_create_account_statuses) | `organizations:createAccountStatuses:list` | yes |
//! | `POST /v1/organizations/accounts/{id}/close` | [`close_account`](Client::close_account) | none named | if not sent |
//! | `GET /v1/organizations/close-account-status` | [`list_close_account_statuses`](Client::list_close_account_statuses) | `organizations:closeAccountStatuses:list` | yes |
//! | `POST /v1/organizations/accounts/{id}/remove` | [`remove_account`](Client::remove_account) | `organizations:accounts:remove` | if not sent |
//! | `POST /v1/organizations/accounts/{id}/move` | [`move_account`](Client::move_account) | `organizations:accounts:move` | if not sent |
//! | `POST /v1/organizations/accounts/invite` | [`invite_account`](Client::invite_account) | `organizations:accounts:invite`; for tags `organizations:resources:tag` | if not sent |
//! | `GET /v1/organizations/entities` | [`list_entities`](Client::list_entities) | `organizations:entities:list` | yes |
//! | `GET /v1/organizations/accounts/{id}/delegated-services` | [`list_delegated_services`](Client::list_delegated_services) | `organizations:delegatedServices:list` | yes |
//!
//! Retries are limited by the [`RetryPolicy`](crate::http::RetryPolicy). *If not sent* marks requests that are
//! not idempotent: they are retried only if the request never reached the server. If the request may have been
//! processed, the error has [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied); the docs of each
//! request describe how to check.
//!
//! ## Changes
//!
//! Creating an account takes two steps, because the provider creates it asynchronously:
//!
//! ```no_run
//! # async fn run(client: headcount::huawei::Client) -> headcount::Result<()> {
//! let creation =
//!     client.create_account("staging").email("staging@example.com").send().await?;
//! let status = client.wait_for_account(&creation.id).send().await?;
//! println!("{:?}", status.account_id);
//! # Ok(()) }
//! ```
//!
//! ## Errors
//!
//! Not every 401 means that the credentials are invalid:
//!
//! | code | error |
//! |---|---|
//! | `Organizations.1015` (no organization) | [`NotFound`](crate::ErrorKind::NotFound) |
//! | other `Organizations.` codes, such as `.1001` and `.1002` (not allowed for this account) | [`PermissionDenied`](crate::ErrorKind::PermissionDenied) |
//! | any other code | [`Auth`](crate::ErrorKind::Auth) |
//!
//! The 409 of a concurrent modification (`Organizations.1003`) is [`Api`](crate::ErrorKind::Api) with
//! [`Retryability::Retryable`](crate::Retryability::Retryable). So are `.1004` and `.1006`, for which the
//! reference recommends trying again later. Errors of all providers: [errors](crate::guide::errors).
//!
//! # Not documented
//!
//! | not documented | assumed, or done instead | see |
//! |---|---|---|
//! | whether `X-Domain-Id` is required: the signing guide says so for global services, the reference does not list it | it is optional | [`domain_id`](ClientBuilder::domain_id) |
//! | an endpoint in Europe | set the base URL | [`base_url`](ClientBuilder::base_url) |
//! | authentication with IAM tokens for this service | not supported | |
//! | a page without accounts but with a marker | not the end; the marker is followed | [`ListAccounts`] |
//! | the form of an empty list | `[]` and `page_info`; anything else is an error | [`ListAccounts`] |
//! | the order, concurrent changes, and how long a marker is valid | nothing is assumed | [pagination](#pagination) |
//! | whether all closures fit in the one page of their list | they do | [`ListCloseAccountStatuses`] |
//! | which members are always present: an example has no `status` | only `id` | [`Account`] |
//! | the spelling of `status`: upper case in 2024, lower case later | both are read | [`AccountStatus`] |
//! | dates without a zone | UTC | [`Timestamp::utc`](crate::Timestamp::utc) |
//! | whether `.1003`, `.1004` and `.1006` leave everything unchanged | they do | [errors](#errors) |
//! | the section of the credentials file: the SDKs read `[global]` or `[globalcredentials]` | both are read, then `[basic]` | [`builder_from_credentials_file`](Client::builder_from_credentials_file) |
//! | whether the metadata service has another key after a 401 | it has not: a 401 does not refresh the key | [`builder_from_metadata`](Client::builder_from_metadata) |
//! | how long a creation takes | 10 minutes at most, by default | [`WaitForAccount`] |
//! | an account as `child_id`: only organizational units are mentioned | allowed, as in the vendor's Terraform provider | [`child_id`](ListEntities::child_id) |
//! | the codes of several errors | the [kind](crate::ErrorKind) follows from the status | the docs of each request |
//! | rate limits and `Retry-After` | 429 and `Retry-After` are handled as at every provider | [`http`](crate::http#errors-and-retries) |
//!
//! Source: Huawei Cloud, *Organizations API Reference*, "Managing Accounts", "Others", "Permissions and
//! Supported Actions" and "Error Codes", *User Guide*, "Managing Accounts" and "Managing Tags", *Service
//! Overview*, *My Credentials User Guide*, and *API Request Signing Guide*.

mod account;
mod auth;
mod client;
mod create;
mod credentials_file;
mod error;
mod imds;
mod invite;
mod list;
mod requests;
mod signing;

pub use account::{Account, AccountStatus, JoinMethod};
pub use client::{Client, ClientBuilder};
pub use create::{
    CreateAccount, CreateAccountState, CreateAccountStatus, CreateResourceAccount, FailureDetail,
    GetCreateAccountStatus, ListCreateAccountStatuses, WaitForAccount,
};
pub use invite::{Handshake, HandshakeStatus, HandshakeTarget, InviteAccount, InviteTarget};
pub use list::{DelegatedService, Entity, EntityType, ListAccounts, ListDelegatedServices, ListEntities};
pub use requests::{
    CloseAccount, CloseAccountState, CloseAccountStatus, GetAccount, ListCloseAccountStatuses, MoveAccount,
    NoCursor, RemoveAccount, UpdateAccount,
};

pub(crate) const NAME: &str = "huawei";
