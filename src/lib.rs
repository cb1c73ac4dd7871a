//! Lists every account that an organisation holds at Fortanix Confidential Computing Manager, Huawei Cloud
//! Organizations, Annature and SailPoint Identity Security Cloud.
//!
//! Each provider has a typed client, every listing is an async [`Stream`](futures::Stream), and the records
//! of all providers convert to one [`Account`]. The crate is made for access reviews and inventories, where a
//! missing account is the worst error:
//!
//! - A listing ends only where the provider says so. Login pages, empty bodies and repeated cursors are errors.
//! - A record that cannot be decoded is reported in place; the others are unaffected.
//! - [`Items::summary`] reports whether the listing is complete, and why it may not be.
//! - Checkpoints have item granularity and can be resumed in another process: see [`Items::checkpoint`].
//! - Requests are retried, rate limits are honoured and tokens are refreshed. Credentials never appear in logs or errors.
//!
//! It runs on tokio.
//!
//! # Example
//!
//! ```no_run
//! # #[cfg(feature = "huawei")] async fn run() -> headcount::Result<()> {
//! use headcount::huawei;
//!
//! let client = huawei::Client::from_env()?;
//! let mut accounts = client.list_accounts().items().require_complete();
//! while let Some(account) = accounts.try_next().await? {
//!     println!("{} {:?} {:?}", account.id, account.name, account.status);
//! }
//! // Reached only if every account was listed.
//! # Ok(()) }
//! ```
//!
//! | to | use |
//! |---|---|
//! | get every account or an error | [`Items::collect_complete`], [`Items::require_complete`] |
//! | get accounts, invalid records and the summary | [`Items::collect_with_summary`] |
//! | list several providers at once | `into_accounts()` and [`Merge`] |
//! | continue after an interruption | [`Items::checkpoint`] and `resume()`: see [`Checkpoint`] |
//! | fetch pages ahead or concurrently | [`Pages::ahead`], [`Pages::concurrent`] |
//! | set timeouts, retries, rate limits or a proxy | the client builders: see [`http`] |
//! | list something else in the same way | [`Paginator`] and [`http::ApiClient`] |
//!
//! # Providers
//!
//! ## Fortanix Confidential Computing Manager
//! ```no_run
//! # #[cfg(feature = "fortanix")] async fn run() -> headcount::Result<()> {
//! use headcount::fortanix;
//!
//! let client = fortanix::Client::builder().password("ada@example.com", "correct horse").build()?;
//! for account in client.list_accounts().items().collect_complete().await? {
//!     println!("{} {:?}", account.acct_id, account.name);
//! }
//! # Ok(()) }
//! ```
//!
//! ## Huawei Cloud Organizations
//! ```no_run
//! # #[cfg(feature = "huawei")] async fn run() -> headcount::Result<()> {
//! use headcount::huawei;
//!
//! let client = huawei::Client::builder().access_key("access key").secret_key("secret key").build()?;
//! let accounts = client.list_accounts().with_register_contact_info(true);
//! for account in accounts.items().collect_complete().await? {
//!     println!("{} {:?} {:?}", account.id, account.status, account.email);
//! }
//! # Ok(()) }
//! ```
//!
//! ## Annature
//! ```no_run
//! # #[cfg(feature = "annature")] async fn run() -> headcount::Result<()> {
//! use headcount::annature;
//!
//! let client = annature::Client::builder().id("id").key("private key").build()?;
//! for account in client.list_accounts().active(true).items().collect_complete().await? {
//!     println!("{} {:?} {:?}", account.id, account.email, account.role);
//! }
//! # Ok(()) }
//! ```
//!
//! ## SailPoint Identity Security Cloud
//! ```no_run
//! # #[cfg(feature = "sailpoint")] async fn run() -> headcount::Result<()> {
//! use headcount::sailpoint::{self, Field, Filter};
//!
//! let client = sailpoint::Client::builder()
//!     .base_url("https://acme.api.identitynow.com")
//!     .client_credentials("client id", "client secret")
//!     .build()?;
//! let accounts = client.list_accounts().filter(Filter::eq(Field::Uncorrelated, true));
//! for account in accounts.items().collect_complete().await? {
//!     println!("{} {:?}", account.id, account.native_identity);
//! }
//! # Ok(()) }
//! ```
//!
//! # More than lists
//!
//! The clients have the providers' other account endpoints too: get, create, update, disable and more. A
//! request does nothing until its `send()` is awaited. Required parameters are arguments; everything is
//! validated before sending. The tables in the modules list every endpoint, the permission it needs and
//! whether it is retried:
//! [`fortanix`](fortanix#endpoints), [`huawei`](huawei#endpoints), [`annature`](annature#endpoints),
//! [`sailpoint`](sailpoint#endpoints).
//!
//! ```no_run
//! # #[cfg(feature = "annature")] async fn run(client: headcount::annature::Client) -> headcount::Result<()> {
//! use headcount::{Retryability, annature::Role};
//!
//! match client.create_account("Ted", "ted@example.com").role(Role::ReadOnly).send().await {
//!     Ok(account) => println!("created {}", account.id),
//!     // There was no response, or an invalid one: check before creating a second account.
//!     Err(error) if error.retryability() == Retryability::MaybeApplied => eprintln!("{error}"),
//!     Err(error) => return Err(error),
//! }
//! # Ok(()) }
//! ```
//!
//! Non-idempotent requests are retried only if they never reached the server.
//!
//! Requests are `Clone`, and the future of `send()` is `Send` and borrows nothing. Fetch many accounts with
//! bounded concurrency:
//!
//! ```no_run
//! # #[cfg(feature = "huawei")]
//! # async fn run(client: headcount::huawei::Client, ids: Vec<String>) -> headcount::Result<()> {
//! use headcount::futures::{StreamExt, TryStreamExt, stream};
//!
//! let mut accounts = stream::iter(ids).map(|id| client.get_account(id).send()).buffered(4);
//! while let Some(account) = accounts.try_next().await? {
//!     println!("{} {:?}", account.id, account.description);
//! }
//! # Ok(()) }
//! ```
//!
//! # After an error
//!
//! A stream ends after an error, so `?` and `while let` stop. It keeps its position: [`Items::retry`] fetches
//! the failed page again on the same stream, and [`Items::checkpoint`] resumes on another. The exception is
//! an error of kind
//! [`ErrorKind::InvalidRecord`], after which the stream continues.
//!
//! # Crates in the interface
//!
//! The interface contains types of [`chrono`], [`futures`], [`reqwest`], [`secrecy`], [`serde_json`] and [`uuid`], which
//! are re-exported, and types of the crates `http` and `bytes`, which the module [`http`] re-exports. Their major
//! versions are part of this crate's. Read a secret with [`secrecy::ExposeSecret`].
//!
//! # Features
//!
//! | feature | default | |
//! |---|---|---|
//! | `fortanix`, `huawei`, `annature`, `sailpoint` | yes | the providers; each compiles alone |
//! | `rustls` | yes | TLS by rustls with aws-lc-rs |
//! | `native-tls` | | TLS by the system's library |
//! | `rustls-no-provider` | | TLS by rustls; the application installs a `CryptoProvider` |
//! | `sailpoint-config` | | reads the YAML configuration of SailPoint's command line tool |
//!
//! Without a TLS feature, `https` requires an HTTP client or transport of your own; building a client fails
//! otherwise.

#![cfg_attr(docsrs, feature(doc_cfg))]
// The shared modules are built with any of the providers, none of which uses all of them.
#![cfg_attr(
    not(all(feature = "fortanix", feature = "huawei", feature = "annature", feature = "sailpoint")),
    allow(dead_code, unused_imports, unused_macros)
)]

mod account;
mod auth;
mod error;
#[cfg(any(doc, doctest))]
pub mod guide;
pub mod http;
mod inventory;
mod inventory_diff;
mod open_enum;
mod page;
mod record;
mod report;
#[cfg(all(test, feature = "huawei"))]
mod signature_vectors;
mod sort_order;
mod task;
mod timestamp;

#[cfg(feature = "annature")]
pub mod annature;
#[cfg(feature = "fortanix")]
pub mod fortanix;
#[cfg(feature = "huawei")]
pub mod huawei;
#[cfg(feature = "sailpoint")]
pub mod sailpoint;

// Their types are in the interface.
pub use {chrono, futures, reqwest, secrecy, serde_json, uuid};

pub use account::{Account, AccountKind, AccountOwner, AccountStatus, AlternateId, Provider};
pub use error::{Error, ErrorKind, Result, Retryability};
pub use inventory::{Inventory, InventoryWriter, SourceInventory};
pub use inventory_diff::{AccountChange, FieldChange, InventoryDiff, SourceDiff};
pub use open_enum::UnknownValue;
pub use page::{
    AnyPaginator, Checkpoint, Collected, Completeness, Continuity, Cursor, ErasedCursor, Event,
    IncompleteReason, IntoAccounts, Items, ListingId, Merge, Page, Pages, Paginator, Position, Rejected,
    SeekPaginator, Summary,
};
pub use record::RawRecord;
pub use report::{ListingReport, Source};
pub use sort_order::SortOrder;
pub use timestamp::Timestamp;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
