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
//! token before it ends.
//!
//! # Changes
//!
//! Most changes are made by tasks: the provider answers at once, with the [`TaskId`], and the change shows some
//! time later. Tried on a simulator, with `headcount-sim` in `[dev-dependencies]`:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use headcount::sailpoint;
//! use headcount_sim as sim;
//!
//! let tenant = sim::SailPoint::builder().accounts(50).start().await?;
//! let client = sailpoint::Client::builder(tenant.base_url()).token(tenant.token()).build()?;
//!
//! let id = tenant.ids().remove(0);
//! let task = client.disable_account(&id).force_provisioning(true).send().await?;
//! println!("{task} disables {id}");
//! assert_eq!(client.get_account(&id).send().await?.disabled, Some(true));
//! # Ok(()) }
//! ```
//!
//! # Endpoints
//!
//! `…/accounts` is `/accounts/v1` or `/v2025/accounts`, by the [`ApiVersion`], and `…/identities-accounts` alike.
//!
//! Requests are `Clone`, and the future of `send()` is `'static`: [send many at once](crate#beyond-lists).
//!
//! | endpoint | method | scope (`idn:accounts…`), user levels | retried |
//! |---|---|---|---|
//! | `GET …/accounts` | [`list_accounts`](Client::list_accounts) | `:read` or `:manage`, A B | yes |
//! | `GET …/accounts/{id}` | [`get_account`](Client::get_account) | `:read` or `:manage`, A B | yes |
//! | `GET …/accounts/{id}/entitlements` | [`list_entitlements`](Client::list_entitlements) | `:read` or `:manage`, A B | yes |
//! | `POST …/accounts` | [`create_account`](Client::create_account) | `:manage`, A | if surely not sent |
//! | `PATCH …/accounts/{id}` | [`update_account`](Client::update_account) | `:manage`, A | if surely not sent |
//! | `PUT …/accounts/{id}` | [`put_account`](Client::put_account) | `:manage`, A | if surely not sent |
//! | `DELETE …/accounts/{id}` | [`delete_account`](Client::delete_account) | `:manage`, A | if surely not sent |
//! | `POST …/accounts/{id}/remove` ¹ | [`remove_account`](Client::remove_account) | `:manage`, O | if surely not sent |
//! | `POST …/accounts/{id}/enable` | [`enable_account`](Client::enable_account) | `-state:manage`, A B | if surely not sent |
//! | `POST …/accounts/{id}/disable` | [`disable_account`](Client::disable_account) | `-state:manage`, A B | if surely not sent |
//! | `POST …/accounts/{id}/unlock` | [`unlock_account`](Client::unlock_account) | `-state:manage` ², A B | if surely not sent |
//! | `POST …/accounts/{id}/reload` | [`reload_account`](Client::reload_account) | `-state:manage`, A B | if surely not sent |
//! | `POST …/identities-accounts/{id}/enable` ¹ | [`enable_account_for_identity`](Client::enable_account_for_identity) | `-state:manage` ³, O | if surely not sent |
//! | `POST …/identities-accounts/{id}/disable` ¹ | [`disable_account_for_identity`](Client::disable_account_for_identity) | `-state:manage` ³, O | if surely not sent |
//! | `POST …/identities-accounts/enable` ¹ | [`enable_accounts_for_identities`](Client::enable_accounts_for_identities) | `-state:manage` ³, O | if surely not sent |
//! | `POST …/identities-accounts/disable` ¹ | [`disable_accounts_for_identities`](Client::disable_accounts_for_identities) | `-state:manage` ³, O | if surely not sent |
//!
//! User levels: O is `ORG_ADMIN`; A is `ORG_ADMIN`, `SOURCE_ADMIN` and `SOURCE_SUBADMIN`; B is `HELPDESK`.
//! *If surely not sent*: again only if no connection could be made, or, once and with a new token, if its token
//! was refused (401); where it may have been carried out, the error says
//! [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), and each request says where to look.
//! ¹ Not in `v3`; experimental in `v2024` and `v2025`, and asked for as such. ² With `force_provisioning(true)` also
//! `-provisioning:manage`. ³ Of a token that has a user, `-provisioning:manage` will do as well.
//!
//! Source: SailPoint, *API specifications* of *Accounts* in `beta`, `v3`, `v2024`, `v2025`, `v2026` and
//! `accounts/v1`; *Standard Collection Parameters*; *Authentication*; *Rate Limits*; *API Versioning Strategy*.

mod account;
mod account_requests;
mod auth;
mod client;
mod config;
mod entitlement;
mod error;
mod filter;
mod identities;
mod list;
mod offset_pager;
mod version;

pub use account::{
    Account, Attributes, Origin, Recommendation, RecommendationMethod, RecommendationType, Reference,
};
pub use account_requests::{
    AccountPath, CreateAccount, DeleteAccount, GetAccount, PutAccount, ReloadAccount, RemoveAccount,
    SetAccountState, TaskId, TaskResult, UnlockAccount, UpdateAccount,
};
pub use client::{Client, ClientBuilder};
pub use entitlement::{
    AccessModelMetadata, Entitlement, ListEntitlements, MetadataAttribute, MetadataValue, Permission,
};
pub use filter::{Field, Filter, Literal};
pub use identities::{IdentityResult, IdentityResults, SetIdentityAccountState, SetIdentityAccountStates};
pub use list::{DetailLevel, ListAccounts};
pub use offset_pager::Cursor;
pub use version::ApiVersion;

pub(crate) const NAME: &str = "sailpoint";
