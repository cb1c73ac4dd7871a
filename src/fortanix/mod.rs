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
//! A user without a password logs in at an identity provider:
//!
//! ```no_run
//! use headcount::fortanix::{Client, OauthCode};
//!
//! # async fn run(ask: impl Fn(&str) -> String) -> headcount::Result<()> {
//! let anonymous = Client::builder().anonymous().build()?;
//! let methods = anonymous.discover_auth_methods().user_email("ada@example.com").send().await?;
//! for grant in methods.into_iter().filter_map(|method| method.oauth_code_grant) {
//!     let (Some(url), Some(idp_id)) = (grant.authorization_url, grant.idp_id) else { continue };
//!     // Open the URL in the user's browser, and read the code from the redirect.
//!     let code = OauthCode::new(idp_id, ask(&url)).email("ada@example.com");
//!     let client = Client::builder().oauth_code(code).build()?;
//!     println!("{:?}", client.log_in().send().await?.subject_id);
//! }
//! # Ok(()) }
//! ```
//!
//! A client logs in with e-mail address and password, logs in with an authorization code, or uses a token.
//!
//! # Endpoints
//!
//! The endpoints of accounts, and of the sessions in which they are called. Permissions are the reference's
//! `x-auth-resource`: `UserAuth` is any user who is logged in, and the others are roles in the selected
//! account. The permissions of the two requests about users are assumptions.
//!
//! Requests are `Clone`, and the future of `send()` is `'static`: [send many
//! concurrently](crate#more-than-lists).
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
//! connection could be established. If its token is rejected (401) and the client can log in again, it is
//! sent once more, in a new session. If the server may have processed it, the error is
//! [`Retryability::MaybeApplied`](crate::Retryability::MaybeApplied). The docs of each request describe how
//! to check.
//!
//! # Not documented
//!
//! - The documentation calls the header of a token `Authentication`, and every known client sends
//!   `Authorization: Bearer`. This client sends both.
//! - Login with Basic authentication is not documented; every known client uses it.
//! - Statuses and bodies of errors are not documented.
//! - Little of the paging is documented: see [`ListAccounts`].
//!
//! Source: Fortanix, *Confidential Computing Manager API*, "Accounts", "Auth" and "Users".

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
