//! Who has an account, in every place an organisation pays for?
//!
//! `headcount` lists the accounts at Fortanix Confidential Computing Manager, Huawei Cloud Organizations,
//! Annature and SailPoint Identity Security Cloud: each with its own typed client, all with one
//! [`Paginator`], every list an async [`Stream`](futures::Stream), and one [`Account`] that they share.
//!
//! It is made for access reviews and inventories, where an account that silently goes missing is the worst
//! that can happen:
//!
//! - A list ends where the provider says so, and nowhere else. A login page, an empty body, a cursor that
//!   goes round in a circle are errors, never ends.
//! - A row that can not be read is told in its place, and costs no other row.
//! - [`Items::summary`] says whether the list is whole, or why it may not be.
//! - [`Items::checkpoint`] is good to the item: go on tomorrow, in another process.
//! - Requests are retried, SailPoint's rate limit is kept and any other that a client is given, tokens are
//!   renewed; credentials never show in logs or errors.
//!
//! Everything runs on tokio.
//!
//! # Each provider in ten lines
//!
//! ## Fortanix Confidential Computing Manager
//! ```no_run
//! # #[cfg(feature = "fortanix")] async fn run() -> headcount::Result<()> {
//! use futures::TryStreamExt;
//! use headcount::{Paginator, fortanix};
//!
//! let client = fortanix::Client::builder().password("ada@example.com", "correct horse").build()?;
//! let mut accounts = client.list_accounts().account_scope(fortanix::AccountScope::User).items();
//! while let Some(account) = accounts.try_next().await? {
//!     println!("{} {:?}", account.acct_id, account.name);
//! }
//! # Ok(()) }
//! ```
//!
//! ## Huawei Cloud Organizations
//! ```no_run
//! # #[cfg(feature = "huawei")] async fn run() -> headcount::Result<()> {
//! use futures::TryStreamExt;
//! use headcount::{Paginator, huawei};
//!
//! let client = huawei::Client::builder("access key", "secret key").build()?;
//! let mut accounts = client.list_accounts().with_register_contact_info(true).items();
//! while let Some(account) = accounts.try_next().await? {
//!     println!("{} {:?} {:?}", account.id, account.status, account.email);
//! }
//! # Ok(()) }
//! ```
//!
//! ## Annature
//! ```no_run
//! # #[cfg(feature = "annature")] async fn run() -> headcount::Result<()> {
//! use futures::TryStreamExt;
//! use headcount::{Paginator, annature};
//!
//! let client = annature::Client::builder("id", "private key").build()?;
//! let mut accounts = client.list_accounts().active(true).items();
//! while let Some(account) = accounts.try_next().await? {
//!     println!("{} {:?} {:?}", account.id, account.email, account.role);
//! }
//! # Ok(()) }
//! ```
//!
//! ## SailPoint Identity Security Cloud
//! ```no_run
//! # #[cfg(feature = "sailpoint")] async fn run() -> headcount::Result<()> {
//! use futures::TryStreamExt;
//! use headcount::{Paginator, sailpoint::{self, Field, Filter}};
//!
//! let client = sailpoint::Client::builder("https://acme.api.identitynow.com")
//!     .client_credentials("client id", "client secret")
//!     .build()?;
//! let mut accounts = client.list_accounts().filter(Filter::eq(Field::Uncorrelated, true)).items();
//! while let Some(account) = accounts.try_next().await? {
//!     println!("{} {:?}", account.id, account.native_identity);
//! }
//! # Ok(()) }
//! ```
//!
//! # All of them
//!
//! [`Paginator::into_accounts`] turns any list into one of shared [`Account`]s, and [`Merge`] makes one stream
//! of several, in which a source that fails ends only itself.
//!
//! # Beyond lists
//!
//! The clients know the providers' other account endpoints too: look one up, create, change, switch off. Each
//! is a request that does nothing until its `send()` is awaited; what it must have is asked for when it is made,
//! and all of it is checked before anything is sent. The modules' tables have every endpoint, the permission it
//! needs and whether it is retried: [`fortanix`](fortanix#endpoints), [`huawei`](huawei#endpoints),
//! [`annature`](annature#endpoints), [`sailpoint`](sailpoint#endpoints).
//!
//! ```no_run
//! # #[cfg(feature = "annature")] async fn run(client: headcount::annature::Client) -> headcount::Result<()> {
//! use headcount::{Retryability, annature::Role};
//!
//! match client.create_account("Ted", "ted@example.com").role(Role::ReadOnly).send().await {
//!     Ok(account) => println!("made {}", account.id),
//!     // No answer came, or half of one: look, before you make a second one.
//!     Err(error) if error.retryability() == Retryability::MaybeApplied => eprintln!("is Ted there? {error}"),
//!     Err(error) => return Err(error),
//! }
//! # Ok(()) }
//! ```
//!
//! Nothing that creates or changes is sent twice on a guess: only if it surely was not carried out.
//!
//! Requests are `Clone`, and the future of `send()` is `Send` and borrows nothing: it can be spawned, joined or
//! kept, and `request.clone().send()` leaves the request for another time. So the details of many accounts are
//! had a few at a time, in order:
//!
//! ```no_run
//! # #[cfg(feature = "huawei")]
//! # async fn run(client: headcount::huawei::Client, ids: Vec<String>) -> headcount::Result<()> {
//! use futures::{StreamExt, TryStreamExt, stream};
//!
//! let mut accounts = stream::iter(ids).map(|id| client.get_account(id).send()).buffered(4);
//! while let Some(account) = accounts.try_next().await? {
//!     println!("{} {:?}", account.id, account.description);
//! }
//! # Ok(()) }
//! ```
//!
//! # Going on after an error
//!
//! A stream ends after an error, so `?`, `try_collect` and `while let` all stop. It keeps its place:
//! [`Items::retry`] tries the failed page again on the same stream, and [`Items::checkpoint`] on another: see
//! the [example](page#going-on-another-time).
//! An error of kind [`ErrorKind::InvalidRecord`] is the exception: the stream goes on behind the bad row.
//!
//! # Crates in the interface
//!
//! Types of [`chrono`], [`futures`], [`reqwest`], [`secrecy`], [`serde_json`] and [`uuid`] are in this crate's
//! interface, and so are those of the crate `http` that [`http::Transport`] names. All are re-exported, so that
//! a program gets them in the right version; their major versions are part of this crate's. A secret is read with
//! [`secrecy::ExposeSecret`].
//!
//! # Features
//!
//! | feature | default | |
//! |---|---|---|
//! | `fortanix`, `huawei`, `annature`, `sailpoint` | yes | the providers; each compiles alone |
//! | `rustls` | yes | TLS by rustls with aws-lc-rs |
//! | `native-tls` | | TLS by the system's library |
//! | `rustls-no-provider` | | TLS by rustls; the application installs a `CryptoProvider` |
//! | `sailpoint-config` | | reads the file of SailPoint's command line tool, which is YAML |
//!
//! Without any of the TLS features, `https` needs a client or transport of your own; building says so.

#![cfg_attr(docsrs, feature(doc_cfg))]
// What all providers share is built with any of them; alone, none uses all of it.
#![cfg_attr(
    not(all(feature = "fortanix", feature = "huawei", feature = "annature", feature = "sailpoint")),
    allow(dead_code, unused_imports, unused_macros)
)]

mod account;
mod auth;
mod error;
pub mod http;
mod open_enum;
pub mod page;
mod record;
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
pub use open_enum::UnknownValue;
pub use page::{
    AnyPaginator, Checkpoint, Completeness, Continuity, Event, IncompleteReason, Items, ListingId, Merge,
    Page, Pages, Paginator, Rejected, SeekPaginator, Summary,
};
pub use record::RawRecord;
pub use sort_order::SortOrder;
pub use timestamp::Timestamp;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
