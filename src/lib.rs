//! Lists every account that an organisation holds at Fortanix Confidential Computing Manager, Huawei Cloud
//! Organizations, Annature and SailPoint Identity Security Cloud.
//!
//! The crate is made for access reviews and inventories, where a missing account is the worst error. A listing that is cut
//! short is an error or is reported: [`Items::summary`] says whether it is complete. A record that cannot be decoded
//! is an error in its place. Requests are retried, rate limits are honoured, tokens are refreshed, and credentials never
//! appear in logs or errors.
//!
//! | to | read |
//! |---|---|
//! | set up a provider: credentials, permissions, limits, fields | [`fortanix`], [`huawei`], [`annature`], [`sailpoint`] |
//! | know when a listing is complete, and resume it | [pagination and completeness](guide::pagination) |
//! | handle errors | [errors and retries](guide::errors) |
//! | find a recipe: CSV, differences, metrics, proxies | [cookbook](guide::cookbook) |
//! | prepare for production | [testing](guide::testing), [security](guide::security), [scale](guide::scale) |
//!
//! # List one provider
//!
//! ```
//! use headcount::huawei;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = headcount_sim::Huawei::builder().accounts(30).start().await?;
//! # let (ak, sk) = (server.ak(), server.sk());
//! let client = huawei::Client::builder()
//! #   .base_url(server.base_url())
//!     .access_key(ak)
//!     .secret_key(sk)
//!     .build()?;
//! let mut accounts = client.list_accounts().items().require_complete();
//! while let Some(account) = accounts.try_next().await? {
//!     println!("{} {:?} {:?}", account.id, account.name, account.status);
//! }
//! // Reached only if the listing is complete, as far as the provider shows it.
//! # assert_eq!(accounts.summary().items, 30);
//! # Ok(()) }
//! ```
//!
//! `from_env()` reads the credentials from environment variables, at Huawei and SailPoint those of the vendors' SDKs.
//! [`Items::collect_complete`] returns a `Vec`.
//!
//! # List all providers
//!
//! `into_accounts()` converts the records to one [`Account`], and [`Merge`] makes one stream of several listings:
//!
//! ```
//! use headcount::{Event, Merge, huawei, sailpoint};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let org = headcount_sim::Huawei::builder().accounts(30).start().await?;
//! # let tenant = headcount_sim::SailPoint::builder().accounts(20).start().await?;
//! # let cloud =
//! #     huawei::Client::builder().access_key(org.ak()).secret_key(org.sk()).base_url(org.base_url()).build()?;
//! # let hr = sailpoint::Client::builder().base_url(tenant.base_url()).token(tenant.token()).build()?;
//! # let mut complete = 0;
//! let mut accounts = Merge::new([
//!     ("cloud", cloud.list_accounts().into_accounts()),
//!     ("hr", hr.list_accounts().into_accounts()),
//! ]);
//! while let Some(event) = accounts.next().await {
//!     match event {
//!         Event::Item { source, item } => {
//!             println!("{source} {} {:?} {}", item.id, item.name, item.status);
//!         }
//!         Event::Finished { source, summary } => {
//!             println!("{source}: {summary}"); // hr: 20 items, 1 page; complete
//! #           complete += u32::from(summary.completeness.is_complete());
//!         }
//!         failure => eprintln!("{failure:?}"),
//!     }
//! }
//! # assert_eq!(complete, 2);
//! # Ok(()) }
//! ```
//!
//! # Resume
//!
//! A [`Checkpoint`] is a small serde value without credentials. It continues a listing after the last account, in another
//! process too:
//!
//! ```
//! # use headcount::{Checkpoint, sailpoint};
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let tenant = headcount_sim::SailPoint::builder().accounts(20).start().await?;
//! # let client = sailpoint::Client::builder().base_url(tenant.base_url()).token(tenant.token()).build()?;
//! let mut accounts = client.list_accounts().items();
//! let first = accounts.try_next().await?;
//! let saved: String = serde_json::to_string(&accounts.checkpoint())?;
//!
//! let checkpoint: Checkpoint = serde_json::from_str(&saved)?;
//! let mut accounts = client.list_accounts().resume(&checkpoint)?.require_complete();
//! let second = accounts.try_next().await?;
//! # assert!(second.is_some() && first.map(|account| account.id) != second.map(|account| account.id));
//! # Ok(()) }
//! ```
//!
//! # Test your own code
//!
//! The crate `headcount-sim` has simulators of the four providers, written from their documentation, which can inject
//! faults:
//!
//! ```
//! use headcount::annature;
//! use headcount_sim::{self as sim, Fault, Faults};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let faults = Faults::new(1).on_list(2, Fault::TruncatedJson);
//! let server = sim::Annature::builder().accounts(250).faults(faults).start().await?;
//! let client = annature::Client::builder()
//!     .base_url(server.base_url())
//!     .id(server.id())
//!     .key(server.key())
//!     .build()?;
//! assert_eq!(client.list_accounts().items().collect_complete().await?.len(), 250);
//! # Ok(()) }
//! ```
//!
//! # Other requests
//!
//! The clients have the providers' other account endpoints: get, create, update, disable and more. A request does
//! nothing until its `send()` is awaited. The modules list every endpoint, the permission that it needs and
//! whether it is retried: [`fortanix`](fortanix#endpoints), [`huawei`](huawei#endpoints),
//! [`annature`](annature#endpoints), [`sailpoint`](sailpoint#endpoints). A request that creates something is never
//! repeated after it [may have been processed](guide::errors#requests-that-change-something).
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
//! otherwise. The crate runs on tokio. It does not support [WebAssembly](guide::scale#webassembly).
//!
//! The interface contains types of [`chrono`], [`futures`], [`reqwest`], [`secrecy`], [`serde_json`] and [`uuid`], which
//! are re-exported, and types of the crates `http` and `bytes`, which the module [`http`] re-exports. Their major
//! versions are part of this crate's. Read a secret with [`secrecy::ExposeSecret`].

#![cfg_attr(docsrs, feature(doc_cfg))]
// The shared modules are built with any of the providers, none of which uses all of them.
#![cfg_attr(
    not(all(feature = "fortanix", feature = "huawei", feature = "annature", feature = "sailpoint")),
    allow(dead_code, unused_imports, unused_macros)
)]

mod account;
mod auth;
mod error;
mod escape_hidden;
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
pub use escape_hidden::escape_hidden;
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
