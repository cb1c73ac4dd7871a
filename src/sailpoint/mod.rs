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
//! # Authentication
//!
//! A client authenticates with the client credentials of a personal access token (PAT) or API client, or with a
//! bearer token that was obtained elsewhere:
//!
//! | way | constructor |
//! |---|---|
//! | client credentials | [`builder`](Client::builder) with [`client_credentials`](ClientBuilder::client_credentials) |
//! | client credentials from `SAIL_BASE_URL`, `SAIL_CLIENT_ID` and `SAIL_CLIENT_SECRET` | [`from_env`](Client::from_env), [`builder_from_env`](Client::builder_from_env) |
//! | client credentials from these variables, `./config.json` or, with the feature `sailpoint-config`, `~/.sailpoint/config.yaml` | [`from_default_chain`](Client::from_default_chain), [`builder_from_default_chain`](Client::builder_from_default_chain) |
//! | a bearer token | [`builder`](Client::builder) with [`token`](ClientBuilder::token) |
//!
//! The [base URL](ClientBuilder::base_url) is required: `https://{tenant}.api.identitynow.com`, or a vanity
//! host. The default [API version](ClientBuilder::api_version) is `accounts/v1`. The older
//! versions are supported until the second quarter of 2028, and `beta` is deprecated.
//!
//! **Lifetime.** The access token is fetched from `/oauth/token` with the first request, and its lifetime is
//! `expires_in` of the response. That of a PAT is configurable, from 15 seconds to 12 hours, and 12 hours by
//! default. The token is refreshed when a tenth of its lifetime is left, or a minute if that is less.
//! Concurrent requests share one refresh. If the refresh fails, the old token is used until it expires.
//!
//! **Rejected tokens.** A request that gets a 401 is sent once more, with a new token. With
//! [`token`](ClientBuilder::token), the 401 is an error of kind [`Auth`](crate::ErrorKind::Auth).
//!
//! # Permissions
//!
//! To list accounts, a token needs the scope `idn:accounts:read` or `idn:accounts:manage`. A token
//! with a user (PAT) also needs one of the user levels `ORG_ADMIN`, `SOURCE_ADMIN`, `SOURCE_SUBADMIN` and
//! `HELPDESK`. The specification also allows tokens without a user (API client). The table of [endpoints](#endpoints) has the scopes
//! and user levels of all requests.
//!
//! - *PAT*: in the user's menu, open *Preferences*, *Personal Access Tokens*, *New Token*, and select the
//!   scopes. A user has at most 10. A PAT grants nothing beyond its user's levels.
//! - *API client*: an administrator opens *Admin*, *Global*, *Security Settings*, *API Management*, and creates
//!   one with the grant type *Client Credentials* and the scopes. Without scopes, it can use only endpoints
//!   that need no authorization.
//!
//! Both are described in *Managing API Keys and Personal Access Tokens*.
//!
//! # Pagination
//!
//! The list is paged by `limit` and `offset`, and sorted by `id`. Plain paging by offset skips accounts when
//! others are removed, because the following accounts move to lower offsets. Therefore, each page begins with
//! the last account of the previous one, and the list looks for that position if it has moved.
//!
//! | | |
//! |---|---|
//! | page size | 250, or [`limit`](ListAccounts::limit): 2 to 250 |
//! | order | by `id`, or by [`sort_by`](ListAccounts::sort_by) and then by `id` |
//! | end | a page with the last account listed and none after it, confirmed by the count or by further requests; a short page is not the end |
//! | verified | that a page continues the previous one, by comparing ids |
//! | accounts created or removed during the list | in the default order, every account that exists throughout is listed exactly once, or the listing fails |
//! | sorted by `created`, or by descending `id` | a page that does not contain the last account listed gives [`BoundariesUnverified`](crate::IncompleteReason::BoundariesUnverified) in the summary |
//! | sorted by a field that can change | [`UnstableOrder`](crate::IncompleteReason::UnstableOrder) in the summary, if there is more than one page |
//! | the provider's count changes during the list | [`TotalChanged`](crate::IncompleteReason::TotalChanged) in the summary |
//! | the position is lost | [`ListingChanged`](crate::ErrorKind::ListingChanged) |
//! | a server that ignores the offset | [`PaginationLoop`](crate::ErrorKind::PaginationLoop) |
//!
//! In the default order, pages can be fetched concurrently with the same guarantees
//! ([`Pages::concurrent`](crate::Pages::concurrent)). [`list_entitlements`](Client::list_entitlements) has no
//! parameter for the order: see [`ListEntitlements`]. See [`ListAccounts`], and
//! [pagination](crate::guide::pagination) in general.
//!
//! # Limits
//!
//! | what | limit | from |
//! |---|---|---|
//! | requests per time | 100 in any 10 seconds, for each client id and API version; the client keeps to it: [`rate_limit`](ClientBuilder::rate_limit) | *Rate Limits* |
//! | waiting for `Retry-After` | 120 s: `max_retry_after` of the [`RetryPolicy`](crate::http::RetryPolicy) | this crate |
//! | response body | 64 MiB after decompression: [`body_limit`](ClientBuilder::body_limit) | this crate |
//! | page size | 250 | the specification |
//! | `offset` | 2,147,483,647, because the type is a 32-bit integer | the specification |
//! | lifetime of the access token of a PAT | 15 to 43,200 seconds | the specification |
//! | requests for one page while the position is searched | 1,000 | this crate |
//!
//! The rate limit is shared by the clones of a client. Other clients and other programs with the same client id
//! use the same allowance at the provider: give each of them a part of it. Token requests are not counted by
//! the client.
//!
//! # Fields
//!
//! The shared [`Account`](crate::Account) converts from an [`Account`]:
//!
//! | field | from |
//! |---|---|
//! | `kind` | [`SystemAccount`](crate::AccountKind::SystemAccount) if `systemAccount` is true, [`MachineAccount`](crate::AccountKind::MachineAccount) if `isMachine` is, otherwise [`SourceAccount`](crate::AccountKind::SourceAccount) |
//! | `id` | `id` |
//! | `name` | `name`, or `nativeIdentity` if that is missing |
//! | `email` | the attributes that [`email_attribute`](ListAccounts::email_attribute) names; without it, empty |
//! | `status` | `Disabled` if `disabled`, otherwise `Locked` if `locked`, otherwise `Active`; `Unspecified` without both |
//! | `raw_status` | `disabled` or `locked`, if one of them is true |
//! | `created_at` | `created`; empty if it is not a date |
//! | `modified_at` | `modified`; empty if it is not a date |
//! | `parent_id` | `sourceId` |
//! | `owner` | `identity`, with `identityId` if it has no id, or `ownerIdentity` if there is none; for a machine account, `ownerIdentity` first |
//! | `alternate_ids` | `nativeIdentity`, `uuid` |
//! | `joined_at`, `roles` | empty: the record has no such member |
//!
//! Which members [`DetailLevel::Slim`] omits is not documented. Without `systemAccount`, the kind is
//! `SourceAccount`; without `identity`, the owner has no name. All members, including the `attributes`, are in
//! the [`record`](crate::Account::record). Attributes may contain secrets: see [`Account`].
//!
//! # Filters
//!
//! [`ListAccounts::filter`] takes a [`Filter`] on these fields. A field or operator that the API version does
//! not document is an error of kind [`Config`](crate::ErrorKind::Config), and nothing is sent. Several filters
//! must all match.
//!
//! | field | name | value | operators | sorts |
//! |---|---|---|---|---|
//! | [`Id`](Field::Id) | `id` | text | `eq`, `in`, `sw` | yes |
//! | [`IdentityId`](Field::IdentityId) | `identityId` | text | `eq`, `in`, `sw` | yes |
//! | [`Name`](Field::Name) | `name` | text | `eq`, `in`, `sw` | yes |
//! | [`NativeIdentity`](Field::NativeIdentity) | `nativeIdentity` | text | `eq`, `in`, `sw` | yes |
//! | [`SourceId`](Field::SourceId) ¹ | `sourceId` | text | `eq`, `in`, `sw` | yes |
//! | [`Uncorrelated`](Field::Uncorrelated) | `uncorrelated` | boolean | `eq` | |
//! | [`HasEntitlements`](Field::HasEntitlements) | `hasEntitlements` | boolean | `eq` | in `beta` |
//! | [`Entitlements`](Field::Entitlements) | `entitlements` | text: the id of one | `eq` | yes |
//! | [`Origin`](Field::Origin) | `origin` | text | `eq`, `in` | yes |
//! | [`ManuallyCorrelated`](Field::ManuallyCorrelated) | `manuallyCorrelated` | boolean | `eq` | yes |
//! | [`IdentityName`](Field::IdentityName) | `identity.name` | text | `eq`, `in`, `sw` | yes |
//! | [`IdentityCorrelated`](Field::IdentityCorrelated) | `identity.correlated` | boolean | `eq` | yes |
//! | [`IdentityState`](Field::IdentityState) | `identity.identityState` | text | `eq`, `in` | yes |
//! | [`SourceDisplayableName`](Field::SourceDisplayableName) | `source.displayableName` | text | `eq`, `in` | yes |
//! | [`SourceAuthoritative`](Field::SourceAuthoritative) | `source.authoritative` | boolean | `eq` | yes |
//! | [`SourceConnectionType`](Field::SourceConnectionType) | `source.connectionType` | text | `eq`, `in` | yes |
//! | [`RecommendationMethod`](Field::RecommendationMethod) | `recommendation.method` | text | `eq`, `in`, `isnull` | |
//! | [`RecommendationType`](Field::RecommendationType) | `recommendation.type` | text | in `v2025`: `eq`, `in`, `isnull` | |
//! | [`Created`](Field::Created) | `created` | date | `eq`, `ge`, `gt`, `le`, and except in `beta` `lt` | yes |
//! | [`Modified`](Field::Modified) | `modified` | date | `eq`, `ge`, `gt`, `le`, `lt` | yes |
//! | [`Uuid`](Field::Uuid) | `uuid` | | none | yes |
//! | [`SourceOwnerName`](Field::SourceOwnerName) | `sourceOwner.name` | | none | in `beta` |
//!
//! ¹ Lists with `in` over several sources have been reported to be incomplete. A list for each source is safer.
//!
//! The operators are [`Filter::eq`], [`is_in`](Filter::is_in) (`in`), [`starts_with`](Filter::starts_with)
//! (`sw`), [`ge`](Filter::ge), [`gt`](Filter::gt), [`le`](Filter::le), [`lt`](Filter::lt) and
//! [`is_null`](Filter::is_null) (`isnull`). [`and`](Filter::and), [`or`](Filter::or) and [`not`](Filter::not)
//! combine filters. [`raw`](Filter::raw) sends a text unchecked. Most comparisons ignore case (*Standard
//! Collection Parameters*).
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use headcount::{
//!     ErrorKind,
//!     chrono::{DateTime, Utc},
//!     sailpoint::{ApiVersion, Client, Field, Filter},
//! };
//!
//! let before: DateTime<Utc> = "2024-01-01T00:00:00Z".parse()?;
//! let old = Filter::lt(Field::Created, before);
//! let builder = Client::builder().base_url("http://127.0.0.1:9").token("token");
//! let client = builder.api_version(ApiVersion::Beta).build()?;
//! let error =
//!     client.list_accounts().filter(old).items().collect_complete().await.unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::Config);
//! let reason = "operator `lt` is not supported for created in /beta/accounts";
//! assert!(error.message().contains(reason));
//! # Ok(()) }
//! ```
//!
//! [`ListEntitlements`] has neither filters nor sorting.
//!
//! # Endpoints
//!
//! The path of `…/accounts` depends on the [`ApiVersion`]: `/accounts/v1` or, for example, `/v2025/accounts`.
//! The same applies to `…/identities-accounts`.
//!
//! Requests are `Clone`, and the future of `send()` is `'static`, so [requests can be sent
//! concurrently](crate::guide::scale#share-one-client-between-tasks).
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
//! processed, the error is [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied). The docs of each
//! request describe how to check.
//!
//! ¹ Not in `v3`. Experimental in `v2024` and `v2025`; the client sends the required header. ² With
//! `force_provisioning(true)` also `-provisioning:manage`. ³ For a token with a user, `-provisioning:manage`
//! also suffices.
//!
//! ## Changes
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
//! let client = sailpoint::Client::builder()
//!     .base_url(tenant.base_url())
//!     .token(tenant.token())
//!     .build()?;
//!
//! let id = tenant.ids().remove(0);
//! let task = client.disable_account(&id).force_provisioning(true).send().await?;
//! println!("{task} disables {id}");
//! // The simulator applies the change immediately, and a tenant when the task has run.
//! assert_eq!(client.get_account(&id).send().await?.disabled, Some(true));
//! # Ok(()) }
//! ```
//!
//! # Not documented
//!
//! | not documented | assumed, or done instead | see |
//! |---|---|---|
//! | the default order | `sorters` is always sent | [`ListAccounts`] |
//! | how ids are compared | by bytes; if the ids of a page do not ascend, the page must contain the last account listed | [`ListAccounts`] |
//! | whether counts are exact and pages are full | neither alone ends a list | [`ListAccounts`] |
//! | the response to an offset after the end | no rows or 400: both are read as no rows | [`ListAccounts`] |
//! | the order of entitlements | the same in every request | [`ListEntitlements`] |
//! | the members of `SLIM`, and which members can be null | all but `id` are optional | [`DetailLevel`], [`Account`] |
//! | dates without a zone | UTC | [`Timestamp::utc`](crate::Timestamp::utc) |
//! | the maximum length of filters, and of the values of `in` | not checked | |
//! | which attribute identifies an account | probably the account id of the source's schema | [`CreateAccount`] |
//! | attributes that `PUT` omits | probably removed | [`PutAccount`] |
//! | the scope for the additional unlock with `force_provisioning` | none | [`SetAccountState::force_provisioning`] |
//! | the response to removing an unknown account | nothing is assumed | [`RemoveAccount`] |
//! | the maximum number of identities in a request | not checked | [`SetIdentityAccountStates`] |
//! | errors and rate limit of `/oauth/token` | errors are read like others; the client's rate limit does not apply | [`client_credentials`](ClientBuilder::client_credentials) |
//!
//! Source: SailPoint, *API specifications* of *Accounts* and *Personal Access Tokens* in `beta`, `v3`, `v2024`,
//! `v2025`, `v2026` and `accounts/v1`; *Standard Collection Parameters*; *Authentication*; *Rate Limits*; *API
//! Versioning Strategy*; *Managing API Keys and Personal Access Tokens*.

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
