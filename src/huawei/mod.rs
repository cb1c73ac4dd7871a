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
//! Creating an account takes two steps, because the provider creates it asynchronously:
//!
//! ```no_run
//! # async fn run(client: headcount::huawei::Client) -> headcount::Result<()> {
//! let creation = client.create_account("staging").email("staging@example.com").send().await?;
//! let status = client.wait_for_account(&creation.id).send().await?;
//! println!("{:?}", status.account_id);
//! # Ok(()) }
//! ```
//!
//! Requests are signed with an access key (AK/SK), permanent or temporary. They are `Clone`, and the future
//! of `send()` is `'static`, so [requests can be sent concurrently](crate#more-than-lists).
//!
//! # Endpoints
//!
//! All account endpoints of the reference. The management account and delegated administrators can read;
//! only the management account can make changes. The permission is the IAM action that an IAM user needs, as
//! listed in "Actions Supported by Policy-based Authorization" and under "Authorization Information" of each
//! endpoint.
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
//! Retries are limited by the [`RetryPolicy`](crate::http::RetryPolicy). *If not sent* marks requests that
//! are not idempotent: they are retried only if the request never reached the server. If the request may have
//! been processed, the error has [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied); the docs
//! of each request describe how to check.
//!
//! # Errors
//!
//! A 401 is never retried, because more than five consecutive failures lock the key for five minutes. Not
//! every 401 means that the credentials are invalid:
//!
//! | code | error |
//! |---|---|
//! | `Organizations.1015` (no organization) | [`NotFound`](crate::ErrorKind::NotFound) |
//! | other `Organizations.` codes, such as `.1001` and `.1002` (not allowed for this account) | [`PermissionDenied`](crate::ErrorKind::PermissionDenied) |
//! | any other code | [`Auth`](crate::ErrorKind::Auth) |
//!
//! The 409 of a concurrent modification (`Organizations.1003`) is [`Api`](crate::ErrorKind::Api) with
//! [`Retryability::Retryable`](crate::Retryability::Retryable). So are `.1004` and `.1006`, for which the
//! reference recommends trying again later. That the request was not applied in these cases is an assumption.
//!
//! Source: Huawei Cloud, *Organizations API Reference*, "Managing Accounts", "Others", "Permissions and
//! Supported Actions" and "Error Codes", *User Guide*, "Managing Accounts" and "Managing Tags", *Service
//! Overview*, and *API Request Signing Guide*.

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
