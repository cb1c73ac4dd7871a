//! Annature: accounts (users) of an organisation, or of the organisations that a partner has provisioned.
//!
//! ```no_run
//! use headcount::annature;
//!
//! # async fn run() -> headcount::Result<()> {
//! let client = annature::Client::from_env()?;
//! let mut accounts = client.list_accounts().role(annature::Role::Administrator).items().require_complete();
//! while let Some(account) = accounts.try_next().await? {
//!     println!("{} {:?} {:?}", account.id, account.name, account.email);
//! }
//! # Ok(()) }
//! ```
//!
//! [`Client::list_accounts`] pages through version 2 of the endpoint. Version 1 returns one array of at most
//! 1,000 accounts. [`Client::list_accounts_v1`] reports when that array may be truncated, and can continue by
//! date.
//!
//! Accounts are created, updated, deactivated and restored with request builders. A builder does nothing
//! until its `send()` is awaited:
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
//! An API key has full access to its organisation; there are no finer permissions. A partner key is sent in
//! addition to it. Set it for the client with [`ClientBuilder::partner_key`], or for a single request with
//! that request's `partner_key`; `without_partner_key` omits it from a single request.
//!
//! Requests are `Clone`, and the future of `send()` is `'static`: [send many
//! concurrently](crate#more-than-lists).
//!
//! | endpoint | method | permission | retried |
//! |---|---|---|---|
//! | `GET /v2/accounts` | [`list_accounts`](Client::list_accounts) | API key; with a partner key, the organisations registered with it | yes |
//! | `GET /v1/accounts` | [`list_accounts_v1`](Client::list_accounts_v1) | as `GET /v2/accounts` | yes |
//! | `GET /v1/accounts/:id` | [`get_account`](Client::get_account) | API key | yes |
//! | `POST /v1/accounts` | [`create_account`](Client::create_account) | API key; to skip verification, partner key | if never sent |
//! | `POST /v1/accounts/register` | [`register_account`](Client::register_account) | partner key | if never sent |
//! | `PUT /v1/accounts/:id` | [`update_account`](Client::update_account) | API key | if never sent |
//! | `POST /v1/accounts/:id/verification` | [`resend_verification`](Client::resend_verification) | API key | if never sent |
//! | `POST /v1/accounts/:id/deactivate` | [`deactivate_account`](Client::deactivate_account) | API key | if never sent |
//! | `POST /v1/accounts/:id/restore` | [`restore_account`](Client::restore_account) | API key | if never sent |
//! | "Get authentication code" | none: neither its path nor its response is documented | partner key | |
//!
//! *If never sent*: the request is not idempotent, and is retried only if no connection could be established.
//! If the server may have processed it, the error has
//! [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), and the request's docs say how to
//! check. A 401 is never replayed. No endpoint deletes an account.
//!
//! # Not documented
//!
//! The effect of a partner key is documented for three things: lists, registering an account, and skipping
//! verification. Lists then return the accounts of the organisations registered with the key, and not those
//! of the caller's own organisation. Whether other requests can reach the accounts of those organisations is
//! not documented.
//!
//! Statuses and bodies of errors are not documented.
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
