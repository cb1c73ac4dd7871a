use std::collections::BTreeMap;

use http::Method;
use serde::Deserialize;
use uuid::Uuid;

use super::{Client, MemberStatus, Role};
use crate::{
    Result,
    http::{Call, read_object},
};

fn path(user_id: Uuid) -> String {
    format!("/v1/users/{user_id}/accounts")
}

/// A user's membership of an account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct UserAccount {
    /// What the user may do there.
    pub roles: Option<Vec<Role>>,
    /// Whether the user is a member, invited or shut out.
    pub status: Option<MemberStatus>,
}

/// `GET /v1/users/{user-id}/accounts`: the accounts of which a user is a member, by their ids, all at once.
///
/// Permission: presumably a user who is logged in. Whose accounts besides one's own may be asked for is not
/// documented.
/// Retried like every read.
///
/// # Errors
/// Statuses are not documented. An id that is no UUID makes the answer a [`Decode`](crate::ErrorKind::Decode)
/// error: none goes missing.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct GetUserAccounts {
    client: Client,
    user_id: Uuid,
}

impl GetUserAccounts {
    pub(super) fn new(client: Client, user_id: Uuid) -> Self {
        Self { client, user_id }
    }

    /// Gets the accounts.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<BTreeMap<Uuid, UserAccount>> {
        let call = Call::get(path(self.user_id));
        self.client.send(Ok(call), |answer| read_object(answer, "a map of account ids")).await
    }
}

/// `DELETE /v1/users/{user-id}/accounts`: ends a user's membership of an account.
///
/// Of which account the request does not say: presumably of the one that the session has
/// [selected](Client::select_account). An account that is selected while this is under way, retries included, is
/// selected after it. Permission: presumably any role in that account. Who leaves it oneself can not
/// select it again, and a new login does not; that takes a server that tells whose session it is.
///
/// # Retries
/// Sent again only if it surely was not sent. After [`Retry::Uncertain`](crate::Retry::Uncertain) look at
/// the [accounts of the user](Client::get_user_accounts).
///
/// # Errors
/// Statuses are not documented. With no account selected it presumably fails with the code
/// `NO_ACCOUNT_SELECTED`.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until send() is awaited"]
pub struct RemoveUserFromAccount {
    client: Client,
    user_id: Uuid,
}

impl RemoveUserFromAccount {
    pub(super) fn new(client: Client, user_id: Uuid) -> Self {
        Self { client, user_id }
    }

    /// Ends the membership.
    ///
    /// # Errors
    /// As the [request](Self) says.
    pub async fn send(self) -> Result<()> {
        let call = Call::change(Method::DELETE, path(self.user_id));
        self.client.session().leave_selected(self.user_id, call).await
    }
}
