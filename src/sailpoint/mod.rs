//! SailPoint Identity Security Cloud: lists and changes the accounts on all governed sources.
//!
//! ```no_run
//! use headcount::sailpoint::{self, Field, Filter};
//!
//! # async fn run() -> headcount::Result<()> {
//! let client = sailpoint::Client::from_env()?;
//! let uncorrelated = client.list_accounts().filter(Filter::eq(Field::Uncorrelated, true));
//! let mut accounts = uncorrelated.items().require_complete();
//! while let Some(account) = accounts.try_next().await? {
//!     println!("{} {:?} {:?}", account.id, account.native_identity, account.source_name);
//! }
//! # Ok(()) }
//! ```
//!
//! A client authenticates with the client credentials of a personal access token or API client. It refreshes
//! its access token before it expires.
//!
//! # Changes
//!
//! Most changes are asynchronous. The provider responds with a [`TaskId`], and the task applies the change
//! later. This example runs against the simulator, with `headcount-sim` in `[dev-dependencies]`:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use headcount::sailpoint;
//! use headcount_sim as sim;
//!
//! let tenant = sim::SailPoint::builder().accounts(50).start().await?;
//! let client = sailpoint::Client::builder().base_url(tenant.base_url()).token(tenant.token()).build()?;
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
//! The path of `…/accounts` depends on the [`ApiVersion`]: `/accounts/v1` or, for example, `/v2025/accounts`.
//! The same applies to `…/identities-accounts`.
//!
//! Requests are `Clone`, and the future of `send()` is `'static`, so
//! [requests can be sent concurrently](crate#more-than-lists).
//!
//! | endpoint | method | scope (`idn:accounts…`), user levels | retried |
//! |---|---|---|---|
//! | `GET …/accounts` | [`list_accounts`](Client::list_accounts) | `:read` or `:manage`, A B | yes |
//! | `GET …/accounts/{id}` | [`get_account`](Client::get_account) | `:read` or `:manage`, A B | yes |
//! | `GET …/accounts/{id}/entitlements` | [`list_entitlements`](Client::list_entitlements) | `:read` or `:manage`, A B | yes |
//! | `POST …/accounts` | [`create_account`](Client::create_account) | `:manage`, A | if not sent |
//! | `PATCH …/accounts/{id}` | [`update_account`](Client::update_account) | `:manage`, A | if not sent |
//! | `PUT …/accounts/{id}` | [`put_account`](Client::put_account) | `:manage`, A | if not sent |
//! | `DELETE …/accounts/{id}` | [`delete_account`](Client::delete_account) | `:manage`, A | if not sent |
//! | `POST …/accounts/{id}/remove` ¹ | [`remove_account`](Client::remove_account) | `:manage`, O | if not sent |
//! | `POST …/accounts/{id}/enable` | [`enable_account`](Client::enable_account) | `-state:manage`, A B | if not sent |
//! | `POST …/accounts/{id}/disable` | [`disable_account`](Client::disable_account) | `-state:manage`, A B | if not sent |
//! | `POST …/accounts/{id}/unlock` | [`unlock_account`](Client::unlock_account) | `-state:manage` ², A B | if not sent |
//! | `POST …/accounts/{id}/reload` | [`reload_account`](Client::reload_account) | `-state:manage`, A B | if not sent |
//! | `POST …/identities-accounts/{id}/enable` ¹ | [`enable_account_for_identity`](Client::enable_account_for_identity) | `-state:manage` ³, O | if not sent |
//! | `POST …/identities-accounts/{id}/disable` ¹ | [`disable_account_for_identity`](Client::disable_account_for_identity) | `-state:manage` ³, O | if not sent |
//! | `POST …/identities-accounts/enable` ¹ | [`enable_accounts_for_identities`](Client::enable_accounts_for_identities) | `-state:manage` ³, O | if not sent |
//! | `POST …/identities-accounts/disable` ¹ | [`disable_accounts_for_identities`](Client::disable_accounts_for_identities) | `-state:manage` ³, O | if not sent |
//!
//! User levels: O is `ORG_ADMIN`; A is `ORG_ADMIN`, `SOURCE_ADMIN` and `SOURCE_SUBADMIN`; B is `HELPDESK`.
//!
//! *If not sent*: not idempotent. The request is retried if no connection could be established. It is also
//! retried once, with a new token, if the server rejected its token (401). If the request may have been
//! processed, the error is [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied). The docs of
//! each request describe how to check.
//!
//! ¹ Not in `v3`. Experimental in `v2024` and `v2025`; the client sends the required header. ² With
//! `force_provisioning(true)` also `-provisioning:manage`. ³ For a token with a user, `-provisioning:manage`
//! also suffices.
//!
//! # Undocumented behaviour
//!
//! SailPoint does not document the default order of a list, how ids are compared, and whether counts are
//! exact and pages are full. [`ListAccounts`] and [`ListEntitlements`] describe how this crate handles that.
//! The request types describe further assumptions about single endpoints.
//!
//! Source: SailPoint, *API specifications* of *Accounts* in `beta`, `v3`, `v2024`, `v2025`, `v2026` and
//! `accounts/v1`; *Standard Collection Parameters*; *Authentication*; *Rate Limits*; *API Versioning
//! Strategy*.

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
