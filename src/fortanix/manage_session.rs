//! What can be asked of the session that a client has.

use uuid::Uuid;

use super::{Client, SessionInfo};
use crate::Result;

/// Makes sure that the client has a session, and tells of it.
///
/// A session is begun with `POST /v1/sys/auth` if there is none; one that lives is told without a request, as
/// the server told it last. A client with a [`token`](super::ClientBuilder::token) has nothing to log in with:
/// it asks the server by a [refresh](Client::refresh_session) each time.
///
/// # Retries
/// A login with a password is repeated like a read: twice makes two sessions, and harms nothing. One with an
/// authorization code is sent again only if it surely was not sent. After
/// [`Retry::Uncertain`](crate::Retry::Uncertain) obtain another code.
///
/// # Errors
/// [`Auth`](crate::ErrorKind::Auth) if the credentials are refused, or an authorization code has been used
/// before; [`Config`](crate::ErrorKind::Config) if the client is anonymous.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct LogIn {
    client: Client,
}

impl LogIn {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Logs in.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<SessionInfo> {
        self.client.session().info().await
    }
}

/// `POST /v1/sys/session/refresh`: moves the end of the session's token, never past the session's own end.
///
/// Permission: a session that lives; one is begun if there is none and the client can. Retried like a read.
///
/// # Errors
/// [`Auth`](crate::ErrorKind::Auth) if the session is over and the client can begin no other.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct RefreshSession {
    client: Client,
}

impl RefreshSession {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Refreshes the session.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<SessionInfo> {
        self.client.session().refresh().await
    }
}

/// `POST /v1/sys/session/select_account/{account-id}`: the account that the session works on.
///
/// The client's clones have the same session, and so the same account. When the client logs in anew, it
/// selects the account again before any request that may depend on it, so that none goes to another account
/// than was meant. If that fails, so do all requests, with [`Auth`](crate::ErrorKind::Auth) where the account is gone,
/// until another is selected or the session [terminated](Client::terminate_session).
///
/// Permission: a user who is logged in and belongs to the account. Retried like a read: twice does no more
/// than once. Requests wait meanwhile, and it waits for a [removal](Client::remove_user_from_account) that is under
/// way. If it fails, the account is the one before; if it fails without an answer
/// or is given up, that is selected again before the next request. Where none was selected before, another
/// session is begun; a client that can begin no other goes on, and which account is selected is not known.
///
/// # Errors
/// Statuses are not documented: an account that does not exist is presumably
/// [`NotFound`](crate::ErrorKind::NotFound).
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct SelectAccount {
    client: Client,
    id: Uuid,
}

impl SelectAccount {
    pub(super) fn new(client: Client, id: Uuid) -> Self {
        Self { client, id }
    }

    /// Selects the account.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<SessionInfo> {
        self.client.session().select(self.id).await
    }
}

/// `POST /v1/sys/session/terminate`: ends the session, on the server too, and the selection of an account.
///
/// Without a session nothing is sent, and one that the server refuses is taken for ended. A client with a
/// password logs in anew with the next request; any other then fails with [`Auth`](crate::ErrorKind::Auth).
///
/// Permission: a session. Retried like a read.
///
/// # Errors
/// Those of every request. The session may then go on: send it again.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct TerminateSession {
    client: Client,
}

impl TerminateSession {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Ends the session.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<()> {
        self.client.session().terminate().await
    }
}
