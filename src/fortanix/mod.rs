//! Fortanix Confidential Computing Manager: the accounts that a user may see.
//!
//! ```no_run
//! use futures::TryStreamExt;
//! use headcount::{Paginator, fortanix};
//!
//! # async fn run() -> headcount::Result<()> {
//! let client = fortanix::Client::from_env()?;
//! let mut accounts = client.list_accounts().items();
//! while let Some(account) = accounts.try_next().await? {
//!     println!("{} {:?} {:?}", account.acct_id, account.name, account.account_status);
//! }
//! # Ok(()) }
//! ```
//!
//! A client logs in with e-mail address and password, or is given a token. The documentation calls the
//! header of a token `Authentication`, and every known client sends `Authorization: Bearer`: both are sent.
//!
//! Source: Fortanix, *Confidential Computing Manager API*, "Get all accounts", "User authentication",
//! "Refreshes existing user session".

mod account;
mod auth_config;
mod client;
mod error;
mod list;
mod session;

pub use account::{
    Account, AccountStatus, ApprovalState, Component, MemberStatus, NodeEnrollment, ObjectCounts, Role,
};
pub use auth_config::{
    AuthConfigOauth, AuthConfigPassword, AuthConfigRef, AuthenticationConfig, CaConfig, CaSet, TlsConfig,
    TlsConfigRequired,
};
pub use client::{Client, ClientBuilder};
pub use list::{AccountScope, Cursor, ListAccounts};

pub(crate) const NAME: &str = "fortanix";
