//! Annature: accounts (users) of an organisation, or of the organisations that a partner has provisioned.
//!
//! ```no_run
//! use headcount::annature;
//!
//! # async fn run() -> headcount::Result<()> {
//! let client = annature::Client::from_env()?;
//! let mut accounts =
//!     client.list_accounts().role(annature::Role::Administrator).items().require_complete();
//! while let Some(account) = accounts.try_next().await? {
//!     println!("{} {:?} {:?}", account.id, account.name, account.email);
//! }
//! # Ok(()) }
//! ```
//!
//! # Authentication
//!
//! Every request has an API key: its id and its private key. A partner adds a partner key.
//!
//! | credential | builder | environment ([`from_env`](Client::from_env)) | header |
//! |---|---|---|---|
//! | id of the API key, not secret | [`id`](ClientBuilder::id) | `ANNATURE_ID` | `X-Annature-Id` |
//! | private key of the API key | [`key`](ClientBuilder::key) | `ANNATURE_KEY` | `X-Annature-Key` |
//! | partner key, optional | [`partner_key`](ClientBuilder::partner_key) | `ANNATURE_PARTNER_KEY` | `X-Annature-Partner` |
//!
//! `ANNATURE_BASE_URL` and [`base_url`](ClientBuilder::base_url) replace `https://api.annature.com.au`. No
//! credentials file is read.
//!
//! **Lifetime.** The keys are sent as they are. No token is fetched, so nothing is refreshed. A 401 is never
//! replayed.
//!
//! **Partner keys.** The key of the client is sent with every request.
//! [`partner_key`](ListAccounts::partner_key) of a request replaces it, and
//! [`without_partner_key`](ListAccounts::without_partner_key) omits it.
//!
//! # Permissions
//!
//! An API key has full access to its organisation. There are no finer permissions, and no key that can only
//! read. Store it like the password of an administrator.
//!
//! - *API key*: an owner or administrator of the organisation opens *Developers* and chooses *Create API Key*.
//!   The private key is shown only once (*Annature Help*, "Creating API keys").
//! - *Partner key*: Annature issues it to approved partners (*Partner Program*).
//!
//! With a partner key, lists return the accounts of the organisations that were registered with the key, and
//! not those of the caller's own organisation. To list both, send the list twice, with and without the key.
//!
//! # Pagination
//!
//! [`list_accounts`](Client::list_accounts) pages through version 2 of the endpoint by `cursor`:
//!
//! | | |
//! |---|---|
//! | page size | chosen by the provider; there is no parameter |
//! | order | newest first, and by id among accounts of the same time |
//! | end | `has_more` is false; `has_more` without a cursor is an error |
//! | verified | that each response has the array `accounts`, and that no cursor is repeated ([`PaginationLoop`](crate::ErrorKind::PaginationLoop)) |
//! | not verified | there is no count of the whole list |
//! | accounts created or changed during the list | depends on the provider's cursors, and is not documented |
//!
//! A complete summary therefore means that the list was read up to the end that the provider reported. Accounts
//! cannot be deleted, and deactivated accounts stay in the list.
//!
//! [`list_accounts_v1`](Client::list_accounts_v1) uses version 1, which returns one array of at most 1,000
//! accounts. The summary reports when that array may be truncated, and
//! [`follow_by_date`](ListAccountsV1::follow_by_date) continues with older accounts. This example runs against
//! the simulator, with `headcount-sim` in `[dev-dependencies]`:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use headcount::{Completeness, IncompleteReason, annature};
//! use headcount_sim as sim;
//!
//! let server = sim::Annature::builder().accounts(1200).start().await?;
//! let client = annature::Client::builder()
//!     .base_url(server.base_url())
//!     .id(server.id())
//!     .key(server.key())
//!     .build()?;
//!
//! let newest = client.list_accounts_v1().items().collect_with_summary().await?;
//! assert_eq!(newest.items.len(), 1000);
//! let truncated = vec![IncompleteReason::Truncated { cap: 1000 }];
//! assert_eq!(newest.summary.completeness, Completeness::Uncertain(truncated));
//!
//! let all =
//!     client.list_accounts_v1().follow_by_date(true).items().collect_complete().await?;
//! assert_eq!(all.len(), 1200);
//! assert_eq!(client.list_accounts().items().collect_complete().await?.len(), 1200);
//! # Ok(()) }
//! ```
//!
//! Both lists have the filters `name`, `email`, `role`, `active`, `group_id`, `created_before` and
//! `created_after`. All but the dates match exactly. An empty filter is rejected before anything is sent.
//!
//! Pages of version 2 can be fetched ahead ([`Pages::ahead`](crate::Pages::ahead)), but not concurrently. See
//! [`ListAccounts`] and [`ListAccountsV1`], and [pagination](crate::guide::pagination) in general.
//!
//! # Limits
//!
//! | what | limit | from |
//! |---|---|---|
//! | requests per time | none; [`rate_limit`](ClientBuilder::rate_limit) sets one | this crate; the provider documents none |
//! | waiting for `Retry-After` | 120 s: `max_retry_after` of the [`RetryPolicy`](crate::http::RetryPolicy) | this crate |
//! | response body | 64 MiB after decompression: [`body_limit`](ClientBuilder::body_limit) | this crate |
//! | accounts in a response of version 1 | 1,000 | the reference |
//! | accounts with `follow_by_date` | fewer than 1,000 created within the same two seconds | this crate |
//! | e-mail address of an account | unique | the reference |
//! | precision of date filters | milliseconds | this crate |
//!
//! # Fields
//!
//! The shared [`Account`](crate::Account) converts from an [`Account`]:
//!
//! | field | from |
//! |---|---|
//! | `kind` | always [`User`](crate::AccountKind::User) |
//! | `id` | `id` |
//! | `name` | `name` |
//! | `email` | `email` |
//! | `status` | `active` and `verified`: not active is `Disabled`, active and not verified is `Pending`, active and verified is `Active`; `Unspecified` without `active` |
//! | `raw_status` | `active: true` or `active: false`; empty without `active` |
//! | `created_at` | `created`; empty if it is not a date |
//! | `parent_id` | `organisation_id` |
//! | `roles` | `role` |
//! | `joined_at`, `modified_at`, `owner`, `alternate_ids` | empty: the record has no such member |
//!
//! `number`, `timezone`, `group_id` and the date of `verified` are in the [`record`](crate::Account::record).
//!
//! # Endpoints
//!
//! Requests are `Clone`, and the future of `send()` is `'static`: [send many
//! concurrently](crate::guide::scale#share-one-client-between-tasks).
//!
//! | endpoint | method | permission | retried |
//! |---|---|---|---|
//! | `GET /v2/accounts` | [`list_accounts`](Client::list_accounts) | API key; with a partner key, the organisations registered with it | yes |
//! | `GET /v1/accounts` | [`list_accounts_v1`](Client::list_accounts_v1) | as `GET /v2/accounts` | yes |
//! | `GET /v1/accounts/:id` | [`get_account`](Client::get_account) | API key | yes |
//! | `POST /v1/accounts` | [`create_account`](Client::create_account) | API key; to skip verification, partner key | if never sent |
//! | `POST /v1/accounts/register` | [`register_account`](Client::register_account) | partner key | if never sent |
//! | `PUT /v1/accounts/:id` | [`update_account`](Client::update_account) | API key | if never sent |
//! | `POST /v1/accounts/:id/verification` | [`resend_verification`](Client::resend_verification) | API key | if never sent |
//! | `POST /v1/accounts/:id/deactivate` | [`deactivate_account`](Client::deactivate_account) | API key | if never sent |
//! | `POST /v1/accounts/:id/restore` | [`restore_account`](Client::restore_account) | API key | if never sent |
//! | "Get authentication code" | none: its path and the form of its response are not known | partner key | |
//!
//! *If never sent*: the request is not idempotent, and is retried only if no connection could be established.
//! If the server may have processed it, the error has
//! [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied), and the request's docs say how to check.
//! No endpoint deletes an account.
//!
//! ## Changes
//!
//! Accounts are created, updated, deactivated and restored with request builders. A builder does nothing until
//! its `send()` is awaited:
//!
//! ```no_run
//! use headcount::annature;
//!
//! # async fn run() -> headcount::Result<()> {
//! let client = annature::Client::from_env()?;
//! let ted = client
//!     .create_account("Ted Annature", "ted@annature.com.au")
//!     .timezone("+10:00")
//!     .role(annature::Role::ReadOnly)
//!     .send()
//!     .await?;
//! client.update_account(&ted.id).role(annature::Role::Standard).send().await?;
//! client.deactivate_account(&ted.id).send().await?;
//! # Ok(()) }
//! ```
//!
//! # Not documented
//!
//! The effect of a partner key is documented for three things: lists, registering an account, and skipping
//! verification. Whether other requests can reach the accounts of the partner's organisations is not
//! documented.
//!
//! | not documented | assumed, or done instead | see |
//! |---|---|---|
//! | whether a key expires | used until it is rejected | |
//! | a page size, and how long a cursor is valid | nothing is assumed | [`ListAccounts`] |
//! | the `cursor` of the last page | ignored: `has_more` decides | [`ListAccounts`] |
//! | a cursor with other filters | valid only with the same filters | [`ListAccounts`] |
//! | concurrent changes | nothing is assumed | [pagination](#pagination) |
//! | whether the dates of filters are inclusive, and compared with their fractions | either; `follow_by_date` requests a margin and drops duplicates | [`follow_by_date`](ListAccountsV1::follow_by_date) |
//! | filters with invalid values: invalid dates are ignored according to the page on envelopes | dates are sent in UTC with `Z`; empty values are rejected | [`created_before`](ListAccounts::created_before) |
//! | which members can be null | all but `id` | [`Account`] |
//! | the account that a request with a partner key creates | in the caller's organisation | [`CreateAccount`] |
//! | whether e-mail addresses are unique across organisations | they are | [`RegisterAccount`] |
//! | statuses and bodies of errors | the [kind](crate::ErrorKind) follows from the status; `message`, `error`, `errors` and plain text are read | the docs of each request |
//! | the success statuses of changes | any 2xx | the docs of each request |
//! | rate limits and `Retry-After` | 429 and `Retry-After` are handled as at every provider | [`http`](crate::http#errors-and-retries) |
//!
//! Source: Annature, *API Reference*, "Authentication", "Partner Program" and the pages of "Accounts" except
//! "Get authentication code";
//! *Annature Help*, "Creating API keys".

mod account;
mod auth;
mod client;
mod error;
mod list;
mod list_v1;
mod new_account;
mod requests;

pub use account::{Account, Role};
pub use client::{Client, ClientBuilder};
pub use list::ListAccounts;
pub use list_v1::{CreatedBefore, ListAccountsV1};
pub use new_account::{ApiKey, CreateAccount, RegisterAccount, RegisteredAccount};
pub use requests::{GetAccount, ResendVerification, SetAccountState, UpdateAccount};

pub(crate) const NAME: &str = "annature";
