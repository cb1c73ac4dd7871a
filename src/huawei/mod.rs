//! Huawei Cloud Organizations: the accounts of an organization.
//!
//! ```no_run
//! use futures::TryStreamExt;
//! use headcount::{Paginator, huawei};
//!
//! # async fn run() -> headcount::Result<()> {
//! let client = huawei::Client::from_env()?;
//! let mut accounts = client.list_accounts().items();
//! while let Some(account) = accounts.try_next().await? {
//!     println!("{} {:?} {:?}", account.id, account.name, account.status);
//! }
//! # Ok(()) }
//! ```
//!
//! Requests are signed with an access key (AK/SK), permanent or temporary.
//!
//! # Endpoints
//!
//! Every account endpoint of the reference. Reading is for the organization's management account and its
//! delegated administrators, changing for the management account. The permission is the IAM action that an
//! IAM user needs, as in "Actions Supported by Policy-based Authorization" and under "Authorization
//! Information" of each endpoint.
//!
//! Requests are `Clone`, and the future of `send()` is `'static`: [send many at once](crate#beyond-lists).
//!
//! | endpoint | method | permission | retried |
//! |---|---|---|---|
//! | `GET /v1/organizations/accounts` | [`list_accounts`](Client::list_accounts) | `organizations:accounts:list` | yes |
//! | `GET /v1/organizations/accounts/{id}` | [`get_account`](Client::get_account) | `organizations:accounts:get` | yes |
//! | `PATCH /v1/organizations/accounts/{id}` | [`update_account`](Client::update_account) | `organizations:accounts:update` | if surely not sent |
//! | `POST /v1/organizations/accounts` | [`create_account`](Client::create_account) | `organizations:accounts:create`; for tags `organizations:resources:tag` | if surely not sent |
//! | `POST /v2/organizations/accounts` | [`create_resource_account`](Client::create_resource_account) | none is named | if surely not sent |
//! | `GET /v1/organizations/create-account-status/{id}` | [`get_create_account_status`](Client::get_create_account_status), [`wait_for_account`](Client::wait_for_account) | `organizations:createAccountStatuses:get` | yes |
//! | `GET /v1/organizations/create-account-status` | [`list_create_account_statuses`](Client::list_create_account_statuses) | `organizations:createAccountStatuses:list` | yes |
//! | `POST /v1/organizations/accounts/{id}/close` | [`close_account`](Client::close_account) | none is named | if surely not sent |
//! | `GET /v1/organizations/close-account-status` | [`list_close_account_statuses`](Client::list_close_account_statuses) | `organizations:closeAccountStatuses:list` | yes |
//! | `POST /v1/organizations/accounts/{id}/remove` | [`remove_account`](Client::remove_account) | `organizations:accounts:remove` | if surely not sent |
//! | `POST /v1/organizations/accounts/{id}/move` | [`move_account`](Client::move_account) | `organizations:accounts:move` | if surely not sent |
//! | `POST /v1/organizations/accounts/invite` | [`invite_account`](Client::invite_account) | `organizations:accounts:invite`; for tags `organizations:resources:tag` | if surely not sent |
//! | `GET /v1/organizations/entities` | [`list_entities`](Client::list_entities) | `organizations:entities:list` | yes |
//! | `GET /v1/organizations/accounts/{id}/delegated-services` | [`list_delegated_services`](Client::list_delegated_services) | `organizations:delegatedServices:list` | yes |
//!
//! *Retried* is within the [`RetryPolicy`](crate::http::RetryPolicy). *If surely not sent*: again only if no
//! connection could be made; where it may have been carried out, the error says
//! [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), and each request says where to look.
//!
//! A 401 is never retried, because more than five failures in a row lock the key for five minutes. Often it is
//! none of the credentials' fault: `Organizations.1001` and `.1002` (not for this account) are
//! [`PermissionDenied`](crate::ErrorKind::PermissionDenied), `.1015` (no organization) is
//! [`NotFound`](crate::ErrorKind::NotFound). The 409 of a concurrent modification (`.1003`) is
//! [`Api`](crate::ErrorKind::Api) with [`Retryability::Retryable`](crate::Retryability::Retryable), and so are `.1004` and `.1006`,
//! of which the reference says to try again later; that nothing was done then is an assumption.
//!
//! ```no_run
//! # async fn run(client: headcount::huawei::Client) -> headcount::Result<()> {
//! let asked = client.create_account("staging").email("staging@example.com").send().await?;
//! let made = client.wait_for_account(&asked.id).send().await?;
//! println!("{:?}", made.account_id);
//! # Ok(()) }
//! ```
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
mod invite;
mod list;
mod metadata;
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
