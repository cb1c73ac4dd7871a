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
//! Requests are signed with an access key (AK/SK), permanent or temporary. The list can be called by the
//! organization's management account and by a delegated administrator; its IAM action is
//! `organizations:accounts:list`.
//!
//! Source: Huawei Cloud, *Organizations API Reference*, "Listing Accounts in an Organization", and
//! *API Request Signing Guide*.

mod account;
mod client;
mod credentials;
mod error;
mod list;
mod metadata;
mod profile;
mod sign;
#[cfg(test)]
mod sign_vectors;

pub use account::{Account, AccountStatus, JoinMethod};
pub use client::{Client, ClientBuilder};
pub use list::ListAccounts;

pub(crate) const NAME: &str = "huawei";
