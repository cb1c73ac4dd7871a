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
//! Source: Annature, *API Reference*, "Authentication", "List all accounts", "List all accounts (paged)".

mod account;
mod client;
mod error;
mod filters;
mod list;
mod list_v1;

pub use account::{Account, Role};
pub use client::{Client, ClientBuilder};
pub use list::ListAccounts;
pub use list_v1::{ListAccountsV1, Window};

pub(crate) const NAME: &str = "annature";
