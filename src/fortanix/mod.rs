//! Accounts of Fortanix Confidential Computing Manager (CCM).
//!
//! [`Client::list_accounts`] lists the accounts that the user may see:
//!
//! ```no_run
//! use headcount::fortanix;
//!
//! # async fn run() -> headcount::Result<()> {
//! let client = fortanix::Client::from_env()?;
//! let mut accounts = client.list_accounts().items().require_complete();
//! while let Some(account) = accounts.try_next().await? {
//!     println!("{} {:?} {:?}", account.acct_id, account.name, account.account_status);
//! }
//! # Ok(()) }
//! ```
//!
//! # Authentication
//!
//! A client is a user's session. The user logs in with a password, at an identity provider, or has a token:
//!
//! | way | builder | environment ([`from_env`](Client::from_env)) | when the session ends |
//! |---|---|---|---|
//! | e-mail address and password | [`password`](ClientBuilder::password) | `FORTANIX_CCM_EMAIL`, `FORTANIX_CCM_PASSWORD` | the client logs in again |
//! | a token obtained elsewhere | [`token`](ClientBuilder::token) | `FORTANIX_CCM_TOKEN`; if it is set, the other two are not read | requests fail with [`Auth`](crate::ErrorKind::Auth) |
//! | an authorization code | [`oauth_code`](ClientBuilder::oauth_code) | | requests fail with `Auth`: a code is valid once |
//! | none | [`anonymous`](ClientBuilder::anonymous) | | only [`discover_auth_methods`](Client::discover_auth_methods) works |
//!
//! `FORTANIX_CCM_BASE_URL` and [`base_url`](ClientBuilder::base_url) replace `https://ccm.fortanix.com`, for
//! example for an on-premises installation. No credentials file is read.
//!
//! This example runs against the simulator, with `headcount-sim` in `[dev-dependencies]`:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use headcount::fortanix;
//! use headcount_sim as sim;
//!
//! let server = sim::Fortanix::builder().accounts(250).start().await?;
//! let client = fortanix::Client::builder()
//!     .base_url(server.base_url())
//!     .password(server.email(), server.password())
//!     .build()?;
//! let session = client.log_in().send().await?;
//! assert!(session.session_token_expires_at_utc().is_some());
//! assert_eq!(client.list_accounts().items().collect_complete().await?.len(), 250);
//! # Ok(()) }
//! ```
//!
//! **Lifetime.** A session has two expiry times, both in [`SessionInfo`]. A refresh extends that of its token.
//! No request is documented to extend the session's own. The client uses the earlier one. It refreshes the session when a tenth of the
//! time until then is left, or a minute if that is less. If the server reports no times, or past ones, the
//! token is used until it is rejected.
//!
//! **Refresh.** Any request refreshes the session when that is due. The client refreshes nothing between
//! requests, so a client that is idle for longer needs [`refresh_session`](Client::refresh_session) or another
//! login. A client with a [`token`](ClientBuilder::token) does not refresh by itself.
//!
//! **Rejected tokens.** With a password, a request that gets a 401 is sent once more, in a new session. With a
//! token or an authorization code, the 401 is an error.
//!
//! A user without a password logs in at an identity provider:
//!
//! ```no_run
//! use headcount::fortanix::{Client, OauthCode};
//!
//! # async fn run(ask: impl Fn(&str) -> String) -> headcount::Result<()> {
//! let anonymous = Client::builder().anonymous().build()?;
//! let methods =
//!     anonymous.discover_auth_methods().user_email("ada@example.com").send().await?;
//! for grant in methods.into_iter().filter_map(|method| method.oauth_code_grant) {
//!     let (Some(url), Some(idp_id)) = (grant.authorization_url, grant.idp_id) else {
//!         continue;
//!     };
//!     // Open the URL in the user's browser, and read the code from the redirect.
//!     let code = OauthCode::new(idp_id, ask(&url)).email("ada@example.com");
//!     let client = Client::builder().oauth_code(code).build()?;
//!     println!("{:?}", client.log_in().send().await?.subject_id);
//! }
//! # Ok(()) }
//! ```
//!
//! # Permissions
//!
//! Any user who is logged in can list accounts. No role is needed, and no account has to be selected. The list
//! has the accounts that the user may see. [`account_scope`](ListAccounts::account_scope) sends `USER` or
//! `SYSTEM`, whose meaning is not documented: probably the accounts of the user, and those of the whole instance.
//!
//! The permissions in the table of [endpoints](#endpoints) are the reference's `x-auth-resource`: `UserAuth` is
//! probably any user who is logged in, and the others are roles in the selected account. Requests that need a selected
//! account are sent by a client [`with_account`](Client::with_account).
//!
//! To create a user for a program, sign up in the user interface of CCM, or let an administrator of an account
//! invite the user (*User's Guide*, "Logging in" and "Invite Users"). The reference names no other credential
//! than the token of a user.
//!
//! # Pagination
//!
//! The list is paged by `limit` and `previous_id`. A response has rows only: no count, no cursor and no sign of
//! the end. Therefore, pages overlap. Each page is requested from the account *before* the last one listed, and
//! must contain a row that was listed.
//!
//! | | |
//! |---|---|
//! | page size | 100, or [`limit`](ListAccounts::limit): 3 or more |
//! | order | the server's, or [`sort_by`](ListAccounts::sort_by); valid keys are not documented; the sibling API DSM accepts only `acct_id` |
//! | end | a page that overlaps the listed rows and has no new ones. An empty page is not the end, and an empty list is requested three times |
//! | verified | that a page continues the previous one, and that ids or dates of creation keep one direction |
//! | accounts created or deleted during the list | hide no others, in an order in which no account moves |
//! | an order in which accounts can move | [`UnstableOrder`](crate::IncompleteReason::UnstableOrder) in the summary, if there is more than one page |
//! | the last 8 accounts listed are all deleted | [`ListingChanged`](crate::ErrorKind::ListingChanged) |
//! | a server that ignores `previous_id` | [`PaginationLoop`](crate::ErrorKind::PaginationLoop), or [`Truncated`](crate::IncompleteReason::Truncated) in the summary; complete if each response has every account |
//!
//! Pages can be fetched ahead ([`Pages::ahead`](crate::Pages::ahead)), but not concurrently. See
//! [`ListAccounts`], and [pagination](crate::guide::pagination) in general.
//!
//! # Limits
//!
//! | what | limit | from |
//! |---|---|---|
//! | requests per time | none; [`rate_limit`](ClientBuilder::rate_limit) sets one | this crate; the provider documents none |
//! | waiting for `Retry-After` | 120 s: `max_retry_after` of the [`RetryPolicy`](crate::http::RetryPolicy) | this crate |
//! | response body | 64 MiB after decompression: [`body_limit`](ClientBuilder::body_limit) | this crate |
//! | page size | 3 or more; the server's maximum is not documented | this crate |
//! | logo | `.jpg`, `.png` or `.svg`, "128Kb", read as 128 KiB: [`Logo`] | the reference |
//! | name of an account | unique within an instance | the reference |
//! | PCR priority | each of 0 to 22 once: [`PcrPriority`] | the reference |
//!
//! Each row may contain a logo. A page with many logos may need a larger `body_limit` or a smaller `limit`.
//!
//! # Fields
//!
//! The shared [`Account`](crate::Account) converts from an [`Account`]:
//!
//! | field | from |
//! |---|---|
//! | `kind` | always [`Tenant`](crate::AccountKind::Tenant) |
//! | `id` | `acct_id` |
//! | `name` | `name` |
//! | `status` | `account_status`: `Active` is `Active`, `Deactivated` is `Disabled` |
//! | | if that is missing, `status`, the caller's membership: `ACTIVE` is `Active`, `PENDING` is `Pending`, `DISABLED` is `Disabled` |
//! | | `Unspecified` if both are missing, or the value is unknown |
//! | `raw_status` | the value of the member that `status` is from |
//! | `created_at` | `created_at`, in seconds since 1970 |
//! | `roles` | empty: `roles` of the record are the caller's, not the account's |
//! | `email`, `joined_at`, `modified_at`, `parent_id`, `owner`, `alternate_ids` | empty: the record has no such member |
//!
//! The other members are in the [`record`](crate::Account::record). `auth_configs` may contain secrets:
//! [`raw`](Account::raw) returns them, while `Debug`, serialising and [`redacted`](crate::RawRecord::redacted)
//! hide them.
//!
//! # Endpoints
//!
//! The endpoints of accounts, and of the sessions in which they are called.
//!
//! Requests are `Clone`, and the future of `send()` is `'static`: [send many
//! concurrently](crate::guide::scale#share-one-client-between-tasks).
//!
//! | endpoint | method | permission | retried |
//! |---|---|---|---|
//! | `GET /v1/accounts` | [`list_accounts`](Client::list_accounts) | `UserAuth`, `Reader`, `Writer`, `Manager` | yes |
//! | `POST /v1/accounts` | [`create_account`](Client::create_account) | `UserAuth`, `Reader`, `Writer`, `Manager` | if not sent |
//! | `GET /v1/accounts/{account-id}` | [`get_account`](Client::get_account) | `UserAuth`, `Reader`, `Writer`, `Manager` | yes |
//! | `PATCH /v1/accounts/{account-id}` | [`update_account`](Client::update_account) | `Manager`, `UserAuth` | if not sent |
//! | `DELETE /v1/accounts/{account-id}` | [`delete_account`](Client::delete_account) | `NoAuth`, probably by mistake | if not sent |
//! | `GET /v1/users/{user-id}/accounts` | [`get_user_accounts`](Client::get_user_accounts) | `UserAuth` | yes |
//! | `DELETE /v1/users/{user-id}/accounts` | [`remove_user_from_account`](Client::remove_user_from_account) | `Reader`, `Writer`, `Manager`, `ManagerInLockedAccount`, `WriterInLockedAccount` | if not sent |
//! | `POST /v1/sys/auth/discover` | [`discover_auth_methods`](Client::discover_auth_methods) | `NoAuth` | yes |
//! | `POST /v1/sys/auth` | [`log_in`](Client::log_in), and any request without a session | `NoAuth` | with a password yes, with a code if not sent |
//! | `POST /v1/sys/session/refresh` | [`refresh_session`](Client::refresh_session), and any request shortly before the token expires, except with [`token`](ClientBuilder::token) | `NoAuth`, but a token | yes |
//! | `POST /v1/sys/session/select_account/{account-id}` | [`select_account`](Client::select_account), and any new login of a client [`with_account`](Client::with_account) | `UserAuth`, `Reader`, `Writer`, `Manager`, and the two in locked accounts | yes |
//! | `POST /v1/sys/session/terminate` | [`terminate_session`](Client::terminate_session) | the same | yes |
//! | `POST /v1/accounts/select_account/{account-id}` | none: an endpoint of older servers that is no longer in the reference | | |
//!
//! *If not sent*: the request is not idempotent. It is retried only if it never reached the server because no
//! connection could be established. If its token is rejected (401) and the client can log in again, it is sent
//! once more, in a new session. If the server may have processed it, the error is
//! [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied). The docs of each request describe how to
//! check.
//!
//! ## Changes
//!
//! The required parameters of a request are arguments, and setters add the optional ones:
//!
//! ```no_run
//! use headcount::fortanix::{self, AuthConfigPassword, Logo};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! # let client = fortanix::Client::from_env()?;
//! let account = client
//!     .create_account("Acme")
//!     .custom_logo(Logo::new(std::fs::read("acme.svg")?)?)
//!     .auth_config(AuthConfigPassword::new(true, false))
//!     .send()
//!     .await?;
//! let account = client.get_account(account.acct_id).with_totals(true).send().await?;
//! println!("{} has {:?}", account.acct_id, account.totals);
//! # Ok(()) }
//! ```
//!
//! # Not documented
//!
//! | not documented | assumed, or done instead | see |
//! |---|---|---|
//! | the header of the token: the reference calls it `Authentication`, older clients send `Authorization: Bearer`, newer ones a cookie | both headers are sent; cookies are not supported | |
//! | login with Basic authentication | used, as in every known client | [`password`](ClientBuilder::password) |
//! | whether a login always returns `access_token` | without it, the login fails with [`Auth`](crate::ErrorKind::Auth); sessions by cookie are not supported | |
//! | login with a second factor | not supported | [`AuthConfigPassword`] |
//! | lifetimes of sessions and tokens | read from the responses | [`SessionInfo`] |
//! | the unit of times | seconds since 1970, as documented for other objects of the same API | [`SessionInfo`], [`Account`] |
//! | paging: whether a page starts after `previous_id` or at it, the default order, the server's maximum, the end, deleted ids | nothing is assumed, except that 400 or 404 for a later page means an unknown id | [`ListAccounts`] |
//! | the meaning of the scopes, the default, and who may use [`System`](AccountScope::System) | the scope is sent only if it is set | [`AccountScope`] |
//! | the keys of `sort_by` | any key is sent | [`ListAccounts::sort_by`] |
//! | whether 128Kb is the size of the image or of its base64, and in which unit | 131,072 bytes of the image | [`Logo`] |
//! | the permission to delete an account: `NoAuth` in the reference | probably a mistake | [`DeleteAccount`] |
//! | the permissions of the two requests about users | as in the table | [`GetUserAccounts`], [`RemoveUserFromAccount`] |
//! | the account that a user is removed from | the selected one | [`RemoveUserFromAccount`] |
//! | whether responses contain the secrets of `auth_configs` | read if they do, and redacted | [`AuthConfigOauth`] |
//! | statuses and bodies of errors | the [kind](crate::ErrorKind) follows from the status; `{message, code}`, a JSON string and plain text are read | the docs of each request |
//! | rate limits and `Retry-After` | 429 and `Retry-After` are handled as at every provider | [`http`](crate::http#errors-and-retries) |
//!
//! Source: Fortanix, *Confidential Computing Manager API*, "Accounts", "Auth" and "Users"; *User's Guide*,
//! "Logging in" and "Invite Users".

mod account;
mod auth_config;
mod client;
mod error;
mod list;
mod logo;
mod paging;
mod requests;
mod session;

pub use account::{
    Account, AccountStatus, ApprovalState, Base64, Component, MemberStatus, NodeEnrollment, ObjectCounts,
    PcrPriority, Role,
};
pub use auth_config::{
    AuthConfigOauth, AuthConfigPassword, AuthConfigRef, AuthenticationConfig, CaConfig, CaSet,
    IdentityProvider, TlsConfig, TlsConfigRequired,
};
pub use client::{Client, ClientBuilder};
pub use list::{AccountScope, ListAccounts};
pub use logo::Logo;
pub use paging::Cursor;
pub use requests::{
    AuthMethod, CreateAccount, DeleteAccount, DiscoverAuthMethods, GetAccount, GetUserAccounts, Login,
    OauthAuthCodeGrant, RefreshSession, RemoveUserFromAccount, SelectAccount, TerminateSession,
    UpdateAccount, UserAccount,
};
pub use session::{OauthCode, SessionInfo};

pub(crate) const NAME: &str = "fortanix";
