//! Annature: the accounts (users) of an organisation, or of those that a partner has provisioned.
//!
//! ```no_run
//! use futures::TryStreamExt;
//! use headcount::{Paginator, annature};
//!
//! # async fn run() -> headcount::Result<()> {
//! let client = annature::Client::from_env()?;
//! let mut accounts = client.list_accounts().role(annature::Role::Administrator).items();
//! while let Some(account) = accounts.try_next().await? {
//!     println!("{} {:?} {:?}", account.id, account.name, account.email);
//! }
//! # Ok(()) }
//! ```
//!
//! [`Client::list_accounts`] pages through version 2 of the endpoint. Version 1 gives one array of at most
//! 1,000 accounts: [`Client::list_accounts_v1`] says when it may be truncated, and can go on by date.
//!
//! A person is given an account, changed, shut and let in again with requests that do nothing until they are
//! sent:
//!
//! ```no_run
//! use headcount::annature;
//!
//! # async fn run() -> headcount::Result<()> {
//! let client = annature::Client::from_env()?;
//! let ted = client
//!     .create_account("Ted Annature", "ted@annature.com.au")
//!     .timezone("+10:00")
//!     .role(annature::Role::ReadOnly)
//!     .send()
//!     .await?;
//! client.update_account(&ted.id).role(annature::Role::Standard).send().await?;
//! client.deactivate_account(&ted.id).send().await?;
//! # Ok(()) }
//! ```
//!
//! # Endpoints
//!
//! An API key has full access to its organisation; there are no finer permissions. A partner key comes on top
//! of it, for the client ([`ClientBuilder::partner_key`]) or for a single call, which can also go out
//! without. What it does is documented for lists, which then have the accounts of the organisations
//! registered with it and not one's own users, for registering, and for skipping verification. Whether it
//! lets any other request reach the accounts of those organisations is not.
//!
//! Requests are `Clone`, and the future of `send()` is `'static`: [send many at once](crate#beyond-lists).
//!
//! | endpoint | method | permission | retried |
//! |---|---|---|---|
//! | `GET /v2/accounts` | [`list_accounts`](Client::list_accounts) | API key; with a partner key, the organisations registered with it | yes |
//! | `GET /v1/accounts` | [`list_accounts_v1`](Client::list_accounts_v1) | as `GET /v2/accounts` | yes |
//! | `GET /v1/accounts/:id` | [`get_account`](Client::get_account) | API key | yes |
//! | `POST /v1/accounts` | [`create_account`](Client::create_account) | API key; to skip verification, partner key | if surely not sent |
//! | `POST /v1/accounts/register` | [`register_account`](Client::register_account) | partner key | if surely not sent |
//! | `PUT /v1/accounts/:id` | [`update_account`](Client::update_account) | API key | if surely not sent |
//! | `POST /v1/accounts/:id/verification` | [`resend_verification`](Client::resend_verification) | API key | if surely not sent |
//! | `POST /v1/accounts/:id/deactivate` | [`deactivate_account`](Client::deactivate_account) | API key | if surely not sent |
//! | `POST /v1/accounts/:id/restore` | [`restore_account`](Client::restore_account) | API key | if surely not sent |
//! | "Get authentication code" | none: neither its path nor its answer is documented | partner key | |
//!
//! *If surely not sent*: again only if no connection could be made; where it may have been carried out, the
//! error says [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), and each request says where to look. A 401 is never
//! replayed. There is no endpoint that deletes an account.
//!
//! Source: Annature, *API Reference*, "Authentication", "Partner Program" and all pages of "Accounts".

mod account;
mod auth;
mod client;
mod error;
mod list;
mod list_v1;
mod new_account;
mod requests;

pub use account::{Account, Role};
pub use client::{Client, ClientBuilder};
pub use list::ListAccounts;
pub use list_v1::{CreatedBefore, ListAccountsV1};
pub use new_account::{ApiKey, CreateAccount, RegisterAccount, RegisteredAccount};
pub use requests::{GetAccount, ResendVerification, SetAccountState, UpdateAccount};

pub(crate) const NAME: &str = "annature";
