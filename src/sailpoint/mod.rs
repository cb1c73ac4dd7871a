//! SailPoint Identity Security Cloud: the accounts on all sources that it governs.
//!
//! ```no_run
//! use futures::TryStreamExt;
//! use headcount::{Paginator, sailpoint};
//!
//! # async fn run() -> headcount::Result<()> {
//! let client = sailpoint::Client::from_env()?;
//! let mut accounts =
//!     client.list_accounts().filter(sailpoint::Filter::eq(sailpoint::Field::Uncorrelated, true)).items();
//! while let Some(account) = accounts.try_next().await? {
//!     println!("{} {:?} {:?}", account.id, account.native_identity, account.source_name);
//! }
//! # Ok(()) }
//! ```
//!
//! A client logs in with the client credentials of a personal access token or API client, and renews its
//! token before it ends. Listing needs the scope `idn:accounts:read` or `idn:accounts:manage`, and a user
//! level of `ORG_ADMIN`, `SOURCE_ADMIN`, `SOURCE_SUBADMIN` or `HELPDESK`.
//!
//! Source: SailPoint, *API specifications* of `listAccounts` and `getAccountEntitlements` in `beta`, `v3`, `v2024`, `v2025`, `v2026` and
//! `accounts/v1`; *Standard Collection Parameters*; *Authentication*; *Rate Limits*.

mod account;
mod client;
mod config;
#[cfg(feature = "sailpoint-config")]
mod config_yaml;
mod cursor;
mod entitlement;
mod entitlements;
mod error;
mod field;
mod filter;
mod list;
mod literal;
mod paging;
mod token;
mod version;
mod walk;

pub use account::{
    Account, Attributes, Origin, Recommendation, RecommendationMethod, RecommendationType, Reference,
};
pub use client::{Client, ClientBuilder};
pub use cursor::Cursor;
pub use entitlement::{AccessModelMetadata, Entitlement, MetadataAttribute, MetadataValue, Permission};
pub use entitlements::ListEntitlements;
pub use field::Field;
pub use filter::Filter;
pub use list::{DetailLevel, ListAccounts};
pub use literal::Literal;
pub use version::ApiVersion;

pub(crate) const NAME: &str = "sailpoint";
